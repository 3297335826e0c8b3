"""How records and pairs are written into the register: as plain columns, each content once."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.identity import hash_text
from geopipe.schema import FEATURES, Frame, Geometries, make_frame

# What the register keeps of a record beside its polygon. Nothing that names a person is among it, and nothing
# that changes with the file in which an unchanged record is delivered again.
RECORD_COLUMNS = (
    "record_id", "version_id", "geometry_hash", "operator", "register", "role", "kind", "status", "source_id",
    "id_is_delivered", "guid", "date_started", "date_surveyed", "date_completed", "date_of_information",
    "land_use", "clearance_depth_cm", "province_stated", "district_stated", "village_stated", "province_code",
    "province_located", "district_located", "area_stated_m2", "area_m2", "edge_uncertainty_m2",
)  # fmt: skip
PAIR_COLUMNS = (
    "relation", "finding", "severity", "counted", "time_order", "area_m2", "width_m", "mean_width_m", "parts",
    "edge_uncertainty_m2", "confidence",
)  # fmt: skip
_OF_A_PAIR = (*PAIR_COLUMNS, "left_share", "right_share")
_TURNED = {
    "left_first": "right_first", "right_first": "left_first", "contains": "within", "within": "contains",
}  # fmt: skip
_SIDES = {"left_first": "a_first", "right_first": "b_first"}


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dt.date.isoformat
)
# Within JSON a line never ends: a newline in a text is written as \\n.
_MANY = json.JSONEncoder(ensure_ascii=False, separators=("\n", ":"), default=dt.date.isoformat)


def plain(value: Any) -> Any:
    """Return a value as JSON keeps it."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def as_json(columns: dict[str, Any]) -> str:
    """Return columns as JSON, the same text for the same content; dates in ISO form."""
    return _ENCODER.encode(columns)


def many_as_json(values: Sequence[Any]) -> list[str]:
    """Return plain values (no lists, no mappings) as JSON, each one as `as_json` writes it."""
    return _MANY.encode(list(values))[1:-1].split("\n") if len(values) else []


def many_from_json(texts: Sequence[str]) -> list[Any]:
    """Return what each text of JSON holds; one text of many is read sooner than many texts."""
    return list(json.loads(f"[{','.join(texts)}]"))


def _rows_as_json(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return for each row of columns of JSON the text that `as_json` writes of it."""
    names = sorted(columns)
    row = "{" + ",".join(f'"{name}":%s' for name in names) + "}"
    return [row % values for values in zip(*(columns[name] for name in names), strict=True)]


def _column_as_json(column: pa.ChunkedArray) -> list[str]:
    """Return a column as JSON; a text or a day that repeats is written once."""
    if pa.types.is_floating(column.type):  # figures seldom repeat, and 0.0 is not -0.0
        return many_as_json(column.to_pylist())
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    texts = many_as_json(encoded.dictionary.to_pylist())
    return [texts[code] for code in encoded.indices.to_pylist()]


def records_as_rows(records: Frame) -> tuple[list[str], list[str], list[bytes]]:
    """Return for each row of FEATURES the name of the version, its columns as JSON, and its WKB."""
    texts = _rows_as_json({name: _column_as_json(records.table[name]) for name in RECORD_COLUMNS})
    wkb = records.wkb().to_pylist()
    names = [hash_text(text + polygon.hex()) for text, polygon in zip(texts, wkb, strict=True)]
    return names, texts, wkb


def pair_columns(pair: Mapping[str, Any], flipped: bool) -> dict[str, Any]:
    """Return what an OVERLAPS row says of a pair, as seen from A; `flipped` where A stands on the right."""
    columns = _seen_from_a({name: [plain(pair[name])] for name in _OF_A_PAIR}, [flipped])
    return {name: value for name, (value,) in columns.items()}


def pairs_as_json(overlaps: Frame, flipped: Sequence[bool]) -> list[str]:
    """Return what rows of OVERLAPS say of their pairs, as seen from A, as the register keeps it."""
    told = {name: _without_nan(overlaps.table[name]).to_pylist() for name in _OF_A_PAIR}
    columns = _seen_from_a(told, flipped)
    return _rows_as_json({name: many_as_json(values) for name, values in columns.items()})


def _without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column


def _seen_from_a(pairs: Mapping[str, list[Any]], flipped: Sequence[bool]) -> dict[str, list[Any]]:
    """Return what columns of OVERLAPS say of pairs as seen from A."""
    sides = list(zip(pairs["left_share"], pairs["right_share"], flipped, strict=True))
    shares = {
        "a_share": [right if turn else left for left, right, turn in sides],
        "b_share": [left if turn else right for left, right, turn in sides],
    }
    turned = {
        name: [_turned(word, turn) for word, turn in zip(pairs[name], flipped, strict=True)]
        for name in ("time_order", "relation")
    }
    return {name: pairs[name] for name in PAIR_COLUMNS} | shares | turned


def _turned(word: str, flipped: bool) -> str:
    turned = _TURNED.get(word, word) if flipped else word
    return _SIDES.get(turned, turned)


def as_records(names: list[str], columns: list[dict[str, Any]], geometry: Geometries) -> Frame:
    """Return versions from the register as FEATURES; the name of each stands as its `row_id`."""
    values: dict[str, Any] = {name: [row.get(name) for row in columns] for name in RECORD_COLUMNS}
    for name in RECORD_COLUMNS:
        if str(FEATURES.field(name).type).startswith("date"):
            values[name] = [day and dt.date.fromisoformat(day) for day in values[name]]
    return make_frame(FEATURES, {"row_id": names, **values}, np.asarray(geometry, dtype=object))
