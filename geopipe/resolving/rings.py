"""The new rings of changed records, point by point: whose coordinate each point is, and which points go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.crs import WGS84, choose_operation
from geopipe.register.corners import polygonal
from geopipe.resolving.ownpoints import DECIMALS, OwnPoints
from geopipe.resolving.rest import is_wide
from geopipe.schema import Indices

_NOBODY = -1
# Points closer together than that could change places when they are rounded to 1e-9 degrees (0.1 mm).
_SAME_POINT_M = 3e-4


class Mark(StrEnum):
    """What became of a point."""

    KEPT = "kept"
    NEW = "new"
    REMOVED = "removed"


@dataclass(frozen=True)
class Ring:
    """One ring of a changed record, unclosed, in the order in which its points are numbered from 1.

    Parameters
    ----------
    part, hole : int
        Part from 1; hole from 1, 0 for the outer ring of the part.
    lonlat : array of shape (n, 2)
        WGS 84 degrees.
    own : array of shape (n, 2)
        In the record's own CRS: of kept points the operator's own coordinates, bit for bit.
    marks : tuple of Mark
    at : array of int
        Which delivered turning point each is (place in OwnPoints), -1 for one that was computed.
    """

    part: int
    hole: int
    lonlat: NDArray[np.float64]
    own: NDArray[np.float64]
    marks: tuple[Mark, ...]
    at: Indices


@dataclass(frozen=True)
class Redrawn:
    """A changed record: its new rings, and its points (places in OwnPoints) that are in none of them."""

    row: int
    crs: str
    rings: tuple[Ring, ...]
    removed: Indices


def redraw(
    after: Mapping[int, shapely.Geometry], crs_of: Mapping[int, str], known: OwnPoints, working_crs: str
) -> dict[int, Redrawn]:
    """Return the new rings of changed records.

    A point where the record has a turning point of its own is that one; else that of another record that
    was decided on; else it is computed, once for all records that share it.

    Parameters
    ----------
    after : mapping of row to polygon
        In the working CRS (m).
    crs_of : mapping of row to str
        The CRS of each record's own coordinates.
    known : OwnPoints
        Of all records that were decided on.
    working_crs : str
    """
    computed = _Computed(working_crs)
    return {row: _redrawn(row, after[row], crs_of[row], known, computed) for row in sorted(after)}


class _Computed:
    """Points that nobody delivered; one that is met again within 0.3 mm is the same point."""

    def __init__(self, working_crs: str) -> None:
        self.working_crs = working_crs
        self._seen: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._to_wgs84 = choose_operation(working_crs, WGS84)[0]

    def same(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a point (2,) of the working CRS, or the one met before that is the same."""
        x, y = (int(value) for value in np.floor(point / (2 * _SAME_POINT_M)))
        for cell in ((x + i, y + j) for i in (0, -1, 1) for j in (0, -1, 1)):
            near = self._seen.get(cell)
            if near is not None and np.hypot(*(near - point)) <= _SAME_POINT_M:
                return near
        self._seen[x, y] = point
        return point

    def lonlat(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a point of the working CRS in WGS 84, rounded to 1e-9 degrees."""
        return np.round(self._to_wgs84.transform(*point), DECIMALS)


def parts_of(ground: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the parts of a polygon that make rings, the largest first: none that rounding would swallow."""
    parts = sorted(shapely.get_parts(ground), key=shapely.area, reverse=True)
    return [part for number, part in enumerate(parts) if number == 0 or is_wide(part)]


def _redrawn(row: int, ground: shapely.Geometry, crs: str, known: OwnPoints, computed: _Computed) -> Redrawn:
    rings, used = [], np.zeros(len(known.row), dtype=bool)
    for number, polygon in enumerate(parts_of(_settled(ground, row, known, computed)), start=1):
        shell, *holes = shapely.get_rings(polygon)
        wide = [hole for hole in holes if is_wide(shapely.polygons(hole))]
        for hole, ring in enumerate([shell, *wide]):
            points = shapely.get_coordinates(ring)[:-1]
            at = _turning_points(points, row, known)
            order = _old_order(at, points, row, known)
            rings.append(_ring(row, number, hole, points[order], at[order], crs, known, computed))
            used[at[at >= 0]] = True
    return Redrawn(row, crs, tuple(rings), np.flatnonzero((known.row == row) & ~used))


def _settled(ground: shapely.Geometry, row: int, known: OwnPoints, computed: _Computed) -> shapely.Geometry:
    """Return a polygon with its corners where they will be written: points that become one may divide it."""

    def place(points: NDArray[np.float64]) -> NDArray[np.float64]:
        at = _turning_points(points, row, known)
        there = [known.working[i] if i >= 0 else computed.same(p) for i, p in zip(at, points, strict=True)]
        return np.array(there)

    placed = shapely.transform(ground, place)
    if shapely.is_valid(placed):
        return placed
    return polygonal(shapely.make_valid(placed, method="structure", keep_collapsed=False))


def _ring(
    row: int, part: int, hole: int, points: NDArray[np.float64], at: Indices, crs: str, known: OwnPoints,
    computed: _Computed,
) -> Ring:  # fmt: skip
    """Return a ring with the coordinates of those whose points these are."""
    lonlat = np.array(
        [
            known.lonlat[i] if i >= 0 else computed.lonlat(computed.same(point))
            for i, point in zip(at, points, strict=True)
        ]
    )
    # Two points that have become one stand once.
    differs = (lonlat != np.roll(lonlat, 1, axis=0)).any(axis=1)
    lonlat, at = lonlat[differs], at[differs]
    own = np.column_stack(choose_operation(WGS84, crs)[0].transform(*lonlat.T))
    # A turning point delivered in the same CRS needs no transformation, whoever delivered it.
    same = (at >= 0) & (known.crs[at] == crs)
    own[same] = known.own[at[same]]
    kept = (at >= 0) & (known.row[at] == row)
    return Ring(part, hole, lonlat, own, tuple(Mark.KEPT if mine else Mark.NEW for mine in kept), at)


def _old_order(at: Indices, points: NDArray[np.float64], row: int, known: OwnPoints) -> Indices:
    """Return the order of a ring in the operator's direction, from the first point that it delivered on."""
    places = np.arange(len(at))
    kept = places[(at >= 0) & (known.row[at] == row)]
    if len(kept) == 0:
        return places
    # Points are known in the order in which they were delivered.
    first = kept[np.argmin(at[kept])]
    delivered = (known.row == row) & (known.ring == known.ring[at[first]])
    rings = [shapely.linearrings(ring) for ring in (points, known.working[delivered])]
    is_turned = shapely.is_ccw(rings[0]) != shapely.is_ccw(rings[1])
    return np.roll(places[::-1], int(first) + 1) if is_turned else np.roll(places, -int(first))


def _turning_points(points: NDArray[np.float64], row: int, known: OwnPoints) -> Indices:
    """Return which known turning point each point (n, 2) is, the record's own before others; -1 for none."""
    result = np.full(len(points), _NOBODY, dtype=np.intp)
    at, found = known.tree.query(shapely.points(points), predicate="dwithin", distance=_SAME_POINT_M)
    distance = np.hypot(*(points[at] - known.working[found]).T)
    # The last one written stays: the nearest of the record's own points.
    for i in np.lexsort((-found, -distance, known.row[found] == row)):
        result[at[i]] = found[i]
    return result
