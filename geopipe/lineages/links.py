"""Links: which record of a new delivery is the continuation of which before, by the first rule that fits.

Operators re-issue ids, split areas and redraw them. So records are matched by what stays the same, first
rule that fits: id and ground, ground alone, id with shared ground, shared ground alone. An id that stands
on other ground continues nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.engine.components import component_labels
from geopipe.engine.measure import TOUCH_M
from geopipe.lineages.matching import SAME_GROUND_M, common_codes, kth_with_kth, same_ground
from geopipe.overlay import shared_ground
from geopipe.schema import Frame, Indices, Mask

# From this likeness (IoU) on, the ground says more than an id that stands on other ground.
_NEARLY_SAME = 0.9
# What half of an area is, computed in two ways.
_ROUNDING = 1e-9


def links_between(previous: Frame, current: Frame, lineage_share: float) -> Links:
    """Find the links between the records of two deliveries; see :func:`geopipe.lineages.lineage.trace`."""
    links = Links(_sorted(previous), _sorted(current))
    links.same_id_and_ground()
    pairs = links.pairs()
    links.same_ground(pairs)
    links.shared_ground(pairs, lineage_share)
    return links


def _sorted(frame: Frame) -> Frame:
    return frame.take(pc.sort_indices(frame.table["row_id"]).to_numpy().astype(np.intp))


def _none() -> Indices:
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class _Pairs:
    """Pairs of a previous and a current record of one group, both not matched yet, whose boxes meet."""

    previous: Indices
    current: Indices
    same_id: Mask

    def take(self, which: Mask) -> _Pairs:
        return _Pairs(self.previous[which], self.current[which], self.same_id[which])


@dataclass
class Links:
    """The links found so far: `left` is the previous row, `right` the current one, `rule` why."""

    previous: Frame
    current: Frame
    left: Indices = field(default_factory=_none)
    right: Indices = field(default_factory=_none)
    rule: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free_previous: Mask = np.ones(len(self.previous), dtype=bool)
        self.free_current: Mask = np.ones(len(self.current), dtype=bool)
        self.bounds = shapely.bounds(self.previous.geometry), shapely.bounds(self.current.geometry)
        self.group = common_codes(self.previous, self.current, "operator", "register", "role")
        self.id = common_codes(self.previous, self.current, "record_id", "role")

    def link(self, rule: str, left: Indices, right: Indices) -> None:
        """Let previous rows be continued by current ones."""
        self.left = np.concatenate([self.left, left])
        self.right = np.concatenate([self.right, right])
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
            nothing = _none()
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
