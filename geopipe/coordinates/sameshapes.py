"""Pairs of equal shapes that lie apart: the same polygon drawn at two places, in two deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.geometry import polygon_parts
from geopipe.location.distances import Floats
from geopipe.schema import BOX, Frame, Geometries, Indices, Mask

# Added to sizes before they are rounded, so that round sizes do not fall on the edge of a cell.
_OFF_ROUND = 0.3717
_PAIRS_AT_ONCE = 4_000_000
# How wide a cell of width, height, x and y is, in multiples of what may lie between two partners: a country
# has so many polygons of one size that they are told apart by place, too, and few of them lie at an edge.
_REACHES_IN_A_CELL = (2, 2, 20, 20)


@dataclass(frozen=True)
class Limits:
    """What counts as the same shape, and how far apart, in metres.

    Attributes
    ----------
    farthest_m : float
        Shapes farther apart than this are not looked at.
    same_shape_m : float
        Displaced onto each other, two equal shapes differ nowhere by more than this.
    repeats : int
        A shape that one delivery holds more often is no single area: survey boxes.
    """

    farthest_m: float = 1_000.0
    same_shape_m: float = 1.0
    repeats: int = 3


@dataclass(frozen=True)
class Shapes:
    """What of a polygon does not change when it is displaced, and the middle of its box (m)."""

    points: Indices
    width: Floats
    height: Floats
    area: Floats
    perimeter: Floats
    x: Floats
    y: Floats

    @classmethod
    def of(cls, geometry: Geometries) -> Shapes:
        """Measure polygons (m)."""
        bounds = shapely.bounds(geometry)
        return cls(
            shapely.get_num_coordinates(geometry).astype(np.intp),
            bounds[:, 2] - bounds[:, 0],
            bounds[:, 3] - bounds[:, 1],
            np.asarray(shapely.area(geometry)),
            np.asarray(shapely.length(geometry)),
            (bounds[:, 0] + bounds[:, 2]) / 2,
            (bounds[:, 1] + bounds[:, 3]) / 2,
        )

    @classmethod
    def of_records(cls, areas: Frame) -> Shapes:
        """Return what was measured of areas when they were brought into the working CRS, else measure now."""
        if areas.table["point_count"].null_count:
            return cls.of(areas.geometry)
        west, south, east, north = (areas.numpy(name).astype(float) for name in BOX)
        return cls(
            areas.numpy("point_count").astype(np.intp),
            east - west,
            north - south,
            areas.numpy("area_m2").astype(float),
            areas.numpy("perimeter_m").astype(float),
            (west + east) / 2,
            (south + north) / 2,
        )

    def places(self, rows: Indices) -> Floats:
        """Return the middle (n, 2) of some shapes."""
        return np.column_stack([self.x[rows], self.y[rows]])

    def take(self, rows: Indices) -> Shapes:
        """Return the same of some shapes."""
        return Shapes(*(values[rows] for values in vars(self).values()))


def repeated(shapes: Shapes, delivery: Indices, limits: Limits) -> Mask:
    """Return which shapes one delivery holds more often than the rules allow."""
    cell_m = 2 * limits.same_shape_m
    thickness = shapes.area / np.maximum(shapes.perimeter, 1e-9)
    sizes = np.column_stack([shapes.width, shapes.height, shapes.perimeter / 2, thickness])
    cells = np.floor(sizes / cell_m + _OFF_ROUND).astype(np.int64)
    _, kind, count = np.unique(
        hashes(delivery, shapes.points, *cells.T), return_inverse=True, return_counts=True
    )
    return np.asarray(count[kind] > limits.repeats)


def hashes(*columns: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Mix whole numbers of each row into one; rows that collide are told apart later."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def candidates(shapes: Shapes, delivery: Indices, limits: Limits) -> tuple[Indices, Indices]:
    """Return pairs of different deliveries with equal sizes, near each other; the lower delivery left.

    Each shape has one cell of width, height and place; a partner within reach is found because it looks into
    all cells that it may reach.
    """
    is_about = np.column_stack([shapes.width, shapes.height, shapes.x, shapes.y])
    reach_m = np.array([2 * limits.same_shape_m] * 2 + [limits.farthest_m] * 2)
    cell_m = reach_m * _REACHES_IN_A_CELL
    keys = hashes(shapes.points, *_cells(is_about, cell_m).T)
    order = np.argsort(keys, kind="stable")
    low, high = _cells(is_about - reach_m, cell_m), _cells(is_about + reach_m, cell_m)
    found = [(order[:0], order[:0])]
    for is_high in product((False, True), repeat=len(reach_m)):
        # Where low and high are the same cell it is looked into once.
        rows = np.flatnonzero((~np.array(is_high) | (high > low)).all(axis=1))
        seen = hashes(shapes.points[rows], *np.where(is_high, high[rows], low[rows]).T)
        for left, right in _joined(seen, rows, keys[order], order):
            other = delivery[left] < delivery[right]
            found.append(_alike(shapes, left[other], right[other], limits))
    return np.concatenate([left for left, _ in found]), np.concatenate([right for _, right in found])


def _cells(values: Floats, cell_m: Floats) -> NDArray[np.int64]:
    return np.floor(values / cell_m).astype(np.int64)


def _joined(
    keys: NDArray[np.uint64], rows: Indices, sorted_keys: NDArray[np.uint64], order: Indices
) -> Iterator[tuple[Indices, Indices]]:
    """Yield every pair (row, partner) with equal keys (one for each row), some millions at a time."""
    in_order = np.argsort(keys)  # what is looked up one beside the other is found much sooner
    keys, rows = keys[in_order], rows[in_order]
    start = np.searchsorted(sorted_keys, keys, "left")
    count = np.searchsorted(sorted_keys, keys, "right") - start
    pieces = np.flatnonzero(np.diff(np.cumsum(count) // _PAIRS_AT_ONCE)) + 1
    for some in np.split(np.arange(len(rows)), pieces):
        first = np.repeat(rows[some], count[some])
        within = np.arange(count[some].sum()) - np.repeat(np.cumsum(count[some]) - count[some], count[some])
        yield first, order[np.repeat(start[some], count[some]) + within]


def _alike(shapes: Shapes, left: Indices, right: Indices, limits: Limits) -> tuple[Indices, Indices]:
    """Keep the pairs that may be the same shape, displaced by no more than the farthest offset."""
    reach_m = 2 * limits.same_shape_m
    keep = np.hypot(shapes.x[left] - shapes.x[right], shapes.y[left] - shapes.y[right]) <= limits.farthest_m
    left, right = left[keep], right[keep]
    keep = shapes.points[left] == shapes.points[right]
    for values, allowed in (
        (shapes.width, reach_m),
        (shapes.height, reach_m),
        (shapes.perimeter, limits.same_shape_m * shapes.points[left]),
        (shapes.area, limits.same_shape_m * shapes.perimeter[left]),
    ):
        keep &= np.abs(values[left] - values[right]) <= allowed
    return left[keep], right[keep]


def same_shapes(
    geometry: Geometries, left: Indices, right: Indices, limits: Limits
) -> tuple[Indices, Indices, Floats]:
    """Keep the pairs whose shapes, displaced by the mean of their turning points, differ nowhere.

    The third result is that step (n, 2) from the left shape to the right one.
    """
    step = mean_points(geometry[right]) - mean_points(geometry[left])
    points, owner = shapely.get_coordinates(geometry[left], return_index=True)
    moved = shapely.set_coordinates(geometry[left].copy(), points + step[owner])
    same = np.asarray(shapely.hausdorff_distance(moved, geometry[right]) <= limits.same_shape_m)
    return left[same], right[same], step[same]


def mean_points(geometry: Geometries) -> Floats:
    """Return the mean turning point (n, 2), whatever point each ring begins with and in which direction."""
    parts, of_geometry = shapely.get_parts(polygon_parts(geometry), return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    repeated = np.append(of_ring[1:] != of_ring[:-1], True) if len(of_ring) else np.empty(0, dtype=bool)
    owner = of_geometry[of_part[of_ring[~repeated]]]
    counts = np.bincount(owner, minlength=len(geometry))
    sums = [np.bincount(owner, points[~repeated, axis], minlength=len(geometry)) for axis in (0, 1)]
    return np.column_stack(sums) / np.maximum(counts, 1)[:, None]
