"""What every record must say, and figures, dates and depths that cannot be."""

import datetime as dt

import pytest
from checks_fixtures import (
    COMPLETION,
    REPORT,
    SURVEY,
    TODAY,
    checked,
    codes_of,
    good,
    having,
    only,
    point,
    told,
    with_points,
    with_rules,
)
from make import box, findings, make_features, square


def east(number, side=100):
    """Squares that do not touch each other."""
    return square(west=number * 1000, side=side)


@pytest.mark.parametrize(
    "kind", ["CHA", "SHA", "CLEARED", "REDUCED", "CANCELLED", "SURVEY_BOX", "TASK", "UNKNOWN"]
)
def test_a_record_that_says_all_that_it_must_is_not_questioned(kind):
    assert told(good(kind=kind)) == []


def test_a_field_that_a_whole_layer_lacks_is_told_once():
    state = make_features(*(good(east(i), id=str(i), surveyed=None) for i in range(3)))
    found = only(checked(state), "FIELD_NOT_DELIVERED")
    assert found["sentence"] == "None of 3 CHA records has: survey date"
    assert found["source_id"] is None
    assert (found["operator"], found["file"], found["measure"]) == ("MAG", "areas.gpkg", 3)
    assert findings(checked(state), "FIELD_MISSING") == []


def test_a_field_that_single_records_lack_is_told_of_each_with_all_that_it_lacks():
    state = make_features(
        good(id="1"),
        good(east(1), id="2", surveyed=None),
        good(east(2), id="3", surveyed=None, status="unknown"),
    )
    sentences = {row["source_id"]: row["sentence"] for row in findings(checked(state), "FIELD_MISSING")}
    assert sentences == {"2": "Missing: survey date", "3": "Missing: status, survey date"}


def test_layers_are_judged_each_for_itself():
    state = make_features(
        good(id="1", surveyed=None),
        good(east(1), id="2"),
        good(east(2), id="3", surveyed=None, file="b.gpkg"),
    )
    assert only(checked(state), "FIELD_MISSING")["source_id"] == "1"
    assert only(checked(state), "FIELD_NOT_DELIVERED")["file"] == "b.gpkg"


def test_cleared_land_without_a_depth_is_asked_for_it():
    state = make_features(good(kind="CLEARED", id="1"), good(east(1), "CLEARED", "2", depth=None))
    assert only(checked(state), "DEPTH_MISSING")["source_id"] == "2"
    assert codes_of(checked(state)) == ["DEPTH_MISSING"]


def test_cancelled_land_needs_no_depth():
    assert told(good(kind="CANCELLED", depth=None)) == []


def test_wishes_are_one_note_per_layer_and_kind():
    found = only(checked(make_features(good(), good(east(1), id="2", informed=None))), "FIELD_WANTED")
    assert found["severity"] == "note"
    assert "device category (2 of 2 without)" in found["sentence"]
    assert "date of information (1 of 2 without)" in found["sentence"]


@pytest.mark.parametrize(
    ("stated", "likely"),
    [
        (10_000.0, None),
        (10_900.0, None),
        (5_000.0, ""),
        (1.0, "hectares"),
        (0.01, "square kilometres"),
        (1e8, "m2 multiplied by 10,000"),
        (1e6, "m2 multiplied by 100"),
        (10.0, "thousands: a point or comma between thousands was read as a decimal sign"),
        (1e7, "thousandths: a decimal sign was read as one between thousands"),
        (6.25, "rai (1,600 m2)"),
        (0.0, ""),
    ],
)
def test_a_stated_area_that_differs_is_told_with_the_likely_unit(stated, likely):
    state = checked(make_features(good(stated_m2=stated)))
    sentences = [row["sentence"] for row in findings(state, "AREA_DIFFERS")]
    assert len(sentences) == (likely is not None)
    if likely:
        assert sentences[0].endswith(f"; the figure is most likely in {likely}")
    elif likely == "":
        assert "most likely" not in sentences[0]


def test_an_implausible_area_names_figure_limit_and_kind():
    state = checked(make_features(good(square(side=4000)), good(square(west=9000, side=1), id="2")))
    sentences = {row["source_id"]: row["sentence"] for row in findings(state, "AREA_IMPLAUSIBLE")}
    assert sentences == {
        "1": "1,600 ha is more than 1,000 ha (CHA)",
        "2": "1 m2 is less than 5 m2 (CHA)",
    }


def test_the_limits_are_those_of_the_kind():
    assert told(good(square(side=4000), kind="SHA")) == []
    assert told(good(square(side=4000), kind="UNKNOWN")) == []


def test_an_area_far_beyond_the_operators_own_is_asked_about():
    usual = [good(east(i), id=str(i)) for i in range(120)]
    huge = good(box(0, 5000, 2500, 7500), id="huge")
    few = with_rules(area_outlier_from_records=500)
    assert only(checked(make_features(*usual, huge)), "AREA_IMPLAUSIBLE")["source_id"] == "huge"
    assert told(*usual, huge, policy=few) == []
    others = good(box(0, 9000, 2500, 11_500), id="other", operator="NPA")
    assert told(*usual, others) == []


def test_dates_that_contradict_each_other_are_named():
    state = checked(make_features(good(kind="CLEARED", completed=REPORT, informed=COMPLETION)))
    found = only(state, "DATES_OUT_OF_ORDER")
    assert found["sentence"] == "Completion (2022-04-01) is later than information (2022-03-01)"


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("date_started", "date_completed"),
        ("date_surveyed", "date_completed"),
        ("date_surveyed", "date_of_information"),
    ],
)
def test_the_order_of_dates(early, late):
    state = make_features(good(kind="REDUCED", completed=None, informed=None))
    right = having(state, **{early: [SURVEY], late: [COMPLETION]})
    wrong = having(state, **{early: [COMPLETION], late: [SURVEY]})
    same_day = having(state, **{early: [SURVEY], late: [SURVEY]})
    assert findings(checked(right), "DATES_OUT_OF_ORDER") == []
    assert findings(checked(same_day), "DATES_OUT_OF_ORDER") == []
    only(checked(wrong), "DATES_OUT_OF_ORDER")


def test_a_date_in_the_future_is_told_a_day_of_other_time_zones_is_not():
    tomorrow, later = TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=2)
    assert told(good(informed=tomorrow)) == []
    found = only(checked(make_features(good(informed=later))), "DATE_IN_FUTURE")
    assert found["sentence"] == "In the future: information 2026-06-03"
    assert told(good(informed=later), today=later) == []


def test_points_found_in_the_future_are_told():
    state = with_points(make_features(good()), point(date_found=dt.date(2027, 1, 1), found_depth_cm=5.0))
    assert codes_of(checked(state)) == ["DATE_IN_FUTURE"]


@pytest.mark.parametrize(("depth", "is_odd"), [(0.0, False), (1000.0, False), (1001.0, True), (-1.0, True)])
def test_depths_beyond_belief_are_told(depth, is_odd):
    assert told(good(kind="CLEARED", depth=depth)) == ["DEPTH_IMPLAUSIBLE"] * is_odd
    state = with_points(make_features(good()), point(found_depth_cm=depth))
    assert codes_of(checked(state)) == ["DEPTH_IMPLAUSIBLE"] * is_odd


def test_found_items_without_depth_are_told_once_per_layer():
    points = [point(id=f"P-{i}", east=i) for i in range(8)]
    points[3]["found_depth_cm"] = 10.0
    found = only(checked(with_points(make_features(good()), *points)), "FOUND_DEPTH_MISSING")
    assert found["sentence"] == "7 of 8 found items have no depth: rows 1, 2, 3, 5, 6 and 2 more"


@pytest.mark.parametrize("type", ["Evidence", "Accident", "landmark", "tree", "UXO evidence", None])
def test_no_depth_is_asked_of_points_that_are_not_found_items(type):
    assert codes_of(checked(with_points(make_features(good()), point(type=type)))) == []


def test_an_item_below_the_clearance_depth_of_its_land_is_asked_about():
    land = make_features(good(kind="CLEARED", depth=25.0))
    deep = only(checked(with_points(land, point(found_depth_cm=40.0))), "FOUND_BELOW_CLEARANCE")
    assert deep["sentence"] == "Found at 40 cm; the land in which it lies was cleared to 25 cm"
    assert deep["other_id"] == "MAG:land_release:1"
    assert deep["measure"] == 15
    assert codes_of(checked(with_points(land, point(found_depth_cm=25.0)))) == []
    assert codes_of(checked(with_points(land, point(east=500, found_depth_cm=40.0)))) == []


def test_an_item_in_a_hazard_area_is_as_deep_as_it_is():
    state = having(make_features(good()), clearance_depth_cm=[25.0])
    assert codes_of(checked(with_points(state, point(found_depth_cm=40.0)))) == []
