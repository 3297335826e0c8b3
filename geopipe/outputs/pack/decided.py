"""What a meeting has decided, who does what by when, and what each operator is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from geopipe.casework.facts import lacks_minutes, unacknowledged
from geopipe.casework.words import CHOICES
from geopipe.errors import ConfigError
from geopipe.io.ledgers.opened import Opened
from geopipe.languages.texts import message
from geopipe.register.case import Case, Decision
from geopipe.register.casefiles import decisions_of
from geopipe.terms import Choice

_CORRECT = message("correct the boundary of {record}")
_SPLIT = message("correct the boundary of {record} on the agreed line")
_TAKE_OVER = message("take the ground of the other record into {record}")
_WITHDRAW = message("withdraw {record}")
_SURVEY = message("survey the ground in the field for {record}")
_CHECK = message("check {record} in your own files and deliver it again")
NOTHING = message("no correction of your record")
# What the operators of A and of B do.
_TASKS: Mapping[Choice, tuple[str | None, str | None]] = {
    Choice.ACCEPT: (None, None),
    Choice.BOTH_VALID: (None, None),
    Choice.A_CORRECTS: (_CORRECT, None),
    Choice.B_CORRECTS: (None, _CORRECT),
    Choice.SPLIT_ON_LINE: (_SPLIT, _SPLIT),
    Choice.MERGE_INTO_A: (_TAKE_OVER, _WITHDRAW),
    Choice.MERGE_INTO_B: (_WITHDRAW, _TAKE_OVER),
    Choice.WITHDRAW_A: (_WITHDRAW, None),
    Choice.WITHDRAW_B: (None, _WITHDRAW),
    Choice.FIELD_SURVEY: (_SURVEY, _SURVEY),
    Choice.RETURN_TO_OPERATOR: (_CHECK, _CHECK),
}


@dataclass(frozen=True)
class Decided:
    """What a meeting has decided about a case. `is_in_force` is False where it was decided anew since."""

    case: Case
    decision: Decision
    is_in_force: bool

    @property
    def choice(self) -> str:
        """The decision in English words."""
        return CHOICES[self.decision.choice]

    @property
    def lacks_minutes(self) -> bool:
        """Whether no signed minutes confirm it."""
        return self.is_in_force and lacks_minutes(self.case)

    @property
    def not_acknowledged(self) -> Sequence[str]:
        """Operators to whom the case was sent and who have said nothing since."""
        return unacknowledged(self.case) if self.is_in_force else ()

    def tasks(self) -> Iterator[tuple[str, str, str]]:
        """Yield who does what: operator, message, and the id of its record."""
        seen = self.case.sighting
        for side, task in zip((seen.a, seen.b), _TASKS[self.decision.choice], strict=True):
            if task is not None:
                yield side.operator, task, side.source_id or side.record_id


def decided_by(register: Opened, cases: Sequence[Case], meeting: str) -> list[Decided]:
    """Return what a meeting has decided, in the order of the cases.

    Raises
    ------
    ConfigError
        When the register knows no decision of a meeting of this name.
    """
    found, known = [], set()
    for case in cases:
        if case.decision is None and not any(event.kind == "decided" for event in case.events):
            continue
        for decision in decisions_of(register, case.case_id):
            name = decision.reference.meeting if decision.reference else ""
            known.add(name)
            if name.casefold() == meeting.strip().casefold():
                in_force = case.decision is not None and case.decision.decision_id == decision.decision_id
                found.append(Decided(case, decision, in_force))
    if not found:
        names = ", ".join(sorted(known - {""})) or "none yet"
        raise ConfigError("no decision has a reference to this meeting", meeting, f"Meetings: {names}.")
    return found
