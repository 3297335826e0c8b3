"""Rings that GEOS refuses are read all the same, and nothing is invented."""

import struct

import numpy as np
import pytest
import shapely
from make import wkb_multi, wkb_polygon

from geopipe.wkb import read_leniently

OPEN = [(0, 0), (4, 0), (4, 3), (0, 3)]
SQUARE = shapely.Polygon(OPEN)


def lifted(ring, *more):
    return [(*point, *more) for point in ring]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"z": True},
        {"m": True},
        {"z": True, "m": True},
        {"z": True, "ewkb": True},
        {"m": True, "ewkb": True},
        {"z": True, "m": True, "ewkb": True},
        {"srid": 4326},
        {"z": True, "srid": 32648},
    ],
)
def test_an_open_ring_is_closed_in_every_dialect_of_wkb(how, order):
    ring = lifted(OPEN, *([7.0] * how.get("z", False)), *([8.0] * how.get("m", False)))
    reading = read_leniently(wkb_polygon(ring, order=order, **how))
    assert reading.problem == ""
    assert reading.geometry.equals_exact(SQUARE)
    assert not reading.geometry.has_z
    assert reading.coordinates.tolist() == [list(map(float, point)) for point in OPEN]


def test_a_closed_ring_stays_as_it_is():
    reading = read_leniently(shapely.to_wkb(SQUARE))
    assert reading.geometry.equals_exact(SQUARE)


def test_shapely_itself_refuses_an_open_ring():
    with pytest.raises(shapely.errors.GEOSException):
        shapely.from_wkb(wkb_polygon(OPEN))


def test_an_open_hole_is_closed_too_and_a_hole_without_ground_is_left_out():
    hole, spot = [(1, 1), (2, 1), (2, 2)], [(3, 1), (3, 1)]
    reading = read_leniently(wkb_polygon(OPEN, hole, spot))
    assert reading.geometry.area == 12 - 0.5
    assert len(reading.geometry.interiors) == 1


@pytest.mark.parametrize("orders", ["<<", "<>", "><", ">>"])
def test_every_member_of_a_multipolygon_has_a_byte_order_of_its_own(orders):
    away = [(10, 0), (14, 0), (14, 3), (10, 3)]
    members = [wkb_polygon(OPEN, order=orders[0]), wkb_polygon(away, order=orders[1])]
    reading = read_leniently(wkb_multi(*members, order=orders[1]))
    assert shapely.get_num_geometries(reading.geometry) == 2
    assert reading.geometry.area == 24


def test_a_collection_of_open_polygons_is_read():
    reading = read_leniently(wkb_multi(wkb_polygon(OPEN), code=7))
    assert reading.geometry.area == 12


@pytest.mark.parametrize("ring", [[], [(1, 1)], [(1, 1), (2, 2)], [(1, 1), (2, 2), (1, 1)], [(1, 1)] * 5])
def test_fewer_than_three_different_points_are_no_polygon(ring):
    reading = read_leniently(wkb_polygon(ring))
    assert reading.geometry is None
    assert reading.problem == "TOO_FEW_POINTS"
    assert len(reading.coordinates) == len(ring)


def test_a_record_with_one_broken_part_is_not_used_in_half():
    reading = read_leniently(wkb_multi(wkb_polygon(OPEN), wkb_polygon([(50, 50), (51, 51)])))
    assert reading.geometry is None
    assert reading.problem == "TOO_FEW_POINTS"
    assert [50.0, 50.0] in reading.coordinates.tolist()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_coordinate_that_is_no_number_is_named(number):
    reading = read_leniently(wkb_polygon([*OPEN, (number, 1)]))
    assert reading.geometry is None
    assert reading.problem == "COORDINATES_NOT_FINITE"
    assert np.isfinite(reading.coordinates[:4]).all()


@pytest.mark.parametrize("cut", [0, 1, 4, 5, 8, 13, 30, 76])
def test_bytes_that_end_early_are_unreadable_and_stop_nothing(cut):
    reading = read_leniently(wkb_polygon(OPEN)[:cut])
    assert reading.geometry is None
    assert reading.problem == "GEOMETRY_UNREADABLE"


def test_the_rings_before_the_end_of_the_bytes_are_still_known():
    data = wkb_polygon(OPEN, [(1, 1), (2, 1), (2, 2)])
    reading = read_leniently(data[:-4])
    assert reading.problem == "GEOMETRY_UNREADABLE"
    assert len(reading.coordinates) == 6  # the last point alone is cut


def test_a_ring_that_claims_billions_of_points_is_unreadable():
    data = wkb_polygon(OPEN)
    claimed = data[:9] + struct.pack("<I", 0xFFFFFFFF) + data[13:]
    assert read_leniently(claimed).problem == "GEOMETRY_UNREADABLE"


def test_a_multipolygon_that_claims_billions_of_parts_is_unreadable():
    data = wkb_multi(wkb_polygon(OPEN))
    claimed = data[:5] + struct.pack("<I", 0xFFFFFFFF) + data[9:]
    assert read_leniently(claimed).problem == "GEOMETRY_UNREADABLE"


def test_collections_inside_collections_without_end_are_unreadable():
    data = b"\x01" + struct.pack("<II", 7, 1)
    assert read_leniently(data * 5000).problem == "GEOMETRY_UNREADABLE"


def test_other_types_are_not_read_as_polygons():
    assert (
        read_leniently(shapely.to_wkb(shapely.LineString([(0, 0), (1, 1)]))).problem == "GEOMETRY_UNREADABLE"
    )


def test_points_behind_z_and_m_are_not_mistaken_for_x_and_y():
    reading = read_leniently(wkb_polygon(lifted(OPEN, 99.0, 77.0), z=True, m=True))
    assert reading.coordinates.max() == 4
