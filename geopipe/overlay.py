"""The shared ground of pairs of polygons: by GEOS, with Clipper2 as witness on every pair.

GEOS can report a whole polygon as the overlap of two that only touch (shapely #2368), and a whole part
beside a true overlap; neither the identity of areas nor the size of the result tells. So each pair is
measured by an engine of other make, too, and where the two differ a third result, on a grid, decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.clipper import clipped, clipped_m2
from geopipe.geometry import GRID_M, mean_width_m, polygon_parts
from geopipe.schema import Geometries, Indices, Mask
from geopipe.terms import Confidence
from geopipe.threads import threaded

# Below this an overlap may be nothing but rounding along a shared edge.
_SMALL_M2 = 1e-3
_AGREE_M2 = 0.01
_AGREE_SHARE = 1e-6


@dataclass(frozen=True)
class SharedGround:
    """Pairs (row numbers) with their intersection, its area in m2 and how sure that is."""

    left: Indices
    right: Indices
    geometry: Geometries
    area_m2: NDArray[np.float64]
    confidence: NDArray[np.object_]

    def take(self, which: Mask) -> SharedGround:
        """Return the pairs of a mask."""
        return SharedGround(
            self.left[which],
            self.right[which],
            self.geometry[which],
            self.area_m2[which],
            self.confidence[which],
        )


def shared_ground(geometry: Geometries, left: Indices, right: Indices, touch_m: float) -> SharedGround:
    """Intersect candidate pairs and keep those that share ground.

    Parameters
    ----------
    geometry : array of valid polygons, equal-area CRS in metres
    left, right : arrays of row numbers
    touch_m : float
        Shared ground with a mean width below this is a touching border, not an overlap.

    Returns
    -------
    SharedGround
        Intersections hold polygons only. No pair is dropped because an engine failed on it.
        `exact`: GEOS and Clipper2 agree; `checked`: they do not, and the grid sides with one of them;
        `uncertain`: all differ, and this is the largest.
    """
    meets = _may(shapely.intersects, geometry[left], geometry[right])
    left, right = left[meets], right[meets]
    a, b = geometry[left], geometry[right]
    common, failed = _overlaid(shapely.intersection, a, b)
    witness_m2 = clipped_m2(geometry, left, right)
    confidence = np.full(len(common), Confidence.EXACT.value, dtype=object)
    doubtful = np.flatnonzero(failed | ~_agree(shapely.area(common), witness_m2))
    if len(doubtful):
        common[doubtful], confidence[doubtful] = _settled(
            a[doubtful], b[doubtful], common[doubtful], failed[doubtful], witness_m2[doubtful]
        )
    area_m2 = shapely.area(common)
    wide = mean_width_m(area_m2, shapely.length(common)) > touch_m
    ground = SharedGround(left, right, common, area_m2, confidence).take(wide)
    # Predicates are exact where overlays are not: interiors that do not meet share not even a crumb.
    crumbs = np.flatnonzero(ground.area_m2 < _SMALL_M2)
    shared = np.ones(len(ground.left), dtype=bool)
    shared[crumbs] = _interiors_may_meet(geometry[ground.left[crumbs]], geometry[ground.right[crumbs]])
    return ground.take(shared)


def _settled(
    a: Geometries, b: Geometries, common: Geometries, failed: Mask, witness_m2: NDArray[np.float64]
) -> tuple[Geometries, NDArray[np.object_]]:
    """Decide pairs on which GEOS and Clipper differ, by a third result on a grid.

    Two that agree are `checked`. Where all three differ, interiors that do not meet are one more voice
    for the one that says so; else the largest is kept as `uncertain`, so that no overlap is lost.
    """
    gridded, grid_failed = _overlaid(lambda x, y: shapely.intersection(x, y, grid_size=GRID_M), a, b)
    float_m2 = np.where(failed, np.nan, shapely.area(common))
    grid_m2 = np.where(grid_failed, np.nan, shapely.area(gridded))
    by_float = _agree(float_m2, grid_m2)
    by_grid = ~by_float & _agree(grid_m2, witness_m2)
    said_m2 = np.stack([float_m2, grid_m2, witness_m2])
    none = ~by_float & ~by_grid & _agree(said_m2, 0.0).any(axis=0) & ~_interiors_may_meet(a, b)
    result = common.copy()
    result[none] = shapely.Polygon()
    for row in np.flatnonzero(by_grid):
        result[row] = _finer(clipped(a[row], b[row]), gridded[row])
    confidence = np.full(len(a), Confidence.CHECKED.value, dtype=object)
    for row in np.flatnonzero(~by_float & ~by_grid & ~none):
        result[row] = _largest(a[row], b[row], common[row], gridded[row])
        confidence[row] = Confidence.UNCERTAIN.value
    return polygon_parts(result), confidence


def _finer(by_clipper: shapely.Geometry, gridded: shapely.Geometry) -> shapely.Geometry:
    """Choose of two that agree: Clipper's is a thousand times finer, the gridded one is always valid."""
    return by_clipper if shapely.is_valid(by_clipper) else gridded


def _largest(
    a: shapely.Geometry, b: shapely.Geometry, common: shapely.Geometry, gridded: shapely.Geometry
) -> shapely.Geometry:
    """Return the largest result of three engines; if none has one, the most that the two could share."""
    results = [common, gridded, clipped(a, b)]
    largest = max(results, key=shapely.area)
    return min(a, b, key=shapely.area) if shapely.is_empty(largest) else largest


def _agree(one_m2: NDArray[np.float64], other_m2: NDArray[np.float64] | float) -> Mask:
    """Say where two areas are the same within the tolerance; an area that is not known never is."""
    return np.asarray(np.abs(one_m2 - other_m2) <= agreement_m2(one_m2))


def agreement_m2(area_m2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much an area (m2) may differ when it is computed in two ways: 0.01 m2, or a millionth."""
    return np.asarray(np.maximum(_AGREE_M2, _AGREE_SHARE * area_m2))


def _interiors_may_meet(a: Geometries, b: Geometries) -> Mask:
    return _may(lambda x, y: shapely.relate_pattern(x, y, "T********"), a, b)


def _may(predicate: Callable[[Any, Any], Any], a: Geometries, b: Geometries) -> Mask:
    """Say where a predicate holds, or cannot be excluded because GEOS fails."""
    holds, failed = _each(predicate, a, b)
    return np.asarray(failed | holds.astype(bool))


def _overlaid(overlay: Callable[[Any, Any], Any], a: Geometries, b: Geometries) -> tuple[Geometries, Mask]:
    """Return valid polygons, and where there are none because GEOS failed (empty there)."""
    result, failed = _each(overlay, a, b)
    result = polygon_parts(result)
    failed = failed | ~threaded(shapely.is_valid, result).astype(bool)
    result[failed] = shapely.Polygon()
    return result, failed


def _each(function: Callable[[Any, Any], Any], a: Geometries, b: Geometries) -> tuple[NDArray[Any], Mask]:
    """Apply a function of GEOS to all pairs at once; pair by pair where one of them makes it fail.

    Returns the results (None where it failed) and where it failed.
    """
    failed = np.zeros(len(a), dtype=bool)
    try:
        return threaded(function, a, b), failed
    except shapely.errors.GEOSException:
        pass  # one bad pair fails the whole call: find out which
    result = np.full(len(a), None, dtype=object)
    for row in range(len(a)):
        try:
            result[row] = function(a[row], b[row])
        except shapely.errors.GEOSException:
            failed[row] = True
    return result, failed
