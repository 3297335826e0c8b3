"""By what hectares are listed: the label of each record in each column of the table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geopipe.errors import ConfigError
from geopipe.schema import Frame
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS

BY = ("province", "district", "operator", "kind", "year", "quarter", "land_use")
UNKNOWN = "unknown"
NOT_STATED = "not stated"
SHARED = "shared between operators"


def require_known(by: Sequence[str]) -> None:
    """Refuse a column that hectares cannot be listed by.

    Raises
    ------
    ConfigError
        When a name is not in `BY`, or stands there twice.
    """
    for name in by:
        if name not in BY:
            raise ConfigError(f"--by: there is no column {name!r}", remedy=f"Known are {', '.join(BY)}.")
    if len(set(by)) != len(by):
        raise ConfigError("--by: each column can be named once")


def days_of(areas: Frame) -> NDArray[np.datetime64]:
    """Return the day to which a record's ground belongs: survey of hazard, completion of released land.

    No other date stands in for one that is missing: the date of information changes with each edit.
    """
    surveyed, completed = (
        areas.numpy(name).astype("datetime64[D]") for name in ("date_surveyed", "date_completed")
    )
    return np.where(
        areas.flags("kind", sorted(RELEASED_KINDS)),
        completed,
        np.where(areas.flags("kind", sorted(HAZARD_KINDS)), surveyed, np.datetime64("NaT")),
    )


def labels_of(areas: Frame, by: Sequence[str]) -> list[tuple[str, ...]]:
    """Return for each record its label in each column of `by`."""
    require_known(by)
    columns = [_column(areas, name, alone="province" not in by) for name in by]
    return list(zip(*columns, strict=True)) if columns else [()] * len(areas)


def _column(areas: Frame, name: str, alone: bool) -> list[str]:
    if name == "province":
        return _places(areas, "province")
    if name == "district":
        districts = _places(areas, "district")
        if not alone:
            return districts
        # Names of districts recur in several provinces.
        pairs = zip(_places(areas, "province"), districts, strict=True)
        return [f"{province}, {district}" for province, district in pairs]
    if name in ("year", "quarter"):
        return [_period(day, name) for day in days_of(areas).tolist()]
    missing = NOT_STATED if name == "land_use" else UNKNOWN
    return [value or missing for value in _values(areas, name)]


def _places(areas: Frame, level: str) -> list[str]:
    """Return where each record lies, else where it says that it lies."""
    lies, said = _values(areas, f"{level}_located"), _values(areas, f"{level}_stated")
    return [place or other or UNKNOWN for place, other in zip(lies, said, strict=True)]


def _period(day: dt.date | None, name: str) -> str:
    if day is None:
        return UNKNOWN
    return f"{day.year}" if name == "year" else f"{day.year}-Q{(day.month + 2) // 3}"


def _values(areas: Frame, name: str) -> list[Any]:
    values: list[Any] = areas.table[name].to_pylist()
    return values
