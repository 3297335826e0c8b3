"""Dates: in an order that can be, and none in the future."""

from __future__ import annotations

import datetime as dt

import numpy as np

from geopipe.checks.telling import days, sentences, told
from geopipe.policies import CheckRules
from geopipe.schema import Frame

_NAMES = {
    "date_started": "start",
    "date_surveyed": "survey",
    "date_completed": "completion",
    "date_of_information": "information",
    "date_found": "find",
}
# The first must not be later than the second. Information that is older than what it tells of cannot be.
_IN_ORDER = (
    ("date_started", "date_completed"),
    ("date_surveyed", "date_completed"),
    ("date_surveyed", "date_of_information"),
    ("date_completed", "date_of_information"),
)


def dates_in_order(areas: Frame) -> Frame:
    """Tell of records whose dates contradict each other, naming them (DATES_OUT_OF_ORDER)."""
    day = {name: days(areas, name) for name in _NAMES}
    wrong = np.column_stack([day[first] > day[second] for first, second in _IN_ORDER])
    rows = np.flatnonzero(wrong.any(axis=1))
    texts = [
        "; ".join(
            f"{_NAMES[first]} ({day[first][row]}) is later than {_NAMES[second]} ({day[second][row]})"
            for which, (first, second) in enumerate(_IN_ORDER)
            if wrong[row, which]
        ).capitalize()
        for row in rows
    ]
    return told(areas.take(rows), "DATES_OUT_OF_ORDER", sentences(texts))


def dates_in_future(records: Frame, rules: CheckRules, today: dt.date) -> Frame:
    """Tell of records with a date after the day of the run (DATE_IN_FUTURE).

    Parameters
    ----------
    records : Frame
        Areas, or points and lines.
    rules : CheckRules
        `days_ahead`: so many days are no future yet.
    today : date
        The day of the run; clocks stand outside the stages.
    """
    last = np.datetime64(today) + rules.days_ahead
    day = {name: days(records, name) for name in _NAMES}
    late = np.column_stack([values > last for values in day.values()])
    rows = np.flatnonzero(late.any(axis=1))
    texts = [
        "In the future: "
        + ", ".join(
            f"{_NAMES[name]} {day[name][row]}" for which, name in enumerate(_NAMES) if late[row, which]
        )
        for row in rows
    ]
    return told(records.take(rows), "DATE_IN_FUTURE", sentences(texts))
