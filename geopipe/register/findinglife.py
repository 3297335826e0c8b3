"""What a run means for the faults that are known: opened, still there, corrected, come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from geopipe.register.absence import Absence
from geopipe.register.finding import FindingStatus
from geopipe.register.findings import Found
from geopipe.schema import State

# By so much a figure may grow before what was accepted is another fault.
_GROWN = 1.01


class Last(NamedTuple):
    """Where a known fault stood before the run, and its figure then."""

    status: FindingStatus
    measure: float | None


class Happened(NamedTuple):
    """What a run does to a fault."""

    finding_id: str
    status: FindingStatus
    cause: str
    measure: float | None


def opened(found: Found, known: Mapping[str, Last], is_first: bool) -> list[Happened]:
    """Return the faults that nobody knew; those of the first run are backlog."""
    status = FindingStatus.BACKLOG if is_first else FindingStatus.NEW
    return [Happened(name, status, "", now) for name, now in found.measures.items() if name not in known]


def came_back(found: Found, known: Mapping[str, Last]) -> list[Happened]:
    """Return the faults that were corrected and are there again, or that grew after they were accepted."""
    result = []
    for name, now in found.measures.items():
        last = known.get(name)
        if last is None:
            continue
        if last.status == FindingStatus.CORRECTED:
            result.append(Happened(name, FindingStatus.REOPENED, "it is in the data again", now))
        elif last.status == FindingStatus.ACCEPTED and _has_grown(last.measure, now):
            cause = f"its figure grew since it was accepted: from {last.measure:,.1f} to {now:,.1f}"
            result.append(Happened(name, FindingStatus.REOPENED, cause, now))
    return result


def _has_grown(before: float | None, now: float | None) -> bool:
    return before is not None and now is not None and abs(now) > _GROWN * abs(before)


def corrected(
    state: State, known: Mapping[str, Last], told: Mapping[str, Mapping[str, Any]]
) -> list[Happened]:
    """Return the faults that are gone, as far as this may be inferred from what the run has read.

    Parameters
    ----------
    state : State
        After all stages.
    known : mapping
        All faults of the register.
    told : mapping
        TOLD columns of those that are not corrected and absent from the run.
    """
    if not told:
        return []
    absence = Absence(state, list(told.values()))
    causes = {name: absence.cause(columns) for name, columns in told.items()}
    return [
        Happened(name, FindingStatus.CORRECTED, cause, known[name].measure)
        for name, cause in causes.items()
        if cause
    ]


def absent(found: Found, known: Mapping[str, Last]) -> list[str]:
    """Return the ids of faults that are known, not corrected, and not in the run."""
    here = set(found.ids)
    return sorted(
        name for name, last in known.items() if last.status != FindingStatus.CORRECTED and name not in here
    )
