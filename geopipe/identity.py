"""Identity of records: ids and hashes made from what was delivered, never from what was derived."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# 64 bits of hash in hexadecimal: among 10 million records a chance collision has p < 3e-6.
_DIGEST_BYTES = 8
# Rows that stand in memory as Python bytes at the same time.
_ROWS_AT_ONCE = 10_000
_PLAIN = r'[\\"\x00-\x1f]'


def hashes(column: Any, before: bytes = b"") -> pa.Array:
    """Return the hash of each value of a string or binary Arrow column; null hashes like no bytes at all.

    `before` is hashed in front of every value.
    """
    digests: list[str] = []
    for start in range(0, len(column), _ROWS_AT_ONCE):
        values = column.slice(start, _ROWS_AT_ONCE).cast(pa.large_binary()).to_pylist()
        digests += [
            blake2b(before + (value or b""), digest_size=_DIGEST_BYTES).hexdigest() for value in values
        ]
    return pa.array(digests, pa.string())


def hash_text(text: str) -> str:
    """Return the hash of one text."""
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def geometry_hashes(wkb: Any, crs: str) -> pa.Array:
    """Return the hash of each delivered geometry (WKB) together with its CRS."""
    return hashes(wkb, hash_text(crs).encode())


def version_hashes(geometry_hash: pa.Array, record_id: pa.Array, content: pa.Array) -> pa.Array:
    """Return the hash of each version: its geometry and CRS, its record and its delivered attributes (JSON).

    The length of the id is hashed too, so that no id can run over into the attributes.
    """
    length = pc.utf8_length(record_id).cast(pa.string())
    return hashes(pc.binary_join_element_wise(geometry_hash, length, record_id, content, ":"))


def join_ids(*parts: Any) -> pa.Array:
    """Join id parts with colons: `operator:register:source_id`."""
    joined = pc.binary_join_element_wise(*parts, ":")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def json_members(table: pa.Table) -> dict[str, pa.Array]:
    """Return the values of each column of a table as JSON; dates and the like become strings."""
    return {name: _json_values(table[name].combine_chunks()) for name in table.column_names}


def json_objects(members: Mapping[str, pa.Array], size: int) -> pa.Array:
    """Return `size` JSON objects, whose members are columns of JSON values, in their order."""
    if not members:
        return pa.array(["{}"] * size, pa.string())
    parts: list[Any] = []
    for name, values in members.items():
        parts += [f"{',' if parts else '{'}{_quoted(pa.array([name]))[0].as_py()}:", values]
    return pc.binary_join_element_wise(*parts, "}", "")


def _json_values(column: Any) -> pa.Array:
    """Write the values of one column as JSON."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        text = column.cast(pa.string())
    elif pa.types.is_floating(kind):
        text = pc.if_else(pc.is_finite(column), column.cast(pa.string()), None)
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        text = _quoted(
            pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
        )
    elif pa.types.is_dictionary(kind):
        text = _json_values(column.dictionary).take(column.indices)
    else:  # most texts and days repeat: each is written once
        encoded = column.dictionary_encode()
        text = _quoted(encoded.dictionary.cast(pa.string())).take(encoded.indices)
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
