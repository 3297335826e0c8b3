"""Every pair that shares ground is found once, measured, related and grouped."""

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pytest
import shapely
from make import (
    EARLY,
    LATE,
    POLICY,
    area,
    box,
    hazard,
    judged,
    make_features,
    only_pair,
    pairs,
    polygon,
    released,
    square,
)

from geopipe.schema import OVERLAPS, check
from geopipe.stages.overlaps import overlaps


def test_an_overlap_is_measured():
    pair = only_pair(hazard(square(), "MAG", "1"), hazard(box(60, 0, 160, 200), "HALO", "2"))
    assert pair["area_m2"] == 4000
    assert (pair["left_id"], pair["right_id"]) == ("HALO:hazard:2", "MAG:hazard:1")
    assert (pair["left_share"], pair["right_share"]) == (0.2, 0.4)
    assert pair["mean_width_m"] == pytest.approx(2 * 4000 / 280)
    assert pair["parts"] == 1
    assert pair["confidence"] == "exact"
    assert pair["same_operator"] is False


def test_the_shared_ground_itself_is_given():
    state = judged(hazard(square(), "MAG", "1"), hazard(box(60, 0, 160, 200), "HALO", "2"))
    assert state.overlaps.geometry[0].equals(box(60, 0, 100, 100))
    check(state.overlaps, OVERLAPS, "overlaps")


@pytest.mark.parametrize("other", [square(100), square(100, 100), square(300), square(100, 50)])
def test_neighbours_that_touch_do_not_overlap(other):
    assert pairs(judged(hazard(square(), "MAG", "1"), hazard(other, "HALO", "2"))) == []


def test_an_overlap_of_a_tenth_of_a_square_metre_is_found():
    pair = only_pair(hazard(square(), "MAG", "1"), hazard(square(99.999), "HALO", "2"))
    assert pair["area_m2"] == pytest.approx(0.1, rel=1e-4)
    assert pair["width_m"] == pytest.approx(0.001, rel=0.02)


def test_the_width_is_measured_only_where_an_overlap_is_narrow():
    narrow = only_pair(hazard(square(), "MAG", "1"), hazard(square(99), "HALO", "2"))
    wide = only_pair(hazard(square(), "MAG", "1"), hazard(square(50), "HALO", "2"))
    assert narrow["width_m"] == pytest.approx(1.0, rel=0.02)
    assert wide["width_m"] is None


def test_an_overlap_in_three_places_is_one_pair_of_three_parts():
    comb = shapely.union_all([box(0, 0, 300, 50), *(box(x, 0, x + 20, 100) for x in (0, 100, 200))])
    pair = only_pair(hazard(comb, "MAG", "1"), hazard(box(0, 90, 300, 150), "HALO", "2"))
    assert pair["parts"] == 3
    assert pair["area_m2"] == pytest.approx(600)


@pytest.mark.parametrize(
    ("other", "relation", "mirrored"),
    [
        (square(), "equal", "equal"),
        (box(0, 0, 100, 101), "near_equal", "near_equal"),
        (square(1), "near_equal", "near_equal"),
        (square(20, 20, 30), "contains", "within"),
        (box(-50, -50, 200, 200), "within", "contains"),
        (square(50), "partial", "partial"),
        (box(0, 0, 100, 40), "contains", "within"),
        (square(1e-8), "equal", "equal"),
    ],
)
def test_the_relation_is_seen_from_the_left_and_mirrored_from_the_right(other, relation, mirrored):
    assert only_pair(hazard(square(), "A", "1"), hazard(other, "B", "2"))["relation"] == relation
    swapped = only_pair(hazard(square(), "B", "1"), hazard(other, "A", "2"))
    assert swapped["relation"] == mirrored


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        ((EARLY, LATE), "left_first"),
        ((LATE, EARLY), "right_first"),
        ((LATE, LATE), "unknown"),
        ((None, LATE), "unknown"),
        ((LATE, None), "unknown"),
        ((None, None), "unknown"),
    ],
)
def test_the_order_in_time_and_the_dates_behind_it_are_told(dates, order):
    pair = only_pair(hazard(square(), "A", "1", when=dates[0]), released(square(50), "B", "2", when=dates[1]))
    assert pair["time_order"] == order
    assert (pair["left_date"], pair["right_date"]) == dates


def test_tasks_and_boxes_have_no_date_that_orders_them():
    pair = only_pair(
        area(square(), "TASK", "A", "1", surveyed=EARLY, completed=EARLY),
        hazard(square(50), "B", "2", when=LATE),
    )
    assert pair["left_date"] is None
    assert pair["time_order"] == "unknown"


def test_pairs_are_found_across_operators_and_within_each_once():
    records = [hazard(square(10 * n), ("MAG", "HALO")[n % 2], str(n)) for n in range(5)]
    found = [(pair["left_id"], pair["right_id"]) for pair in pairs(judged(*records))]
    assert len(found) == len(set(found)) == 10
    assert all(left < right for left, right in found)
    assert found == sorted(found)


def test_the_left_one_of_a_pair_is_the_lower_record():
    pair = only_pair(hazard(square(), "Z", "1"), hazard(square(50), "A", "2"), hazard(square(500), "B", "3"))
    assert (pair["left_operator"], pair["right_operator"]) == ("A", "Z")


def test_two_versions_of_one_record_are_a_pair_too():
    pair = only_pair(hazard(square(), id="1"), hazard(square(50), id="1"))
    assert pair["left_id"] == pair["right_id"]
    assert pair["left_row_id"] < pair["right_row_id"]


def test_overlaps_that_hang_together_through_a_record_are_one_group():
    records = [hazard(square(80 * n), ("A", "B")[n % 2], str(n)) for n in range(4)]
    away = [hazard(square(2000), "A", "x"), hazard(square(2050), "B", "y")]
    groups = {
        pair["left_id"][-1] + pair["right_id"][-1]: pair["group_id"]
        for pair in pairs(judged(*records, *away))
    }
    assert len(groups) == 4
    assert len({group for names, group in groups.items() if names[0] not in "xy"}) == 1
    assert groups["xy"] not in {group for names, group in groups.items() if names != "xy"}


def test_the_uncertainty_of_a_pair_is_that_of_its_less_certain_side():
    state = make_features(hazard(square(), "A", "1"), hazard(square(50), "B", "2"))
    features = state.features.with_columns({"edge_uncertainty_m2": np.array([0.5, 7.0])})
    (pair,) = pairs(overlaps(replace(state, features=features), POLICY))
    assert pair["edge_uncertainty_m2"] == 7.0


def test_hashes_and_places_of_both_sides_stand_beside_the_pair():
    state = judged(hazard(square(), "A", "1"), hazard(square(50), "B", "2"))
    (pair,) = pairs(state)
    assert [pair["left_geometry_hash"], pair["right_geometry_hash"]] == state.features.table[
        "geometry_hash"
    ].to_pylist()


def test_shares_are_never_more_than_all():
    random = np.random.default_rng(3)
    records = []
    for n in range(40):
        x, y, turn = *random.uniform(0, 300, 2), random.uniform(0, 90)
        records.append(hazard(shapely.affinity.rotate(square(x, y), turn), ("A", "B")[n % 2], str(n)))
        records.append(hazard(records[-1].ground.buffer(-5), "C", f"in{n}"))
    for pair in pairs(judged(*records)):
        assert 0 < pair["left_share"] <= 1
        assert 0 < pair["right_share"] <= 1
        assert pair["area_m2"] > 0


def test_swapping_the_operators_gives_the_mirrored_pair():
    shapes = [square(), polygon((30, -20), (170, 40), (60, 140)), square(90, 90, 60)]
    for first, second in itertools.combinations(shapes, 2):
        one = only_pair(hazard(first, "A", "1", when=EARLY), released(second, "B", "2", when=LATE))
        two = only_pair(hazard(first, "B", "1", when=EARLY), released(second, "A", "2", when=LATE))
        assert two["area_m2"] == pytest.approx(one["area_m2"], rel=1e-12)
        assert (two["left_share"], two["right_share"]) == pytest.approx(
            (one["right_share"], one["left_share"])
        )
        assert (two["left_kind"], two["right_kind"]) == (one["right_kind"], one["left_kind"])
        assert two["finding"] == one["finding"]
        assert {one["time_order"], two["time_order"]} == {"left_first", "right_first"}


def test_an_unnamed_pair_is_still_listed():
    policy = POLICY.model_copy(update={"findings": POLICY.findings[:1]})
    (pair,) = pairs(overlaps(make_features(hazard(square(), "A", "1"), hazard(square(9), "B", "2")), policy))
    assert (pair["finding"], pair["severity"]) == ("unnamed", "check")


def test_the_first_rule_that_fits_wins():
    policy = POLICY.model_copy(update={"findings": POLICY.findings[::-1]})
    records = [hazard(square(), "A", "1", when=LATE), released(square(50), "B", "2", when=EARLY, depth=0.0)]
    (usual,) = pairs(overlaps(make_features(*records), POLICY))
    (turned,) = pairs(overlaps(make_features(*records), policy))
    assert usual["finding"] == "hazard_below_clearance_depth"
    assert turned["finding"] == "hazard_on_released_land"


def test_no_areas_have_no_overlaps():
    state = judged()
    assert len(state.overlaps) == len(state.coverage) == 0


def test_one_area_has_no_overlap():
    assert pairs(judged(hazard(square(), id="1"))) == []


def test_hazard_surveyed_after_its_own_release_is_an_alarm_under_one_id_too():
    early, late = dt.date(2022, 1, 1), dt.date(2024, 1, 1)
    both = [
        released(shapely.box(0, 0, 10, 10), id="X-1", when=early, register="all"),
        hazard(shapely.box(0, 0, 10, 10), id="X-1", when=late, register="all"),
    ]
    assert only_pair(*both)["finding"] == "hazard_on_released_land"
