"""Cases as a frame: for the map, for lists and for sheets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from geopipe.register.case import Case, Side
from geopipe.register.known import moved_to
from geopipe.schema import CASES, Frame, make_frame
from geopipe.terms import RELEASED_KINDS

_OF_THE_PAIR = (
    "relation", "finding", "severity", "counted", "time_order", "area_m2", "width_m", "mean_width_m", "parts",
    "confidence",
)  # fmt: skip


def case_table(cases: Sequence[Case], working_crs: str) -> Frame:
    """Return cases as CASES, in the order given, in a working CRS (m)."""
    rows = [_row(case) for case in cases]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in CASES.names}
    geometry = np.empty(len(cases), dtype=object)
    geometry[:] = [case.sighting.geometry for case in cases]
    geometry = moved_to(geometry, [case.sighting.working_crs for case in cases], working_crs)
    return make_frame(CASES, columns, geometry)


def _row(case: Case) -> dict[str, Any]:
    seen, decision = case.sighting, case.decision
    sides = {
        f"{name}_{column}": value
        for name, side in (("a", seen.a), ("b", seen.b))
        for column, value in _side(side).items()
    }
    return {
        "case_id": case.case_id,
        "number": case.number,
        "status": case.status.value,
        "present": case.present,
        "first_seen": case.first_seen,
        # What is there now is seen by every run: a date would make each run differ from the one before.
        "last_seen": None if case.present else case.last_seen,
        **sides,
        **{f"{name}_share": seen.columns[f"{name}_share"] for name in ("a", "b")},
        **{name: place_of(case, name) for name in ("province", "district")},
        **{name: seen.columns[name] for name in _OF_THE_PAIR},
        "decision": decision.choice.value if decision else None,
        "decision_confirmed": decision.confirmed if decision else None,
        "reference": decision.reference.text if decision and decision.reference else None,
        "responsible": decision.responsible if decision else case.assigned_to or None,
        "due": decision.due if decision and decision.due else case.due,
    }


def _side(side: Side) -> dict[str, Any]:
    """Return what the map says of one record; its date is that which orders it in time."""
    columns = side.columns
    name = "date_completed" if columns["kind"] in RELEASED_KINDS else "date_surveyed"
    return {
        "id": columns["record_id"],
        "operator": columns["operator"],
        "kind": columns["kind"],
        "status": columns["status"],
        "date": columns[name] and dt.date.fromisoformat(columns[name]),
    }


def place_of(case: Case, level: str) -> str | None:
    """Return the province or the district: where A lies, else B, else what they state."""
    sides = case.sighting.a.columns, case.sighting.b.columns
    found = [side[f"{level}_{what}"] for what in ("located", "stated") for side in sides]
    return next((name for name in found if name), None)
