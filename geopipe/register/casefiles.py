"""Cases as people read them: assembled from what the register has about each."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

import numpy as np
import shapely

from geopipe.io.ledgers.opened import Opened
from geopipe.register.case import Case, Decision, Event, Position, Reference, Side, Sighting
from geopipe.register.known import moved_to
from geopipe.terms import Answer, CaseStatus, Choice

_SIGHTING = (
    "SELECT s.number, s.case_id, s.run, s.present, s.columns, s.geometry, a.columns, a.geometry, b.columns, "
    "b.geometry, a.working_crs, b.working_crs, s.working_crs FROM sightings s "
    "JOIN versions a ON a.version = s.a_version JOIN versions b ON b.version = s.b_version "
)
# The run in which an overlap was first missing, since it was there last.
_MISSING_SINCE = (
    "SELECT s.case_id, min(s.run) FROM sightings s "
    "JOIN (SELECT case_id, max(number) AS last FROM sightings WHERE present = 1 GROUP BY case_id) "
    "USING (case_id) WHERE s.number > last GROUP BY s.case_id"
)
_DECISION = (
    "SELECT d.decision_id, d.case_id, d.choice, d.confirmed, d.level, d.sighting, d.line_wgs84, "
    "d.shrinks_hazard, d.grows_released, d.responsible, d.due, d.note, d.made_by, d.at, p.reference_id, "
    "p.meeting, p.held_on, p.item, p.file_name, p.file_sha256, e.number FROM decisions d "
    "JOIN events e USING (event_id) LEFT JOIN papers p USING (reference_id) ORDER BY e.number"
)
_POSITION = (
    "SELECT position_id, case_id, operator, answer, comment, evidence, name, said_on, at FROM positions "
    "ORDER BY rowid"
)
_EVENT = (
    "SELECT number, event_id, case_id, at, author, kind, status, cause, data, run FROM events ORDER BY number"
)
# After these, an earlier decision is history.
_UNDONE = ("reopened",)


def cases_of(register: Opened, ids: Collection[str] | None = None) -> list[Case]:
    """Return all cases, or those with the given ids, in the order of their ids."""
    wanted = None if ids is None else set(ids)
    sightings = _last_sightings(register, wanted)
    events = _by_case(events_of(register), lambda event: event.case_id)
    positions = _by_case(_positions(register), lambda position: position.case_id)
    decisions = decisions_in_force(register)
    numbers = dict(register.ask("SELECT case_id, number FROM case_numbers ORDER BY provisional DESC"))
    runs = register.ask("SELECT number, day FROM runs")
    days = {number: dt.date.fromisoformat(day) for number, day in runs}
    last_run = max(days, default=0)
    missing_since = dict(register.ask(_MISSING_SINCE))
    result = []
    for case_id in sorted(sightings):
        seen, present = sightings[case_id]
        told = tuple(events[case_id])
        assigned = _assigned(told)
        last_seen = last_run if present else max(missing_since[case_id] - 1, 1)
        result.append(
            Case(
                case_id=case_id,
                number=numbers.get(case_id),
                status=told[-1].status,
                present=present,
                first_seen=days[told[0].run or 1],
                last_seen=days[last_seen],
                sighting=seen,
                events=told,
                decision=decisions.get(case_id),
                positions=tuple(positions[case_id]),
                **assigned,
            )
        )
    return result


def sighting_of(register: Opened, number: int) -> Sighting:
    """Return one sighting: the overlap as it was looked at then."""
    rows = register.ask(f"{_SIGHTING} WHERE s.number = ?", number)
    return _sightings(rows)[0]


def _last_sightings(register: Opened, wanted: set[str] | None) -> dict[str, tuple[Sighting, bool]]:
    last = "WHERE s.number IN (SELECT max(number) FROM sightings GROUP BY case_id)"
    rows = [row for row in register.ask(f"{_SIGHTING} {last}") if wanted is None or row[1] in wanted]
    return {row[1]: (seen, bool(row[3])) for row, seen in zip(rows, _sightings(rows), strict=True)}


def _sightings(rows: list[tuple[Any, ...]]) -> list[Sighting]:
    shapes = [np.asarray(shapely.from_wkb([row[at] for row in rows]), dtype=object) for at in (5, 7, 9)]
    for number, row in enumerate(rows):
        # Of an overlap that is gone, one record may have been read since, in another CRS.
        for parts, stored in zip(shapes, (row[12], row[10], row[11]), strict=True):
            if stored != row[10]:
                parts[number] = moved_to(parts[[number]], [stored], row[10])[0]
    return [
        Sighting(
            number=row[0],
            run=row[2],
            a=Side(json.loads(row[6]), a),
            b=Side(json.loads(row[8]), b),
            columns=json.loads(row[4]),
            geometry=ground,
            working_crs=row[10],
        )
        for row, ground, a, b in zip(rows, *shapes, strict=True)
    ]


def events_of(register: Opened) -> Iterator[Event]:
    """Return all events, the first one first."""
    for number, name, case_id, at, author, kind, status, cause, data, run in register.ask(_EVENT):
        yield Event(
            number, name, case_id, dt.datetime.fromisoformat(at), author, kind, CaseStatus(status), cause,
            json.loads(data), run,
        )  # fmt: skip


def decisions_in_force(register: Opened) -> dict[str, Decision]:
    """Return the last decision of each case that was not opened again since."""
    marks = ", ".join("?" * len(_UNDONE))
    question = f"SELECT case_id, max(number) FROM events WHERE kind IN ({marks}) GROUP BY case_id"  # noqa: S608
    undone: dict[str, int] = dict(register.ask(question, *_UNDONE))
    rows = register.ask(_DECISION)
    return {row[1]: _decision(row) for row in rows if row[20] > undone.get(row[1], 0)}


def decisions_of(register: Opened, case_id: str) -> list[Decision]:
    """Return every decision that was ever made about a case, the first one first."""
    return [_decision(row) for row in register.ask(_DECISION) if row[1] == case_id]


def _decision(row: tuple[Any, ...]) -> Decision:
    held_on = row[16] and dt.date.fromisoformat(row[16])
    reference = Reference(row[14], row[15], held_on, row[17], row[18], row[19]) if row[14] else None
    return Decision(
        decision_id=row[0],
        case_id=row[1],
        choice=Choice(row[2]),
        confirmed=bool(row[3]),
        level=row[4],
        sighting=row[5],
        reference=reference,
        line_wgs84=row[6] and shapely.from_wkb(row[6]),
        shrinks_hazard=bool(row[7]),
        grows_released=bool(row[8]),
        responsible=row[9],
        due=row[10] and dt.date.fromisoformat(row[10]),
        note=row[11],
        by=row[12],
        at=dt.datetime.fromisoformat(row[13]),
    )


def _positions(register: Opened) -> Iterator[Position]:
    for name, case_id, operator, answer, comment, evidence, who, said_on, at in register.ask(_POSITION):
        day = said_on and dt.date.fromisoformat(said_on)
        when = dt.datetime.fromisoformat(at)
        yield Position(name, case_id, operator, Answer(answer), comment, evidence, who, day, when)


_Item = TypeVar("_Item")


def _by_case(items: Iterator[_Item], case_of: Callable[[_Item], str]) -> dict[str, list[_Item]]:
    found: dict[str, list[_Item]] = defaultdict(list)
    for item in items:
        found[case_of(item)].append(item)
    return found


def _assigned(events: tuple[Event, ...]) -> dict[str, Any]:
    """Return who was asked to see to a case, and by when."""
    for event in reversed(events):
        if event.kind == "assigned":
            due = event.data.get("due")
            return {"assigned_to": event.data["to"], "due": due and dt.date.fromisoformat(due)}
    return {}
