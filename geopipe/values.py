"""Read delivered values: text, dates, figures and figures with units, as a profile or the column says.

What could mean two things is not read: it becomes null, and the caller tells how many were lost.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.profiles import DateRules, NumberRules
from geopipe.recognition import map_values

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$")
_THREE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: .*)?$")
_NAMED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ ,-]+(\d{4})$")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = 12
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(?:\1\d{3})*(?:([.,])\d*)?$")
_WITH_UNIT = re.compile(r"([+-]?[\d.,'\s]*\d[.,]?)\s*([^\d\s.,].*)$")
_SPACES = re.compile(r"[\s'\u00a0\u202f\u2009]")
# A Buddhist year is 543 ahead; dates in these years cannot be anything else.
_BUDDHIST_YEARS = range(2450, 2700)
_BUDDHIST_OFFSET = 543
# So large a part of a column's dates must have Buddhist years before the column is read so.
_MOST = 0.9
_EXCEL_DAY_ZERO = dt.date(1899, 12, 30)
_EXCEL_DAYS = range(14_000, 80_000)
_EPOCH_MS = (10_000_000_000, 4_200_000_000_000)
_UNITS_M2 = {
    "m2": 1.0, "sqm": 1.0, "sq.m": 1.0, "sq m": 1.0, "m^2": 1.0, "square metres": 1.0, "square meters": 1.0,
    "ຕາແມັດ": 1.0, "ຕລມ": 1.0,
    "ha": 1e4, "hectare": 1e4, "hectares": 1e4, "ເຮັກຕາ": 1e4, "ຮຕ": 1e4,
    "km2": 1e6, "sqkm": 1e6, "sq km": 1e6, "km^2": 1e6, "ກມ2": 1e6,
}  # fmt: skip
_UNITS_CM = {"cm": 1.0, "ຊມ": 1.0, "m": 100.0, "mm": 0.1}


@dataclass(frozen=True)
class Dates:
    """A column of dates, and in which unusual ways it was read."""

    values: pa.Array
    notes: tuple[str, ...] = ()


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


def missing(column: Any) -> int:
    """Return how many values of a column are none: null, empty text, or no finite number."""
    kind = column.type
    if pa.types.is_floating(kind):
        return int(_finite(column).null_count)
    if pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        return int(column.null_count)
    return int(as_text(column).null_count)


def _text_of(value: Any) -> str | None:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return str(value).strip()


_Day = tuple[int, int, int]


class _DateReader:
    """Reads the different values of one column; remembers in which unusual ways."""

    def __init__(self, rules: DateRules) -> None:
        self.rules = rules
        self.month_first = rules.order == "mdy"
        self.ambiguous = False
        self.used: dict[str, None] = {}

    def day_of(self, value: Any) -> _Day | None:
        """Return year, month and day as they stand, in whatever calendar."""
        if isinstance(value, dt.datetime):
            shifted = value + dt.timedelta(hours=self.rules.utc_offset_hours) if value.tzinfo else value
            return shifted.year, shifted.month, shifted.day
        if isinstance(value, dt.date):
            return value.year, value.month, value.day
        if isinstance(value, int | float):
            return self._of_number(float(value))
        return self._of_text(str(value).strip())

    def _of_number(self, number: float) -> _Day | None:
        if not math.isfinite(number):
            return None
        if _EPOCH_MS[0] <= abs(number) <= _EPOCH_MS[1]:
            self.used["milliseconds since 1970"] = None
            local = dt.timedelta(milliseconds=number, hours=self.rules.utc_offset_hours)
            day = dt.datetime(1970, 1, 1) + local
            return day.year, day.month, day.day
        whole = int(number)
        if whole in _EXCEL_DAYS:
            self.used["day numbers of Excel"] = None
            day_of_excel = _EXCEL_DAY_ZERO + dt.timedelta(days=whole)
            return day_of_excel.year, day_of_excel.month, day_of_excel.day
        if number == whole and 19_000_101 <= whole <= 26_991_231:
            return whole // 10_000, whole // 100 % 100, whole % 100
        return None

    def _of_text(self, text: str) -> _Day | None:
        if match := _ISO.match(text):
            year, second, third = map(int, match.groups())
            return year, second, third
        if match := _THREE.match(text):
            first, second, year = map(int, match.groups())
            if self.ambiguous and first <= _MONTHS and second <= _MONTHS:
                return None
            return (year, first, second) if self.month_first and first <= _MONTHS else (year, second, first)
        if match := _NAMED.match(text):
            name = match[2].lower()[:3]
            month = _MONTH_NAMES.index(name) + 1 if name in _MONTH_NAMES else 0
            return int(match[3]), month, int(match[1])
        return self._of_number(float(text)) if _NUMBER.match(text) else None

    def look(self, values: list[Any]) -> None:
        """Decide by the whole column if day before month can be believed, where the rules leave it open."""
        if self.rules.order != "auto":
            return
        parts = [m for m in (_THREE.match(v.strip()) for v in values if isinstance(v, str)) if m]
        # One value that can only be read month first: those that could be either are not read.
        self.ambiguous = any(int(m[2]) > _MONTHS >= int(m[1]) for m in parts)


def as_date(column: Any, years: tuple[int, int], rules: DateRules = DateRules()) -> Dates:  # noqa: B008
    """Return a column as dates; what cannot be read, or lies outside the plausible years, is null.

    Parameters
    ----------
    column : Arrow column
        Dates, time stamps (with a zone: brought to the local day of the rules), text, day numbers of
        Excel (1900 system), or milliseconds since 1970 in UTC (Esri).
    years : (int, int)
        First and last year that are believed.
    rules : DateRules
        Order of day and month, calendar and zone. `auto`: text is ISO or day before month; if one
        value can only be read month before day, the values that could be either are null. Years
        around 2566 are Buddhist where nearly all of the column are.
    """
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_timestamp(plain.type):
        plain = plain.cast(pa.timestamp("ms", plain.type.tz), safe=False)
    encoded = plain if pa.types.is_dictionary(plain.type) else plain.dictionary_encode()
    days = _days_as_they_stand(encoded.dictionary)
    if days is not None and (rules.calendar == "gregorian" or not _has_buddhist_years(days)):
        return Dates(_believed(days, years).take(encoded.indices))
    different = encoded.dictionary.to_pylist()
    reader = _DateReader(rules)
    reader.look(different)
    days = [None if value is None else reader.day_of(value) for value in different]
    notes = [f"{words} were read as dates" for words in reader.used]
    buddhist = [day is not None and day[0] in _BUDDHIST_YEARS for day in days]
    read = sum(day is not None for day in days)
    if any(buddhist) and rules.calendar != "gregorian":
        if rules.calendar == "buddhist" or sum(buddhist) >= _MOST * read:
            days = [_gregorian(day) if old and day else day for day, old in zip(days, buddhist, strict=True)]
            notes.append("Buddhist years were read as 543 years earlier")
        else:
            notes.append("a few years are Buddhist, most are not: those dates were not read")
    dates = [None if day is None else _date(day, years) for day in days]
    values = pa.array(dates, pa.date32()).take(encoded.indices)
    return Dates(values, tuple(notes))


def _days_as_they_stand(values: pa.Array) -> pa.Array | None:
    """Return days that need no reading: dates, time stamps without zone, texts that are all YYYY-MM-DD."""
    kind = values.type
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        return values.cast(pa.date32(), safe=False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        try:
            return values.cast(pa.date32())
        except pa.ArrowInvalid:
            return None
    return None


def _has_buddhist_years(days: pa.Array) -> bool:
    years = pc.year(days)
    old = pc.and_(pc.greater_equal(years, _BUDDHIST_YEARS.start), pc.less(years, _BUDDHIST_YEARS.stop))
    return bool(pc.any(old).as_py())


def _believed(days: pa.Array, years: tuple[int, int]) -> pa.Array:
    """Return the days of plausible years, null for the others."""
    year = pc.year(days)
    plausible = pc.and_(pc.greater_equal(year, years[0]), pc.less_equal(year, years[1]))
    return pc.if_else(plausible, days, pa.scalar(None, pa.date32()))


def _gregorian(day: _Day) -> _Day:
    return day[0] - _BUDDHIST_OFFSET, day[1], day[2]


def _date(day: _Day, years: tuple[int, int]) -> dt.date | None:
    if not years[0] <= day[0] <= years[1]:
        return None
    try:
        return dt.date(*day)
    except ValueError:
        return None


def as_number(column: Any, rules: NumberRules = NumberRules()) -> pa.Array:  # noqa: B008
    """Return a column as numbers; text that is not one plain number, or could be two, is null."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return _finite(column)
    return map_values(as_text(column), lambda text: number_of(text, rules), pa.float64())


def _finite(column: Any) -> pa.Array:
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    numbers = plain.cast(pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def number_of(text: str, rules: NumberRules = NumberRules()) -> float | None:  # noqa: B008
    """Return the number that a text can only mean; None where it is none, or could be two.

    `20.436` is a number with a decimal point unless the rules say that the comma is the decimal
    sign; `5,815` could be 5.815 or 5815 and is not read without a rule.
    """
    bare = _SPACES.sub("", text)
    if rules.decimal == ",":
        return _swapped(bare)
    if _NUMBER.match(bare):
        return float(bare)
    grouped = _GROUPED.match(bare)
    if grouped and (grouped[2] is None or grouped[2] != grouped[1]):
        only_one = grouped[2] is None and bare.count(grouped[1]) == 1
        if not only_one or (grouped[1] == "," and rules.decimal == "."):
            whole = bare.replace(grouped[1], "")
            return float(whole.replace(grouped[2], ".") if grouped[2] else whole)
        return None
    if rules.decimal == "auto" and bare.count(",") == 1 and "." not in bare:
        return _swapped(bare)
    return None


def _swapped(bare: str) -> float | None:
    """Read a number whose decimal sign is the comma."""
    turned = bare.translate({ord("."): ",", ord(","): "."})
    if _NUMBER.match(turned):
        return float(turned)
    grouped = _GROUPED.match(turned)
    if grouped and grouped[1] == "," and grouped[2] in (None, "."):
        return float(turned.replace(",", ""))
    return None


def as_measure(column: Any, unit: float, units: dict[str, float], rules: NumberRules) -> pa.Array:
    """Return figures times `unit`; a unit written behind a figure (`2.5 ha`) counts instead."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return pc.multiply(_finite(column), unit)
    return map_values(as_text(column), lambda text: _measure_of(text, unit, units, rules), pa.float64())


def _measure_of(text: str, unit: float, units: dict[str, float], rules: NumberRules) -> float | None:
    factor, figure = unit, text
    if match := _WITH_UNIT.match(text):
        written = match[2].strip().lower().replace("²", "2").rstrip(".")
        if written not in units:
            return None
        factor, figure = units[written], match[1]
    number = number_of(figure, rules)
    return None if number is None else number * factor


def as_area_m2(unit_m2: float, rules: NumberRules) -> Callable[[Any], pa.Array]:
    """Return a reader of areas that are meant in this unit (m2) where they name none."""
    return lambda column: as_measure(column, unit_m2, _UNITS_M2, rules)


def as_depth_cm(rules: NumberRules) -> Callable[[Any], pa.Array]:
    """Return a reader of depths in cm; below zero is no depth but a sign that there is none (-9999)."""

    def read(column: Any) -> pa.Array:
        depth_cm = as_measure(column, 1.0, _UNITS_CM, rules)
        return pc.if_else(pc.less(depth_cm, 0.0), pa.scalar(None, pa.float64()), depth_cm)

    return read
