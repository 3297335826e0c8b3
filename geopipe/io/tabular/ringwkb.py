"""Write the rings of many polygons as WKB at once."""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_HEAD = np.frombuffer(struct.pack("<BII", 1, 3, 1), np.uint8)  # little-endian, polygon, one ring
_HEAD_BYTES = len(_HEAD) + 4
_FEWEST = 3


def wkb_of_rings(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    starts: NDArray[np.intp],
    part_starts: NDArray[np.intp],
) -> pa.Array:
    """Return polygons; records with several parts become multipolygons; without any point, null.

    Lists of turning points are not closed; a ring of three points and more is closed here, which adds no
    ground. Shorter ones stay as they are. A missing coordinate stays in its place as NaN: nobody may
    take the ring without it for the polygon.

    Parameters
    ----------
    x, y : float64 arrays, shape (points,)
    starts, part_starts : int arrays
        Where records and parts begin, and the number of points at the end.
    """
    points, counts = _closed(np.column_stack([x, y]), part_starts)
    polygons = _polygons(points, counts)
    first_part = np.searchsorted(part_starts, starts)
    is_multi = np.diff(first_part) > 1
    wkb = polygons.take(pa.array(first_part[:-1]))
    if is_multi.any():
        joined = [
            _multi(polygons.slice(begin, end - begin).to_pylist()) if end - begin > 1 else None
            for begin, end in pairwise(first_part.tolist())
        ]
        wkb = pc.if_else(pa.array(is_multi), pa.array(joined, pa.large_binary()), wkb)
    is_read = np.logical_or.reduceat(np.isfinite(x) & np.isfinite(y), starts[:-1])
    return pc.if_else(pa.array(is_read), wkb, pa.scalar(None, pa.large_binary()))


def _closed(
    points: NDArray[np.float64], part_starts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the points with the first of each open ring repeated at its end, and the points per ring."""
    counts = np.diff(part_starts)
    first, last = points[part_starts[:-1]], points[part_starts[1:] - 1]
    is_open = (counts >= _FEWEST) & (first != last).any(axis=1)
    closed = np.insert(points, part_starts[1:][is_open], first[is_open], axis=0)
    return closed, counts + is_open


def _polygons(points: NDArray[np.float64], counts: NDArray[np.intp]) -> pa.Array:
    """Return one polygon per ring."""
    ends = np.r_[0, np.cumsum(_HEAD_BYTES + 16 * counts)].astype(np.int64)
    heads = np.empty((len(counts), _HEAD_BYTES), dtype=np.uint8)
    heads[:, : len(_HEAD)] = _HEAD
    heads[:, len(_HEAD) :] = counts.astype("<u4").view(np.uint8).reshape(-1, 4)
    data = np.empty(ends[-1], dtype=np.uint8)
    is_point = np.ones(ends[-1], dtype=bool)
    where = ends[:-1, None] + np.arange(_HEAD_BYTES)
    data[where] = heads
    is_point[where] = False
    data[is_point] = points.astype("<f8").view(np.uint8).ravel()
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(counts), buffers)


def _multi(polygons: list[bytes]) -> bytes:
    """Return one multipolygon of several polygons."""
    return struct.pack("<BII", 1, 6, len(polygons)) + b"".join(polygons)
