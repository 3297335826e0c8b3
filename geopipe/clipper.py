"""Shared ground by Clipper2, on whole numbers: a witness that has no line of code in common with GEOS."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import clipper2
import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.schema import Geometries, Indices

# Clipper counts in whole numbers, so many to the metre. On micrometres a strip of 500 m is 6e-4 m2 off, on
# nanometres 7e-7; and up to 9,000 km from the origin they are whole numbers of a float, too.
_PER_M = 1_000_000_000
# Larger outlines are first cut to the box in which both polygons lie, and a metre more.
_POINTS_WORTH_CUTTING = 200
_MARGIN = _PER_M
# Pairs whose outlines are held as whole numbers at a time.
_PAIRS_AT_ONCE = 20_000
# Valid polygons do not overlap themselves, so holes need no direction.
_FILL = clipper2.FillRule.EVEN_ODD


def clipped_m2(geometry: Geometries, left: Indices, right: Indices) -> NDArray[np.float64]:
    """Measure the shared ground of pairs.

    Parameters
    ----------
    geometry : array of valid polygons in a metric CRS
    left, right : arrays of row numbers

    Returns
    -------
    array of float
        Area in m2; NaN where Clipper failed.
    """
    blocks = [slice(start, start + _PAIRS_AT_ONCE) for start in range(0, len(left), _PAIRS_AT_ONCE)]
    areas = [_block_m2(geometry, left[block], right[block]) for block in blocks]
    return np.concatenate([np.empty(0), *areas])


def clipped(one: shapely.Geometry, other: shapely.Geometry) -> shapely.Geometry:
    """Return the ground that two valid polygons share; empty where there is none or Clipper failed."""
    outlines = _Outlines(np.array([one, other], dtype=object))
    try:
        rings = [shapely.LinearRing(path / _PER_M) for path in outlines.common(0, 1)]
        # Rings that lie in one another are holes; `build_area` finds out which.
        return shapely.build_area(shapely.GeometryCollection(rings))
    except (clipper2.Clipper2Error, shapely.errors.GEOSException):
        return shapely.Polygon()


def _block_m2(geometry: Geometries, left: Indices, right: Indices) -> NDArray[np.float64]:
    rows, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    outlines = _Outlines(geometry[rows])
    pairs = zip(place[: len(left)].tolist(), place[len(left) :].tolist(), strict=True)
    return np.array([outlines.common_m2(one, other) for one, other in pairs], dtype=float)


class _Outlines:
    """The rings of polygons as whole numbers; those of a polygon are the same whichever others are there."""

    def __init__(self, geometry: Geometries) -> None:
        self.boxes: list[list[int]] = _whole(shapely.bounds(geometry)).tolist()
        self.large: list[bool] = (shapely.get_num_coordinates(geometry) > _POINTS_WORTH_CUTTING).tolist()
        parts, part_owner = shapely.get_parts(geometry, return_index=True)
        rings, ring_owner = shapely.get_rings(parts, return_index=True)
        points = _whole(shapely.get_coordinates(rings))
        ends = np.cumsum(shapely.get_num_coordinates(rings)).tolist()
        paths = [points[start:end] for start, end in pairwise([0, *ends])]
        firsts = np.searchsorted(part_owner[ring_owner], np.arange(len(geometry) + 1)).tolist()
        self.paths = [paths[start:end] for start, end in pairwise(firsts)]

    def common(self, one: int, other: int) -> Any:
        """Return the rings of the shared ground: shells and holes, as whole numbers."""
        a, b = self.paths[one], self.paths[other]
        if self.large[one] or self.large[other]:
            (w, s, e, n), (w2, s2, e2, n2) = self.boxes[one], self.boxes[other]
            box = clipper2.Rect64(
                max(w, w2) - _MARGIN, max(s, s2) - _MARGIN, min(e, e2) + _MARGIN, min(n, n2) + _MARGIN
            )
            a, b = clipper2.rect_clip(box, a), clipper2.rect_clip(box, b)
        return clipper2.intersect(a, b, _FILL) if len(a) and len(b) else []

    def common_m2(self, one: int, other: int) -> float:
        """Return the area of the shared ground in m2; NaN where Clipper fails."""
        try:
            return sum(clipper2.area(path) for path in self.common(one, other)) / _PER_M**2
        except clipper2.Clipper2Error:
            return float("nan")


def _whole(metres: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(metres * _PER_M).astype(np.int64)
