"""Bring what the readers deliver into one form: row, geometry, source columns, geometry_problem."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io.delivery import GEOMETRY, GEOMETRY_PROBLEM, ROW, Problem

RESERVED = (ROW, GEOMETRY, GEOMETRY_PROBLEM)
CURVES = frozenset({8, 9, 10, 11, 12})


def assemble(
    columns: pa.Table,
    geometry: pa.ChunkedArray | pa.Array,
    rows: pa.Array | None = None,
    trouble: Sequence[str | None] | None = None,
) -> tuple[pa.Table, list[Problem]]:
    """Return the table of a layer and the notes about what had to be changed in it.

    Parameters
    ----------
    columns : pyarrow.Table
        The source columns, geometry excluded.
    geometry : pyarrow array
        WKB, null where there is none.
    rows : pyarrow.Array, optional
        1-based record numbers; counted from 1 when not given.
    trouble : sequence of str or None, optional
        Per record, why its geometry could not be read.
    """
    notes: list[Problem] = []
    count = len(geometry)
    names = unique_names(columns.column_names)
    renamed = [
        f'"{old}" is now "{new}"' for old, new in zip(columns.column_names, names, strict=True) if old != new
    ]
    if renamed:
        notes.append(Problem("COLUMN_RENAMED", f"Columns were renamed: {', '.join(renamed)}."))
    arrays: list[Any] = [rows if rows is not None else pa.array(range(1, count + 1), pa.int64()), geometry]
    broken = []
    for name, column in zip(names, columns.columns, strict=True):
        clean, was_broken = _clean(column)
        arrays.append(clean)
        if was_broken:
            broken.append(f'"{name}"')
    if broken:
        sentence = f"Text in column {', '.join(broken)} is cut inside a letter or in another encoding"
        notes.append(
            Problem("TEXT_DAMAGED", f"{sentence}; unreadable bytes show as \N{REPLACEMENT CHARACTER}.")
        )
    names = [ROW, GEOMETRY, *names]
    if trouble is not None and any(trouble):
        arrays.append(pa.array(trouble, pa.string()))
        names.append(GEOMETRY_PROBLEM)
    return pa.table(arrays, names=names), notes


def unique_names(names: Iterable[str]) -> list[str]:
    """Return column names that differ from each other and from geopipe's own."""
    taken: set[str] = set(RESERVED)
    result = []
    for position, given in enumerate(names, start=1):
        name = stem = given or f"column_{position}"
        number = 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        result.append(name)
    return result


def _clean(column: Any) -> tuple[Any, bool]:
    """Return a column of plain type with valid text, and whether text was damaged."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column, False
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.cast(pa.large_binary()).to_pylist()
        text = [None if value is None else value.decode("utf-8", "replace") for value in raw]
        return pa.chunked_array([pa.array(text, pa.large_string())]), True
    return column, False


def recoded(table: pa.Table, encoding: str) -> pa.Table:
    """Return a table that was read byte by byte as Latin-1 with names and texts in their true encoding."""

    def text(value: str | None) -> str | None:
        return None if value is None else value.encode("latin-1", "replace").decode(encoding, "replace")

    arrays = [
        pa.array([text(value) for value in column.to_pylist()], pa.large_string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else column
        for column in table.columns
    ]
    return pa.table(arrays, names=[text(name) or "" for name in table.column_names])


def table_of_records(
    records: Sequence[Mapping[str, Any]],
    geometries: Sequence[bytes | None],
    trouble: Sequence[str | None],
) -> pa.Table:
    """Return the table of records that were read one by one."""
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    columns = [_column([record.get(name) for record in records]) for name in names]
    table, _ = assemble(
        pa.table(columns, names=list(names)),
        pa.array(geometries, pa.large_binary()),
        trouble=trouble,
    )
    return table


def _column(values: list[Any]) -> pa.Array:
    """Return values of one JSON-like column, as text where their types differ."""
    plain = [json.dumps(v, ensure_ascii=False) if isinstance(v, (dict, list)) else v for v in values]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if v is None else str(v) for v in plain], pa.large_string())


def wkb_types(geometry: pa.ChunkedArray | pa.Array) -> set[int]:
    """Return the base WKB type numbers (1 to 17) that occur in a geometry column."""
    heads = pc.unique(pc.binary_slice(geometry, 0, 5)).to_pylist()
    types = set()
    for head in heads:
        if head is not None and len(head) == 5:
            (code,) = struct.unpack("<I" if head[0] == 1 else ">I", head[1:])
            types.add((code & 0x0FFFFFFF) % 1000)
    return types


def shown_type(geometry: pa.ChunkedArray | pa.Array, declared: str) -> str:
    """Return the declared geometry type, or the curve type that the reader hides behind it."""
    curved = {
        8: "CircularString",
        9: "CompoundCurve",
        10: "CurvePolygon",
        11: "MultiCurve",
        12: "MultiSurface",
    }
    types = wkb_types(geometry)
    return next((curved[code] for code in (12, 11, 10, 9, 8) if code in types), declared)
