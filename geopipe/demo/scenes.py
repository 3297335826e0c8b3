"""The kinds of scenes that are planted: one or more records which have something to do with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from geopipe.terms import Kind, Outcome

from . import days, shapes
from .days import Days
from .rings import Floats, Padded

Rng = np.random.Generator


class Fault(IntEnum):
    """What is wrong with the geometry of a record as delivered."""

    NONE = 0
    NULL_GEOMETRY = 1
    SWAPPED_COORDINATES = 2
    TOO_FEW_POINTS = 3
    BOWTIE = 4
    SELF_TOUCH = 5
    SPIKE = 6


@dataclass(frozen=True)
class Role:
    """One record of each scene of a batch.

    Attributes
    ----------
    ring : Padded
        Its polygon, m, about the origin of the scene.
    kind : Kind
        What the record says about its ground.
    days : Days
        Its dates.
    who : int
        Which of the scene's operators delivers it; different numbers are different operators.
    outcome : Outcome
        What must become of it.
    of : int
        The role that it repeats or that replaces it, -1 for none.
    how : str
        In which way it repeats that role.
    same_id : int
        The role whose record number it carries, -1 for its own.
    fault : Fault
        What is wrong with its geometry.
    """

    ring: Padded
    kind: Kind
    days: Days
    who: int = 0
    outcome: Outcome = Outcome.KEPT
    of: int = -1
    how: str = ""
    same_id: int = -1
    fault: Fault = Fault.NONE


@dataclass(frozen=True)
class SceneType:
    """A type of scene: its name in the truth, its share of all records, and how it is made.

    `finding` says what a reader should be told about the pairs in it.
    """

    name: str
    share: float
    build: Callable[[Rng, int, float], list[Role]]
    finding: str = ""
    on_grid: bool = field(default=False)


def hazard(rng: Rng, n: int, scale: float, largest_ha: float = 60.0) -> Padded:
    """Make confirmed hazardous areas; `scale` shrinks their sides."""
    return shapes.star(rng, shapes.hazard_area_m2(rng, n, largest_ha) * scale**2)


def released(rng: Rng, n: int, scale: float) -> Padded:
    """Make clearance sites."""
    return shapes.star(rng, shapes.released_area_m2(rng, n) * scale**2)


def ground(rng: Rng, n: int, scale: float, kind: Kind) -> tuple[Padded, Days]:
    """Make a polygon of this kind with its dates."""
    if kind == Kind.CHA:
        return hazard(rng, n, scale, 15.0), days.hazard_days(rng, n)
    return released(rng, n, scale), days.released_days(rng, n)


def dates(rng: Rng, n: int, kind: Kind) -> Days:
    """Draw the dates of a record of this kind."""
    return days.hazard_days(rng, n) if kind == Kind.CHA else days.released_days(rng, n)


def lone(kind: Kind, *, largest_ha: float = 60.0) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of single polygons that concern nobody else."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring = hazard(rng, n, scale, largest_ha) if kind == Kind.CHA else released(rng, n, scale)
        return [Role(ring, kind, dates(rng, n, kind))]

    return build


Second = Callable[[Rng, Padded], Padded]


def cross(kind: Kind, second: Second) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of two records of one kind by two operators, the second made from the first."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = ground(rng, n, scale, kind)
        return [Role(ring, kind, when), Role(second(rng, ring), kind, dates(rng, n, kind), who=1)]

    return build


def strip(kind: Kind, width: Callable[[Rng, Floats], Floats]) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of neighbours of two operators that both claim a strip along their border."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        shortest, longest = (90.0, 320.0) if kind == Kind.CHA else (40.0, 200.0)
        length = np.maximum(np.exp(rng.uniform(np.log(shortest), np.log(longest), n)) * scale, 25.0)
        left, right = shapes.neighbours(rng, length, width(rng, length))
        return [Role(left, kind, dates(rng, n, kind)), Role(right, kind, dates(rng, n, kind), who=1)]

    return build


def under_5m2(rng: Rng, length_m: Floats) -> Floats:
    """Return widths of 1 to 30 cm that make a strip of less than 4.8 m²."""
    widest = np.minimum(0.30, 4.8 / length_m)
    return np.exp(rng.uniform(np.log(0.01), np.log(widest)))


def over_5m2(rng: Rng, length_m: Floats) -> Floats:
    """Return widths of up to 30 cm that make a strip of more than 5.2 m²."""
    return rng.uniform(5.2 / length_m, 0.30)


def no_width(_rng: Rng, length_m: Floats) -> Floats:
    """Return no width at all: neighbours that only touch."""
    return np.zeros(len(length_m))


def three_way(rng: Rng, n: int, scale: float) -> list[Role]:
    """Make hazard areas of three operators over one piece of ground (the origin lies in all of them)."""
    first = hazard(rng, n, scale, 15.0)
    reach = shapes.inner_radius_m(first)
    turn = rng.uniform(0, 2 * np.pi, n)
    roles = []
    for who in range(3):
        ring = first if who == 0 else shapes.star(rng, first.area_m2() * rng.uniform(0.6, 1.2, n))
        radius = reach if who == 0 else shapes.inner_radius_m(ring)
        angle = turn + who * 2 * np.pi / 3
        shift = np.column_stack((np.cos(angle), np.sin(angle))) * (0.8 * radius)[:, None]
        roles.append(Role(shapes.moved(ring, shift), Kind.CHA, days.hazard_days(rng, n), who=who))
    return roles


def expected_release(*, cross_operator: bool) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of hazard areas in which land was cleared later."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = hazard(rng, n, scale, 30.0), days.hazard_days(rng, n)
        after = days.released_after(rng, when)
        return [
            Role(ring, Kind.CHA, when),
            Role(shapes.inside(rng, ring), Kind.CLEARED, after, who=int(cross_operator)),
        ]

    return build


def hazard_on_released(*, cross_operator: bool) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of hazard areas that were surveyed on land already cleared."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = hazard(rng, n, scale, 15.0), days.early_release(rng, n)
        cleared = shapes.biting(rng, ring, (0.1, 0.8))
        return [
            Role(cleared, Kind.CLEARED, when),
            Role(ring, Kind.CHA, days.surveyed_after(rng, when), who=int(cross_operator)),
        ]

    return build


def wholly_released(*, larger: bool) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of hazard areas that are cleared altogether but still called open."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = hazard(rng, n, scale, 8.0), days.hazard_days(rng, n)
        cleared = ring.scaled(rng.uniform(1.15, 1.3, n)) if larger else shapes.renumbered(rng, ring)
        return [Role(ring, Kind.CHA, when), Role(cleared, Kind.CLEARED, days.released_after(rng, when))]

    return build


def survey_box(operators: int) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of survey boxes of 1 km × 1 km; the layout gives them their corners."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        del scale
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        ring = Padded(np.tile(corners, (n, 1, 1)), np.full(n, 4, dtype=np.int64))
        return [Role(ring, Kind.SURVEY_BOX, days.hazard_days(rng, n), who=who) for who in range(operators)]

    return build


def found_on_cleared(rng: Rng, n: int, scale: float) -> list[Role]:
    """Make cleared land on which something is found after completion (the points come later)."""
    return [Role(released(rng, n, scale), Kind.CLEARED, days.early_release(rng, n))]


def bare_ground(rng: Rng, n: int, scale: float) -> list[Role]:
    """Make places without any polygon, for evidence outside every hazard area."""
    del rng, n, scale
    return []
