"""Recognise columns, kinds, statuses and operators by the words in `configs/vocabulary.yaml`.

What is not recognised stays unknown: nothing is assumed without being said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geopipe.config import Vocabulary

# Aliases have at most this many words.
_LONGEST_ALIAS = 6
_SEPARATORS = re.compile(r"[\s\-_.]+")


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """Return text without case, width variants and separators, so that spellings compare equal."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


@lru_cache(maxsize=10_000)
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


def point_meanings(types: Any, vocabulary: Vocabulary) -> NDArray[np.object_]:
    """Return danger, harmless or unknown for each point type; one dangerous word is enough."""
    danger = {fold(word) for word in vocabulary.danger_points}
    harmless = {fold(word) for word in vocabulary.harmless_points}

    def meaning(text: str) -> str:
        words = set(fold(text).split())
        if words & danger:
            return "danger"
        return "harmless" if words & harmless else "unknown"

    found = map_values(types, meaning, pa.string()).fill_null("unknown")
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=object)
