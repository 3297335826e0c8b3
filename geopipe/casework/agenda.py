"""The agenda of a meeting: which cases fit into its minutes, the most urgent first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geopipe.casework.choosing import by_urgency
from geopipe.casework.facts import all_agree, is_disputed, is_open, is_overdue, lacks_minutes, unacknowledged
from geopipe.register.case import Case
from geopipe.terms import CaseStatus, Choice, Severity

OPENING_MIN, ALARM_MIN, DISCUSSION_MIN, CONSENT_MIN = 10, 10, 10, 5
MOST_DISCUSSIONS = 12
_DAYS_PER_YEAR = 365.25
# A case on which the operators differ waits for this meeting more than one that nobody has looked at.
_DISPUTE_FACTOR = 3.0
_UNCOUNTED_M2 = 1.0
_TO_DECIDE = frozenset(
    {
        CaseStatus.BACKLOG, CaseStatus.NEW, CaseStatus.SENT, CaseStatus.ON_AGENDA, CaseStatus.DEFERRED,
        CaseStatus.NEEDS_REVIEW, CaseStatus.CHANGED_WITHOUT_DECISION, CaseStatus.CORRECTED_DIFFERENTLY,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Agenda:
    """What a meeting of some minutes can do.

    It opens with what earlier meetings left: `minutes_missing`, `not_acknowledged`, `overdue`. Then safety
    alarms, cases to discuss, and the consent list under one signature. `deferred` is what does not fit.
    """

    minutes: int
    planned_min: int
    minutes_missing: tuple[Case, ...]
    not_acknowledged: tuple[Case, ...]
    overdue: tuple[Case, ...]
    alarms: tuple[Case, ...]
    discussion: tuple[Case, ...]
    consent: tuple[Case, ...]
    deferred: tuple[Case, ...]

    @property
    def deferred_alarms(self) -> int:
        """How many safety alarms do not fit: the meeting is too short for them."""
        return sum(case.sighting.columns["severity"] == Severity.ALARM for case in self.deferred)

    @property
    def chosen(self) -> tuple[Case, ...]:
        """Everything on which this meeting is to decide."""
        return (*self.alarms, *self.discussion, *self.consent)


def plan_meeting(
    cases: Sequence[Case], proposals: Mapping[str, Choice], minutes: int, today: dt.date
) -> Agenda:
    """Choose the cases for a meeting.

    Parameters
    ----------
    cases : sequence of Case
        All cases of the register.
    proposals : mapping of case id to Choice
        What is proposed for each.
    minutes : int
        How long the meeting is.
    today : date
    """
    waiting = [case for case in by_urgency(cases) if case.status in _TO_DECIDE]
    alarms = [case for case in waiting if case.sighting.columns["severity"] == Severity.ALARM]
    others = [case for case in waiting if case.sighting.columns["severity"] != Severity.ALARM]
    agreed = [case for case in others if all_agree(case, proposals[case.case_id])]
    open_questions = [case for case in others if case not in agreed]
    left_min = minutes - OPENING_MIN
    on_alarms = alarms[: max(0, left_min) // ALARM_MIN]
    left_min -= ALARM_MIN * len(on_alarms)
    consent = agreed if left_min >= CONSENT_MIN else []
    left_min -= CONSENT_MIN if consent else 0
    most = min(MOST_DISCUSSIONS, max(0, left_min) // DISCUSSION_MIN)
    talked = sorted(open_questions, key=lambda case: (-weight(case, today), case.case_id))[:most]
    left_min -= DISCUSSION_MIN * len(talked)
    chosen = {case.case_id for case in (*on_alarms, *talked, *consent)}
    return Agenda(
        minutes=minutes,
        planned_min=minutes - left_min,
        minutes_missing=tuple(case for case in by_urgency(cases) if lacks_minutes(case)),
        not_acknowledged=tuple(case for case in by_urgency(cases) if is_open(case) and unacknowledged(case)),
        overdue=tuple(case for case in by_urgency(cases) if is_overdue(case, today)),
        alarms=tuple(on_alarms),
        discussion=tuple(talked),
        consent=tuple(consent),
        deferred=tuple(case for case in waiting if case.case_id not in chosen),
    )


def weight(case: Case, today: dt.date) -> float:
    """Return how much a case waits to be discussed: hectares, times age, times disagreement.

    Only hectares that somebody reports count: a survey box of a square kilometre changes no figure.
    """
    years = max(0, (today - case.first_seen).days) / _DAYS_PER_YEAR
    columns = case.sighting.columns
    hectares = (columns["area_m2"] if columns["counted"] else _UNCOUNTED_M2) / 10_000
    return float(hectares * (1 + years) * (_DISPUTE_FACTOR if is_disputed(case) else 1.0))
