"""`geopipe convert`: which files a person gets, and what is said when something is not there."""

import json

from conftest import call, write_geojson


def test_a_person_reads_which_file_holds_how_many_records(small_result, tmp_path):
    done = call(
        "convert", small_result, "-o", tmp_path / "for", "--format", "geojson,kml", "--layers", "areas"
    )
    assert done.code == 0
    assert [line.split()[:2] for line in done.out.splitlines()] == [["geojson", "areas"], ["kml", "all"]]
    assert "READ_FIRST.txt" in done.err
    assert (tmp_path / "for" / "geojson" / "areas.geojson").is_file()
    assert (tmp_path / "for" / "kml" / "geopipe.kml").is_file()


def test_as_json_each_file_and_its_records(small_result, tmp_path):
    done = call("convert", small_result, "-o", tmp_path, "--format", "flatgeobuf", "--json")
    told = json.loads(done.out)
    assert {made["layer"] for made in told["written"]} >= {"areas", "overlaps"}
    assert all((tmp_path / file).is_file() for made in told["written"] for file in made["files"])
    assert told["left_out"] == ["handover", "rejected"]


def test_files_of_others_stay_and_an_older_conversion_is_replaced(small_result, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "geojson").mkdir()
    for name in ("mine.geojson", "gaps.geojson"):
        (tmp_path / "geojson" / name).write_text("{}")
    call("convert", small_result, "-o", tmp_path, "--format", "geojson", "--layers", "areas")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    left = sorted(path.name for path in (tmp_path / "geojson").iterdir())
    assert left == ["areas.geojson", "mine.geojson"]  # an old layer beside new ones would be misread


def test_an_unknown_format_is_named_with_the_nearest_known_one(small_result, tmp_path):
    done = call("convert", small_result, "-o", tmp_path, "--format", "shapefiles")
    assert done.code == 2
    assert "did you mean 'shapefile'?" in done.err


def test_a_folder_without_a_result_is_an_error(tmp_path):
    done = call("convert", tmp_path, "-o", tmp_path / "to", "--format", "kml")
    assert done.code != 0
    assert "no finished result" in done.err


def test_a_result_without_records_says_that_nothing_was_written(tmp_path):
    path = write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [({"id": "M-1"}, None)])
    call("compare", path, "-o", tmp_path / "out", "-q")
    done = call("convert", tmp_path / "out", "-o", tmp_path / "to", "--format", "geojson")
    assert done.code == 0
    assert "geojson: no map layer of this result holds a record" in done.err
