"""Clipper2 as a witness: the same ground as GEOS finds, by an engine of other make."""

import clipper2
import numpy as np
import pytest
import shapely
from make import ORIGIN, box, square

from geopipe import clipper
from geopipe.clipper import clipped, clipped_m2


def shared_m2(one, other):
    return clipped_m2(np.array([one, other], dtype=object), np.array([0]), np.array([1]))[0]


FRAME = shapely.difference(square(), square(30, 30, 40))
PARTS = shapely.MultiPolygon([square(), square(300)])


@pytest.mark.parametrize(
    ("one", "other", "m2"),
    [
        (square(), square(50), 5000),
        (square(), square(), 10_000),
        (square(), square(20, 20, 30), 900),
        (square(), square(100), 0),
        (square(), square(500), 0),
        (FRAME, square(), 8400),
        (FRAME, FRAME, 8400),
        (FRAME, square(30, 30, 40), 0),
        (shapely.reverse(FRAME), square(0, 0, 50), 2100),
        (PARTS, box(50, 0, 350, 100), 10_000),
        (PARTS, PARTS, 20_000),
    ],
)
def test_ground_is_measured_and_drawn(one, other, m2):
    assert shared_m2(one, other) == pytest.approx(m2, abs=1e-6)
    assert shared_m2(other, one) == pytest.approx(m2, abs=1e-6)
    ground = clipped(one, other)
    assert ground.is_valid
    assert ground.area == pytest.approx(m2, abs=1e-5)
    assert shapely.symmetric_difference(ground, shapely.intersection(one, other)).area < 1e-4


def test_a_strip_of_a_centimetre_is_measured_to_a_square_millimetre_wherever_it_lies():
    for far_m in (0.0, 123_456.789, 4_000_000.0):
        strip = shapely.transform(shapely.box(0, 0, 0.01, 500), lambda points, far_m=far_m: points + far_m)
        assert shared_m2(strip, strip) == pytest.approx(strip.area, abs=1e-6)


def test_large_outlines_are_cut_to_the_common_box_without_changing_what_they_share():
    angle = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    radius = 1_000 + 300 * np.sin(37 * angle)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None] + ORIGIN
    large = shapely.Polygon(ring, [ring[::7] * 0.5 + np.array(ORIGIN) * 0.5])
    for other in (square(600, 0, 300), square(-50, -50, 100), box(-2000, -5, 2000, 5), large):
        expected = shapely.intersection(large, other).area
        assert shared_m2(large, other) == pytest.approx(expected, abs=1e-4)
        assert shared_m2(other, large) == pytest.approx(expected, abs=1e-4)


def test_many_pairs_keep_their_order(monkeypatch):
    monkeypatch.setattr(clipper, "_PAIRS_AT_ONCE", 3)
    shapes = np.array([square(10.0 * n) for n in range(8)], dtype=object)
    left, right = np.triu_indices(8, 1)
    expected = [100 * (100 - 10 * (b - a)) for a, b in zip(left, right, strict=True)]
    assert clipped_m2(shapes, left, right).tolist() == pytest.approx(expected)
    assert len(clipped_m2(shapes, left[:0], right[:0])) == 0


def test_a_pair_on_which_clipper_fails_has_no_area_and_no_ground(monkeypatch):
    def failing(*_args):
        raise clipper2.Clipper2Error("out of range")

    monkeypatch.setattr(clipper.clipper2, "intersect", failing)
    assert np.isnan(shared_m2(square(), square(50)))
    assert clipped(square(), square(50)).is_empty
