"""The laws of gaps and of remaining area, on strips and on whatever polygons hypothesis can think of."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from make import ORIGIN, POLICY, Area, hazard, judged, make_features, released
from shapely import affinity

from geopipe.gaps import strips_between
from geopipe.schema import State
from geopipe.stages.gaps import gaps
from geopipe.stages.remaining import remaining

SURVEY, RELEASE = dt.date(2018, 1, 1), dt.date(2020, 1, 1)
WIDEST_M, NARROWEST_M = POLICY.gaps.width_m, POLICY.gaps.narrowest_m
OPERATORS = ("MAG", "NPA", "UXO Lao")

width = st.floats(0.01, WIDEST_M)
angle = st.floats(0, 360)
corner = st.tuples(st.integers(0, 12), st.integers(0, 12))


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Polygon:
    """A valid polygon on a grid of 1.3 m: neighbours touch, overlap, or leave strips and notches."""
    points = draw(st.lists(corner, min_size=3, max_size=7, unique=True))
    hull = shapely.convex_hull(shapely.multipoints(np.array(points, dtype=float)))
    shape = shapely.Polygon(points)
    shape = shape if shape.is_valid and shape.area > 0 else hull
    if shape.area == 0 or shape.geom_type != "Polygon":
        shape = shapely.box(*points[0], points[0][0] + 2, points[0][1] + 3)
    return affinity.translate(affinity.scale(shape, 1.3, 1.3, origin=(0, 0)), *ORIGIN)


@st.composite
def records(draw: st.DrawFn) -> list[Area]:
    """Up to two hazard areas and up to five releases of three operators on the same ground."""
    found = [
        hazard(
            ground, draw(st.sampled_from(OPERATORS)), f"H{number}", when=draw(st.sampled_from([SURVEY, None]))
        )
        for number, ground in enumerate(draw(st.lists(polygons(), min_size=1, max_size=2)))
    ]
    return found + [
        released(ground, draw(st.sampled_from(OPERATORS)), f"R{number}", when=RELEASE)
        for number, ground in enumerate(draw(st.lists(polygons(), max_size=5)))
    ]


def both(areas: list[Area]) -> State:
    return gaps(remaining(judged(*areas)), POLICY)


def turned(ground: shapely.Geometry, degrees: float) -> shapely.Geometry:
    return affinity.translate(affinity.rotate(ground, degrees, origin=(50, 50)), *ORIGIN)


def split_by_strip(strip_m: float, degrees: float, spacing_m: float = 1e9) -> list[Area]:
    """A hazard area of 100 m split by two releases of two operators with a strip between them."""
    edge = 50 - strip_m / 2
    pieces = [shapely.box(0, 0, edge, 100), shapely.box(100 - edge, 0, 100, 100)]
    west, east = (turned(shapely.segmentize(piece, spacing_m), degrees) for piece in pieces)
    field = turned(shapely.box(0, 0, 100, 100), degrees)
    return [hazard(field, id="H"), released(west, "MAG", "W"), released(east, "NPA", "E")]


@given(width, angle, st.sampled_from([1e9, 7.0, 0.9]))
def test_a_strip_between_two_releases_is_one_gap(strip_m: float, degrees: float, spacing_m: float) -> None:
    """Turned anyhow, with extra turning points: its area is the strip's and its width too."""
    table = gaps(make_features(*split_by_strip(strip_m, degrees, spacing_m)), POLICY).gaps.table
    assert table["area_m2"].to_pylist() == [pytest.approx(100 * strip_m, rel=0.02)]
    assert table["width_m"].to_pylist() == [pytest.approx(strip_m, rel=0.02)]
    assert table["length_m"].to_pylist() == [pytest.approx(100, rel=0.02)]
    assert table["neighbour_operators"].to_pylist() == ["MAG, NPA"]


@given(st.floats(WIDEST_M * 1.001, 20), angle)
def test_a_wider_strip_is_none(strip_m: float, degrees: float) -> None:
    assert len(gaps(make_features(*split_by_strip(strip_m, degrees)), POLICY).gaps) == 0


@given(angle, st.floats(0, 1e-7))
def test_neighbours_whose_common_border_differs_by_rounding_have_none(degrees: float, apart_m: float) -> None:
    assert len(gaps(make_features(*split_by_strip(apart_m, degrees)), POLICY).gaps) == 0


@given(st.floats(45, 135), angle)
def test_an_ordinary_corner_is_none(opening: float, degrees: float) -> None:
    """Of one release that is notched, whatever the angle of the notch."""
    notch = shapely.Polygon([(50, 50), (200, 50), affinity.rotate(shapely.Point(200, 50), opening, (50, 50))])
    ground = turned(shapely.difference(shapely.box(0, 0, 100, 100), notch), degrees)
    assert len(strips_between(np.array([ground]), WIDEST_M, NARROWEST_M).geometry) == 0


@given(records())
def test_a_gap_is_ground_that_remains_and_that_no_release_covers(areas: list[Area]) -> None:
    state = both(areas)
    ground = dict(zip(state.features.table["row_id"].to_pylist(), state.features.geometry, strict=True))
    left = dict(
        zip(state.remaining.table["hazard_row_id"].to_pylist(), state.remaining.geometry, strict=True)
    )
    land = state.features.geometry[state.features.flags("kind", ["CLEARED"])]
    for row, gap in zip(state.gaps.table["hazard_row_id"].to_pylist(), state.gaps.geometry, strict=True):
        assert shapely.area(shapely.intersection(gap, shapely.union_all(land))) < 1e-6
        if row is not None:
            kept = left.get(row, ground[row])
            assert shapely.area(shapely.difference(gap, kept)) < 1e-6
        assert shapely.is_valid(gap)


@given(records())
def test_what_remains_and_what_was_released_are_the_hazard_area(areas: list[Area]) -> None:
    state = both(areas)
    row_of = {row: at for at, row in enumerate(state.features.table["row_id"].to_pylist())}
    for row, left in zip(state.remaining.table.to_pylist(), state.remaining.geometry, strict=True):
        area = state.features.geometry[row_of[row["hazard_row_id"]]]
        land = state.features.geometry[state.features.flags("kind", ["CLEARED"])]
        released_here = shapely.union_all([shapely.intersection(area, one) for one in land])
        if row["releases"] == 0:
            released_here = shapely.Polygon()
        assert (row["date_surveyed"] is not None) == (row["releases"] > 0)
        assert left.area + released_here.area == pytest.approx(area.area, rel=1e-9, abs=1e-8)
        assert row["remaining_m2"] + row["released_m2"] == pytest.approx(row["area_m2"], rel=1e-9)
        assert row["remaining_m2"] == pytest.approx(left.area, rel=1e-9, abs=1e-6)


def told(state: State) -> list[tuple[object, ...]]:
    """Gaps and remaining areas without the numbers of rows."""
    strips = state.gaps.table.to_pylist()
    left = state.remaining.table.to_pylist()
    return sorted(
        [(r["hazard_id"] or "", r["neighbours"], round(r["area_m2"], 3)) for r in strips]
        + [(r["hazard_id"], str(r["releases"]), round(r["remaining_m2"], 3)) for r in left]
    )


@given(st.data())
def test_the_order_of_records_changes_nothing(data: st.DataObject) -> None:
    areas = data.draw(records())
    assert told(both(data.draw(st.permutations(areas)))) == told(both(areas))


@given(records(), st.integers(-50, 50), st.integers(-50, 50))
def test_moving_everything_changes_nothing(areas: list[Area], east_km: int, north_km: int) -> None:
    moved = [
        Area(**{**vars(one), "ground": affinity.translate(one.ground, east_km * 1024, north_km * 1024)})
        for one in areas
    ]
    here, there = told(both(areas)), told(both(moved))
    assert [row[:2] for row in here] == [row[:2] for row in there]
    for one, other in zip(here, there, strict=True):
        assert one[2] == pytest.approx(other[2], abs=2e-3)


@given(st.lists(polygons(), min_size=1, max_size=6))
def test_no_place_of_a_gap_is_far_from_released_land(grounds: list[shapely.Polygon]) -> None:
    land = shapely.union_all(grounds)
    for strip in strips_between(np.array(grounds), WIDEST_M, NARROWEST_M).geometry:
        corners = shapely.points(shapely.get_coordinates(shapely.segmentize(strip, 0.1)))
        middle = shapely.maximum_inscribed_circle(strip)
        assert shapely.distance(corners, land).max() <= WIDEST_M / 2
        assert shapely.distance(shapely.get_point(middle, 0), land) <= WIDEST_M
