"""What must hold for shared ground whatever the polygons: exchanged, moved, cut up, delivered otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from make import ORIGIN, POLICY, area, hazard, make_features, pairs, through
from pyproj import Transformer

from geopipe.engine.measure import TOUCH_M
from geopipe.overlay import shared_ground
from geopipe.stages.overlaps import overlaps

# Corners on a grid of 12.5 m often coincide with those of others; loose ones hardly ever do.
grid = st.integers(-8, 8).map(lambda n: n * 12.5)
loose = st.integers(-100 * 1024, 100 * 1024).map(lambda n: n / 1024)
offsets = st.tuples(*[st.one_of(grid, loose)] * 2)


@st.composite
def outlines(draw: st.DrawFn) -> shapely.Polygon:
    """A valid polygon around a place: convex, or a star, sometimes with a hole."""
    count = draw(st.integers(3, 12))
    middle = np.array(draw(offsets)) + ORIGIN
    radii = draw(st.lists(st.sampled_from([12.5, 25.0, 40.0, 75.0]), min_size=count, max_size=count))
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + draw(st.sampled_from([0.0, 0.3, np.pi / 4]))
    around = np.column_stack([np.cos(angle), np.sin(angle)]) * np.array(radii)[:, None]
    # Coordinates of whole 1/1024 m can be moved without being rounded.
    ring, hole = (np.round((middle + around * size) * 1024) / 1024 for size in (1.0, 0.4))
    return shapely.Polygon(ring, [hole] if draw(st.booleans()) else [])


valid = outlines().filter(lambda shape: shape.is_valid and shape.area > 10)
crowds = st.lists(valid, min_size=2, max_size=6)


def shared_m2(shapes) -> dict[tuple[int, int], float]:
    """Area of every pair that shares ground, by the positions of the two."""
    left, right = np.triu_indices(len(shapes), 1)
    ground = shared_ground(np.array(shapes, dtype=object), left, right, TOUCH_M)
    return dict(
        zip(zip(ground.left.tolist(), ground.right.tolist(), strict=True), ground.area_m2, strict=True)
    )


def same(one, other):
    """The same pairs and the same areas, but for slivers about as wide as a touching border."""
    for pair in one.keys() | other.keys():
        assert one.get(pair, 0.0) == pytest.approx(other.get(pair, 0.0), rel=1e-9, abs=1e-6 * 500)
    slivers = {pair for pair in one.keys() ^ other.keys() if max(one.get(pair, 0), other.get(pair, 0)) < 1e-3}
    assert one.keys() ^ other.keys() == slivers


@given(crowds)
def test_left_and_right_may_be_exchanged(shapes):
    backwards = {
        (len(shapes) - 1 - b, len(shapes) - 1 - a): m2 for (a, b), m2 in shared_m2(shapes[::-1]).items()
    }
    same(shared_m2(shapes), backwards)


@given(crowds, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_no_digit(shapes, random):
    records = [
        area(shape, random.choice(["CHA", "CLEARED"]), random.choice(["MAG", "HALO"]), f"n{n}", row=n)
        for n, shape in enumerate(shapes)
    ]
    shuffled = random.sample(records, len(records))
    found, again = (pairs(overlaps(make_features(*some), POLICY)) for some in (records, shuffled))
    names = ("left_id", "right_id", "relation", "finding", "area_m2", "confidence")
    assert [[pair[name] for name in names] for pair in found] == [
        [pair[name] for name in names] for pair in again
    ]


@given(crowds, st.sampled_from([(1024.0, -512.0), (-500_000.0, -2_000_000.0), (0.0009765625, 4096.0)]))
def test_moving_all_ground_moves_its_overlaps(shapes, way):
    moved = [shapely.transform(shape, lambda points: points + np.array(way)) for shape in shapes]
    for shape, other in zip(shapes, moved, strict=True):
        assert shape.area == other.area  # nothing was rounded
    same(shared_m2(shapes), shared_m2(moved))


@given(crowds, st.integers(1, 11), st.booleans())
def test_a_ring_may_start_anywhere_and_run_either_way(shapes, start, backwards):
    def told_otherwise(ring):
        points = np.roll(np.array(ring.coords)[:-1], start, axis=0)
        return points[::-1] if backwards else points

    retold = [
        shapely.Polygon(told_otherwise(s.exterior), [told_otherwise(hole) for hole in s.interiors])
        for s in shapes
    ]
    same(shared_m2(shapes), shared_m2(retold))


@given(valid, valid, st.floats(0.1, 0.9))
def test_the_overlaps_of_the_two_halves_of_a_record_add_up(shape, other, where):
    west, south, east, north = shape.bounds
    cut = west + where * (east - west)
    halves = [
        shapely.intersection(shape, shapely.box(a, south - 1, b, north + 1))
        for a, b in ((west - 1, cut), (cut, east + 1))
    ]
    whole = shared_m2([shape, other]).get((0, 1), 0.0)
    apart = shared_m2([*halves, other])
    assert (0, 1) not in apart
    assert apart.get((0, 2), 0.0) + apart.get((1, 2), 0.0) == pytest.approx(whole, abs=2e-6 * 500)


@given(valid)
def test_a_record_shares_all_of_itself_with_itself(shape):
    assert shared_m2([shape, shape]) == {(0, 1): pytest.approx(shape.area, rel=1e-12)}


# The border of UTM zones 47N and 48N: the same turning points can be delivered in either, or in lon/lat.

DELIVERED_IN = ("EPSG:4326", "EPSG:32647", "EPSG:32648")


def delivered_in(crs, shape):
    transformer = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return shapely.transform(shape, lambda points: np.column_stack(transformer.transform(*points.T)))


@st.composite
def neighbourhoods(draw: st.DrawFn) -> list[shapely.Polygon]:
    """Polygons in lon/lat that share turning points, overlap or lie apart, about 10 m to 1 km across."""
    points = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
        lambda place: (102 + place[0] * 7e-4, 18 + place[1] * 7e-4)
    )
    hulls = st.lists(points, min_size=3, max_size=6, unique=True).map(
        lambda corners: shapely.convex_hull(shapely.multipoints(corners))
    )
    of_some_area = hulls.filter(lambda hull: hull.geom_type == "Polygon" and hull.area > 1e-7)
    return draw(st.lists(of_some_area, min_size=2, max_size=5, unique_by=lambda shape: shape.normalize().wkb))


@settings(max_examples=15)
@given(neighbourhoods(), st.randoms(use_true_random=False))
def test_the_same_turning_points_give_the_same_pairs_in_whatever_crs_they_are_delivered(shapes, random):
    def found(crs_of_each):
        records = [
            hazard(delivered_in(crs, shape), operator=f"O{n}", id=str(n), crs=crs)
            for n, (shape, crs) in enumerate(zip(shapes, crs_of_each, strict=True))
        ]
        return {(pair["left_id"], pair["right_id"]): pair for pair in pairs(through(*records))}

    as_lonlat = found([DELIVERED_IN[0]] * len(shapes))
    for choice in (
        [DELIVERED_IN[1]] * len(shapes),
        [DELIVERED_IN[2]] * len(shapes),
        random.choices(DELIVERED_IN, k=len(shapes)),
    ):
        otherwise = found(choice)
        assert otherwise.keys() == as_lonlat.keys()
        for ids, pair in as_lonlat.items():
            assert otherwise[ids]["area_m2"] == pytest.approx(pair["area_m2"], rel=1e-9, abs=1e-4)
            assert (otherwise[ids]["relation"], otherwise[ids]["finding"], otherwise[ids]["confidence"]) == (
                pair["relation"],
                pair["finding"],
                "exact",
            )
