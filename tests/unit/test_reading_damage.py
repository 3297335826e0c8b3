"""Damaged and odd files: every record is accounted for, and the sentence says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reading_fixtures import (
    LAO,
    collection,
    cut,
    delete_dbf_row,
    feature,
    read,
    rename_dbf_field,
    shapefile,
    write,
)

from geopipe.io.delivery import Problem, RawDelivery


def problem_of(delivery: RawDelivery) -> Problem:
    problem = delivery.problem or delivery.layers[0].problem
    assert problem is not None
    assert problem.sentence.endswith(".")
    assert delivery.path.name in problem.sentence
    return problem


def counted(delivery: RawDelivery) -> int | None:
    return delivery.records_counted if delivery.problem else delivery.layers[0].records_counted


def test_cut_shp_keeps_what_is_there(tmp_path: Path) -> None:
    path = cut(shapefile(tmp_path, count=10), 0.5)
    layer = read(path).layers[0]
    assert (layer.table.num_rows, layer.records_counted) == (10, 10)
    reasons = layer.table["geometry_problem"].to_pylist()
    nulls = layer.table["geometry"].is_null().to_pylist()
    assert [reason is not None for reason in reasons] == nulls
    assert 0 < sum(nulls) < 10
    assert "FILE_TRUNCATED" in [note.code for note in layer.notes]


@pytest.mark.parametrize(("part", "code"), [(".dbf", "FILE_TRUNCATED"), (".shx", "FILE_TRUNCATED")])
def test_cut_companions(tmp_path: Path, part: str, code: str) -> None:
    path = shapefile(tmp_path, count=10)
    cut(path.with_suffix(part), 0.5)
    delivery = read(path)
    assert problem_of(delivery).code == code
    assert counted(delivery) == 10


def test_missing_companions(tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    path.with_suffix(".dbf").unlink()
    layer = read(path).layers[0]
    assert layer.table.num_rows == 5
    assert "FILE_INCOMPLETE" in [note.code for note in layer.notes]
    path = shapefile(tmp_path / "b")
    path.with_suffix(".shx").unlink()
    delivery = read(path)
    assert (problem_of(delivery).code, counted(delivery)) == ("FILE_INCOMPLETE", 5)
    assert not path.with_suffix(".shx").exists()


def test_shx_and_dbf_of_different_length(tmp_path: Path) -> None:
    path, other = shapefile(tmp_path, count=5), shapefile(tmp_path / "b", count=7)
    path.with_suffix(".dbf").write_bytes(other.with_suffix(".dbf").read_bytes())
    delivery = read(path)
    assert (problem_of(delivery).code, counted(delivery)) == ("COUNT_MISMATCH", 7)


def test_deleted_rows_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    delete_dbf_row(path.with_suffix(".dbf"), 0)
    delete_dbf_row(path.with_suffix(".dbf"), 2)
    layer = read(path).layers[0]
    assert layer.problem is None
    assert layer.table["row"].to_pylist() == [2, 4, 5]
    assert layer.table["id"].to_pylist() == ["001", "003", "004"]
    assert "RECORDS_DELETED" in [note.code for note in layer.notes]


@pytest.mark.parametrize("cpg", [True, False])
def test_lao_field_name_cut_inside_a_letter(tmp_path: Path, cpg: bool) -> None:
    path = shapefile(tmp_path)
    name = "ຊື່ບ້ານ".encode()[:10]
    rename_dbf_field(path.with_suffix(".dbf"), 1, name)
    if not cpg:
        path.with_suffix(".cpg").unlink()
    layer = read(path).layers[0]
    assert layer.problem is None
    assert layer.table["id"].to_pylist() == ["000", "001", "002", "003", "004"]
    assert layer.table[name.decode("utf-8", "replace")].to_pylist() == [LAO] * 5
    assert "NAME_CUT" in [note.code for note in layer.notes]


def test_lao_text_cut_at_254_bytes(tmp_path: Path) -> None:
    from reading_fixtures import table

    path = shapefile(tmp_path, data=table(2, village=["ກ" * 200, "x"]))
    for keep_cpg in (True, False):
        if not keep_cpg:
            path.with_suffix(".cpg").unlink()
        layer = read(path).layers[0]
        values = layer.table["village"].to_pylist()
        assert values[0].startswith("ກ" * 84)
        assert values[1] == "x"


@pytest.mark.parametrize("word", ["Xékong", "ສາລະວັນ"])
def test_no_cpg_is_guessed_and_told(tmp_path: Path, word: str) -> None:
    encoding = "cp1252" if word[0] == "X" else "utf-8"
    path = shapefile(tmp_path)
    dbf = path.with_suffix(".dbf")
    old = LAO.encode()
    dbf.write_bytes(dbf.read_bytes().replace(old, word.encode(encoding).ljust(len(old))))
    path.with_suffix(".cpg").unlink()
    layer = read(path).layers[0]
    assert layer.table["village"].to_pylist() == [word] * 5
    assert [note.code for note in layer.notes] == ["ENCODING_GUESSED"]
    assert encoding.upper() in layer.notes[0].sentence


def test_mixed_case_of_suffixes(tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    path.with_suffix(".dbf").rename(path.with_suffix(".Dbf"))
    path.with_suffix(".prj").rename(path.with_suffix(".PRJ"))
    layer = read(path).layers[0]
    assert (layer.table.num_rows, layer.crs_name) == (5, "EPSG:4326")
    assert layer.table["village"].to_pylist() == [LAO] * 5


def test_cut_geopackage(tmp_path: Path) -> None:
    for share in (0.001, 0.3, 0.6, 0.95):
        path = cut(write(tmp_path / f"a{share}.gpkg", "GPKG", 500), share)
        assert problem_of(read(path)).code in ("FILE_TRUNCATED", "FILE_UNREADABLE", "FORMAT_UNKNOWN")


def test_cut_geojson_counts_what_it_holds(tmp_path: Path) -> None:
    path = cut(write(tmp_path / "a.geojson", "GeoJSON", 100), 0.5)
    delivery = read(path)
    assert problem_of(delivery).code == "FILE_TRUNCATED"
    assert 40 < (counted(delivery) or 0) < 60


def test_cut_sequence_gives_its_last_line_a_reason(tmp_path: Path) -> None:
    path = cut(write(tmp_path / "a.geojsonl", "GeoJSONSeq", 100), 0.503)
    layer = read(path).layers[0]
    assert layer.table.num_rows == layer.records_counted
    reasons = layer.table["geometry_problem"].to_pylist()
    assert reasons[:-1] == [None] * (len(reasons) - 1)
    assert "not readable JSON" in reasons[-1]


@pytest.mark.parametrize("share", [0.0005, 0.3, 0.7, 0.99])
def test_cut_flatgeobuf(tmp_path: Path, share: float) -> None:
    delivery = read(cut(write(tmp_path / "a.fgb", "FlatGeobuf", 200), share))
    assert problem_of(delivery)
    assert share < 0.01 or counted(delivery) == 200


@pytest.mark.parametrize("suffix", [".kml", ".parquet", ".zip", ".csv"])
def test_empty_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.touch()
    assert problem_of(read(path)).code == "FILE_EMPTY"


def test_cut_kml(tmp_path: Path) -> None:
    delivery = read(cut(write(tmp_path / "a.kml", "LIBKML", 50), 0.5))
    assert problem_of(delivery).code == "FILE_TRUNCATED"
    assert 15 < (counted(delivery) or 0) < 35


def test_endless_number_spoils_one_record_only(tmp_path: Path) -> None:
    ring = [[102, 18], [777.5, 18], [103, 19], [102, 18]]
    features = [feature(i) for i in range(4)]
    features[1]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    path = collection(tmp_path / "a.geojson", features)
    path.write_text(path.read_text("utf-8").replace("777.5", "1e400"), "utf-8")
    layer = read(path).layers[0]
    assert layer.table.num_rows == layer.records_counted == 4
    reasons = layer.table["geometry_problem"].to_pylist()
    assert "not a finite number" in reasons[1]
    assert [reason is None for reason in reasons] == [True, False, True, True]


def test_deep_nesting_is_refused_and_counted(tmp_path: Path) -> None:
    path = collection(tmp_path / "a.geojson", [feature(i) for i in range(4)])
    text = path.read_text("utf-8").replace('"id": "000"', '"deep": ' + "[" * 200_000 + "]" * 200_000)
    path.write_text(text, "utf-8")
    delivery = read(path)
    assert problem_of(delivery).code == "FILE_UNREADABLE"
    assert counted(delivery) == 4


def test_text_that_looks_like_a_feature_does_not_fool_the_count(tmp_path: Path) -> None:
    features = [feature(0), feature(1, None)]
    features[0]["properties"]["nested"] = {"type": "Feature"}
    layer = read(collection(tmp_path / "a.geojson", features)).layers[0]
    assert layer.problem is None
    assert layer.table.num_rows == layer.records_counted == 2
    assert str(layer.count_method) == "exact"


@pytest.mark.parametrize("document", [feature(0), feature(0)["geometry"]])
def test_bare_feature_and_bare_geometry(tmp_path: Path, document: dict) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(document))
    layer = read(path).layers[0]
    assert layer.table.num_rows == layer.records_counted == 1


def test_geometry_that_gdal_drops_is_explained(tmp_path: Path) -> None:
    bad = {"type": "Polygon", "coordinates": [[[102, 18], [103, "x"], [103, 19], [102, 18]]]}
    none = {"type": "Polygon", "coordinates": [[102, 18], [103, 18]]}
    layer = read(collection(tmp_path / "a.geojson", [feature(0), feature(1, bad), feature(2, none)])).layers[
        0
    ]
    assert layer.table.num_rows == layer.records_counted == 3
    reasons = layer.table["geometry_problem"].to_pylist()
    assert [reason is None for reason in reasons] == [True, False, False]


def test_empty_layers(tmp_path: Path) -> None:
    paths = [
        shapefile(tmp_path, count=0),
        write(tmp_path / "a.gpkg", "GPKG", 0),
        write(tmp_path / "a.kml", "LIBKML", 0),
        collection(tmp_path / "a.geojson", []),
    ]
    for path in paths:
        delivery = read(path)
        assert delivery.problem is None, delivery.problem
        assert (delivery.layers[0].table.num_rows, delivery.layers[0].records_counted) == (0, 0)
