"""Hectares reconcile: ground is counted once, to the earliest, and what is undecided stays in sight."""

import datetime as dt
from math import fsum
from pathlib import Path

import numpy as np
import pytest
import shapely
from make import EARLY, LATE, area, hazard, released, square
from statistics_fixtures import (
    Counted,
    a_case,
    add_up,
    all_decided,
    closes,
    decided,
    random_polygon,
)

from geopipe.coverage import Faces
from geopipe.errors import ConfigError, GeopipeError
from geopipe.schema import OVERLAPS, empty_frame
from geopipe.statistics.hectares import Hectares
from geopipe.statistics.labels import SHARED
from geopipe.statistics.reading import Counted as Result
from geopipe.statistics.treatments import treatments_of
from geopipe.terms import CaseStatus, Choice

HECTARE = 10_000.0
MIDDLE = dt.date(2022, 5, 5)


def three_ways(**more):
    """Three squares of one hectare: 50 x 50 m of all three, 12,500 m2 of one alone, 5,000 of two."""
    return Counted(
        released(square(), "A", "1", when=EARLY), released(square(50), "B", "2", when=MIDDLE),
        released(square(0, 50), "C", "3", when=LATE), **more,
    )  # fmt: skip


# --- reported, undecided, agreed, reconciled ------------------------------------------------------


def test_a_three_way_overlap_is_taken_off_twice_and_not_three_times():
    total = three_ways().row("CLEARED")
    assert (total.records, total.reported_m2) == (3, 3 * HECTARE)
    # 5,000 m2 of two records once too often, 2,500 m2 of three records twice.
    assert total.undecided_m2 == pytest.approx(5_000 + 2 * 2_500)
    assert total.reconciled_m2 == pytest.approx(20_000)
    assert closes(total)


def test_an_overlap_that_nobody_has_decided_makes_hectares_provisional():
    counted = Counted(hazard(square(), "A", "1"), hazard(square(50), "B", "2"), hazard(square(900), "C", "3"))
    assert counted.row("CHA").is_provisional
    assert counted.row("CHA").agreed_m2 == 0
    assert not counted.row("CHA", operator="C").is_provisional
    assert not Counted(hazard(square(), "A", "1")).row("CHA").is_provisional


def test_a_decided_overlap_is_an_agreed_deduction_and_the_ground_stays_counted_once():
    counted = Counted(
        hazard(square(), "A", "1"), hazard(square(50), "B", "2"), treatments=decided("1", "2", Choice.ACCEPT)
    )
    total = counted.row("CHA")
    assert (total.undecided_m2, total.agreed_m2) == (0, pytest.approx(5_000))
    assert total.reconciled_m2 == pytest.approx(15_000)
    assert not total.is_provisional


def test_ground_of_three_is_agreed_only_when_all_its_pairs_are_decided():
    one = three_ways(treatments=decided("1", "2", Choice.BOTH_VALID)).row("CLEARED")
    # The half hectare of records 1 and 2 is agreed where 3 is not; where all three meet nothing is.
    assert one.agreed_m2 == pytest.approx(2_500)
    assert one.undecided_m2 == pytest.approx(2_500 + 5_000)
    every = three_ways(treatments=all_decided).row("CLEARED")
    assert (every.agreed_m2, every.undecided_m2) == (pytest.approx(10_000), 0)


@pytest.mark.parametrize(
    ("choice", "credited"),
    [
        (Choice.ACCEPT, "A"), (Choice.BOTH_VALID, "A"), (Choice.SPLIT_ON_LINE, "A"),
        (Choice.A_CORRECTS, "B"), (Choice.WITHDRAW_A, "B"), (Choice.MERGE_INTO_B, "B"),
        (Choice.B_CORRECTS, "A"), (Choice.WITHDRAW_B, "A"), (Choice.MERGE_INTO_A, "A"),
    ],
)  # fmt: skip
def test_ground_goes_to_the_record_that_a_decision_leaves_it_to(choice, credited):
    records = (
        released(square(), "A", "1", when=EARLY, province="North"),
        released(square(50), "B", "2", when=LATE, province="South"),
    )
    counted = Counted(*records, treatments=decided("1", "2", choice))
    own, other = ("North", "South") if credited == "A" else ("South", "North")
    assert counted.reconciled("CLEARED", "province") == {own: 10_000, other: 5_000}


@pytest.mark.parametrize(
    ("choice", "more"),
    [
        (Choice.FIELD_SURVEY, {}),
        (Choice.RETURN_TO_OPERATOR, {}),
        (None, {}),
        (Choice.ACCEPT, {"confirmed": False}),
        (Choice.ACCEPT, {"present": False}),
        (Choice.ACCEPT, {"status": CaseStatus.NEEDS_REVIEW}),
        (Choice.B_CORRECTS, {"status": CaseStatus.CORRECTED_DIFFERENTLY}),
    ],
)
def test_only_a_confirmed_decision_about_what_is_in_the_data_settles_hectares(choice, more):
    counted = Counted(
        hazard(square(), "A", "1"), hazard(square(50), "B", "2"), treatments=decided("1", "2", choice, **more)
    )
    assert counted.row("CHA").undecided_m2 == pytest.approx(5_000)


def test_a_decision_about_another_version_settles_nothing():
    before = Counted(hazard(square(), "A", "1"), hazard(square(50), "B", "2"))
    case = a_case(before, "1", "2", Choice.ACCEPT)
    moved = Counted(hazard(square(1), "A", "1"), hazard(square(50), "B", "2"))
    assert treatments_of([case], before.areas)
    assert treatments_of([case], moved.areas) == {}


def test_a_decision_settles_nothing_where_it_could_mean_two_pairs():
    counted = Counted(hazard(square(), "A", "1"), hazard(square(50), "B", "2"), hazard(square(60), "B", "3"))
    case = a_case(counted, "1", "2", Choice.ACCEPT)
    version = counted.areas.table["version_id"].to_pylist()
    twice = counted.areas.with_columns({"version_id": [version[0], version[1], version[1]]})
    assert len(treatments_of([case], counted.areas)) == 1
    assert treatments_of([case], twice) == {}


def test_overlaps_that_the_policy_does_not_count_need_no_decision():
    counted = Counted(
        area(square(), "SHA", "A", "1", when=EARLY), area(square(50), "CHA", "B", "2", when=LATE)
    )
    together = counted.row("hazard")
    assert (together.undecided_m2, together.agreed_m2) == (0, pytest.approx(5_000))


def test_hectares_that_differ_from_what_the_run_has_measured_are_a_fault_and_no_figure():
    counted = Counted(hazard(square(), "A", "1"), hazard(square(50), "B", "2"))
    measured = {"CHA": {"reported_m2": 20_000.0, "counted_twice_m2": 5_000.0}}
    result = Result(Path("out"), counted.areas, counted.state.overlaps, {"areas": measured})
    assert Hectares.of(result, {}, 1.0).rows(())[0].reconciled_m2 == pytest.approx(15_000)
    without = Result(Path("out"), counted.areas, empty_frame(OVERLAPS), {"areas": measured})
    with pytest.raises(GeopipeError, match="CHA differs by -5,000"):
        Hectares.of(without, {}, 1.0)


# --- rows -----------------------------------------------------------------------------------------


def test_each_operator_has_its_own_ground_and_one_row_closes_to_the_total():
    counted = Counted(hazard(square(), "A", "1"), hazard(square(60), "B", "2"), hazard(square(900), "A", "3"))
    a, b, shared = (counted.row("CHA", operator=name) for name in ("A", "B", SHARED))
    assert (a.reported_m2, a.moved_m2, a.reconciled_m2) == pytest.approx((20_000, -4_000, 16_000))
    assert (b.reported_m2, b.moved_m2, b.reconciled_m2) == pytest.approx((10_000, -4_000, 6_000))
    assert (shared.records, shared.reported_m2) == (0, 0)
    assert (shared.moved_m2, shared.undecided_m2, shared.reconciled_m2) == pytest.approx(
        (8_000, 4_000, 4_000)
    )
    assert add_up(counted.rows("operator"), counted.row("CHA"))
    assert counted.row("CHA").moved_m2 == 0


def test_what_one_operator_claims_twice_stays_its_own():
    counted = Counted(released(square(), "A", "1"), released(square(50), "A", "2"))
    row = counted.row("CLEARED", operator="A")
    assert (row.moved_m2, row.undecided_m2, row.reconciled_m2) == (
        0,
        pytest.approx(5_000),
        pytest.approx(15_000),
    )
    assert [r.labels for r in counted.rows("operator")] == [("A",)]


def test_kinds_are_never_mixed_but_in_rows_that_say_so():
    kinds = ("SHA", "CHA", "CLEARED", "REDUCED", "CANCELLED")
    counted = Counted(*(area(square(200 * n), kind, "A", kind) for n, kind in enumerate(kinds)))
    assert {row.ground: row.records for row in counted.rows()} == {
        **dict.fromkeys(kinds, 1), "hazard": 2, "released": 3,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["TASK", "UNKNOWN", "SURVEY_BOX"])
def test_tasks_survey_boxes_and_unknown_kinds_have_no_hectares(kind):
    counted = Counted(area(square(), kind, "A", "1"), hazard(square(50), "B", "2"))
    assert [(row.ground, row.reported_m2) for row in counted.rows()] == [("CHA", HECTARE)]


@pytest.mark.parametrize(
    "by", [["province"], ["operator"], ["year"], ["operator", "year"], ["land_use", "province"]]
)
def test_rows_close_one_by_one_and_add_up_to_their_totals(by):
    random = np.random.default_rng(20)
    kinds = ["SHA", "CHA", "CLEARED", "REDUCED", "CANCELLED", "TASK"]
    records = [
        area(
            random_polygon(random), kinds[random.integers(6)], "ABC"[n % 3], str(n),
            when=[EARLY, MIDDLE, LATE, None][random.integers(4)], province=["North", "South", None][n % 3],
        )
        for n in range(60)
    ]  # fmt: skip
    counted = Counted(*records, land_use=[["field", "school", None][n % 3] for n in range(60)])
    rows, totals = counted.rows(*by), counted.rows()
    assert all(closes(row) for row in [*rows, *totals])
    assert all(add_up(rows, total) for total in totals)
    for total in totals:
        ground = next(item for item in counted.grounds if item.name == total.ground)
        covered = shapely.union_all(counted.areas.geometry[ground.records]).area
        assert ground.double_counted_m2 == pytest.approx(total.reported_m2 - covered, rel=1e-9, abs=1e-5)


def test_an_unknown_column_is_refused_and_none_is_taken_twice():
    counted = Counted(hazard(square()))
    with pytest.raises(ConfigError, match="colour"):
        counted.rows("colour")
    with pytest.raises(ConfigError, match="once"):
        counted.rows("year", "year")


def test_a_district_is_named_with_its_province_because_names_recur():
    counted = Counted(
        hazard(square(), "A", "1", province="North", district="Xay"),
        hazard(square(500), "A", "2", province="South", district="Xay"),
    )
    assert counted.reconciled("CHA", "district") == {"North, Xay": HECTARE, "South, Xay": HECTARE}


def test_borders_that_cannot_be_cut_still_close_and_blame_no_small_record(monkeypatch):
    nothing = Faces(np.empty(0), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))
    monkeypatch.setattr("geopipe.coverage._cut", lambda _polygons, _lines: nothing)
    counted = Counted(
        hazard(square(), "A", "1"),
        hazard(square(50, side=20), "B", "2"),
        hazard(square(60, side=5), "B", "3"),
    )
    assert counted.row("CHA").reconciled_m2 == pytest.approx(10_000)
    assert counted.row("CHA").undecided_m2 == pytest.approx(425)
    assert all(closes(row) for row in counted.rows("operator"))


# --- whose ground ---------------------------------------------------------------------------------


def test_ground_belongs_to_its_earliest_completion_and_the_later_one_is_double_counted():
    counted = Counted(released(square(), "A", "1", when=LATE), released(square(50), "B", "2", when=EARLY))
    assert counted.reconciled("CLEARED", "year") == {"2020": 10_000, "2024": 5_000}
    assert counted.row("CLEARED", year="2024").undecided_m2 == pytest.approx(5_000)
    assert counted.row("CLEARED", year="2020").undecided_m2 == 0


def test_hazard_belongs_to_its_earliest_survey():
    counted = Counted(hazard(square(), "A", "1", when=LATE), hazard(square(50), "B", "2", when=EARLY))
    assert counted.reconciled("CHA", "year") == {"2020": 10_000, "2024": 5_000}


def test_a_record_without_a_date_comes_after_all_that_have_one():
    counted = Counted(released(square(), "A", "1"), released(square(50), "B", "2", when=LATE))
    assert counted.reconciled("CLEARED", "year") == {"2024": 10_000, "unknown": 5_000}
    neither = Counted(released(square(), "A", "1"), released(square(50), "B", "2"))
    assert neither.reconciled("CLEARED", "year") == {"unknown": 15_000}


def test_the_date_of_information_stands_in_for_no_other_date():
    counted = Counted(released(square(), "A", "1", informed=EARLY))
    assert counted.reconciled("CLEARED", "year") == {"unknown": HECTARE}


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        ((2024, 1, 1), "2024-Q1"),
        ((2024, 3, 31), "2024-Q1"),
        ((2024, 4, 1), "2024-Q2"),
        ((2024, 12, 31), "2024-Q4"),
    ],
)
def test_a_quarter_begins_with_its_first_day(day, quarter):
    counted = Counted(released(square(), "A", "1", when=dt.date(*day)))
    assert counted.reconciled("CLEARED", "quarter") == {quarter: HECTARE}


# --- how cleared land was cleared -----------------------------------------------------------------


def test_the_depths_of_cleared_land_stay_apart_and_add_up():
    counted = Counted(
        released(square(), "A", "1", depth=25.0), released(square(200), "A", "2", depth=0.0),
        released(square(400), "A", "3"), released(square(600), "A", "4", depth=-5.0),
    )  # fmt: skip
    cleared = counted.row("CLEARED").clearance
    depths = [cleared[f"{name}_m2"] for name in ("full_depth", "surface_only", "depth_unknown")]
    assert depths == [HECTARE, HECTARE, 2 * HECTARE]
    assert fsum(depths) == counted.row("CLEARED").covered_m2


def test_ground_has_the_best_depth_that_a_record_states_and_silence_is_not_surface():
    both = Counted(released(square(), "A", "1", depth=0.0), released(square(50), "B", "2", depth=25.0))
    assert both.row("CLEARED").clearance["surface_only_m2"] == pytest.approx(5_000)
    assert both.row("CLEARED").clearance["full_depth_m2"] == pytest.approx(10_000)
    sure = Counted(released(square(), "A", "1", depth=25.0), released(square(), "B", "2")).row("CLEARED")
    assert (sure.clearance["full_depth_m2"], sure.clearance["depth_unknown_m2"]) == (HECTARE, 0)
    silent = Counted(released(square(), "A", "1", depth=0.0), released(square(50), "B", "2"))
    assert silent.row("CLEARED").clearance["depth_unknown_m2"] == pytest.approx(10_000)


def test_land_cleared_again_is_seen_by_the_same_operator_and_by_another():
    counted = Counted(
        released(square(), "A", "1"), released(square(60), "A", "2"),
        released(square(500), "A", "3"), released(square(550), "B", "4"),
    )  # fmt: skip
    cleared = counted.row("CLEARED").clearance
    assert cleared["cleared_again_same_operator_m2"] == pytest.approx(4_000)
    assert cleared["cleared_again_other_operator_m2"] == pytest.approx(5_000)


def test_land_is_in_progress_until_a_record_says_that_it_is_finished():
    counted = Counted(
        released(square(), "A", "1", status="worked_on"), released(square(60), "A", "2", status="closed"),
        released(square(500), "A", "3"),
    )  # fmt: skip
    assert counted.row("CLEARED").clearance["in_progress_m2"] == pytest.approx(6_000)


def test_reduced_and_cancelled_land_has_no_depth():
    counted = Counted(area(square(), "REDUCED", "A", "1"), area(square(500), "CANCELLED", "A", "2"))
    assert all(row.clearance == {} for row in counted.rows())
