"""The order of the points of each polygon: by PointNo, or as they stand where the numbers do not say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.io.delivery import Problem

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Order:
    """Rows of the table, record after record and part after part, in the order of the ring.

    Parameters
    ----------
    rows : int array, shape (points,)
    starts : int array, shape (records + 1,)
        Where each record begins in `rows`.
    part_starts : int array, shape (parts + 1,)
        Where each part begins in `rows`; a part never crosses records.
    number_notes : list of str or None
        Per record, what is odd about its point numbers.
    interrupted : int
        Records whose rows do not stand together.
    """

    rows: Rows
    starts: Rows
    part_starts: Rows
    number_notes: list[str | None]
    interrupted: int

    @property
    def has_parts(self) -> bool:
        """Tell whether a record has more than one part."""
        return len(self.part_starts) > len(self.starts)

    def notes(self, label: str) -> list[Problem]:
        """Return what is worth telling about the whole table."""
        notes = []
        if self.interrupted:
            sentence = (
                f"{label}: the points of {self.interrupted:,} polygons do not stand together in the table"
            )
            notes.append(Problem("POINTS_SCATTERED", f"{sentence}. They were put together by polygon id."))
        parts = len(self.part_starts) - len(self.starts)
        if parts:
            sentence = f"{label}: the numbering begins again at 1 inside a polygon id {parts:,} times"
            remedy = "Each is read as a further part of the record, never as a hole. Please confirm."
            notes.append(Problem("POLYGON_IN_PARTS", f"{sentence}. {remedy}"))
        odd = sum(note is not None for note in self.number_notes)
        if odd:
            sentence = (
                f"{label}: {odd:,} polygons have missing or repeated point numbers. A point may be lost."
            )
            notes.append(Problem("POINT_NUMBERS_ODD", f"{sentence} Please check them."))
        return notes


def point_numbers(cells: pa.Array) -> NDArray[np.float64]:
    """Return PointNo as numbers, also of texts such as `TP 3`; NaN where there is none."""
    digits = pc.struct_field(pc.extract_regex(cells, r"^\D*(?P<digits>\d{1,9})(?:\.0*)?$"), "digits")
    return np.asarray(digits.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def order_points(
    which: Rows, group: Rows, numbers: NDArray[np.float64], repeats_first: NDArray[np.bool_]
) -> Order:
    """Return the order of the points of all polygons, polygons by their first row.

    Parameters
    ----------
    which : int array
        Rows that are points of a ring, ascending.
    group : int array
        The polygon of each of these rows.
    numbers : float array
        PointNo of each of these rows; NaN where there is none.
    repeats_first : bool array
        The row says itself that it is the first point of its polygon again.
    """
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    record = np.argsort(np.argsort(first))[inverse]
    order = np.argsort(record, kind="stable")
    starts = np.r_[np.flatnonzero(np.diff(record[order], prepend=-1)), len(order)]
    within = np.arange(len(order)) - np.repeat(starts[:-1], np.diff(starts))
    is_clean = np.logical_and.reduceat(numbers[order] == within + 1, starts[:-1])
    spans = order[starts[1:] - 1] - order[starts[:-1]] + 1
    notes: list[str | None] = [None] * len(is_clean)
    cuts = [starts[:-1]]
    for at in np.flatnonzero(~is_clean):
        begin, end = starts[at], starts[at + 1]
        rows = order[begin:end]
        parts, notes[at] = _parts(rows, numbers[rows], repeats_first[rows])
        order[begin:end] = np.concatenate(parts)
        cuts.append(begin + np.cumsum([len(part) for part in parts[:-1]], dtype=np.intp))
    part_starts = np.r_[np.sort(np.concatenate(cuts)), len(order)]
    interrupted = int((spans != np.diff(starts)).sum())
    return Order(which[order], starts, part_starts, notes, interrupted)


def _parts(
    rows: Rows, numbers: NDArray[np.float64], repeats_first: NDArray[np.bool_]
) -> tuple[list[Rows], str | None]:
    """Return the parts of one polygon in order, and what is odd about its numbers."""
    if np.isnan(numbers).any():
        return [rows], f"{np.isnan(numbers).sum()} points have no number: their order in the table is kept"
    cuts = [at for at in np.flatnonzero(numbers == 1) if at > 0] if len(set(numbers)) < len(numbers) else []
    if cuts and cuts[-1] == len(rows) - 1 and repeats_first[-1]:
        cuts.pop()  # not a new part: the first point stands at the end again
    parts = np.split(np.arange(len(rows)), cuts)
    closing = len(parts[-1]) > 1 and bool(repeats_first[-1])
    told = []
    for part in parts:
        own = numbers[part][: len(part) - (closing and part is parts[-1])]
        if len(set(own)) < len(own):  # no order can be read from numbers that repeat
            repeated = [number for number, count in Counter(own).items() if count > 1]
            return [rows], f"numbers repeat: {_shown(repeated)}; their order in the table is kept"
        missing = sorted(set(range(1, int(min(own.max(), len(own) + 100)) + 1)) - set(own))
        if missing:
            told.append(f"PointNo {_shown(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    ordered = []
    for part in parts:
        own = numbers[part].copy()
        if closing and part is parts[-1]:
            own[-1] = np.inf
        ordered.append(rows[part[np.argsort(own, kind="stable")]])
    return ordered, "; ".join(told) or None


def _shown(numbers: list[float] | list[int]) -> str:
    """Return up to ten numbers as text."""
    shown = ", ".join(f"{number:g}" for number in numbers[:10])
    return f"{shown} ..." if len(numbers) > 10 else shown
