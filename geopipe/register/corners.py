"""Set operations on polygons that keep their corners: on a grid of a micrometre, with old corners put back.

Neighbours whose borders run within nanometres of each other give no needles and no crumbs that way, and
every corner that was there before has the very coordinates that it had (equal-area working CRS, m).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.engine.measure import TOUCH_M
from geopipe.geometry import GRID_M, overlaid, polygon_parts

# A corner of the result belongs to an old corner within this distance: some steps of the grid.
SAME_CORNER_M = 5e-6
# A new point is no corner if leaving it out moves the border by less than this.
_STRAIGHT_M = 3e-6
NOTHING = shapely.Polygon()


def combined(
    operation: Callable[..., Any], one: shapely.Geometry, other: shapely.Geometry
) -> shapely.Geometry | None:
    """Apply a set operation to two records and give corners that were there before their coordinates back."""
    return tidy(on_grid(operation, one, other), shapely.get_coordinates([one, other]))


def on_grid(operation: Callable[..., Any], *operands: Any) -> Any:
    """Apply a set operation on the grid of a micrometre; without it where GEOS fails there."""
    try:
        return operation(*operands, grid_size=GRID_M)
    except shapely.errors.GEOSException:
        return overlaid(operation, *operands)


def tidy(geometry: shapely.Geometry, corners: NDArray[np.float64]) -> shapely.Geometry | None:
    """Return polygons at their old corners, without crumbs; None where nothing is left."""
    whole = polygonal(geometry)
    if shapely.is_empty(whole):
        return None
    restored = _map_rings(whole, lambda points: _straightened(*_restored(points, corners)))
    # Corners closer together than the grid may not all fit back; then the grid's stand.
    return restored if shapely.is_valid(restored) else whole


def _restored(
    points: NDArray[np.float64], corners: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return points (n, 2), each at the nearest old corner within reach, and which of them are such."""
    tree = shapely.STRtree(np.asarray(shapely.points(corners), dtype=object))
    at, nearest = tree.query_nearest(shapely.points(points), max_distance=SAME_CORNER_M, all_matches=False)
    result, is_old = points.copy(), np.zeros(len(points), dtype=bool)
    result[at], is_old[at] = corners[nearest], True
    return result, is_old


def _straightened(points: NDArray[np.float64], is_old: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Leave out the new points of a closed ring (n, 2) at which its border does not turn."""
    ring = points[:-1]
    stays = np.ones(len(ring), dtype=bool)
    for at in np.flatnonzero(~is_old[:-1]):
        before = next(i % len(ring) for i in range(at - 1, at - len(ring), -1) if stays[i % len(ring)])
        side = shapely.linestrings([ring[before], ring[(at + 1) % len(ring)]])
        stays[at] = shapely.distance(side, shapely.points(ring[at])) > _STRAIGHT_M
    kept = ring[stays]
    return np.vstack([kept, kept[:1]])


def _map_rings(
    geometry: shapely.Geometry, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> shapely.Geometry:
    """Return polygons with every ring changed."""
    parts = []
    for part in shapely.get_parts(geometry):
        shell, *holes = (change(shapely.get_coordinates(ring)) for ring in shapely.get_rings(part))
        parts.append(shapely.Polygon(shell, holes))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def polygonal(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return only polygons, without parts and holes narrower than a micrometre."""
    parts = shapely.get_parts(polygon_parts(np.array([geometry], dtype=object))[0])
    wide = [_without_crumbs(part) for part in parts if _is_wide(part)]
    if not wide:
        return NOTHING
    return wide[0] if len(wide) == 1 else shapely.MultiPolygon(wide)


def _without_crumbs(part: shapely.Geometry) -> shapely.Polygon:
    shell, *holes = shapely.get_rings(part)
    return shapely.Polygon(shell, [hole for hole in holes if _is_wide(shapely.polygons(hole))])


def _is_wide(part: shapely.Geometry) -> bool:
    return bool(2 * shapely.area(part) > TOUCH_M * shapely.length(part))
