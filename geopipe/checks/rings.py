"""Rings: spikes, long edges, repeated points, and how turning points were numbered and measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.checks.outlines import Outlines
from geopipe.checks.telling import layers_of, rows_named, sentences, told, told_of_layer
from geopipe.policies import CheckRules
from geopipe.schema import FINDINGS, Frame, Indices, Mask, concat, empty_frame


@dataclass(frozen=True)
class _Corners:
    """Turning points without repeats, each with the one before and the one behind it on its ring."""

    outlines: Outlines

    @cached_property
    def kept(self) -> Mask:
        """Points that are neither the closing one of their ring nor repeated by the next one."""
        points = self.outlines.points
        kept = np.ones(len(points), dtype=bool)
        kept[:-1] = (points[1:, 0] != points[:-1, 0]) | (points[1:, 1] != points[:-1, 1])
        kept[self.outlines.last] = False
        return kept

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Coordinates (n, 2), m."""
        return self.outlines.points[self.kept]

    @cached_property
    def ring(self) -> Indices:
        """Number of the ring of each point."""
        size = self.outlines.last - self.outlines.first + 1
        return np.repeat(np.arange(len(size)), size)[self.kept]

    @cached_property
    def to_next(self) -> NDArray[np.float64]:
        """Step (n, 2) from each point to the next on its ring, m."""
        if len(self.points) == 0:
            return np.empty((0, 2))
        is_last = np.append(self.ring[1:] != self.ring[:-1], True)
        follower = np.arange(1, len(self.points) + 1)
        follower[is_last] = np.flatnonzero(np.append(True, is_last[:-1]))
        return self.points[follower] - self.points

    @cached_property
    def length_m(self) -> NDArray[np.float64]:
        """Length of the edge from each point to the next, m."""
        east, north = self.to_next[:, 0], self.to_next[:, 1]
        return np.asarray(np.sqrt(east * east + north * north))

    @cached_property
    def before(self) -> Indices:
        """The point before each point on its ring."""
        if len(self.ring) == 0:
            return np.empty(0, dtype=np.intp)
        is_first = np.insert(self.ring[1:] != self.ring[:-1], 0, True)
        before = np.arange(len(self.ring)) - 1
        before[is_first] = np.flatnonzero(np.append(is_first[1:], True))
        return before


def rings(areas: Frame, drawn: Outlines, rules: CheckRules) -> Frame:
    """Tell of what is odd about the rings of areas, with the place where it is.

    Parameters
    ----------
    areas : Frame
    drawn : Outlines
        Rings of these areas as delivered, in working metres.
    rules : CheckRules

    Returns
    -------
    Frame
        LONG_EDGE, SPIKE and RING_REPEATS_START about records, POINTS_REPEATED about layers.
    """
    corners = _Corners(drawn)
    repeats = _repeats_start(drawn)
    return concat(
        [
            _long_edges(areas, drawn, corners, rules),
            _spikes(areas, drawn, corners, rules, np.unique(drawn.owner[repeats])),
            _ring_repeats(areas, drawn, repeats),
            _points_repeated(areas, drawn),
        ]
    )


def _long_edges(areas: Frame, drawn: Outlines, corners: _Corners, rules: CheckRules) -> Frame:
    """Tell once per record of its longest edge, if it is too long."""
    long = np.flatnonzero(corners.length_m > rules.long_edge_m)
    owner, long = _worst(drawn.owner[corners.ring[long]], long, corners.length_m[long])
    edge_m = corners.length_m[long]
    start, end = corners.points[long], corners.points[long] + corners.to_next[long]
    texts = [f"Two turning points in a row are {edge / 1000:.1f} km apart" for edge in edge_m]
    places = shapely.linestrings(np.stack([start, end], axis=1)) if len(long) else np.empty(0, object)
    return told(areas.take(owner), "LONG_EDGE", sentences(texts), geometry=places, measure=edge_m, unit="m")


def _spikes(
    areas: Frame, drawn: Outlines, corners: _Corners, rules: CheckRules, already_told: Indices
) -> Frame:
    """Tell once per record of its sharpest corner, if its sides run out and back again."""
    if len(corners.points) == 0:
        return empty_frame(FINDINGS)
    step, back = corners.to_next, -corners.to_next[corners.before]
    dot = step[:, 0] * back[:, 0] + step[:, 1] * back[:, 1]
    cross = np.abs(step[:, 0] * back[:, 1] - step[:, 1] * back[:, 0])
    leg_m = np.minimum(corners.length_m, corners.length_m[corners.before])
    # The tangent of the corner is cross / dot; where dot is not positive, it is no spike.
    sharp = (cross < np.tan(np.radians(rules.spike_angle_deg)) * dot) & (leg_m > rules.spike_leg_m)
    at = np.flatnonzero(sharp)
    at = at[~np.isin(drawn.owner[corners.ring[at]], already_told)]
    owner, at = _worst(drawn.owner[corners.ring[at]], at, leg_m[at])
    angle = np.degrees(np.arctan2(cross[at], dot[at]))
    texts = [
        f"The border runs {leg:,.1f} m out to a corner of {degrees:.2f} degrees and back"
        for leg, degrees in zip(leg_m[at], angle, strict=True)
    ]
    places = shapely.points(corners.points[at])
    return told(areas.take(owner), "SPIKE", sentences(texts), geometry=places, measure=leg_m[at], unit="m")


def _worst(owner: Indices, which: Indices, measure: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """Return each owner once, sorted, with that one of its places where the measure is largest."""
    order = np.lexsort((which, -measure, owner))
    owner, which = owner[order], which[order]
    once = np.append(True, owner[1:] != owner[:-1]) if len(owner) else np.empty(0, bool)
    return owner[once], which[once]


def _repeats_start(drawn: Outlines) -> Indices:
    """Return the rings whose last two points repeat the first two, before the closing point."""
    long: Indices = np.flatnonzero(drawn.last - drawn.first >= 5)
    first, last = drawn.first[long], drawn.last[long]
    points = drawn.points
    same = (points[last - 2] == points[first]) & (points[last - 1] == points[first + 1])
    repeats: Indices = long[same.all(axis=1)]
    return repeats


def _ring_repeats(areas: Frame, drawn: Outlines, repeats: Indices) -> Frame:
    owner, once = np.unique(drawn.owner[repeats], return_index=True)
    places = shapely.points(drawn.points[drawn.first[repeats[once]]])
    sentence = "The last two points repeat the first two"
    return told(areas.take(owner), "RING_REPEATS_START", sentence, geometry=places)


def _points_repeated(areas: Frame, drawn: Outlines) -> Frame:
    """Tell once per layer how many polygons repeat a turning point directly."""
    points = drawn.points
    same = np.zeros(len(points), dtype=bool)
    same[1:] = (points[1:, 0] == points[:-1, 0]) & (points[1:, 1] == points[:-1, 1])
    same[drawn.first] = False
    if not same.any():
        return empty_frame(FINDINGS)
    rows = np.unique(drawn.owner_of_points()[same])
    some = areas.take(rows)
    made = [empty_frame(FINDINGS)]
    for layer in layers_of(some):
        count = len(layer.rows)
        sentence = f"{count:,} polygons repeat a turning point directly: {rows_named(some, layer.rows)}"
        made.append(told_of_layer(some, layer, "POINTS_REPEATED", sentence, count))
    return concat(made)


def measured_rings(areas: Frame, rules: CheckRules) -> Frame:
    """Tell of traverses that do not close (CLOSURE_ERROR) and of odd point numbers (POINT_NUMBERS)."""
    error_m = areas.numpy("closure_error_m").astype(float)
    with np.errstate(invalid="ignore"):
        open_ = error_m > rules.closure_error_m
    texts = [f"The traverse misses its start by {value:,.1f} m" for value in error_m[open_]]
    noted = np.asarray(pc.is_valid(areas.table["points_note"].combine_chunks()), dtype=bool)
    numbered = areas.take(noted)
    return concat(
        [
            told(areas.take(open_), "CLOSURE_ERROR", sentences(texts), measure=error_m[open_], unit="m"),
            told(numbered, "POINT_NUMBERS", numbered.table["points_note"]),
        ]
    )
