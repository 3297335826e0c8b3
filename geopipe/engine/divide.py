"""Divide records into parts that have nothing to do with each other, to be worked on in any order.

Two records have to do with each other when their boxes come near, or when they carry one id. Whatever
hangs together through such pairs stays in one part; so what is found in the parts is what is found in
all records together.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from geopipe.engine.candidates import pairs_in, tiles
from geopipe.engine.components import component_labels
from geopipe.schema import Indices

# Records whose boxes are looked at together: the trees of a larger square would need more memory.
_BOXES_AT_ONCE = 100_000
# Parts lie together on the map: what a worker reads for one of them is in few pages of the files.
_CELL_M = 2_000.0


def divide(
    boxes: NDArray[np.float64], near_m: float, alike: Iterable[NDArray[np.int64]], most: int
) -> list[Indices]:
    """Return the rows of each part, ascending.

    Parameters
    ----------
    boxes : array of shape (n, 4)
        West, south, east, north in m, finite.
    near_m : float
        Records whose boxes are at most this far apart have to do with each other.
    alike : iterable of arrays of shape (n,)
        Records with the same number (not -1) in one of these arrays have to do with each other.
    most : int
        How many records a part should hold at most; only what hangs together makes it larger.
    """
    if len(boxes) == 0:
        return []
    label = _labels(boxes, near_m, alike)
    first = label == np.arange(len(label))
    place = np.zeros(len(label), dtype=np.int64)
    place[first] = _place(boxes[first])
    # Components in the order of the map, those on one place by their first row.
    order = np.lexsort((np.arange(len(label)), label, place[label]))
    component_ends = np.flatnonzero(np.diff(label[order])) + 1
    ends = _packed(np.diff(np.concatenate([[0], component_ends, [len(order)]])), most)
    return [np.sort(part) for part in np.split(order, ends)]


def _labels(boxes: NDArray[np.float64], near_m: float, alike: Iterable[NDArray[np.int64]]) -> Indices:
    """Return for each record the lowest row that it hangs together with."""
    grown = boxes + np.array([-near_m, -near_m, near_m, near_m]) / 2
    # Of many records on one place one stands for all: their pairs would not fit into the memory.
    place, first = _places(grown)
    pairs = [_neighbours(numbers) for numbers in (*alike, place)]
    distinct = grown[first]
    for tile in tiles(distinct, _BOXES_AT_ONCE):
        near = pairs_in(tile, distinct)
        pairs.append((first[near[0]], first[near[1]]))
    left, right = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return component_labels(len(boxes), left, right)


def _places(boxes: NDArray[np.float64]) -> tuple[NDArray[np.int64], Indices]:
    """Return a number for each box, the same for equal ones, and for each number one row that has it."""
    order = np.lexsort(boxes.T)
    is_new = np.ones(len(boxes), dtype=bool)
    is_new[1:] = (np.diff(boxes[order], axis=0) != 0).any(axis=1)
    number = np.empty(len(boxes), dtype=np.int64)
    number[order] = np.cumsum(is_new) - 1
    return number, order[is_new]


def _neighbours(numbers: NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Return pairs that tie all rows of one number together."""
    order = np.argsort(numbers, kind="stable")
    tied = (np.diff(numbers[order]) == 0) & (numbers[order][1:] != -1)
    return order[:-1][tied], order[1:][tied]


def _place(boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a number for the lower left corner of each box, such that near numbers are near on the map."""
    cells = np.floor(boxes[:, :2] / _CELL_M).astype(np.int64)
    cells -= cells.min(axis=0)
    place = np.zeros(len(boxes), dtype=np.int64)
    for bit in range(24):
        for axis in (0, 1):
            place |= ((cells[:, axis] >> bit) & 1) << (2 * bit + axis)
    return place


def _packed(sizes: Indices, most: int) -> Indices:
    """Return where parts end when components of these sizes are put together, one after the other."""
    total = np.cumsum(sizes)
    part = (total - 1) // most
    return total[:-1][np.diff(part) > 0]
