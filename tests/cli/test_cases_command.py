"""`geopipe cases`: what a person sees and types."""

import json

import numpy as np
import pytest
import shapely
from casework_fixtures import ALARM, DOUBLE, HAZARD_AFTER, HAZARDS, RELEASES, case_about, register_of
from conftest import call
from make import LAOS

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.register.register import Register
from geopipe.terms import CaseStatus, Choice


@pytest.fixture
def work(tmp_path):
    return register_of(tmp_path / "work", *HAZARDS, *RELEASES, *ALARM)


@pytest.fixture
def cases(work):
    """Return a function: `geopipe cases ...` on this register."""
    return lambda *words: call("cases", *words, "-w", work)


@pytest.fixture
def number(work):
    with Register.existing(work) as register:
        return {finding: case_about(register, finding).name for finding in (DOUBLE, HAZARD_AFTER)}


@pytest.fixture
def minutes(tmp_path):
    path = tmp_path / "minutes.pdf"
    path.write_bytes(b"signed")
    return path


def case(work, finding):
    with Register.existing(work) as register:
        return case_about(register, finding)


def test_the_list_fits_the_screen_and_begins_with_alarms(cases, number):
    listed = cases("list")
    assert listed.code == 0
    assert listed.first_line == "3 cases: 1 alarm, 2 conflict"
    assert listed.lines[2].startswith(number[HAZARD_AFTER])
    assert all(len(line) <= 100 for line in listed.lines)


def test_the_list_as_json_says_everything(cases):
    rows = json.loads(cases("list", "--severity", "conflict", "--json").out)["rows"]
    assert [row["finding"] for row in rows] == [DOUBLE, "hectares_counted_twice"]
    assert rows[0]["area_m2"] == pytest.approx(4000)


def test_a_status_that_does_not_exist_is_told(cases):
    wrong = cases("list", "--status", "sennt")
    assert wrong.code == 2
    assert "is no status" in wrong.err


def test_show_says_what_each_choice_would_do(cases, number):
    shown = cases("show", number[HAZARD_AFTER]).out
    assert "NOT SAFE: SHRINKS HAZARD" in shown
    assert "SAFETY: people may use this ground" in shown
    assert "opened (Hazard surveyed on land after its release)" in shown


def test_show_as_json_has_the_whole_file(cases, number):
    said = json.loads(cases("show", number[DOUBLE], "--json").out)
    assert said["overlap"]["area_m2"] == pytest.approx(4000)
    assert {said["a"]["source_id"], said["b"]["source_id"]} == {"M1", "U1"}
    gained = {item["choice"]: item["a_lost_ha"] for item in said["outcomes"]}
    assert gained[Choice.A_CORRECTS] == pytest.approx(0.4)
    assert said["history"][0]["kind"] == "opened"


def test_an_answer_that_did_not_come_is_shown_with_its_day(cases, number):
    cases("send", number[DOUBLE], "--operator", "MAG", "--due", "2026-01-31", "--by", "B")
    assert "MAG: no answer by 2026-01-31" in cases("show", number[DOUBLE]).out
    cases("position", number[DOUBLE], "--operator", "MAG", "--answer", "agree", "--name", "K", "--by", "B")
    assert "no answer" not in cases("show", number[DOUBLE]).out


def test_explain_says_what_came_first_and_why(cases, number):
    said = cases("explain", number[DOUBLE]).out
    assert "They share a part of their ground" in said
    assert "Proposal: operator" in said
    assert "MAG has not answered." in said


def test_a_decision_is_provisional_until_the_signed_minutes_come(cases, number, work, minutes):
    name = number[DOUBLE]
    done = cases(
        "decide", name, "--choice", "both_valid", "--level", "TWG", "--meeting", "TWG 3", "--by", "B"
    )
    assert "provisional, signed minutes missing" in done.out
    assert case(work, DOUBLE).status == CaseStatus.DECIDED
    assert cases("confirm", name, "--minutes", minutes, "--by", "B").code == 0
    assert case(work, DOUBLE).status == CaseStatus.EXCEPTION
    assert case(work, DOUBLE).decision.reference.meeting == "TWG 3"
    assert cases("confirm", name, "--minutes", minutes, "--by", "B").code == 2


def test_an_unsafe_decision_is_refused_and_leaves_nothing(cases, number, work, minutes):
    side = "a" if case(work, HAZARD_AFTER).sighting.a.kind == "CHA" else "b"
    words = ["decide", number[HAZARD_AFTER], "--choice", f"withdraw_{side}", "--level", "TWG",
             "--meeting", "TWG 3", "--minutes", minutes, "--by", "B"]  # fmt: skip
    refused = cases(*words)
    assert refused.code == 2
    assert "--shrinks-hazard" in refused.err
    with Register.existing(work) as register:
        assert not register.ask("SELECT 1 FROM papers")
    assert cases(*words, "--shrinks-hazard").code == 0


def test_a_split_needs_its_line(cases, number, work, tmp_path):
    words = ["decide", number[DOUBLE], "--choice", "split_on_line", "--level", "TWG", "--by", "B"]
    assert "no line to split on" in cases(*words).err
    west, south, east, north = case(work, DOUBLE).sighting.geometry.bounds
    middle = shapely.LineString([((west + east) / 2, south - 50), ((west + east) / 2, north + 50)])
    (line,) = transform(np.array([middle], dtype=object), choose_operation(LAOS, WGS84)[0])
    path = tmp_path / "line.geojson"
    path.write_text(shapely.to_geojson(line))
    assert cases(*words, "--line", path).code == 0
    assert case(work, DOUBLE).decision.line_wgs84 is not None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"type": "Point", "coordinates": [103, 18]}', "is not a line"),
        ('{"type": "LineString", "coordinates": [[500000, 2000000], [500001, 2000000]]}', "not in degrees"),
        ('{"type": "FeatureCollection", "features": []}', "holds 0 shapes"),
        ("[]", "not a GeoJSON file"),
        ("nothing", "not a GeoJSON file"),
    ],
)
def test_a_file_that_is_no_line_is_refused(cases, number, tmp_path, content, why):
    path = tmp_path / "line.geojson"
    path.write_text(content)
    words = ["decide", number[DOUBLE], "--choice", "split_on_line", "--level", "TWG", "--by", "B"]
    refused = cases(*words, "--line", path)
    assert refused.code == 2
    assert why in refused.err


def test_several_cases_are_sent_assigned_and_deferred_at_once(cases, number, work):
    both = list(number.values())
    assert cases("assign", *both, "--to", "Kham", "--due", "2026-05-01", "--by", "B").code == 0
    assert len(cases("send", number[DOUBLE], "--by", "B").lines) == 2
    assert cases("acknowledge", number[DOUBLE], "--operator", "MAG", "--by", "B").code == 0
    assert cases("defer", *both, "--cause", "no quorum", "--by", "B").code == 0
    assert case(work, DOUBLE).status == CaseStatus.DEFERRED
    assert case(work, HAZARD_AFTER).assigned_to == "Kham"


def test_all_of_several_cases_or_none(cases, number, work):
    assert cases("assign", number[DOUBLE], "XXX-1999-0001", "--to", "Kham", "--by", "B").code == 2
    assert case(work, DOUBLE).assigned_to == ""


def test_an_operator_that_is_not_in_the_case_is_told_who_is(cases, number):
    refused = cases("send", number[DOUBLE], "--operator", "HALO", "--by", "B")
    assert refused.code == 2
    assert "It is about" in refused.err


def test_a_case_is_opened_again_with_a_cause(cases, number, work):
    cases("decide", number[DOUBLE], "--choice", "field_survey", "--level", "TWG", "--by", "B")
    assert cases("reopen", number[DOUBLE], "--cause", "new photos", "--by", "B").code == 0
    assert case(work, DOUBLE).decision is None


def test_the_agenda_is_only_written_when_asked_and_only_once(cases, work):
    words = ["agenda", "--minutes-of-meeting", "60", "--meeting", "TWG 4"]
    assert cases(*words).lines[4] == "SAFETY ALARMS: 1"
    assert case(work, DOUBLE).status == CaseStatus.BACKLOG
    assert "3 cases are on the agenda" in cases(*words, "--put", "--by", "B").err
    assert case(work, DOUBLE).status == CaseStatus.ON_AGENDA
    assert "0 cases are on the agenda" in cases(*words, "--put", "--by", "B").err
    assert cases("agenda", "--minutes-of-meeting", "60", "--put", "--by", "B").code == 2


def test_sheets_go_out_and_come_back(cases, tmp_path, number, work):
    from casework_fixtures import fill, rows_of

    path = tmp_path / "cases.xlsx"
    assert cases("export", "-o", path).out.strip().endswith("3 open cases (decisions)")
    ids = [row["case_id"] for row in rows_of(path)]
    cells = {"decision": "field survey", "level": "TWG"}
    filled = fill(path, {ids[0]: cells, ids[1]: {"decision": "field survey"}})
    dry = cases("import", filled)
    assert dry.code == 4
    assert dry.first_line.startswith("NOT TAKEN")
    assert dry.lines[-1] == "Nothing was written. Add --apply --by NAME to write it."
    assert cases("import", filled, "--apply").code == 2
    assert case(work, HAZARD_AFTER).decision is None
    done = cases("import", filled, "--apply", "--by", "B", "--json")
    assert done.code == 4
    assert [bool(row["will"]) for row in json.loads(done.out)["rows"]] == [True, False, False]
    assert case(work, HAZARD_AFTER).decision.choice == Choice.FIELD_SURVEY


def test_there_must_be_a_register(tmp_path):
    missing = call("cases", "list", "-w", tmp_path)
    assert missing.code == 6
    assert "there is no register" in missing.err


# The minutes come back.


def test_the_minutes_of_a_decision_can_be_had_from_the_register(cases, number, minutes, tmp_path):
    case, back = number[DOUBLE], tmp_path / "back.pdf"
    nothing = cases("minutes", case, "-o", back)
    assert nothing.code == 2
    assert "no signed minutes are kept" in nothing.err
    said = ("--level", "TWG", "--meeting", "TWG 3", "--minutes", minutes, "--by", "Bounmy")
    assert cases("decide", case, "--choice", "field_survey", *said).code == 0
    minutes.unlink()
    assert cases("minutes", case, "-o", back).code == 0
    assert back.read_bytes() == b"signed"
