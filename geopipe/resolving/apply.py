"""Carry out confirmed decisions on a copy of the areas, one after the other; unsafe ones are not applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.register.case import Case, Decision
from geopipe.register.corners import NOTHING, on_grid
from geopipe.register.outcome import Expected, dangers, expected
from geopipe.resolving.rest import is_wide
from geopipe.schema import Frame, Geometries
from geopipe.terms import KEEPING_CHOICES, OPEN_CHOICES, CaseStatus, Choice, Status

# A decision holds only for the ground that people looked at.
_LOOK_AGAIN = {
    CaseStatus.NEEDS_REVIEW: "The data changed after the decision: the case needs review.",
    CaseStatus.CORRECTED_DIFFERENTLY: "The data were changed, but not as decided: look at the case again.",
    CaseStatus.CHANGED_WITHOUT_DECISION: "The data changed before the decision: look at the case again.",
    CaseStatus.NOT_OBSERVED: "An operator of this case did not deliver: its record may have changed.",
}
_DONE = frozenset({CaseStatus.FINISHED, CaseStatus.EXCEPTION, CaseStatus.SPLIT, CaseStatus.MERGED})


@dataclass(frozen=True)
class Applied:
    """A decision that was carried out; rows of A and B in FEATURES, and which of them is withdrawn."""

    case: Case
    decision: Decision
    a: int
    b: int
    withdrawn: int | None


@dataclass(frozen=True)
class NotApplied:
    """A decision that was not carried out, and why."""

    case: Case
    reasons: tuple[str, ...]


@dataclass
class Resolution:
    """What confirmed decisions make of the areas.

    `delivered` are the polygons of FEATURES (working CRS, m). `before` and `after` hold those that decisions
    change, by row; after is None where a record is withdrawn. `merged_into` says into which row it went,
    `decisions_on` holds what was carried out on each row.
    """

    working_crs: str
    delivered: Geometries
    applied: list[Applied] = field(default_factory=list)
    not_applied: list[NotApplied] = field(default_factory=list)
    before: dict[int, shapely.Geometry] = field(default_factory=dict)
    after: dict[int, shapely.Geometry | None] = field(default_factory=dict)
    merged_into: dict[int, int] = field(default_factory=dict)
    decisions_on: dict[int, list[Applied]] = field(default_factory=lambda: defaultdict(list))

    def ground(self, row: int) -> shapely.Geometry | None:
        """Return the ground of a record as the decisions so far leave it."""
        return self.after[row] if row in self.after else self.delivered[row]

    def taken_up(self, row: int) -> set[int]:
        """Return a row and all that were merged into it, also one by way of another."""
        rows = {row}
        while more := {one for one, into in self.merged_into.items() if into in rows} - rows:
            rows |= more
        return rows


def resolve(features: Frame, cases: Sequence[Case], working_crs: str) -> Resolution:
    """Carry out all confirmed decisions that change a record, in the order of their case ids.

    Parameters
    ----------
    features : Frame
        FEATURES in the working CRS, as the last run left them.
    cases : sequence of Case
    working_crs : str

    Returns
    -------
    Resolution
        Several decisions about one record compose: each is computed from what the ones before left.
    """
    resolution = Resolution(working_crs, features.geometry)
    rows_of = _rows_by_version(features)
    for case in sorted(cases, key=lambda case: case.case_id):
        decision = case.decision
        if decision is None or not _is_wanted(case, decision):
            continue
        reasons = _try(resolution, rows_of, case, decision)
        if reasons:
            resolution.not_applied.append(NotApplied(case, tuple(reasons)))
    return resolution


def _is_wanted(case: Case, decision: Decision) -> bool:
    changes = decision.choice not in KEEPING_CHOICES | OPEN_CHOICES
    return changes and decision.confirmed and case.present and case.status not in _DONE


def _rows_by_version(features: Frame) -> dict[tuple[str, str], int]:
    records, versions = features.table["record_id"].to_pylist(), features.table["version_id"].to_pylist()
    return {key: row for row, key in enumerate(zip(records, versions, strict=True))}


def _try(
    resolution: Resolution, rows_of: dict[tuple[str, str], int], case: Case, decision: Decision
) -> list[str]:
    """Carry out one decision, or return why not."""
    if case.status in _LOOK_AGAIN:
        return [_LOOK_AGAIN[case.status]]
    sides = case.sighting.a, case.sighting.b
    rows = [row for side in sides if (row := rows_of.get((side.record_id, side.version_id))) is not None]
    if len(rows) < len(sides):
        return ["The last run does not hold both records as the register knows them: run geopipe again."]
    grounds = [resolution.ground(row) for row in rows]
    gone = [side.name for side, ground in zip(sides, grounds, strict=True) if ground is None]
    if gone:
        return [f"{gone[0]} is withdrawn by another decision."]
    try:
        return _carry_out(resolution, case, decision, rows[0], rows[1])
    except ConfigError as error:
        return [f"{error.what[:1].upper()}{error.what[1:]}."]


def _carry_out(resolution: Resolution, case: Case, decision: Decision, a_row: int, b_row: int) -> list[str]:
    """Change both records as decided, or return what is unsafe in that."""
    a, b = (resolution.ground(row) or NOTHING for row in (a_row, b_row))
    line = _line(decision, resolution.working_crs)
    sides = case.sighting.a, case.sighting.b
    closed = [name for name, side in zip("AB", sides, strict=True) if side.status == Status.CLOSED]
    found = dangers(decision.choice, sides[0].kind, sides[1].kind, a, b, line, closed)
    refused = [f"{danger.sentence}." for danger in found if not _is_allowed(decision, danger.flag)]
    outcome = expected(decision.choice, a, b, line)
    if refused or outcome is None:
        return refused
    if undone := _undone(resolution, {a_row: outcome.a, b_row: outcome.b}):
        return [f"It would bring back the overlap of {undone}, which was decided before."]
    _take(resolution, Applied(case, decision, a_row, b_row, _withdrawn(outcome, a_row, b_row)), outcome)
    return []


def _line(decision: Decision, working_crs: str) -> shapely.Geometry | None:
    if decision.choice is not Choice.SPLIT_ON_LINE or decision.line_wgs84 is None:
        return None
    transformer, _ = choose_operation(WGS84, working_crs)
    line: shapely.Geometry = transform(np.array([decision.line_wgs84], dtype=object), transformer)[0]
    return line


def _undone(resolution: Resolution, now: dict[int, shapely.Geometry | None]) -> str:
    """Return the case whose overlap would be there again if some rows had this ground; '' for none."""
    for item in (item for row in now for item in resolution.decisions_on[row]):
        one, other = (now[row] if row in now else resolution.ground(row) for row in (item.a, item.b))
        if one is not None and other is not None and is_wide(on_grid(shapely.intersection, one, other)):
            return item.case.name
    return ""


def _is_allowed(decision: Decision, flag: str) -> bool:
    """Say whether those who decided knew of the danger, and minutes say so."""
    return bool(getattr(decision, flag)) and decision.reference is not None


def _withdrawn(outcome: Expected, a_row: int, b_row: int) -> int | None:
    if outcome.a is None:
        return a_row
    return b_row if outcome.b is None else None


def _take(resolution: Resolution, applied: Applied, outcome: Expected) -> None:
    """Write down what a decision makes of both records."""
    resolution.applied.append(applied)
    for row in (applied.a, applied.b):
        resolution.decisions_on[row].append(applied)
    for row, ground in ((applied.a, outcome.a), (applied.b, outcome.b)):
        if ground is not resolution.ground(row):
            resolution.before[row] = resolution.delivered[row]
            resolution.after[row] = ground
    if applied.decision.choice is Choice.MERGE_INTO_A:
        resolution.merged_into[applied.b] = applied.a
    elif applied.decision.choice is Choice.MERGE_INTO_B:
        resolution.merged_into[applied.a] = applied.b
