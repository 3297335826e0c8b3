"""A meeting begins with what earlier ones left, then alarms, a dozen discussions, and the consent list."""

import datetime as dt
from dataclasses import replace

import pytest
from casework_fixtures import (
    ALARM,
    AT,
    DOUBLE,
    HAZARD_AFTER,
    HAZARDS,
    RELEASES,
    TWICE,
    case_about,
    register_of,
    run,
)
from make import EARLY, LATE, POLICY, hazard, square

from geopipe.casework.agenda import MOST_DISCUSSIONS, plan_meeting, weight
from geopipe.casework.choosing import Wanted, choose
from geopipe.casework.proposal import propose
from geopipe.errors import ConfigError
from geopipe.register.desk import Desk
from geopipe.register.register import Register
from geopipe.terms import Answer, Choice

TODAY = AT.date()


@pytest.fixture
def register(tmp_path):
    with Register.existing(register_of(tmp_path, *HAZARDS, *RELEASES, *ALARM)) as opened:
        yield opened


def plan(register, minutes, today=TODAY):
    cases = register.cases()
    return plan_meeting(cases, {c.case_id: propose(c, POLICY).choice for c in cases}, minutes, today)


def findings(cases):
    return [case.sighting.columns["finding"] for case in cases]


def desk(register, hours=1):
    return Desk(register, "Bounmy", AT + dt.timedelta(hours=hours))


def agree(register, finding, *operators, proposal=None):
    case = case_about(register, finding)
    for number, operator in enumerate(operators):
        given = proposal or propose(case, POLICY).choice
        desk(register, 1 + number).position(case, operator, Answer.AGREE, "Kham", proposal=given)


def test_alarms_come_first_even_when_there_is_no_time_for_anything_else(register):
    short = plan(register, 20)
    assert findings(short.alarms) == [HAZARD_AFTER]
    assert not short.discussion
    assert len(short.deferred) == 2


def test_alarms_that_do_not_fit_are_counted_by_themselves(register):
    assert plan(register, 15).deferred_alarms == 1
    assert plan(register, 60).deferred_alarms == 0


def test_what_all_operators_agree_to_needs_no_discussion(register):
    agree(register, TWICE, "MAG", "UXO Lao")
    agenda = plan(register, 60)
    assert findings(agenda.consent) == [TWICE]
    assert findings(agenda.discussion) == [DOUBLE]


def test_one_answer_is_no_consent(register):
    agree(register, TWICE, "MAG")
    assert not plan(register, 60).consent


def test_an_answer_to_another_proposal_is_no_consent(register):
    agree(register, TWICE, "MAG", "UXO Lao", proposal=Choice.FIELD_SURVEY)
    assert not plan(register, 60).consent


def test_an_alarm_is_never_on_the_consent_list(register):
    agree(register, HAZARD_AFTER, "MAG", "HALO")
    assert findings(plan(register, 60).alarms) == [HAZARD_AFTER]


def test_an_answer_from_before_the_ground_moved_is_no_consent(register):
    agree(register, TWICE, "MAG", "UXO Lao")
    moved = replace(RELEASES[1], ground=square(1050))
    run(register, AT + dt.timedelta(days=2), *HAZARDS, RELEASES[0], moved, *ALARM)
    assert not plan(register, 60).consent


def test_at_most_a_dozen_cases_are_discussed(tmp_path):
    records = [
        hazard(square(1000 * n + 60 * side), operator, f"{operator}{n}", when=day)
        for n in range(MOST_DISCUSSIONS + 3)
        for side, (operator, day) in enumerate([("MAG", EARLY), ("NPA", LATE)])
    ]
    with Register.existing(register_of(tmp_path, *records)) as register:
        agenda = plan(register, 600)
    assert len(agenda.discussion) == MOST_DISCUSSIONS
    assert len(agenda.deferred) == 3


def test_old_large_and_disputed_cases_wait_more(register):
    case = case_about(register, DOUBLE)
    later = TODAY + dt.timedelta(days=365)
    assert weight(case, later) > weight(case, TODAY) > 0
    desk(register).position(case, "MAG", Answer.DISAGREE, "Kham")
    assert weight(case_about(register, DOUBLE), TODAY) > weight(case, TODAY)


def test_the_meeting_opens_with_what_earlier_ones_left(register):
    case = case_about(register, DOUBLE)
    choice = propose(case, POLICY).choice
    desk(register).decide(case, choice, "TWG", POLICY, due=TODAY - dt.timedelta(days=1))
    desk(register, 2).send(case_about(register, TWICE), "MAG")
    agenda = plan(register, 60)
    assert findings(agenda.minutes_missing) == findings(agenda.overdue) == [DOUBLE]
    assert findings(agenda.not_acknowledged) == [TWICE]
    desk(register, 3).acknowledge(case_about(register, TWICE), "MAG")
    assert not plan(register, 60).not_acknowledged
    assert DOUBLE not in findings([*agenda.discussion, *agenda.deferred])


def test_the_list_begins_with_alarms_then_the_largest(register):
    assert findings(choose(register.cases(), Wanted(), TODAY)) == [HAZARD_AFTER, DOUBLE, TWICE]


def test_the_list_is_of_those_that_were_asked_for(register):
    cases = register.cases()
    assert findings(choose(cases, Wanted(operators=("halo",)), TODAY)) == [HAZARD_AFTER]
    assert findings(choose(cases, Wanted(severities=("alarm",)), TODAY)) == [HAZARD_AFTER]
    assert len(choose(cases, Wanted(statuses=("Backlog",), only_open=True), TODAY)) == 3
    assert not choose(cases, Wanted(only_overdue=True), TODAY)


def test_an_operator_that_nobody_knows_is_no_empty_list(register):
    with pytest.raises(ConfigError, match="did you mean 'HALO'"):
        choose(register.cases(), Wanted(operators=("HALLO",)), TODAY)
