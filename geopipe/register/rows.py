"""How records and pairs are written into the register: as plain columns, each content once."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np

from geopipe.identity import hash_text
from geopipe.schema import FEATURES, Frame, Geometries, Indices, make_frame, to_wkb

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
_TURNED = {
    "left_first": "right_first", "right_first": "left_first", "contains": "within", "within": "contains",
}  # fmt: skip
_SIDES = {"left_first": "a_first", "right_first": "b_first"}


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dt.date.isoformat
)


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


def records_as_rows(areas: Frame, rows: Indices) -> dict[int, tuple[str, str, bytes]]:
    """Return for some rows of FEATURES the name of the version, its columns as JSON, and its WKB."""
    chosen = areas.take(rows)
    table = chosen.table.select(list(RECORD_COLUMNS)).to_pylist()
    wkb = to_wkb(chosen.geometry).to_pylist()
    result = {}
    for row, columns, polygon in zip(rows.tolist(), table, wkb, strict=True):
        text = as_json(columns)
        result[row] = (hash_text(text + polygon.hex()), text, polygon)
    return result


def pair_columns(pair: dict[str, Any], flipped: bool) -> dict[str, Any]:
    """Return what an OVERLAPS row says of a pair, as seen from A; `flipped` where A stands on the right."""
    columns = {name: plain(pair[name]) for name in PAIR_COLUMNS}
    shares = (pair["left_share"], pair["right_share"])
    columns["a_share"], columns["b_share"] = shares[::-1] if flipped else shares
    for name in ("time_order", "relation"):
        turned = _TURNED.get(columns[name], columns[name]) if flipped else columns[name]
        columns[name] = _SIDES.get(turned, turned)
    return columns


def as_records(names: list[str], columns: list[dict[str, Any]], geometry: Geometries) -> Frame:
    """Return versions from the register as FEATURES; the name of each stands as its `row_id`."""
    values: dict[str, Any] = {name: [row.get(name) for row in columns] for name in RECORD_COLUMNS}
    for name in RECORD_COLUMNS:
        if str(FEATURES.field(name).type).startswith("date"):
            values[name] = [day and dt.date.fromisoformat(day) for day in values[name]]
    return make_frame(FEATURES, {"row_id": names, **values}, np.asarray(geometry, dtype=object))
