"""The shared ground of pairs of polygons: exact where GEOS is right, checked where it may be wrong.

GEOS can report a whole polygon as the overlap of two that only touch (shapely
#2368); the identity of areas does not notice. So results that look suspicious
are computed again on a grid of a micrometre, and `relate` decides between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.geometry import GRID_M, mean_width_m, polygon_parts
from geopipe.schema import Geometries, Indices, Mask
from geopipe.terms import Confidence
from geopipe.threads import threaded

# Below this an overlap may be nothing but rounding along a shared edge.
_SMALL_M2 = 1e-3
# An overlap of nearly a whole input must be explained by the other input covering it.
_NEARLY_ALL = 0.99
_AGREE_M2 = 0.01
# A move that rounds coordinates to 1e-9 m.
_FAR_M = 3_141_592.0
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
        Intersections hold polygons only. No pair is dropped because GEOS failed on it.
    """
    meets = threaded(shapely.intersects, geometry[left], geometry[right]).astype(bool)
    left, right = left[meets], right[meets]
    a, b = geometry[left], geometry[right]
    common, failed = _each(shapely.intersection, a, b)
    area_m2 = shapely.area(common)
    # Predicates are exact where overlays are not: interiors that do not meet share no ground.
    small = np.flatnonzero(~failed & (area_m2 < _SMALL_M2))
    apart = np.zeros(len(a), dtype=bool)
    apart[small] = ~threaded(shapely.relate_pattern, a[small], b[small], pattern="T********").astype(bool)
    left, right, a, b = left[~apart], right[~apart], a[~apart], b[~apart]
    common, area_m2, failed = common[~apart], area_m2[~apart], failed[~apart]
    confidence = np.full(len(common), Confidence.EXACT.value, dtype=object)
    doubtful = np.flatnonzero(failed | _suspicious(a, b, common, area_m2))
    if len(doubtful):
        again, surely = _settle(a[doubtful], b[doubtful], common[doubtful], failed[doubtful])
        common[doubtful], confidence[doubtful] = again, surely
        area_m2[doubtful] = shapely.area(again)
    ground = SharedGround(left, right, common, area_m2, confidence)
    return ground.take(mean_width_m(area_m2, shapely.length(common)) > touch_m)


def _suspicious(a: Geometries, b: Geometries, common: Geometries, area_m2: NDArray[np.float64]) -> Mask:
    """Say which results must be computed again."""
    a_m2, b_m2 = shapely.area(a), shapely.area(b)
    smaller_m2 = np.minimum(a_m2, b_m2)
    doubt = (area_m2 < _SMALL_M2) | (area_m2 > smaller_m2 * (1 + 1e-12))
    whole = np.flatnonzero(area_m2 >= _NEARLY_ALL * smaller_m2)
    inner = np.where(a_m2[whole] <= b_m2[whole], a[whole], b[whole])
    outer = np.where(a_m2[whole] <= b_m2[whole], b[whole], a[whole])
    doubt[whole] |= ~threaded(shapely.covers, outer, inner).astype(bool)
    return np.asarray(doubt | ~shapely.is_valid(common))


def _settle(
    a: Geometries, b: Geometries, common: Geometries, failed: Mask
) -> tuple[Geometries, NDArray[np.object_]]:
    """Compute doubtful pairs on a grid; where that contradicts the floating result, look closer.

    Results that agree are `checked`. Where they differ, interiors that do not meet by `relate`
    share only what the smaller result says; and a floating result that changes to the gridded one
    when both polygons are moved far from the origin was the fault of GEOS that this is about.
    Otherwise the larger result is kept as `uncertain`, so that no overlap is lost.
    """
    gridded, grid_failed = _each(lambda x, y: shapely.intersection(x, y, grid_size=GRID_M), a, b)
    float_m2, grid_m2 = shapely.area(common), shapely.area(gridded)
    result, confidence = common.copy(), np.full(len(a), Confidence.CHECKED.value, dtype=object)
    result[failed] = gridded[failed]
    for row in np.flatnonzero(grid_failed):
        result[row] = _smaller(a[row], b[row]) if failed[row] else common[row]
        confidence[row] = Confidence.UNCERTAIN.value
    for row in np.flatnonzero(~failed & ~grid_failed & ~_agree(float_m2, grid_m2)):
        smaller, larger = sorted((common[row], gridded[row]), key=shapely.area)
        if not shapely.relate_pattern(a[row], b[row], "T********"):
            result[row] = smaller
        elif _agree(_area_far_away(a[row], b[row]), grid_m2[row]):
            result[row] = gridded[row]
        else:
            result[row], confidence[row] = larger, Confidence.UNCERTAIN.value
    return polygon_parts(result), confidence


def _agree(one_m2: NDArray[np.float64], other_m2: NDArray[np.float64]) -> Mask:
    """Say where two areas are the same within 0.01 m2 or a millionth."""
    return np.asarray(np.abs(one_m2 - other_m2) <= np.maximum(_AGREE_M2, _AGREE_SHARE * other_m2))


def _area_far_away(a: shapely.Geometry, b: shapely.Geometry) -> NDArray[np.float64]:
    """Return the area that two polygons share when both are moved far from the origin; NaN if GEOS fails."""
    moved = shapely.transform(np.array([a, b], dtype=object), lambda points: points + _FAR_M)
    try:
        return np.asarray(shapely.area(shapely.intersection(*moved)))
    except shapely.errors.GEOSException:
        return np.asarray(np.nan)


def _each(overlay: Callable[[Any, Any], Any], a: Geometries, b: Geometries) -> tuple[Geometries, Mask]:
    """Apply an overlay to all pairs at once; pair by pair where one of them makes GEOS fail.

    Returns polygons (empty where GEOS failed) and where it failed.
    """
    failed = np.zeros(len(a), dtype=bool)
    try:
        return polygon_parts(threaded(overlay, a, b)), failed
    except shapely.errors.GEOSException:
        pass  # one bad pair fails the whole call: find out which
    result = np.empty(len(a), dtype=object)
    for row in range(len(a)):
        try:
            result[row] = overlay(a[row], b[row])
        except shapely.errors.GEOSException:
            result[row], failed[row] = shapely.Polygon(), True
    return polygon_parts(result), failed


def _smaller(a: shapely.Geometry, b: shapely.Geometry) -> shapely.Geometry:
    """Return the smaller polygon: the most that the two could share."""
    return a if shapely.area(a) <= shapely.area(b) else b
