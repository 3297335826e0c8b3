"""Deliveries as a run has received them: their bytes, how they were read, and the records in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe.identity import hash_text
from geopipe.io.ledgers.inforce import INCREMENT, SNAPSHOT, Group
from geopipe.lineages.reading import left_out
from geopipe.schema import Delivery, Frame, State

# What a person may change about a reading of the same bytes, record by record.
_AS_READ = ("version_id", "kind", "role", "crs", "correction")
_AS_DRAWN = ("version_id", "kind", "role", "position")


@dataclass(frozen=True)
class Received:
    """One delivery as a run has read it: its records in the working CRS, before any is set aside.

    `key` names this reading of these bytes: another operator, kind, or confirmed coordinate system
    gives another one, also where records can only be drawn.
    """

    key: str
    delivery: Delivery
    records: Frame
    whole: bool

    @property
    def groups(self) -> Counter[Group]:
        """How many records it holds of each (operator, register, role)."""
        names = (self.records.table[name].to_pylist() for name in ("operator", "register", "role"))
        return Counter(Group(*values) for values in zip(*names, strict=True))

    @property
    def mode(self) -> str:
        """Snapshot only if it was read whole: absence is inferred from nothing less."""
        return SNAPSHOT if self.whole and self.delivery.mode == SNAPSHOT else INCREMENT


@dataclass(frozen=True)
class Before:
    """What was in force before a run's newest deliveries, what was carried on with it, what only drawn."""

    previous: Frame
    carried: Frame
    unresolved: Frame


def received(placed: State) -> tuple[Received, ...]:
    """Return the deliveries of a run as `reproject` left them; each content once, with all its records."""
    by_content: dict[str, list[Delivery]] = {}
    for delivery in placed.deliveries:
        if delivery.content_hash:
            by_content.setdefault(delivery.content_hash, []).append(delivery)
    unread = {delivery.file for delivery in left_out(placed)}
    return tuple(_received(placed, same, unread) for same in by_content.values())


def _received(placed: State, same: list[Delivery], unread: set[str]) -> Received:
    """Return what was received of one content, under as many names and for as many operators as it came."""
    records = placed.features.take(placed.features.flags("file", [item.file for item in same]))
    said = [(item.content_hash, item.mode, item.role, item.period) for item in same]
    whole = not unread & {item.file for item in same}
    drawn = placed.unresolved.take(placed.unresolved.flags("file", [item.file for item in same]))
    read_as = (said, _as_read(records), *([_as_drawn(drawn)] if len(drawn) else []))
    return Received(hash_text(repr(read_as)), same[0], records, whole)


def counts_by_operator(records: Frame, delivery: Delivery) -> Counter[str]:
    """Return how many records of a delivery each operator has; those of nobody known are the sender's."""
    mine = records.table["operator"].filter(np.asarray(records.flags("file", [delivery.file])))
    return Counter(operator or delivery.operator for operator in mine.to_pylist())


def of_group(records: Frame, group: Group) -> Frame:
    """Return the records of one operator, register and role."""
    chosen = records.flags("operator", [group.operator]) & records.flags("register", [group.register])
    return records.take(chosen & records.flags("role", [group.role]))


def _as_read(records: Frame) -> str:
    """Return one hash for how records were read, whatever their order."""
    return _hash_of_rows(_texts(records, *_AS_READ))


def _as_drawn(drawn: Frame) -> str:
    """Return one hash for what is drawn of records, and where (to about 10 m), whatever their order."""
    places = shapely.to_wkt(drawn.geometry, rounding_precision=4, trim=True)
    return _hash_of_rows([*_texts(drawn, *_AS_DRAWN), pa.array(places.tolist(), pa.string())])


def _texts(frame: Frame, *names: str) -> list[Any]:
    return [pc.fill_null(_shortened(frame.table[name]), "") for name in names]


def _shortened(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a text column; where few different values are long, as a CRS is, a hash stands for each."""
    if not pa.types.is_dictionary(column.type):
        return column
    codes = column.combine_chunks()
    values = [value and hash_text(value) for value in codes.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.string()).take(codes.indices)])


def _hash_of_rows(columns: list[Any]) -> str:
    rows = pc.binary_join_element_wise(*columns, "\n")
    return hash_text("\n".join(rows.take(pc.sort_indices(rows)).to_pylist()))
