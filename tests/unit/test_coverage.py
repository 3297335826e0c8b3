"""Ground is counted once, however many records claim it, and the totals close."""

from math import fsum

import numpy as np
import pytest
import shapely
from make import (
    HAZARD,
    POLICY,
    RELEASED,
    area,
    box,
    claimed,
    hazard,
    make_features,
    polygon,
    released,
    square,
    union_m2,
)

from geopipe.coverage import _evenly
from geopipe.engine.components import component_labels
from geopipe.stages.overlaps import overlaps


def counted(*records):
    """Coverage without setting anything aside."""
    return overlaps(make_features(*records), POLICY)


def reconciles(state, ground, kinds):
    """Reported - counted twice = covered, against a plain sum and a plain union."""
    claims = claimed(state, ground)
    inside = state.features.flags("kind", kinds)
    reported = fsum(shapely.area(state.features.geometry[inside]))
    assert fsum(k * m2 for k, m2 in claims.items()) == pytest.approx(reported, rel=1e-9)
    covered = fsum(claims.values())
    assert covered == pytest.approx(union_m2(state.features, kinds), rel=1e-9)
    twice = fsum((k - 1) * m2 for k, m2 in claims.items())
    assert reported - twice == pytest.approx(covered, rel=1e-9)


def test_records_apart_are_claimed_once():
    assert claimed(counted(hazard(square(), id="1"), hazard(square(500), id="2")), "hazard") == {1: 20_000}


def test_two_that_overlap_share_ground_claimed_twice():
    state = counted(hazard(square(), "A", "1"), hazard(square(60), "B", "2"))
    assert claimed(state, "hazard") == {1: 12_000, 2: 4_000}
    reconciles(state, "hazard", HAZARD)


def test_a_three_way_overlap_is_counted_once_and_not_three_times():
    state = counted(hazard(square(), "A", "1"), hazard(square(50), "B", "2"), hazard(square(0, 50), "C", "3"))
    # Where all three meet (50 x 50 m) pairs would take off three times what is there once too often.
    assert claimed(state, "hazard") == pytest.approx({1: 12_500, 2: 5_000, 3: 2_500})
    reconciles(state, "hazard", HAZARD)


def test_the_same_ground_claimed_five_times_is_covered_once():
    state = counted(*(hazard(square(), f"{n}", "1") for n in range(5)))
    assert claimed(state, "hazard") == pytest.approx({5: 10_000})


def test_a_record_inside_another_adds_no_ground():
    state = counted(released(square(), "A", "1"), released(square(20, 20, 50), "B", "2"))
    assert claimed(state, "released") == pytest.approx({1: 7_500, 2: 2_500})


def test_kinds_are_counted_alone_and_as_hazard_or_released_together():
    state = counted(
        area(square(), "SHA", "A", "1"), area(square(50), "CHA", "B", "2"),
        area(square(), "CLEARED", "A", "3"), area(square(50), "REDUCED", "B", "4"),
        area(square(75), "CANCELLED", "B", "5"),
    )  # fmt: skip
    assert claimed(state, "SHA") == {1: 10_000}
    assert claimed(state, "CHA") == {1: 10_000}
    assert claimed(state, "hazard") == pytest.approx({1: 10_000, 2: 5_000})
    assert claimed(state, "CLEARED") == {1: 10_000}
    assert claimed(state, "CANCELLED") == {1: 10_000}
    assert claimed(state, "released") == pytest.approx({1: 50 * 100 + 25 * 100, 2: 25 * 100 + 5000, 3: 2500})
    reconciles(state, "released", RELEASED)


@pytest.mark.parametrize("kind", ["TASK", "UNKNOWN", "SURVEY_BOX"])
def test_what_is_neither_hazard_nor_released_is_never_counted(kind):
    state = counted(
        area(square(), kind, "A", "1"), hazard(square(50), "B", "2"), released(square(70), "C", "3")
    )
    assert claimed(state, "hazard") == {1: 10_000}
    assert claimed(state, "released") == {1: 10_000}
    assert kind not in set(state.coverage.table["ground"].to_pylist())


def test_hazard_and_released_land_do_not_take_from_each_other():
    state = counted(hazard(square(), "A", "1"), released(square(), "B", "2"))
    assert claimed(state, "hazard") == {1: 10_000}
    assert claimed(state, "released") == {1: 10_000}


def test_holes_and_parts_are_counted_as_they_are():
    ring = square().difference(square(25, 25, 50))
    parts = shapely.MultiPolygon([square(30, 30, 40), square(90, 40, 20)])
    state = counted(hazard(ring, "A", "1"), hazard(parts, "B", "2"), hazard(square(-50), "C", "3"))
    reconciles(state, "hazard", HAZARD)


def test_touching_neighbours_are_claimed_once():
    fields = [
        hazard(square(100 * x, 100 * y), "AB"[(x + y) % 2], f"{x}{y}") for x in range(4) for y in range(4)
    ]
    assert claimed(counted(*fields), "hazard") == pytest.approx({1: 160_000})


def test_borders_that_run_a_millimetre_apart_still_close():
    strips = [hazard(box(-n * 1e-3, 0, 100 + n * 1e-3, 100), str(n), "1") for n in range(6)]
    reconciles(counted(*strips), "hazard", HAZARD)


def test_borders_that_coincide_up_to_rounding_still_close():
    random = np.random.default_rng(5)
    ring = np.array([(0, 0), (100, 13), (87, 113), (-13, 100)], float)
    records = [hazard(polygon(*(ring + random.normal(0, 2e-9, ring.shape))), str(n), "1") for n in range(8)]
    records += [hazard(polygon(*(ring + random.normal(0, 0.3, ring.shape))), f"r{n}", "1") for n in range(8)]
    reconciles(counted(*records), "hazard", HAZARD)


@pytest.mark.parametrize("seed", range(6))
def test_the_totals_of_a_random_crowd_reconcile(seed):
    random = np.random.default_rng(seed)
    kinds = [*HAZARD, *RELEASED, "TASK"]
    records = []
    for n in range(60):
        points = random.uniform(0, 400, 2) + random.uniform(-80, 80, (random.integers(3, 12), 2))
        shape = shapely.convex_hull(shapely.multipoints(points + np.array([500_000.0, 2_000_000])))
        records.append(area(shape, kinds[random.integers(len(kinds))], "ABC"[n % 3], str(n)))
    state = counted(*records)
    reconciles(state, "hazard", HAZARD)
    reconciles(state, "released", RELEASED)
    for kind in (*HAZARD, *RELEASED):
        reconciles(state, kind, [kind])
    assert max(claimed(state, "released")) > 3


def test_the_claims_of_a_crowd_agree_with_counting_at_points():
    random = np.random.default_rng(11)
    records = [hazard(square(*random.uniform(0, 200, 2)), str(n), "1") for n in range(12)]
    state = counted(*records)
    probes = shapely.points(random.uniform(0, 300, (60_000, 2)) + np.array([500_000.0, 2_000_000]))
    depth = sum(shapely.contains(record.ground, probes).astype(int) for record in records)
    for claims, m2 in claimed(state, "hazard").items():
        assert (depth == claims).mean() * 90_000 == pytest.approx(m2, abs=1200)


def test_labels_name_the_lowest_row_that_each_hangs_together_with():
    left, right = np.array([7, 1, 5, 2]), np.array([5, 3, 2, 9])
    assert component_labels(10, left, right).tolist() == [0, 1, 2, 1, 4, 2, 6, 2, 8, 2]
    none = np.array([], dtype=np.intp)
    assert component_labels(3, none, none).tolist() == [0, 1, 2]


def test_a_chain_of_a_thousand_is_one_group():
    left = np.arange(999)
    assert set(component_labels(1000, left, left + 1).tolist()) == {0}
    order = np.random.default_rng(0).permutation(1000)
    labels = component_labels(1000, order[:-1], order[1:])
    assert set(labels.tolist()) == {0}


@pytest.mark.parametrize(
    ("reported", "covered"), [(150.0, 100.0), (500.0, 100.0), (560.0, 100.0), (100.0, 100.0)]
)
def test_ground_that_cannot_be_cut_still_reconciles_and_is_never_negative(reported, covered):
    """Many records on one place: more than twice the ground is reported."""
    claims = _evenly(reported, covered)
    assert min(claims.values()) >= 0
    assert sum(claims.values()) == pytest.approx(covered)
    assert sum(k * m2 for k, m2 in claims.items()) == pytest.approx(reported)
