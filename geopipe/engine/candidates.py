"""Candidate pairs: areas whose boxes meet, found tile by tile so that many areas need no more memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.schema import Geometries, Indices

# The smallest tile, so that areas stacked on one place do not divide for ever.
_SMALLEST_M = 64.0


@dataclass(frozen=True)
class Tile:
    """A square of the working CRS (m), closed below and to the left, and the rows whose boxes meet it."""

    west: float
    south: float
    size_m: float
    rows: Indices

    def owns(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which points lie in the tile; each point of the plane lies in exactly one."""
        in_x = (x >= self.west) & (x < self.west + self.size_m)
        in_y = (y >= self.south) & (y < self.south + self.size_m)
        return np.asarray(in_x & in_y)


def tiles(boxes: NDArray[np.float64], most_rows: int) -> Iterator[Tile]:
    """Divide the plane into squares, from the origin of the CRS, until none holds too many areas.

    Parameters
    ----------
    boxes : array of shape (n, 4)
        West, south, east, north in m, finite.
    most_rows : int
        A square that meets more areas than this is divided in four, down to 64 m.

    Yields
    ------
    Tile
        Those that meet any area, from south-west to north-east within each division.
    """
    if len(boxes) == 0:
        return
    size_m = _SMALLEST_M
    while size_m < np.abs(boxes).max() + 1:
        size_m *= 2
    waiting = [
        Tile(west, south, size_m, np.arange(len(boxes)))
        for south in (0.0, -size_m)
        for west in (0.0, -size_m)
    ]
    while waiting:
        tile = waiting.pop()
        rows = tile.rows[_meets(boxes[tile.rows], tile)]
        if len(rows) <= most_rows or tile.size_m <= _SMALLEST_M:
            if len(rows):
                yield Tile(tile.west, tile.south, tile.size_m, rows)
            continue
        half = tile.size_m / 2
        waiting += [
            Tile(west, south, half, rows)
            for south in (tile.south + half, tile.south)
            for west in (tile.west + half, tile.west)
        ]


def _meets(boxes: NDArray[np.float64], tile: Tile) -> NDArray[np.bool_]:
    """Say which boxes reach into a tile."""
    in_x = (boxes[:, 2] >= tile.west) & (boxes[:, 0] < tile.west + tile.size_m)
    in_y = (boxes[:, 3] >= tile.south) & (boxes[:, 1] < tile.south + tile.size_m)
    return np.asarray(in_x & in_y)


def pairs_in(tile: Tile, boxes: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """Return the pairs whose boxes meet in a tile (lower row first); every pair belongs to one tile.

    It is the one that holds the lower left corner of what the two boxes have in common.
    """
    mine = boxes[tile.rows]
    shapes = np.asarray(shapely.box(*mine.T), dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes)
    x, y = (np.maximum(mine[one, side], mine[other, side]) for side in (0, 1))
    kept = (one < other) & tile.owns(x, y)
    return tile.rows[one[kept]], tile.rows[other[kept]]


def all_pairs(geometry: Geometries) -> tuple[Indices, Indices]:
    """Return the pairs whose boxes meet, lower row first."""
    one, other = shapely.STRtree(geometry).query(geometry)
    kept = one < other
    return one[kept], other[kept]
