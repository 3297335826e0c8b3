"""Damage in which reader and count would agree on too few records is found by a third witness."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from reading_fixtures import collection, cut, feature, read, table, write

from geopipe.io.counting import count_elements, count_geopackage, feature_lists, geopackage_damage
from geopipe.io.drivers import geodatabase_numbers
from geopipe.terms import CountMethod


def test_a_page_that_forgot_a_row_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", "GPKG", 500)
    assert geopackage_damage(path) is None
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    leaves = [at for at in range(size, len(data), size) if data[at] == 0x0D]
    pages = [at for at in leaves if b"GP\x00" in data[at : at + size]]
    page = pages[len(pages) // 2]
    cells = int.from_bytes(data[page + 3 : page + 5], "big")
    data[page + 3 : page + 5] = (cells - 1).to_bytes(2, "big")
    path.write_bytes(data)
    assert count_geopackage(path, "a") == 499  # the count alone would believe it
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "FILE_UNREADABLE"
    assert delivery.records_counted == 499


def test_a_value_that_breaks_the_rules_of_its_table_is_no_damage(tmp_path: Path) -> None:
    import sqlite3

    path = write(tmp_path / "a.gpkg", "GPKG", 5)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE strict (x INTEGER NOT NULL)")
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("UPDATE sqlite_master SET sql='CREATE TABLE strict (x INTEGER)' WHERE name='strict'")
    connection.commit()
    connection.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO strict VALUES (NULL)")
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute(
        "UPDATE sqlite_master SET sql='CREATE TABLE strict (x INTEGER NOT NULL)' WHERE name='strict'"
    )
    connection.commit()
    connection.close()
    assert read(path).problem is None


@pytest.mark.parametrize("suffix", [".gdbtable", ".gdbtablx"])
def test_a_cut_table_of_a_geodatabase_is_found(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / "a.gdb", "OpenFileGDB", 50, geometry_type="MultiPolygon")
    layer = read(path).layers[0]
    assert (layer.records_counted, layer.count_method) == (50, CountMethod.EXACT)
    cut(path / f"a{geodatabase_numbers(path)['a']:08x}{suffix}", 0.6)
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "FILE_TRUNCATED"


def test_a_feature_whose_type_is_damaged_is_not_lost(tmp_path: Path) -> None:
    path = collection(tmp_path / "a.geojson", [feature(i) for i in range(5)])
    text = path.read_text("utf-8")
    at = text.index('"Feature"', text.index('"002"') - 60)
    path.write_text(text[:at] + '"F`ature"' + text[at + 9 :], "utf-8")
    layer = read(path).layers[0]
    assert layer.table.num_rows == layer.records_counted == 5
    reasons = layer.table["geometry_problem"].to_pylist()
    assert [reason is None for reason in reasons] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("name", "end"), [("a.csv", "\n"), ("a.csv", ""), ("a.geojsonl", "\n"), ("a.geojsonl", "")]
)
def test_a_last_line_without_end_is_told(tmp_path: Path, name: str, end: str) -> None:
    path = tmp_path / name
    path.write_text(("id,lon,lat\n1,102,18" if name == "a.csv" else json.dumps(feature(0))) + end)
    layer = read(path).layers[0]
    assert ("END_OPEN" in [note.code for note in layer.notes]) == (end == "")
    assert layer.count_method is CountMethod.WEAK


def test_page_checksums_of_parquet_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    data = table(50).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(data, path, write_page_checksum=True, compression="none", use_dictionary=False)
    assert read(path).problem is None
    content = bytearray(path.read_bytes())
    content[content.index(b"048")] ^= 1  # neither least nor greatest, so it stands in the page alone
    path.write_bytes(content)
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.records_counted == 50


def test_elements_are_counted_by_their_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    inside = '<!-- <b> --><b/><x:b c="1"></x:b><bb/><![CDATA[<b>]]><b\n>&lt;b&gt;</b><?b <b> ?>'
    path.write_text(f'<?xml version="1.0"?><a>{inside}</a>')
    assert count_elements(path, ["b", "bb"]) == {"b": 3, "bb": 1}


def test_lists_of_features_are_counted_by_their_brackets(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    inner = {"features": [{"a": "]}{["}, {"b": [[1, 2], [3, 4]], "c": {"features": [{}]}}]}
    path.write_text(json.dumps({"x": [1, 2, {"y": []}], "features": [inner, {}], "z": {"features": []}}))
    assert feature_lists(path) == [2, 2, 1, 0]
