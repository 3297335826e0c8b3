"""`geopipe diff`: what has changed between two runs, since a day, since a meeting."""

import datetime as dt
import json
import shutil

import pytest
from conftest import call, square, write_geojson

from geopipe.policies import load_policy
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.terms import Choice

OLD = [("M-1", 105.0), ("M-2", 105.1)]
PARTNER = [("H-1", 105.001), ("H-2", 105.101), ("H-3", 105.2)]
NIGHT = dt.timedelta(days=1)


def write(folder, name, records, side=0.002):
    rows = [({"hazard_id": number}, square(west, side=side)) for number, west in records]
    return write_geojson(folder / "in" / f"{name}_CHA.geojson", rows)


def run(folder, day):
    config = folder / "run.yaml"
    text = f"deliveries: [{{path: in, mode: snapshot}}]\nworkspace: work\noutput: out\ntoday: {day}\n"
    config.write_text(text, encoding="utf-8")
    assert call("run", config, "--quiet").code == 0


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory):
    """Three runs: first two cases; then a third and a new delivery; then hazard of MAG has vanished."""
    tmp_path = tmp_path_factory.mktemp("runs")
    write(tmp_path, "MAG", OLD)
    write(tmp_path, "HALO", PARTNER)
    run(tmp_path, "2026-03-01")
    write(tmp_path, "MAG", [*OLD, ("M-3", 105.201)])
    write(tmp_path, "NPA", [("N-1", 105.4)])
    run(tmp_path, "2026-03-02")
    write(tmp_path, "MAG", [*OLD[:1], ("M-3", 105.201)])
    run(tmp_path, "2026-04-01")
    return tmp_path


@pytest.fixture
def work(three_runs, tmp_path):
    """A workspace of its own after three runs."""
    shutil.copytree(three_runs, tmp_path, dirs_exist_ok=True)
    return tmp_path / "work"


def diff(work, *words):
    ran = call("diff", *words, "-w", work, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def desk(register, day):
    return Desk(register, "Bounmy", dt.datetime.fromisoformat(f"{day}T09:00:00+00:00"))


def decide(work, at, meeting="TWG", held_on=None):
    """Decide the first case by signed minutes."""
    minutes = work.parent / "minutes.pdf"
    minutes.write_bytes(b"signed")
    with Register.existing(work) as register, register.transaction():
        (case, *_) = sorted(register.cases(), key=lambda case: case.name)
        by = desk(register, at)
        paper = keep_paper(register, meeting, held_on, "1", minutes, "Bounmy", by.at)
        by.decide(case, Choice.FIELD_SURVEY, "TWG", load_policy(), paper)
        return case.name


def today():
    """Runs are made by the clock of the machine, whatever day they take for today."""
    return dt.datetime.now(dt.UTC).date()


def test_new_cases_deliveries_and_hectares_are_told(work):
    told = diff(work, "1", "2")
    assert (told["cases"]["before"], told["cases"]["now"], len(told["cases"]["opened"])) == (2, 3, 1)
    assert [item["file"] for item in told["deliveries"]["new"]] == ["NPA_CHA.geojson"]
    assert [
        (item["file"], item["operator"], item["records"]) for item in told["deliveries"]["new_content"]
    ] == [("MAG_CHA.geojson", "MAG", 3)]
    reported = told["areas"]["CHA"]["reported_m2"]
    assert reported["now"] / reported["before"] == pytest.approx(7 / 5, rel=1e-3)
    assert told["alarms"] == []


def test_hazard_that_vanished_is_an_alarm_that_is_new(work):
    told = diff(work, "2", "3")
    (alarm,) = (item for item in told["alarms"] if item["code"] == "HAZARD_VANISHED")
    assert (alarm["before"], alarm["now"], alarm["new"], alarm["gone"]) == (0, 1, ["MAG:hazard:M-2"], [])
    assert told["cases"]["changed"] == [
        {
            "from": "backlog",
            "to": "changed_without_decision",
            "cases": [told["cases"]["changed"][0]["cases"][0]],
        }
    ]


def test_a_run_is_known_by_number_folder_day_and_any_order(work):
    with Register.existing(work) as register:
        folders = [row["folder"] for row in register.runs()]
    wanted = diff(work, "1", "3")
    assert diff(work, folders[0], folders[2][:12]) == wanted
    assert diff(work, "2026-03-01", "2026-04-01") == wanted
    assert diff(work, "3", "1") == wanted


def test_what_people_did_after_the_last_run_counts_for_now_only(work):
    name = decide(work, today() + NIGHT)
    assert diff(work, "2", "3")["cases"]["decided"] == []
    (decision,) = diff(work, "2")["cases"]["decided"]
    assert (decision["case"], decision["choice"], decision["confirmed"]) == (name, "field_survey", True)


def test_since_a_meeting_is_since_its_day_began(work):
    name = decide(work, today() + NIGHT, "TWG 12", dt.date(2026, 4, 1))
    told = diff(work, "--since", "twg 12")
    assert told["from"]["run"] == 2
    assert [item["case"] for item in told["cases"]["decided"]] == [name]
    assert diff(work, "--since", "2026-04-01") == told


def test_a_meeting_may_be_known_from_its_agenda(work):
    with Register.existing(work) as register:
        by = desk(register, today() + NIGHT)
        by.put_on_agenda(register.cases()[0], "Provincial 3")
    assert diff(work, "--since", "Provincial 3")["from"]["run"] == 3
    assert "Meetings: Provincial 3" in call("diff", "--since", "TWG", "-w", work).err


def test_a_reopened_case_is_told(work):
    decide(work, today() + NIGHT)
    with Register.existing(work) as register:
        case = next(case for case in register.cases() if case.decision)
        desk(register, today() + 2 * NIGHT).reopen(case, "new survey")
    told = diff(work, "3")
    assert told["cases"]["reopened"] == [case.name]
    assert len(told["cases"]["decided"]) == 1


def test_the_text_is_narrow_and_says_safety_first(work):
    ran = call("diff", "1", "3", "-w", work)
    assert ran.code == 0
    assert [line.split()[0] for line in ran.lines[:3]] == ["FROM", "TO", "SAFETY"]
    assert {"CASES", "DELIVERIES", "HECTARES"} <= {line.split()[0] for line in ran.lines}
    assert all(len(line) < 100 for line in ran.lines)
    same = call("diff", "2", "2", "-w", work)
    assert "HECTARES    as before" in same.lines
    assert "no alarm is new" in same.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["7"], "there is no such run"),
        (["--since", "2025-01-01"], "nothing was registered by then"),
        (["--since", "lunch"], "neither a day nor a meeting"),
        ([], "name one or two runs"),
        (["1", "2", "3"], "name one or two runs"),
        (["1", "--since", "2026-03-02"], "name one or two runs"),
    ],
)
def test_what_cannot_be_answered_is_refused(work, words, said):
    ran = call("diff", *words, "-w", work)
    assert ran.code == 2
    assert said in ran.err


def test_rules_that_changed_are_told(work):
    policy = work.parent / "policy.yaml"
    source = (load_policy().model_dump_json()).replace('"version":1', '"version":2')
    policy.write_text(source, encoding="utf-8")
    config = work.parent / "run.yaml"
    config.write_text(f"{config.read_text(encoding='utf-8')}policy: policy.yaml\n", encoding="utf-8")
    assert call("run", config, "--quiet").code == 0
    assert diff(work, "3", "4")["rules_changed"] is True
    assert diff(work, "2", "3")["rules_changed"] is False
