"""Cases as people read them: assembled from what the register has about each."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import shapely

from geopipe.io.ledgers.opened import Opened
from geopipe.register.case import (
    Case,
    Decision,
    Event,
    Position,
    Reference,
    Side,
    Sighting,
    Standing,
)
from geopipe.register.caserows import SIDE_COLUMNS, CaseRows, Columns
from geopipe.register.known import NAMED, kept_versions, moved_to
from geopipe.register.rows import many_from_json
from geopipe.schema import Geometries
from geopipe.terms import Answer, CaseStatus, Choice

_SIGHTINGS = (
    "SELECT case_id, number, run, present, columns, a_version, b_version, geometry, working_crs "
    "FROM sightings WHERE number IN ({numbers}) ORDER BY case_id"
)
_LAST = "SELECT max(number) FROM sightings {which} GROUP BY case_id"
# What happened first and last to a case, and who was asked to see to it.
_STANDING = (
    "SELECT case_id, run, status, CASE kind WHEN 'assigned' THEN data END FROM events {which} ORDER BY number"
)
_OF_THESE = f"WHERE case_id IN {NAMED}"
# The run in which an overlap that is gone was first missing, since it was there last.
_MISSING_SINCE = (
    f"SELECT case_id, min(run) FROM sightings s WHERE case_id IN {NAMED} AND number > "  # noqa: S608
    "(SELECT max(number) FROM sightings WHERE case_id = s.case_id AND present = 1) GROUP BY case_id"
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
    "SELECT number, event_id, case_id, at, author, kind, status, cause, data, run FROM events {which} "
    "ORDER BY number"
)
# After these, an earlier decision is history.
_UNDONE = ("reopened",)


class _Seen(NamedTuple):
    """A sighting as it is kept; `a` and `b` are names of versions, `columns` JSON, `ground` WKB."""

    case_id: str
    number: int
    run: int
    present: int
    columns: str
    a: str
    b: str
    ground: bytes
    working_crs: str


def case_rows(register: Opened) -> CaseRows:
    """Return all cases as columns, in the order of their ids."""
    seen = _seen_last(register, None)
    sides = _sides_of(register, seen)
    return CaseRows(
        standing=_standing(register, None, seen),
        seen=many_from_json([row.columns for row in seen]),
        a=_as_columns([sides[row.a] for row in seen]),
        b=_as_columns([sides[row.b] for row in seen]),
        geometry=_shapes([row.ground for row in seen]),
        working_crs=[row.working_crs for row in seen],
    )


def cases_of(register: Opened, ids: Collection[str] | None = None) -> list[Case]:
    """Return all cases, or those with the given ids, in the order of their ids."""
    seen = _seen_last(register, ids)
    events = _by_case(events_of(register, ids), lambda event: event.case_id)
    positions = _by_case(_positions(register), lambda position: position.case_id)
    return [
        Case(
            **vars(case),
            sighting=sighting,
            events=tuple(events[case.case_id]),
            positions=tuple(positions[case.case_id]),
        )
        for case, sighting in zip(_standing(register, ids, seen), _sightings(register, seen), strict=True)
    ]


def sighting_of(register: Opened, number: int) -> Sighting:
    """Return one sighting: the overlap as it was looked at then."""
    seen = [_Seen(*row) for row in register.ask(_SIGHTINGS.format(numbers="?"), number)]
    return _sightings(register, seen)[0]


def _seen_last(register: Opened, ids: Collection[str] | None) -> list[_Seen]:
    """Return the last sighting of each case, in the order of their ids."""
    numbers = _LAST.format(which="" if ids is None else _OF_THESE)
    return [_Seen(*row) for row in register.ask(_SIGHTINGS.format(numbers=numbers), *_named(ids))]


def _named(ids: Collection[str] | None) -> list[str]:
    return [] if ids is None else [json.dumps(sorted(ids))]


def _standing(register: Opened, ids: Collection[str] | None, seen: Sequence[_Seen]) -> list[Standing]:
    """Return how it stands with the cases that were seen last as given."""
    which = "" if ids is None else _OF_THESE
    status: dict[str, str] = {}
    first_run: dict[str, int] = {}
    assigned: dict[str, dict[str, Any]] = {}
    for case_id, run, status_after, data in register.ask(_STANDING.format(which=which), *_named(ids)):
        status[case_id] = status_after
        first_run.setdefault(case_id, run or 1)
        if data:
            assigned[case_id] = json.loads(data)
    numbers = dict(register.ask("SELECT case_id, number FROM case_numbers ORDER BY provisional DESC"))
    decisions = decisions_in_force(register)
    days = {run: dt.date.fromisoformat(day) for run, day in register.ask("SELECT number, day FROM runs")}
    last_run = max(days, default=0)
    gone = json.dumps([row.case_id for row in seen if not row.present])
    last_seen = {name: max(run - 1, 1) for name, run in register.ask(_MISSING_SINCE, gone)}
    return [
        Standing(
            case_id=row.case_id,
            number=numbers.get(row.case_id),
            status=CaseStatus(status[row.case_id]),
            present=bool(row.present),
            first_seen=days[first_run[row.case_id]],
            last_seen=days[last_run if row.present else last_seen[row.case_id]],
            decision=decisions.get(row.case_id),
            **_asked(assigned.get(row.case_id)),
        )
        for row in seen
    ]


def _asked(told: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return who was asked to see to a case, and by when."""
    if told is None:
        return {"assigned_to": "", "due": None}
    due = told.get("due")
    return {"assigned_to": told["to"], "due": due and dt.date.fromisoformat(due)}


def _sides_of(register: Opened, seen: Sequence[_Seen]) -> dict[str, list[Any]]:
    """Return SIDE_COLUMNS of the records of sightings, by the names of their versions."""
    paths = ", ".join(f"'$.{name}'" for name in SIDE_COLUMNS)
    question = f"SELECT version, json_extract(columns, {paths}) FROM versions WHERE version IN {NAMED}"  # noqa: S608
    rows = register.ask(question, json.dumps(_versions_in(seen)))
    return dict(zip([row[0] for row in rows], many_from_json([row[1] for row in rows]), strict=True))


def _as_columns(rows: Sequence[Sequence[Any]]) -> Columns:
    return {name: [row[at] for row in rows] for at, name in enumerate(SIDE_COLUMNS)}


def _versions_in(seen: Sequence[_Seen]) -> list[str]:
    return list(dict.fromkeys(name for row in seen for name in (row.a, row.b)))


def _sightings(register: Opened, seen: Sequence[_Seen]) -> list[Sighting]:
    """Return sightings with all their ground in the CRS of A."""
    kept = kept_versions(register, _versions_in(seen))
    columns = dict(zip(kept, many_from_json([version.columns for version in kept.values()]), strict=True))
    shapes = dict(zip(kept, _shapes([version.geometry for version in kept.values()]), strict=True))
    grounds = _shapes([row.ground for row in seen])
    told = many_from_json([row.columns for row in seen])
    sightings = []
    for row, said, ground in zip(seen, told, grounds, strict=True):
        crs, other = kept[row.a].working_crs, kept[row.b].working_crs
        # Of an overlap that is gone, one record may have been read since, in another CRS.
        a, b = Side(columns[row.a], shapes[row.a]), Side(columns[row.b], _moved(shapes[row.b], other, crs))
        shared = _moved(ground, row.working_crs, crs)
        sightings.append(Sighting(row.number, row.run, a, b, said, shared, crs))
    return sightings


def _shapes(wkb: Sequence[bytes]) -> Geometries:
    return np.asarray(shapely.from_wkb(list(wkb)), dtype=object).reshape(len(wkb))


def _moved(geometry: shapely.Geometry, stored: str, working_crs: str) -> shapely.Geometry:
    return geometry if stored == working_crs else moved_to(np.array([geometry]), [stored], working_crs)[0]


def events_of(register: Opened, ids: Collection[str] | None = None) -> Iterator[Event]:
    """Return all events, or those of some cases, the first one first."""
    rows = register.ask(_EVENT.format(which="" if ids is None else _OF_THESE), *_named(ids))
    for number, name, case_id, at, author, kind, status, cause, data, run in rows:
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
