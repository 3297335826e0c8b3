"""Tables as bytes: CSV for Excel and databases, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from geopipe.outputs.feeds.columns import Table

# A spreadsheet takes text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_INDENT = " "


def as_csv(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows as CSV (UTF-8 with its mark, so that Excel shows Lao); nothing is an empty cell."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def as_json(schema: str, about: dict[str, Any], rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows as JSON, one on a line, with what belongs beside them."""
    head = json.dumps({"schema": schema, "about": about}, ensure_ascii=False, indent=1)
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    body = ",\n".join(f"{_INDENT * 2}{line}" for line in lines)
    return f'{head[:-2]},\n{_INDENT}"rows": [\n{body}\n{_INDENT}]\n}}\n'.encode()


def arrow_table(table: Table, rows: Sequence[dict[str, Any]]) -> Any:
    """Return rows as an Arrow table with the types of the columns."""
    import datetime as dt

    import pyarrow as pa

    kinds = {
        "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
        "date": pa.date32(),
    }  # fmt: skip
    fields = pa.schema([(column.name, kinds[column.type]) for column in table.columns])
    days = [column.name for column in table.columns if column.type == "date"]
    plain = [row | {name: row[name] and dt.date.fromisoformat(row[name]) for name in days} for row in rows]
    return pa.Table.from_pylist(plain, schema=fields)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # 0.0 and not 0: no program shall take the column for whole numbers.
        return np.format_float_positional(value, trim="0")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
