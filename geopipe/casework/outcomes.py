"""What each choice would do to the ground of both records of a case, in hectares."""

from __future__ import annotations

from dataclasses import dataclass

import shapely

from geopipe.casework.facts import closed_sides
from geopipe.register.case import Case
from geopipe.register.outcome import Danger, dangers, expected, ground_changes
from geopipe.terms import KEEPING_CHOICES, OPEN_CHOICES, Choice

_M2_PER_HA = 10_000.0


@dataclass(frozen=True)
class ChoiceOutcome:
    """What a choice makes of the two records (ha); None where it depends on a line, or on later work."""

    choice: Choice
    a_lost_ha: float | None
    a_gained_ha: float | None
    b_lost_ha: float | None
    b_gained_ha: float | None
    dangers: tuple[Danger, ...] = ()


def outcomes(case: Case) -> list[ChoiceOutcome]:
    """Return the outcome of every choice, in the order in which they are named."""
    return [_outcome(case, choice) for choice in Choice]


def _outcome(case: Case, choice: Choice) -> ChoiceOutcome:
    if choice in KEEPING_CHOICES:
        return ChoiceOutcome(choice, 0.0, 0.0, 0.0, 0.0)
    if choice in OPEN_CHOICES or choice is Choice.SPLIT_ON_LINE:
        return ChoiceOutcome(choice, None, None, None, None)
    a, b = case.sighting.a, case.sighting.b
    wanted = expected(choice, a.geometry, b.geometry)
    if wanted is None:
        return ChoiceOutcome(choice, None, None, None, None)
    change = ground_changes(wanted, a.geometry, b.geometry)
    kinds = a.columns["kind"], b.columns["kind"]
    found = dangers(choice, *kinds, a.geometry, b.geometry, closed=closed_sides(case))
    return ChoiceOutcome(
        choice,
        _hectares(change.a_lost),
        _hectares(change.a_gained),
        _hectares(change.b_lost),
        _hectares(change.b_gained),
        found,
    )


def _hectares(ground: shapely.Geometry) -> float:
    return float(shapely.area(ground)) / _M2_PER_HA
