"""What can be read off a case: answers that still count, papers that are missing, days that are over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import shapely

from geopipe.geometry import width_m
from geopipe.register.case import Case, Event, Position
from geopipe.terms import RELEASED_KINDS, SETTLED_STATUSES, Answer, Status

# After these, people were asked about something else.
_NOT_ABOUT_GROUND = frozenset({"not_observed", "observed", "opened", "waiting", "kept"})


def is_open(case: Case) -> bool:
    """Say whether somebody still has to do something about a case."""
    return case.status not in SETTLED_STATUSES


def asks_anew(event: Event) -> bool:
    """Say whether an event makes earlier answers history: other ground, or a case opened again."""
    return event.kind == "reopened" or (event.run is not None and event.kind not in _NOT_ABOUT_GROUND)


def answers(case: Case) -> dict[str, tuple[Position, Event]]:
    """Return the last answer of each operator that is about the case as it is now, with its event."""
    told: dict[tuple[str, dt.datetime | None], Event] = {
        (event.data["operator"], event.at): event for event in case.events if event.kind == "position"
    }
    last = max((event.number for event in case.events if asks_anew(event)), default=0)
    return {
        position.operator: (position, event)
        for position in case.positions
        if (event := told[position.operator, position.at]).number > last
    }


def is_disputed(case: Case) -> bool:
    """Say whether an operator does not agree."""
    return any(position.answer != Answer.AGREE for position, _ in answers(case).values())


def all_agree(case: Case, proposal: str) -> bool:
    """Say whether every operator of a case agrees with this proposal, and not with an earlier one."""
    said = answers(case)
    return set(said) == set(case.operators) and all(
        position.answer == Answer.AGREE and event.data.get("proposal", proposal) == proposal
        for position, event in said.values()
    )


def unanswered(case: Case) -> dict[str, str | None]:
    """Return to whom the case was sent, without an answer so far, each with the day asked for."""
    waiting: dict[str, str | None] = {}
    for event in case.events:
        if event.kind == "sent":
            waiting[event.data["operator"]] = event.data.get("due")
        elif event.kind == "position":
            waiting.pop(event.data["operator"], None)
    return waiting


def unacknowledged(case: Case) -> list[str]:
    """Return the operators to whom the case was sent and who have said nothing since."""
    waiting: dict[str, None] = {}
    for event in case.events:
        if event.kind == "sent":
            waiting[event.data["operator"]] = None
        elif event.kind in ("position", "acknowledged"):
            waiting.pop(event.data["operator"], None)
    return list(waiting)


def lacks_minutes(case: Case) -> bool:
    """Say whether a decision is in force that no signed minutes confirm."""
    return is_open(case) and case.decision is not None and not case.decision.confirmed


def due_day(case: Case) -> dt.date | None:
    """Return the day by which somebody is to do something: as decided, else as assigned."""
    return case.decision.due if case.decision and case.decision.due else case.due


def is_overdue(case: Case, today: dt.date) -> bool:
    """Say whether the day by which somebody was to do something is over, and nothing is in the data."""
    due = due_day(case)
    return is_open(case) and due is not None and due < today


def closed_sides(case: Case) -> list[str]:
    """Return the sides whose status is closed: as hazard they cover nothing."""
    sides = ("A", case.sighting.a), ("B", case.sighting.b)
    return [name for name, side in sides if side.columns["status"] == Status.CLOSED]


def date_of(columns: dict[str, Any]) -> str | None:
    """Return the day that orders a record in time: completion of released land, survey of the rest."""
    name = "date_completed" if columns["kind"] in RELEASED_KINDS else "date_surveyed"
    day: str | None = columns[name]
    return day


def width_of(case: Case) -> float | None:
    """Return the width (m) of the shared ground: a run measures only narrow ones."""
    known: float | None = case.sighting.columns["width_m"]
    ground = case.sighting.geometry
    if known is not None or ground is None or shapely.is_empty(ground):
        return known
    parts = shapely.get_parts(ground)
    return float(np.max(width_m(parts)))
