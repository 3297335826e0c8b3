"""Dates of surveys, completions and reports, as days since 1970-01-01 (-1: not stated)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .rings import Ints

Rng = np.random.Generator

FIRST_DAY = int(np.datetime64("2015-01-01").astype(int))
LAST_SURVEY = int(np.datetime64("2023-12-31").astype(int))
LAST_COMPLETION = int(np.datetime64("2025-12-31").astype(int))


@dataclass(frozen=True)
class Days:
    """Three dates of each record, shape (n,): survey, completion, information."""

    surveyed: Ints
    completed: Ints
    informed: Ints

    def mid_month(self) -> Days:
        """Return the dates moved to the 13th to 28th of their month: day first is then unambiguous."""
        return Days(*(_mid_month(day) for day in (self.surveyed, self.completed, self.informed)))


def hazard_days(rng: Rng, n: int) -> Days:
    """Draw the dates of hazard records: surveyed 2015 to 2023, reported within two months."""
    return _reported(rng, rng.integers(FIRST_DAY, LAST_SURVEY, n), completed=False)


def released_days(rng: Rng, n: int) -> Days:
    """Draw the dates of released land: completed 2015 to 2025, reported within two months."""
    return _reported(rng, rng.integers(FIRST_DAY, LAST_COMPLETION, n), completed=True)


def released_after(rng: Rng, hazard: Days) -> Days:
    """Draw completions 60 to 700 days after the surveys of these hazards."""
    return _reported(rng, hazard.surveyed + rng.integers(60, 700, len(hazard.surveyed)), completed=True)


def surveyed_after(rng: Rng, released: Days) -> Days:
    """Draw surveys 40 to 700 days after the completions of this land."""
    return _reported(
        rng, released.completed + rng.integers(40, 700, len(released.completed)), completed=False
    )


def early_release(rng: Rng, n: int) -> Days:
    """Draw completions of 2015 to 2022, early enough for something to be found on the land later."""
    return _reported(rng, rng.integers(FIRST_DAY, LAST_SURVEY - 365, n), completed=True)


def next_version(rng: Rng, hazard: Days) -> Days:
    """Draw the dates of a later version of these hazard records: surveyed and reported again."""
    informed = hazard.informed + rng.integers(90, 700, len(hazard.informed))
    return replace(hazard, surveyed=informed - rng.integers(1, 30, len(informed)), informed=informed)


def _reported(rng: Rng, day: Ints, *, completed: bool) -> Days:
    """Put the day where it belongs and report it 1 to 60 days later."""
    none = np.full(len(day), -1, dtype=np.int64)
    informed = day + rng.integers(1, 60, len(day))
    return Days(none, day, informed) if completed else Days(day, none, informed)


def _mid_month(day: Ints) -> Ints:
    """Clip the day of the month to 13 to 28; the order of dates stays."""
    date = day.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    of_month = (date - month.astype("datetime64[D]")).astype(np.int64) + 1
    clipped = month.astype("datetime64[D]").astype(np.int64) + np.clip(of_month, 13, 28) - 1
    return np.where(day < 0, day, clipped)
