"""How the shared ground of two records is treated in hectares: undecided, or decided in one of three ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from geopipe.register.case import Case
from geopipe.schema import Frame
from geopipe.terms import OPEN_CHOICES, CaseStatus, Choice


class Counting(StrEnum):
    """What was decided about the hectares that two records share."""

    UNDECIDED = "undecided"
    DEDUCT = "deduct_from"
    COUNTED_ONCE = "both_counted_once"
    BOTH_VALID = "both_valid"


@dataclass(frozen=True)
class Treatment:
    """How a pair is treated; `deduct_from` is the `row_id` of the record that loses the hectares."""

    counting: Counting
    deduct_from: str | None = None

    @property
    def is_decided(self) -> bool:
        """Whether the shared ground is an agreed deduction."""
        return self.counting is not Counting.UNDECIDED


# Treatment of pairs of `row_id`; a pair that is not in it is undecided.
Treatments: TypeAlias = Mapping[frozenset[str], Treatment]

UNDECIDED = Treatment(Counting.UNDECIDED)
COUNTED_ONCE = Treatment(Counting.COUNTED_ONCE)
_DEDUCTED_SIDE = {
    Choice.A_CORRECTS: "a",
    Choice.WITHDRAW_A: "a",
    Choice.MERGE_INTO_B: "a",
    Choice.B_CORRECTS: "b",
    Choice.WITHDRAW_B: "b",
    Choice.MERGE_INTO_A: "b",
}
# The data are no longer, or not yet, what was decided about: somebody must look first.
_IN_DOUBT = frozenset(
    {CaseStatus.NEEDS_REVIEW, CaseStatus.CORRECTED_DIFFERENTLY, CaseStatus.CHANGED_WITHOUT_DECISION}
)


def treatments_of(cases: Iterable[Case], areas: Frame) -> dict[frozenset[str], Treatment]:
    """Return how confirmed decisions treat pairs of areas; provisional ones decide no hectares.

    Parameters
    ----------
    cases : iterable of Case
        Their last sighting names the versions of the two records.
    areas : Frame
        The areas of the result, with `row_id` and `version_id`. A decision is about exactly one version of
        each record: where the areas hold another one, or the same one twice, the pair stays undecided.
    """
    rows: dict[str, list[str]] = {}
    for version, row in zip(areas.numpy("version_id"), areas.numpy("row_id"), strict=True):
        rows.setdefault(version, []).append(row)
    treated = {}
    for case in cases:
        a = rows.get(case.sighting.a.version_id, [])
        b = rows.get(case.sighting.b.version_id, [])
        if _decides_hectares(case) and len(a) == len(b) == 1:
            treated[frozenset((a[0], b[0]))] = _treatment(case, a[0], b[0])
    return treated


def _decides_hectares(case: Case) -> bool:
    decision = case.decision
    return (
        decision is not None
        and decision.confirmed
        and decision.choice not in OPEN_CHOICES
        and case.present
        and case.status not in _IN_DOUBT
    )


def _treatment(case: Case, a: str, b: str) -> Treatment:
    """Return the treatment of a decided case whose records stand in these rows."""
    assert case.decision is not None
    side = _DEDUCTED_SIDE.get(case.decision.choice)
    if side is not None:
        return Treatment(Counting.DEDUCT, {"a": a, "b": b}[side])
    both_valid = case.decision.choice is Choice.BOTH_VALID
    return Treatment(Counting.BOTH_VALID if both_valid else Counting.COUNTED_ONCE)
