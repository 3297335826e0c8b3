"""Shared ground against two engines that have nothing of GEOS in them.

Exact rational arithmetic for convex polygons (clipping by half planes, written here), and
Clipper2 on integers of a micrometre for polygons of any shape.
"""

from __future__ import annotations

from fractions import Fraction

import clipper2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from make import interleaved, touching_rectangles

from geopipe.overlay import shared_ground
from geopipe.stages.overlaps import TOUCH_M

ORIGIN = np.array([500_000.0, 2_000_000.0])
MICROMETRES = 1_000_000
Point = tuple[Fraction, Fraction]


def exact_ring(shape: shapely.Polygon) -> list[Point]:
    """The corners of a convex polygon, counter-clockwise, as the fractions that floats are."""
    ring = np.array(shapely.orient_polygons(shape).exterior.coords)[:-1]
    return [(Fraction(x), Fraction(y)) for x, y in ring]


def side(a: Point, b: Point, p: Point) -> Fraction:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def clipped(subject: list[Point], clip: list[Point]) -> list[Point]:
    """Sutherland and Hodgman: what of a polygon lies left of every edge of a convex one."""
    for a, b in zip(clip, clip[1:] + clip[:1], strict=True):
        before, subject = subject, []
        for p, q in zip(before, before[1:] + before[:1], strict=True):
            at_p, at_q = side(a, b, p), side(a, b, q)
            if at_p >= 0:
                subject.append(p)
            if (at_p > 0 > at_q) or (at_p < 0 < at_q):
                t = at_p / (at_p - at_q)
                subject.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
        if not subject:
            return []
    return subject


def exact_m2(first: shapely.Polygon, second: shapely.Polygon) -> Fraction:
    """The area that two convex polygons share, without any rounding."""
    ring = clipped(exact_ring(first), exact_ring(second))
    return (
        sum((p[0] * q[1] - q[0] * p[1] for p, q in zip(ring, ring[1:] + ring[:1], strict=True)), Fraction(0))
        / 2
    )


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
    exact = float(exact_m2(first, second))
    assert ours_m2(first, second) == pytest.approx(exact, abs=bound_m2(first, second))
    assert ours_m2(second, first) == pytest.approx(exact, abs=bound_m2(first, second))


@settings(max_examples=100)
@given(convex, st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_a_polygon_and_its_copy_a_hair_beside_it_share_what_exact_arithmetic_says(shape, x, y):
    beside = shapely.transform(shape, lambda corners: corners + np.array([x, y]))
    exact = float(exact_m2(shape, beside))
    assert ours_m2(shape, beside) == pytest.approx(exact, abs=bound_m2(shape, beside))


@st.composite
def stars(draw: st.DrawFn) -> shapely.Polygon:
    """A valid polygon of any outline, seen from a middle; sometimes with a hole."""
    count = draw(st.integers(5, 24))
    radii = np.array(draw(st.lists(st.floats(5, 120), min_size=count, max_size=count)))
    middle = np.array([draw(st.floats(-80, 80)), draw(st.floats(-80, 80))]) + ORIGIN
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    around = np.column_stack([np.cos(angle), np.sin(angle)])
    hole = [middle + around * radii[:, None] * 0.4] if draw(st.booleans()) else []
    return shapely.Polygon(middle + around * radii[:, None], hole)


@settings(max_examples=200)
@given(stars(), stars())
def test_polygons_of_any_shape_share_what_clipper_says(first, second):
    assert first.is_valid
    assert second.is_valid
    assert ours_m2(first, second) == pytest.approx(clipper_m2(first, second), abs=bound_m2(first, second))


@settings(max_examples=60)
@given(st.lists(stars(), min_size=2, max_size=4), st.lists(stars(), min_size=2, max_size=4))
def test_records_of_many_parts_share_what_clipper_says(first, second):
    one, other = shapely.union_all(first), shapely.union_all(second)
    assert ours_m2(one, other) == pytest.approx(clipper_m2(one, other), abs=bound_m2(one, other))


def gross_errors(left, right) -> int:
    shapes, a, b = interleaved(left, right)
    ground = shared_ground(shapes, a, b, TOUCH_M)
    said = np.zeros(len(left))
    said[ground.left // 2] = ground.area_m2
    return sum(
        abs(m2 - float(exact_m2(one, other))) > bound_m2(one, other)
        for m2, one, other in zip(said, left, right, strict=True)
        if m2 > 1e-3
    )


def test_touching_rectangles_far_from_the_origin_share_nothing():
    left, right = touching_rectangles(20_000)
    left, right = (shapely.transform(shapes, lambda corners: corners + ORIGIN) for shapes in (left, right))
    assert gross_errors(left, right) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_touching_rectangles_near_the_origin_are_never_said_to_share_a_whole_rectangle(seed):
    assert gross_errors(*touching_rectangles(6_000, seed=seed)) == 0


def test_the_exact_arithmetic_is_right_on_squares():
    unit = shapely.box(0, 0, 4, 4)
    assert exact_m2(unit, shapely.box(1, 2, 9, 9)) == 6
    assert exact_m2(unit, shapely.box(4, 0, 8, 4)) == 0
    assert exact_m2(unit, shapely.box(9, 9, 10, 10)) == 0
    assert clipper_m2(unit, shapely.box(1, 2, 9, 9)) == 6
