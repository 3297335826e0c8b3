"""Tolerance: which overlaps a signed policy lets stand, and which no policy ever may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.config import Vocabulary
from geopipe.errors import SchemaError
from geopipe.geometry import POINTS, mean_width_m, width_m
from geopipe.policies import Policy, Tolerance
from geopipe.recognition import point_meanings
from geopipe.schema import Frame, Geometries, Indices, Mask
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Confidence, Kind, Severity

# `width_m` is known to about 1 %: what could be wider than the limit is not within it.
WIDTH_ERROR_SHARE = 0.01


class Never(StrEnum):
    """Why no tolerance may ever accept an overlap."""

    ALARM = "alarm"
    POINT_INSIDE = "point_inside"
    POINTS_NOT_READ = "points_not_read"
    ORDER_UNKNOWN = "order_unknown"
    KIND_UNKNOWN = "kind_unknown"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Acceptance:
    """What the tolerances of a policy say of each overlap.

    `within` are overlaps whose area and width hold; `never` are the reasons that nobody can sign away;
    `why_not_in_force` is empty on a day on which the tolerances count.
    """

    within: Mask
    never: Mapping[Never, Mask]
    why_not_in_force: tuple[str, ...]

    @cached_property
    def refused(self) -> Mask:
        """Overlaps that no tolerance may accept."""
        return np.asarray(np.logical_or.reduce(list(self.never.values())))

    @cached_property
    def would_be(self) -> Mask:
        """Overlaps that the tolerances accept as soon as they are in force."""
        return self.within & ~self.refused

    @cached_property
    def accepted(self) -> Mask:
        """Overlaps that need no correction today. They are still counted once in hectares."""
        return self.would_be & (not self.why_not_in_force)

    def reasons(self, row: int) -> tuple[Never, ...]:
        """Return why no tolerance may accept one overlap."""
        return tuple(reason for reason, mask in self.never.items() if mask[row])


def acceptance(
    overlaps: Frame, points: Geometries | None, policy: Policy, today: dt.date | None
) -> Acceptance:
    """Hold overlaps against the tolerances of a policy.

    Parameters
    ----------
    overlaps : Frame
        All overlaps of a run (columns of OVERLAPS), with the shared ground in its working CRS (m). A site is
        measured by all of its overlaps, so none may be left out.
    points : array of points or None
        What :func:`points_that_may_be_finds` returns, in the same CRS; None where no points were looked at:
        then nothing is accepted.
    policy : Policy
    today : date or None
        The day of the run.

    Returns
    -------
    Acceptance
        One row per overlap.

    Raises
    ------
    SchemaError
        When the rows are not overlaps: no tolerance is about gaps or anything else.
    """
    if not {"left_row_id", "right_row_id", "finding"} <= set(overlaps.table.schema.names):
        raise SchemaError("a tolerance is about overlaps only; a gap is never accepted")
    never = never_accepted(overlaps, points, policy.survey_accuracy_m)
    within = is_case(overlaps) & _within(overlaps, policy.tolerances)
    return Acceptance(within, never, policy.why_no_tolerance(today))


def is_case(overlaps: Frame) -> Mask:
    """Say which overlaps are questions to somebody; notes (an expected release, a task) are not."""
    return ~overlaps.flags("severity", [Severity.NOTE])


def points_that_may_be_finds(reference: Frame, vocabulary: Vocabulary) -> Geometries:
    """Return the points (found items, accidents, evidence) of which the type is not known to be harmless."""
    points = reference.take(np.isin(shapely.get_type_id(reference.geometry), POINTS))
    meaning = point_meanings(points.table["point_type"], vocabulary)
    return points.take(meaning != "harmless").geometry


def never_accepted(overlaps: Frame, points: Geometries | None, near_m: float) -> dict[Never, Mask]:
    """Say for each overlap why no tolerance may accept it (DOMAIN, safety rules).

    Parameters
    ----------
    overlaps : Frame
    points : array of points or None
    near_m : float
        A point so near to the shared ground counts as inside: neither is known better.
    """
    left, right = (overlaps.numpy(f"{side}_kind") for side in ("left", "right"))
    released, hazard = ([np.isin(side, sorted(kinds)) for side in (left, right)]
                        for kinds in (RELEASED_KINDS, HAZARD_KINDS))  # fmt: skip
    unknown = np.isin(left, [Kind.UNKNOWN]) | np.isin(right, [Kind.UNKNOWN])
    in_order = overlaps.flags("time_order", ["left_first", "right_first"])
    mixed = (hazard[0] & released[1]) | (released[0] & hazard[1])
    nothing = np.zeros(len(overlaps), dtype=bool)
    return {
        # What is not known to be less than an alarm, or to be measured surely, is taken as the worse.
        Never.ALARM: ~overlaps.flags("severity", [Severity.CONFLICT, Severity.CHECK, Severity.NOTE]),
        Never.POINT_INSIDE: nothing if points is None else _with_point(overlaps.geometry, points, near_m),
        Never.POINTS_NOT_READ: ~nothing if points is None else nothing,
        Never.ORDER_UNKNOWN: mixed & ~in_order,
        Never.KIND_UNKNOWN: unknown,
        Never.UNCERTAIN: ~overlaps.flags("confidence", [Confidence.EXACT, Confidence.CHECKED]),
    }


def _with_point(ground: Geometries, points: Geometries, near_m: float) -> Mask:
    inside = np.zeros(len(ground), dtype=bool)
    inside[shapely.STRtree(points).query(ground, predicate="dwithin", distance=near_m)[0]] = True
    return inside


def _within(overlaps: Frame, tolerances: tuple[Tolerance, ...]) -> Mask:
    """Say which overlaps are within the first tolerance that is about their kinds."""
    if not tolerances:
        return np.zeros(len(overlaps), dtype=bool)
    left, right = (overlaps.numpy(f"{side}_kind") for side in ("left", "right"))
    same_operator = overlaps.numpy("same_operator").astype(bool)
    sizes = Sizes.of(overlaps, up_to_m=max(rule.width_m for rule in tolerances))
    within = np.zeros(len(overlaps), dtype=bool)
    open_rows = ~within
    for rule in tolerances:
        a, b = sorted(rule.a), sorted(rule.b)
        kinds = (np.isin(left, a) & np.isin(right, b)) | (np.isin(left, b) & np.isin(right, a))
        operators = {"any": ~within | within, "same": same_operator, "other": ~same_operator}
        fits = open_rows & kinds & operators[rule.operators]
        within |= fits & sizes.within(rule)
        open_rows &= ~fits
    return within


@dataclass(frozen=True)
class Sizes:
    """Areas (m2) and widths (m) of overlaps: of their parts, as pairs, and of the sites that they touch.

    `pair` is the row of the overlap of each part; `sites` are the two numbers of the records of each overlap.
    """

    parts: Geometries
    pair: Indices
    part_width_m: NDArray[np.float64]
    pair_m2: NDArray[np.float64]
    sites: tuple[Indices, Indices]
    counts: Mask
    """Which overlaps count for their sites: all that are cases."""

    @classmethod
    def of(cls, overlaps: Frame, up_to_m: float) -> Sizes:
        """Measure overlaps of a run; widths to 1 % up to a width, a lower bound above it."""
        parts, pair = shapely.get_parts(overlaps.geometry, return_index=True)
        rows = [overlaps.numpy(f"{side}_row_id").astype(str) for side in ("left", "right")]
        _, site = np.unique(np.concatenate(rows), return_inverse=True)
        left, right = np.split(site, 2)
        area_m2 = overlaps.numpy("area_m2").astype(float)
        return cls(parts, pair, _widths_m(parts, up_to_m), area_m2, (left, right), is_case(overlaps))

    @cached_property
    def pair_width_m(self) -> NDArray[np.float64]:
        """Width of the widest part of each overlap; without a part nothing is known, and it is endless."""
        widest = np.full(len(self.pair_m2), -np.inf)
        np.maximum.at(widest, self.pair, self.part_width_m)
        return np.where(np.isneginf(widest), np.inf, widest)

    @cached_property
    def site_m2(self) -> NDArray[np.float64]:
        """Area of all overlaps of each record together, pair by pair."""
        total = np.zeros(1 + max((int(side.max(initial=-1)) for side in self.sites), default=-1))
        for side in self.sites:
            np.add.at(total, side[self.counts], self.pair_m2[self.counts])
        return total

    @cached_property
    def site_width_m(self) -> NDArray[np.float64]:
        """Width of the widest overlap of each record."""
        widest = np.zeros(len(self.site_m2))
        for side in self.sites:
            np.maximum.at(widest, side[self.counts], self.pair_width_m[self.counts])
        return widest

    def within(self, rule: Tolerance) -> Mask:
        """Say which overlaps are within the area and the width of a rule, on its basis."""
        if rule.basis == "pair":
            return _below(rule, self.pair_m2, self.pair_width_m)
        if rule.basis == "site":
            sites = _below(rule, self.site_m2, self.site_width_m)
            return np.asarray(sites[self.sites[0]] & sites[self.sites[1]])
        within = ~np.isinf(self.pair_width_m)
        np.logical_and.at(within, self.pair, _below(rule, shapely.area(self.parts), self.part_width_m))
        return within


def _widths_m(parts: Geometries, up_to_m: float) -> NDArray[np.float64]:
    """Return the diameter of the largest circle in each part; a lower bound where that is wide enough.

    A circle of radius A / 2P always fits: the widest parts, which take longest, are not measured.
    """
    widths_m = mean_width_m(shapely.area(parts), shapely.length(parts)) / 2
    narrow = widths_m < up_to_m
    widths_m[narrow] = width_m(parts[narrow])
    return widths_m


def _below(rule: Tolerance, area_m2: NDArray[np.float64], widths_m: NDArray[np.float64]) -> Mask:
    at_most_m = widths_m * (1 + WIDTH_ERROR_SHARE)
    if rule.compare == "<=":
        return np.asarray((area_m2 <= rule.area_m2) & (at_most_m <= rule.width_m))
    return np.asarray((area_m2 < rule.area_m2) & (at_most_m < rule.width_m))
