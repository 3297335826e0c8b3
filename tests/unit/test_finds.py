"""A find on land that is called released is an alarm."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
import shapely
from make import ORIGIN, codes, findings, hazard, make_features, released, square

from geopipe.config import load_vocabulary
from geopipe.schema import FEATURES, make_frame
from geopipe.stages.finds import finds

RELEASE = dt.date(2020, 6, 1)
BEFORE, AFTER = dt.date(2019, 1, 1), dt.date(2021, 1, 1)


def found(point_type, date, *areas, at=(50, 50)):
    """Findings about one point, in metres from ORIGIN."""
    point = np.array([shapely.Point(ORIGIN[0] + at[0], ORIGIN[1] + at[1])], dtype=object)
    columns = {"record_id": "MAG:unknown:P-1", "file": "p.geojson", "row": 1, "point_type": point_type}
    columns["date_found"] = [date]
    state = make_features(*areas)
    return finds(replace(state, reference=make_frame(FEATURES, columns, point)), load_vocabulary())


@pytest.mark.parametrize(
    "point_type", ["UXO", "Bombie", "BLU-26", "AP mine", "Cluster bomblet", "Evidence point", "ລະເບີດ"]
)
def test_something_found_after_the_release_is_an_alarm(point_type):
    state = found(point_type, AFTER, released(square(), id="R", completed=RELEASE))
    (told,) = findings(state, "FIND_ON_RELEASED_LAND")
    assert told["severity"] == "alarm"
    assert told["record_id"] == "MAG:unknown:P-1"
    assert told["other_id"] == "MAG:land_release:R"


def test_something_found_before_the_release_was_the_reason_for_it():
    state = found("UXO", BEFORE, released(square(), completed=RELEASE), hazard(square()))
    assert codes(state) == []


@pytest.mark.parametrize("date", [None, RELEASE])
def test_without_a_date_or_on_the_same_day_the_order_is_not_known(date):
    state = found("UXO", date, released(square(), completed=RELEASE), hazard(square()))
    assert codes(state) == ["FIND_DATE_UNKNOWN"]


@pytest.mark.parametrize("point_type", [None, "something new"])
def test_a_point_of_unknown_type_on_released_land_is_asked_about(point_type):
    state = found(point_type, AFTER, released(square(), completed=RELEASE))
    assert codes(state) == ["POINT_ON_RELEASED_LAND"]


@pytest.mark.parametrize("point_type", ["Landmark", "Turning point", "reference point", "benchmark"])
def test_a_landmark_says_nothing(point_type):
    assert codes(found(point_type, AFTER, released(square(), completed=RELEASE))) == []


def test_a_find_outside_every_hazard_area_is_noted():
    assert codes(found("UXO", AFTER, hazard(square()), at=(500, 500))) == ["FIND_OUTSIDE_HAZARD"]
    assert codes(found("UXO", AFTER, hazard(square()))) == []


def test_no_points_no_findings():
    state = make_features(released(square(), completed=RELEASE))
    assert codes(finds(state, load_vocabulary())) == []
