"""Laws of samples, on whatever mixture of released land hypothesis can think of."""

import datetime as dt
from math import fsum

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from make import POLICY, box, make_features, released

from geopipe.errors import ConfigError
from geopipe.sampling.boxes import boxes_in
from geopipe.sampling.chance import draw_equal, draw_weighted
from geopipe.sampling.interval import clopper_pearson
from geopipe.sampling.plan import Plan
from geopipe.sampling.population import population_of
from geopipe.sampling.strata import allocate
from geopipe.stages.overlaps import overlaps

DAYS = st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 4))
SIDES = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 9))
RECORDS = st.lists(st.tuples(SIDES, st.sampled_from(["MAG", "UXO Lao"]), DAYS), min_size=1, max_size=9)


def records_of(drawn):
    return [
        released(box(w * 10, s * 10, (w + x) * 10, (s + y) * 10), operator, f"C{n}", when=day)
        for n, ((w, s, x, y), operator, day) in enumerate(drawn)
    ]


def population(records, undated):
    state = overlaps(make_features(*records), POLICY)
    return population_of(state.features, state.overlaps, Plan(seed=1, count=1, undated=undated))


@given(RECORDS, st.booleans())
def test_each_square_metre_has_one_owner_and_none_is_lost(drawn, undated):
    records = [r for r in records_of(drawn) if undated or r.completed]
    assume(records)
    found = population(records, undated)
    union_m2 = shapely.union_all([r.ground for r in records]).area
    assert found.total_m2 == pytest.approx(union_m2, rel=1e-9)
    assert shapely.union_all(found.areas.geometry).area == pytest.approx(union_m2, rel=1e-9)
    assert len(found.areas) + len(found.excluded) == len(records)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(drawn, random):
    records = records_of(drawn)
    mixed = list(records)
    random.shuffle(mixed)
    try:
        one, other = (population(rows, undated=True) for rows in (records, mixed))
    except ConfigError:
        return
    assert one.key == other.key
    assert [a.equals(b) for a, b in zip(one.areas.geometry, other.areas.geometry, strict=True)] == [
        True
    ] * len(one.key)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    st.integers(1, 50),
    st.integers(-(2**70), 2**70),
)
def test_a_weighted_draw_has_its_size_no_key_twice_and_only_keys_with_a_chance(weights, count, seed):
    weights = np.array(weights)
    keys = [f"k{n}" for n in range(len(weights))]
    rows, probability = draw_weighted(keys, weights, count, seed, "areas")
    size = min(count, int((weights > 0).sum()))
    assert len(rows) == len(set(rows.tolist())) == size
    assert (probability[rows] > 0).all()
    assert fsum(probability) == pytest.approx(size, rel=1e-9, abs=1e-9)
    assert ((probability >= 0) & (probability <= 1)).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(), st.randoms(use_true_random=False))
def test_who_is_drawn_does_not_depend_on_the_order_of_the_keys(size, count, seed, random):
    keys = [f"k{n}" for n in range(size)]
    mixed = list(keys)
    random.shuffle(mixed)
    drawn = [{names[row] for row in draw_equal(names, count, seed, "areas")[0]} for names in (keys, mixed)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == min(size, count)


@given(st.dictionaries(st.tuples(st.text(max_size=3)), st.integers(1, 60), min_size=1), st.integers(1, 200))
def test_an_allocation_has_the_size_asked_for_and_no_more_than_there_are(sizes, count):
    given_ = allocate(sizes, Plan(seed=1, count=count))
    assert sum(given_.values()) == min(count, sum(sizes.values()))
    assert all(0 <= given_[name] <= sizes[name] for name in sizes)
    assert count < len(sizes) or min(given_.values()) >= 1


@given(SIDES, st.floats(0.7, 80), st.floats(-100, 100), st.floats(-100, 100), st.floats(0, 90))
def test_the_boxes_of_an_area_are_its_ground(sides, side_m, east, north, degrees):
    west, south, x, y = (value * 1.0 for value in sides)
    ground = shapely.affinity.rotate(shapely.box(west, south, west + x, south + y), degrees)
    ground = shapely.affinity.translate(ground, east, north)
    boxes = boxes_in(ground, side_m)
    assert boxes.ground_m2.sum() == pytest.approx(ground.area, rel=1e-9)
    squares = shapely.box(
        boxes.column * side_m, boxes.row * side_m, (boxes.column + 1) * side_m, (boxes.row + 1) * side_m
    )
    assert all(
        cut.difference(square.buffer(1e-6)).area == 0
        for cut, square in zip(boxes.ground, squares, strict=True)
    )


@given(st.integers(1, 400), st.data())
def test_the_interval_holds_the_share_and_turns_round_with_it(looked_at, data):
    found = data.draw(st.integers(0, looked_at))
    low, high = clopper_pearson(found, looked_at)
    assert 0 <= low <= found / looked_at <= high <= 1
    other_low, other_high = clopper_pearson(looked_at - found, looked_at)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low), abs=1e-9)
