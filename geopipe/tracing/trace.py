"""The trace of a record or of a case as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.casework.rules import policy_in_force
from geopipe.errors import ConfigError
from geopipe.io.store import load_saved_config
from geopipe.register.register import Register
from geopipe.tracing.delivered import Reading, deliveries_of, readings
from geopipe.tracing.named import Meant, what_is_meant
from geopipe.tracing.published import (
    Published,
    Subject,
    changes_of,
    left_of,
    overlaps_of,
    published_runs,
    stands_for,
    stands_in,
)
from geopipe.tracing.registered import case_row, cases_about, findings_about, given_up_of

Row = dict[str, Any]
_OF_RECORD = ("record_id", "operator", "register", "role", "kind", "source_id", "id_is_delivered", "guid")


def trace(workspace: Path, name: str) -> Row:
    """Return the whole way of what a name means.

    Parameters
    ----------
    workspace : Path
    name : str
        A record by own id, record id, row id, GUID or version; a case by number or id.

    Returns
    -------
    dict
        `case` (None for a record), `records` (two for a case), and `meant`: all that the name may mean. Where
        that is more than one thing, nothing is traced.

    Raises
    ------
    ConfigError
        When nothing is called so.
    """
    with Register.existing(workspace) as register:
        runs = published_runs(register, load_saved_config(workspace).output / "runs")
        if not runs:
            raise ConfigError("nothing has run yet", str(workspace), "geopipe run makes the first run.")
        known = readings(register)
        meant = what_is_meant(register, known, runs, name)
        if not meant:
            remedy = (
                "Write an operator's own id, a record id, a version or a case number; geopipe cases list."
            )
            raise ConfigError("no record and no case is called so", name, remedy)
        told: Row = {
            "name": name,
            "meant": [{"say": item.say, "told": item.told} for item in meant],
            "case": None,
            "records": [],
        }
        if len(meant) > 1:
            return told
        return told | _Tracer(register, workspace, known, runs).of(meant[0])


@dataclass(frozen=True)
class _Tracer:
    """Asks the register, the deliveries and the published runs about one thing."""

    register: Register
    workspace: Path
    known: Sequence[Reading]
    runs: Sequence[Published]

    def of(self, meant: Meant) -> Row:
        if meant.subject is not None:
            return {"records": [self.record(meant.subject)]}
        case = self.register.case(meant.case_id)
        sides = (case.sighting.a.columns, case.sighting.b.columns)
        subjects = [Subject(side["record_id"], side["operator"], side["source_id"] or "") for side in sides]
        return {
            "case": case_row(self.register, case, policy_in_force(self.register).sentences),
            "records": [self.record(subject) for subject in subjects],
        }

    def record(self, subject: Subject) -> Row:
        name, last = subject.record_id, self.runs[-1]
        summaries = {run.folder: run.summary for run in self.runs}
        deliveries = deliveries_of(name, self.known, summaries, self.workspace) if name else []
        sentences = policy_in_force(self.register).sentences
        return {
            "record": self._about(subject, deliveries),
            "deliveries": deliveries,
            "changes": changes_of(self.runs, name) if name else [],
            "stands_for": stands_for(last, name) if name else [],
            "overlaps": overlaps_of(last, name) if name else [],
            "left_by_releases": left_of(last, name) if name else [],
            "findings": findings_about(self.register, subject),
            "cases": cases_about(self.register, name, sentences),
            "given_up": given_up_of(self.register, name),
            "runs": [
                {
                    "run": run.number,
                    "day": run.day,
                    "folder": run.folder,
                    "is_kept": run.layers is not None,
                    "stands": stands_in(run, subject) or [],
                }
                for run in self.runs
            ],
        }

    def _about(self, subject: Subject, deliveries: Sequence[Row]) -> Row:
        if deliveries:
            row = deliveries[-1]["rows"][-1]
            return {name: row[name] for name in _OF_RECORD}
        known = {"record_id": subject.record_id or None, "operator": subject.operator,
                 "source_id": subject.source_id or None,
                 "id_is_delivered": bool(subject.source_id)}  # fmt: skip
        return {name: known.get(name) for name in _OF_RECORD}
