"""What the register knows of a finding: what it is about, and what became of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FindingStatus(StrEnum):
    """Where a finding stands; what moves it is an event."""

    BACKLOG = "backlog"
    NEW = "new"
    SENT = "sent"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REOPENED = "reopened"


# The data still have the fault, and nobody has accepted it.
OUTSTANDING = frozenset(
    {FindingStatus.BACKLOG, FindingStatus.NEW, FindingStatus.SENT, FindingStatus.REOPENED}
)


@dataclass(frozen=True)
class FindingEvent:
    """Something that happened to a finding: by a run or by a person. `measure` is its figure at that time."""

    number: int
    day: dt.date
    author: str
    status: FindingStatus
    cause: str
    measure: float | None
    run: int | None


@dataclass(frozen=True)
class Finding:
    """A fault in the data of an operator, over all its runs.

    `columns` say what it is about, as it was first seen: severity, source (finding, returned, file), role,
    kind, file, layer, record_id, other_id, source_id, sentence, measure, unit.
    """

    finding_id: str
    code: str
    operator: str
    columns: dict[str, Any]
    events: tuple[FindingEvent, ...]

    @property
    def status(self) -> FindingStatus:
        """The status after the last event."""
        return self.events[-1].status

    @property
    def is_outstanding(self) -> bool:
        """Whether the operator still has to correct it."""
        return self.status in OUTSTANDING

    @property
    def opened(self) -> dt.date:
        """The day of the run that found it first."""
        return self.events[0].day

    @property
    def measure(self) -> float | None:
        """Its figure at the last event, in `columns['unit']`."""
        return self.events[-1].measure

    @property
    def about(self) -> str:
        """What it is about, for people: the operator's own id, else the file."""
        told = self.columns
        return str(told["source_id"] or told["record_id"] or told["file"] or "")
