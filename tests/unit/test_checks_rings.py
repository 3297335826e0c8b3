"""Rings and shapes: where a border cannot be right, and where a shape stands twice."""

import numpy as np
import pytest
import shapely
from checks_fixtures import checked, codes_of, delivered_and_placed, good, having, only, told, with_rules
from make import LAOS, ORIGIN, box, findings, make_features, polygon, square, wkb_polygon


def metres(*points):
    """Points in metres from ORIGIN, as a ring is delivered."""
    return [(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in points]


def test_turning_points_far_apart_are_told_with_the_edge():
    state = make_features(good(square(side=5001), "SHA"), good(square(20_000, side=4999), "SHA", "2"))
    found = only(checked(state), "LONG_EDGE")
    assert found["source_id"] == "1"
    assert found["sentence"] == "Two turning points in a row are 5.0 km apart"


def test_a_long_edge_is_shown_where_it_is():
    state = checked(make_features(good(polygon((0, 0), (9000, 0), (9000, 10), (0, 20)), "SHA")))
    (place,) = state.findings.geometry[state.findings.flags("code", ["LONG_EDGE"])]
    assert place.length == pytest.approx(9000, abs=1)


SPIKED = polygon((0, 0), (100, 0), (100, 50), (180, 50), (100, 50.5), (100, 100), (0, 100))


def test_a_spike_is_told_with_its_corner():
    state = checked(make_features(good(SPIKED)))
    found = only(state, "SPIKE")
    assert found["sentence"] == "The border runs 80.0 m out to a corner of 0.36 degrees and back"
    (place,) = state.findings.geometry[state.findings.flags("code", ["SPIKE"])]
    assert shapely.get_coordinates(place).tolist() == [[ORIGIN[0] + 180, ORIGIN[1] + 50]]


def test_a_spike_that_mending_removes_is_told_all_the_same():
    spike = polygon((0, 0), (100, 0), (100, 50), (180, 50), (100, 50), (100, 100), (0, 100))
    state = delivered_and_placed(good(spike))
    assert shapely.area(state.features.geometry[0]) == pytest.approx(10_000)
    assert only(checked(state), "SPIKE")["measure"] == pytest.approx(80)


def test_the_first_corner_of_a_ring_can_be_a_spike_too():
    points = shapely.get_coordinates(SPIKED)[:-1]
    for shift in range(len(points)):
        spiked = good(shapely.Polygon(np.roll(points, shift, axis=0)), id="2")
        assert told(good(square(5000)), spiked, good(square(9000), id="3")) == ["SPIKE"]


def test_a_spike_behind_a_repeated_point_is_seen():
    tip = (180, 50)
    doubled = polygon((0, 0), (100, 0), (100, 50), tip, tip, (100, 50.5), (100, 100), (0, 100))
    assert told(good(doubled)) == ["POINTS_REPEATED", "SPIKE"]
    at_start = polygon(tip, tip, (100, 50.5), (100, 100), (0, 100), (0, 0), (100, 0), (100, 50), tip)
    assert told(good(at_start)) == ["POINTS_REPEATED", "SPIKE"]


def test_short_legs_and_blunt_corners_are_no_spikes():
    short = polygon((0, 0), (100, 0), (100, 50), (100.9, 50), (100, 50.005), (100, 100), (0, 100))
    blunt = polygon((0, 0), (100, 0), (100, 50), (180, 50), (100, 52), (100, 100), (0, 100))
    assert told(good(short)) == []
    assert told(good(blunt)) == []
    assert told(good(blunt), policy=with_rules(spike_angle_deg=2.0)) == ["SPIKE"]


def test_a_straight_border_is_no_spike():
    assert told(good(polygon((0, 0), (50, 0), (100, 0), (100, 100), (0, 100)))) == []


def test_last_two_points_that_repeat_the_first_two_are_told():
    ring = metres((0, 0), (100, 0), (100, 100), (0, 100), (0, 0), (100, 0))
    found = codes_of(checked(delivered_and_placed(good(wkb_polygon(ring)))))
    assert found == ["RING_REPEATS_START"]


def test_holes_and_parts_have_rings_of_their_own():
    """From ring to ring there is no edge, and each ring is closed for itself."""
    holed = square().difference(box(40, 40, 60, 60))
    parts = shapely.MultiPolygon([square(), square(west=30_000)])
    assert told(good(holed)) == []
    assert told(good(parts)) == []


def test_repeated_points_are_one_note_per_layer():
    doubled = polygon((0, 0), (100, 0), (100, 0), (100, 100), (0, 100))
    moved = shapely.affinity.translate(doubled, 5000)
    state = checked(make_features(good(doubled), good(square(500), id="2"), good(moved, id="3")))
    found = only(state, "POINTS_REPEATED")
    assert found["sentence"] == "2 polygons repeat a turning point directly: rows 1, 3"
    assert found["severity"] == "note"


def test_a_traverse_that_does_not_close_is_told_with_its_error():
    state = having(make_features(good(), good(square(500), id="2")), closure_error_m=[5.0, 7.25])
    found = only(checked(state), "CLOSURE_ERROR")
    assert (found["source_id"], found["sentence"]) == ("2", "The traverse misses its start by 7.2 m")


def test_what_the_reader_noted_about_point_numbers_is_told():
    state = having(
        make_features(good(), good(square(500), id="2")), points_note=[None, "PointNo 4 is missing"]
    )
    assert only(checked(state), "POINT_NUMBERS")["sentence"] == "PointNo 4 is missing"


def test_parts_of_one_record_that_overlap_are_told_with_the_ground():
    parts = shapely.MultiPolygon([square(), square(west=90)])
    state = checked(delivered_and_placed(good(parts)))
    assert only(state, "PARTS_OVERLAP")["measure"] == pytest.approx(1000)
    (ground,) = state.findings.geometry[state.findings.flags("code", ["PARTS_OVERLAP"])]
    assert ground.equals(box(90, 0, 100, 100))


def test_parts_that_touch_do_not_overlap():
    parts = shapely.MultiPolygon([square(), square(west=100)])
    assert "PARTS_OVERLAP" not in codes_of(checked(delivered_and_placed(good(parts))))


CELLS = polygon((0, 0), (200, 0), (200, 100), (100, 100), (100, 200), (0, 200))
CIRCLE = shapely.Point(*ORIGIN).buffer(25)
FIELD = polygon((0, 0), (113, 7), (131, 88), (60, 141), (-12, 77))


def moved(shape, east=0.0, north=0.0):
    return shapely.affinity.translate(shape, east, north)


def test_the_same_shape_at_two_places_is_for_the_authority():
    state = checked(make_features(good(FIELD, id="1"), good(moved(FIELD, 3000, 4000), id="2")))
    found = only(state, "SHAPE_REUSED")
    assert found["source_id"] == "2"
    assert found["sentence"] == "Exactly the shape of record 1, 5,000 m away from it"
    assert found["other_id"] == "MAG:hazard:1"


def test_a_reused_shape_is_found_whatever_point_or_direction_it_starts_with():
    turned = shapely.Polygon(np.roll(shapely.get_coordinates(moved(FIELD, 3000))[:-1], 2, axis=0)[::-1])
    assert told(good(FIELD, id="1"), good(turned, id="2")) == ["SHAPE_REUSED"]


def test_a_shape_of_two_operators_is_told_of_each_for_itself():
    twice = [("1", "MAG", 0), ("2", "MAG", 3000), ("3", "NPA", 6000), ("4", "NPA", 9000)]
    state = checked(make_features(*(good(moved(FIELD, at), id=id, operator=who) for id, who, at in twice)))
    told_of = {row["source_id"]: row["other_id"] for row in findings(state, "SHAPE_REUSED")}
    assert told_of == {"2": "MAG:hazard:1", "4": "NPA:hazard:3"}


def test_a_reused_shape_is_found_in_degrees():
    shape = shapely.Polygon(
        [(104.1, 18.0), (104.1012, 18.0001), (104.1009, 18.0013), (104.1, 18.0021), (104.0991, 18.001)]
    )
    copy = shapely.transform(shape, lambda points: np.round(points + np.array([0.25, 0.125]), 7))
    state = delivered_and_placed(good(shape, id="1"), good(copy, id="2"), crs="EPSG:4326")
    assert codes_of(checked(state)) == ["SHAPE_REUSED"]


@pytest.mark.parametrize(
    "pair",
    [
        (good(FIELD, id="1"), good(moved(FIELD, 3000), id="2", operator="NPA")),  # two operators
        (good(FIELD, id="1"), good(FIELD, id="2")),  # one place: equal ground
        (good(FIELD, "SURVEY_BOX", "1"), good(moved(FIELD, 3000), "SURVEY_BOX", "2")),
        (good(square(), id="1"), good(square(3000), id="2")),  # four corners
        (good(CELLS, id="1"), good(moved(CELLS, 3000), id="2")),
        (good(CIRCLE, id="1"), good(moved(CIRCLE, 3000), id="2")),
        (good(FIELD, id="1"), good(moved(shapely.affinity.scale(FIELD, 1.001), 3000), id="2")),
    ],
)  # fmt: skip
def test_shapes_that_stand_twice_for_a_good_reason_are_not_told(pair):
    assert told(*pair) == []


def test_only_the_delivered_ring_of_what_was_mended_is_looked_at_again():
    """A record of another CRS is brought to the same metres."""
    from geopipe.crs import choose_operation, transform

    transformer, _ = choose_operation(LAOS, "EPSG:32648")
    spike = polygon((0, 0), (100, 0), (100, 50), (180, 50), (100, 50), (100, 100), (0, 100))
    (in_utm,) = transform(np.array([spike], dtype=object), transformer)
    state = delivered_and_placed(good(in_utm), crs="EPSG:32648")
    assert "INVALID_POLYGON" in codes_of(state)
    assert only(checked(state), "SPIKE")["measure"] == pytest.approx(80, abs=0.01)
