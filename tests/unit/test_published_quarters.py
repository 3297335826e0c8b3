"""A published quarter never changes; what changes later is shown beside it, with the reason."""

import datetime as dt

import pytest
from make import POLICY, hazard, released, square
from statistics_fixtures import NOW, Counted, FakeRegister, decided

from geopipe.errors import ConfigError, RegisterError
from geopipe.statistics.labels import SHARED
from geopipe.statistics.quarters import freeze, quarter_name, quarter_rows, restate
from geopipe.terms import Choice

IN_Q1, IN_Q2 = dt.date(2024, 2, 1), dt.date(2024, 5, 1)
LATER = released(square(50), "B", "2", when=IN_Q2, province="North")
FIRST = released(square(), "A", "1", when=IN_Q1, province="North")


def q1(*records, **more):
    counted = Counted(*records, **more)
    return quarter_rows(counted.areas, counted.grounds, "2024-Q1", POLICY.full_depth_cm)


def only(rows, **labels):
    found = [row for row in rows if all(row[name] == value for name, value in labels.items())]
    assert len(found) == 1
    return found[0]


def test_a_quarter_holds_the_ground_that_was_completed_in_it():
    row = only(q1(FIRST, LATER), operator="A")
    assert (row["ground"], row["quarter"], row["province"]) == ("CLEARED", "2024-Q1", "North")
    assert row["reported_m2"] == 10_000
    assert list(row["record_versions"]) == ["A:land_release:1"]


def test_nothing_has_changed_where_nothing_has_changed():
    rows = restate(q1(FIRST), q1(FIRST))
    assert [(row["is_restated"], row["why"]) for row in rows] == [(False, "unchanged")]


def test_a_record_that_came_later_is_restated_as_added():
    late = released(square(500), "A", "9", when=IN_Q1, province="North")
    row = only(restate(q1(FIRST), q1(FIRST, late)), operator="A")
    assert row["published"]["reconciled_m2"] == 10_000
    assert row["now"]["reconciled_m2"] == 20_000
    assert row["restated"]["reconciled_m2"] == 10_000
    assert (row["added"], row["removed"], row["why"]) == (["A:land_release:9"], [], "1 record added")


def test_a_row_that_vanished_is_restated_to_nothing():
    row = only(restate(q1(FIRST), []), operator="A")
    assert row["restated"]["reconciled_m2"] == -10_000
    assert row["why"] == "1 record removed"


def test_a_boundary_that_moved_is_restated_as_changed():
    moved = released(square(side=90), "A", "1", when=IN_Q1, province="North")
    row = only(restate(q1(FIRST), q1(moved)), operator="A")
    assert row["restated"]["reconciled_m2"] == pytest.approx(-1_900)
    assert row["why"] == "1 record changed"


def test_a_decision_is_restated_though_the_records_are_the_same():
    pair = (FIRST, released(square(50), "A", "2", when=IN_Q1, province="North"))
    row = only(restate(q1(*pair), q1(*pair, treatments=decided("1", "2", Choice.BOTH_VALID))), operator="A")
    assert row["restated"]["agreed_m2"] == pytest.approx(5_000)
    assert row["restated"]["reconciled_m2"] == pytest.approx(0)
    assert row["why"] == "same records; decisions or overlaps changed"


def test_ground_that_an_earlier_release_turns_up_for_leaves_the_quarter():
    earlier = released(square(50), "B", "2", when=dt.date(2023, 12, 1), province="North")
    rows = restate(q1(FIRST), q1(FIRST, earlier))
    row = only(rows, operator="A")
    assert row["restated"]["reconciled_m2"] == pytest.approx(-5_000)
    assert row["why"] == "same records; their ground is now credited to another row"


def test_who_shares_ground_stands_in_the_shared_row():
    row = only(q1(FIRST, LATER), operator=SHARED)
    assert sorted(row["record_versions"]) == ["A:land_release:1", "B:land_release:2"]


def test_a_quarter_is_published_once_with_name_and_reference():
    kept, rows = FakeRegister(), q1(FIRST)
    freeze(kept, "2024-Q1", rows, "Bounmy", "letter 12", NOW)
    assert kept.published_quarter("2024-Q1") == rows
    assert (kept.kept["2024-Q1"]["by"], kept.kept["2024-Q1"]["reference"]) == ("Bounmy", "letter 12")
    with pytest.raises(RegisterError, match="published already"):
        freeze(kept, "2024-Q1", q1(FIRST, LATER), "Bounmy", "letter 13", NOW)
    assert kept.published_quarter("2024-Q1") == rows


@pytest.mark.parametrize(
    ("rows", "by", "reference", "at", "message"),
    [
        ([FIRST], " ", "letter 12", NOW, "name and a reference"),
        ([FIRST], "Bounmy", "", NOW, "name and a reference"),
        ([FIRST], "Bounmy", "letter 12", dt.datetime(2024, 3, 31, tzinfo=dt.UTC), "not over"),
        ([hazard(square(), when=IN_Q2)], "Bounmy", "letter 12", NOW, "no ground"),
    ],
)
def test_a_quarter_is_not_published_without_reason(rows, by, reference, at, message):
    kept = FakeRegister()
    with pytest.raises(ConfigError, match=message):
        freeze(kept, "2024-Q1", q1(*rows), by, reference, at)
    assert kept.kept == {}


def test_only_quarters_are_published():
    assert quarter_name("2026Q1") == "2026-Q1"
    for text in ("2026", "2026-03", "soon"):
        with pytest.raises(ConfigError):
            quarter_name(text)
