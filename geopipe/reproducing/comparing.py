"""Two published folders held against each other: layers row by row, figures one by one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.io.geopackage import read_layer, read_table
from geopipe.io.layerrows import LayerRows
from geopipe.schema import Geometries, to_wkb

TOLERANCE = 1e-6
_KEYS = ("file", "layer", "row", "code", "reason", "change", "outcome")
_EXAMPLES = 5
# What says how a run was made, not what came out.
_NOT_COMPARED = frozenset({"files", "run", "versions", "geopipe", "schema"})
Row = dict[str, Any]


def compare_layers(then: Path, now: Path, tolerance: float) -> list[Row]:
    """Compare the layers of two GeoPackages.

    Parameters
    ----------
    then, now : Path
    tolerance : float
        Relative difference up to which numbers and coordinates count as equal; 0: none.

    Returns
    -------
    list of dict
        For each layer: rows then and now, rows of one side only, rows that differ in each column.
    """
    names = sorted((LayerRows(then).names | LayerRows(now).names) - _STYLES)
    return [_layer(then, now, name, tolerance) for name in names]


_STYLES = frozenset({"layer_styles", "qgis_projects"})


def _layer(then: Path, now: Path, name: str, tolerance: float) -> Row:
    one, other = _read(then, name), _read(now, name)
    told: Row = {"layer": name, "rows_then": one.num_rows, "rows_now": other.num_rows}
    if one.equals(other):
        return told | {"same": True, "only_then": 0, "only_now": 0, "columns": {}, "examples": []}
    keys, keys_now = _keys(one), _keys(other)
    place = {key: row for row, key in enumerate(keys_now)}
    pairs = [(row, place[key]) for row, key in enumerate(keys) if key in place]
    gone = [key for key in keys if key not in place]
    new = sorted(set(keys_now) - set(keys), key=str)
    columns, rows = _columns(one, other, pairs, tolerance)
    examples = [*gone, *new, *(keys[row] for row in rows)]
    return told | {
        "same": not (gone or new or columns),
        "only_then": len(gone),
        "only_now": len(new),
        "columns": columns,
        "examples": [
            " ".join(str(part) for part in key[:-1] if part is not None) for key in examples[:_EXAMPLES]
        ],
    }


def _read(path: Path, name: str) -> pa.Table:
    """Return a layer with its geometry as WKB; an empty table where the file does not hold it."""
    layers = LayerRows(path)
    if name not in layers.names:
        return pa.table({})
    if not layers.has_geometry(name):
        return read_table(path, name)
    frame, _ = read_layer(path, name)
    return frame.table.whole().append_column("geometry", to_wkb(frame.geometry))


def _keys(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return what names each row: its ids and where it came from; equal ones are numbered."""
    names = [name for name in table.column_names if name.endswith("_id") or name in _KEYS]
    if not names:
        return [(number,) for number in range(table.num_rows)]
    seen: Counter[tuple[Any, ...]] = Counter()
    keys = []
    for key in zip(*(table[name].to_pylist() for name in names), strict=True):
        keys.append((*key, seen[key]))
        seen[key] += 1
    return keys


def _columns(
    one: pa.Table, other: pa.Table, pairs: Sequence[tuple[int, int]], tolerance: float
) -> tuple[dict[str, int], list[int]]:
    """Return for each column in how many pairs of rows it differs, and the first of these rows."""
    found: dict[str, int] = {}
    rows: set[int] = set()
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    for name in dict.fromkeys([*one.column_names, *other.column_names]):
        if name not in one.column_names or name not in other.column_names:
            found[name] = len(pairs)
            continue
        a, b = one[name].take(left), other[name].take(right)
        if a.equals(b):
            continue
        differs = _shapes(a, b, tolerance) if name == "geometry" else _values(a, b, tolerance)
        if differs:
            found[name] = len(differs)
            rows |= {left[at] for at in differs}
    return found, sorted(rows)


def _values(a: pa.ChunkedArray, b: pa.ChunkedArray, tolerance: float) -> list[int]:
    pairs = zip(a.to_pylist(), b.to_pylist(), strict=True)
    return [at for at, (then, now) in enumerate(pairs) if not is_same(then, now, tolerance)]


def _shapes(a: pa.ChunkedArray, b: pa.ChunkedArray, tolerance: float) -> list[int]:
    then, now = (np.asarray(shapely.from_wkb(side.to_pylist()), dtype=object) for side in (a, b))
    return [int(at) for at in np.flatnonzero(~_equal(then, now, tolerance))]


def _equal(then: Geometries, now: Geometries, tolerance: float) -> Any:
    """Say which shapes are equal, to a part of their own size."""
    bounds = np.nan_to_num(shapely.bounds(then))
    size = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    same = shapely.equals_exact(shapely.normalize(then), shapely.normalize(now), tolerance * size)
    return same | (shapely.is_missing(then) & shapely.is_missing(now))


def is_same(then: Any, now: Any, tolerance: float) -> bool:
    """Say whether two values are the same; numbers up to a relative tolerance."""
    if isinstance(then, float) and isinstance(now, float):
        both_nan = math.isnan(then) and math.isnan(now)
        return then == now or both_nan or math.isclose(then, now, rel_tol=tolerance, abs_tol=0.0)
    return bool(then == now)


def compare_figures(then: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> list[Row]:
    """Return the figures of two summaries that differ, each with its path."""
    one, other = (
        dict(_flat({k: v for k, v in told.items() if k not in _NOT_COMPARED}, "")) for told in (then, now)
    )
    return [
        {"figure": name, "then": one.get(name), "now": other.get(name)}
        for name in sorted({*one, *other})
        if name not in one or name not in other or not is_same(one[name], other[name], tolerance)
    ]


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{number}]")
    else:
        yield path, value
