"""Match records of two frames by what they have in common: values, or ground."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.geometry import canonical, overlaid
from geopipe.schema import Frame, Geometries, Indices, Mask
from geopipe.threads import threaded

# The same turning points, delivered in another CRS or rounded to 8 decimals of a degree, are the same ground.
SAME_GROUND_M = 1e-3


def common_codes(left: Frame, right: Frame, *names: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return small integers for the different values of some string columns, the same on both sides."""
    size = len(left)
    codes: NDArray[np.int64] = np.zeros(size + len(right), dtype=np.int64)
    for name in names:
        chunks = [chunk for frame in (left, right) for chunk in frame.table[name].chunks]
        column = pc.fill_null(pa.chunked_array(chunks, pa.string()), "")
        encoded = column.combine_chunks().dictionary_encode()
        one = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = np.unique(codes * (len(encoded.dictionary) + 1) + one, return_inverse=True)[1]
    return codes[:size], codes[size:]


def kth_with_kth(left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Return positions that pair the k-th of a code on the left with the k-th of it on the right."""
    span = len(left) + len(right) + 1
    first, second = left * span + _rank(left), right * span + _rank(right)
    _, one, other = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return one, other


def _rank(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each value how many equal ones stand before it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(codes)]
    position = np.arange(len(codes))
    first = np.maximum.accumulate(np.where(starts, position, 0)) if len(codes) else position
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = position - first
    return rank


def same_ground(left: Geometries, right: Geometries) -> Mask:
    """Say of pairs of polygons, row by row, which are the same to a millimetre, however they are written."""
    equal = np.asarray(
        threaded(shapely.equals_exact, canonical(left), canonical(right), tolerance=SAME_GROUND_M), dtype=bool
    )
    # Rounding can change where a canonical ring begins, and a point may lie on a straight edge.
    rows = np.flatnonzero(~equal)
    if len(rows):
        borders = shapely.boundary(left[rows]), shapely.boundary(right[rows])
        apart_m = threaded(shapely.hausdorff_distance, *borders)
        rows = rows[apart_m <= SAME_GROUND_M]
        between_m2 = shapely.area(overlaid(shapely.symmetric_difference, left[rows], right[rows]))
        equal[rows[between_m2 <= SAME_GROUND_M * shapely.length(left[rows])]] = True
    return equal


def by_event(event: Indices, size: int) -> tuple[Indices, Indices]:
    """Return the rows in the order of their events, and where each event's rows begin (and the last end)."""
    ends = np.cumsum(np.bincount(event, minlength=size))
    return np.argsort(event, kind="stable"), np.concatenate([[0], ends]).astype(np.intp)
