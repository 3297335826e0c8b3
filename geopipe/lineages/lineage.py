"""Lineage: which records of a new delivery continue which records of the one before.

Operators re-issue ids, split areas and redraw them. So records are matched by what stays the same, first
rule that fits: id and ground, ground alone, id with shared ground, shared ground alone. An id that stands
on other ground continues nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.engine.components import component_labels
from geopipe.engine.measure import TOUCH_M
from geopipe.lineages.changed_ground import areas_m2, lost_and_gained
from geopipe.lineages.matching import SAME_GROUND_M, by_event, common_codes, kth_with_kth, same_ground
from geopipe.lineages.versions import attributes_changed
from geopipe.overlay import shared_ground
from geopipe.schema import Frame, Geometries, Indices, Mask

# From this likeness (IoU) on, the ground says more than an id that stands on other ground.
_NEARLY_SAME = 0.9
# What half of an area is, computed in two ways.
_ROUNDING = 1e-9

LINEAGE = pa.schema(
    [
        ("change", pa.string()),
        ("operator", pa.string()),
        ("register", pa.string()),
        ("role", pa.string()),
        ("previous_ids", pa.list_(pa.string())),
        ("previous_row_ids", pa.list_(pa.string())),
        ("current_ids", pa.list_(pa.string())),
        ("current_row_ids", pa.list_(pa.string())),
        ("attributes_changed", pa.string()),
        ("lost_m2", pa.float64()),
        ("gained_m2", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Lineage:
    """What became of the records of one delivery in the next: one event per group that hangs together.

    `change` is one of *unchanged, attributes, edited* (same id), *re_issued* (same ground, other id),
    *redrawn* (other id and other ground), *split, merged, regrouped, id_reused, added, vanished*. Each
    record of either side belongs to exactly one event: `previous_event` and `current_event` hold its number
    for each row of `previous` and `current`. `lost` and `gained` are ground (m, None where there is none).
    """

    previous: Frame
    current: Frame
    previous_event: Indices
    current_event: Indices
    change: NDArray[np.object_]
    attributes_changed: NDArray[np.object_]
    lost: Geometries
    gained: Geometries

    def __len__(self) -> int:
        return len(self.change)

    def previous_rows(self, event: int) -> Indices:
        """Return the rows of `previous` that belong to an event."""
        return _rows_of(event, *self._previous_order)

    def current_rows(self, event: int) -> Indices:
        """Return the rows of `current` that belong to an event."""
        return _rows_of(event, *self._current_order)

    @cached_property
    def _previous_order(self) -> tuple[Indices, Indices]:
        return by_event(self.previous_event, len(self))

    @cached_property
    def _current_order(self) -> tuple[Indices, Indices]:
        return by_event(self.current_event, len(self))

    def columns(self, name: str) -> tuple[pa.ListArray, pa.ListArray]:
        """Return, for each event, the list of its previous and of its current values of a column."""
        sides = (self.previous, self._previous_order), (self.current, self._current_order)
        before, after = (
            pa.ListArray.from_arrays(
                pa.array(starts, pa.int32()), frame.table[name].combine_chunks().take(pa.array(order))
            )
            for frame, (order, starts) in sides
        )
        return before, after

    def first(self, name: str) -> pa.Array:
        """Return a column's value of the first record of each event, the current one where there is one."""
        size, sides = len(self), []
        for frame, event in ((self.current, self.current_event), (self.previous, self.previous_event)):
            rows = np.full(size, len(frame))
            np.minimum.at(rows, event, np.arange(len(frame)))
            missing = rows == len(frame)
            column = frame.table[name].combine_chunks()
            sides.append(column.take(pa.array(rows, mask=missing)))
        return pc.coalesce(*sides)

    def table(self) -> pa.Table:
        """Return the events as a LINEAGE table."""
        ids, rows = self.columns("record_id"), self.columns("row_id")
        values = [
            pa.array(self.change, pa.string()),
            *(self.first(name) for name in ("operator", "register", "role")),
            *(ids[0], rows[0], ids[1], rows[1]),
            pa.array(self.attributes_changed, pa.string()),
            pa.array(areas_m2(self.lost)),
            pa.array(areas_m2(self.gained)),
        ]
        return pa.table(values, schema=LINEAGE)


def trace(previous: Frame, current: Frame, lineage_share: float = 0.5) -> Lineage:
    """Match the records of two deliveries, each operator, register and role on its own.

    Parameters
    ----------
    previous, current : Frame
        FEATURES with valid polygons, in the same equal-area CRS (m).
    lineage_share : float
        From this share of the smaller polygon on, shared ground means that one continues the other.

    Returns
    -------
    Lineage
        Its frames are sorted by `row_id`; the order of the rows given does not matter.
    """
    return _matched(previous, current, lineage_share).lineage()


@dataclass(frozen=True)
class Followed:
    """The events of a lineage without what changed in them; see :class:`Lineage`."""

    previous: Frame
    current: Frame
    previous_event: Indices
    current_event: Indices
    change: NDArray[np.object_]


def follow(previous: Frame, current: Frame, lineage_share: float = 0.5) -> Followed:
    """Match the records of two deliveries as :func:`trace` does; only say which goes on as which."""
    return _matched(previous, current, lineage_share).followed()


def _matched(previous: Frame, current: Frame, lineage_share: float) -> _Match:
    match = _Match(_sorted(previous), _sorted(current))
    match.same_id_and_ground()
    pairs = match.pairs()
    match.same_ground(pairs)
    match.shared_ground(pairs, lineage_share)
    return match


def _sorted(frame: Frame) -> Frame:
    return frame.take(pc.sort_indices(frame.table["row_id"]).to_numpy().astype(np.intp))


@dataclass(frozen=True)
class _Pairs:
    """Pairs of a previous and a current record of one group, both not matched yet, whose boxes meet."""

    previous: Indices
    current: Indices
    same_id: Mask

    def take(self, which: Mask) -> _Pairs:
        return _Pairs(self.previous[which], self.current[which], self.same_id[which])


@dataclass
class _Match:
    """The links found so far: `left` is the previous row, `right` the current one."""

    previous: Frame
    current: Frame
    left: list[Indices] = field(default_factory=list)
    right: list[Indices] = field(default_factory=list)
    rule: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free_previous: Mask = np.ones(len(self.previous), dtype=bool)
        self.free_current: Mask = np.ones(len(self.current), dtype=bool)
        self.bounds = shapely.bounds(self.previous.geometry), shapely.bounds(self.current.geometry)
        self.group = common_codes(self.previous, self.current, "operator", "register", "role")
        self.id = common_codes(self.previous, self.current, "record_id", "role")

    def link(self, rule: str, left: Indices, right: Indices) -> None:
        """Let previous rows be continued by current ones."""
        self.left.append(left)
        self.right.append(right)
        self.rule += [rule] * len(left)
        self.free_previous[left] = False
        self.free_current[right] = False

    def same_id_and_ground(self) -> None:
        """Rule 1 for what was delivered byte by byte as before: nearly all of a delivery."""
        for columns in (("version_id", "role"), ("record_id", "geometry_hash", "role")):
            codes = common_codes(self.previous, self.current, *columns)
            left, right = np.flatnonzero(self.free_previous), np.flatnonzero(self.free_current)
            one, other = kth_with_kth(codes[0][left], codes[1][right])
            left, right = left[one], right[other]
            # The same bytes lie elsewhere when a person has confirmed another reading of them.
            stays = self._near_boxes(left, right)
            self.link("same", left[stays], right[stays])

    def _near_boxes(self, left: Indices, right: Indices) -> Mask:
        distance = np.abs(self.bounds[0][left] - self.bounds[1][right])
        return np.asarray((distance <= SAME_GROUND_M).all(axis=1))

    def pairs(self) -> _Pairs:
        """Return the pairs that have a chance: one group, not matched, boxes that meet."""
        left, right = np.flatnonzero(self.free_previous), np.flatnonzero(self.free_current)
        if len(left) == 0 or len(right) == 0:
            nothing = np.empty(0, dtype=np.intp)
            return _Pairs(nothing, nothing, nothing.astype(bool))
        one, other = shapely.STRtree(self.current.geometry[right]).query(self.previous.geometry[left])
        left, right = left[one], right[other]
        inside = self.group[0][left] == self.group[1][right]
        left, right = left[inside], right[inside]
        return _Pairs(left, right, self.id[0][left] == self.id[1][right])

    def still_free(self, pairs: _Pairs) -> _Pairs:
        """Return the pairs of which neither side is matched yet."""
        return pairs.take(self.free_previous[pairs.previous] & self.free_current[pairs.current])

    def same_ground(self, pairs: _Pairs) -> None:
        """Rule 1 and rule 2 for ground that is the same to a millimetre, whoever holds its id now."""
        near = pairs.take(self._near_boxes(pairs.previous, pairs.current))
        equal = near.take(
            same_ground(self.previous.geometry[near.previous], self.current.geometry[near.current])
        )
        for rule, chosen in (("same", equal.take(equal.same_id)), ("re_issued", equal)):
            free = self.still_free(chosen)
            size = len(self.previous)
            label = component_labels(size + len(self.current), free.previous, free.current + size)
            left, right = np.unique(free.previous), np.unique(free.current)
            one, other = kth_with_kth(label[left], label[right + size])
            self.link(rule, left[one], right[other])

    def shared_ground(self, pairs: _Pairs, lineage_share: float) -> None:
        """Rules 3 to 5: shared ground with the same id, shared ground alone, the same id on other ground."""
        pairs = self.still_free(pairs)
        size = len(self.previous)
        both = np.concatenate([self.previous.geometry, self.current.geometry])
        ground = shared_ground(both, pairs.previous, pairs.current + size, TOUCH_M)
        left, right = ground.left, ground.right - size
        smaller_m2 = np.minimum(shapely.area(both[ground.left]), shapely.area(both[ground.right]))
        enough = ground.area_m2 >= (lineage_share - _ROUNDING) * smaller_m2
        same_id = self.id[0][left] == self.id[1][right]
        edited = enough & same_id
        common_m2 = ground.area_m2
        both_m2 = shapely.area(both[ground.left]) + shapely.area(both[ground.right]) - common_m2
        exchanged = _exchanged(left, right, common_m2 / both_m2, edited)
        self.link("redrawn", left[exchanged], right[exchanged])
        edited &= self.free_previous[left] & self.free_current[right]
        self.link("edited", left[edited], right[edited])
        rest = enough & self.free_previous[left] & self.free_current[right]
        self.link("redrawn", left[rest], right[rest])
        self._reused_ids(left[same_id], right[same_id])

    def _reused_ids(self, left: Indices, right: Indices) -> None:
        """Rule 5: the same delivered id on ground that has nothing in common (`left`, `right` have some)."""
        delivered = self.previous.numpy("id_is_delivered").astype(bool)
        rows = np.flatnonzero(self.free_previous & delivered), np.flatnonzero(self.free_current)
        one, other = kth_with_kth(self.id[0][rows[0]], self.id[1][rows[1]])
        first, second = rows[0][one], rows[1][other]
        size = len(self.current)
        apart = ~np.isin(first * size + second, left * size + right)
        self.link("id_reused", first[apart], second[apart])

    def followed(self) -> Followed:
        """Number the events and name them."""
        size = len(self.previous)
        left, right = _joined(self.left), _joined(self.right)
        label = component_labels(size + len(self.current), left, right + size)
        _, event = np.unique(label, return_inverse=True)
        before, after = event[:size], event[size:]
        rule = np.full(int(event.max(initial=-1)) + 1, "", dtype=object)
        rule[before[left]] = self.rule
        counts = (np.bincount(side, minlength=len(rule)) for side in (before, after))
        return Followed(self.previous, self.current, before, after, _named(rule, *counts))

    def lineage(self) -> Lineage:
        """Number the events and find what each gained and lost."""
        found = self.followed()
        before, after, change = found.previous_event, found.current_event, found.change
        left, right = _joined(self.left), _joined(self.right)
        attributes = np.full(len(change), "", dtype=object)
        alone = ~np.isin(change[before[left]], ["split", "merged", "regrouped", "id_reused"])
        attributes[before[left[alone]]] = attributes_changed(
            self.previous.take(left[alone]), self.current.take(right[alone])
        )
        change[(change == "unchanged") & (attributes != "")] = "attributes"
        lost, gained = lost_and_gained(change, self.previous.geometry, before, self.current.geometry, after)
        return Lineage(self.previous, self.current, before, after, change, attributes, lost, gained)


def _exchanged(left: Indices, right: Indices, likeness: NDArray[np.float64], edited: Mask) -> Mask:
    """Say which pairs nearly lie on each other although their ids lead elsewhere: ids that changed places.

    Each of the two must be likest to the other, and none may have its own id on nearly the same ground.
    """
    best = np.zeros(len(left), dtype=bool)
    near = np.flatnonzero((likeness >= _NEARLY_SAME) & ~edited)
    if not len(near):
        return best
    size = int(max(left.max(), right.max())) + 1
    most = [np.zeros(size), np.zeros(size)]
    for side, rows in enumerate((left, right)):
        np.maximum.at(most[side], rows, likeness)
    is_best = (likeness[near] == most[0][left[near]]) & (likeness[near] == most[1][right[near]])
    elsewhere, own = edited & (likeness < _NEARLY_SAME), edited & (likeness >= _NEARLY_SAME)
    contested = np.isin(left[near], left[elsewhere]) | np.isin(right[near], right[elsewhere])
    contested &= ~np.isin(left[near], left[own]) & ~np.isin(right[near], right[own])
    near = near[is_best & contested]
    _, first = np.unique(left[near], return_index=True)
    near = near[first]
    _, first = np.unique(right[near], return_index=True)
    best[near[first]] = True
    return best


def _joined(rows: list[Indices]) -> Indices:
    return np.concatenate([np.empty(0, dtype=np.intp), *rows]).astype(np.intp)


def _named(rule: NDArray[Any], before: Indices, after: Indices) -> NDArray[np.object_]:
    """Name each event by its rule and by how many records it has on either side."""
    linked = rule != ""
    return np.select(
        [
            ~linked & (after == 0),
            ~linked,
            (before == 1) & (after == 1),
            before == 1,
            after == 1,
        ],
        ["vanished", "added", np.where(rule == "same", "unchanged", rule), "split", "merged"],
        "regrouped",
    ).astype(object)


def _rows_of(event: int, order: Indices, starts: Indices) -> Indices:
    return order[starts[event] : starts[event + 1]]
