"""Shared ground against measures that do not come from geopipe.

Exact arithmetic for polygons of any shape; and Clipper2, called here on integers of a micrometre, for real
polygons of thousands of corners. Near the borders of others is `test_exactness.py`.
"""

from __future__ import annotations

import clipper2
import numpy as np
import pyogrio
import pytest
import shapely
from exact import exact_m2
from hypothesis import given, settings
from hypothesis import strategies as st
from make import ORIGIN as PLACE
from pyproj import Transformer

from geopipe.engine.measure import TOUCH_M
from geopipe.geometry import polygon_parts
from geopipe.overlay import shared_ground

ORIGIN = np.array(PLACE)
MICROMETRES = 1_000_000


def clipper_m2(first: shapely.Geometry, second: shapely.Geometry) -> float:
    """The area that two polygons share by Clipper2, on integers of a micrometre from a local origin."""
    origin = np.array(first.bounds[:2])

    def paths(shape):
        rings = shapely.get_rings(shapely.orient_polygons(shapely.get_parts(shape)))
        return [
            np.rint((np.array(ring.coords)[:-1] - origin) * MICROMETRES).astype(np.int64) for ring in rings
        ]

    solution = clipper2.intersect(paths(first), paths(second), clipper2.FillRule.NON_ZERO)
    return sum(clipper2.area(path) for path in solution) / MICROMETRES**2


def ours_m2(first: shapely.Geometry, second: shapely.Geometry) -> float:
    shapes = np.array([first, second], dtype=object)
    ground = shared_ground(shapes, np.array([0]), np.array([1]), TOUCH_M)
    return float(ground.area_m2.sum())


def bound_m2(*shapes: shapely.Geometry) -> float:
    """Less than a micrometre along all borders (a touching border), and the rounding of large coordinates."""
    return 2e-6 * sum(shape.length for shape in shapes) + 1e-6


grid = st.integers(-8, 8).map(lambda n: n * 12.5)
loose = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 6))
number = st.one_of(grid, loose)
points = st.lists(st.tuples(number, number), min_size=3, max_size=10)


def hull(corners) -> shapely.Geometry:
    return shapely.convex_hull(shapely.multipoints(np.array(corners) + ORIGIN))


convex = points.map(hull).filter(lambda shape: shape.geom_type == "Polygon" and shape.area > 1e-3)


@settings(max_examples=300)
@given(convex, convex)
def test_convex_polygons_share_what_exact_arithmetic_says(first, second):
    exact = exact_m2(first, second)
    assert ours_m2(first, second) == pytest.approx(exact, abs=bound_m2(first, second))
    assert ours_m2(second, first) == pytest.approx(exact, abs=bound_m2(first, second))


@settings(max_examples=100)
@given(convex, st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_a_polygon_and_its_copy_a_hair_beside_it_share_what_exact_arithmetic_says(shape, x, y):
    beside = shapely.transform(shape, lambda corners: corners + np.array([x, y]))
    exact = exact_m2(shape, beside)
    assert ours_m2(shape, beside) == pytest.approx(exact, abs=bound_m2(shape, beside))


@st.composite
def stars(draw: st.DrawFn) -> shapely.Polygon:
    """A valid polygon of any outline, seen from a middle; sometimes with a hole."""
    count = draw(st.integers(5, 12))
    radii = np.array(draw(st.lists(st.floats(5, 120), min_size=count, max_size=count)))
    middle = np.array([draw(st.floats(-80, 80)), draw(st.floats(-80, 80))]) + ORIGIN
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    around = np.column_stack([np.cos(angle), np.sin(angle)])
    hole = [middle + around * radii[:, None] * 0.4] if draw(st.booleans()) else []
    return shapely.Polygon(middle + around * radii[:, None], hole)


@settings(max_examples=100)
@given(stars(), stars())
def test_polygons_of_any_shape_share_what_exact_arithmetic_says(first, second):
    assert first.is_valid
    assert second.is_valid
    assert ours_m2(first, second) == pytest.approx(exact_m2(first, second), abs=bound_m2(first, second))


@settings(max_examples=60)
@given(st.lists(stars(), min_size=2, max_size=4), st.lists(stars(), min_size=2, max_size=4))
def test_records_of_many_parts_share_what_clipper_says(first, second):
    one, other = shapely.union_all(first), shapely.union_all(second)
    assert ours_m2(one, other) == pytest.approx(clipper_m2(one, other), abs=bound_m2(one, other))


def test_the_exact_arithmetic_is_right_where_a_person_can_reckon():
    frame = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(3, 3), (3, 6), (6, 6), (6, 3)]])
    ell = shapely.Polygon([(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)])
    unit, triangle = shapely.box(0, 0, 4, 4), shapely.Polygon([(0, 0), (3, 0), (0, 1)])
    assert exact_m2(unit, shapely.box(1, 2, 9, 9)) == 6
    assert exact_m2(unit, shapely.box(4, 0, 8, 4)) == 0
    assert exact_m2(unit, shapely.box(9, 9, 10, 10)) == 0
    assert exact_m2(unit, unit) == exact_m2(unit, shapely.reverse(unit)) == 16
    assert exact_m2(triangle, shapely.box(0, 0, 1, 1)) == pytest.approx(5 / 6, rel=1e-15)
    assert exact_m2(frame, shapely.box(2, 2, 7, 7)) == 16
    assert exact_m2(frame, frame) == 91
    assert exact_m2(ell, unit) == exact_m2(ell, ell) == 7
    assert exact_m2(ell, shapely.box(0.5, 0.5, 2, 2)) == 1.25
    assert exact_m2(shapely.MultiPolygon([ell, shapely.box(2, 2, 3, 3)]), unit) == 8
    assert clipper_m2(unit, shapely.box(1, 2, 9, 9)) == 6


def test_the_exact_arithmetic_sees_the_last_bit_of_a_coordinate():
    beside = np.nextafter(PLACE[0], np.inf)
    bit_m = beside - PLACE[0]
    one, other = shapely.box(PLACE[0] - 64, 0, beside, 64), shapely.box(PLACE[0], 0, PLACE[0] + 64, 64)
    assert exact_m2(one, other) == 64 * bit_m


REAL = {
    "bih-mines": ("suspect_areas_simplyfied", "cleared_areas_simplyfied"),
    "kh-concessions": ("kh_mining_concessions", "protected_areas_and_forests", "key_biodiversity_areas"),
}


def real_polygons(folder, names):
    """Polygons of GeoJSON files in an equal-area CRS around their middle, mended by shapely."""
    shapes = np.concatenate(
        [shapely.from_wkb(pyogrio.raw.read(folder / f"{name}.geojson")[2]) for name in names]
    )
    shapes = polygon_parts(shapely.make_valid(shapely.force_2d(shapes[~shapely.is_missing(shapes)])))
    west, south, east, north = shapely.total_bounds(shapes)
    crs = (
        f"+proj=aea +lat_1={south} +lat_2={north} +lat_0={south} +lon_0={(west + east) / 2} "
        "+x_0=5000000 +y_0=5000000 +datum=WGS84 +units=m"
    )
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    moved = shapely.transform(shapes, lambda points: np.column_stack(to_metres.transform(*points.T)))
    return polygon_parts(shapely.make_valid(moved))


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_real_polygons_share_what_clipper_says_or_are_told_to_be_uncertain(real_data, name):
    shapes = real_polygons(real_data / name, REAL[name])
    left, right = shapely.STRtree(shapes).query(shapes)
    pairs = np.column_stack([left, right])[left < right]
    pairs = np.random.default_rng(2026).permutation(pairs)[:1_500]
    ground = shared_ground(shapes, *pairs.T, TOUCH_M)
    said = dict(zip(zip(ground.left, ground.right, strict=True), ground.area_m2, strict=True))
    uncertain = set(
        zip(*(side[ground.confidence == "uncertain"] for side in (ground.left, ground.right)), strict=True)
    )
    compared = 0
    for one, other in map(tuple, pairs):
        expected = clipper_m2(shapes[one], shapes[other])
        difference = abs(said.get((one, other), 0.0) - expected)
        assert difference <= max(0.01, 1e-6 * expected) or (one, other) in uncertain
        compared += expected > 1
    assert compared > 100


@pytest.mark.real
def test_real_polygons_share_what_exact_arithmetic_says(real_data):
    shapes = real_polygons(real_data / "bih-mines", REAL["bih-mines"])
    shapes = shapes[shapely.get_num_coordinates(shapes) <= 16]
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.random.default_rng(2026).permutation(np.column_stack([left, right])[left < right])[:250]
    ground = shared_ground(shapes, *pairs.T, TOUCH_M)
    said = dict(zip(zip(ground.left, ground.right, strict=True), ground.area_m2, strict=True))
    exact = {pair: exact_m2(*shapes[list(pair)]) for pair in map(tuple, pairs)}
    assert len(said) > 50
    for pair, m2 in exact.items():
        assert said.get(pair, 0.0) == pytest.approx(m2, rel=1e-9, abs=1e-5)
