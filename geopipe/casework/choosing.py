"""Choose cases for a list, and put the most urgent first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from geopipe.casework.facts import is_open, is_overdue
from geopipe.casework.words import STATUSES, understand
from geopipe.errors import ConfigError
from geopipe.register.case import Case
from geopipe.register.table import place_of
from geopipe.settings import did_you_mean
from geopipe.terms import Severity

_SEVERITIES = [level.value for level in Severity]


@dataclass(frozen=True)
class Wanted:
    """Which cases somebody wants to see; empty: all."""

    statuses: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    only_open: bool = False
    only_overdue: bool = False


def choose(cases: Sequence[Case], wanted: Wanted, today: dt.date) -> list[Case]:
    """Return the wanted cases, the most urgent first.

    Raises
    ------
    ConfigError
        When a status, operator or province is none that the cases have.
    """
    statuses = {understand(word, STATUSES, "status") for word in wanted.statuses}
    operators = _known(wanted.operators, {name for case in cases for name in case.operators}, "operator")
    places = {place for case in cases if (place := place_of(case, "province"))}
    provinces = _known(wanted.provinces, places, "province")
    return [
        case
        for case in by_urgency(cases)
        if (not statuses or case.status in statuses)
        and (not operators or operators & set(case.operators))
        and (not provinces or place_of(case, "province") in provinces)
        and (not wanted.severities or case.sighting.columns["severity"] in wanted.severities)
        and (not wanted.only_open or is_open(case))
        and (not wanted.only_overdue or is_overdue(case, today))
    ]


def by_urgency(cases: Iterable[Case]) -> list[Case]:
    """Return cases in order: alarms first, then the largest."""

    def urgency(case: Case) -> tuple[int, float, str]:
        columns = case.sighting.columns
        return _SEVERITIES.index(columns["severity"]), -columns["area_m2"], case.case_id

    return sorted(cases, key=urgency)


def _known(words: Sequence[str], names: Iterable[str], what: str) -> set[str]:
    """Return the names that words mean, in capitals or not."""
    by_word = {name.casefold(): name for name in names}
    for word in words:
        if word.strip().casefold() not in by_word:
            near = did_you_mean(word, tuple(sorted(by_word.values())))
            raise ConfigError(f"no case is about the {what} {word!r}{near}")
    return {by_word[word.strip().casefold()] for word in words}
