"""The desk: what people say and decide about cases. Each act is an event; nothing is ever overwritten."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.identity import hash_text
from geopipe.policies import Policy
from geopipe.register.case import Case, Decision, Reference
from geopipe.register.naming import give_numbers
from geopipe.register.outcome import dangers
from geopipe.register.register import Register
from geopipe.register.rows import as_json
from geopipe.terms import KEEPING_CHOICES, SETTLED_STATUSES, Answer, CaseStatus, Choice, Status


@dataclass(frozen=True)
class Desk:
    """Somebody at work on the register: every act carries the name and the time (with its zone)."""

    register: Register
    by: str
    at: dt.datetime

    def __post_init__(self) -> None:
        if not self.by.strip():
            raise ConfigError("nobody's name is given", remedy="Say who does this: --by NAME.")

    # Decisions.

    def decide(
        self,
        case: Case,
        choice: Choice,
        level: str,
        policy: Policy,
        reference: Reference | None = None,
        *,
        line_wgs84: shapely.Geometry | None = None,
        shrinks_hazard: bool = False,
        grows_released: bool = False,
        responsible: str = "",
        due: dt.date | None = None,
        note: str = "",
    ) -> Decision:
        """Write down a decision; it is confirmed if its reference has the signed minutes, else provisional.

        Raises
        ------
        ConfigError
            When this level may not decide this, the choice needs a line, or ground would change to the unsafe
            side and nobody has said that this is meant.
        """
        self.check(
            case, choice, level, policy, reference, line_wgs84=line_wgs84, shrinks_hazard=shrinks_hazard,
            grows_released=grows_released,
        )  # fmt: skip
        confirmed = bool(reference and reference.file_sha256)
        keeps = confirmed and choice in KEEPING_CHOICES and case.present
        status = CaseStatus.EXCEPTION if keeps else CaseStatus.DECIDED
        data = {"choice": choice.value, "confirmed": confirmed, "level": level}
        with self.register.transaction():
            event_id = self._event(case, "decided", status, note, data, case.sighting.number)
            decision = Decision(
                decision_id=hash_text(f"decision {event_id}"),
                case_id=case.case_id,
                choice=choice,
                confirmed=confirmed,
                level=level,
                sighting=case.sighting.number,
                reference=reference,
                line_wgs84=line_wgs84,
                shrinks_hazard=shrinks_hazard,
                grows_released=grows_released,
                responsible=responsible,
                due=due,
                note=note,
                by=self.by,
                at=self.at,
            )
            self._keep(decision, event_id)
        return decision

    def check(
        self, case: Case, choice: Choice, level: str, policy: Policy, reference: Reference | None, *,
        line_wgs84: shapely.Geometry | None = None, shrinks_hazard: bool = False,
        grows_released: bool = False,
    ) -> None:  # fmt: skip
        """Refuse what :meth:`decide` would refuse, before anything is written."""
        _require_open(case)
        _require_level(case, level, policy)
        require_safe(case, choice, line_wgs84, shrinks_hazard, grows_released, reference)

    def confirm(self, case: Case, reference: Reference) -> Decision:
        """Confirm a provisional decision by its signed minutes; what was decided, and on what, stays.

        Raises
        ------
        ConfigError
            When there is no decision to confirm, or the reference has no file.
        """
        earlier = case.decision
        if earlier is None or earlier.confirmed:
            what = "this decision is confirmed already" if earlier else "nothing was decided yet"
            raise ConfigError(what, case.name, "geopipe cases show tells what was decided.")
        if not reference.file_sha256:
            raise ConfigError("only signed minutes confirm a decision", case.name, "Give --minutes FILE.")
        status = {CaseStatus.CORRECTED: CaseStatus.FINISHED}.get(case.status, case.status)
        if earlier.choice in KEEPING_CHOICES and case.status == CaseStatus.DECIDED and case.present:
            status = CaseStatus.EXCEPTION
        data = {"choice": earlier.choice.value, "confirmed": True, "level": earlier.level}
        with self.register.transaction():
            event_id = self._event(case, "confirmed", status, "", data)
            name = hash_text(f"decision {event_id}")
            decision = replace(
                earlier, decision_id=name, confirmed=True, reference=reference, by=self.by, at=self.at
            )
            self._keep(decision, event_id)
        return decision

    def _keep(self, decision: Decision, event_id: str) -> None:
        line = None if decision.line_wgs84 is None else shapely.to_wkb(decision.line_wgs84)
        self.register.insert(
            "decisions", decision.decision_id, event_id, decision.case_id, decision.choice.value,
            int(decision.confirmed), decision.level, decision.sighting,
            decision.reference and decision.reference.reference_id, line, int(decision.shrinks_hazard),
            int(decision.grows_released), decision.responsible, decision.due and decision.due.isoformat(),
            decision.note, decision.by, self.at.isoformat(),
        )  # fmt: skip

    def reopen(self, case: Case, cause: str) -> None:
        """Open a case again; an earlier decision is history from now on."""
        if not cause.strip():
            raise ConfigError("nobody knows why the case is opened again", case.name, "Give --cause TEXT.")
        if case.status in (CaseStatus.SPLIT, CaseStatus.MERGED):
            raise ConfigError("this case goes on under other numbers", case.name, "Open one of those.")
        self._event(case, "reopened", CaseStatus.NEW, cause, {}, case.sighting.number)

    # Positions, and what else happens on the way.

    def position(
        self, case: Case, operator: str, answer: Answer, name: str, *, comment: str = "", evidence: str = "",
        said_on: dt.date | None = None, proposal: Choice | None = None,
    ) -> None:  # fmt: skip
        """Write down what an operator says to a case and its proposal: its position, never a decision."""
        if operator not in case.operators:
            known = " and ".join(sorted(set(case.operators)))
            raise ConfigError(f"{operator!r} has no record in this case", case.name, f"It is about {known}.")
        data = {"operator": operator, "answer": answer.value}
        if proposal is not None:
            data["proposal"] = proposal.value
        with self.register.transaction():
            event_id = self._event(case, "position", case.status, comment, data)
            self.register.insert(
                "positions", hash_text(f"position {event_id}"), event_id, case.case_id, operator,
                answer.value, comment, evidence, name, said_on and said_on.isoformat(), self.at.isoformat(),
            )  # fmt: skip

    def send(self, case: Case, operator: str, due: dt.date | None = None) -> None:
        """Write down that a case was sent to an operator, who is to answer by a day."""
        is_waiting = case.status in (CaseStatus.BACKLOG, CaseStatus.NEW, CaseStatus.CHANGED_WITHOUT_DECISION)
        status = CaseStatus.SENT if is_waiting else case.status
        data = {"operator": operator, "due": due and due.isoformat()}
        self._event(case, "sent", status, "", data, case.sighting.number if is_waiting else None)

    def acknowledge(self, case: Case, operator: str) -> None:
        """Write down that an operator has acknowledged what was sent to it, or decided."""
        self._event(case, "acknowledged", case.status, "", {"operator": operator})

    def put_on_agenda(self, case: Case, meeting: str) -> None:
        """Put a case on the agenda of a meeting; it gets a number, if it has none yet."""
        _require_open(case)
        with self.register.transaction():
            data = {"meeting": meeting}
            self._event(case, "on_agenda", CaseStatus.ON_AGENDA, "", data, case.sighting.number)
            give_numbers(self.register, self.at.date(), self.at.isoformat(), only=[case.case_id])

    def defer(self, case: Case, cause: str) -> None:
        """Put a case off to a later meeting."""
        _require_open(case)
        self._event(case, "deferred", CaseStatus.DEFERRED, cause, {}, case.sighting.number)

    def assign(self, case: Case, to: str, due: dt.date | None = None) -> None:
        """Write down who sees to a case, and by when."""
        self._event(case, "assigned", case.status, "", {"to": to, "due": due and due.isoformat()})

    def _event(
        self, case: Case, kind: str, status: CaseStatus, cause: str, data: dict[str, Any],
        sighting: int | None = None,
    ) -> str:  # fmt: skip
        """Append an event; return its id, which is the same for the same act."""
        at, text = self.at.isoformat(), as_json(data)
        event_id = hash_text("\n".join((case.case_id, at, self.by, kind, cause, text)))
        with self.register.transaction():
            self.register.insert(
                "events", None, event_id, case.case_id, at, self.by.strip(), kind, status.value, cause, text,
                None, sighting,
            )  # fmt: skip
        return event_id


def _require_open(case: Case) -> None:
    if case.status in SETTLED_STATUSES:
        said = case.status.value.replace("_", " ")
        raise ConfigError(
            f"this case is over ({said})", case.name, "geopipe cases reopen opens it again, with the cause."
        )


def _require_level(case: Case, level: str, policy: Policy) -> None:
    """Refuse a decision by a level that the policy does not let decide it."""
    if level not in policy.levels:
        raise ConfigError(
            f"the policy knows no level {level!r}", case.name, f"Known: {', '.join(policy.levels)}."
        )
    if (severity := case.sighting.columns["severity"]) not in policy.levels[level]:
        able = [name for name, severities in policy.levels.items() if severity in severities]
        raise ConfigError(
            f"by the policy {policy.name!r}, {level} may not decide a case of severity {severity!r}",
            case.name, f"It is for {' or '.join(able) or 'nobody'}.",
        )  # fmt: skip


def require_safe(
    case: Case,
    choice: Choice,
    line_wgs84: shapely.Geometry | None,
    shrinks_hazard: bool,
    grows_released: bool,
    reference: Reference | None,
) -> None:
    """Refuse what makes the map less safe, unless it is said that this is known, and where it was decided."""
    seen, line = case.sighting, line_wgs84
    if choice == Choice.SPLIT_ON_LINE and line is None:
        raise ConfigError("there is no line to split on", case.name, "Give the agreed line: --line FILE.")
    if line is not None:
        (line,) = transform(np.array([line], dtype=object), choose_operation(WGS84, seen.working_crs)[0])
    kinds = seen.a.columns["kind"], seen.b.columns["kind"]
    allowed = {"shrinks_hazard": shrinks_hazard, "grows_released": grows_released}
    closed = [
        name for name, side in (("A", seen.a), ("B", seen.b)) if side.columns["status"] == Status.CLOSED
    ]
    for danger in dangers(choice, *kinds, seen.a.geometry, seen.b.geometry, line, closed):
        if not allowed[danger.flag]:
            option = danger.flag.replace("_", "-")
            remedy = f"If those who decided know this, say --{option}, with the reference of their minutes."
            raise ConfigError(danger.sentence, case.name, remedy)
        if reference is None:
            raise ConfigError(danger.sentence, case.name, "Such a decision needs a reference: --meeting.")
