"""`geopipe policy`: what is in force, in words; and the table before anybody signs."""

import csv
import json

import pytest
from conftest import call, read_layer

from geopipe.settings import shipped


@pytest.fixture
def signed(tmp_path):
    """Return the draft as somebody has signed it."""
    text = shipped("policies/twg-5m2-draft.yaml").read_text(encoding="utf-8")
    for key, value in (
        ("effective_from", "2026-01-01"),
        ("reference", "TWG 12, item 3"),
        ("signed_by", "NRA"),
    ):
        text = text.replace(f"{key}: null", f"{key}: {value}")
    path = tmp_path / "signed.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_policy_is_shown_in_words():
    ran = call("policy", "show")
    assert ran.code == 0
    assert "No tolerance is in force: the policy holds none." in ran.out
    assert "hazard_on_released_land" in ran.out
    assert max(len(line) for line in ran.out.splitlines()) < 100


def test_the_draft_says_why_it_is_not_in_force():
    ran = call("policy", "check", "twg-5m2-draft")
    assert ran.code == 0
    assert "this policy can be used" in ran.out
    assert (
        "No tolerance is in force: no reference is given (minutes or letter); nobody has signed it" in ran.out
    )


def test_a_signed_policy_is_in_force_with_its_reference(signed):
    assert (
        "is in force since 2026-01-01: TWG 12, item 3, signed by NRA." in call("policy", "check", signed).out
    )
    told = json.loads(call("policy", "check", signed, "--json").out)
    assert (told["valid"], told["in_force"], told["why_not_in_force"]) == (True, True, [])


def test_a_tolerance_of_the_future_waits_for_its_day(signed):
    signed.write_text(
        signed.read_text(encoding="utf-8").replace("2026-01-01", "2999-01-01"), encoding="utf-8"
    )
    told = json.loads(call("policy", "show", signed, "--json").out)
    assert told["why_not_in_force"] == ["it counts only from 2999-01-01"]
    assert told["policy"]["tolerances"][0]["area_m2"] == 5.0


def test_a_faulty_policy_ends_with_exit_code_2_and_its_line(signed):
    signed.write_text(
        signed.read_text(encoding="utf-8").replace("basis: pair", "basis: gap", 1), encoding="utf-8"
    )
    ran = call("policy", "check", signed)
    assert ran.code == 2
    assert "signed.yaml, line" in ran.err


def test_an_unknown_name_is_answered_with_the_ready_ones():
    ran = call("policy", "show", "twg")
    assert ran.code == 2
    assert "known are default, twg-5m2-draft" in ran.err


def test_the_table_counts_the_overlaps_of_a_result(small_result, tmp_path):
    rows = read_layer(small_result / "geopipe.gpkg", "overlaps")
    cases = [row for row in rows if row["severity"] != "note"]
    path = tmp_path / "table.csv"
    told = json.loads(call("policy", "sensitivity", small_result, "--json", "--csv", path).out)
    assert told["cases"] == len(cases) > 0
    assert told["area_m2"] == pytest.approx(sum(row["area_m2"] for row in cases), rel=1e-12)
    assert told["policy"]["in_force"] is False

    def found(below_m2):
        wanted = {"kinds": "all", "operators": "all", "basis": "pair", "below_m2": below_m2, "below_m": None}
        return next(row for row in told["rows"] if wanted.items() <= row.items())

    for below_m2 in (5.0, 50.0, 100.0):
        assert found(below_m2)["count"] == sum(row["area_m2"] < below_m2 for row in cases)
    assert found(50.0)["count"] > 0
    assert found(None)["never_because"]["alarm"] == sum(row["severity"] == "alarm" for row in cases)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [int(row["count"]) for row in csv.DictReader(file)] == [row["count"] for row in told["rows"]]


def test_the_text_of_the_table_fits_a_screen_and_ends_with_what_is_in_force(small_result):
    ran = call("policy", "sensitivity", small_result)
    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) < 100
    assert ran.out.rstrip().endswith("No tolerance is in force: the policy holds none.")
    assert "records" in ran.out.splitlines()[1]


def test_what_a_run_was_told_of_tolerance_stands_in_its_summary(two_files, signed, tmp_path):
    ran = call("compare", *two_files, "--policy", signed, "-o", tmp_path / "out")
    assert "(a tolerance is in force: TWG 12, item 3)" in ran.out
    policy = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["policy"]
    assert policy["why_no_tolerance"] == []
    assert policy["hash"] == json.loads(call("policy", "check", signed, "--json").out)["hash"]


def test_a_result_without_points_says_that_finds_are_not_known(two_files, tmp_path):
    call("compare", *two_files, "--layers", "overlaps", "-o", tmp_path / "out")
    assert "finds inside are not known" in call("policy", "sensitivity", tmp_path / "out").out


def test_a_folder_without_a_result_is_told(tmp_path):
    ran = call("policy", "sensitivity", tmp_path)
    assert ran.code == 2
    assert "geopipe compare" in ran.err
