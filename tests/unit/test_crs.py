"""Explicit operations, a working CRS with true areas, and what an unstated CRS could be."""

import numpy as np
import pyproj
import pytest
import shapely
from make import LAOS

from geopipe import crs
from geopipe.errors import ConfigError, GeopipeError, SourceError


def array(*shapes):
    return np.array(shapes, dtype=object)


@pytest.mark.parametrize(
    "datum", ["EPSG:4131", "EPSG:3148", "EPSG:4239", "EPSG:4240", "EPSG:4678", "EPSG:4677", "EPSG:4676"]
)
def test_the_datums_of_laos_use_a_real_operation_of_known_accuracy(datum):
    _, operation = crs.choose_operation(datum, LAOS)
    assert operation.accuracy_m is not None
    assert 0 < operation.accuracy_m < 50
    assert "allpark" not in operation.name
    assert operation.source == datum


def test_indian_1960_is_really_shifted_and_not_taken_for_wgs_84():
    ballpark = pyproj.Transformer.from_crs("EPSG:3148", LAOS, always_xy=True).transform(300_000, 2_000_000)
    transformer, _ = crs.choose_operation("EPSG:3148", LAOS)
    moved = transformer.transform(300_000, 2_000_000)
    assert 300 < np.hypot(moved[0] - ballpark[0], moved[1] - ballpark[1]) < 600


@pytest.mark.parametrize("source", ["EPSG:4052", "EPSG:4047", "+proj=longlat +ellps=bessel"])
def test_where_only_a_ballpark_operation_exists_it_is_refused(source):
    assert pyproj.Transformer.from_crs(source, LAOS, always_xy=True)  # PROJ would do it without a word
    with pytest.raises(SourceError, match="no accurate coordinate operation"):
        crs.choose_operation(source, LAOS)


def test_wgs_84_needs_no_datum_shift():
    transformer, operation = crs.choose_operation("EPSG:4326", LAOS)
    assert operation.accuracy_m == 0
    assert np.allclose(transformer.transform(104, 18), (500_000, 2_000_000), atol=1e-6)


def test_the_best_operation_is_looked_for_once():
    assert crs.choose_operation("EPSG:4326", LAOS) is crs.choose_operation("EPSG:4326", LAOS)


def test_an_operation_can_be_written_down():
    _, operation = crs.choose_operation("EPSG:4678", LAOS)
    assert set(operation.as_dict()) == {"source", "target", "name", "accuracy_m"}
    assert "Lao 1997" in operation.as_dict()["name"]


def test_nonsense_is_no_crs():
    with pytest.raises(ConfigError, match="is not a coordinate system"):
        crs.parse_crs("EPSG:999999")


def test_names_are_short_where_an_authority_knows_the_crs():
    assert crs.crs_name("EPSG:32648") == "EPSG:32648"
    assert crs.crs_name(pyproj.CRS("EPSG:32648").to_wkt()) == "EPSG:32648"
    assert crs.crs_name(LAOS)


def test_transform_drops_heights_and_keeps_the_number_of_turning_points():
    transformer, _ = crs.choose_operation("EPSG:4326", LAOS)
    lifted = shapely.Polygon([(104, 18, 5), (104.001, 18, 5), (104.001, 18.001, 5)])
    moved = crs.transform(array(lifted), transformer)[0]
    assert not moved.has_z
    assert len(moved.exterior.coords) == 4


def test_points_that_cannot_be_transformed_become_infinite():
    transformer, _ = crs.choose_operation("EPSG:32648", LAOS)
    moved = crs.transform(array(shapely.Point(1e30, 1e30)), transformer)
    assert not np.isfinite(shapely.get_coordinates(moved)).any()


def test_lonlat_bounds_of_lonlat_data_are_its_own():
    found = crs.lonlat_bounds(array(shapely.box(104, 18, 105, 19)), "EPSG:4326")
    assert found.tolist() == [[104, 18, 105, 19]]


def test_lonlat_bounds_of_utm_data_are_degrees():
    found = crs.lonlat_bounds(array(shapely.box(500_000, 2_000_000, 501_000, 2_001_000)), "EPSG:32648")
    assert np.allclose(found, [[105, 18.0877, 105.0095, 18.0967]], atol=1e-3)


@pytest.mark.parametrize(
    ("lonlat", "source", "fits"),
    [
        ([104, 18, 105, 19], "EPSG:4326", True),
        ([104, 18, 105, 91], "EPSG:4326", False),
        ([-181, 18, 105, 19], "EPSG:4326", False),
        ([104, 18, 105, 19], "EPSG:32648", True),
        ([100, 18, 101, 19], "EPSG:32648", True),  # 48N is used a little beyond its zone
        ([80, 18, 81, 19], "EPSG:32648", False),
        ([104, 18, 105, 95], "EPSG:32648", False),
        ([np.nan, 18, 105, 19], "EPSG:32648", False),
        ([np.inf, np.inf, np.inf, np.inf], "EPSG:32647", False),
    ],
)
def test_a_place_far_from_where_a_crs_is_used_does_not_fit(lonlat, source, fits):
    assert crs.in_range(np.array([lonlat], dtype=float), source).tolist() == [fits]


@pytest.mark.parametrize("longitude", [-175.0, -71.3, 2.0, 104.0, 179.9, 180.0])
@pytest.mark.parametrize("latitude", [-62.0, -33.0, -9.9, -0.1, 0.0, 4.0, 10.0, 18.0, 48.0, 71.0])
def test_the_working_crs_of_every_cell_measures_true_areas_far_from_the_origin(longitude, latitude):
    text = crs.choose_working_crs(crs.Cells.of(np.array([longitude]), np.array([latitude])))
    assert crs.require_equal_area(text) == text
    forward = pyproj.Transformer.from_crs("OGC:CRS84", text, always_xy=True)
    square = shapely.box(longitude - 0.001, latitude, longitude, latitude + 0.001)
    planar = crs.transform(array(square), forward)[0]
    geodesic = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(square)[0])
    assert planar.area == pytest.approx(geodesic, rel=1e-6)
    assert min(planar.bounds) > 100_000


def test_the_working_crs_is_chosen_by_the_median_so_that_one_stray_record_moves_nothing():
    usual = crs.choose_working_crs(crs.Cells.of(np.array([104.0]), np.array([18.0])))
    longitude, latitude = np.array([103.0, 104, 105, -70, 106]), np.array([15.0, 17, 18, -30, 19])
    assert crs.choose_working_crs(crs.Cells.of(longitude, latitude)) == usual


def test_the_same_cell_gives_the_same_crs_whatever_the_order():
    longitude, latitude = np.array([101.0, 109.9, 105.0]), np.array([10.0, 19.9, 15.0])
    one = crs.choose_working_crs(crs.Cells.of(longitude, latitude))
    assert one == crs.choose_working_crs(crs.Cells.of(longitude[::-1], latitude[::-1]))
    assert one != crs.choose_working_crs(crs.Cells.of(np.array([110.0]), np.array([15.0])))


@pytest.mark.parametrize("text", ["EPSG:32648", "EPSG:32647", "EPSG:3857", "EPSG:3395"])
def test_a_working_crs_with_false_areas_is_refused(text):
    with pytest.raises(ConfigError, match="must be equal-area"):
        crs.require_equal_area(text)


@pytest.mark.parametrize(
    "text",
    [
        "EPSG:4326",
        "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +datum=WGS84 +units=km",
        "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +datum=WGS84 +units=us-ft",
    ],
)
def test_a_working_crs_that_is_not_in_metres_is_refused(text):
    with pytest.raises(ConfigError, match="in metres"):
        crs.require_equal_area(text)


@pytest.mark.parametrize("text", [LAOS, "EPSG:6933", "+proj=laea +lat_0=18 +lon_0=104 +datum=WGS84"])
def test_equal_area_systems_are_accepted(text):
    assert crs.require_equal_area(text) == text


@pytest.mark.parametrize("text", ["rubbish", "+proj=aea +lat_1=15 +lat_2=-15 +datum=WGS84"])
def test_a_working_crs_that_proj_cannot_use_is_an_error_of_configuration(text):
    with pytest.raises(GeopipeError):
        crs.require_equal_area(text)


def test_degrees_without_a_crs_could_be_wgs_84():
    found = crs.candidates(np.array([104.0, 18.0, 104.1, 18.1]))
    assert [candidate.crs for candidate in found] == ["EPSG:4326"]
    assert found[0].in_laos
    assert "104.05 E, 18.05 N (in Laos)" in str(found[0])


def test_metres_without_a_crs_could_be_either_zone_likely_one_first():
    found = crs.candidates(np.array([800_000.0, 2_000_000.0, 800_100.0, 2_000_100.0]))
    # 47N: 101.8 E, in Laos. 48N: 107.8 E, in Vietnam.
    assert [(candidate.crs, candidate.in_laos) for candidate in found] == [
        ("EPSG:32647", True),
        ("EPSG:32648", False),
    ]


def test_numbers_that_are_neither_degrees_nor_metres_have_no_candidate():
    assert crs.candidates(np.array([-5e6, -5e6, -5e6, -5e6])) == ()
