"""What the register knows of a case: its two records, what was seen, said and decided."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import shapely

from geopipe.terms import Answer, CaseStatus, Choice


@dataclass(frozen=True)
class Side:
    """One of the two records of a case, as a run has seen it.

    `columns` are the FEATURES columns `RECORD_COLUMNS` as plain values (dates in ISO form, m2, cm);
    `geometry` is its polygon in the working CRS of the sighting (m).
    """

    columns: dict[str, Any]
    geometry: shapely.Geometry

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["columns"][name]
        except KeyError as error:
            raise AttributeError(name) from error

    @property
    def name(self) -> str:
        """The record as people call it: operator and its own id."""
        return f"{self.columns['operator']} {self.columns['source_id'] or self.columns['record_id']}"


@dataclass(frozen=True)
class Sighting:
    """An overlap as one run has seen it.

    `columns` are those of OVERLAPS that speak of the pair as seen from A (`PAIR_COLUMNS`: relation, finding,
    severity, counted, time_order, area_m2, width_m, mean_width_m, parts, confidence, edge_uncertainty_m2),
    and `a_share`, `b_share`; `geometry` is the shared ground in `working_crs` (m), as it was last seen.
    """

    number: int
    run: int
    a: Side
    b: Side
    columns: dict[str, Any]
    geometry: shapely.Geometry
    working_crs: str

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["columns"][name]
        except KeyError as error:
            raise AttributeError(name) from error


@dataclass(frozen=True)
class Reference:
    """Minutes, a letter or another paper that a decision rests on. A signed one has the hash of its file."""

    reference_id: str
    meeting: str
    held_on: dt.date | None
    item: str
    file_name: str = ""
    file_sha256: str = ""

    @property
    def text(self) -> str:
        """The reference as a page shows it."""
        day = f" of {self.held_on.isoformat()}" if self.held_on else ""
        return f"{self.meeting}{day}{f', item {self.item}' if self.item else ''}"


@dataclass(frozen=True)
class Decision:
    """A decision of one case. `sighting` is the overlap as it was looked at; only confirmed ones have effect.

    `line_wgs84` is the agreed line (lon/lat) where the choice is to split on one. `shrinks_hazard` and
    `grows_released` say that those who decided knew that the ground would change to the unsafe side.
    """

    decision_id: str
    case_id: str
    choice: Choice
    confirmed: bool
    level: str
    sighting: int
    reference: Reference | None
    line_wgs84: shapely.Geometry | None = None
    shrinks_hazard: bool = False
    grows_released: bool = False
    responsible: str = ""
    due: dt.date | None = None
    note: str = ""
    by: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Position:
    """What an operator says to a case."""

    position_id: str
    case_id: str
    operator: str
    answer: Answer
    comment: str
    evidence: str
    name: str
    said_on: dt.date | None
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened to a case: by a run or by a person. `status` is the case's status after it."""

    number: int
    event_id: str
    case_id: str
    at: dt.datetime
    author: str
    kind: str
    status: CaseStatus
    cause: str
    data: dict[str, Any] = field(default_factory=dict)
    run: int | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands with a case: a pair of lineages, two records, whatever their ids and versions.

    `present` says whether the overlap is in the data of the last run. `decision` is the one in force.
    """

    case_id: str
    number: str | None
    status: CaseStatus
    present: bool
    first_seen: dt.date
    last_seen: dt.date
    decision: Decision | None = None
    assigned_to: str = ""
    due: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Case(Standing):
    """A case with all that happened to its overlap.

    A is the record that stood on the left when the case was opened; `sighting` is the last one.
    """

    sighting: Sighting
    events: tuple[Event, ...]
    positions: tuple[Position, ...] = ()

    @property
    def name(self) -> str:
        """The number that people say, else the beginning of the id."""
        return self.number or self.case_id

    @property
    def operators(self) -> tuple[str, str]:
        """The operators of A and B."""
        return self.sighting.a.operator, self.sighting.b.operator
