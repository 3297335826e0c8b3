"""Mandatory fields: what the records of a kind must say (minimum data requirements)."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from geopipe.checks.telling import layers_of, named, sentences, told, told_of_layer
from geopipe.policies import CheckRules
from geopipe.schema import FINDINGS, Frame, Mask, concat, empty_frame
from geopipe.terms import Status

# What people call a column; the rest is called by its own name without underscores.
_NAMES = {
    "source_id": "own id",
    "date_surveyed": "survey date",
    "date_completed": "completion date",
    "date_started": "start date",
    "clearance_depth_cm": "clearance depth",
}
_DEPTH = "clearance_depth_cm"


def fields(areas: Frame, rules: CheckRules) -> Frame:
    """Tell of missing fields: once for a layer that lacks them altogether, else record by record.

    Parameters
    ----------
    areas : Frame
    rules : CheckRules
        `fields`: per kind the columns that are required, and those that are wanted.

    Returns
    -------
    Frame
        FIELD_NOT_DELIVERED and FIELD_WANTED about layers, FIELD_MISSING and DEPTH_MISSING about records.
    """
    made = [empty_frame(FINDINGS)]
    missing = {name: _missing(areas, name) for name in _named(rules)}
    for kind, asked in rules.fields.items():
        of_kind = areas.flags("kind", [kind])
        if not of_kind.any():
            continue
        made += _of_kind(named(areas), of_kind, asked.required, asked.wanted, missing)
    return concat(made)


def _named(rules: CheckRules) -> list[str]:
    asked = rules.fields.values()
    return sorted({name for rule in asked for name in (*rule.required, *rule.wanted)})


def _missing(areas: Frame, name: str) -> Mask:
    """Say where a record does not state a field; a status that was not understood is not stated."""
    if name == "source_id":
        return ~areas.numpy("id_is_delivered").astype(bool)
    if name == "status":
        return areas.flags("status", [Status.UNKNOWN]) | _null(areas, "status")
    return _null(areas, name)


def _null(areas: Frame, name: str) -> Mask:
    column = areas.table[name].combine_chunks()
    return np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=bool)


def _of_kind(
    areas: Frame, of_kind: Mask, required: tuple[str, ...], wanted: tuple[str, ...], missing: dict[str, Mask]
) -> list[Frame]:
    """Tell what the records of one kind lack, layer by layer."""
    rows = np.flatnonzero(of_kind)
    records = areas.take(rows) if not of_kind.all() else areas
    lacks = {name: missing[name][rows] for name in (*required, *wanted)}
    single = {name: lacks[name].copy() for name in required}
    made: list[Frame] = []
    for layer in layers_of(records):
        size = len(layer.rows)
        without = {name: int(lacks[name][layer.rows].sum()) for name in lacks}
        absent = [name for name in required if without[name] == size]
        for name in absent:
            single[name][layer.rows] = False
        kind = records.table["kind"][int(layer.rows[0])].as_py()
        if absent:
            sentence = f"None of {size:,} {kind} records has: {', '.join(map(_name, absent))}"
            made.append(told_of_layer(records, layer, "FIELD_NOT_DELIVERED", sentence, size))
        if wished := [name for name in wanted if without[name]]:
            counts = ", ".join(f"{_name(name)} ({without[name]:,} of {size:,} without)" for name in wished)
            sentence = f"Asked for besides, for {kind} records: {counts}"
            most = max(without[name] for name in wished)
            made.append(told_of_layer(records, layer, "FIELD_WANTED", sentence, most))
    return [*made, *_records(records, single)]


def _records(records: Frame, single: dict[str, Mask]) -> list[Frame]:
    """Tell of single records: one sentence each that names all its missing fields."""
    made = []
    if _DEPTH in single:
        depth = single.pop(_DEPTH)
        made.append(told(records.take(depth), "DEPTH_MISSING", "The record states no clearance depth"))
    if single:
        names = list(single)
        table = np.column_stack([single[name] for name in names])
        some = np.asarray(table.any(axis=1))
        texts = ["Missing: " + ", ".join(_name(names[i]) for i in np.flatnonzero(row)) for row in table[some]]
        made.append(told(records.take(some), "FIELD_MISSING", sentences(texts)))
    return made


def _name(column: str) -> str:
    return _NAMES.get(column, column.replace("_", " "))
