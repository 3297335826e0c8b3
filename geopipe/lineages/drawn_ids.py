"""Which drawn record is which: ids that repeat, bytes that came twice, operators who sent the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe.schema import Frame, State
from geopipe.terms import POSSIBLE_HAZARD_KINDS

# Operator, or id, and role.
Owner: TypeAlias = tuple[str, str]
# Row, operator and role.
Key: TypeAlias = tuple[str, str, str]


def of_their_ids(state: State, before: Frame) -> list[int]:
    """Return for each row that a run draws how many records of its id came with it, itself among them.

    Those that came with it are new in this run, or stand in the same file. What is known from before stays.
    """
    told = pc.fill_null(before.table["of_this_id"], 1).to_pylist()
    known = dict(zip(keys_of(before), told, strict=True))
    drawn = state.unresolved
    areas = state.features.take(state.features.flags("kind", sorted(POSSIBLE_HAZARD_KINDS)))
    ids = drawn.values("record_id")
    new = new_of_ids((drawn, areas), (state.previous, before), ids)
    grounds: dict[tuple[Owner, str], set[str]] = defaultdict(set)
    for of_id, rows in new_of_ids((drawn, areas), (), ids).items():
        for key, ground in rows.items():
            grounds[of_id, _delivery(key)].add(ground)
    for (of_id, _), here in grounds.items():
        here.update(new.get(of_id, {}).values())
    return [
        known.get(key) or len(grounds[of_id, _delivery(key)])
        for key, of_id in zip(keys_of(drawn), ids_of(drawn), strict=True)
    ]


def new_of_ids(
    frames: Sequence[Frame], known: Sequence[Frame], ids: Sequence[str]
) -> dict[Owner, dict[Key, str]]:
    """Return by id and role the rows of some ids that are not known, each with what tells records apart.

    That is the geometry as it was delivered, else where it is drawn: a record that comes twice is one.
    """
    before = {key for frame in known for key in keys_of(frame.take(frame.flags("record_id", ids)))}
    found: dict[Owner, dict[Key, str]] = defaultdict(dict)
    for frame in frames:
        rows = frame.take(frame.flags("record_id", ids))
        for key, of_id, ground in zip(keys_of(rows), ids_of(rows), _grounds(rows), strict=True):
            if key not in before:
                found[of_id][key] = ground
    return dict(found)


def _delivery(key: Key) -> str:
    return key[0].partition(":")[0]


def ids_of(frame: Frame) -> list[tuple[str, str]]:
    """Return id and role of each record, '' where it has none."""
    return _texts(frame, "record_id", "role")


def owners_of(frame: Frame) -> list[tuple[str, str]]:
    """Return operator and role of each record."""
    return _texts(frame, "operator", "role")


def keys_of(frame: Frame) -> list[Key]:
    """Return of each row the bytes that it stands in (copies of a file have the same), operator and role."""
    return [(row, *owner) for row, owner in zip(_bytes(frame).to_pylist(), owners_of(frame), strict=True)]


def _bytes(frame: Frame) -> pa.ChunkedArray:
    return pc.replace_substring_regex(frame.table["row_id"], r"^([^:#]*)#\d+", r"\1")


def owners_by_bytes(keys: Sequence[Key], *frames: Frame) -> dict[str, set[Owner]]:
    """Return who has a row in the same bytes as one of `keys`."""
    found: dict[str, set[Owner]] = {name: set() for name, *_ in keys}
    wanted = pa.array(found, pa.string())
    for frame in frames:
        here = pc.is_in(_bytes(frame), wanted).to_numpy().astype(bool)
        for name, operator, role in keys_of(frame.take(here)):
            found[name].add((operator, role))
    return found


def places_of(frame: Frame) -> list[str]:
    """Return where each row is drawn, as text that is equal for equal places."""
    return [str(wkb) for wkb in shapely.to_wkb(frame.geometry, hex=True).tolist()]


def _grounds(frame: Frame) -> list[str]:
    if "geometry_hash" in frame.table.column_names:
        return list(frame.table["geometry_hash"].to_pylist())
    return places_of(frame)


def _texts(frame: Frame, one: str, other: str) -> list[tuple[str, str]]:
    columns = (pc.fill_null(frame.table[name].cast(pa.string()), "") for name in (one, other))
    return list(zip(*(column.to_pylist() for column in columns), strict=True))
