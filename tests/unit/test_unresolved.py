"""Hazard that cannot be used stays on the map, wherever it could be."""

import pytest
import shapely
from make import area, delivered, hazard, placed, polygon, released, wkb_polygon

from geopipe.stages.validate import validate

NAN = float("nan")


def drawn(*records, crs="EPSG:4326"):
    """(geometry, position, reason) of every hazard that is drawn although it is not used."""
    state = validate(delivered(*records, crs=crs))
    rows = state.unresolved.table.to_pylist()
    return [
        (shape, row["position"], row["reason"])
        for shape, row in zip(state.unresolved.geometry, rows, strict=True)
    ]


def test_exchanged_coordinates_are_drawn_at_the_exchanged_place():
    ((shape, position, reason),) = drawn(hazard(shapely.box(18, 104, 18.1, 104.2), id="1"))
    assert shape.bounds == (104, 18, 104.2, 18.1)
    assert position == "as if x and y were exchanged"
    assert reason == "COORDINATES_OUT_OF_RANGE"


def test_a_half_readable_hazard_is_drawn_with_what_can_be_read():
    ring = [(104, 18), (104.1, 18), (104.1, 18.1), (NAN, 18.1), (104, 18)]
    ((shape, position, reason),) = drawn(hazard(wkb_polygon(ring), id="1"))
    assert reason == "COORDINATES_NOT_FINITE"
    assert shape.equals(shapely.LineString([(104, 18), (104.1, 18), (104.1, 18.1), (104, 18)]))
    assert position == "as stated"


def test_one_readable_coordinate_is_drawn_as_a_point():
    ((shape, _, _),) = drawn(hazard(wkb_polygon([(104, 18), (NAN, NAN), (NAN, 1)]), id="1"))
    assert shape.equals(shapely.Point(104, 18))


def test_a_hazard_of_two_points_is_drawn_as_a_line():
    ((shape, _, reason),) = drawn(hazard(wkb_polygon([(104, 18), (104.1, 18.1)]), id="1"))
    assert reason == "TOO_FEW_POINTS"
    assert shape.equals(shapely.LineString([(104, 18), (104.1, 18.1)]))


def test_truncated_bytes_are_drawn_up_to_the_last_whole_ring():
    data = wkb_polygon([(104, 18), (104.1, 18), (104.1, 18.1)], [(104.05, 18.01), (104.06, 18.02)])[:-8]
    ((shape, _, reason),) = drawn(hazard(data, id="1"))
    assert reason == "GEOMETRY_UNREADABLE"
    assert len(shape.coords) == 3


def test_an_outer_ring_that_breaks_off_is_drawn_up_to_its_last_whole_point():
    data = wkb_polygon([(104, 18), (104.1, 18), (104.1, 18.1), (104, 18.1)])[:-8]
    assert drawn(hazard(data, id="1"))


@pytest.mark.parametrize("kind", ["SHA", "CHA", "UNKNOWN"])
def test_whatever_may_be_hazard_is_drawn(kind):
    assert len(drawn(area(shapely.box(18, 104, 18.1, 104.2), kind, id="1"))) == 1


@pytest.mark.parametrize("kind", ["CLEARED", "REDUCED", "CANCELLED", "TASK", "SURVEY_BOX"])
def test_what_is_no_hazard_is_not_drawn(kind):
    assert drawn(area(shapely.box(18, 104, 18.1, 104.2), kind, id="1")) == []


@pytest.mark.parametrize(
    "ground",
    [
        None,
        b"",
        b"rubbish",
        shapely.Polygon(),
        pytest.param(wkb_polygon([(NAN, NAN)] * 4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_without_one_readable_coordinate_nothing_can_be_drawn(ground):
    assert drawn(hazard(ground, id="1")) == []


def test_without_a_crs_a_hazard_is_drawn_wherever_it_could_be():
    found = drawn(hazard(shapely.box(500_000, 2_000_000, 500_100, 2_000_100), id="1"), crs="")
    assert [position for _, position, _ in found] == ["as if in EPSG:32648", "as if in EPSG:32647"]
    assert found[0][0].centroid.x == pytest.approx(105, abs=0.01)
    assert found[1][0].centroid.x == pytest.approx(99, abs=0.01)


def test_metres_in_a_degree_file_are_drawn_where_each_zone_puts_them():
    found = drawn(hazard(shapely.box(800_000, 2_000_000, 800_100, 2_000_100), id="1"))
    assert [position for _, position, _ in found] == ["as if in EPSG:32647", "as if in EPSG:32648"]


def test_exchanged_metres_without_a_crs_are_drawn_exchanged():
    found = drawn(hazard(shapely.box(2_000_000, 500_000, 2_000_100, 500_100), id="1"), crs="")
    assert [position for _, position, _ in found] == ["as if in EPSG:32648", "as if in EPSG:32647"]


def test_exchanged_easting_and_northing_are_drawn_at_the_exchanged_place():
    state = placed(hazard(shapely.box(2_000_000, 500_000, 2_000_100, 500_100), id="1"), crs="EPSG:32648")
    assert state.rejected.table["reason"].to_pylist() == ["COORDINATES_OUTSIDE_CRS"]
    (row,) = state.unresolved.table.to_pylist()
    assert row["position"] == "as if x and y were exchanged"
    assert state.unresolved.geometry[0].centroid.x == pytest.approx(105, abs=0.01)


def test_a_hazard_whose_datum_cannot_be_shifted_accurately_is_drawn():
    state = placed(hazard(shapely.box(104, 18, 104.1, 18.1), id="1"), crs="EPSG:4052")
    assert state.rejected.table["reason"].to_pylist() == ["CRS_INACCURATE"]
    assert len(state.unresolved) == 1


def test_a_hazard_outside_the_area_of_interest_is_drawn_and_released_land_is_not():
    far = shapely.box(120, 18, 120.1, 18.1)
    state = placed(hazard(far, id="1"), released(far, id="2"), area_of_interest=(99.5, 13.5, 108.2, 23.0))
    assert state.rejected.table["reason"].to_pylist() == ["OUTSIDE_AREA_OF_INTEREST"] * 2
    assert state.unresolved.table["source_id"].to_pylist() == ["1"]


def test_a_bow_tie_of_hazard_is_used_and_drawn_as_delivered_too():
    tie = shapely.from_wkt("POLYGON((104 18,104.001 18.001,104.001 18,104 18.001,104 18))")
    state = placed(hazard(tie, id="1"), released(tie, id="2"))
    assert len(state.features) == 2
    assert state.unresolved.table["source_id"].to_pylist() == ["1"]
    assert shapely.get_num_coordinates(state.unresolved.geometry[0]) == 5


def test_what_is_drawn_is_in_degrees_whatever_was_delivered():
    tie = polygon((0, 0), (100, 100), (100, 0), (0, 100))
    from make import LAOS

    state = placed(hazard(tie, id="1"), crs=LAOS)
    assert shapely.box(103.9, 17.9, 104.1, 18.1).covers(state.unresolved.geometry[0])


def test_the_parts_of_an_unusable_hazard_are_not_joined_across_the_ground_between():
    far = shapely.MultiPolygon([shapely.box(18, 104, 18.1, 104.1), shapely.box(19, 105, 19.1, 105.1)])
    ((shape, _, _),) = drawn(hazard(far, id="1"))
    assert shape.length < 1  # each part is 0.4 degrees around; the way between them would add 1.3 more
