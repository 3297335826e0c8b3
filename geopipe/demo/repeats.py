"""Scenes in which one operator delivers the same ground twice, and scenes with faulty geometry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from geopipe.terms import Kind, Outcome

from . import days, shapes
from .rings import Padded
from .scenes import Fault, Role, dates, ground, hazard, released

Rng = np.random.Generator
Build = Callable[[Rng, int, float], list[Role]]


def equal_ground(kind: Kind) -> Build:
    """Return the maker of two records of one operator with the same ring under two numbers."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = ground(rng, n, scale, kind)
        first = Role(ring, kind, when)
        again = replace(first, ring=shapes.renumbered(rng, ring))
        return [first, replace(again, outcome=Outcome.DUPLICATE, of=0, how="equal_ground")]

    return build


def repeated_row(kind: Kind) -> Build:
    """Return the maker of rows that occur twice in a file."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = ground(rng, n, scale, kind)
        first = Role(ring, kind, when)
        return [first, replace(first, outcome=Outcome.DUPLICATE, of=0, how="repeated_row", same_id=0)]

    return build


def near_equal_covered(kind: Kind) -> Build:
    """Return the maker of near duplicates that one operator delivers, of which one may be set aside.

    Of hazard areas the larger is kept, of released areas the smaller: the second record.
    """

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = ground(rng, n, scale, kind)
        factor = rng.uniform(0.986, 0.994, n)
        other = ring.scaled(factor if kind == Kind.CHA else 1 / factor)
        aside = Role(other, kind, when, outcome=Outcome.DUPLICATE, of=1, how="near_equal_ground")
        return [aside, Role(ring, kind, when)]

    return build


def near_equal_uncovered(kind: Kind) -> Build:
    """Return the maker of near duplicates of one operator where neither covers the other: both stay."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = steady(rng, n, scale), dates(rng, n, kind)
        return [Role(ring, kind, when), Role(shapes.wobbled(rng, ring), kind, when)]

    return build


def near_equal_cross(kind: Kind) -> Build:
    """Return the maker of near duplicates by two operators."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring = steady(rng, n, scale)
        other = shapes.wobbled(rng, ring)
        return [Role(ring, kind, dates(rng, n, kind)), Role(other, kind, dates(rng, n, kind), who=1)]

    return build


def steady(rng: Rng, n: int, scale: float) -> Padded:
    """Make polygons of 2.5 ha to 9 ha, which stay alike when their points move by a metre."""
    return shapes.star(rng, rng.uniform(2.5e4, 9e4, n) * scale**2)


def newer_version(*, grown: bool) -> Build:
    """Return the maker of hazard records delivered in two versions; the older one is superseded."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = hazard(rng, n, scale, 15.0), days.hazard_days(rng, n)
        newer = ring.scaled(rng.uniform(1.02, 1.2, n)) if grown else ring
        older = Role(ring, Kind.CHA, when, outcome=Outcome.SUPERSEDED, of=1, how="newer_version")
        return [older, Role(newer, Kind.CHA, days.next_version(rng, when), same_id=0)]

    return build


def newer_version_shrunk(rng: Rng, n: int, scale: float) -> list[Role]:
    """Make hazard records of which the newer version is smaller: both stay."""
    ring, when = hazard(rng, n, scale, 15.0), days.hazard_days(rng, n)
    newer = ring.scaled(rng.uniform(0.6, 0.85, n))
    return [Role(ring, Kind.CHA, when), Role(newer, Kind.CHA, days.next_version(rng, when), same_id=0)]


def faulty(kind: Kind, fault: Fault) -> Build:
    """Return the maker of single records whose geometry is missing, incomplete or invalid."""
    invalid = {Fault.BOWTIE: shapes.bow_tie, Fault.SELF_TOUCH: shapes.butterfly, Fault.SPIKE: shapes.spiked}

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        if fault in invalid:
            area = shapes.hazard_area_m2(rng, n, 15.0) * (1.0 if kind == Kind.CHA else 0.2) * scale**2
            return [Role(invalid[fault](rng, area), kind, dates(rng, n, kind), fault=fault)]
        ring = hazard(rng, n, scale, 15.0) if kind == Kind.CHA else released(rng, n, scale)
        if fault == Fault.TOO_FEW_POINTS:
            ring = Padded(ring.xy[:, :2], np.full(n, 2, dtype=np.int64))
        return [Role(ring, kind, dates(rng, n, kind), outcome=Outcome.REJECTED, fault=fault)]

    return build
