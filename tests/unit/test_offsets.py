"""Equal shapes of two deliveries, all displaced alike, are one suspected datum error; all else is none."""

import numpy as np
import pyproj
import pytest
import shapely
from make import LAOS, ORIGIN, areas_of
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import UTMConversion

from geopipe.coordinates import sameshapes
from geopipe.coordinates.datums import DATUMS, explaining_shifts, known_shifts
from geopipe.coordinates.offsets import OffsetRules, suspected_offsets
from geopipe.coordinates.sameshapes import Limits
from geopipe.crs import choose_operation, transform


def areas(size, seed=0, spread_m=20_000, across_m=80):
    """Return irregular polygons of 4 to 15 corners around ORIGIN, in the working CRS."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-spread_m, spread_m, (size, 2)) + ORIGIN
    shapes = []
    for place in middle:
        turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 16)))
        radius = across_m * rng.uniform(0.5, 1.5, len(turn))
        shapes.append(
            shapely.Polygon(place + radius[:, None] * np.column_stack([np.cos(turn), np.sin(turn)]))
        )
    return np.array(shapes, dtype=object)


def moved(shapes, east, north):
    return np.asarray(
        shapely.transform(shapes, lambda points: points + np.array([east, north])), dtype=object
    )


def redrawn(shapes):
    """Return the same polygons with another first point and the other direction."""
    return np.array(
        [shapely.Polygon(np.roll(shape.exterior.coords[:-1], 2, axis=0)[::-1]) for shape in shapes],
        dtype=object,
    )


def found(*deliveries, **rules):
    names = np.concatenate(
        [[f"{letter}.shp"] * len(d) for letter, d in zip("abcdef", deliveries, strict=False)]
    )
    return suspected_offsets(areas_of(np.concatenate(deliveries), names), LAOS, OffsetRules(**rules))


AREAS = areas(40)


# What is found


def test_a_displaced_delivery_is_one_finding_with_distance_and_direction():
    (told,) = found(AREAS, moved(AREAS, 300, -400))
    assert (told.delivery_a, told.delivery_b, told.pairs) == ("a.shp", "b.shp", 40)
    assert told.east_m == pytest.approx(300, abs=1)
    assert told.north_m == pytest.approx(-400, abs=1)
    assert told.distance_m == pytest.approx(500, abs=0.5)
    assert told.direction == "south-east"
    assert told.spread_m < 0.1
    assert told.rows_b.tolist() == (told.rows_a + 40).tolist()
    assert "suspected datum error of about 500 m" in told.sentence
    assert (
        "40 areas of b.shp have the shape of areas of a.shp, but lie 500 m towards the south-east"
        in told.sentence
    )


def test_the_distance_is_measured_on_the_ground_with_true_north():
    away = areas(20, spread_m=2_000)
    away = moved(away, 350_000, 300_000)  # where the grid of the working CRS is turned by one degree
    (told,) = found(away, moved(away, 0, 500))
    back = pyproj.Transformer.from_crs(LAOS, "EPSG:4326", always_xy=True)
    x, y = ORIGIN[0] + 350_000, ORIGIN[1] + 300_000
    azimuth, _, metres = pyproj.Geod(ellps="WGS84").inv(*back.transform(x, y), *back.transform(x, y + 500))
    assert told.distance_m == pytest.approx(metres, abs=0.2)
    assert abs(azimuth) > 0.5
    assert told.east_m == pytest.approx(metres * np.sin(np.radians(azimuth)), abs=0.2)


def test_another_first_point_and_direction_are_the_same_shape():
    (told,) = found(AREAS, redrawn(moved(AREAS, 30, 0)))
    assert told.pairs == 40
    assert told.spread_m < 0.01


def test_rounded_coordinates_are_the_same_shape():
    rounded = shapely.transform(moved(AREAS, 30, 10), lambda points: np.round(points, 0))
    (told,) = found(AREAS, rounded)
    assert told.pairs == 40


def test_holes_and_parts_belong_to_the_shape():
    holed = np.array([shape.difference(shape.centroid.buffer(10, 2)) for shape in AREAS], dtype=object)
    (told,) = found(holed, moved(holed, 0, 100))
    assert told.pairs == 40
    assert told.distance_m == pytest.approx(100, abs=0.2)


def test_other_areas_of_both_deliveries_do_not_hide_it():
    (told,) = found(
        np.concatenate([areas(300, 1), AREAS]), np.concatenate([moved(AREAS, -30, 0), areas(300, 2)])
    )
    assert told.pairs == 40
    assert told.direction == "west"


def test_equal_shapes_that_are_in_their_place_are_told_beside_it():
    (told,) = found(AREAS, np.concatenate([moved(AREAS[:10], 100, 0), AREAS[10:]]))
    assert (told.pairs, told.in_place) == (10, 30)
    assert "Another 30 equal shapes are in their place" in told.sentence


def test_each_pair_of_deliveries_is_told_once():
    told = found(AREAS, moved(AREAS, 100, 0), moved(AREAS, 0, 100))
    assert [(o.delivery_a, o.delivery_b) for o in told] == [
        ("a.shp", "b.shp"), ("a.shp", "c.shp"), ("b.shp", "c.shp"),
    ]  # fmt: skip
    assert told[2].direction == "north-west"


def test_the_order_of_records_changes_nothing():
    shapes = np.concatenate([AREAS, moved(AREAS, 300, -400)])
    names = np.repeat(["a.shp", "b.shp"], 40)
    order = np.random.default_rng(5).permutation(80)
    (told,) = suspected_offsets(areas_of(shapes, names), LAOS)
    (again,) = suspected_offsets(areas_of(shapes[order], names[order]), LAOS)
    assert told.sentence == again.sentence
    assert set(order[again.rows_a]) == set(told.rows_a)


# What is none


def test_the_same_ground_twice_is_no_offset():
    assert found(AREAS, redrawn(AREAS)) == []
    assert found(AREAS, moved(AREAS, 1.5, 0)) == []


def test_farther_than_a_datum_can_shift_is_no_offset():
    assert found(AREAS, moved(AREAS, 1_050, 0)) == []


def test_four_pairs_are_too_few_and_five_are_enough():
    assert found(AREAS[:4], moved(AREAS[:4], 100, 0)) == []
    assert found(AREAS[:5], moved(AREAS[:5], 100, 0))[0].pairs == 5


def test_four_that_agree_are_too_few_also_among_five_pairs():
    assert found(AREAS[:5], np.concatenate([moved(AREAS[:4], 100, 0), moved(AREAS[4:5], 0, 100)])) == []


def test_displacements_that_differ_are_no_offset():
    rng = np.random.default_rng(6)
    scattered = [moved(AREAS[n : n + 1], *rng.uniform(-300, 300, 2)) for n in range(40)]
    assert found(AREAS, np.concatenate(scattered)) == []


def test_four_of_five_must_agree():
    shifted = [moved(AREAS[:32], 100, 0), moved(AREAS[32:], 100, 50)]
    assert found(AREAS, np.concatenate(shifted))[0].pairs == 32
    shifted = [moved(AREAS[:31], 100, 0), moved(AREAS[31:], 100, 50)]
    assert found(AREAS, np.concatenate(shifted)) == []


def test_within_one_delivery_nothing_is_compared():
    assert found(np.concatenate([AREAS, moved(AREAS, 100, 0)])) == []


@pytest.mark.parametrize("side", [50.0, 100.0, 1_000.0])
@pytest.mark.parametrize("step", [1, 3])
def test_survey_boxes_on_a_grid_are_neighbours_and_no_offset(side, step):
    rng = np.random.default_rng(7)
    cell = rng.integers(0, 40, (200, 2))
    corner = np.array(ORIGIN) + cell * side
    boxes = shapely.box(*corner.T, *(corner + side).T)
    assert found(boxes, moved(boxes, step * side, 0)) == []


def test_boxes_of_a_grid_in_utm_are_no_offset_either():
    there, _ = choose_operation("EPSG:32648", LAOS)
    rng = np.random.default_rng(8)
    corner = np.array([300_000.0, 2_000_000.0]) + rng.integers(0, 100, (300, 2)) * 1_000
    boxes = transform(shapely.box(*corner.T, *(corner + 1_000).T), there)
    beside = transform(moved(shapely.box(*corner.T, *(corner + 1_000).T), 1_000, 0), there)
    assert found(boxes, beside) == []


def test_a_few_boxes_among_other_areas_do_not_make_an_offset():
    corner = np.array(ORIGIN) + np.column_stack([np.arange(3) * 400.0, np.zeros(3)])
    boxes = shapely.box(*corner.T, *(corner + 50).T)
    assert found(np.concatenate([AREAS, boxes]), np.concatenate([areas(40, 9), moved(boxes, 100, 0)])) == []


def test_a_shape_with_two_partners_says_nothing():
    twice = np.concatenate([moved(AREAS, 100, 0), moved(AREAS, 101, 0)])
    assert found(AREAS, twice) == []


def test_similar_but_different_shapes_are_no_pair():
    other = shapely.transform(moved(AREAS, 100, 0), lambda points: points + 3 * np.sin(points / 7))
    assert found(AREAS, other) == []


def test_thousands_of_rectangles_of_one_size_are_no_offset():
    rng = np.random.default_rng(12)
    corner = rng.uniform(0, 30_000, (4_000, 2)) + ORIGIN
    boxes = shapely.box(*corner.T, *(corner + rng.uniform(45, 55, (4_000, 2))).T)
    assert found(boxes[:2_000], boxes[2_000:]) == []


def test_nothing_and_empty_geometries_are_no_trouble():
    assert found(AREAS[:0], AREAS[:0]) == []
    assert found(np.array([None, shapely.Polygon()], dtype=object), AREAS) == []


# Known datums


def shown_as_wgs84(shapes, datum, zone):
    """Return where polygons appear when their coordinates on a datum are called WGS 84."""
    kind = f"+proj=utm +zone={zone}" if zone else "+proj=longlat"
    own = pyproj.CRS(datum)
    if zone:
        own = ProjectedCRS(UTMConversion(str(zone)), geodetic_crs=own)
    delivered, _ = choose_operation(LAOS, own.to_wkt())
    taken = pyproj.Transformer.from_crs(f"{kind} +datum=WGS84", LAOS, always_xy=True)
    return transform(transform(shapes, delivered), taken)


@pytest.mark.parametrize("datum", DATUMS)
@pytest.mark.parametrize("zone", [0, 48])
def test_a_mislabelled_datum_is_found_and_named(datum, zone):
    near = moved(AREAS, 100_000, 0)
    (told,) = found(near, shown_as_wgs84(near, datum, zone))
    names = {(shift.crs, shift.zone) for shift in told.known_datum}
    assert (datum, zone) in names
    assert str(told.known_datum[0]) in told.sentence


def test_indian_1960_is_400_to_530_m_off():
    for zone in (0, 48):
        (told,) = found(AREAS, shown_as_wgs84(AREAS, "EPSG:4131", zone))
        assert 400 < told.distance_m < 535


def test_the_reverse_mislabelling_is_named_too():
    (told,) = found(shown_as_wgs84(AREAS, "EPSG:4240", 0), AREAS)
    assert "EPSG:4240" in {shift.crs for shift in told.known_datum}


def test_an_offset_that_no_datum_explains_names_none():
    (told,) = found(AREAS, moved(AREAS, 0, 800))
    assert told.known_datum == ()
    assert "WGS 84" not in told.sentence


def test_a_datum_that_drifts_over_the_whole_country_is_still_one_offset():
    wide = areas(60, spread_m=250_000)
    (told,) = found(wide, shown_as_wgs84(wide, "EPSG:4131", 0))
    assert told.pairs > 50
    assert told.spread_m > 10


@pytest.mark.parametrize(
    ("datum", "least", "most"),
    [("EPSG:4678", 6, 17), ("EPSG:4677", 6, 17), ("EPSG:4131", 400, 480), ("EPSG:4240", 600, 660)],
)
def test_the_shifts_are_those_known_for_laos(datum, least, most):
    for place in ((103.3, 19.5), (106.0, 15.0)):
        (shift,) = (s for s in known_shifts(place) if s.crs == datum and s.zone == 0)
        assert least < np.hypot(shift.east_m, shift.north_m) < most


def test_nothing_explains_no_offset_at_all_but_the_smallest_shifts():
    assert {shift.crs for shift in explaining_shifts((103.3, 19.5), 0.0, 0.0)} <= {"EPSG:4676"}


# Cost


def test_equal_sizes_all_over_a_country_are_not_held_against_each_other(monkeypatch):
    looked_at = []
    alike = sameshapes._alike
    monkeypatch.setattr(sameshapes, "_alike", lambda *asked: looked_at.append(len(asked[1])) or alike(*asked))
    corner = np.random.default_rng(13).uniform(0, 600_000, (20_000, 2))
    boxes = sameshapes.Shapes.of(shapely.box(*corner.T, *(corner + 50).T))
    sameshapes.candidates(boxes, np.arange(20_000) % 5, Limits())
    assert sum(looked_at) < 20 * len(corner)  # every size is that of 16,000 others elsewhere


def _partners(shapes, delivery, limits):
    """Return the pairs that `candidates` should find, by looking at all."""
    left, right = (side.ravel() for side in np.indices((len(delivery), len(delivery))))
    apart = [np.abs(values[left] - values[right]) for values in (shapes.width, shapes.height)]
    keep = (delivery[left] < delivery[right]) & (shapes.points[left] == shapes.points[right])
    keep &= (apart[0] <= 2 * limits.same_shape_m) & (apart[1] <= 2 * limits.same_shape_m)
    keep &= np.hypot(shapes.x[left] - shapes.x[right], shapes.y[left] - shapes.y[right]) <= limits.farthest_m
    keep &= np.abs(shapes.perimeter[left] - shapes.perimeter[right]) <= 5 * limits.same_shape_m
    keep &= np.abs(shapes.area[left] - shapes.area[right]) <= limits.same_shape_m * shapes.perimeter[left]
    return {(int(a), int(b)) for a, b in zip(left[keep], right[keep], strict=True)}


@pytest.mark.parametrize("seed", range(5))
def test_partners_are_found_whatever_edge_of_a_cell_lies_between_them(seed):
    rng, limits = np.random.default_rng(seed), Limits()
    # Corners of the cells of place lie every 20 km, those of size every 4 m.
    corner = rng.integers(-2, 3, (600, 2)) * 20_000 + rng.uniform(-700, 700, (600, 2))
    size = rng.integers(5, 8, (600, 2)) * 4 + rng.uniform(-1.5, 1.5, (600, 2))
    shapes = sameshapes.Shapes.of(shapely.box(*(corner - size / 2).T, *(corner + size / 2).T))
    delivery = rng.integers(0, 3, 600)
    left, right = sameshapes.candidates(shapes, delivery, limits)
    found = list(zip(left.tolist(), right.tolist(), strict=True))
    assert len(found) == len(set(found)) > 100
    assert set(found) == _partners(shapes, delivery, limits)
