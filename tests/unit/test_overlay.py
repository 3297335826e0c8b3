"""Shared ground is exact, or it is checked; no pair is lost and none is invented."""

import numpy as np
import pytest
import shapely
from make import box, interleaved, polygon, square, touching_rectangles

from geopipe import overlay
from geopipe.overlay import shared_ground
from geopipe.stages.overlaps import TOUCH_M


def shared(*shapes, touch_m=TOUCH_M):
    """The shared ground of the first two shapes: (m2, confidence), or None."""
    ground = shared_ground(np.array(shapes, dtype=object), np.array([0]), np.array([1]), touch_m)
    return (ground.area_m2[0], ground.confidence[0]) if len(ground.left) else None


def test_a_plain_overlap_is_exact():
    assert shared(square(), square(50)) == (5000, "exact")


@pytest.mark.parametrize(
    "other",
    [
        square(100),  # a common edge
        square(100, 100),  # a common corner
        box(100, 30, 200, 60),  # an edge within an edge
        square(300),
        polygon((100, 50), (150, 0), (150, 100)),  # a corner on an edge
    ],
)
def test_what_only_touches_shares_nothing(other):
    assert shared(square(), other) is None


def test_touching_parts_do_not_hide_a_real_overlap():
    both = shapely.MultiPolygon([square(100), square(-50, -50, 75)])
    assert shared(square(), both)[0] == pytest.approx(625)


@pytest.mark.parametrize("width", [1e-5, 1e-4, 1e-3, 0.01])
def test_an_overlap_a_hundredth_of_a_millimetre_wide_is_not_lost(width):
    found = shared(square(), square(100 - width))
    assert found[0] == pytest.approx(100 * width, rel=1e-3)


def test_less_than_a_micrometre_is_a_touching_border():
    assert shared(square(), square(100 - 1e-8)) is None


@pytest.mark.parametrize(
    "offset",
    [
        pytest.param(0.0),
        500_000.0,
    ],
)
def test_no_rotated_neighbours_are_said_to_share_a_whole_polygon(offset):
    # Near a local origin GEOS reports a whole polygon for some of these (shapely #2368).
    shapes, left, right = interleaved(*touching_rectangles(6000))
    shapes = shapely.transform(shapes, lambda points: points + offset)
    ground = shared_ground(shapes, left, right, TOUCH_M)
    assert len(ground.left) == 0
    assert len(shared_ground(shapes, right, left, TOUCH_M).left) == 0


def test_the_engine_itself_does_err_on_touching_rectangles_so_that_the_check_is_needed():
    left, right = touching_rectangles(6000)
    assert (shapely.area(shapely.intersection(left, right)) > 1).sum() > 50


@pytest.mark.parametrize("which", ["left", "right"])
def test_a_whole_polygon_reported_for_a_touching_pair_is_corrected(monkeypatch, which):
    real = shapely.intersection

    def wrong(a, b, grid_size=None, **more):
        return real(a, b, grid_size=grid_size, **more) if grid_size else (a if which == "left" else b)

    monkeypatch.setattr(overlay.shapely, "intersection", wrong)
    assert shared(square(), square(100)) is None
    area_m2, confidence = shared(square(), square(90))
    assert area_m2 == pytest.approx(1000) or confidence == "uncertain"


def test_where_two_results_differ_none_of_the_overlap_is_lost(monkeypatch):
    real = shapely.intersection

    def too_much(a, b, grid_size=None, **more):
        return real(a, b, grid_size=grid_size, **more) if grid_size else a

    monkeypatch.setattr(overlay.shapely, "intersection", too_much)
    area_m2, confidence = shared(square(), square(50))
    assert area_m2 == pytest.approx(5000) or (area_m2 > 5000 and confidence == "uncertain")


def test_an_overlap_that_the_grid_loses_is_not_lost(monkeypatch):
    real = shapely.intersection

    def nothing_on_a_grid(a, b, grid_size=None, **more):
        return np.full(len(np.atleast_1d(a)), shapely.Polygon()) if grid_size else real(a, b, **more)

    monkeypatch.setattr(overlay.shapely, "intersection", nothing_on_a_grid)
    area_m2, confidence = shared(square(), square(0.001))  # 99.999 % of either: looked at twice
    assert area_m2 == pytest.approx(9999.9)
    assert confidence == "uncertain"


def test_a_small_area_between_polygons_that_only_touch_is_not_believed(monkeypatch):
    def crumb(a, _b, **_more):
        return np.full(len(np.atleast_1d(a)), box(100, 50, 100.02, 50.02))

    monkeypatch.setattr(overlay.shapely, "intersection", crumb)
    assert shared(square(), square(100)) is None
    assert shared(square(), square(99.98))[0] == pytest.approx(4e-4, rel=1e-3)


def test_a_pair_on_which_the_engine_fails_is_computed_on_a_grid(monkeypatch):
    real = shapely.intersection

    def failing(a, b, grid_size=None, **more):
        if grid_size is None:
            raise shapely.errors.GEOSException("TopologyException: side location conflict")
        return real(a, b, grid_size=grid_size, **more)

    monkeypatch.setattr(overlay.shapely, "intersection", failing)
    area_m2, confidence = shared(square(), square(50))
    assert area_m2 == pytest.approx(5000)
    assert confidence == "checked"


def test_a_pair_on_which_the_engine_fails_twice_is_kept_with_all_it_could_be(monkeypatch):
    def failing(*_args, **_more):
        raise shapely.errors.GEOSException("TopologyException: side location conflict")

    monkeypatch.setattr(overlay.shapely, "intersection", failing)
    assert shared(square(), square(50, side=80)) == (6400, "uncertain")


def test_one_bad_pair_does_not_change_the_others(monkeypatch):
    real = shapely.intersection
    bad = square(2000)

    def failing(a, b, grid_size=None, **more):
        if any(shape.equals(bad) for shape in np.atleast_1d(a)):
            raise shapely.errors.GEOSException("TopologyException")
        return real(a, b, grid_size=grid_size, **more)

    monkeypatch.setattr(overlay.shapely, "intersection", failing)
    shapes = np.array([square(), square(50), bad, square(2050)], dtype=object)
    ground = shared_ground(shapes, np.array([0, 2]), np.array([1, 3]), TOUCH_M)
    assert ground.area_m2.tolist() == [5000, 10_000]
    assert ground.confidence.tolist() == ["exact", "uncertain"]


def test_a_polygon_inside_another_is_wholly_shared_and_exact():
    assert shared(square(), square(20, 20, 30)) == (900, "exact")
    assert shared(square(), square()) == (10_000, "exact")


def test_shared_ground_holds_polygons_only():
    # They overlap in one place and touch along a line in another.
    comb = shapely.union_all([box(0, 0, 300, 10), box(0, 0, 10, 100), box(290, 0, 300, 100)])
    other = shapely.union_all([box(0, 90, 300, 120), box(300, 0, 310, 120)])
    ground = shared_ground(np.array([comb, other], dtype=object), np.array([0]), np.array([1]), TOUCH_M)
    assert set(shapely.get_type_id(ground.geometry)) <= {3, 6}
    assert ground.area_m2[0] == pytest.approx(200)


def test_no_candidates_share_nothing():
    none = np.array([], dtype=np.intp)
    assert len(shared_ground(np.array([square()], dtype=object), none, none, TOUCH_M).left) == 0


def test_pairs_keep_their_order():
    shapes = np.array([square(10.0 * n) for n in range(20)], dtype=object)
    left, right = np.triu_indices(20, 1)
    ground = shared_ground(shapes, left, right, TOUCH_M)
    expected = [max(0, 100 - 10 * (b - a)) * 100 for a, b in zip(ground.left, ground.right, strict=True)]
    assert ground.area_m2.tolist() == pytest.approx(expected)
    assert len(ground.left) == sum(b - a < 10 for a, b in zip(left, right, strict=True))
