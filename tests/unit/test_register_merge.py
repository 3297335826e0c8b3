"""What an office did in its copy comes home; nothing is overwritten, no decision gets other ground."""

import datetime as dt
import json
import sqlite3
from contextlib import closing, contextmanager

import pytest
from make import hazard, released, square
from test_cases import MAG, UXO, Office

from geopipe.errors import ConfigError, RegisterError
from geopipe.register.care import merging
from geopipe.register.care.check import check
from geopipe.register.care.copies import Office as Taker
from geopipe.register.care.copies import checkout
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.terms import Answer, CaseStatus, Choice

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
HALO = hazard(square(0, 90), "HALO", "H1", status="open")


class Home(Office):
    """The national register, and copies of it."""

    def copy(self, folder, code="PSV"):
        checkout(self.register, folder, Taker(code, "Bounmy", NOON))
        away = Away(folder)
        away.night = self.night
        return away

    def merge(self, away):
        with self.returned(away) as came:
            return merging.merge(self.register, came, away.path, "Noy", NOON)

    def would_merge(self, away):
        with self.returned(away) as came:
            return merging.plan_merge(self.register, came)

    @contextmanager
    def returned(self, away):
        away.register.close()
        try:
            with merging.returned_copy(away.path, self.register) as came:
                yield came
        finally:
            away.register = Register.existing(away.folder)


class Away(Office):
    """An office with a copy."""

    @property
    def path(self):
        return self.folder / "register.sqlite"

    def desk(self):
        return Desk(self.register, "Khamla", NOON + dt.timedelta(hours=self.night))


@pytest.fixture
def home(tmp_path):
    opened = Home(tmp_path / "home")
    opened.run(MAG, UXO)
    yield opened
    opened.register.close()


@pytest.fixture
def away(home, tmp_path):
    opened = home.copy(tmp_path / "away")
    yield opened
    opened.register.close()


def rows(register):
    return {
        table: register.ask(f"SELECT * FROM {table} ORDER BY rowid")
        for table in ("events", "decisions", "positions", "papers", "case_numbers", "facts")
    }


# What comes home.


def test_a_decision_comes_home_with_author_time_reference_and_minutes(home, away):
    away.decide(Choice.FIELD_SURVEY)
    away.desk().position(away.case(), "MAG", Answer.AGREE, "Dr Lee", comment="yes")
    plan = home.merge(away)
    assert [event.kind for event in plan.merged] == ["decided", "position"]
    assert (home.case().status, home.case().decision, home.case().positions) == (
        CaseStatus.DECIDED, away.case().decision, away.case().positions,
    )  # fmt: skip
    assert home.case().decision.by == "Khamla"
    assert home.register.ask("SELECT minutes FROM papers") == [(b"signed",)]
    assert check(home.register).faults == []


def test_it_is_written_down_who_merged_what(home, away):
    away.desk().assign(away.case(), "Noy")
    home.merge(away)
    (value,) = home.register.ask("SELECT value FROM facts WHERE name = 'merged'")[0]
    told = json.loads(value)
    assert (told["office"], told["by"], told["events"], told["left_out"]) == ("PSV", "Noy", 1, 0)


def test_a_dry_run_writes_nothing(home, away):
    away.decide(Choice.FIELD_SURVEY)
    before = rows(home.register)
    assert len(home.would_merge(away).merged) == 1
    assert rows(home.register) == before


def test_merging_twice_adds_nothing_and_what_came_later_follows(home, away):
    away.decide(Choice.FIELD_SURVEY)
    home.merge(away)
    before = rows(home.register)
    again = home.merge(away)
    assert (again.merged, again.known_already, again.left_out) == ([], 1, 0)
    assert rows(home.register) == before
    away.desk().reopen(away.case(), "new survey")
    assert [event.kind for event in home.merge(away).merged] == ["reopened"]
    assert home.case().decision is None


def test_the_copy_itself_is_never_written(home, away):
    away.decide(Choice.FIELD_SURVEY)
    before = away.path.read_bytes()
    home.merge(away)
    assert away.path.read_bytes() == before


def test_a_merge_needs_a_name(home, away):
    with pytest.raises(ConfigError, match="nobody's name"), home.returned(away) as came:
        merging.merge(home.register, came, away.path, " ", NOON)


# What does not.


def test_a_case_that_went_on_in_both_is_a_conflict_and_both_are_shown(home, away):
    home.decide(Choice.ACCEPT)
    away.decide(Choice.FIELD_SURVEY)
    before = rows(home.register)
    plan = home.merge(away)
    (conflict,) = plan.conflicts
    assert [(event.author, event.kind) for event in conflict.here] == [("Bounmy", "decided")]
    assert [(event.author, event.kind) for event in conflict.there] == [("Khamla", "decided")]
    assert plan.merged == []
    assert rows(home.register) == before


def test_a_run_at_home_that_changed_the_case_is_a_conflict_too(home, away):
    home.run(MAG, hazard(square(80), "UXO Lao", "U1"))
    away.decide(Choice.FIELD_SURVEY)
    (conflict,) = home.merge(away).conflicts
    assert [event.kind for event in conflict.here] == ["moved"]


def test_other_cases_are_merged_beside_a_conflict(home, tmp_path):
    home.run(MAG, UXO, HALO)
    away = home.copy(tmp_path / "three")
    first, second, third = home.register.cases()
    for case in (first, second, third):
        away.desk().assign(case, "Khamla")
    home.desk().assign(second, "Noy")
    plan = home.merge(away)
    assert {event.case_id for event in plan.merged} == {first.case_id, third.case_id}
    assert [case.case_id for case in plan.conflicts] == [second.case_id]
    away.register.close()


def test_a_decision_on_an_overlap_that_was_not_seen_at_home_waits_until_it_is(home, away):
    moved = hazard(square(80), "UXO Lao", "U1", status="open", surveyed=UXO.surveyed)
    away.run(MAG, moved)
    away.decide(Choice.FIELD_SURVEY)
    plan = home.merge(away)
    assert (plan.merged, len(plan.unseen)) == ([], 1)
    assert home.case().decision is None
    others = hazard(square(5000), "MAG", "M7"), hazard(square(5060), "HALO", "H7")
    home.run(MAG, UXO, *others)
    home.run(MAG, moved, *others)
    plan = home.merge(away)
    assert [event.kind for event in plan.merged] == ["decided"]
    known = home.register.case(away.case().case_id)
    assert known.decision.sighting == known.sighting.number
    assert known.sighting.number != away.case().sighting.number
    assert known.sighting.geometry.area == pytest.approx(2000)
    assert check(home.register).faults == []


def test_a_small_move_that_only_the_office_saw_is_waited_for_too(home, away):
    away.run(MAG, hazard(square(60.001), "UXO Lao", "U1", status="open", surveyed=UXO.surveyed))
    assert [event.kind for event in away.case().events] == ["opened"]
    away.decide(Choice.FIELD_SURVEY)
    plan = home.merge(away)
    assert (plan.merged, len(plan.unseen)) == ([], 1)


def test_no_status_comes_home_that_only_a_run_of_the_office_has_given(home, away):
    away.run(MAG, hazard(square(80), "UXO Lao", "U1", status="open", surveyed=UXO.surveyed))
    away.desk().assign(away.case(), "Dr Lee")
    plan = home.merge(away)
    assert (plan.merged, len(plan.unseen)) == ([], 1)
    assert home.case().status == CaseStatus.BACKLOG


def test_a_case_that_only_the_office_found_waits_until_it_is_found_at_home(home, away):
    cases = away.run(MAG, UXO, HALO)
    found = next(case for case in cases if "HALO" in case.operators and "MAG" in case.operators)
    away.desk().position(found, "HALO", Answer.DISAGREE, "Ann")
    plan = home.merge(away)
    assert [case.case_id for case in plan.unknown] == [found.case_id]
    home.run(MAG, UXO, HALO)
    plan = home.merge(away)
    assert [event.kind for event in plan.merged] == ["position"]
    known = home.register.case(found.case_id)
    assert known.number.startswith("XXX-2026-")
    assert home.register.case(found.number).case_id == found.case_id
    assert "PSV" in found.number


def test_a_provisional_number_that_another_case_has_is_left_out(home, tmp_path):
    one, two = home.copy(tmp_path / "one"), home.copy(tmp_path / "two")
    other = hazard(square(30, -95), "NPA", "N1")
    first, second = (
        next(case for case in away.run(MAG, UXO, more) if case.number == "XXX-PSV-2026-0001")
        for away, more in ((one, HALO), (two, other))
    )
    assert first.case_id != second.case_id
    home.run(MAG, UXO, HALO, other)
    assert (first.case_id, first.number) in [row[:2] for row in home.merge(one).numbers]
    assert (second.case_id, second.number) in home.merge(two).taken
    for away in (one, two):
        away.register.close()


# What is refused.


def harmed(away, *statements):
    with closing(sqlite3.connect(away.path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_copy_of_another_register_is_refused(home, tmp_path):
    other = Home(tmp_path / "other")
    other.run(MAG, UXO)
    away = other.copy(tmp_path / "others")
    with pytest.raises(RegisterError, match="no copy of this register"):
        home.merge(away)
    for opened in (other, away):
        opened.register.close()


def test_a_register_that_is_no_copy_is_refused(home, tmp_path):
    home.register.close()
    twin = tmp_path / "twin.sqlite"
    twin.write_bytes((home.folder / "register.sqlite").read_bytes())
    home.register = Register.existing(home.folder)
    with pytest.raises(RegisterError, match="no copy of this register"):
        merging.returned_copy(twin, home.register).__enter__()


def test_an_old_backup_of_the_master_takes_no_newer_copy(home, tmp_path):
    home.register.close()
    old = (home.folder / "register.sqlite").read_bytes()
    home.register = Register.existing(home.folder)
    home.decide(Choice.FIELD_SURVEY)
    away = home.copy(tmp_path / "later")
    home.register.close()
    (home.folder / "register.sqlite").write_bytes(old)
    home.register = Register.existing(home.folder)
    with pytest.raises(RegisterError, match="older than the copy"):
        home.merge(away)
    away.register.close()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT 1; END"], "The trigger t is not geopipe's"),
        (["DROP TRIGGER events_keeps_UPDATE"], "events_keeps_UPDATE is missing"),
        (["PRAGMA user_version = 99"], "newer geopipe"),
        (["PRAGMA application_id = 1"], "not a register of geopipe"),
        (
            ["INSERT INTO events SELECT 99, 'x', case_id, at, author, kind, 'gone', cause, data, NULL, "
             "sighting FROM events LIMIT 1"],
            "is no word of the register",
        ),
        (
            ["INSERT INTO events SELECT 99, x'00', case_id, at, author, kind, status, cause, data, NULL, "
             "sighting FROM events LIMIT 1"],
            "are not TEXT",
        ),
    ],
)  # fmt: skip
def test_a_hostile_copy_is_refused_and_nothing_is_merged(home, away, statements, said):
    away.decide(Choice.FIELD_SURVEY)
    harmed(away, *statements)
    before = rows(home.register)
    with pytest.raises(RegisterError, match=said):
        merging.returned_copy(away.path, home.register).__enter__()
    assert rows(home.register) == before


def test_an_event_that_was_rewritten_in_the_copy_is_refused(home, tmp_path):
    home.desk().assign(home.case(), "Noy")
    away = home.copy(tmp_path / "later")
    (sql,) = away.register.ask("SELECT sql FROM sqlite_master WHERE name = 'events_keeps_UPDATE'")[0]
    harmed(
        away, "DROP TRIGGER events_keeps_UPDATE", "UPDATE events SET author = 'Khamla' WHERE run IS NULL", sql
    )
    with pytest.raises(RegisterError, match="another one in the copy than here"):
        home.merge(away)
    away.register.close()


def test_a_dangerous_decision_that_nobody_said_was_meant_is_refused(home, tmp_path):
    land = released(square(5050), "UXO Lao", "R1", when=dt.date(2024, 1, 1))
    home.run(MAG, UXO, hazard(square(5000), "MAG", "M2", status="open", surveyed=dt.date(2025, 1, 1)), land)
    away = home.copy(tmp_path / "land")
    case = next(case for case in away.register.cases() if case.sighting.severity == "alarm")
    shrinking = next(
        choice for choice in (Choice.A_CORRECTS, Choice.B_CORRECTS)
        if case.sighting.a.kind == ("CHA" if choice == Choice.A_CORRECTS else "CLEARED")
    )  # fmt: skip
    with pytest.raises(ConfigError):
        away.decide(shrinking, case=case)
    away.decide(shrinking, case=case, shrinks_hazard=True)
    assert len(home.would_merge(away).merged) == 1
    (sql,) = away.register.ask("SELECT sql FROM sqlite_master WHERE name = 'decisions_keeps_UPDATE'")[0]
    harmed(away, "DROP TRIGGER decisions_keeps_UPDATE", "UPDATE decisions SET shrinks_hazard = 0", sql)
    with pytest.raises(ConfigError, match="hazard"):
        home.merge(away)
    assert all(case.decision is None for case in home.register.cases())
    away.register.close()


def test_a_copy_takes_no_copies(home, away, tmp_path):
    second = home.copy(tmp_path / "second")
    second.register.close()
    with pytest.raises(RegisterError, match="itself a copy"):
        merging.returned_copy(second.path, away.register).__enter__()


def test_a_paper_that_both_have_is_kept_once(home, away):
    with home.register.transaction():
        keep_paper(home.register, "TWG", dt.date(2026, 2, 1), "3", away_minutes(away), "Noy", NOON)
    away.decide(Choice.FIELD_SURVEY)
    home.merge(away)
    assert home.register.ask("SELECT recorded_by FROM papers") == [("Noy",)]


def away_minutes(away):
    path = away.folder / "minutes.pdf"
    path.write_bytes(b"signed")
    return path
