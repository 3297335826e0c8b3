"""What the register says of a record: findings with their life, cases with decisions, ground given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from geopipe.casework.casefile import decision_as_dict, decision_text, event_line
from geopipe.register.case import Case
from geopipe.register.casefiles import cases_of, decisions_of
from geopipe.register.finding import Finding
from geopipe.register.findingfiles import findings_of
from geopipe.register.register import Register
from geopipe.tracing.published import Subject

Row = dict[str, Any]
_CASES = (
    "SELECT DISTINCT s.case_id FROM sightings s JOIN versions v ON v.version IN (s.a_version, s.b_version) "
    "WHERE v.columns ->> 'record_id' = ?"
)
_OF_PAIR = ("relation", "finding", "severity", "area_m2", "width_m", "time_order", "confidence")


def findings_about(register: Register, subject: Subject) -> list[Row]:
    """Return the findings about a record, or about its row that went back, with their life."""
    return [_finding(item) for item in findings_of(register) if _is_about(item, subject)]


def _is_about(item: Finding, subject: Subject) -> bool:
    told = item.columns
    if subject.record_id and subject.record_id in (told["record_id"], told["other_id"]):
        return True
    if not subject.source_id or item.operator != subject.operator or told["source_id"] != subject.source_id:
        return False
    # A row that went back has no record: all that is said of its own id is about it.
    return told["source"] == "returned" or not subject.record_id


def _finding(item: Finding) -> Row:
    return {
        "finding_id": item.finding_id,
        "code": item.code,
        "severity": item.columns["severity"],
        "status": item.status.value,
        "other_id": item.columns["other_id"],
        "sentence": item.columns["sentence"],
        "measure": item.measure,
        "unit": item.columns["unit"],
        "events": [
            {
                "day": event.day.isoformat(),
                "by": event.author,
                "status": event.status.value,
                "cause": event.cause,
                "run": event.run,
            }
            for event in item.events
        ],
    }


def cases_about(register: Register, record_id: str, sentences: Mapping[str, str]) -> list[Row]:
    """Return the cases in which a record stands, or stood, with decisions and events."""
    ids = [row[0] for row in register.ask(_CASES, record_id)] if record_id else []
    return [case_row(register, case, sentences) for case in cases_of(register, ids)] if ids else []


def case_row(register: Register, case: Case, sentences: Mapping[str, str]) -> Row:
    """Return a case as plain values."""
    seen = case.sighting
    return {
        "case": case.name,
        "case_id": case.case_id,
        "status": case.status.value,
        "present": case.present,
        "first_seen": case.first_seen.isoformat(),
        "last_seen": case.last_seen.isoformat(),
        "a_id": seen.a.columns["record_id"],
        "b_id": seen.b.columns["record_id"],
        "a": seen.a.name,
        "b": seen.b.name,
        **{name: seen.columns[name] for name in _OF_PAIR},
        "decisions": [
            {**decision_as_dict(item), "told": decision_text(item),
             "in_force": case.decision is not None and case.decision.decision_id == item.decision_id}
            for item in decisions_of(register, case.case_id)
        ],
        "events": [
            {"at": event.at.isoformat(), "by": event.author, "kind": event.kind, "status": event.status.value,
             "run": event.run, "told": event_line(event, sentences)}
            for event in case.events
        ],
    }  # fmt: skip


def given_up_of(register: Register, record_id: str) -> list[Row]:
    """Return the ground of a hazard record that was given up, with the paper that says so (m2)."""
    rows: Sequence[tuple[Any, ...]] = register.ask(
        "SELECT g.version_id, g.geometry, g.cause, p.meeting, p.item, p.file_name, p.file_sha256, "
        "g.given_by, g.at FROM given_up g JOIN papers p USING (reference_id) "
        "WHERE g.record_id = ? ORDER BY g.number",
        record_id,
    )
    names = ("version_id", "area_m2", "cause", "meeting", "item", "paper", "paper_sha256", "by", "at")
    return [
        dict(zip(names, (row[0], float(shapely.area(shapely.from_wkb(row[1]))), *row[2:]), strict=True))
        for row in rows
    ]
