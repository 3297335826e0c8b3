"""The files of the demonstration: formats, CRSs, faults, sameness, and the ground that they lie on."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from geopipe.demo import catalogue, layout, make_demo
from geopipe.demo.places import BOXES, PROVINCES, VILLAGES
from geopipe.errors import ConfigError, OutputError


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo folder ລາວ")
    return folder, make_demo(folder, size=500, seed=3)


def test_counts_and_crs_are_those_of_the_truth(demo):
    folder, truth = demo
    for file, entry in truth["files"].items():
        if file.endswith(".csv"):
            lines = (folder / file).read_text(encoding="utf-8").splitlines()
            assert len(lines) - 1 == entry["records"]
            continue
        layers = [name for name, _ in pyogrio.list_layers(folder / file)]
        info = [pyogrio.read_info(folder / file, layer=name) for name in layers]
        assert sum(one["features"] for one in info) == entry["records"]
        assert {one["crs"] for one in info} == {entry["crs"]}
        if "layers" in entry:
            counted = zip(layers, (one["features"] for one in info), strict=True)
            assert dict(counted) == entry["layers"]


def test_shapefiles_have_short_names_and_lao_text(demo):
    folder, _ = demo
    meta, _, _, fields = pyogrio.raw.read(folder / "UXO_Lao_CHA_2026.shp")
    assert all(len(name) <= 10 for name in meta["fields"])
    column = dict(zip(meta["fields"], fields, strict=True))
    assert set(column["province"]) <= {province.lao for province in PROVINCES}
    assert set(column["village"]) <= {lao for _, lao in VILLAGES}
    assert (folder / "UXO_Lao_CHA_2026.cpg").read_text() == "UTF-8"
    assert not (folder / "Unit58_CHA_no_prj.prj").exists()
    with zipfile.ZipFile(folder / "UXO_Lao_clearance_2026.zip") as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}


def test_lon_lat_files_keep_full_precision(demo):
    folder, _ = demo
    polygons = json.loads((folder / "NPA_CHA.geojson").read_text(encoding="utf-8"))["features"]
    ring = next(one["geometry"]["coordinates"][0] for one in polygons if one["geometry"])
    assert max(len(repr(x).split(".")[1]) for x, _ in ring) >= 12


def test_dates_of_the_csv_can_only_be_read_day_first(demo):
    lines = (demo[0] / "Unit58_clearance.csv").read_text(encoding="utf-8").splitlines()
    place = lines[0].replace('"', "").split(",").index("completion_date")
    days = [int(line.replace('"', "").split(",")[place].split("/")[0]) for line in lines[1:]]
    assert min(days) > 12


def test_survey_boxes_follow_the_kilometre_grid(demo):
    _, _, wkb, _ = pyogrio.raw.read(demo[0] / "MAG_survey_boxes.gpkg")
    bounds = shapely.bounds(shapely.from_wkb(wkb))
    assert (bounds % 1000 == 0).all()
    assert (bounds[:, 2:] - bounds[:, :2] == 1000).all()


def test_faulty_records_are_faulty(demo):
    folder, truth = demo
    wrong = {"bowtie": 0, "self_touch": 0, "spike": 0}
    for entry in truth["invalid_rings"]:
        if not entry["file"].endswith(".csv"):
            _, _, wkb, _ = pyogrio.raw.read(folder / entry["file"], layer=entry.get("layer"))
            assert not shapely.is_valid(shapely.from_wkb(wkb[entry["row"]]))
        wrong[entry["fault"]] += 1
    assert min(wrong.values()) >= 3
    for entry in truth["rejected"]:
        if entry["file"].endswith((".geojson", ".kml")):
            _, _, wkb, _ = pyogrio.raw.read(folder / entry["file"])
            one = shapely.from_wkb(wkb[entry["row"]], on_invalid="ignore")
            if entry["reason"] == "swapped_coordinates":
                assert one.bounds[0] < 25
                assert one.bounds[1] > 90
            elif entry["reason"] == "too_few_points":
                assert not one.is_valid
                assert one.area == 0
            else:
                assert one is None


def test_same_size_and_seed_give_the_same_bytes(tmp_path):
    make_demo(tmp_path / "one", size=500, seed=9)
    make_demo(tmp_path / "two", size=500, seed=9)
    make_demo(tmp_path / "three", size=500, seed=10)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    truth = [(tmp_path / folder / "truth.json").read_bytes() for folder in ("one", "three")]
    assert truth[0] != truth[1]


def test_foreign_files_stay_and_own_ones_are_replaced(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "truth.json").write_text("old")
    make_demo(folder, size=150, seed=1)
    assert (folder / "notes.txt").read_text() == "mine"
    assert json.loads((folder / "truth.json").read_text(encoding="utf-8"))["size"] == 150
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_size_that_is_too_small_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="Ask for 150 or more"):
        make_demo(tmp_path, size=10)
    with pytest.raises(ConfigError, match="negative"):
        make_demo(tmp_path, seed=-1)


def test_a_file_in_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "demo").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        make_demo(tmp_path / "demo", size=150)


def test_every_type_occurs_at_size_500():
    counts = catalogue.how_many(500)
    assert min(n for _, n in counts) >= 3
    assert sum(n * catalogue.records_per_scene(scene) for scene, n in counts) == 500


def test_scenes_shrink_when_the_ground_is_full():
    half_m = np.full(4000, 300.0)
    on_grid = np.zeros(4000, dtype=bool)
    assert layout.choose_fill(half_m, on_grid, 100) is None
    factor = layout.shrinking(half_m, on_grid, 100)
    assert 0.2 < factor < 0.6
    assert layout.choose_fill(half_m * factor, on_grid, 100) is not None


@pytest.mark.slow
def test_a_million_shapes_still_fit(tmp_path):
    truth = make_demo(tmp_path, size=1_000_000, seed=42)
    assert truth["shape_scale"] < 1
    assert sum(file["records"] for file in truth["files"].values()) > 1_000_000


@pytest.mark.real
def test_the_boxes_lie_in_the_districts_that_they_name():
    folder = Path(os.environ.get("GEOPIPE_REAL_DATA", "../shared/data")) / "lao-admin"
    if not folder.is_dir():
        pytest.skip("the real boundaries are not here: name their folder in GEOPIPE_REAL_DATA")
    districts = features(folder / "lao_adm2_geoboundaries.geojson", "shapeName")
    provinces = features(folder / "lao_adm1_ocha_pcode_simplified.json", "ADM1_LO")
    lao = {province.name: province.lao for province in PROVINCES}
    for box in BOXES:
        rectangle = shapely.box(box.west, box.south, box.east, box.north)
        assert any(district.contains(rectangle) for district in districts[box.district]), box
        assert any(province.contains(rectangle) for province in provinces[lao[box.province]]), box


def features(path, name):
    """Return the shapes of a GeoJSON file by name."""
    shapes = {}
    for one in json.loads(path.read_text(encoding="utf-8"))["features"]:
        shape = shapely.make_valid(shapely.geometry.shape(one["geometry"]))
        shapes.setdefault(one["properties"][name], []).append(shape)
    return shapes
