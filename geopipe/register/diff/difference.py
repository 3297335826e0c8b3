"""The difference between two moments of a register: cases, deliveries, hectares, alarms."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from geopipe.catalogue import load_catalogue
from geopipe.io.ledgers.opened import Opened
from geopipe.register.diff.moments import Moment
from geopipe.terms import CaseStatus, Severity

Told = dict[str, Any]
_STATUS = (
    "SELECT case_id, status FROM events WHERE number IN "
    "(SELECT max(number) FROM events WHERE number <= ? GROUP BY case_id)"
)
_DECIDED = (
    "SELECT d.case_id, d.choice, d.confirmed, d.made_by, d.at FROM decisions d "
    "JOIN events e USING (event_id) WHERE e.number > ? AND e.number <= ? ORDER BY e.number"
)
_REOPENED = (
    "SELECT DISTINCT case_id FROM events WHERE kind IN ('reopened', 'returned') "
    "AND number > ? AND number <= ? ORDER BY case_id"
)
_ALARM_CASES = (
    "SELECT s.case_id, json_extract(s.columns, '$.finding') FROM sightings s WHERE s.present AND s.number IN "
    "(SELECT max(number) FROM sightings WHERE run <= ? GROUP BY case_id) "
    "AND json_extract(s.columns, '$.severity') = ?"
)
_ALARM_FINDINGS = (
    "SELECT f.finding_id, f.code, f.columns FROM findings f JOIN finding_events e USING (finding_id) "
    "WHERE e.number IN (SELECT max(number) FROM finding_events WHERE number <= ? GROUP BY finding_id) "
    "AND e.status <> 'corrected' AND json_extract(f.columns, '$.severity') = ?"
)
_MEASURES = ("reported_m2", "counted_twice_m2", "covered_m2")


def difference(register: Opened, before: Moment, after: Moment) -> Told:
    """Return what has changed between two moments, as plain values; areas in m2."""
    numbers: dict[str, str] = dict(
        register.ask("SELECT case_id, number FROM case_numbers ORDER BY provisional DESC")
    )
    summaries = [_summary(register, moment.run) for moment in (before, after)]
    policies = [summary.get("policy", {}).get("hash") for summary in summaries]
    return {
        "from": _as_data(before),
        "to": _as_data(after),
        "rules_changed": policies[0] != policies[1],
        "cases": _cases(register, before, after, numbers),
        "deliveries": _deliveries(register, *summaries),
        "areas": _areas(*summaries),
        "alarms": _alarms(register, before, after, summaries, numbers),
    }


def _as_data(moment: Moment) -> Told:
    return {"run": moment.run, "day": moment.day.isoformat(), "folder": moment.folder, "name": moment.name}


def _summary(register: Opened, run: int) -> Told:
    rows = register.ask("SELECT summary FROM publications WHERE run = ?", run)
    return dict(json.loads(rows[0][0])) if rows else {}


def _cases(register: Opened, before: Moment, after: Moment, numbers: dict[str, str]) -> Told:
    """Return what happened to cases; each by its number, else by its id."""
    old: dict[str, str] = dict(register.ask(_STATUS, before.event))
    new: dict[str, str] = dict(register.ask(_STATUS, after.event))
    names = {case_id: numbers.get(case_id, case_id) for case_id in new}
    moves: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case_id, status in new.items():
        if case_id in old and old[case_id] != status:
            moves[old[case_id], status].append(names[case_id])
    finished = [
        names[case_id]
        for case_id, status in new.items()
        if status == CaseStatus.FINISHED and old.get(case_id) != status
    ]
    decided = [
        {"case": names[case_id], "choice": choice, "confirmed": bool(confirmed), "by": by, "at": at}
        for case_id, choice, confirmed, by, at in register.ask(_DECIDED, before.event, after.event)
    ]
    reopened = [names[case_id] for (case_id,) in register.ask(_REOPENED, before.event, after.event)]
    return {
        "before": len(old),
        "now": len(new),
        "opened": sorted(names[case_id] for case_id in new.keys() - old.keys()),
        "finished": sorted(finished),
        "decided": decided,
        "reopened": sorted(reopened),
        "changed": [
            {"from": move[0], "to": move[1], "cases": sorted(cases)} for move, cases in sorted(moves.items())
        ],
    }


def _deliveries(register: Opened, before: Told, after: Told) -> Told:
    """Return which files are new, have new content, or were read before and not now."""
    operators: dict[str, str] = dict(
        register.ask("SELECT d.file, r.operator FROM readings r JOIN deliveries d USING (content_hash)")
    )
    old, new = ({item["file"]: item for item in told.get("deliveries", ())} for told in (before, after))

    def told(files: list[str], read: dict[str, Told]) -> list[Told]:
        return [
            {
                "file": file,
                "operator": operators.get(file, ""),
                "records": read[file]["balance"]["records_in"],
            }
            for file in files
        ]

    changed = [file for file in sorted(new.keys() & old.keys()) if new[file]["sha256"] != old[file]["sha256"]]
    return {
        "new": told(sorted(new.keys() - old.keys()), new),
        "new_content": told(changed, new),
        "not_read_now": told(sorted(old.keys() - new.keys()), old),
    }


def _areas(before: Told, after: Told) -> Told:
    """Return for each kind the three sums, before and now."""
    old, new = (told.get("areas", {}) for told in (before, after))
    return {
        kind: {
            name: {"before": old.get(kind, {}).get(name, 0.0), "now": new.get(kind, {}).get(name, 0.0)}
            for name in _MEASURES
        }
        for kind in sorted(old.keys() | new.keys(), key=lambda kind: (kind.islower(), kind))
    }


def _alarms(
    register: Opened, before: Moment, after: Moment, summaries: list[Told], numbers: dict[str, str]
) -> list[Told]:
    """Return for each code of an alarm how many there are, which are new, and which are gone."""
    old, new = (_standing(register, moment, numbers) for moment in (before, after))
    counts = [{item["code"]: item for item in told.get("alarms", ())} for told in summaries]
    result = []
    for code in sorted({*old, *new, *counts[0], *counts[1]}):
        item = counts[1].get(code) or counts[0].get(code) or {}
        result.append(
            {
                "code": code,
                "sentence": item.get("sentence") or _meaning(code),
                "before": counts[0].get(code, {}).get("count", 0),
                "now": counts[1].get(code, {}).get("count", 0),
                "standing": len(new.get(code, {})),
                "new": _only(new, old, code),
                "gone": _only(old, new, code),
            }
        )
    return result


def _standing(register: Opened, moment: Moment, numbers: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the alarms that stand at a moment: by code, id and name."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for case_id, code in register.ask(_ALARM_CASES, moment.run, Severity.ALARM.value):
        found[code][case_id] = numbers.get(case_id, case_id)
    for finding_id, code, columns in register.ask(
        _ALARM_FINDINGS, moment.finding_event, Severity.ALARM.value
    ):
        record = json.loads(columns).get("record_id")
        found[code][finding_id] = record or finding_id
    return found


def _meaning(code: str) -> str:
    """Return what an alarm means that neither run has found, though it stands."""
    return load_catalogue().meaning(code).rstrip(".") if code in load_catalogue().codes else code


def _only(these: dict[str, dict[str, str]], those: dict[str, dict[str, str]], code: str) -> list[str]:
    other = those.get(code, {})
    return sorted({name for key, name in these.get(code, {}).items() if key not in other})
