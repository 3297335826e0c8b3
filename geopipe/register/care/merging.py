"""Bring home what an office did in its copy of the register: dry first, row by row, nothing overwritten."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from geopipe.errors import ConfigError, RegisterError
from geopipe.io.geopackage import file_hash
from geopipe.register.care.compared import Plan, compare, sighting_numbers
from geopipe.register.care.contents import content_faults
from geopipe.register.care.facts import BASE, COPY, IDENTITY, OFFICE, ROLE, fact, last_event, state_fact
from geopipe.register.care.structure import structure_faults, value_faults
from geopipe.register.casefiles import decisions_of, sighting_of
from geopipe.register.desk import require_safe
from geopipe.register.register import Register
from geopipe.unfinished import unfinished_folder

_MERGED = "merged"
_DECIDING = ("decided", "confirmed")
_DECISIONS_OF = "SELECT decision_id FROM decisions WHERE event_id = ?"
_SIGHTING_OF = "SELECT case_id, a_version, b_version, present FROM sightings WHERE number = ?"


@contextmanager
def returned_copy(path: Path, master: Register) -> Iterator[Register]:
    """Open a copy that came back, as a private one: the file itself is never written.

    Raises
    ------
    ConfigError
        When there is no such file.
    RegisterError
        When it is damaged, no copy of this register, or newer than it.
    """
    if not path.is_file():
        raise ConfigError("there is no such file", str(path), "Name the register.sqlite of the office.")
    with unfinished_folder() as folder:
        for end in ("", "-journal", "-wal"):
            if (part := path.with_name(path.name + end)).is_file():
                shutil.copyfile(part, folder / f"copy.sqlite{end}")
        try:
            copy = Register.existing(folder / "copy.sqlite")
        except RegisterError as error:
            raise RegisterError(f"{error.what}: it cannot be merged", str(path), "Ask the office.") from error
        with copy:
            _require_whole(copy, path)
            _require_copy_of(master, copy, path)
            yield copy


def _require_whole(copy: Register, path: Path) -> None:
    faults = [*structure_faults(copy)] or [*value_faults(copy)] or [*content_faults(copy)]
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        what = f"this copy is damaged or was changed by hand: {faults[0]}{more}"
        raise RegisterError(what.rstrip("."), str(path), "Nothing was merged; ask the office for a backup.")


def _require_copy_of(master: Register, copy: Register, path: Path) -> None:
    if fact(master, ROLE) == COPY:
        remedy = "Copies are merged into the national register."
        raise RegisterError("this register is itself a copy of an office", str(master.path), remedy)
    if fact(copy, ROLE) != COPY or fact(copy, IDENTITY) != fact(master, IDENTITY):
        raise RegisterError(
            "this is no copy of this register", str(path), "Copies are made by geopipe register checkout."
        )
    if int(fact(copy, BASE)) > last_event(master):
        raise RegisterError(
            "this register is older than the copy: what it knew when the copy was taken is missing",
            str(master.path),
            "Was an old backup restored? Restore the newest one first.",
        )


def plan_merge(master: Register, copy: Register) -> Plan:
    """Return what a merge would do; nothing is written.

    Raises
    ------
    ConfigError
        When a decision makes the map less safe, and the copy does not say that this was meant.
    """
    plan = compare(master, copy)
    merged = {event.event_id for event in plan.merged}
    ids = sorted({event.case_id for event in plan.merged if event.kind in _DECIDING})
    names = {row[0] for event in merged for row in copy.ask(_DECISIONS_OF, event)}
    for case in copy.cases(ids):
        for decision in decisions_of(copy, case.case_id):
            if decision.decision_id in names:
                require_safe(
                    replace(case, sighting=sighting_of(copy, decision.sighting)),
                    decision.choice,
                    decision.line_wgs84,
                    decision.shrinks_hazard,
                    decision.grows_released,
                    decision.reference,
                )
    return plan


def merge(master: Register, copy: Register, path: Path, by: str, at: dt.datetime) -> Plan:
    """Add what people did in a copy, with authors and times as they were; return what was done.

    Parameters
    ----------
    master, copy : Register
    path : Path
        The copy as it came: its hash is kept.
    by : str
        Who merges.
    at : datetime
        When, with its time zone.
    """
    if not by.strip():
        raise ConfigError("nobody's name is given", remedy="Say who merges: --by NAME.")
    with master.transaction():
        plan = plan_merge(master, copy)
        if plan.merged or plan.numbers:
            _Adding(master, copy).add(plan)
            told = {
                "office": fact(copy, OFFICE), "base": int(fact(copy, BASE)), "by": by.strip(),
                "events": len(plan.merged), "left_out": plan.left_out, "sha256": file_hash(path),
            }  # fmt: skip
            state_fact(master, _MERGED, json.dumps(told, ensure_ascii=False, sort_keys=True), at)
    return plan


class _Adding:
    """Rows of a copy, added to the master; a sighting is the one here of the same versions of records."""

    def __init__(self, master: Register, copy: Register) -> None:
        self._master, self._copy = master, copy
        self._places = sighting_numbers(master)

    def add(self, plan: Plan) -> None:
        for event in plan.merged:
            look = (event.case_id, *event.look)
            self._master.insert(
                "events", None, event.event_id, event.case_id, event.at, event.author, event.kind,
                event.status, event.cause, event.data, None, self._places[look] if event.look[0] else None,
            )  # fmt: skip
            self._decision(event.event_id)
            for row in self._copy.ask("SELECT * FROM positions WHERE event_id = ?", event.event_id):
                self._master.insert("positions", *row)
        for case_id, number, given_at in plan.numbers:
            self._master.insert("case_numbers", case_id, number, 1, given_at)

    def _decision(self, event_id: str) -> None:
        for row in self._copy.ask("SELECT * FROM decisions WHERE event_id = ?", event_id):
            decision = list(row)
            (look,) = self._copy.ask(_SIGHTING_OF, decision[6])
            decision[6] = self._places[look]
            self._paper(decision[7])
            self._master.insert("decisions", *decision)

    def _paper(self, reference_id: str | None) -> None:
        if not self._master.ask("SELECT 1 FROM papers WHERE reference_id = ?", reference_id):
            for row in self._copy.ask("SELECT * FROM papers WHERE reference_id = ?", reference_id):
                self._master.insert("papers", *row)
