"""Sheets that come back: good rows are taken, a hostile or stale one changes nothing and says why."""

import datetime as dt
import re
import shutil
import sqlite3
import zipfile
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
    content,
    export,
    fill,
    read_in,
    refused,
    register_of,
    run,
    taken,
)
from conftest import call
from make import POLICY, square

from geopipe.casework.reading import read_lines
from geopipe.casework.words import CHOICES
from geopipe.errors import ConfigError, GeopipeError, SourceError
from geopipe.register.desk import Desk
from geopipe.register.register import Register
from geopipe.terms import Answer, CaseStatus, Choice

DUE = dt.date(2026, 12, 1)
MEETING = {"level": "TWG", "meeting": "TWG 3/2026", "held_on": dt.date(2026, 2, 27), "item": "4"}
BOTH = {"decision": "both valid", **MEETING}
SURVEY = {"decision": "field survey", **MEETING, "responsible": "MAG", "due": DUE, "note": "ເບິ່ງພື້ນທີ່"}


@pytest.fixture
def work(tmp_path):
    return register_of(tmp_path / "work", *HAZARDS, *RELEASES, *ALARM)


@pytest.fixture
def register(work):
    with Register.existing(work) as opened:
        yield opened


@pytest.fixture
def ids(register):
    return {case.sighting.columns["finding"]: case.case_id for case in register.cases()}


@pytest.fixture
def minutes(tmp_path):
    path = tmp_path / "minutes.pdf"
    path.write_bytes(b"signed minutes")
    return path


def decision_sheet(register, tmp_path, ids, filled, ending="xlsx"):
    path = export(register, tmp_path / f"cases.{ending}")
    return fill(path, {ids[finding]: cells for finding, cells in filled.items()})


def answer_sheet(register, tmp_path, ids, operator, filled):
    path = export(register, tmp_path / f"{operator}.xlsx", operator)
    return fill(path, {ids[finding]: cells for finding, cells in filled.items()})


# The same by every way.


def test_command_workbook_and_geopackage_give_the_same_register(work, tmp_path, minutes):
    copies = {name: tmp_path / name for name in ("command", "xlsx", "gpkg")}
    for folder in copies.values():
        shutil.copytree(work, folder)
    with Register.existing(work) as register:
        ids = {case.sighting.columns["finding"]: case.case_id for case in register.cases()}
        numbers = {case.case_id: case.name for case in register.cases()}
    filled = {HAZARD_AFTER: SURVEY, TWICE: {**BOTH, "note": "=1+1 +2"}}
    answer = {"answer": "field check", "comment": "see photo", "evidence": "NTS 12", "name": "Kham"}
    for ending in ("xlsx", "gpkg"):
        with Register.existing(copies[ending]) as register:
            decisions = decision_sheet(register, tmp_path, ids, filled, ending)
            path = export(register, tmp_path / f"MAG.{ending}", "MAG")
            answers = fill(path, {ids[DOUBLE]: answer})
            assert not refused(read_in(register, decisions, answers, minutes=[minutes]))
    common = ["--by", "Bounmy", "-w", copies["command"]]
    for finding, cells in filled.items():
        given = {**cells, "choice": {text: c for c, text in CHOICES.items()}[cells["decision"]].value}
        del given["decision"]
        words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
        done = call("cases", "decide", numbers[ids[finding]], *words, "--minutes", minutes, *common)
        assert done.code == 0, done.err
    done = call(
        "cases", "position", numbers[ids[DOUBLE]], "--operator", "MAG", "--answer", "field_check",
        "--comment", "see photo", "--evidence", "NTS 12", "--name", "Kham", *common,
    )  # fmt: skip
    assert done.code == 0, done.err
    said = {}
    for name, folder in copies.items():
        with Register.existing(folder) as register:
            said[name] = content(register)
    assert said["xlsx"] == said["gpkg"] == said["command"]
    statuses = {entry[0]: entry[1] for entry in said["xlsx"]}
    assert statuses[ids[TWICE]] == CaseStatus.EXCEPTION
    assert statuses[ids[HAZARD_AFTER]] == CaseStatus.DECIDED


# Nothing without somebody's name, and nothing twice.


def test_a_dry_run_says_what_would_happen_and_writes_nothing(register, tmp_path, ids):
    before = content(register)
    outcomes = read_in(register, decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH}), by=None)
    assert taken(outcomes) == ["decided by TWG: both valid (provisional, signed minutes missing)"]
    assert content(register) == before
    assert not register.ask("SELECT 1 FROM papers")


def test_a_sheet_that_is_read_twice_adds_nothing(register, tmp_path, ids, minutes):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH, HAZARD_AFTER: SURVEY})
    answers = answer_sheet(register, tmp_path, ids, "MAG", {TWICE: {"answer": "agree", "name": "Kham"}})
    read_in(register, sheet, answers, minutes=[minutes])
    before = content(register)
    again = read_in(register, sheet, answers, minutes=[minutes], at=AT + dt.timedelta(days=9))
    assert not taken(again)
    assert not refused(again)
    assert content(register) == before


def test_the_signed_minutes_may_come_later_with_the_same_sheet(register, tmp_path, ids, minutes):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: SURVEY})
    read_in(register, sheet)
    assert not case_about(register, DOUBLE).decision.confirmed
    outcomes = read_in(register, sheet, minutes=[minutes], at=AT + dt.timedelta(days=9))
    assert taken(outcomes) == ["confirmed by TWG 3/2026 of 2026-02-27, item 4: field survey"]
    assert case_about(register, DOUBLE).decision.confirmed


def test_good_rows_are_taken_though_others_are_not(register, tmp_path, ids):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH, TWICE: {"decision": "both valid"}})
    outcomes = read_in(register, sheet)
    assert len(taken(outcomes)) == 1
    assert refused(outcomes) == ["not filled in: Level."]
    assert case_about(register, DOUBLE).decision.choice == Choice.BOTH_VALID
    assert case_about(register, TWICE).decision is None


# Conflicts.


def test_a_sheet_is_stale_when_somebody_else_has_acted(register, tmp_path, ids):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH})
    desk = Desk(register, "Somphone", AT + dt.timedelta(hours=1))
    desk.decide(case_about(register, DOUBLE), Choice.FIELD_SURVEY, "TWG", POLICY)
    before = content(register)
    (why,) = refused(read_in(register, sheet))
    assert "decided (field survey, TWG) by Somphone on 2026-03-02" in why
    assert content(register) == before


def test_a_sheet_is_stale_when_the_ground_has_moved(register, tmp_path, ids):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH})
    moved = [*HAZARDS[:1], *RELEASES, *ALARM]
    run(register, AT + dt.timedelta(hours=5), replace(HAZARDS[1], ground=square(40)), *moved)
    (why,) = refused(read_in(register, sheet))
    assert "moved by geopipe" in why


def test_passing_a_case_on_makes_no_sheet_stale(register, tmp_path, ids):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH})
    desk = Desk(register, "Somphone", AT + dt.timedelta(hours=1))
    desk.send(case_about(register, DOUBLE), "MAG")
    desk.put_on_agenda(case_about(register, DOUBLE), "TWG 3/2026")
    assert len(taken(read_in(register, sheet))) == 1


def test_two_rows_that_differ_are_both_refused(register, tmp_path, ids):
    path = export(register, tmp_path / "cases.xlsx")
    one = fill(path, {ids[DOUBLE]: BOTH}, to=tmp_path / "one.xlsx")
    two = fill(path, {ids[DOUBLE]: SURVEY}, to=tmp_path / "two.xlsx")
    why = refused(read_in(register, one, two))
    assert len(why) == 2
    assert "two.xlsx, line 3 says something else about this case" in why[0]
    assert case_about(register, DOUBLE).decision is None


def test_two_rows_that_say_the_same_are_one_decision(register, tmp_path, ids):
    path = export(register, tmp_path / "cases.xlsx")
    one = fill(path, {ids[DOUBLE]: BOTH}, to=tmp_path / "one.xlsx")
    two = fill(path, {ids[DOUBLE]: BOTH}, to=tmp_path / "two.xlsx")
    assert len(taken(read_in(register, one, two))) == 1


def test_a_forged_row_does_not_stop_the_true_one(register, tmp_path, ids):
    path = export(register, tmp_path / "cases.xlsx")
    true = fill(path, {ids[DOUBLE]: BOTH}, to=tmp_path / "true.xlsx")
    forged = fill(path, {ids[DOUBLE]: {**SURVEY, "area_m2": 1.0}}, to=tmp_path / "forged.xlsx")
    outcomes = read_in(register, forged, true)
    assert len(refused(outcomes)) == 1
    assert case_about(register, DOUBLE).decision.choice == Choice.BOTH_VALID


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"area_m2": 1.0}, "fixed columns were changed .Overlap m2."),
        ({"a_record": "other"}, "fixed columns were changed .Record A."),
        ({"seal": "0" * 32}, "fixed columns were changed"),
        ({"revision": 9999}, "fixed columns were changed"),
        ({"case_id": "c0000000000000000"}, "the register has no such case"),
        ({"decision": "both vald"}, "is no decision; did you mean 'both valid'"),
        ({"level": "village"}, "the policy knows no level 'village'"),
        ({"due": "01/02/2026"}, "By when: '01/02/2026' is no day; write it like 2026-03-31"),
        ({"decision": "operator A corrects boundary"}, "no longer be shown as hazard|more would be shown"),
        ({"decision": "split on an agreed line"}, "no place for the line"),
        ({"shrinks_hazard": "perhaps"}, "write 'yes' or nothing"),
        ({"meeting": None}, "not of which meeting"),
        ({"note": "x" * 32_001}, "a cell can hold"),
    ],
)
def test_a_row_that_is_not_as_it_should_be_changes_nothing(register, tmp_path, ids, cells, why):
    case = case_about(register, HAZARD_AFTER)
    if cells.get("decision") == CHOICES[Choice.A_CORRECTS]:
        hazard_side = "A" if case.sighting.a.kind == "CHA" else "B"
        cells = {"decision": f"operator {hazard_side} corrects boundary"}
    ending = "gpkg" if "note" in cells else "xlsx"
    sheet = decision_sheet(register, tmp_path, ids, {HAZARD_AFTER: {**BOTH, **cells}}, ending)
    before = content(register)
    outcomes = read_in(register, sheet)
    (said,) = refused(outcomes)
    assert re.search(why, said), said
    assert content(register) == before
    assert not register.ask("SELECT 1 FROM papers")


def test_a_level_that_may_not_decide_an_alarm_is_told_who_may(register, tmp_path, ids):
    sheet = decision_sheet(register, tmp_path, ids, {HAZARD_AFTER: {**BOTH, "level": "province"}})
    (why,) = refused(read_in(register, sheet))
    assert "province may not decide" in why
    assert "TWG or NRA" in why


def test_an_unsafe_decision_is_taken_when_it_was_meant_and_has_a_reference(register, tmp_path, ids):
    case = case_about(register, HAZARD_AFTER)
    side = "A" if case.sighting.a.kind == "CHA" else "B"
    cells = {"decision": f"withdraw record {side}", **MEETING, "shrinks_hazard": "yes"}
    assert len(taken(read_in(register, decision_sheet(register, tmp_path, ids, {HAZARD_AFTER: cells})))) == 1
    assert case_about(register, HAZARD_AFTER).decision.shrinks_hazard


def test_a_sheet_of_another_register_is_refused(register, tmp_path, ids):
    with Register.existing(register_of(tmp_path / "other", *HAZARDS, *RELEASES, *ALARM)) as other:
        sheet = decision_sheet(other, tmp_path, ids, {DOUBLE: BOTH})
    (why,) = refused(read_in(register, sheet))
    assert "not from this register" in why


# An operator answers; it decides nothing.


def test_an_operator_s_sheet_becomes_its_position(register, tmp_path, ids):
    cells = {"answer": "Disagree", "name": "Kham", "comment": "our survey is newer", "said_on": "2026-03-01"}
    read_in(register, answer_sheet(register, tmp_path, ids, "UXO Lao", {DOUBLE: cells}))
    (said,) = case_about(register, DOUBLE).positions
    assert (said.operator, said.answer, said.name) == ("UXO Lao", Answer.DISAGREE, "Kham")
    assert said.said_on == dt.date(2026, 3, 1)


def test_decision_columns_in_an_operator_s_sheet_are_ignored_and_told(register, tmp_path, ids):
    cells = {"answer": "agree", "name": "Kham", "decision": "both valid", "level": "NRA", "meeting": "ours"}
    outcomes = read_in(register, answer_sheet(register, tmp_path, ids, "MAG", {DOUBLE: cells}))
    (told,) = [note for outcome in outcomes for note in outcome.notes]
    assert told == "ignored, an operator's sheet decides nothing: Decision, Level, Meeting"
    case = case_about(register, DOUBLE)
    assert case.decision is None
    assert len(case.positions) == 1


@pytest.mark.parametrize("edition", ["decisions", "answers of UXO Lao", "answers of HALO", ""])
def test_an_operator_cannot_make_its_sheet_another_one(register, tmp_path, ids, edition):
    cells = {**BOTH, "answer": "agree", "name": "Kham", "edition": edition}
    sheet = answer_sheet(register, tmp_path, ids, "MAG", {DOUBLE: cells})
    before = content(register)
    outcomes = read_in(register, sheet)
    assert len(refused(outcomes)) == 1
    assert content(register) == before


def test_the_answer_of_one_operator_makes_no_other_sheet_stale(register, tmp_path, ids):
    answer = {DOUBLE: {"answer": "agree", "name": "Kham"}}
    sheets = [answer_sheet(register, tmp_path, ids, name, answer) for name in ("MAG", "UXO Lao")]
    for hour, sheet in enumerate(sheets):
        assert len(taken(read_in(register, sheet, at=AT + dt.timedelta(days=1, hours=hour)))) == 1
    assert len(case_about(register, DOUBLE).positions) == 2


def test_a_second_answer_of_one_operator_from_an_old_sheet_is_a_conflict(register, tmp_path, ids):
    path = export(register, tmp_path / "MAG.xlsx", "MAG")
    one = fill(path, {ids[DOUBLE]: {"answer": "agree", "name": "Kham"}}, to=tmp_path / "one.xlsx")
    two = fill(path, {ids[DOUBLE]: {"answer": "disagree", "name": "Noy"}}, to=tmp_path / "two.xlsx")
    read_in(register, one)
    (why,) = refused(read_in(register, two, at=AT + dt.timedelta(days=2)))
    assert "position (MAG, agree) by Bounmy" in why


def test_an_answer_after_the_decision_is_too_late(register, tmp_path, ids):
    answers = answer_sheet(register, tmp_path, ids, "MAG", {DOUBLE: {"answer": "agree", "name": "Kham"}})
    read_in(register, decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH}))
    (why,) = refused(read_in(register, answers, at=AT + dt.timedelta(days=2)))
    assert "decided (both valid, TWG)" in why


# What people and programs write into cells.


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("a\x07b\x1bc", "a b c"),
        ("\u202egnp.exe", "gnp.exe"),
        ("مرحبا", "مرحبا"),
        ("ຂ" * 10_000, "ຂ" * 10_000),
        ("one\r\ntwo", "one\ntwo"),
    ],
)
def test_whatever_stands_in_a_note_is_text(register, tmp_path, ids, written, kept):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: {**BOTH, "note": written}}, "gpkg")
    assert len(taken(read_in(register, sheet))) == 1
    assert case_about(register, DOUBLE).decision.note == kept


def test_a_formula_counts_with_what_it_shows_and_runs_nowhere(register, tmp_path, ids):
    path = export(register, tmp_path / "cases.xlsx")
    sheet = fill(path, {ids[DOUBLE]: {**BOTH, "note": "=1+1"}}, formulas=True)
    read_in(register, sheet)
    assert case_about(register, DOUBLE).decision.note == "0"  # the value that the file carries


def test_a_number_in_a_text_column_is_read_as_it_was_typed(register, tmp_path, ids):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: {**BOTH, "item": 4.0, "note": 2.5}})
    read_in(register, sheet)
    decision = case_about(register, DOUBLE).decision
    assert (decision.reference.item, decision.note) == ("4", "2.5")


@pytest.mark.parametrize("content_", [b"", b"hello", b"PK\x03\x04broken", b"SQLite format 3\x00" + b"x" * 99])
def test_what_is_no_sheet_is_refused(tmp_path, content_):
    path = tmp_path / "cases.xlsx"
    path.write_bytes(content_)
    with pytest.raises(SourceError):
        read_lines(path)


def test_a_workbook_without_its_control_columns_is_refused(register, tmp_path, ids):
    path = export(register, tmp_path / "cases.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b">seal<", b">gone<"))
    with pytest.raises(SourceError, match="no column seal"):
        read_lines(tmp_path / "cut.xlsx")


def test_a_layer_that_is_a_view_is_not_read(register, tmp_path):
    path = tmp_path / "a.gpkg"
    with sqlite3.connect(path) as made:
        made.execute("CREATE VIEW cases AS SELECT 1 AS case_id")
    made.close()
    with pytest.raises(SourceError, match="no layer 'cases'"):
        read_lines(path)


# Minutes.


def test_one_file_of_minutes_cannot_be_of_two_meetings(register, tmp_path, ids, minutes):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH, TWICE: {**BOTH, "meeting": "TWG 4/2026"}})
    before = content(register)
    with pytest.raises(ConfigError, match="MEETING=FILE"):
        read_in(register, sheet, minutes=[minutes])
    assert content(register) == before
    read_in(register, sheet, minutes=[f"TWG 3/2026={minutes}"])
    assert case_about(register, DOUBLE).decision.confirmed
    assert not case_about(register, TWICE).decision.confirmed


def test_all_rows_are_written_or_none(register, tmp_path, ids, monkeypatch):
    sheet = decision_sheet(register, tmp_path, ids, {DOUBLE: BOTH, TWICE: BOTH})
    before, decide, calls = content(register), Desk.decide, []

    def breaks(self, *given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise GeopipeError("the power went away")
        return decide(self, *given, **more)

    monkeypatch.setattr(Desk, "decide", breaks)
    with pytest.raises(GeopipeError, match="power"):
        read_in(register, sheet)
    assert len(calls) == 2
    assert content(register) == before
