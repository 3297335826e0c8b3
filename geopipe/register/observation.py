"""What a run adds to the register: versions of records, new cases, sightings, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geopipe.register.judge import Verdict


@dataclass
class Observation:
    """What a run adds to the register. `versions` are (columns as JSON, WKB) by name.

    `case_of` is the case of each pair of records (`row_id` of the left and of the right one).
    """

    versions: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    sightings: list[Sighted] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    case_of: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sighted:
    """A new sighting of a case; `geometry` is WKB of the shared ground, None where it is as seen last."""

    case_id: str
    present: bool
    a_version: str
    b_version: str
    columns: str
    geometry: bytes | None


@dataclass(frozen=True)
class Happened:
    """An event by a run. `is_about_now` says that later moves are measured from what is seen now."""

    case_id: str
    what: Verdict
    data: dict[str, Any]
    is_about_now: bool = True
