"""Recognise columns, kinds, statuses, operators and dates by the words in `configs/vocabulary.yaml`.

What is not recognised stays unknown: nothing is assumed without being said.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Aliases have at most this many words.
_LONGEST_ALIAS = 6
_SEPARATORS = re.compile(r"[\s\-_.]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$")
_MONTHS = 12
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


def word_in_name(
    name: str, table: Mapping[str, str], leave_out: Iterable[str] = (), doubt: Iterable[str] = ()
) -> str | None:
    """Return the canonical word whose alias stands as whole words in a file or layer name.

    A longer alias hides the shorter ones inside it. Where two different words are left
    (`CHA_after_clearance`), or one of `doubt` stands in the name (`not_cleared`), none is assumed.
    """
    ignored = {fold_tight(word) for word in leave_out}
    # `UXOLao_CHA2026` is three words: split where the case or a digit begins a new one.
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d{4})", " ", PurePath(name).name)
    plain, split = fold(PurePath(name).name).split(), fold(spaced).split()
    if {fold(word) for word in doubt} & {*plain, *split}:
        return None
    found = {word for tokens in (plain, split) for word in _words(tokens, table, ignored)}
    return found.pop() if len(found) == 1 else None


def _words(tokens: Sequence[str], table: Mapping[str, str], ignored: set[str]) -> Iterator[str]:
    """Yield the canonical words of the longest aliases, from left to right, without overlaps."""
    start = 0
    while start < len(tokens):
        for end in range(min(start + _LONGEST_ALIAS, len(tokens)), start, -1):
            alias = "".join(tokens[start:end])
            if alias in table and alias not in ignored:
                yield table[alias]
                start = end - 1
                break
        start += 1


def map_values(column: Any, convert: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """Convert a column value by value, calling `convert` once per different value."""
    combined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_nested(combined.type):  # lists and structs of GeoParquet have no dictionary
        return pa.array([None if v is None else convert(v) for v in combined.to_pylist()], kind)
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


def _text_of(value: Any) -> str | None:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def as_date(column: Any, years: tuple[int, int]) -> pa.Array:
    """Return a column as dates; what cannot be read, or lies outside the plausible years, is null.

    Text is ISO or day before month. If one value of the column can only be read month before day,
    the values that could be either are null: half a column must not be read in another way.
    """
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        dates = plain.cast(pa.date32(), safe=False)
    else:
        text = as_text(column)
        parts = [_DAY_FIRST.match(value) for value in pc.unique(text).to_pylist() if value]
        month_first = any(int(m[2]) > _MONTHS >= int(m[1]) for m in parts if m)
        dates = map_values(text, lambda value: _date_of(value, month_first), pa.date32())
    year = pc.year(dates)
    plausible = pc.and_(pc.greater_equal(year, years[0]), pc.less_equal(year, years[1]))
    return pc.if_else(plausible, dates, pa.scalar(None, pa.date32()))


def _date_of(text: str, month_first: bool) -> dt.date | None:
    if match := _ISO.match(text):
        year, month, day = map(int, match.groups())
    elif match := _DAY_FIRST.match(text):
        day, month, year = map(int, match.groups())
        if month_first and day <= _MONTHS and month <= _MONTHS:
            return None
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
        numbers = plain.cast(pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return map_values(as_text(column), _number_of, pa.float64())


def _number_of(text: str) -> float | None:
    return float(text) if _NUMBER.match(text) else None
