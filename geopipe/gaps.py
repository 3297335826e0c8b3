"""Ground that releases leave over: what they do not cover, and the narrow strips between them.

A strip is found by closing: released land is grown by half the width asked for and shrunk again.
What that adds lies between borders of released land that are no farther apart. Corners are mitred,
so that strips end where they end and an ordinary corner adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.engine.components import component_labels
from geopipe.geometry import GRID_M, polygon_parts
from geopipe.overlay import agreement_m2
from geopipe.schema import Geometries, Indices, Mask
from geopipe.threads import threaded

# A notch narrower than about 23 degrees (1 / sin of half the angle) is a strip, a wider one a corner.
_MITRE_LIMIT = 5.0
# A strip has released land along both sides: along less of its border it is a bay, or a corner's fillet
# (58 % at 90 degrees). Two thirds is a strip that is twice as long as wide, open at both ends.
_BOTH_SIDES_SHARE = 2 / 3
# Overlays move points by nanometres: within this a border is the same border.
_SAME_BORDER_M = 1e-5
# Borders exactly as far apart as the width asked for count.
_ROUNDING_M = 1e-6
# Closing that adds less than this along the border has added nothing.
_NOISE_M = 1e-8


@dataclass(frozen=True)
class Strips:
    """Narrow strips between polygons, the polygons along them, and those that could not be looked at."""

    geometry: Geometries
    """One polygon each; none of it is covered by any of the polygons."""
    strip: Indices
    """Together with `neighbour`: which strip runs along which polygon."""
    neighbour: Indices
    failed: Indices


def strips_between(polygons: Geometries, width_m: float, narrowest_m: float) -> Strips:
    """Find the strips between polygons, also between two parts or two borders of one polygon.

    Parameters
    ----------
    polygons : array of valid polygons, equal-area CRS in metres
    width_m : float
        Borders up to this far apart.
    narrowest_m : float
        What is narrower is one border that was drawn twice.

    Returns
    -------
    Strips
        Where GEOS fails, the polygons are named in `failed`.
    """
    group, member = _near_each_other(polygons, width_m)
    united, lost = union_by_group(polygons[member], group)
    filled, missed = _filled(united[~lost], width_m / 2 + _ROUNDING_M)
    parts, owner = parts_from(filled, narrowest_m)
    between = _share_along(parts, united[~lost][owner]) >= _BOTH_SIDES_SHARE
    parts = parts[between]
    strip, neighbour = shapely.STRtree(polygons).query(parts, predicate="dwithin", distance=_SAME_BORDER_M)
    lost[np.flatnonzero(~lost)[missed]] = True
    return Strips(parts, strip, neighbour, member[lost[group]])


def _near_each_other(polygons: Geometries, width_m: float) -> tuple[Indices, Indices]:
    """Return the groups (0, 1, ...) among which strips are possible and the rows of their members.

    Polygons no farther apart than the width belong together; one that is alone and convex has no strip.
    """
    left, right = shapely.STRtree(polygons).query(
        polygons, predicate="dwithin", distance=width_m + 2 * _ROUNDING_M
    )
    once = left < right
    label = component_labels(len(polygons), left[once], right[once])
    alone = np.bincount(label, minlength=len(polygons))[label] == 1
    area_m2 = shapely.area(polygons)
    convex = shapely.area(shapely.convex_hull(polygons)) <= area_m2 * (1 + 1e-12)
    member = np.flatnonzero(~(alone & convex))
    member = member[np.argsort(label[member], kind="stable")]
    return np.unique(label[member], return_inverse=True)[1], member


def union_by_group(polygons: Geometries, group: Indices) -> tuple[Geometries, Mask]:
    """Unite the polygons of each group; `group` ascends from 0 without a gap.

    Returns
    -------
    united : array of polygons, one per group
    failed : array of bool
        Where GEOS failed; the union is then empty.
    """
    if len(group) == 0:
        return np.empty(0, dtype=object), np.zeros(0, dtype=bool)
    united = np.asarray(shapely.geometrycollections(polygons, indices=group), dtype=object)
    several = np.bincount(group) > 1
    united[~several] = polygons[~several[group]]
    failed = np.zeros(len(united), dtype=bool)
    united[several], failed[several] = _each(_united, united[several])
    return united, failed


def _united(collections: Geometries, grid_m: float | None = None) -> Geometries:
    united = shapely.union_all(collections[:, None], axis=1, grid_size=grid_m)
    return polygon_parts(np.asarray(united, dtype=object))


def _filled(polygons: Geometries, radius_m: float) -> tuple[Geometries, Mask]:
    """Return what closing by a radius adds to each polygon, and where GEOS failed."""
    closed, failed = _each(_closed, polygons, radius_m=radius_m)
    more_m2 = shapely.area(closed) + _ROUNDING_M * shapely.length(closed) - shapely.area(polygons)
    added = np.flatnonzero(~failed & (more_m2 > _NOISE_M * shapely.length(polygons)))
    filled = np.full(len(polygons), shapely.Polygon(), dtype=object)
    filled[added], failed[added] = _each(_difference, closed[added], polygons[added])
    return filled, failed


def _closed(polygons: Geometries, radius_m: float, grid_m: float | None = None) -> Geometries:
    ground = polygons if grid_m is None else shapely.set_precision(polygons, grid_m)
    grown = shapely.buffer(ground, radius_m, join_style="mitre", mitre_limit=_MITRE_LIMIT)
    # A micrometre more is taken off: the film that rounding adds along the border costs twice the time.
    shrink_m = -radius_m - _ROUNDING_M
    return np.asarray(shapely.buffer(grown, shrink_m, join_style="mitre", mitre_limit=_MITRE_LIMIT))


def shared(a: Geometries, b: Geometries) -> Geometries:
    """Return what each polygon shares with the other; all of it where GEOS fails."""
    common, failed = _each(_intersection, a, b)
    return np.where(failed, a, common)


def left_of(a: Geometries, b: Geometries) -> Geometries:
    """Return what each polygon does not share with the other; all of it where GEOS fails."""
    left, failed = _each(_difference, a, b)
    return np.where(failed, a, left)


def _intersection(a: Geometries, b: Geometries, grid_m: float | None = None) -> Geometries:
    return polygon_parts(shapely.intersection(a, b, grid_size=grid_m))


def _difference(a: Geometries, b: Geometries, grid_m: float | None = None) -> Geometries:
    return polygon_parts(shapely.difference(a, b, grid_size=grid_m))


def parts_from(polygons: Geometries, narrowest_m: float) -> tuple[Geometries, Indices]:
    """Return the parts of polygons, without tails and films narrower than a width, and whose they are.

    Where two borders nearly coincide, what lies between them is not left hanging on a real strip.
    """
    present = np.flatnonzero(shapely.area(polygons) > 0)
    core = shapely.buffer(polygons[present], -narrowest_m / 2, join_style="mitre")
    grow_m = narrowest_m / 2 - _ROUNDING_M
    parts, owner = shapely.get_parts(shapely.buffer(core, grow_m, join_style="mitre"), return_index=True)
    there = ~shapely.is_empty(parts)
    return parts[there], present[owner[there]]


def _share_along(parts: Geometries, polygons: Geometries) -> NDArray[np.float64]:
    """Return which share of each part's border runs along the polygon beside it."""
    points, part = shapely.get_coordinates(shapely.boundary(parts), return_index=True)
    _, ring = shapely.get_coordinates(shapely.get_parts(shapely.boundary(parts)), return_index=True)
    edge = ring[1:] == ring[:-1]
    middle = ((points[1:] + points[:-1]) / 2)[edge]
    length_m, part = np.hypot(*np.diff(points, axis=0).T)[edge], part[1:][edge]
    shapely.prepare(polygons)
    along = shapely.dwithin(polygons[part], shapely.points(middle), _SAME_BORDER_M)
    total_m = np.bincount(part, length_m, minlength=len(parts))
    return np.bincount(part, length_m * along, minlength=len(parts)) / total_m


def uncovered(
    areas: Geometries, others: Geometries, row: Indices, other: Indices, shared_m2: NDArray[np.float64]
) -> tuple[Geometries, Mask]:
    """Return the ground of each area that none of its others covers.

    Parameters
    ----------
    areas, others : arrays of valid polygons, equal-area CRS in metres
    row, other : arrays of row numbers
        Pairs of an area and another polygon that share ground.
    shared_m2 : array
        The ground that each pair shares, as measured before: it tells if GEOS is right here.

    Returns
    -------
    left : array of polygons, one per area
        The whole area where nothing could be established: rather too much is left than too little.
    unsure : array of bool
        Where that is so.
    """
    left, unsure = areas.copy(), np.zeros(len(areas), dtype=bool)
    order = np.argsort(row, kind="stable")
    row, other, shared_m2 = row[order], other[order], shared_m2[order]
    rows, group = np.unique(row, return_inverse=True)
    if len(rows) == 0:
        return left, unsure
    starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
    bounds = np.maximum.reduceat(shared_m2, starts), np.add.reduceat(shared_m2, starts)
    cover, failed = union_by_group(others[other], group)
    found, lost = _each(_difference, areas[rows], cover)
    wrong = failed | lost | ~_agrees(areas[rows], found, *bounds)
    for at in np.flatnonzero(wrong):
        again, lost_again = _each(_difference_on_grid, areas[rows[at : at + 1]], cover[at : at + 1])
        limits = (bound[at : at + 1] for bound in bounds)
        if failed[at] or lost_again[0] or not _agrees(areas[rows[at : at + 1]], again, *limits)[0]:
            unsure[rows[at]] = True
        found[at] = again[0]
    left[rows] = np.where(unsure[rows], areas[rows], found)
    return left, unsure


def _difference_on_grid(a: Geometries, b: Geometries, grid_m: float | None = None) -> Geometries:
    return _difference(a, b, grid_m or GRID_M)


def _agrees(
    areas: Geometries, left: Geometries, least_m2: NDArray[np.float64], most_m2: NDArray[np.float64]
) -> Mask:
    """Say where what is gone is no less than the largest overlap and no more than all together."""
    area_m2 = shapely.area(areas)
    gone_m2 = area_m2 - shapely.area(left)
    tolerance_m2 = agreement_m2(area_m2)
    return np.asarray((gone_m2 >= least_m2 - tolerance_m2) & (gone_m2 <= most_m2 + tolerance_m2))


def _each(
    operation: Callable[..., Geometries], *arrays: Geometries, **options: Any
) -> tuple[Geometries, Mask]:
    """Apply an operation to all rows at once; row by row, then on a grid, where GEOS fails.

    Returns polygons (empty where GEOS failed on the grid, too) and where that was so.
    """
    failed = np.zeros(len(arrays[0]), dtype=bool)
    try:
        return threaded(operation, *arrays, **options), failed
    except shapely.errors.GEOSException:
        pass  # one bad row fails the whole call: find out which
    result = np.full(len(failed), shapely.Polygon(), dtype=object)
    for row in range(len(failed)):
        one = [array[row : row + 1] for array in arrays]
        for grid_m in (None, GRID_M):
            try:
                result[row] = operation(*one, **options, grid_m=grid_m)[0]
                break
            except shapely.errors.GEOSException:
                failed[row] = grid_m is not None
    return result, failed
