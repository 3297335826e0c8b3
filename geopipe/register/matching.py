"""Which overlap of a run is the continuation of which case.

A case is a pair of lineages: its two records are followed by ground and by id, so that a case survives new
ids, and its number never passes to other ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.lineages.lineage import Followed, follow
from geopipe.schema import Frame, Indices, Mask, boxes_of

_GONE = ("vanished", "id_reused")
_NONE = np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class Pairs:
    """Pairs of records: rows of a FEATURES frame, one pair per element."""

    records: Frame
    left: Indices
    right: Indices

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: Mask | Indices) -> Pairs:
        """Return some of the pairs, of the same records."""
        return Pairs(self.records, self.left[which], self.right[which])


@dataclass(frozen=True)
class Matching:
    """What became of known pairs among the current ones.

    `successor` is the current pair that continues each known one, -1 where none alone does; `flipped` says
    that its sides are exchanged. `parents` are (known, current) pairs of rows where one pair became several
    or several one.
    """

    successor: Indices
    flipped: Mask
    parents: Sequence[tuple[int, int]]
    _followed: _Followed

    def after(self, record: int) -> Indices:
        """Return the rows of the current records that continue a known record, none where it is gone."""
        return self._followed.after(record)


def unchanged(
    left: Indices, right: Indices, current: Pairs, others: Sequence[str]
) -> tuple[Indices, Indices, Mask]:
    """Find the known pairs of which both records are as they were: what `match` says of these, sooner.

    A record whose version stands once on either side goes on in itself and in nothing else. Where a version
    stands there several times, only `match` can say which one goes on as which.

    Parameters
    ----------
    left, right : array of int
        For each known pair the current records that are wholly as its two, -1 where there is none.
    current : Pairs
        See :func:`match`.
    others : sequence of str
        The `version_id` of all known records that are not wholly as a current one.

    Returns
    -------
    known, current, flipped
        Rows of both, and where the sides are exchanged.
    """
    column = current.records.table["version_id"].combine_chunks()
    codes = column.dictionary_encode(null_encoding="encode").indices.to_numpy()
    is_alone = (np.bincount(codes)[codes] == 1) & ~current.records.flags("version_id", others)
    row = np.where(is_alone, np.arange(len(codes)), -1)
    before, after = _alone(_keys(np.append(row, -1), left, right), _keys(row, current.left, current.right))
    return before, after, np.asarray(left[before] != current.left[after])


def match(known: Pairs, current: Pairs, lineage_share: float, taken: Indices = _NONE) -> Matching:
    """Find what became of known pairs of records.

    Parameters
    ----------
    known : Pairs
        As they were seen last, records in the CRS (m) of `current`.
    current : Pairs
        All pairs of a run that share ground.
    lineage_share : float
        See :func:`geopipe.lineages.lineage.follow`.
    taken : array of int
        Current records of which it is known that they continue none of these.
    """
    rows = np.setdiff1d(_within_reach(known.records, current.records), taken)
    near = current.records.take(rows)
    followed = _Followed(follow(known.records, near, lineage_share), known.records, near)
    followed.spread(rows, len(current.records))
    keys = (
        _keys(followed.of_known, known.left, known.right),
        _keys(followed.of_current, current.left, current.right),
    )
    successor = np.full(len(known), -1, dtype=np.intp)
    parents: list[tuple[int, int]] = []
    alone = _alone(*keys)
    successor[alone[0]] = alone[1]
    for one, other in _groups(*keys):
        pairs = _by_name(known, current, one, other)
        successor[[before for before, _ in pairs]] = [after for _, after in pairs]
        left, right = np.setdiff1d(one, [p[0] for p in pairs]), np.setdiff1d(other, [p[1] for p in pairs])
        parents += [(int(before), int(after)) for before in left for after in right]
    flipped = np.zeros(len(known), dtype=bool)
    rows = np.flatnonzero(successor >= 0)
    flipped[rows] = _flipped(followed, known.take(rows), current.take(successor[rows]))
    return Matching(successor, flipped, parents, followed)


def _within_reach(known: Frame, current: Frame) -> Indices:
    """Return the current records that may continue a known one by any rule: called like it, or near it."""
    reached = np.zeros(len(current), dtype=bool)
    for name in ("version_id", "record_id"):
        before, now = (pc.fill_null(side.table[name].combine_chunks(), "") for side in (known, current))
        reached |= pc.is_in(now, before).to_numpy(zero_copy_only=False)
    boxes = shapely.box(*boxes_of(current).T)
    reached[shapely.STRtree(known.geometry).query(boxes)[0]] = True
    return np.flatnonzero(reached)


class _Followed:
    """The event of each record on either side; records without lineage have one of their own."""

    def __init__(self, lineage: Followed, known: Frame, current: Frame) -> None:
        before = _rows_in(known)
        after = _rows_in(current)
        gone = np.isin(lineage.change, _GONE)
        events = len(lineage.change)
        self.of_known = lineage.previous_event[before].copy()
        # Nothing continues these: neither the same event nor the same number on the other side.
        lost = gone[self.of_known]
        self.of_known[lost] = events + np.flatnonzero(lost)
        self.of_current = lineage.current_event[after].copy()
        self.of_current[gone[self.of_current]] = -1

    def spread(self, rows: Indices, size: int) -> None:
        """Let the current records be these rows of so many; the others continue nothing."""
        near, self.of_current = self.of_current, np.full(size, -1, dtype=np.intp)
        self.of_current[rows] = near

    @cached_property
    def _by_event(self) -> tuple[Indices, Indices]:
        rows = np.argsort(self.of_current, kind="stable")
        return rows, self.of_current[rows]

    def after(self, record: int) -> Indices:
        """Return the current records that are of the event of a known one."""
        rows, events = self._by_event
        event = self.of_known[record]
        return rows[np.searchsorted(events, event, "left") : np.searchsorted(events, event, "right")]


def _rows_in(frame: Frame) -> Indices:
    """Return where each row of a frame is in the same frame sorted by `row_id`, as lineages are."""
    order = pc.sort_indices(frame.table["row_id"]).to_numpy()
    place = np.empty(len(frame), dtype=np.intp)
    place[order] = np.arange(len(frame))
    return place


def _keys(event: NDArray[np.intp], left: Indices, right: Indices) -> NDArray[np.int64]:
    """Return one number for the two events of each pair, whichever side they stand on; -1 for none."""
    one, other = event[left].astype(np.int64), event[right].astype(np.int64)
    low, high = np.minimum(one, other), np.maximum(one, other)
    return np.where(low < 0, -1, low * (1 << 31) + high)


def _alone(known: NDArray[np.int64], current: NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Return the rows of both sides for each key that both have once."""
    sides = []
    for keys in (known, current):
        values, first, count = np.unique(keys, return_index=True, return_counts=True)
        once = (count == 1) & (values >= 0)
        sides.append((values[once], first[once]))
    _, one, other = np.intersect1d(sides[0][0], sides[1][0], assume_unique=True, return_indices=True)
    return sides[0][1][one], sides[1][1][other]


def _groups(known: NDArray[np.int64], current: NDArray[np.int64]) -> list[tuple[Indices, Indices]]:
    """Return the rows of both sides for each key that both have, one of them more than once."""
    shared = np.intersect1d(known[known >= 0], current)
    sides = []
    for keys in (known, current):
        order = np.argsort(keys, kind="stable")
        first = np.searchsorted(keys[order], shared, "left")
        last = np.searchsorted(keys[order], shared, "right")
        sides.append((order, first, last))
    several = np.flatnonzero((sides[0][2] - sides[0][1] > 1) | (sides[1][2] - sides[1][1] > 1))
    return [
        (sides[0][0][sides[0][1][at] : sides[0][2][at]], sides[1][0][sides[1][1][at] : sides[1][2][at]])
        for at in several.tolist()
    ]


def _by_name(known: Pairs, current: Pairs, one: Indices, other: Indices) -> list[tuple[int, int]]:
    """Return which pair continues which, within a group of records that hang together.

    Those continue each other that carry the same two ids, then those with the same two polygons. Nothing
    is inferred from what is left over.
    """
    found: list[tuple[int, int]] = []
    for column in ("record_id", "geometry_hash"):
        left, right = _names(known, one, column), _names(current, other, column)
        shared = [name for name in left if name in right and len(left[name]) == len(right[name]) == 1]
        pairs = [(left[name][0], right[name][0]) for name in shared]
        found += pairs
        one = np.setdiff1d(one, [p[0] for p in pairs])
        other = np.setdiff1d(other, [p[1] for p in pairs])
    return found


def _names(pairs: Pairs, rows: Indices, column: str) -> dict[frozenset[str], list[int]]:
    values = pairs.records.table[column].combine_chunks()
    names: dict[frozenset[str], list[int]] = {}
    for row in rows.tolist():
        key = frozenset(str(values[int(side[row])].as_py()) for side in (pairs.left, pairs.right))
        names.setdefault(key, []).append(row)
    return names


def _flipped(followed: _Followed, known: Pairs, current: Pairs) -> Mask:
    """Say where the right side of a known pair goes on as the left side of the current one.

    Where both records hang together, so that ground cannot tell them apart, their ids do.
    """
    events = followed.of_known[known.left], followed.of_known[known.right]
    crossed = events[0] != followed.of_current[current.left]
    ids = known.records.numpy("record_id"), current.records.numpy("record_id")
    old = ids[0][known.left], ids[0][known.right]
    new = ids[1][current.left], ids[1][current.right]
    named = ((old[0] == new[1]) | (old[1] == new[0])) & ~((old[0] == new[0]) | (old[1] == new[1]))
    return np.asarray(np.where(events[0] == events[1], named, crossed), dtype=bool)
