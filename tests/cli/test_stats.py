"""The command `stats`: the table, its edges, and quarters that are published once."""

import csv
import json

import pytest
import shapely
from conftest import call, read_layer
from statistics_fixtures import FakeRegister

from geopipe.cli.main import COMMANDS


def stats(*arguments):
    ran = call("stats", *arguments, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.fixture
def register(monkeypatch):
    """Return a register that every workspace has."""
    kept = FakeRegister()
    monkeypatch.setattr("geopipe.register.register.Register.existing", lambda _workspace: kept)
    return kept


def test_the_demo_has_the_hectares_of_an_independent_dissolve(small_result):
    areas = read_layer(small_result / "geopipe.gpkg", "areas")
    totals = stats(small_result)["totals"]
    assert {"CHA", "CLEARED"} <= {row["ground"] for row in totals}
    for row in totals:
        kinds = {"hazard": ("SHA", "CHA"), "released": ("CLEARED", "REDUCED", "CANCELLED")}
        wanted = kinds.get(row["ground"], (row["ground"],))
        shapes = [area["geometry"] for area in areas if area["kind"] in wanted]
        reported_m2, covered_m2 = sum(s.area for s in shapes), shapely.union_all(shapes).area
        assert row["records"] == len(shapes)
        assert row["covered_m2"] == pytest.approx(covered_m2, rel=1e-9)
        assert row["undecided_m2"] + row["agreed_m2"] == pytest.approx(
            reported_m2 - covered_m2, abs=1e-9 * reported_m2
        )


def test_figures_are_those_of_the_first_screen(small_result):
    summary = json.loads((small_result / "summary.json").read_text(encoding="utf-8"))["areas"]
    for row in stats(small_result)["totals"]:
        assert row["reported_m2"] == pytest.approx(summary[row["ground"]]["reported_m2"])
        assert row["covered_m2"] == pytest.approx(summary[row["ground"]]["covered_m2"])


def test_a_person_sees_what_is_missing_first_and_what_is_provisional(small_result):
    ran = call("stats", small_result)
    assert ran.code == 0
    assert ran.first_line.startswith("NOT ALL DATA COMPARED")
    assert "* provisional" in ran.out
    assert "all released together" in ran.out
    assert ran.lines[-1].startswith("ROUNDING")
    assert "Never counted in hectares" in ran.out


def test_options_may_stand_before_and_behind_the_result(small_result):
    one = call("stats", small_result, "--by", "operator,year")
    other = call("stats", "--by", "operator,year", small_result)
    assert one == other
    assert "shared between operators" in one.out


def test_kinds_are_always_apart_asked_for_or_not(small_result):
    assert stats(small_result, "--by", "kind") == stats(small_result)
    assert {row["ground"] for row in stats(small_result, "--by", "province")["rows"]}.isdisjoint(
        {"hazard", "released"}
    )


def test_the_csv_holds_rows_and_totals_in_hectares(small_result, tmp_path):
    path = tmp_path / "hectares.csv"
    told = stats(small_result, "--by", "province", "--csv", path)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == len(told["rows"]) + len(told["totals"])
    assert rows[0]["province"] == told["rows"][0]["province"]
    assert float(rows[0]["reported_ha"]) == pytest.approx(told["rows"][0]["reported_m2"] / 1e4, abs=1e-6)
    assert [row["province"] for row in rows[len(told["rows"]) :]] == ["total"] * len(told["totals"])


def test_targets_stand_beside_what_was_computed(small_result):
    ran = call("stats", small_result, "--targets", "default")
    assert ran.code == 0
    assert "SPF III" in ran.out
    assert "54.00 %" in ran.out
    assert "58.15 %" in ran.out
    assert "(unverified)" in ran.out
    assert "SPF III" not in call("stats", small_result).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "no finished result"),
        (("--by", "colour"), "no column 'colour'"),
        (("--by", "year,year"), "once"),
        (("--targets", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_is_impossible_is_refused_in_one_sentence(small_result, arguments, said):
    where = () if arguments == ("nowhere",) else (small_result,)
    ran = call("stats", *where, *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_a_result_without_overlaps_has_no_hectares_and_says_what_to_do(two_files, tmp_path):
    assert call("compare", *two_files, "-o", tmp_path, "--layers", "areas", "--quiet").code == 0
    ran = call("stats", tmp_path)
    assert ran.code == 2
    assert "--layers overlaps" in ran.err


def quarter_of(result):
    """A quarter of the demo in which land was cleared."""
    rows = stats(result, "--by", "quarter")["rows"]
    return next(r["quarter"] for r in rows if r["ground"] == "CLEARED" and r["quarter"] != "unknown")


def test_a_quarter_is_published_and_then_shown_as_it_was(small_result, register):
    quarter = quarter_of(small_result)
    said = ("--by", "Bounmy", "--reference", "letter 12")
    ran = call("stats", "freeze", quarter, small_result, *said)
    assert ran.code == 0, ran.err
    assert "will not change" in ran.out
    assert register.kept[quarter]["by"] == "Bounmy"
    json.dumps(register.kept[quarter]["rows"])
    ran = call("stats", "restated", quarter, small_result)
    assert ran.code == 0
    assert f"{quarter}: 0 of " in ran.out
    register.kept[quarter]["rows"] = register.kept[quarter]["rows"][1:]
    ran = call("stats", "restated", quarter, small_result)
    assert f"{quarter}: 1 of " in ran.out
    assert "added" in ran.out


def test_a_quarter_is_published_once(small_result, register):
    quarter = quarter_of(small_result)
    said = ("--by", "Bounmy", "--reference", "letter 12")
    assert call("stats", "freeze", quarter, small_result, *said).code == 0
    ran = call("stats", "freeze", quarter, small_result, *said)
    assert ran.code == 6
    assert "published already" in ran.err


def test_a_quarter_that_was_not_published_is_not_shown_as_restated(small_result, register):
    ran = call("stats", "restated", "2020-Q1", small_result)
    assert ran.code == 2
    assert "was not published" in ran.err


def test_decisions_of_a_register_are_asked_for_only_where_one_is_named(small_result, register):
    asked = []
    register.cases = lambda: asked.append(1) or []
    stats(small_result)
    assert asked == []
    stats(small_result, "--register", "work")
    assert asked == [1]


@pytest.mark.parametrize("name", ["freeze", "restated"])
def test_each_command_below_stats_explains_itself_with_an_example(name):
    ran = call("stats", name, "--help")
    assert ran.code == 0
    assert f"geopipe stats {name} [OPTIONS] QUARTER [RESULT]" in ran.first_line
    assert f"geopipe stats {name}" in ran.out.partition("Example")[2]
    assert "stats" in COMMANDS
