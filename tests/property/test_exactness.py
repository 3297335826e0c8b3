"""60,000 pairs that nearly coincide, near the origin and in national coordinates, against exact arithmetic.

This is where geometry engines err: borders that are one to a person and differ in the last bit of a float.
Each pair is laid out square to the axes and then turned, so that every corner is rounded on its own.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from exact import exact_m2
from make import ORIGIN, interleaved, touching_rectangles

from geopipe.engine.measure import TOUCH_M
from geopipe.overlay import shared_ground

PAIRS = 6_000  # of each family in each place: 60,000 in all
PLACES = {"near the origin": (0.0, 0.0), "in national coordinates": ORIGIN}


def turned(random, place, *boxes):
    """Outlines of boxes (west, south, east, north), those of a pair turned by one angle and moved to a place.

    Each is drawn from its own middle, so that corners which two have in common are rounded on their own;
    clockwise, as shapefiles have them.
    """
    angle, way = random.uniform(0, 2 * np.pi, PAIRS), random.uniform(-10, 10, (PAIRS, 1, 2))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    clockwise = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)])
    outlines = []
    for box in boxes:
        west, south, east, north = np.broadcast_arrays(*box, angle)[:4]
        middle = np.stack([west + east, south + north], axis=-1)[:, None] / 2
        half = np.stack([east - west, north - south], axis=-1)[:, None] / 2
        outlines.append((middle @ turn + way + place) + (half * clockwise) @ turn)
    return outlines


def rotated_rectangles_that_touch(random, place):
    pairs = touching_rectangles(PAIRS, seed=int(random.integers(1 << 30)))
    return [shapely.transform(shapes, lambda corners: corners + place) for shapes in pairs]


def shared_edges_with_extra_corners(random, place):
    """One of two neighbours has up to four corners more on their common edge."""
    width, height, more = random.uniform(5, 200, (3, PAIRS))
    left, right = turned(random, place, (-width, 0, 0, height), (0, 0, more, height))
    south, north = right[:, 2, None], right[:, 3, None]
    step = random.uniform(0, 1, (PAIRS, 4, 1))
    step = np.sort(np.where(random.random(step.shape) < 0.5, step[:, :1], step), axis=1)
    extra = south + step * (north - south)
    return shapely.polygons(left), shapely.polygons(
        np.concatenate([right[:, :3], extra, right[:, 3:]], axis=1)
    )


def shifts_by_one_bit(random, place):
    """A copy of a rectangle, or its neighbour, with each coordinate moved by one bit or not."""
    width, height = random.uniform(5, 200, (2, PAIRS))
    west = np.where(random.random(PAIRS) < 0.5, 0.0, width)
    left, right = turned(random, place, (0, 0, width, height), (west, 0, west + width, height))
    shifted = np.nextafter(right, right + random.integers(-1, 2, right.shape))
    return shapely.polygons(left), shapely.polygons(shifted)


def strips_of_a_centimetre(random, place):
    """Neighbours that overlap by 1 cm along 500 m; in some pairs one of them is no more than that strip."""
    wide, other = random.uniform(5, 200, (2, PAIRS))
    other = np.where(random.random(PAIRS) < 0.3, 0.01, other)
    south = random.choice([0.0, 1e-9, 120.0], PAIRS)
    outlines = turned(random, place, (-wide, 0, 0.01, 500), (0, south, other, 500 + south))
    return [shapely.polygons(outline) for outline in outlines]


def parts_that_touch_beside_parts_that_overlap(random, place):
    """Records of two parts: the first parts only touch, the second overlap by up to a metre."""
    width, height = random.uniform(2, 40, (2, PAIRS))
    overlap = random.choice([0.0, 1e-3, 0.01, 1.0], PAIRS)
    boxes = [
        (0, 0, width, height),
        (0, 2 * height, width, 3 * height),
        (width, 0, 2 * width, height),
        (width - overlap, 2 * height, 2 * width - overlap, 3 * height),
    ]
    parts = [shapely.polygons(outline) for outline in turned(random, place, *boxes)]
    return [shapely.multipolygons(np.stack(two, axis=1)) for two in (parts[:2], parts[2:])]


FAMILIES = [
    rotated_rectangles_that_touch,
    shared_edges_with_extra_corners,
    shifts_by_one_bit,
    strips_of_a_centimetre,
    parts_that_touch_beside_parts_that_overlap,
]


def measured(left, right):
    """Area in m2 (0 where nothing is reported) and confidence ('' there) of each pair."""
    shapes, one, other = interleaved(left, right)
    ground = shared_ground(shapes, one, other, TOUCH_M)
    area_m2, confidence = np.zeros(len(left)), np.full(len(left), "", dtype=object)
    area_m2[ground.left // 2], confidence[ground.left // 2] = ground.area_m2, ground.confidence
    return area_m2, confidence


def exactly(left, right):
    return np.array([exact_m2(one, other) for one, other in zip(left, right, strict=True)])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_pairs_that_nearly_coincide_share_what_exact_arithmetic_says(family, place):
    left, right = family(np.random.default_rng(20_26), np.array(PLACES[place]))
    valid = shapely.is_valid(left) & shapely.is_valid(right)
    assert valid.mean() > 0.999
    left, right = left[valid], right[valid]
    area_m2, confidence = measured(left, right)
    exact = exactly(left, right)
    error_m2 = np.abs(area_m2 - exact)
    assert (error_m2 <= np.maximum(1e-5, 1e-9 * exact)).all(), error_m2.max()
    assert "uncertain" not in confidence


@pytest.mark.parametrize("place", PLACES)
def test_what_is_not_reported_is_narrower_than_a_micrometre(place):
    random = np.random.default_rng(6)
    width_m, length_m = 10 ** random.uniform(-9, -3, PAIRS), random.uniform(1, 500, PAIRS)
    outlines = turned(random, np.array(PLACES[place]), (-50, 0, width_m, length_m), (0, 0, 50, length_m))
    left, right = (shapely.polygons(outline) for outline in outlines)
    area_m2, _ = measured(left, right)
    exact = exactly(left, right)
    reported = area_m2 > 0
    assert (exact[~reported] / length_m[~reported]).max() < TOUCH_M * 1.001
    assert (exact[reported] / length_m[reported]).min() > TOUCH_M * 0.999
    assert np.abs(area_m2 - exact)[reported].max() < 1e-5


def test_geos_alone_errs_on_these_pairs():
    pairs = parts_that_touch_beside_parts_that_overlap(np.random.default_rng(20_26), np.zeros(2))
    left, right = (shapes[:1_000] for shapes in pairs)
    area_m2 = shapely.area(shapely.intersection(left, right))
    assert (np.abs(area_m2 - exactly(left, right)) > 1).sum() > 5
