"""Read a file of reported figures, row by row: what could mean two things is refused with a sentence."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from geopipe.config import Vocabulary
from geopipe.errors import SourceError
from geopipe.figures.figure import ALL, KINDS, Figure, Key
from geopipe.location.places import Places
from geopipe.profiles import NumberRules
from geopipe.recognition import find_column, fold_tight, lookup
from geopipe.settings import did_you_mean
from geopipe.values import as_area_m2

COLUMNS = ("operator", "month", "province", "kind", "ha")
_MOST_BYTES = 10_000_000
_M2_PER_HA = 10_000.0
_NIL = re.compile(r"(?:0(?:[.,]0+)?\s*)?\(?nil\)?", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-01)?(?: 00:00:00)?")
_GREGORIAN = range(1970, 2100)
# One group of three digits behind a point or comma: decimals of one, thousands of another writer.
_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}(?!\d|[.,]\d)")


@dataclass(frozen=True)
class Refused:
    """A line that was not taken, and why."""

    line: int
    sentence: str


@dataclass(frozen=True)
class Known:
    """What names in the file may mean: operators, places, words, and the decimal sign (`auto`, `.`, `,`)."""

    operators: Sequence[str]
    places: Places
    vocabulary: Vocabulary
    decimal: str
    today: dt.date


class _DoubtfulError(Exception):
    """A line that cannot be taken."""


def read_figures(path: Path, known: Known) -> tuple[list[Figure], list[Refused]]:
    """Return the figures of a CSV file, and the lines that were refused.

    Raises
    ------
    SourceError
        When the file is not such a table.
    """
    header, lines = _table(path)
    names = dict(zip(COLUMNS, (_column(header, name, known.vocabulary) for name in COLUMNS), strict=True))
    if missing := [name for name, column in names.items() if column is None]:
        remedy = f"The first line must name {', '.join(COLUMNS)}."
        raise SourceError(f"there is no column {' and no '.join(missing)}", str(path), remedy)
    place = {name: header.index(str(column)) for name, column in names.items()}
    figures: list[Figure] = []
    refused: list[Refused] = []
    seen: dict[Key, int] = {}
    for line, cells in lines:
        cell = {name: (cells[at] if at < len(cells) else "").strip() for name, at in place.items()}
        try:
            figure = _Row(cell, known).figure(line)
            if figure.key in seen:
                raise _DoubtfulError(
                    f"line {seen[figure.key]} is about the same operator, month, province and kind"
                )
        except _DoubtfulError as error:
            refused.append(Refused(line, str(error)))
            continue
        seen[figure.key] = line
        figures.append(figure)
    return figures, refused


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the lines that hold anything, with their numbers."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"the file cannot be read ({error.strerror})", str(path)) from error
    remedy = "Save it from Excel as CSV UTF-8."
    if len(content) > _MOST_BYTES:
        raise SourceError("this file is too large for a table of figures", str(path))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("the text of this file is not UTF-8", str(path), remedy) from error
    if "\0" in text:
        raise SourceError("this is not a text file", str(path), remedy)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SourceError(f"the table cannot be read ({error})", str(path), remedy) from error
    if not rows:
        raise SourceError("the file is empty", str(path))
    return rows[0][1], rows[1:]


def _column(header: Sequence[str], name: str, vocabulary: Vocabulary) -> str | None:
    """Return the column of the file that carries a figure's part."""
    words = {
        "operator": vocabulary.columns["operator"],
        "province": vocabulary.columns["province_stated"],
        "kind": vocabulary.columns["kind"],
        "ha": ("area_ha", *vocabulary.columns["area_stated_ha"]),
    }
    return find_column(header, (name, *words.get(name, ())))


class _Row:
    """One line of the file."""

    def __init__(self, cell: Mapping[str, str], known: Known) -> None:
        self.cell, self.known = cell, known

    def figure(self, line: int) -> Figure:
        """Return the figure that the line can only mean."""
        is_nil = _NIL.fullmatch(self.cell["ha"]) is not None
        key = Key(self._operator(), self._month(), self._province(is_nil), self._kind(is_nil))
        return Figure(key, None if is_nil else self._area_ha(), line)

    def _operator(self) -> str:
        text = self.cell["operator"]
        if not text:
            raise _DoubtfulError("the operator is missing")
        names = {fold_tight(name): name for name in self.known.operators}
        table = names | lookup(self.known.vocabulary.operators)
        if fold_tight(text) not in table:
            known = tuple(sorted(set(table.values())))
            raise _DoubtfulError(f"the operator {text!r} is not known{did_you_mean(text, known)}")
        return table[fold_tight(text)]

    def _month(self) -> str:
        text = self.cell["month"]
        found = _MONTH.fullmatch(text)
        year, month = (int(found[1]), int(found[2])) if found else (0, 0)
        if year - 543 in _GREGORIAN:
            raise _DoubtfulError(f"{text!r} has a Buddhist year: write {year - 543}-{month:02d}")
        if year not in _GREGORIAN or not 1 <= month <= 12:
            raise _DoubtfulError(f"{text!r} is not a month: write it as 2026-03")
        if (year, month) > (self.known.today.year, self.known.today.month):
            raise _DoubtfulError(f"the month {text} has not begun yet")
        return f"{year}-{month:02d}"

    def _province(self, is_nil: bool) -> str:
        text, places = self.cell["province"], self.known.places
        if not text and is_nil:
            return ALL
        if not text:
            raise _DoubtfulError("the province is missing")
        names = dict(zip(places.province_code, places.province_name, strict=True))
        code = places.resolve_province(text)
        if isinstance(code, tuple):
            either = " or ".join(f"{names[one]} ({one})" for one in code)
            raise _DoubtfulError(f"the province {text!r} could be {either}")
        if code is None:
            hint = did_you_mean(text, tuple(sorted(names.values())))
            raise _DoubtfulError(f"the province {text!r} is not known{hint}")
        return code

    def _kind(self, is_nil: bool) -> str:
        text = self.cell["kind"]
        if not text and is_nil:
            return ALL
        if not text:
            raise _DoubtfulError("the kind is missing")
        kind = lookup(self.known.vocabulary.kinds).get(fold_tight(text))
        if kind not in KINDS:
            hint = did_you_mean(text.upper(), KINDS)
            raise _DoubtfulError(f"the kind {text!r} is not one of which hectares are reported{hint}")
        return str(kind)

    def _area_ha(self) -> float:
        text = self.cell["ha"]
        if not text:
            raise _DoubtfulError("the figure is missing: write 0, or nil where there is nothing to report")
        if self.known.decimal == "auto" and (doubt := _TWO_WAYS.match(text)):
            whole = re.sub(r"[.,]", "", doubt[0])
            point = doubt[0].replace(",", ".")
            raise _DoubtfulError(
                f"{text!r} could be {int(whole):,} ha or {float(point):.2f} ha: write {whole} or "
                f"{float(point):.2f}, or say --decimal"
            )
        rules = NumberRules(decimal=self.known.decimal)
        area_m2 = as_area_m2(_M2_PER_HA, rules)(pa.array([text], pa.string()))[0].as_py()
        if area_m2 is None:
            raise _DoubtfulError(f"{text!r} is not a figure in hectares")
        if area_m2 < 0:
            raise _DoubtfulError(f"{text!r} is less than nothing")
        return float(area_m2) / _M2_PER_HA
