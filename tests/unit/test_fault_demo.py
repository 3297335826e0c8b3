"""The fault demonstration: the same seed makes the same files, and truth fits what they hold."""

import json

import numpy as np
import pytest
import shapely
from conftest import hashes

from geopipe.coordinates.corrections import degrees_of_dms
from geopipe.demo.faults import make_fault_demo
from geopipe.demo.faults.coordinates import _as_minutes_and_seconds
from geopipe.demo.faults.fault import Planting
from geopipe.demo.faults.formats import FORMATS
from geopipe.demo.faults.geometry import esri, wkb, wkt
from geopipe.demo.faults.ground import Ground, border_plots, far_province, transform_xy
from geopipe.demo.faults.make import FAULTS, obstacle
from geopipe.demo.faults.sheet import Need, Shape, Style, make_sheet
from geopipe.demo.places import EQUAL_AREA_CRS, LON_LAT_CRS
from geopipe.errors import ConfigError, OutputError
from geopipe.location.places import load_places

LON_LAT = Style("NPA", LON_LAT_CRS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults") / "demo"
    return folder, make_fault_demo(folder, seed=42)


def planting(seed=1, kind="CHA", size=16):
    rng = np.random.default_rng(seed)
    ground = Ground(rng)
    return Planting(rng, ground, make_sheet(rng, ground, "areas", 1, LON_LAT, kind, size))


def fault(name):
    return next(fault for fault in FAULTS if fault.name == name)


def shapes_of(sheet):
    return shapely.from_wkb([wkb(record, sheet.shape) for record in sheet.records], on_invalid="ignore")


# Files and truth.


def test_the_command_makes_the_same_bytes_from_the_same_seed(demo, fault_demo_of):
    folder, truth = demo
    made = fault_demo_of(42)
    said = (made / "said.txt").read_text(encoding="utf-8")
    assert f"{len(truth['deliveries']):,} deliveries in {len(FORMATS)} formats" in said
    assert hashes(made / "demo") == hashes(folder)


def test_another_seed_makes_other_records():
    first, second = (shapes_of(planting(seed=seed).sheet) for seed in (1, 2))
    assert not shapely.intersects(first, second).any()
    assert shapely.equals_exact(first, shapes_of(planting(seed=1).sheet)).all()


def test_truth_names_every_file_and_its_records(demo):
    folder, truth = demo
    assert json.loads((folder / "truth.json").read_text(encoding="utf-8")) == truth
    for delivery in truth["deliveries"]:
        assert (folder / delivery["file"]).is_file()
        assert len(delivery["rows"]) == len(delivery["ids"]) == delivery["records"]
        for told in delivery["faults"]:
            assert told["positions"]
            assert set(told["positions"]) <= set(range(delivery["records"]))


def test_each_format_has_a_delivery_without_any_fault(demo):
    _, truth = demo
    clean = {d["format"] for d in truth["deliveries"] if d["fault"] == "clean_hazard"}
    assert clean == {form.name for form in FORMATS}


def test_a_fault_is_made_in_a_format_unless_it_cannot_hold_it(demo):
    _, truth = demo
    made = {(d["format"], d["fault"]) for d in truth["deliveries"]}
    for form in FORMATS:
        for each in FAULTS:
            assert ((form.name, each.name) in made) == (obstacle(form, each) == ""), (form.name, each.name)


def test_every_fault_is_made_in_some_format(demo):
    _, truth = demo
    assert {d["fault"] for d in truth["deliveries"]} == {each.name for each in FAULTS}
    assert len({each.name for each in FAULTS}) == len(FAULTS)


def test_every_need_is_one_of_some_fault_and_missing_in_some_format():
    needed = {need for each in FAULTS for need in each.needs}
    missing = {need for form in FORMATS for need in form.cannot}
    assert missing <= needed | {Need.AREAS}


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        make_fault_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="negative"):
        make_fault_demo(tmp_path / "demo", seed=-1)


# Ground.


def test_records_lie_in_the_district_that_they_state_and_do_not_overlap():
    sheet = planting(size=400).sheet
    shapes = shapes_of(sheet)
    assert shapely.is_valid(shapes).all()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert (left == right).all()
    lon, lat = shapely.get_coordinates(shapely.centroid(shapes)).T
    places = load_places()
    located = places.locate(lon, lat)
    assert places.district_names(located).tolist() == [r.values["district"] for r in sheet.records]
    stated = [places.resolve_province(r.values["province"]) for r in sheet.records]
    assert places.province_codes(located).tolist() == stated


def test_the_stated_area_is_that_of_the_polygon():
    sheet = planting().sheet
    for record, shape in zip(sheet.records, shapes_of(sheet), strict=True):
        ring = transform_xy(shapely.get_coordinates(shape), LON_LAT_CRS, EQUAL_AREA_CRS)
        assert shapely.Polygon(ring).area == pytest.approx(record.values["area_m2"], abs=0.6)


def test_border_plots_lie_beyond_the_border_but_within_two_kilometres():
    places = load_places()
    for plot, beside in border_plots():
        lon, lat = transform_xy(plot.middle[None, :], EQUAL_AREA_CRS, LON_LAT_CRS).T
        stated = np.array([places.resolve_province(beside)], dtype=object)
        (distance_m,) = places.distance_to_province_m(lon, lat, stated)
        assert 300 < distance_m < 1500
        assert places.district_names(places.locate(lon, lat))[0] == plot.district


def test_a_wrong_province_is_far_away():
    places = load_places()
    for plot, _ in border_plots():
        lon, lat = transform_xy(plot.middle[None, :], EQUAL_AREA_CRS, LON_LAT_CRS).T
        stated = np.array([places.resolve_province(far_province(plot))], dtype=object)
        assert places.distance_to_province_m(lon, lat, stated)[0] > 50_000


# Faults.


def test_minutes_and_seconds_written_as_decimals_mean_the_same_place():
    degrees = np.array([[103.7583333, 19.4598611], [104.0, 15.9999]])
    written = _as_minutes_and_seconds(degrees)
    assert written[0].tolist() == [103.453, 19.27355]
    assert degrees_of_dms(written) == pytest.approx(degrees, abs=2e-6)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("bow_tie", "Self-intersection"), ("repeats_start", ""), ("parts_overlap", "Self-intersection")],
)
def test_planted_rings_are_invalid_and_all_others_valid(name, reason):
    made = planting()
    rows = fault(name).plant(made)
    shapes = shapes_of(made.sheet)
    assert sorted(np.flatnonzero(~shapely.is_valid(shapes))) == rows
    assert all(reason in shapely.is_valid_reason(shapes[row]) for row in rows)


def test_a_spike_is_valid_and_hardly_changes_the_area():
    made = planting()
    before = shapely.area(shapes_of(made.sheet))
    rows = fault("spike").plant(made)
    shapes = shapes_of(made.sheet)
    assert shapely.is_valid(shapes).all()
    change = shapely.area(shapes) / before - 1
    assert ((change[rows] > 0) & (change[rows] < 0.05)).all()


def test_an_open_ring_is_written_open_and_others_closed():
    made = planting()
    rows = fault("open_ring").plant(made)
    for position, record in enumerate(made.sheet.records):
        points = wkt(record, Shape.AREA).removeprefix("POLYGON ((").removesuffix("))").split(", ")
        assert (points[0] != points[-1]) == (position in rows)


def test_esri_rings_are_clockwise_and_holes_are_not():
    made = planting()
    fault("hole").plant(made)
    holes = [esri(record, Shape.AREA)["rings"] for record in made.sheet.records]
    holes = [rings for rings in holes if len(rings) > 1]
    assert len(holes) == 3
    for outer, inner in holes:
        assert not shapely.is_ccw(shapely.LinearRing(outer))
        assert shapely.is_ccw(shapely.LinearRing(inner))
