"""Polygons as delivered and as mended: parts, empty rings, repair, edges, canonical form.

Nothing here decides what a record means; the caller says which reading is the safe one.
Lengths are in the unit of the coordinates, which is the metre wherever it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.schema import Geometries, Mask
from geopipe.threads import threaded

POINTS = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
LINES = (
    shapely.GeometryType.LINESTRING,
    shapely.GeometryType.LINEARRING,
    shapely.GeometryType.MULTILINESTRING,
)
POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
# Fine enough to lose no square millimetre of a strip, coarse enough for GEOS to be sure (1e-9 is not).
GRID_M = 1e-6
# Mean radius of the Earth in metres, for the sagitta of long edges (not for areas).
_EARTH_RADIUS_M = 6_371_000.0
# Ten halvings bring a factor of 500 between the bounds of a radius down to one per cent.
_HALVINGS = 10
# Chords of so many per quarter circle take 0.5 % too little off at a corner that points inwards.
_ARC_SEGMENTS = 8


@dataclass(frozen=True)
class Repair:
    """Both readings of invalid polygons and what they measure, row by row."""

    union: Geometries
    common: Geometries
    area_before_m2: NDArray[np.float64]
    union_m2: NDArray[np.float64]
    common_m2: NDArray[np.float64]


def repair(invalid: Geometries) -> Repair:
    """Mend invalid polygons in the two ways that GEOS knows, and return what both say.

    `make_valid` depends on its method: a hole that crosses its shell gives 100 or 85 m2,
    overlapping parts 150 or 175. Neither is silently the right one, so the union of
    both readings and their common ground are returned side by side.

    Parameters
    ----------
    invalid : array of polygons in a metric CRS

    Returns
    -------
    Repair
        `area_before_m2` is the plain shoelace area of the invalid rings.
    """
    linework = polygon_parts(threaded(shapely.make_valid, invalid, method="linework"))
    structure = polygon_parts(threaded(shapely.make_valid, invalid, method="structure", keep_collapsed=False))
    union = polygon_parts(overlaid(shapely.union, linework, structure))
    common = polygon_parts(overlaid(shapely.intersection, linework, structure))
    return Repair(union, common, shapely.area(invalid), shapely.area(union), shapely.area(common))


def overlaid(operation: Callable[..., Any], *operands: Any) -> Any:
    """Apply a set operation of shapely; where GEOS fails on valid polygons, on a grid of a micrometre."""
    try:
        return operation(*operands)
    except shapely.errors.GEOSException:
        return operation(*operands, grid_size=GRID_M)


def polygon_parts(geometry: Geometries) -> Geometries:
    """Return only the polygons of each geometry, as Polygon or MultiPolygon; empty where there are none."""
    result = np.array(geometry, dtype=object)
    mixed = shapely.get_type_id(result) == shapely.GeometryType.GEOMETRYCOLLECTION
    for position in np.flatnonzero(mixed):
        flat = leaves_of(result[position])
        polygons = [
            leaf for leaf in flat if shapely.get_type_id(leaf) in POLYGONS and not shapely.is_empty(leaf)
        ]
        result[position] = shapely.union_all(polygons) if polygons else shapely.Polygon()
    result[~np.isin(shapely.get_type_id(result), POLYGONS)] = shapely.Polygon()
    return result


def leaves_of(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the parts of a collection, and the parts of the collections inside it."""
    parts = shapely.get_parts(geometry)
    nested = shapely.get_type_id(parts) == shapely.GeometryType.GEOMETRYCOLLECTION
    return [*parts[~nested], *(leaf for part in parts[nested] for leaf in leaves_of(part))]


def collection_parts(collection: shapely.Geometry) -> tuple[shapely.Geometry, bool]:
    """Return the polygons of a collection side by side, neither merged nor mended, and if more was in it.

    Without polygons the lines are returned, without lines the points; a collection of nothing is empty.
    """
    leaves = [part for leaf in leaves_of(collection) for part in shapely.get_parts(leaf)]
    filled = np.array([leaf for leaf in leaves if not shapely.is_empty(leaf)], dtype=object)
    kind = shapely.get_type_id(filled)
    for wanted, collect in (
        (POLYGONS, shapely.MultiPolygon),
        (LINES, shapely.MultiLineString),
        (POINTS, shapely.MultiPoint),
    ):
        chosen = np.isin(kind, wanted)
        if chosen.any():
            return collect(list(filled[chosen])), not chosen.all()
    return shapely.Polygon(), False


def strip_empty_rings(geometry: Geometries) -> tuple[Geometries, Mask]:
    """Remove empty rings and empty parts, and say from which rows.

    `POLYGON((1 1,1 5,5 5,5 1,1 1),EMPTY)` passes `is_valid` and then kills the process in `relate`.
    """
    result = np.array(geometry, dtype=object)
    polygonal = np.isin(shapely.get_type_id(result), POLYGONS)
    rows = np.flatnonzero(polygonal)
    parts, owner = shapely.get_parts(result[rows], return_index=True)
    broken_parts = shapely.is_empty(parts)
    holed = np.flatnonzero(shapely.get_num_interior_rings(parts) > 0)
    rings, ring_owner = shapely.get_rings(parts[holed], return_index=True)
    broken_parts[holed[np.unique(ring_owner[shapely.is_empty(rings)])]] = True
    touched = np.zeros(len(result), dtype=bool)
    touched[rows[np.unique(owner[broken_parts])]] = True
    for row in np.flatnonzero(touched):
        result[row] = _without_empty_rings(result[row])
    return result, touched


def _without_empty_rings(geometry: shapely.Geometry) -> shapely.Geometry:
    """Rebuild one polygon or multipolygon from its rings that have points."""
    polygons = []
    for part in shapely.get_parts(geometry):
        shell, *holes = shapely.get_rings(part) if not part.is_empty else [shapely.LinearRing()]
        if not shapely.is_empty(shell):
            polygons.append(shapely.Polygon(shell, [hole for hole in holes if not shapely.is_empty(hole)]))
    if shapely.get_type_id(geometry) == shapely.GeometryType.POLYGON:
        return polygons[0] if polygons else shapely.Polygon()
    return shapely.multipolygons(polygons) if polygons else shapely.MultiPolygon()


def outline(rings: Sequence[NDArray[np.float64]]) -> shapely.Geometry:
    """Return what can be drawn of readable rings: lines, or a point where all is in one place.

    Parameters
    ----------
    rings : sequence of arrays of shape (n, 2), any CRS, finite, none of them empty
    """
    lines = [shapely.LineString(ring) for ring in rings if len(np.unique(ring, axis=0)) > 1]
    if not lines:
        return shapely.Point(rings[0][0])
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def longest_edges_m(geometry: Geometries) -> NDArray[np.float64]:
    """Return the length of the longest straight edge of each polygon, in units of its CRS."""
    longest = np.zeros(len(geometry))
    # Steps from ring to ring are not edges, so each step is kept only where both ends lie on one ring.
    parts, part_owner = shapely.get_parts(geometry, return_index=True)
    rings, ring_owner = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if len(points) == 0:
        return longest
    length = np.hypot(*np.diff(points, axis=0).T)
    same_ring = ring[1:] == ring[:-1]
    np.maximum.at(longest, part_owner[ring_owner[ring[1:][same_ring]]], length[same_ring])
    return longest


def edge_uncertainty_m2(
    longest_edge_m: NDArray[np.float64], latitude_deg: NDArray[np.float64], from_m: float
) -> NDArray[np.float64]:
    """Return the area by which one long edge may differ between two CRSs.

    A straight line in one CRS bows in another by the sagitta ``L^2 tan|lat| / 8R``; the ground
    between is ``2/3 L`` times that (4.3 m2 for 1 km at 18 degrees, as measured). Edges up to
    `from_m` count as certain.
    """
    # Towards the poles, and where a latitude is not known, the bow has no bound: 85 degrees stand for all.
    latitude_deg = np.nan_to_num(np.clip(np.abs(latitude_deg), 0, 85), nan=85.0)
    sagitta_m = longest_edge_m**2 * np.tan(np.radians(latitude_deg)) / (8 * _EARTH_RADIUS_M)
    return np.where(longest_edge_m > from_m, 2 / 3 * longest_edge_m * sagitta_m, 0.0)


def mean_width_m(area_m2: NDArray[np.float64], perimeter_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``2 A / P``: the width of a long thin polygon, half that of a square."""
    return np.divide(2 * area_m2, perimeter_m, out=np.zeros_like(area_m2), where=perimeter_m > 0)


def width_m(geometry: Geometries) -> NDArray[np.float64]:
    """Return the diameter of the largest circle that fits into each polygon, to about 1 %.

    Found by halving: a circle of radius r fits as long as something is left when r is taken off
    all along the border. (The search for the circle's centre that GEOS offers takes 30 ms and
    more on a long strip, where every point of the middle line is nearly as good as the best.)
    """
    radius = threaded(_inscribed_radius, geometry) if len(geometry) else np.empty(0)
    return np.asarray(2 * radius, dtype=float)


def _inscribed_radius(geometry: Geometries) -> NDArray[np.float64]:
    area_m2, perimeter_m = shapely.area(geometry), shapely.length(geometry)
    # No circle is larger than the polygon's area, and one of half of A / P always fits.
    high = np.sqrt(area_m2 / np.pi)
    low = np.divide(area_m2, 2 * perimeter_m, out=np.zeros_like(area_m2), where=perimeter_m > 0)
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        left = shapely.buffer(geometry, -middle, quad_segs=_ARC_SEGMENTS)
        fits = ~shapely.is_empty(left)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.asarray(np.sqrt(low * high))


def canonical(geometry: Geometries) -> Geometries:
    """Return polygons with one start point, direction and order of parts: equal ground compares equal."""
    return np.asarray(threaded(shapely.normalize, geometry), dtype=object)
