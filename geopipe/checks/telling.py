"""How checks tell: one finding per record, or one per layer where the whole layer is meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.catalogue import severity_of
from geopipe.schema import (
    FINDINGS,
    Frame,
    Indices,
    empty_frame,
    findings_about,
    make_frame,
    no_geometry,
)

# So many rows are named where a whole layer is told about.
_ROWS_NAMED = 5


def told(records: Frame, code: str, sentence: Any, **more: Any) -> Frame:
    """Return one finding per record, as severe as the catalogue says."""
    if len(records) == 0:
        return empty_frame(FINDINGS)
    return findings_about(records, code, severity_of(code), sentence, **more)


def named(records: Frame, *more: str) -> Frame:
    """Return the same records with only the columns that name them: cheap to take rows from."""
    names = ["file", "layer", "row", "operator", "kind", "source_id", "record_id", *more]
    return Frame(records.table.select(names), records.shapes)


@dataclass(frozen=True)
class LayerRows:
    """The rows of a frame that one layer of one file delivered."""

    file: str
    layer: str
    rows: Indices


def layers_of(records: Frame) -> Iterator[LayerRows]:
    """Yield the layers of a frame, sorted by file and name."""
    if len(records) == 0:
        return
    file, layer = (records.table[name].combine_chunks().dictionary_encode() for name in ("file", "layer"))
    # Both columns have few values, so the pair of their codes is a small number.
    key = _codes(file) * (len(layer.dictionary) + 1) + _codes(layer)
    order = np.argsort(key, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
    named = [(file[int(rows[0])].as_py() or "", layer[int(rows[0])].as_py() or "", rows) for rows in groups]
    for name, inner, rows in sorted(named, key=lambda item: item[:2]):
        yield LayerRows(name, inner, rows)


def _codes(encoded: pa.DictionaryArray) -> Indices:
    return np.asarray(pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy(), dtype=np.intp)


def told_of_layer(records: Frame, layer: LayerRows, code: str, sentence: str, count: int) -> Frame:
    """Return one finding about a layer; it carries the operator and kind that all its rows share."""
    columns = {
        "code": code,
        "severity": severity_of(code),
        "file": layer.file,
        "layer": layer.layer,
        "operator": _shared(records, layer.rows, "operator"),
        "kind": _shared(records, layer.rows, "kind"),
        "sentence": sentence,
        "measure": float(count),
        "unit": "records",
    }
    return make_frame(FINDINGS, columns, no_geometry(1))


def _shared(records: Frame, rows: Indices, name: str) -> str | None:
    values = pc.unique(records.table[name].combine_chunks().take(pa.array(rows)))
    value: str | None = values[0].as_py() if len(values) == 1 else None
    return value


def rows_named(records: Frame, rows: Indices) -> str:
    """Return `rows 3, 8 and 12 more`: where to look, without a list that nobody reads."""
    numbers: Sequence[int] = records.table["row"].take(pa.array(rows[:_ROWS_NAMED])).to_pylist()
    more = f" and {len(rows) - _ROWS_NAMED:,} more" if len(rows) > _ROWS_NAMED else ""
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, numbers))}{more}"


def sentences(texts: Sequence[str]) -> pa.Array:
    """Return sentences as a column, also where there are none."""
    return pa.array(list(texts), pa.string())


def days(records: Frame, name: str) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Return a column of dates; NaT where none is stated."""
    return records.numpy(name).astype("datetime64[D]")


def own_ids(records: Frame, rows: Any) -> list[str]:
    """Return the operator's own ids of some rows, as a sentence names them."""
    return [str(value) for value in records.table["source_id"].take(pa.array(rows)).to_pylist()]
