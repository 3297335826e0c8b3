"""Lineage: what became of the records of one delivery in the next, as events of records that hang together.

Which record continues which is found in :mod:`geopipe.lineages.links`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.engine.components import component_labels
from geopipe.lineages.changed_ground import areas_m2, lost_and_gained
from geopipe.lineages.links import Links, links_between
from geopipe.lineages.matching import by_event
from geopipe.lineages.versions import attributes_changed
from geopipe.schema import Frame, Geometries, Indices

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
    return _lineage(links_between(previous, current, lineage_share))


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
    return _followed(links_between(previous, current, lineage_share))


def _followed(links: Links) -> Followed:
    """Number the events and name them."""
    size = len(links.previous)
    left, right = links.left, links.right
    label = component_labels(size + len(links.current), left, right + size)
    _, event = np.unique(label, return_inverse=True)
    before, after = event[:size], event[size:]
    rule = np.full(int(event.max(initial=-1)) + 1, "", dtype=object)
    rule[before[left]] = links.rule
    counts = (np.bincount(side, minlength=len(rule)) for side in (before, after))
    return Followed(links.previous, links.current, before, after, _named(rule, *counts))


def _lineage(links: Links) -> Lineage:
    """Number the events and find what each gained and lost."""
    found = _followed(links)
    before, after, change = found.previous_event, found.current_event, found.change
    left, right = links.left, links.right
    attributes = np.full(len(change), "", dtype=object)
    alone = ~np.isin(change[before[left]], ["split", "merged", "regrouped", "id_reused"])
    attributes[before[left[alone]]] = attributes_changed(
        links.previous.take(left[alone]), links.current.take(right[alone])
    )
    change[(change == "unchanged") & (attributes != "")] = "attributes"
    lost, gained = lost_and_gained(change, links.previous.geometry, before, links.current.geometry, after)
    return Lineage(links.previous, links.current, before, after, change, attributes, lost, gained)


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
