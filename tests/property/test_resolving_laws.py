"""Laws of resolving: whatever is decided about whatever polygons, own points stay and no rest is left."""

import dataclasses

import numpy as np
import shapely
from decided import decided
from hypothesis import assume, given
from hypothesis import strategies as st
from make import LAOS, ORIGIN, hazard, placed

from geopipe.crs import choose_operation, transform
from geopipe.register.outcome import expected
from geopipe.resolving.apply import resolve
from geopipe.resolving.ownpoints import own_points
from geopipe.resolving.rings import Mark, redraw
from geopipe.resolving.write import try_requests
from geopipe.terms import Choice

SYSTEMS = ("EPSG:4326", "EPSG:32648", "EPSG:32647", "EPSG:3857")
CHANGING = ("a_corrects", "b_corrects", "merge_into_a", "merge_into_b", "withdraw_a", "withdraw_b")


@st.composite
def stars(draw, east=0.0):
    """A polygon of 3 to 12 corners around a middle, at most 100 m across; its corners lie anywhere."""
    count = draw(st.integers(3, 12))
    radius = np.array(draw(st.lists(st.floats(10, 50), min_size=count, max_size=count)))
    turn = draw(st.floats(0, 1))
    angle = (np.arange(count) + turn) * 2 * np.pi / count
    shift_x, shift_y = draw(st.floats(-20, 20)), draw(st.floats(-20, 20))
    middle = np.array([ORIGIN[0] + east + shift_x, ORIGIN[1] + shift_y])
    points = middle + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return shapely.Polygon(points)


def on_map(*records):
    """Records, each delivered in its own CRS, in the working CRS."""
    given_ = []
    for record in records:
        there = choose_operation(LAOS, record.crs)[0]
        ground = transform(np.array([record.ground], dtype=object), there)[0]
        given_.append(dataclasses.replace(record, ground=ground))
    return placed(*given_, crs="EPSG:4326").features


@given(stars(), stars(east=40), st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS), st.sampled_from(CHANGING))
def test_every_delivered_point_is_kept_bit_for_bit_or_named_as_removed(a, b, a_crs, b_crs, choice):
    features = on_map(hazard(a, "MAG", "M-1", crs=a_crs), hazard(b, "NPA", "N-1", crs=b_crs))
    more = {"shrinks_hazard": True}
    resolution = resolve(features, [decided(features, 0, 1, choice, **more)], LAOS)
    known = own_points(features, np.array([0, 1]), LAOS)
    delivered = [set(map(tuple, _delivered(features, row))) for row in (0, 1)]
    remaining = {row: ground for row, ground in resolution.after.items() if ground is not None}
    crs = {row: features.table["crs"][row].as_py() for row in (0, 1)}
    for row, new in redraw(remaining, crs, known, LAOS).items():
        kept = {
            tuple(point)
            for ring in new.rings
            for point, mark in zip(ring.own.tolist(), ring.marks, strict=True)
            if mark is Mark.KEPT
        }
        removed = set(map(tuple, known.own[new.removed].tolist()))
        assert kept | removed == delivered[row]
        assert not kept & removed


def _delivered(features, row):
    return shapely.get_coordinates(shapely.from_wkb(features.table["source_geometry"][row].as_py())).tolist()


@given(stars(), stars(east=40), st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS), st.sampled_from(CHANGING))
def test_after_writing_and_reading_nothing_is_left_of_the_overlap(a, b, a_crs, b_crs, choice):
    features = on_map(hazard(a, "MAG", "M-1", crs=a_crs), hazard(b, "NPA", "N-1", crs=b_crs))
    case = decided(features, 0, 1, choice, shrinks_hazard=True)
    done = try_requests(features, [case], LAOS)
    assert done.proof.holds
    assert done.proof.greatest_rest_m2 < 0.05


@given(stars(), stars(east=50), st.floats(-20, 20), st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS))
def test_a_split_divides_the_ground_and_both_have_the_line_in_the_same_numbers(a, b, slope, a_crs, b_crs):
    shared = a & b
    assume(shapely.area(shared) > 1)
    x, y = shapely.get_coordinates(shared.centroid)[0]
    line = shapely.LineString([(x - slope, y - 200), (x + slope, y + 200)])
    features = on_map(hazard(a, "MAG", "M-1", crs=a_crs), hazard(b, "NPA", "N-1", crs=b_crs))
    case = decided(features, 0, 1, "split_on_line", line=line)
    resolution = resolve(features, [case], LAOS)
    assume(resolution.applied)
    new_a, new_b = resolution.after[0], resolution.after[1]
    assert shapely.area((a | b) ^ (new_a | new_b)) < 1e-3
    assert shapely.area(new_a & new_b) < 1e-3
    known = own_points(features, np.array([0, 1]), LAOS)
    rings = redraw(resolution.after, {0: a_crs, 1: b_crs}, known, LAOS)
    places = [np.vstack([ring.lonlat for ring in rings[row].rings]) for row in (0, 1)]
    both = {tuple(point) for point in places[0]} & {tuple(point) for point in places[1]}
    # Outside the shared ground the line divides nothing, though a corner may happen to lie on it.
    border = line & shapely.buffer(shared, 1e-3)
    on_line = [tuple(point) for side in places for point in side if _is_on(border, point)]
    assert set(on_line) <= both


def _is_on(line, lonlat):
    point = np.array(choose_operation("OGC:CRS84", LAOS)[0].transform(*lonlat))
    return shapely.distance(line, shapely.Point(point)) < 1e-3


@given(stars(), stars(east=40))
def test_correcting_one_way_or_the_other_covers_the_same_ground(a, b):
    one, other = expected(Choice.A_CORRECTS, a, b), expected(Choice.B_CORRECTS, a, b)

    def covered(outcome):
        return shapely.union_all([ground for ground in (outcome.a, outcome.b) if ground is not None])

    assert shapely.area(covered(one) ^ covered(other)) < 1e-3
