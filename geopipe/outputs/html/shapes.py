"""Outlines for the screen as short texts: WGS 84 in 1e-7 degrees, each point as a step from the last.

They are simplified for show by less than a line is wide on the map. Nothing is measured from them.
"""

from __future__ import annotations

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geopipe.crs import transform
from geopipe.schema import Geometries

STEPS_PER_DEGREE = 10_000_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Of six bits one says that more of the number follows.
_BITS, _MORE = 5, 32
_NEXT_RING = ","
_LETTERS = np.frombuffer(LETTERS.encode(), dtype=np.uint8)


def outlines(geometry: Geometries, to_degrees: pyproj.Transformer, tolerance_m: float) -> list[str]:
    """Return geometries of the working CRS (m) as texts; '' for an empty one, or one that cannot be placed.

    Parameters
    ----------
    geometry : array
        Points, lines or polygons, single or several.
    to_degrees : pyproj.Transformer
        From the working CRS to lon/lat.
    tolerance_m : float
        How far a shown line may lie from the true one (m).
    """
    simple = np.asarray(shapely.simplify(geometry, tolerance_m, preserve_topology=True), dtype=object)
    return encoded(transform(simple, to_degrees))


def encoded(degrees: Geometries) -> list[str]:
    """Return geometries in lon/lat as texts: rings one after the other, holes among them."""
    shapes, rings = _rings(degrees)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(points):
        return [""] * len(degrees)
    good = np.isfinite(points).all(axis=1)
    points, ring = points[good], ring[good]
    steps = np.rint(points * STEPS_PER_DEGREE).astype(np.int64)
    shape = shapes[ring]
    is_first_of_ring = np.r_[True, ring[1:] != ring[:-1]]
    is_first_of_shape = np.r_[True, shape[1:] != shape[:-1]]
    moves = np.diff(steps, axis=0, prepend=steps[:1])
    moves[is_first_of_shape] = steps[is_first_of_shape]
    letters, lengths = _written(moves.reshape(-1))
    ends = np.cumsum(lengths.reshape(-1, 2).sum(axis=1))
    text = letters.tobytes().decode("ascii")
    made = [""] * len(degrees)
    starts = np.flatnonzero(is_first_of_ring)
    for start, stop in zip(starts, np.r_[starts[1:], len(ring)], strict=True):
        piece = text[ends[start - 1] if start else 0 : ends[stop - 1]]
        of = int(shape[start])
        made[of] += piece if is_first_of_shape[start] else _NEXT_RING + piece
    return made


def _rings(geometry: Geometries) -> tuple[NDArray[np.intp], Geometries]:
    """Return all rings, lines and points with the row of the geometry that each belongs to."""
    parts, row = shapely.get_parts(geometry, return_index=True)
    parts, more = shapely.get_parts(parts, return_index=True)  # a collection may hold several of several
    row = row[more]
    is_area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, of = shapely.get_rings(parts[is_area], return_index=True)
    rows = np.concatenate([row[is_area][of], row[~is_area]])
    order = np.argsort(rows, kind="stable")
    return rows[order].astype(np.intp), np.concatenate([rings, parts[~is_area]])[order]


def _written(numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return whole numbers in letters, the lowest bits first, and how many letters each has."""
    folded = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)  # the sign is the lowest bit
    most = max(1, -(-int(folded.max()).bit_length() // _BITS))
    digits = (folded[:, None] >> (_BITS * np.arange(most))) & (_MORE - 1)
    lengths = np.maximum(1, most - np.argmax(digits[:, ::-1] > 0, axis=1))
    lengths[folded == 0] = 1
    place = np.arange(most)
    digits |= np.where(place < lengths[:, None] - 1, _MORE, 0)
    kept = place < lengths[:, None]
    return _LETTERS[digits[kept]], lengths.astype(np.intp)
