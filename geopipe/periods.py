"""Periods that people report on: a year, a quarter, a month."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from geopipe.errors import ConfigError

_PERIOD = re.compile(r"(?P<year>\d{4})(?:-?(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?", re.IGNORECASE)


def day_here(moment: dt.datetime) -> dt.date:
    """Return the day that it is here at a moment with its zone; before seven in Laos, UTC has another."""
    return moment.astimezone().date()


@dataclass(frozen=True)
class Period:
    """A stretch of whole months, first and last day included, and its name."""

    name: str
    first: dt.date
    last: dt.date

    def meets(self, first: dt.date, last: dt.date) -> bool:
        """Say whether two stretches of days have a day in common."""
        return first <= self.last and last >= self.first


def parse_period(text: str) -> Period:
    """Return the period that is written as 2026, 2026-Q1 or 2026-03.

    Raises
    ------
    ConfigError
        When it is written in another way.
    """
    found = _PERIOD.fullmatch(text.strip())
    year = int(found["year"]) if found else 0
    if not found or not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise ConfigError(f"{text!r} is not a period", remedy="Write 2026, 2026-Q1 or 2026-03.")
    if found["quarter"]:
        start, end, name = (
            3 * int(found["quarter"]) - 2,
            3 * int(found["quarter"]),
            f"{year}-Q{found['quarter']}",
        )
    elif found["month"]:
        start = end = int(found["month"])
        name = f"{year}-{end:02d}"
    else:
        start, end, name = 1, 12, f"{year}"
    last_day = calendar.monthrange(year, end)[1]
    return Period(name, dt.date(year, start, 1), dt.date(year, end, last_day))
