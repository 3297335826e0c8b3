"""What is registered at a place: by point, by box, by id; with or without an index on disk."""

import json
import shutil
from pathlib import Path

import pytest
import shapely
from conftest import call, read_layer, square, write_geojson
from pyproj import Transformer

from geopipe import query, unfinished


@pytest.fixture(scope="module")
def result(small_result, tmp_path_factory):
    """Return a copy of the small result that tests may add an index to."""
    folder = tmp_path_factory.mktemp("asked") / "out ຜົນ"
    shutil.copytree(small_result, folder)
    return folder


@pytest.fixture(scope="module")
def areas(result):
    """Return the published areas with their polygons in lon/lat, corner by corner."""
    rows = read_layer(result / "geopipe.gpkg", "areas")
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    back = Transformer.from_crs(summary["working_crs"], "EPSG:4326", always_xy=True)
    for row in rows:
        row["lonlat"] = shapely.transform(row["geometry"], lambda xy: _columns(*back.transform(*xy.T)))
    return rows


def _columns(x, y):
    return shapely.get_coordinates(shapely.points(x, y))


def ask(folder, *arguments):
    ran = call("query", folder, *arguments, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["rows"]


def test_at_a_point_the_areas_that_hold_it(result, areas):
    for number in range(0, len(areas), 25):
        point = areas[number]["lonlat"].representative_point()
        found = ask(result, "--at", f"{point.x!r},{point.y!r}")
        expected = {row["row_id"] for row in areas if row["lonlat"].contains(point)}
        assert {row["row_id"] for row in found} == expected
        assert areas[number]["row_id"] in expected


def test_in_a_box_the_areas_that_meet_it(result, areas):
    west, south, east, north = areas[0]["lonlat"].buffer(0.05).bounds
    found = ask(result, "--bbox", f"{west},{south},{east},{north}")
    box = shapely.box(west, south, east, north)
    expected = {row["row_id"] for row in areas if row["lonlat"].intersects(box)}
    assert {row["row_id"] for row in found} == expected
    assert len(ask(result, "--bbox", "90,5,120,30")) == len(areas)


@pytest.mark.parametrize("box", ["106,17,104,19", "104,19,106,17", "106,19,104,17"])
def test_a_box_turned_round_is_refused_and_does_not_read_as_empty(result, box):
    assert ask(result, "--bbox", "104,17,106,19")
    ran = call("query", result, "--bbox", box)
    assert ran.code == 2
    assert "WEST,SOUTH,EAST,NORTH" in ran.err


@pytest.mark.parametrize("name", ["record_id", "source_id"])
def test_by_id_the_record(result, areas, name):
    wanted = areas[3]
    found = ask(result, "--id", wanted[name])
    assert {row["row_id"] for row in found} == {r["row_id"] for r in areas if r[name] == wanted[name]}
    assert found[0]["area_m2"] == pytest.approx(wanted["area_m2"])
    assert found[0]["geometry_hash"] == wanted["geometry_hash"]


def test_nothing_there_does_not_read_as_safe(result):
    ran = call("query", result, "--at", "101.5,20.5")
    assert ran.code == 0
    assert ran.out == "No area is registered there. That does not mean that the land is safe.\n"
    assert ask(result, "--at", "101.5,20.5") == []
    assert ask(result, "--id", "no such id") == []


def test_the_index_is_rebuilt_where_it_is_absent_old_or_broken(result, areas):
    point = areas[5]["lonlat"].representative_point()
    place = f"{point.x!r},{point.y!r}"
    folder = result / ".index"
    first = ask(result, "--at", place)
    assert (folder / "stamp.json").is_file()
    (folder / "stamp.json").write_text("{}", encoding="utf-8")
    assert ask(result, "--at", place) == first
    (folder / "stamp.json").write_text("not json", encoding="utf-8")
    assert ask(result, "--at", place) == first
    shutil.rmtree(folder)
    assert ask(result, "--at", place) == first
    assert {path.name for path in result.iterdir()} <= {".index", "geopipe.gpkg", "return", "summary.json"}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("areas.dat is missing"),
        "areas.idx is missing",
        pytest.param("areas.dat is cut"),
    ],
)
def test_a_damaged_index_is_built_anew(small_result, areas, tmp_path, damage):
    folder = tmp_path / "out"
    shutil.copytree(small_result, folder, ignore=shutil.ignore_patterns(".index"))
    point = areas[5]["lonlat"].representative_point()
    first = ask(folder, "--at", f"{point.x!r},{point.y!r}")
    file = folder / ".index" / damage.split()[0]
    if damage.endswith("missing"):
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:1000])
    assert ask(folder, "--at", f"{point.x!r},{point.y!r}") == first


def test_a_folder_that_cannot_be_written_is_no_hindrance(result, areas, tmp_path, monkeypatch):
    folder = tmp_path / "read-only"
    shutil.copytree(result, folder, ignore=shutil.ignore_patterns(".index"))
    asked = []

    def refuse_here(suffix=None, prefix=None, dir=None):
        if dir is not None and Path(dir) == folder:
            asked.append(dir)
            raise PermissionError(13, "Permission denied", str(dir))
        return original(suffix, prefix, dir)

    original = unfinished.tempfile.mkdtemp
    monkeypatch.setattr(unfinished.tempfile, "mkdtemp", refuse_here)
    point = areas[5]["lonlat"].representative_point()
    assert ask(folder, "--at", f"{point.x!r},{point.y!r}") == ask(result, "--at", f"{point.x!r},{point.y!r}")
    assert asked
    assert sorted(path.name for path in folder.iterdir()) == ["geopipe.gpkg", "return", "summary.json"]


def test_an_index_of_other_areas_is_not_believed(tmp_path):
    """The result was made anew, the index beside it is of the one before."""
    one = write_geojson(
        tmp_path / "in" / "MAG_CHA.geojson", [({"id": "a"}, square(105.0)), ({"id": "b"}, square(106.0))]
    )
    out = tmp_path / "out"
    assert call("compare", one, "-o", out, "--quiet").code == 0
    assert [row["source_id"] for row in ask(out, "--at", "105.001,17.501")] == ["a"]
    write_geojson(one, [({"id": "b"}, square(106.0)), ({"id": "c"}, square(105.0))])
    assert call("compare", one, "-o", out, "--quiet").code == 0
    assert [row["source_id"] for row in ask(out, "--at", "105.001,17.501")] == ["c"]


def test_a_workspace_can_be_asked_before_anything_is_published(two_files, tmp_path):
    work = tmp_path / "work"
    call("ingest", *two_files, "-w", work)
    for stage in ("validate", "reproject", "locate", "check", "deduplicate", "history", "index"):
        assert call(stage, "-w", work).code == 0
    found = ask(work, "--at", "105.0015,17.501")
    assert {row["record_id"] for row in found} == {"MAG:hazard:M-1", "UXO Lao:hazard:U-1"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say one of --at, --bbox or --id"),
        (("--at", "1,2", "--id", "x"), "say one of --at, --bbox or --id"),
        (("--at", "1;2"), "'1;2' is not LON,LAT; write for example 103.19,19.45"),
        (("--bbox", "1,2,3"), "'1,2,3' is not WEST,SOUTH,EAST,NORTH"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_a_sentence(result, arguments, sentence):
    ran = call("query", result, *arguments)
    assert ran.code == 2
    assert sentence in " ".join(ran.err.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--at", "103.1,95"),
        ("--at", "nan,17"),
        ("--at", "inf,17"),
        ("--at", "19.45,103.19"),
        ("--bbox", "17,105,18,106"),
        ("--bbox", "nan,17,106,18"),
        ("--bbox", "-inf,-inf,inf,inf"),
    ],
    ids=" ".join,
)
def test_a_place_that_cannot_be_is_refused_and_does_not_read_as_empty(result, arguments):
    """Degrees off the Earth, exchanged ones, no numbers: 'nothing is registered there' would be untrue."""
    ran = call("query", result, *arguments)
    assert ran.code == 2
    assert "No area" not in ran.out


def test_a_folder_without_a_result_is_said(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        ran = call("query", folder, "--at", "103.19,19.45")
        assert ran.code == 2
        assert "holds no finished result" in ran.err
        assert str(folder) in ran.err


def test_the_module_asks_the_same_question(result, areas):
    west, south, east, north = areas[0]["lonlat"].bounds
    found = query.find_areas(result, (west, south, east, north))
    assert areas[0]["row_id"] in {row["row_id"] for row in found}


def test_hazard_that_could_only_be_drawn_is_told_near_it_and_by_its_id(tmp_path):
    line = {"type": "Polygon", "coordinates": [[[105.01, 17.5], [105.012, 17.502]]]}
    path = write_geojson(
        tmp_path / "cha.geojson", [({"hazard_id": "good"}, square()), ({"hazard_id": "half"}, line)]
    )
    out = tmp_path / "out"
    assert call("compare", path, "--operator", "MAG", "--kind", "cha", "-o", out).code == 0
    for where in (("--at", "105.0115,17.501"), ("--bbox", "105.011,17.5,105.012,17.501"), ("--id", "half")):
        told = call("query", out, *where).out
        assert "MAY BE HAZARD, only drawn: MAG half  CHA  TOO_FEW_POINTS, placed as stated" in told
        assert "No area is registered there. That does not mean that the land is safe." in told
        (row,) = json.loads(call("query", out, *where, "--json").out)["only_drawn"]
        assert row["reason"] == "TOO_FEW_POINTS"
    assert "only drawn" not in call("query", out, "--at", "105.02,17.5").out


def test_a_result_without_that_layer_is_asked_all_the_same(tmp_path):
    path = write_geojson(tmp_path / "cha.geojson", [({"hazard_id": "good"}, square())])
    out = tmp_path / "out"
    call("compare", path, "--operator", "MAG", "--kind", "cha", "-o", out, "--layers", "areas")
    assert call("query", out, "--at", "105.001,17.501").out.startswith("MAG:hazard:good")
