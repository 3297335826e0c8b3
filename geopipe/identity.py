"""Identity of records: ids and hashes made from what was delivered, never from what was derived."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# 64 bits of hash in hexadecimal: among 10 million records a chance collision has p < 3e-6.
_DIGEST_BYTES = 8
_PLAIN = r'[\\"\x00-\x1f]'


def hashes(parts: Iterable[Iterable[bytes | str | None]]) -> list[str]:
    """Return one hash per row of several columns; lengths are hashed too, so that 'ab','c' is not 'a','bc'."""
    result = []
    for row in parts:
        digest = blake2b(digest_size=_DIGEST_BYTES)
        for part in row:
            data = b"\xff" if part is None else part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "little"))
            digest.update(data)
        result.append(digest.hexdigest())
    return result


def geometry_hashes(wkb: pa.ChunkedArray | pa.Array, crs: str) -> pa.Array:
    """Return the hash of each delivered geometry together with its CRS; null stays null-hashed."""
    return pa.array(hashes(zip(wkb.to_pylist(), repeat(crs), strict=False)), pa.string())


def join_ids(*parts: Any) -> pa.Array:
    """Join id parts with colons: `operator:register:source_id`."""
    joined = pc.binary_join_element_wise(*parts, ":")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def json_rows(table: pa.Table) -> pa.Array:
    """Return one JSON object per row with every column of the table, in the order of the table.

    Dates and other values without a JSON type become strings.
    """
    if table.num_columns == 0:
        return pa.array(["{}"] * table.num_rows, pa.string())
    columns: list[Any] = []
    for position, name in enumerate(table.column_names):
        lead = "{" if position == 0 else ","
        columns.append(f"{lead}{_quoted(pa.array([name]))[0].as_py()}:")
        columns.append(_json_values(table[name].combine_chunks()))
    columns.append("}")
    joined = pc.binary_join_element_wise(*columns, "")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _json_values(column: Any) -> pa.Array:
    """Write the values of one column as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        text = column.cast(pa.string())
    elif pa.types.is_floating(kind):
        text = pc.if_else(pc.is_finite(column), column.cast(pa.string()), None)
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        text = _quoted(pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string()))
    else:
        text = _quoted(column.cast(pa.string()))
    return pc.fill_null(text, "null")


def _quoted(text: pa.Array) -> pa.Array:
    """Quote strings as JSON; only columns that hold special characters pay for escaping."""
    if pc.any(pc.match_substring_regex(text, _PLAIN)).as_py():
        text = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
        for plain, escaped in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            text = pc.replace_substring(text, plain, escaped)
        # Other control characters carry no meaning in a delivered attribute.
        text = pc.replace_substring_regex(text, r"[\x00-\x1f]", "\\\\ufffd")
    return pc.binary_join_element_wise('"', text, '"', "")
