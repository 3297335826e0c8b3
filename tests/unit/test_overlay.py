"""Shared ground is exact, or it is checked; no pair is lost and none is invented."""

import numpy as np
import pytest
import shapely
from make import box, interleaved, polygon, square, touching_rectangles

from geopipe import overlay
from geopipe.engine.measure import TOUCH_M
from geopipe.overlay import shared_ground


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


NOTHING = shapely.Polygon()
BOW_TIE = polygon((0, 0), (100, 100), (100, 0), (0, 100))


class Failure:
    """What an engine says when it fails."""


def answering(result):
    """An overlay that gives the same answer to all pairs, or fails on all."""

    def overlaid(a, *_others, **_more):
        if result is Failure:
            raise shapely.errors.GEOSException("TopologyException: side location conflict")
        return np.full(len(a), result) if isinstance(a, np.ndarray) else result

    return overlaid


@pytest.fixture
def say(monkeypatch):
    """Put words into the mouths of the engines; those not named speak for themselves."""
    real = shapely.intersection

    def put(floating=None, gridded=None, clipper=None):
        said = [real if words is None else answering(words) for words in (floating, gridded)]

        def intersection(a, b, **more):
            return said["grid_size" in more](a, b, **more)

        monkeypatch.setattr(overlay.shapely, "intersection", intersection)
        if clipper is not None:
            area_m2, ground = (np.nan, NOTHING) if clipper is Failure else (clipper.area, clipper)
            monkeypatch.setattr(overlay, "clipped_m2", lambda _g, left, _r: np.full(len(left), area_m2))
            monkeypatch.setattr(overlay, "clipped", lambda _a, _b: ground)

    return put


@pytest.mark.parametrize("wrong", [square(), square(100), shapely.union(square(), square(100))])
def test_a_whole_polygon_reported_for_a_touching_pair_is_not_believed(say, wrong):
    say(floating=wrong)
    assert shared(square(), square(100)) is None


@pytest.mark.parametrize(
    "wrong", [square(), box(90, 0, 100, 50), NOTHING, square(90), BOW_TIE, Failure],
    ids=["whole", "half", "nothing", "other", "invalid", "failure"],
)  # fmt: skip
def test_two_that_agree_correct_the_floating_result(say, wrong):
    say(floating=wrong)
    area_m2, confidence = shared(square(), square(90))
    assert area_m2 == pytest.approx(1000, abs=1e-5)
    assert confidence == "checked"


SPIKED = polygon((50, 0), (100, 0), (100, 50), (120, 50), (100, 50), (100, 100), (50, 100))


@pytest.mark.parametrize("words", [{"floating": SPIKED}, {"floating": Failure, "clipper": SPIKED}])
def test_an_invalid_result_is_not_handed_on_though_its_area_is_right(say, words):
    assert SPIKED.area == 5000
    say(**words)
    pair = np.array([square(), square(50)], dtype=object)
    ground = shared_ground(pair, np.array([0]), np.array([1]), TOUCH_M)
    assert shapely.is_valid(ground.geometry).all()
    assert ground.confidence.tolist() == ["checked"]


@pytest.mark.parametrize("wrong", [square(), NOTHING, Failure])
def test_a_witness_that_is_wrong_is_outvoted(say, wrong):
    say(clipper=wrong)
    assert shared(square(), square(50)) == (5000, "checked")


@pytest.mark.parametrize("wrong", [NOTHING, Failure])
def test_a_grid_that_is_wrong_is_not_asked_where_the_others_agree(say, wrong):
    say(gridded=wrong)
    assert shared(square(), square(50)) == (5000, "exact")


@pytest.mark.parametrize("largest", ["floating", "gridded", "clipper"])
def test_where_all_three_differ_the_largest_is_kept_and_told_to_be_uncertain(say, largest):
    words = {"floating": box(50, 0, 60, 100), "gridded": box(50, 0, 70, 100), "clipper": box(50, 0, 80, 100)}
    words[largest] = box(50, 0, 99, 100)
    say(**words)
    assert shared(square(), square(50)) == (4900, "uncertain")


def test_where_all_three_differ_interiors_that_do_not_meet_share_nothing(say):
    say(floating=square(), gridded=NOTHING, clipper=box(90, 0, 100, 100))
    assert shared(square(), square(100)) is None
    assert shared(square(), square(99)) == (10_000, "uncertain")


def test_what_two_engines_lost_is_kept(say):
    say(gridded=Failure, clipper=NOTHING)
    assert shared(square(), square(50)) == (5000, "uncertain")


def test_a_pair_on_which_the_engine_fails_twice_is_kept_as_the_witness_sees_it(say):
    say(floating=Failure, gridded=Failure)
    assert shared(square(), square(50, side=80)) == (pytest.approx(4000), "uncertain")


def test_a_pair_on_which_all_fail_is_kept_with_all_it_could_be(say):
    say(Failure, Failure, Failure)
    assert shared(square(), square(50, side=80)) == (6400, "uncertain")


@pytest.mark.parametrize("predicate", ["intersects", "relate_pattern"])
def test_a_predicate_that_fails_drops_no_pair(monkeypatch, predicate):
    monkeypatch.setattr(overlay.shapely, predicate, answering(Failure))
    assert shared(square(), square(100 - 1e-5)) == (pytest.approx(1e-3, rel=1e-4), "exact")
    assert shared(square(), square(300)) is None


def test_a_small_area_between_polygons_that_only_touch_is_not_believed(say):
    say(floating=box(100, 50, 100.02, 50.02))
    assert shared(square(), square(100)) is None
    assert shared(square(), square(99.98)) == (pytest.approx(2), "checked")


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
    assert ground.area_m2.tolist() == pytest.approx([5000, 5000])
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
