"""What two versions of a record say differently, apart from their ground."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.schema import Frame

# Shown with both values. Other delivered columns may hold names of people: of these only the column is named.
COMPARED = (
    "kind",
    "status",
    "date_started",
    "date_surveyed",
    "date_completed",
    "date_of_information",
    "clearance_depth_cm",
    "area_stated_m2",
    "land_use",
    "device_category",
    "method",
    "province_stated",
    "district_stated",
    "village_stated",
)


def attributes_changed(previous: Frame, current: Frame) -> NDArray[np.object_]:
    """Return for each pair of versions, row by row, what changed as text; '' where nothing did.

    A column that only one of the two deliveries has is not a change of a record, and neither is the
    operator's own id: whoever calls this knows how the records were matched.
    """
    result = np.full(len(previous), "", dtype=object)
    if len(previous) == 0:
        return result
    same = pc.equal(previous.table["version_id"], current.table["version_id"])
    rows = np.flatnonzero(~same.to_numpy().astype(bool))
    if len(rows) == 0:
        return result
    old, new = previous.take(rows), current.take(rows)
    told: list[list[str]] = [[] for _ in rows]
    for name in COMPARED:
        for row, before, after in differing(name, old, new):
            told[row].append(f"{name}: {shown(before)} -> {shown(after)}")
    for row, columns in _other_columns(old, new):
        told[row].append(f"columns {', '.join(columns)}")
    result[rows] = ["; ".join(parts) for parts in told]
    return result


def differing(name: str, left: Frame, right: Frame) -> list[tuple[int, Any, Any]]:
    """Return the rows in which a column of two frames of one length differs, with both values."""
    before, after = left.table[name].combine_chunks(), right.table[name].combine_chunks()
    equal = pc.fill_null(pc.equal(before, after), pa.scalar(False)).to_numpy(zero_copy_only=False)
    neither = pc.and_(pc.is_null(before), pc.is_null(after)).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(~equal.astype(bool) & ~neither.astype(bool))
    values = (side.take(pa.array(rows)).to_pylist() for side in (before, after))
    return [(int(row), one, other) for row, one, other in zip(rows, *values, strict=True)]


def shown(value: Any) -> str:
    """Return a value as a sentence shows it."""
    if value is None:
        return "not stated"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _other_columns(old: Frame, new: Frame) -> list[tuple[int, list[str]]]:
    """Return the rows in which delivered columns that both sides have differ, with their names."""
    before, after = (side.table["attributes"].combine_chunks() for side in (old, new))
    rows = np.flatnonzero(~pc.fill_null(pc.equal(before, after), pa.scalar(False)).to_numpy(False))
    found = []
    ids = [side.table["source_id"].combine_chunks() for side in (old, new)]
    for row in rows:
        one, other = (json.loads(side[row].as_py() or "{}") for side in (before, after))
        own = tuple(_plain(side[row].as_py()) for side in ids)
        names = [
            name
            for name in one
            if name in other
            and (values := (_plain(one[name]), _plain(other[name]))) != own
            and values[0] != values[1]
        ]
        if names:
            found.append((int(row), names))
    return found


def _plain(value: Any) -> str:
    """Return a value as formats have in common: 5 and 5.0 are one figure, '' and null one blank."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
