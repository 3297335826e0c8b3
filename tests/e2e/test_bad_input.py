"""Bad files, options and folders: one clear sentence, the right exit code, good files are compared."""

import json
import os
import shlex
import sqlite3
from pathlib import Path

import geopandas
import pytest
import shapely
from conftest import UTM_48N, call, call_in_process, hashes, layer_names, read_layer, square, write_geojson

TRACEBACK = "Traceback"


def frame(crs="EPSG:4326", **columns):
    shape = square(105.3)
    polygons = geopandas.GeoDataFrame({"cha_id": ["X-1"], **columns}, geometry=[shape], crs="EPSG:4326")
    return polygons.to_crs(crs)


def shapefile_without_crs(folder, name="MAG_CHA_no_prj"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.shp"
    frame(UTM_48N).to_file(path, engine="pyogrio")
    path.with_suffix(".prj").unlink()
    return path


def missing(folder):
    return folder / "nowhere.shp", "nowhere.shp", "no such file"


def unknown_format(folder):
    path = folder / "areas.dwg"
    path.write_bytes(b"AC1032 a drawing")
    return path, "areas.dwg", ""


def not_what_it_says(folder):
    path = folder / "areas.gpkg"
    path.write_bytes(b"this is not a GeoPackage" * 100)
    return path, "areas.gpkg", ""


def cut_geopackage(folder):
    path = folder / "NPA_cha.gpkg"
    frame().to_file(path, engine="pyogrio")
    path.write_bytes(path.read_bytes()[:20_000])
    return path, "NPA_cha.gpkg", ""


def cut_geojson(folder):
    path = write_geojson(folder / "NPA_cha.geojson", [({"id": str(n)}, square(105 + n)) for n in range(3)])
    path.write_text(path.read_text(encoding="utf-8")[:-60], encoding="utf-8")
    return path, "NPA_cha.geojson", ""


def empty_file(folder):
    path = folder / "NPA_cha.geojson"
    path.write_bytes(b"")
    return path, "NPA_cha.geojson", ""


def no_dbf(folder):
    path = folder / "NPA_cha.shp"
    frame().to_file(path, engine="pyogrio")
    path.with_suffix(".shx").unlink()
    return path, "NPA_cha.shp", ""


def points_only(folder):
    path = write_geojson(folder / "NPA_points.geojson", [({"id": "p"}, shapely.Point(105.001, 17.501))])
    return path, "NPA_points.geojson", "no polygon"


def table_without_geometry(folder):
    path = folder / "NPA_list.csv"
    path.write_text("id,name\n1,a\n2,b\n", encoding="utf-8")
    return path, "NPA_list.csv", ""


def without_crs(folder):
    return shapefile_without_crs(folder), "MAG_CHA_no_prj.shp", "no coordinate system"


def empty_folder(folder):
    (folder / "nothing here").mkdir()
    return folder / "nothing here", "nothing here", ""


# Files of which nothing at all can be used.
USELESS = [missing, unknown_format, not_what_it_says, cut_geopackage, cut_geojson, empty_file,
           table_without_geometry, without_crs]  # fmt: skip
PARTLY = [*USELESS, no_dbf, points_only]


def name_of(function):
    return function.__name__


def one_clear_sentence(ran, name, words):
    assert TRACEBACK not in ran.err + ran.out
    told = [line for line in ran.err.splitlines() if name in line]
    assert told, ran.err
    assert words in ran.err
    sentence = told[0].removeprefix("geopipe: ")
    assert sentence.rstrip().endswith(".")
    assert len(sentence.split(". ")) >= 2 or len(sentence.split("; ")) >= 2, "no remedy: " + sentence


@pytest.mark.parametrize(
    "make",
    [
        *USELESS,
        points_only,
        pytest.param(empty_folder),
    ],
    ids=name_of,
)
def test_alone_it_ends_with_3(make, tmp_path):
    path, name, words = make(tmp_path)
    out = tmp_path / "out"
    ran = call("compare", path, "-o", out)
    assert ran.code == 3
    if out.exists():  # hazard that cannot be used, and points, are on a map all the same
        assert ran.first_line.startswith("NOT ALL DATA COMPARED: 1 of 1 files")
        assert make in (without_crs, points_only)
    else:
        assert ran.out == ""
    one_clear_sentence(ran, name, words)


@pytest.mark.parametrize("make", PARTLY, ids=name_of)
def test_beside_good_files_the_others_are_compared(make, two_files, tmp_path):
    path, name, words = make(tmp_path)
    out = tmp_path / "out"
    ran = call("compare", *two_files, path, "-o", out)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["overlaps"]["between_operators"]["pairs"] == 1
    if make is no_dbf and not any(d["problems"] for d in summary["deliveries"]):
        assert ran.code == 0  # the reader could do without the missing member
        return
    assert ran.code == 4
    assert ran.first_line.startswith("NOT ALL DATA COMPARED: 1 of 3 files not or only partly used")
    assert name in ran.first_line
    one_clear_sentence(ran, name, words)
    told = next(d for d in summary["deliveries"] if d["problems"])
    assert told["file"] == name
    parts = dict(told["balance"])
    assert parts.pop("records_in") == sum(parts.values())


def test_a_file_that_cannot_be_opened_is_said(two_files, tmp_path, monkeypatch):
    if os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    two_files[0].chmod(0)
    ran = call("compare", *two_files, "-o", tmp_path / "out")
    assert ran.code == 4
    assert two_files[0].name in ran.err


# --- columns that are not there -------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--operator-field", "--kind-field", "--id-field"])
def test_an_unknown_column_alone_is_wrong_usage_with_the_known_ones(two_files, tmp_path, option):
    ran = call("compare", *two_files, "-o", tmp_path / "out", option, "hazard_idd")
    assert ran.code == 2
    assert "hazard_idd" in ran.err
    assert "hazard_id" in ran.err.replace("hazard_idd", "")
    assert TRACEBACK not in ran.err
    assert not (tmp_path / "out").exists()


def test_a_column_that_only_some_files_have_leaves_the_others_out(two_files, tmp_path):
    third = write_geojson(tmp_path / "NPA_CHA.geojson", [({"NR": "N-1"}, square(105.0005))])
    ran = call("compare", *two_files, third, "-o", tmp_path / "out", "--id-field", "hazard_id")
    assert ran.code == 4
    assert ran.first_line.startswith("NOT ALL DATA COMPARED: 1 of 3 files")
    assert "NPA_CHA.geojson" in ran.err
    assert "NR" in ran.err
    rejected = read_layer(tmp_path / "out" / "geopipe.gpkg", "rejected")
    assert [(row["file"], row["reason"]) for row in rejected] == [("NPA_CHA.geojson", "FIELD_UNKNOWN")]


# --- files without a coordinate system ------------------------------------------------------------


def command_to_type(err):
    """Return the arguments of the whole command that was printed."""
    lines = [line.strip() for line in err.splitlines() if line.strip().startswith("geopipe ")]
    assert len(lines) == 1, err
    return shlex.split(lines[0])[1:]


@pytest.mark.parametrize("name", ["MAG_CHA_no_prj", "ເຂດ ອັນຕະລາຍ MAG (2026)"])
def test_without_crs_the_whole_command_is_printed_and_works(two_files, tmp_path, name):
    path = shapefile_without_crs(tmp_path / "with space", name)
    ran = call("compare", *two_files, path, "-o", tmp_path / "out put")
    assert ran.code == 4
    assert (
        f"{name}.shp: the file states no coordinate system. "
        "EPSG:32648 puts it near 105.30 E, 17.50 N (in Laos)" in ran.err
    )
    arguments = command_to_type(ran.err)
    assert arguments[-2:] == ["--assume-crs", UTM_48N]
    again = call(*arguments)
    assert again.code == 0, again.err
    assert "NOT ALL" not in again.out
    areas = read_layer(tmp_path / "out put" / "geopipe.gpkg", "areas")
    assert sum(row["file"] == f"{name}.shp" for row in areas) == 1


def test_alone_too_the_whole_command_is_printed_and_works(tmp_path):
    path = shapefile_without_crs(tmp_path)
    ran = call("compare", path, "-o", tmp_path / "out")
    assert ran.code == 3
    assert call(*command_to_type(ran.err)).code == 0


def test_with_json_the_command_is_printed_too(two_files, tmp_path):
    path = shapefile_without_crs(tmp_path)
    ran = call("compare", *two_files, path, "-o", tmp_path / "out", "--json")
    assert json.loads(ran.out)["balance"]["rejected"] == 1
    assert call(*command_to_type(ran.err)).code == 0


def test_what_run_and_report_advise_about_a_missing_crs_can_be_done(two_files, tmp_path):
    """They have no --assume-crs: a printed command that ends with 'No such option' helps nobody."""
    path = shapefile_without_crs(tmp_path)
    config = tmp_path / "all.yaml"
    config.write_text(f"deliveries:\n  - path: in\n  - path: {path.name}\n", encoding="utf-8")
    for ran in (call("run", config), call("report", tmp_path / "out")):
        assert "no coordinate system" in ran.err
        for line in ran.err.splitlines():
            if line.strip().startswith("geopipe "):
                again = call(*shlex.split(line)[1:])
                assert again.code == 0, again.err


def test_the_hazard_of_a_file_without_crs_stays_on_the_map(two_files, tmp_path):
    path = shapefile_without_crs(tmp_path)
    ran = call("compare", *two_files, path, "-o", tmp_path / "out")
    assert "1 record that may be hazard only drawn, not measured (layer hazard_unresolved)" in ran.out
    drawn = read_layer(tmp_path / "out" / "geopipe.gpkg", "hazard_unresolved")
    assert {row["source_id"] for row in drawn} == {"X-1"}
    assert {row["position"] for row in drawn} == {"as if in EPSG:32648", "as if in EPSG:32647"}


# --- options and folders --------------------------------------------------------------------------


def test_a_working_crs_that_is_not_equal_area_is_refused(two_files, tmp_path):
    ran = call("compare", *two_files, "-o", tmp_path / "out", "--working-crs", UTM_48N)
    assert ran.code == 2
    assert "equal-area" in ran.err
    assert UTM_48N in ran.err


@pytest.mark.parametrize("option", ["--working-crs", "--assume-crs"])
def test_a_crs_that_does_not_exist_is_refused(two_files, tmp_path, option):
    ran = call("compare", *two_files, "-o", tmp_path / "out", option, "EPSG:99999999")
    assert ran.code == 2
    assert "EPSG:99999999" in ran.err
    assert TRACEBACK not in ran.err


def test_an_unknown_layer_is_refused_with_the_nearest_name(two_files, tmp_path):
    ran = call("compare", *two_files, "-o", tmp_path / "out", "--layers", "areas,overlap")
    assert ran.code == 2
    assert "there is no layer 'overlap'; did you mean 'overlaps'?" in ran.err


@pytest.mark.parametrize("names", ["", ",", " , "])
def test_no_layer_at_all_is_refused(two_files, tmp_path, names):
    ran = call("compare", *two_files, "-o", tmp_path / "out", "--layers", names)
    assert ran.code == 2
    assert "name at least one layer" in ran.err


def test_an_output_that_is_a_file_is_refused(two_files, tmp_path):
    (tmp_path / "out").write_text("in the way")
    for output in (tmp_path / "out", tmp_path / "out" / "below"):
        ran = call("compare", *two_files, "-o", output)
        assert ran.code == 2
        assert str(output) in ran.err
        assert TRACEBACK not in ran.err
    assert (tmp_path / "out").read_text() == "in the way"


def test_an_output_that_cannot_be_written_is_refused_with_a_remedy(two_files, tmp_path, monkeypatch):
    out, original = tmp_path / "out", Path.mkdir

    def refuse(self, *given, **more):
        if self == out:
            raise PermissionError(13, "Permission denied", str(self))
        original(self, *given, **more)

    monkeypatch.setattr(Path, "mkdir", refuse)
    ran = call("compare", *two_files, "-o", out)
    assert ran.code == 2
    assert f"{out}: the folder cannot be written" in ran.err
    assert "Choose another with -o." in ran.err


def test_a_folder_without_the_right_to_write_is_refused(two_files, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    (tmp_path / "out").mkdir(mode=0o555)
    ran = call("compare", *two_files, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_an_old_result_stays_when_the_new_one_cannot_be_written(two_files, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert call("compare", two_files[0], "-o", out).code == 0
    before = hashes(out)
    from geopipe import unfinished

    make = unfinished.tempfile.mkdtemp

    def refuse(suffix=None, prefix=None, dir=None):
        if dir == out:
            raise OSError(28, "No space left on device")
        return make(suffix, prefix, dir)

    monkeypatch.setattr(unfinished.tempfile, "mkdtemp", refuse)
    ran = call("compare", *two_files, "-o", out)
    assert ran.code == 2
    assert "No space left on device" in ran.err
    assert hashes(out) == before
    assert call("report", out).code == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("deliveries:\n  - path: in\nworkspace: w\noutputs: o\n",
         "line 4: unknown key 'outputs'; did you mean 'output'?"),
        ("deliveries:\n  - path: in\n    asume_crs: EPSG:32648\n",
         "line 3: unknown key 'asume_crs'; did you mean 'assume_crs'?"),
        ("deliveries:\n  - path: in\n    kind: minefield\n", "line 3:"),
        ("deliveries:\n  - path: in\nlayers: [areas, overlap]\n",
         "line 3: layers: unknown layer 'overlap'; did you mean 'overlaps'?"),
        ("workspace: w\n", "the key 'deliveries' is missing"),
        ("deliveries: []\n", "line 1: deliveries:"),
        ("deliveries:\n  - path: [in\n", "this is not YAML"),
        ("just words\n", "the file must hold `key: value` lines"),
        ("", "the file must hold `key: value` lines"),
        ("deliveries:\n  - path: in\ndeliveries:\n  - path: in\n", "line"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_names_file_and_line(two_files, tmp_path, text, sentence):
    config = tmp_path / "wrong.yaml"
    config.write_text(text, encoding="utf-8")
    ran = call("run", config)
    assert ran.code == 2
    assert str(config) in ran.err
    assert sentence in ran.err
    assert TRACEBACK not in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("working_crs: EPSG:32648", "equal-area"),
        ("working_crs: EPSG:99999999", "EPSG:99999999"),
        ("policy: nowhere.yaml", "nowhere.yaml"),
        ("area_of_interest: [99, 13, 108]", "area_of_interest"),
        ("workers: 0", "workers"),
    ],
)
def test_a_configuration_that_asks_for_the_impossible_is_refused(two_files, tmp_path, line, word):
    config = tmp_path / "wrong.yaml"
    config.write_text(f"deliveries:\n  - path: in\n{line}\n", encoding="utf-8")
    ran = call("run", config)
    assert ran.code == 2
    assert word in ran.err
    assert TRACEBACK not in ran.err


@pytest.mark.parametrize(
    "needed",
    [
        True,
        False,
    ],
)
def test_the_crs_of_a_configuration_is_checked_too(two_files, tmp_path, needed):
    if needed:
        shapefile_without_crs(tmp_path / "in")
    config = tmp_path / "wrong.yaml"
    config.write_text("deliveries:\n  - path: in\n    assume_crs: EPSG:99999999\n", encoding="utf-8")
    ran = call("run", config)
    assert ran.code == 2
    assert "EPSG:99999999" in ran.err


def test_a_wrong_policy_names_file_and_line(two_files, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("name: ours\nversion: 1\nnear_equal: 0.9\n", encoding="utf-8")
    ran = call("compare", *two_files, "-o", tmp_path / "out", "--policy", policy)
    assert ran.code == 2
    assert f"{policy}, line" in ran.err


def test_no_traceback_reaches_people(tmp_path):
    """The whole command in a process of its own: what a technician would see."""
    for make in (not_what_it_says, missing):
        path, name, _ = make(tmp_path)
        ran = call_in_process("compare", path, "-o", tmp_path / "out")
        assert ran.code == 3
        assert name in ran.err
        assert TRACEBACK not in ran.err


def test_a_folder_is_as_good_as_files(two_files, tmp_path):
    """What lies beside the deliveries in a folder is no delivery, and no failure."""
    (tmp_path / "in" / "read me.txt").write_text("notes")
    (tmp_path / "in" / "letter.pdf").write_bytes(b"%PDF-1.7")
    ran = call("compare", tmp_path / "in", "-o", tmp_path / "out")
    assert ran.code == 0
    assert layer_names(tmp_path / "out" / "geopipe.gpkg")[:2] == ["areas", "overlaps"]
    with sqlite3.connect(tmp_path / "out" / "geopipe.gpkg") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_the_output_folder_inside_the_deliveries_is_not_read_as_a_delivery(two_files, tmp_path):
    """`compare . -o out` twice: the second run must not take the result of the first for a delivery."""
    folder = tmp_path / "in"
    first = call("compare", folder, "-o", folder / "out")
    second = call("compare", folder, "-o", folder / "out")
    assert first.code == second.code == 0
    count = lambda ran: [line for line in ran.lines if line.startswith(("READ", "OVERLAPS"))]  # noqa: E731
    assert count(first) == count(second)
