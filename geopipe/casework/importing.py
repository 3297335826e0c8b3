"""Read sheets back: what each row would do, and then, if somebody says so, all good rows in one transaction.

Nothing is overwritten in silence: a row counts only if its fixed columns are as they were handed out, and if
nobody has acted on its case since.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geopipe.casework.edition import edition_of
from geopipe.casework.facts import asks_anew
from geopipe.casework.filled import WrittenAnswer, WrittenDecision, text_of
from geopipe.casework.papers import Papers, confirming_paper, paper
from geopipe.casework.proposal import propose
from geopipe.casework.reading import Line
from geopipe.casework.rules import policy_in_force
from geopipe.casework.sheetcolumns import (
    ANSWER,
    DECISION,
    FIXED,
    NATIONAL,
    as_text,
    edition_for,
    is_answer_edition,
    seal,
    sheet_key,
)
from geopipe.casework.words import ANSWERS, CHOICES
from geopipe.errors import ConfigError
from geopipe.register.case import Case, Event, Position, Reference
from geopipe.register.desk import Desk
from geopipe.register.register import Register
from geopipe.terms import Choice

# Who only passed a case on has not changed what a sheet says about it.
_PASSED_ON = frozenset({"sent", "acknowledged", "on_agenda"})
# Nobody may act in the register under this name: it stands for what was not written.
_NOBODY = "(dry run)"


@dataclass(frozen=True)
class Outcome:
    """What a row does: `will` says what, `refused` why not, `unchanged` why there is nothing to do.

    `notes` are told besides: what of the row was not looked at.
    """

    line: Line
    case: str
    will: str = ""
    refused: str = ""
    unchanged: str = ""
    notes: tuple[str, ...] = ()


class _RolledBackError(Exception):
    """Ends a transaction of which nothing is to stay."""


def import_lines(
    register: Register, lines: Sequence[Line], papers: Papers, by: str | None, at: dt.datetime
) -> list[Outcome]:
    """Say what each row does, and do it if somebody's name is given: good rows only, all of them or none.

    Parameters
    ----------
    register : Register
    lines : sequence of Line
        Rows of one or several sheets.
    papers : Papers
        Signed minutes of the meetings that the rows name.
    by : str or None
        Who imports; None tries everything and writes nothing.
    at : datetime
        The time, with its zone.
    """
    outcomes: list[Outcome] = []
    try:
        with register.transaction():
            key = sheet_key(register, at)
            outcomes = _Import(register, key, papers, Desk(register, by or _NOBODY, at)).outcomes(lines)
            if by is None:
                raise _RolledBackError
    except _RolledBackError:
        pass
    return outcomes


class _Import:
    """Rows of sheets against the register, within a transaction."""

    def __init__(self, register: Register, key: bytes, papers: Papers, desk: Desk) -> None:
        self.key, self.papers, self.desk = key, papers, desk
        self.cases = {case.case_id: case for case in register.cases()}
        self.policy = policy_in_force(register)

    def outcomes(self, lines: Sequence[Line]) -> list[Outcome]:
        """Return what each row does, in the order of the rows."""
        self.papers.check({_meeting(line) for line in lines} - {""})
        rows = self._rows_by_case(lines)
        return [self._outcome(line, rows) for line in lines]

    def _rows_by_case(self, lines: Sequence[Line]) -> Mapping[tuple[str, str], list[Line]]:
        """Return the filled rows of each case and edition that are as they were handed out."""
        rows: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            if _is_filled(line) and self._is_untouched(line):
                rows[_control(line, "case_id"), _control(line, "edition")].append(line)
        return rows

    def _outcome(self, line: Line, rows: Mapping[tuple[str, str], list[Line]]) -> Outcome:
        case = self.cases.get(_control(line, "case_id"))
        name = case.name if case else as_text("number", line.cells.get("number")) or "no case"
        notes = _ignored(line)
        try:
            if not _is_filled(line):
                return Outcome(line, name, unchanged="nothing is filled in", notes=notes)
            if case is None:
                raise ConfigError("the register has no such case")
            self._require_untouched(line, case)
            twins = rows[case.case_id, _control(line, "edition")]
            _require_one_voice(line, twins)
            if twins[0] is not line:
                return Outcome(line, name, unchanged=f"as in {twins[0].place}", notes=notes)
            return self._taken(line, case, notes)
        except ConfigError as error:
            return Outcome(line, name, refused=_sentence(error, name), notes=notes)

    def _taken(self, line: Line, case: Case, notes: tuple[str, ...]) -> Outcome:
        if is_answer_edition(_control(line, "edition")):
            done = self._answer(line, case)
        else:
            done = self._decision(line, case)
        if done is None:
            return Outcome(line, case.name, unchanged="the register says so already", notes=notes)
        return Outcome(line, case.name, will=done, notes=notes)

    # What a row may do.

    def _decision(self, line: Line, case: Case) -> str | None:
        said = WrittenDecision.of(line)
        if said is None:
            return None
        minutes = self.papers.file_of(said.meeting) if said.meeting else None
        if case.decision and said.is_said_by(case.decision):
            if case.decision.confirmed or minutes is None:
                return None
            reference = confirming_paper(self.desk, case, "", None, "", minutes)
            self.desk.confirm(case, reference)
            return f"confirmed by {reference.text}: {CHOICES[said.choice]}"
        _require_current(line, [event for event in case.events if event.kind not in _PASSED_ON])
        if said.choice is Choice.SPLIT_ON_LINE:
            raise ConfigError(
                "a sheet has no place for the line to split on; use geopipe cases decide --line"
            )
        self._try(case, said)
        reference_ = paper(self.desk, said.meeting, said.held_on, said.item, minutes)
        decision = self.desk.decide(
            case, said.choice, said.level, self.policy, reference_, shrinks_hazard=said.shrinks_hazard,
            grows_released=said.grows_released, responsible=said.responsible, due=said.due, note=said.note,
        )  # fmt: skip
        kind = "confirmed" if decision.confirmed else "provisional, signed minutes missing"
        instead = f", instead of: {CHOICES[case.decision.choice]}" if case.decision else ""
        return f"decided by {said.level}: {CHOICES[said.choice]} ({kind}){instead}"

    def _try(self, case: Case, said: WrittenDecision) -> None:
        """Refuse a decision that the desk would refuse, before a copy of its minutes is kept for nothing."""
        if not said.meeting and (said.held_on or said.item):
            raise ConfigError("a day or an item is given, but not of which meeting")
        reference = Reference("", said.meeting, said.held_on, said.item) if said.meeting else None
        self.desk.check(
            case, said.choice, said.level, self.policy, reference, shrinks_hazard=said.shrinks_hazard,
            grows_released=said.grows_released,
        )  # fmt: skip

    def _answer(self, line: Line, case: Case) -> str | None:
        operator = next(name for name in case.operators if edition_for(name) == _control(line, "edition"))
        said = WrittenAnswer.of(line)
        if said is None:
            return None
        if said.is_said_by(_last_position(case, operator)):
            return None
        own = [event for event in case.events if event.kind == "position"
               and event.data["operator"] == operator]  # fmt: skip
        anew = [event for event in case.events if asks_anew(event) or event.kind == "decided"]
        _require_current(line, [*own, *anew])
        self.desk.position(
            case, operator, said.answer, said.name, comment=said.comment, evidence=said.evidence,
            said_on=said.said_on, proposal=propose(case, self.policy).choice,
        )  # fmt: skip
        return f"position of {operator}: {ANSWERS[said.answer]} ({said.name})"

    def _is_untouched(self, line: Line) -> bool:
        return hmac.compare_digest(seal(self.key, line.cells).encode(), _control(line, "seal").encode())

    def _require_untouched(self, line: Line, case: Case) -> None:
        """Refuse a row whose fixed columns are not as they were handed out."""
        if self._is_untouched(line):
            return
        edition = _control(line, "edition")
        operator = next((name for name in case.operators if edition_for(name) == edition), None)
        known = edition == NATIONAL or operator is not None
        now = edition_of([case], self.policy, self.key, operator).rows if known else ()
        changed = [
            title for name, title in FIXED.items()
            if now and as_text(name, line.cells.get(name)) != as_text(name, now[0][name])
        ]  # fmt: skip
        which = f" ({', '.join(changed)})" if changed else ""
        raise ConfigError(f"fixed columns were changed{which}, or the row is not from this register")


def _last_position(case: Case, operator: str) -> Position | None:
    return next((said for said in reversed(case.positions) if said.operator == operator), None)


def _require_one_voice(line: Line, twins: Sequence[Line]) -> None:
    """Refuse a row of a case about which another row says something else."""
    for other in twins:
        if other is not line and _said(other) != _said(line):
            raise ConfigError(f"{other.place} says something else about this case")


def _require_current(line: Line, events: Sequence[Event]) -> None:
    """Refuse a row if one of these events is newer than its sheet."""
    try:
        revision = int(_control(line, "revision"))
    except ValueError:
        raise ConfigError("the revision of the row cannot be read") from None
    newer = sorted((event for event in events if event.number > revision), key=lambda event: event.number)
    if newer:
        what = "; ".join(_told(event) for event in newer[-3:])
        raise ConfigError(f"since this sheet was made: {what}. Export it again and look at the case anew")


def _told(event: Event) -> str:
    data = event.data
    more = [str(data[name]) for name in ("operator", "answer", "choice", "level") if data.get(name)]
    said = f" ({', '.join(more).replace('_', ' ')})" if more else ""
    return f"{event.kind.replace('_', ' ')}{said} by {event.author} on {event.at.date()}"


def _meeting(line: Line) -> str:
    """Return the meeting that a row names; in an operator's sheet nobody decides."""
    is_answer = is_answer_edition(_control(line, "edition"))
    return "" if is_answer else text_of(line.cells.get("meeting"))


def _is_filled(line: Line) -> bool:
    return any(_said(line))


def _said(line: Line) -> tuple[str, ...]:
    """Return what people have written into a row: in an operator's sheet only its answer counts."""
    is_answer = is_answer_edition(_control(line, "edition"))
    names = ANSWER if is_answer else DECISION
    return tuple(text_of(line.cells.get(name)) for name in names)


def _ignored(line: Line) -> tuple[str, ...]:
    """Say what of a row is not looked at."""
    if not is_answer_edition(_control(line, "edition")):
        return ()
    written = [title for name, title in DECISION.items() if line.cells.get(name) is not None]
    if not written:
        return ()
    return (f"ignored, an operator's sheet decides nothing: {', '.join(written)}",)


def _control(line: Line, name: str) -> str:
    return as_text(name, line.cells.get(name))


def _sentence(error: ConfigError, name: str) -> str:
    """Return what is wrong, without the case, which stands before it."""
    return str(error).removeprefix(f"{name}: ")


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Return what a row does as plain values."""
    return {
        "file": outcome.line.file, "line": outcome.line.number, "case": outcome.case,
        "case_id": outcome.line.cells.get("case_id"), "will": outcome.will or None,
        "refused": outcome.refused or None, "unchanged": outcome.unchanged or None,
        "notes": list(outcome.notes),
    }  # fmt: skip
