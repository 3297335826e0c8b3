"""Cases as a frame: for the map, for lists and for sheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from geopipe.register.case import Case
from geopipe.register.caserows import CaseRows, Columns, rows_of
from geopipe.register.known import moved_to
from geopipe.schema import CASES, Frame, make_frame
from geopipe.terms import RELEASED_KINDS

_OF_THE_PAIR = (
    "relation", "finding", "severity", "counted", "time_order", "area_m2", "width_m", "mean_width_m", "parts",
    "confidence",
)  # fmt: skip


def case_table(cases: Sequence[Case], working_crs: str) -> Frame:
    """Return cases as CASES, in the order given, in a working CRS (m)."""
    return table_of(rows_of(cases), working_crs)


def table_of(rows: CaseRows, working_crs: str) -> Frame:
    """Return rows of cases as CASES, in their order, in a working CRS (m)."""
    return make_frame(CASES, _columns(rows), moved_to(rows.geometry, rows.working_crs, working_crs))


def _columns(rows: CaseRows) -> dict[str, Any]:
    cases, sides = rows.standing, (("a", rows.a), ("b", rows.b))
    decisions = [case.decision for case in cases]
    references = [decision.reference if decision else None for decision in decisions]
    return {
        "case_id": [case.case_id for case in cases],
        "number": [case.number for case in cases],
        "status": [case.status.value for case in cases],
        "present": [case.present for case in cases],
        "first_seen": [case.first_seen for case in cases],
        # What is there now is seen by every run: a date would make each run differ from the one before.
        "last_seen": [None if case.present else case.last_seen for case in cases],
        **{f"{name}_{column}": told for name, side in sides for column, told in _of_side(side).items()},
        **{f"{name}_share": [seen[f"{name}_share"] for seen in rows.seen] for name in ("a", "b")},
        **{level: _places(rows.a, rows.b, level) for level in ("province", "district")},
        **{name: [seen[name] for seen in rows.seen] for name in _OF_THE_PAIR},
        "decision": [decision.choice.value if decision else None for decision in decisions],
        "decision_confirmed": [decision.confirmed if decision else None for decision in decisions],
        "reference": [reference.text if reference else None for reference in references],
        "responsible": [
            case.decision.responsible if case.decision else case.assigned_to or None for case in cases
        ],
        "due": [case.decision.due if case.decision and case.decision.due else case.due for case in cases],
    }


def _of_side(records: Columns) -> dict[str, Any]:
    """Return what the map says of records; the date of each is that which orders it in time."""
    both = zip(records["kind"], records["date_completed"], records["date_surveyed"], strict=True)
    dates = [completed if kind in RELEASED_KINDS else surveyed for kind, completed, surveyed in both]
    return {
        "id": records["record_id"],
        **{name: records[name] for name in ("operator", "kind", "status")},
        "date": pa.array(dates, pa.string()),
    }


def _places(a: Columns, b: Columns, level: str) -> list[str | None]:
    """Return the province or the district of each case."""
    told = (side[f"{level}_{what}"] for what in ("located", "stated") for side in (a, b))
    return [_first(names) for names in zip(*told, strict=True)]


def place_of(case: Case, level: str) -> str | None:
    """Return the province or the district: where A lies, else B, else what they state."""
    sides = case.sighting.a.columns, case.sighting.b.columns
    return _first([side[f"{level}_{what}"] for what in ("located", "stated") for side in sides])


def _first(names: Iterable[str | None]) -> str | None:
    return next((name for name in names if name), None)
