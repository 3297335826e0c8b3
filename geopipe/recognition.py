"""Recognise columns, kinds, statuses, operators and dates by the words in `configs/vocabulary.yaml`.

What is not recognised stays unknown: nothing is assumed without being said.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_SEPARATORS = re.compile(r"[\s\-_.]+")
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: .*)?$")


def fold(text: str) -> str:
    """Return text without case, width variants and separators, so that spellings compare equal."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def fold_tight(text: str) -> str:
    """Return :func:`fold` without any space, as column names are compared."""
    return fold(text).replace(" ", "")


def find_column(names: Sequence[str], aliases: Sequence[str]) -> str | None:
    """Return the delivered column that carries the best of the aliases, or None."""
    delivered: dict[str, str] = {}
    for name in names:
        delivered.setdefault(fold_tight(name), name)
    for alias in aliases:
        if fold_tight(alias) in delivered:
            return delivered[fold_tight(alias)]
    return None


def lookup(words: Mapping[Any, Iterable[str]]) -> dict[str, str]:
    """Return folded alias -> canonical word; the canonical word is its own alias."""
    table: dict[str, str] = {}
    for canonical, aliases in words.items():
        for alias in (str(canonical), *aliases):
            table.setdefault(fold_tight(alias), str(canonical))
    return table


def word_in_name(name: str, table: Mapping[str, str], leave_out: Iterable[str] = ()) -> str | None:
    """Return the canonical word whose alias stands as whole words in a file or layer name.

    The longest alias wins; if two different words stand there, none is assumed.
    """
    ignored = {fold_tight(word) for word in leave_out}
    # `UXOLao_CHA2026` is three words: split where the case or a digit begins a new one.
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d{4})", " ", PurePath(name).name)
    tokens = [*fold(spaced).split(), "|", *fold(PurePath(name).name).split()]
    found: dict[str, int] = {}
    for start in range(len(tokens)):
        for end in range(start + 1, min(start + 6, len(tokens)) + 1):
            alias = "".join(tokens[start:end])
            if alias in table and alias not in ignored:
                found[table[alias]] = max(found.get(table[alias], 0), len(alias))
    if not found:
        return None
    longest = max(found.values())
    best = [word for word, length in found.items() if length == longest]
    return best[0] if len(best) == 1 else None


def map_values(column: Any, convert: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """Convert a column value by value, calling `convert` once per different value."""
    combined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = combined if pa.types.is_dictionary(combined.type) else combined.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = pa.array([None if v is None else convert(v) for v in encoded.dictionary.to_pylist()], kind)
    return values.take(encoded.indices)


def as_text(column: Any) -> pa.Array:
    """Return a column as trimmed strings; whole numbers lose their `.0`; empty strings become null."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    elif pa.types.is_integer(column.type):
        text = column.cast(pa.string())
    else:
        text = map_values(column, _text_of, pa.string())
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _text_of(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def as_date(column: Any) -> pa.Array:
    """Return a column as dates; day before month; what cannot be read is null."""
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        return plain.cast(pa.date32(), safe=False)
    return map_values(as_text(column), _date_of, pa.date32())


def _date_of(text: str) -> dt.date | None:
    if match := _ISO.match(text):
        year, month, day = map(int, match.groups())
    elif match := _DAY_FIRST.match(text):
        day, month, year = map(int, match.groups())
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def as_number(column: Any) -> pa.Array:
    """Return a column as numbers; text that is not one plain number is null."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        return plain.cast(pa.float64())
    return map_values(as_text(column), _number_of, pa.float64())


def _number_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
