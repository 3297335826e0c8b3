"""Draft an operator profile from a delivered file: what its columns most likely mean, and why.

A draft is for a person to check. Nothing in it is used before it is saved and named as a profile.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe.config import Vocabulary, load_vocabulary
from geopipe.crs import candidates
from geopipe.errors import SourceError
from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.io.sources import find_sources
from geopipe.io.vector import read_sources
from geopipe.profiles import GENERIC
from geopipe.recognition import find_column, fold_tight, lookup, word_in_name
from geopipe.unfinished import unfinished_folder
from geopipe.values import as_date, as_number, as_text
from geopipe.wkb import decode

_OF_THE_READER = ("row", "geometry", "geometry_problem")
# Names so alike are proposed, as likely only.
_ALIKE = 0.8
# A column with more different values than this is no list of words.
_LONGEST_LIST = 12
# So much of a column must read as dates or figures before it counts as such.
_MOST = 0.8
_FIGURES = frozenset({"clearance_depth_cm", "found_depth_cm", "area_stated_m2", "area_stated_ha"})
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?$")
_LISTED = ("kind", "status", "operator")


@dataclass(frozen=True)
class Guess:
    """What one delivered column most likely means, and how sure that is."""

    canonical: str
    column: str
    confidence: str
    why: str


def draft_profile(path: Path) -> str:
    """Return a profile for the deliveries like this one, as YAML with comments.

    Parameters
    ----------
    path : Path
        One delivered file or folder; it is only read.

    Raises
    ------
    SourceError
        When nothing in it can be read.
    """
    vocabulary = load_vocabulary()
    with unfinished_folder() as folder:
        raws = list(read_sources(find_sources([path]), folder))
        layers = [layer for raw in raws for layer in raw.layers if layer.problem is None]
        if not layers:
            problems = [
                p.sentence for raw in raws for p in (raw.problem, *(i.problem for i in raw.layers)) if p
            ]
            raise SourceError("no profile can be drafted\n" + "\n".join(problems).rstrip("."), str(path))
        return "\n".join(_lines(path, raws, layers, vocabulary)) + "\n"


def _lines(
    path: Path, raws: Sequence[RawDelivery], layers: Sequence[RawLayer], vocabulary: Vocabulary
) -> Iterator[str]:
    """Yield the lines of the draft."""
    records = sum(layer.table.num_rows for layer in layers)
    files = ", ".join(raw.path.name for raw in raws)
    yield f"# Drafted from {files}: {records:,} records in {len(layers)} layer(s). Check every line."
    yield "# sure = the name is known and the values fit; likely = alike; doubtful = the values do not fit."
    yield f"name: {_plain_name(path.stem)}"
    yield f"assumption: {_quoted(f'Drafted from {path.name}; not yet checked by a person.')}"
    operator = word_in_name(path.name, lookup(vocabulary.operators))
    note = "a word in the file's name" if operator else "null = from a column or the file's name"
    yield f"operator: {_quoted(operator) if operator else 'null'}    # {note}"
    yield "role: operator        # operator | national_database | reference"
    yield "mode: increment       # snapshot, if the file always holds the whole register"
    yield from _crs_lines(layers)
    names = list(dict.fromkeys(name for layer in layers for name in _names(layer)))
    column = {name: _joined(layers, name) for name in names}
    of_layers = [_guesses(_names(layer), column, vocabulary) for layer in layers]
    guesses = list(dict.fromkeys(guess for found in of_layers for guess in found))
    meant = [name for name in vocabulary.columns if any(guess.canonical == name for guess in guesses)]
    yield "columns:" if guesses else "columns: {}"
    for canonical in meant:
        same = [guess for guess in guesses if guess.canonical == canonical]
        why = "; ".join(f"{guess.confidence}: {guess.why}" for guess in same)
        yield f"  {canonical}: [{', '.join(_quoted(guess.column) for guess in same)}]    # {why}"
    ids = _id_columns(names, column, vocabulary)
    yield f"id_columns: [{', '.join(_quoted(name) for name, _ in ids)}]" + "".join(
        f"    # {why}" for _, why in ids[:1]
    )
    yield from _date_lines([column[guess.column] for guess in guesses if guess.canonical.startswith("date")])
    yield from _value_lines(guesses, column, vocabulary)
    used = {guess.column for guess in guesses} | {name for name, _ in ids}
    unused = [name for name in names if name not in used]
    if unused:
        yield "# Columns that are kept but mean nothing to geopipe:"
        yield from (f"#   {name}: {_described(column[name])}" for name in unused)


def _names(layer: RawLayer) -> list[str]:
    return [name for name in layer.table.column_names if name not in _OF_THE_READER]


def _joined(layers: Sequence[RawLayer], name: str) -> pa.Array:
    """Return one column of all layers; as text where the layers have it in different types."""
    parts = [layer.table[name].combine_chunks() for layer in layers if name in layer.table.column_names]
    parts = [part.dictionary_decode() if pa.types.is_dictionary(part.type) else part for part in parts]
    if len({part.type for part in parts}) > 1:
        parts = [as_text(part) for part in parts]
    return pa.concat_arrays(parts)


def _plain_name(stem: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in stem.lower()).strip("-")
    return kept if kept and kept != GENERIC else "my-profile"


def _quoted(text: str) -> str:
    """Write a text so that YAML reads it as that text."""
    return json.dumps(text, ensure_ascii=False)


def _crs_lines(layers: Sequence[RawLayer]) -> Iterator[str]:
    """Yield what the files say of their coordinate system, else where the numbers could lie."""
    stated = sorted({layer.crs_name for layer in layers if layer.crs_name})
    missing = [layer for layer in layers if not layer.crs_wkt]
    if not missing:
        yield f"assume_crs: null      # the files state {', '.join(stated)}"
        return
    shapes = [decode(layer.table["geometry"].to_numpy()) for layer in missing]
    bounds = shapely.total_bounds([shape for array in shapes for shape in array if shape is not None])
    found = candidates(bounds)
    best = found[0].crs if found and found[0].in_laos else None
    yield f"assume_crs: {best or 'null'}    # {len(missing)} layer(s) state none"
    yield from (f"#   {candidate}" for candidate in found)


def _guesses(names: Sequence[str], column: dict[str, pa.Array], vocabulary: Vocabulary) -> Iterator[Guess]:
    """Yield what the columns mean: by known names first, then by names that are alike."""
    taken: set[str] = set()
    found: dict[str, tuple[str, bool]] = {}
    for canonical, aliases in vocabulary.columns.items():
        name = find_column([name for name in names if name not in taken], aliases)
        if name is not None:
            found[canonical] = (name, True)
            taken.add(name)
    for canonical, aliases in vocabulary.columns.items():
        if canonical not in found and (name := _alike([n for n in names if n not in taken], aliases)):
            found[canonical] = (name, False)
            taken.add(name)
    for canonical in vocabulary.columns:
        if canonical in found:
            name, known = found[canonical]
            fits, why = _fit(canonical, column[name], vocabulary)
            if fits or known:
                yield Guess(
                    canonical, name, "sure" if fits and known else "likely" if fits else "doubtful", why
                )


def _alike(names: Sequence[str], aliases: Sequence[str]) -> str | None:
    """Return the column whose name is most alike to one of the aliases, if it is alike enough."""
    folded = {fold_tight(name): name for name in names}
    scored = [
        (difflib.SequenceMatcher(None, fold_tight(alias), name).ratio(), name)
        for alias in aliases
        for name in folded
        if len(name) > 3
    ]
    score, best = max(scored, default=(0.0, ""))
    return folded[best] if score >= _ALIKE else None


def _fit(canonical: str, values: pa.Array, vocabulary: Vocabulary) -> tuple[bool, str]:
    """Say whether the values of a column can mean this, and in a few words why."""
    filled = len(values) - as_text(values).null_count
    if not filled:
        return False, "all values are empty"
    if canonical.startswith("date"):
        dates = as_date(values, vocabulary.plausible_years)
        read = len(values) - dates.values.null_count
        notes = f"; {'; '.join(dates.notes)}" if dates.notes else ""
        return read >= _MOST * filled, f"{read:,} of {filled:,} values read as dates{notes}"
    if canonical == "guid":
        read = sum(_GUID.match(text) is not None for text in as_text(values).drop_null().to_pylist())
        return read >= _MOST * filled, f"{read:,} of {filled:,} values are GUIDs"
    if canonical in _FIGURES:
        read = len(values) - as_number(values).null_count
        return read >= _MOST * filled, f"{read:,} of {filled:,} values are figures"
    words: dict[str, Any] = {"kind": vocabulary.kinds, "status": vocabulary.statuses}
    if canonical in words:
        known = lookup(words[canonical])
        texts = [text for text in as_text(values).to_pylist() if text is not None]
        read = sum(fold_tight(text) in known for text in texts)
        return read > 0, f"{read:,} of {filled:,} values are known words"
    return True, f"{filled:,} values, {len(pc.unique(as_text(values).drop_null())):,} different"


def _id_columns(
    names: Sequence[str], column: dict[str, pa.Array], vocabulary: Vocabulary
) -> list[tuple[str, str]]:
    """Return the columns that can be the operator's own id, with how distinct their values are."""
    aliases = dict.fromkeys(alias for group in vocabulary.ids.values() for alias in group)
    found = []
    for name in (n for alias in aliases if (n := find_column(names, [alias]))):
        text = as_text(column[name])
        filled, different = len(text) - text.null_count, len(pc.unique(text.drop_null()))
        if filled and different >= 0.5 * filled:
            found.append((name, f"{different:,} different of {filled:,}"))
    return list(dict.fromkeys(found))


def _date_lines(columns: Sequence[pa.Array]) -> Iterator[str]:
    """Yield the order of day and month where the values prove it."""
    written = [c for c in columns if pa.types.is_string(c.type) or pa.types.is_large_string(c.type)]
    texts = [text for column in written for text in pc.unique(as_text(column).drop_null()).to_pylist()]
    day_first = any(_first_two(text)[0] > 12 >= _first_two(text)[1] for text in texts)
    month_first = any(_first_two(text)[1] > 12 >= _first_two(text)[0] for text in texts)
    if day_first and not month_first:
        yield "dates: {order: dmy}    # sure: some days are above 12"
    elif month_first and not day_first:
        yield "dates: {order: mdy}    # sure: some second figures are above 12"
    elif day_first:
        yield "dates: {order: auto}    # doubtful: both orders occur in one file; ask the sender"


def _first_two(text: str) -> tuple[int, int]:
    parts = text.replace(".", "/").replace("-", "/").split(" ")[0].split("/")
    if len(parts) == 3 and all(part.isdecimal() for part in parts) and len(parts[2]) == 4:
        return int(parts[0]), int(parts[1])
    return 0, 0


def _value_lines(
    guesses: Sequence[Guess], column: dict[str, pa.Array], vocabulary: Vocabulary
) -> Iterator[str]:
    """Yield the words of kind, status and operator columns, those to be mapped by a person marked."""
    known: dict[str, Any] = {
        "kind": lookup(vocabulary.kinds),
        "status": lookup(vocabulary.statuses),
        "operator": lookup(vocabulary.operators),
    }
    for guess in guesses:
        if guess.canonical not in _LISTED:
            continue
        counts = pc.value_counts(as_text(column[guess.column]).drop_null()).to_pylist()
        ordered = sorted(((item["values"], item["counts"]) for item in counts), key=lambda item: -item[1])
        yield f"# Values of {guess.column} ({guess.canonical}):"
        for value, count in ordered[:_LONGEST_LIST]:
            meaning = known[guess.canonical].get(fold_tight(value))
            yield f"#   {value}: {count:,} records = {meaning or 'UNKNOWN: add it below'}"
        if len(ordered) > _LONGEST_LIST:
            yield f"#   and {len(ordered) - _LONGEST_LIST} more"
        odd = [value for value, _ in ordered if fold_tight(value) not in known[guess.canonical]]
        if odd and guess.canonical != "operator":
            name, word = ("kinds", "CHA") if guess.canonical == "kind" else ("statuses", "open")
            yield f"{name}: {{}}    # for example {{{word}: [{_quoted(odd[0])}]}}"


def _described(values: pa.Array) -> str:
    text = as_text(values)
    different = len(pc.unique(text.drop_null()))
    return f"{values.type}, {len(text) - text.null_count:,} filled, {different:,} different"
