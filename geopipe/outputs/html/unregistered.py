"""Overlaps of a result without a register, in the form of cases, so that both are shown by the same pages."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import shapely

from geopipe.casework.choosing import by_urgency
from geopipe.register.case import Case, Side, Sighting
from geopipe.register.rows import PAIR_COLUMNS, RECORD_COLUMNS, pair_columns, plain
from geopipe.schema import Frame
from geopipe.terms import CaseStatus, Severity


def cases_of_overlaps(areas: Frame, overlaps: Frame, working_crs: str, day: dt.date) -> list[Case]:
    """Return an overlap as a case whose A is the left record; what is only a note of the policy opens none.

    They have no number: they are named in the order of urgency, and another result names them otherwise.
    """
    rows = {name: row for row, name in enumerate(areas.table["row_id"].to_pylist())}
    table = areas.table.whole()
    told = table.select([name for name in RECORD_COLUMNS if name in table.column_names]).to_pylist()
    names = [*PAIR_COLUMNS, "left_share", "right_share", "left_row_id", "right_row_id"]
    pairs = overlaps.table.select(names).to_pylist()
    cases = []
    for number, (pair, ground) in enumerate(zip(pairs, overlaps.geometry, strict=True)):
        if pair["severity"] == Severity.NOTE:
            continue
        a, b = (
            _side(told[rows[pair[f"{side}_row_id"]]], areas.geometry[rows[pair[f"{side}_row_id"]]])
            for side in ("left", "right")
        )
        seen = Sighting(number, 0, a, b, pair_columns(pair, flipped=False), ground, working_crs)
        case = Case(
            case_id=f"{number:08}",
            number=None,
            status=CaseStatus.NEW,
            present=True,
            first_seen=day,
            last_seen=day,
            sighting=seen,
            events=(),
        )
        cases.append(case)
    ordered = by_urgency(cases)
    return [_named(case, place) for place, case in enumerate(ordered, 1)]


def _side(columns: dict[str, Any], geometry: shapely.Geometry) -> Side:
    """Return a record; what the published layer does not hold is not known."""
    return Side({name: plain(columns.get(name)) for name in RECORD_COLUMNS}, geometry)


def _named(case: Case, place: int) -> Case:
    return replace(case, case_id=f"overlap-{place}", number=f"#{place}")
