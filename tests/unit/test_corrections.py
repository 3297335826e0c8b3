"""Corrections are typed, kept and applied in one form; they move turning points and nothing else."""

import numpy as np
import pytest
import shapely

from geopipe.coordinates.corrections import LINE_AS_AREA, degrees_of_dms, parse_correction
from geopipe.errors import ConfigError


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def coordinates(text, *points, crs="EPSG:4326"):
    correction = parse_correction(text)
    (moved,) = correction.apply(array(shapely.LineString(points)))
    return shapely.get_coordinates(moved, include_z=moved.has_z).tolist(), correction.crs_after(crs)


@pytest.mark.parametrize(
    "text", ["swap_axes", "crs=EPSG:32648", "sign=x", "sign=y", "sign=xy", "dms", "line_as_area"]
)
def test_a_correction_is_written_as_it_is_read(text):
    assert str(parse_correction(text)) == text
    assert str(parse_correction(f"  {text} ")) == text
    assert parse_correction(text).meaning


@pytest.mark.parametrize(
    "text",
    ["", "swap", "swap_axes=x", "swap_axes=", "sign", "sign=", "sign=z", "crs", "crs=", "crs=EPSG:999999",
     "crs=EPSG:4978", "dms=1", "swap_axes;dms", "line_as_area=yes"],
)  # fmt: skip
def test_what_is_no_correction_is_refused(text):
    with pytest.raises(ConfigError):
        parse_correction(text)


def test_a_refusal_says_what_is_known():
    with pytest.raises(ConfigError, match="Known are swap_axes, crs=EPSG:CODE, sign=x"):
        parse_correction("turn around")


def test_swapped_axes_are_exchanged():
    assert coordinates("swap_axes", (18, 103), (19, 104)) == ([[103, 18], [104, 19]], "EPSG:4326")


@pytest.mark.parametrize(("text", "moved"), [("sign=x", [-3, 4]), ("sign=y", [3, -4]), ("sign=xy", [-3, -4])])
def test_signs_are_turned_on_the_named_axes_only(text, moved):
    assert coordinates(text, (3, 4), (5, 6))[0][0] == moved


def test_another_coordinate_system_leaves_every_number():
    assert coordinates("crs=EPSG:32648", (1, 2), (3, 4)) == ([[1, 2], [3, 4]], "EPSG:32648")


def test_degrees_minutes_and_seconds_become_decimal():
    found, _ = coordinates("dms", (103.4530, 19.0559), (-103.453012, 18.0))
    assert found[0] == pytest.approx([103 + 45 / 60 + 30 / 3600, 19 + 5 / 60 + 59 / 3600], abs=1e-12)
    assert found[1] == pytest.approx([-(103 + 45 / 60 + 30.12 / 3600), 18], abs=1e-12)


def test_every_second_of_a_degree_is_read_exactly():
    seconds = np.arange(3600)
    written = np.array([float(f"103.{s // 60:02d}{s % 60:02d}") for s in seconds])
    assert np.allclose(degrees_of_dms(written), 103 + seconds / 3600, atol=1e-12, rtol=0)


@pytest.mark.parametrize("value", [103.6000, 103.4560, 103.9999, 19.0060])
def test_sixty_minutes_or_seconds_are_no_such_writing(value):
    assert np.isnan(degrees_of_dms(np.array([value])))[0]


def test_a_record_with_one_such_number_is_refused_and_left_as_it_was():
    good = shapely.LineString([(103.4530, 19.05), (103.4540, 19.05)])
    bad = shapely.LineString([(103.4530, 19.05), (103.4570, 19.05)])
    dms = parse_correction("dms")
    assert dms.refuses(array(good, bad, None)).tolist() == [False, True, False]
    moved = dms.apply(array(good, bad, None))
    assert shapely.get_coordinates(moved[0])[0, 0] == pytest.approx(103.758333, abs=1e-6)
    assert moved[1] == bad
    assert moved[2] is None


def test_heights_stay_and_flat_records_stay_flat():
    spatial, flat = (
        shapely.LineString([(18, 103, 5), (19, 104, 6)]),
        shapely.LineString([(18, 103), (19, 104)]),
    )
    moved = parse_correction("swap_axes").apply(array(spatial, flat, shapely.Polygon()))
    assert shapely.get_coordinates(moved[0], include_z=True).tolist() == [[103, 18, 5], [104, 19, 6]]
    assert not moved[1].has_z
    assert moved[2].is_empty


def test_the_geometries_given_are_not_changed():
    given = array(shapely.box(18, 103, 19, 104))
    parse_correction("swap_axes").apply(given)
    assert given[0].bounds == (18, 103, 19, 104)


def test_swapping_twice_gives_back_every_bit():
    rng = np.random.default_rng(3)
    given = array(*[shapely.LineString(points) for points in rng.uniform(0, 1e6, (20, 5, 2))])
    swap = parse_correction("swap_axes")
    assert np.array_equal(
        shapely.get_coordinates(swap.apply(swap.apply(given))), shapely.get_coordinates(given)
    )


def test_a_line_around_an_area_becomes_the_area():
    ring = shapely.LineString([(0, 0), (4, 0), (4, 3)])
    moved = LINE_AS_AREA.apply(array(ring, shapely.MultiLineString([ring]), shapely.Point(1, 1)))
    assert [shape.area for shape in moved] == [6, 6, 0]
    assert (
        LINE_AS_AREA.apply(array(shapely.LineString([(0, 0), (4, 0), (0, 0)])))[0].geom_type == "LineString"
    )
