"""The register: what a run adds to it, and what people and reports ask of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geopipe._version import __version__
from geopipe.config import LAYERS, load_vocabulary
from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.identity import hash_text
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.opened import Opened
from geopipe.policies import Policy, policy_hash
from geopipe.register.case import Case, Decision
from geopipe.register.casefiles import case_rows, cases_of, decisions_in_force
from geopipe.register.findingfiles import record_findings
from geopipe.register.judge import Decided, Seen
from geopipe.register.known import Known, known_cases
from geopipe.register.naming import find_case, give_numbers, keep_short_names
from geopipe.register.observation import Happened, Observation, Sighted
from geopipe.register.observe import observe as observe_run
from geopipe.register.outcome import expected
from geopipe.register.rows import as_json
from geopipe.register.table import table_of
from geopipe.schema import Frame, State
from geopipe.scope import not_looked_for
from geopipe.tolerance import acceptance, points_that_may_be_finds


class Register(Opened):
    """An open register.

    Examples
    --------
    >>> with Register.existing(Path("work")) as register:  # doctest: +SKIP
    ...     cases = register.cases()
    """

    @property
    def ledger(self) -> Ledger:
        """What the register knows of deliveries; it writes in the same transaction."""
        return Ledger(self.path, self._connection)

    # Runs.

    @property
    def last_run(self) -> int:
        """Number of the last run, 0 before the first."""
        return int(self.ask("SELECT coalesce(max(number), 0) FROM runs")[0][0])

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs with what they published, the first one first."""
        names = ("number", "started_at", "day", "policy_hash", "working_crs", "geopipe", "folder", "files")
        rows = self.ask(
            f"SELECT {', '.join(names)} FROM runs JOIN publications ON run = number ORDER BY number"  # noqa: S608
        )
        return [dict(zip(names, row, strict=True)) | {"files": json.loads(row[-1])} for row in rows]

    def begin_run(
        self,
        at: dt.datetime,
        day: dt.date,
        state: State,
        policy: Policy,
        short_names: Mapping[str, str],
        layers: Iterable[str] = LAYERS,
    ) -> int:
        """Hold a run against the cases, and write down what follows; return the run's number.

        It counts only with :meth:`publish_run`, in the same transaction.

        Parameters
        ----------
        at, day : datetime, date
            When the run began, and the day that it took for today.
        state : State
            After all stages.
        policy : Policy
        short_names : mapping
            Three letters for each province code, for the numbers of cases.
        layers : iterable of str
            What the run was asked for: where it has not looked for everything, no finding is corrected.
        """
        when, number = at.isoformat(timespec="seconds"), self.last_run + 1
        seen = self.observe(state, policy)
        said = (self.keep_policy(policy, when), state.working_crs, __version__)
        self.insert("runs", number, when, day.isoformat(), *said)
        self._record_cases(number, when, state.working_crs, seen)
        if not not_looked_for(layers):
            record_findings(self, number, when, day, state)
        keep_short_names(self, short_names, when)
        give_numbers(self, day, when, _accepted(seen, state, policy, day))
        return number

    def publish_run(self, number: int, folder: str, files: dict[str, str], summary: dict[str, Any]) -> None:
        """Write down what a run has published: its folder, the files with their hashes, its summary."""
        self.insert("publications", number, folder, as_json(files), as_json(summary))

    def has_news(self, number: int) -> bool:
        """Say whether a run that has begun changes anything for a case or a finding."""
        tables = ("sightings", "events", "finding_events")
        return any(
            self.ask(f"SELECT 1 FROM {table} WHERE run = ? LIMIT 1", number)  # noqa: S608
            for table in tables
        )

    def forget_run(self) -> None:
        """Take back a run that has begun, because nothing is new: the last one stands."""
        self._connection.execute("ROLLBACK")

    def published(self) -> str:
        """Return the folder of the last run, '' before the first: what `CURRENT` must say."""
        rows = self.ask("SELECT folder FROM publications ORDER BY run DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""

    def observe(self, state: State, policy: Policy) -> Observation:
        """Return what a run means for the cases; nothing is written."""
        known = known_cases(self, state.working_crs)
        history = _Looks(self, known, state.working_crs)
        return observe_run(known, state, policy, history, is_first=self.last_run == 0)

    def keep_policy(self, policy: Policy, when: str) -> str:
        """Keep a policy's content, once; return its hash."""
        name = policy_hash(policy)
        if not self.ask("SELECT 1 FROM policies WHERE policy_hash = ?", name):
            day = policy.effective_from
            said = (policy.name, policy.version, day and str(day), policy.reference)
            self.insert("policies", name, *said, policy.model_dump_json(), when)
        return name

    def _record_cases(self, run: int, when: str, working_crs: str, seen: Observation) -> None:
        self.insert_all("cases", [(case_id, run) for case_id in seen.opened])
        known = {name for (name,) in self.ask("SELECT version FROM versions")}
        new = [(name, working_crs, *kept) for name, kept in seen.versions.items() if name not in known]
        self.insert_all("versions", new)
        self.insert_all("sightings", [self._sighting(run, working_crs, item) for item in seen.sightings])
        last = dict(self.ask("SELECT case_id, max(number) FROM sightings GROUP BY case_id"))
        self.insert_all("events", [_event(run, when, event, last) for event in seen.happened])

    def _sighting(self, run: int, working_crs: str, item: Sighted) -> tuple[Any, ...]:
        ground = (item.geometry, working_crs) if item.geometry else self._last_ground(item.case_id)
        sides = item.a_version, item.b_version
        return None, item.case_id, run, int(item.present), *sides, item.columns, *ground

    def _last_ground(self, case_id: str) -> tuple[Any, ...]:
        """Return the shared ground of a case as it was seen last (WKB), and its CRS."""
        question = (
            "SELECT geometry, working_crs FROM sightings WHERE case_id = ? ORDER BY number DESC LIMIT 1"
        )
        return self.ask(question, case_id)[0]

    # Cases.

    def cases(self, ids: Collection[str] | None = None) -> list[Case]:
        """Return all cases, or some, with all that happened to them, in the order of their ids."""
        return cases_of(self, ids)

    def case_table(self, working_crs: str) -> Frame:
        """Return all cases as CASES, in the order of their ids, in a working CRS (m)."""
        return table_of(case_rows(self), working_crs)

    def case(self, name: str) -> Case:
        """Return a case by its number or its id, or the beginning of its id.

        Raises
        ------
        ConfigError
            When there is none of that name, or several.
        """
        return self.cases([find_case(self, name)])[0]

    # Published figures.

    def published_quarter(self, quarter: str) -> list[dict[str, Any]]:
        """Return the rows that were published for a quarter, none where it was not."""
        rows = self.ask("SELECT row FROM published_quarters WHERE quarter = ? ORDER BY number", quarter)
        return [json.loads(row) for (row,) in rows]

    def publish_quarter(
        self, quarter: str, rows: Sequence[dict[str, Any]], by: str, reference: str, at: dt.datetime
    ) -> None:
        """Keep the rows that are published for a quarter, for good."""
        with self.transaction():
            for row in rows:
                self.insert("published_quarters", None, quarter, as_json(row), by, reference, at.isoformat())


def _event(run: int, when: str, event: Happened, last: Mapping[str, int]) -> tuple[Any, ...]:
    name = hash_text(f"{event.case_id} {run} {event.what.kind}")
    about = last[event.case_id] if event.is_about_now else None
    what = event.what.kind, event.what.status.value, event.what.cause
    return None, name, event.case_id, when, "geopipe", *what, as_json(event.data), run, about


def _accepted(seen: Observation, state: State, policy: Policy, day: dt.date) -> set[str]:
    """Return the cases that a tolerance in force accepts."""
    if policy.why_no_tolerance(day):
        return set()
    points = points_that_may_be_finds(state.reference, load_vocabulary())
    rows = np.flatnonzero(acceptance(state.overlaps, points, policy, day).accepted)
    table = state.overlaps.take(rows).table
    pairs = zip(table["left_row_id"].to_pylist(), table["right_row_id"].to_pylist(), strict=True)
    return {seen.case_of[pair] for pair in pairs if pair in seen.case_of}


class _Looks:
    """What was looked at and decided of each known case, in a working CRS."""

    def __init__(self, register: Register, known: Known, working_crs: str) -> None:
        self._register, self._known, self._working_crs = register, known, working_crs
        self._decisions: dict[str, Decision] = decisions_in_force(register)

    def __call__(self, case: int) -> tuple[Seen, Decided | None]:
        decision = self._decisions.get(self._known.case_ids[case])
        number = decision.sighting if decision else self._known.looked_at[case]
        (a, b), present = self._sides(case, number)
        before = Seen(a, b, present)
        if decision is None:
            return before, None
        line = decision.line_wgs84
        if line is not None:
            (line,) = transform(np.array([line], dtype=object), choose_operation(WGS84, self._working_crs)[0])
        try:
            wanted = expected(decision.choice, a, b, line)
        except ConfigError:  # brought into another CRS, the line ends a hair before the border
            wanted = None
        return before, Decided(decision.choice, decision.confirmed, wanted)

    def _sides(self, case: int, number: int) -> tuple[tuple[shapely.Geometry, shapely.Geometry], bool]:
        """Return the ground of both records at a sighting of a case, and whether they overlapped."""
        (a, b), present = self._known.sides(case), self._known.present[case]
        if number != self._known.sighting[case]:
            question = "SELECT a_version, b_version, present FROM sightings WHERE number = ?"
            ((a, b, present),) = self._register.ask(question, number)
        return (self._known.versions.ground(a), self._known.versions.ground(b)), bool(present)
