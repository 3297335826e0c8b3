"""Reported hectares against the polygons that were delivered, month by month."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from typing import Any

from geopipe.figures.figure import ALL, KINDS, Figure, Key
from geopipe.figures.kept import covers
from geopipe.periods import Period, parse_period
from geopipe.schema import Frame
from geopipe.terms import RELEASED_KINDS

_M2_PER_HA = 10_000.0
# Where a polygon lies in no province.
NOT_LOCATED = "not located"
# Known records of others, which nobody reports as his own.
_REFERENCE = "reference"
# Figures are reported with two decimals at best.
_ROUNDING_HA = 0.005


class Outcome(StrEnum):
    """How a reported figure and the polygons of its month stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_POLYGONS = "no polygons"
    NOT_REPORTED = "not reported"
    NIL = "nil report"
    NIL_BUT_POLYGONS = "nil report, but polygons"
    NOT_DELIVERED = "figures not delivered"


@dataclass(frozen=True)
class Line:
    """One key: hectares reported (None where nothing was) and of polygons, and how many these are."""

    key: Key
    outcome: Outcome
    reported_ha: float | None
    polygons_ha: float
    polygons: int

    @property
    def difference_ha(self) -> float | None:
        """Reported minus polygons, None where nothing was reported."""
        return None if self.reported_ha is None else self.reported_ha - self.polygons_ha

    @property
    def difference_share(self) -> float | None:
        """The difference as a share of the polygons' hectares, None where there are none."""
        difference = self.difference_ha
        return None if difference is None or not self.polygons_ha else difference / self.polygons_ha

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain values."""
        figures = ("reported_ha", "polygons_ha", "difference_ha", "difference_share", "polygons")
        named = {name: getattr(self, name) for name in figures}
        return {**self.key._asdict(), "outcome": self.outcome.value, **named}


@dataclass(frozen=True)
class Polygons:
    """Hectares of each record by key; `undated` are those that belong to no month: operator -> hectares."""

    areas_ha: Mapping[Key, Sequence[float]]
    undated: Mapping[str, Sequence[float]]


def polygons_of(areas: Frame) -> Polygons:
    """Return the hectares of a result's areas (true m2): released land by completion, hazard by survey."""
    columns = ("operator", "kind", "role", "province_code", "area_m2", "date_completed", "date_surveyed")
    found: dict[Key, list[float]] = defaultdict(list)
    undated: dict[str, list[float]] = defaultdict(list)
    rows = zip(*(areas.table[name].to_pylist() for name in columns), strict=True)
    for operator, kind, role, province, area_m2, completed, surveyed in rows:
        if kind not in KINDS or role == _REFERENCE:
            continue
        day: dt.date | None = completed if kind in RELEASED_KINDS else surveyed
        if day is None:
            undated[operator].append(area_m2 / _M2_PER_HA)
            continue
        key = Key(operator, f"{day.year}-{day.month:02d}", province or NOT_LOCATED, kind)
        found[key].append(area_m2 / _M2_PER_HA)
    return Polygons(found, undated)


def months_of(period: Period) -> list[str]:
    """Return the months of a period."""
    return [f"{period.first.year}-{month:02d}" for month in range(period.first.month, period.last.month + 1)]


def compare(
    figures: Mapping[Key, Figure],
    nil_periods: Collection[tuple[str, str]],
    polygons: Polygons,
    months: Sequence[str],
    tolerance_share: float,
    expected: Collection[str] = (),
) -> list[Line]:
    """Return a line for every key of some months, sorted.

    Parameters
    ----------
    figures : mapping
        The last reported figure of each key.
    nil_periods : collection of (operator, period)
        Nil reports of the ledger.
    polygons : Polygons
    months : sequence of str
    tolerance_share : float
        Up to this share of the polygons' hectares a figure agrees.
    expected : collection of str
        Operators who should report, beside those who ever have.
    """
    nils = [key for key, figure in figures.items() if figure.is_nil]
    nils += [
        Key(operator, month, ALL, ALL)
        for operator, name in nil_periods
        for month in months_of(parse_period(name))
    ]
    reported = {key: figure.area_ha for key, figure in figures.items() if figure.area_ha is not None}
    wanted = set(months)
    keys = {key for key in (*reported, *polygons.areas_ha) if key.month in wanted}
    have_reported = {(key.operator, key.month) for key in (*reported, *nils)}
    lines = [_line(key, reported, nils, polygons, have_reported, tolerance_share) for key in sorted(keys)]
    lines += [
        Line(key, Outcome.NIL, None, 0.0, 0)
        for key in sorted(set(nils))
        if key.month in wanted and not any(covers(key, other) for other in keys)
    ]
    present = {(key.operator, key.month) for key in keys} | have_reported
    lines += [
        Line(Key(operator, month, ALL, ALL), Outcome.NOT_DELIVERED, None, 0.0, 0)
        for operator in sorted({*expected, *(operator for operator, _ in have_reported)})
        for month in months
        if (operator, month) not in present
    ]
    return sorted(lines, key=lambda line: (line.key.month, line.key))


def _line(
    key: Key,
    reported: Mapping[Key, float],
    nils: Sequence[Key],
    polygons: Polygons,
    have_reported: Collection[tuple[str, str]],
    tolerance_share: float,
) -> Line:
    areas_ha = polygons.areas_ha.get(key, ())
    drawn_ha, said_ha = fsum(areas_ha), reported.get(key)
    if said_ha is not None:
        limit_ha = max(tolerance_share * drawn_ha, _ROUNDING_HA)
        agrees = abs(said_ha - drawn_ha) <= limit_ha
        outcome = Outcome.AGREES if agrees else Outcome.DIFFERS if areas_ha else Outcome.NO_POLYGONS
    elif any(covers(nil, key) for nil in nils):
        outcome = Outcome.NIL_BUT_POLYGONS
    elif (key.operator, key.month) in have_reported:
        outcome = Outcome.NOT_REPORTED
    else:
        outcome = Outcome.NOT_DELIVERED
    return Line(key, outcome, said_ha, drawn_ha, len(areas_ha))
