"""The columns of records that are several rows each: one value, or a list of what the points say."""

from __future__ import annotations

import json
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.io.frames import unique_names
from geopipe.io.tabular.grid import Grid


def columns_of_groups(
    grid: Grid, rows: NDArray[np.intp], starts: NDArray[np.intp], of_points: Collection[int]
) -> pa.Table:
    """Return one row per record.

    A column that says one thing per record keeps its type; where only some of its points say it (Excel's
    merged cells), that is enough. Where points of one record differ, the record has their list as JSON.

    Parameters
    ----------
    grid : Grid
    rows, starts : int arrays
        The rows of each record, one record after the other; where each begins, and the end.
    of_points : collection of int
        Positions of columns that belong to the points: always a list.
    """
    picked = pa.array(rows)
    columns = []
    for position, column in enumerate(grid.columns):
        values = column.take(picked)
        if position in of_points:
            columns.append(_lists(values, starts))
            continue
        value, differs = _one_value(values, starts)
        if differs.any():
            lists = _lists(values, starts)
            value = pc.if_else(pa.array(differs), lists, value.cast(pa.large_string()))
        columns.append(value)
    shown = [name.strip() or f"column_{at}" for at, name in enumerate(grid.names, start=1)]
    return pa.table(columns, names=unique_names(shown))


def _one_value(values: pa.Array, starts: NDArray[np.intp]) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Return the first value of each record that is not empty, and the records that have others too."""
    is_empty = _is_empty(values)
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    largest = np.iinfo(np.int64).max
    low = np.minimum.reduceat(np.where(is_empty, largest, codes), starts[:-1])
    high = np.maximum.reduceat(np.where(is_empty, -1, codes), starts[:-1])
    order = np.arange(len(codes))
    first = np.minimum.reduceat(np.where(is_empty, largest, order), starts[:-1])
    nothing = first == largest
    first[nothing] = starts[:-1][nothing]
    return values.take(pa.array(first)), (low < high) & ~nothing


def _lists(values: pa.Array, starts: NDArray[np.intp]) -> pa.Array:
    """Return the values of each record as one JSON list, null where no point has one."""
    words = pc.fill_null(_quoted(values), "null")
    lists = pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), words)
    joined = pc.binary_join(lists, pa.scalar(", ", pa.large_string()))
    left, right, nothing = (pa.scalar(text, pa.large_string()) for text in ("[", "]", ""))
    shown = pc.binary_join_element_wise(left, joined, right, nothing)
    is_empty = np.logical_and.reduceat(_is_empty(values), starts[:-1])
    return pc.if_else(pa.array(is_empty), pa.scalar(None, pa.large_string()), shown)


def _is_empty(values: pa.Array) -> NDArray[np.bool_]:
    """Return where a cell holds nothing but spaces."""
    empty = pc.is_null(values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        empty = pc.or_(empty, pc.equal(pc.utf8_trim_whitespace(pc.fill_null(values, "")), ""))
    return np.asarray(empty.to_numpy(zero_copy_only=False), dtype=bool)


def _quoted(values: pa.Array) -> pa.Array:
    """Return values as JSON writes them."""
    if pa.types.is_integer(values.type):
        return values.cast(pa.large_string())
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if is_text and not pc.any(pc.match_substring_regex(values, r'["\\\x00-\x1f]')).as_py():
        mark, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
        return pc.binary_join_element_wise(mark, values.cast(pa.large_string()), mark, nothing)
    encoded = values.dictionary_encode()
    plain = [
        value if isinstance(value, (str, float, bool)) else str(value)
        for value in encoded.dictionary.to_pylist()
    ]
    quoted = pa.array([json.dumps(value, ensure_ascii=False) for value in plain], pa.large_string())
    return quoted.take(encoded.indices)
