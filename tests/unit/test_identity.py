"""Ids and hashes come from what was delivered, and change exactly when that changes."""

import datetime as dt
import json

import pyarrow as pa
import pytest
import shapely

from geopipe.identity import (
    geometry_hashes,
    hash_text,
    hashes,
    join_ids,
    json_members,
    json_objects,
    version_hashes,
)

ONE = shapely.to_wkb(shapely.box(0, 0, 1, 1))
OTHER = shapely.to_wkb(shapely.box(0, 0, 1, 2))


def blobs(*values):
    return pa.array(values, pa.large_binary())


def version(wkb=ONE, crs="EPSG:4326", record="MAG:hazard:1", content='{"a":1}'):
    return version_hashes(geometry_hashes(blobs(wkb), crs), pa.array([record]), pa.array([content]))[
        0
    ].as_py()


def json_rows(table):
    return json_objects(json_members(table), table.num_rows)


def test_hashes_are_the_same_on_every_machine():
    assert hash_text("") == "e4a6a0577479b2b4"
    assert hashes(pa.array(["a", "b", None])).to_pylist() == [hash_text("a"), hash_text("b"), hash_text("")]


def test_many_rows_are_hashed_in_their_order():
    values = [f"record {n}" for n in range(25_001)]
    assert hashes(pa.array(values)).to_pylist() == [hash_text(value) for value in values]


def test_a_column_in_pieces_hashes_like_a_column_in_one():
    whole = pa.array(["a", "b", "c", "d"])
    pieces = pa.chunked_array([["a"], ["b", "c"], ["d"]])
    assert hashes(pieces).to_pylist() == hashes(whole).to_pylist()


def test_equal_geometry_in_another_crs_is_another_geometry():
    first, second = (geometry_hashes(blobs(ONE), crs)[0] for crs in ("EPSG:32647", "EPSG:32648"))
    assert first != second


def test_other_bytes_are_another_geometry_and_equal_bytes_are_not():
    found = geometry_hashes(blobs(ONE, OTHER, ONE, None), "EPSG:4326").to_pylist()
    assert found[0] == found[2]
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"wkb": OTHER},
        {"crs": "EPSG:32648"},
        {"record": "MAG:hazard:2"},
        {"record": "HALO:hazard:1"},
        {"content": '{"a":2}'},
        {"wkb": None},
    ],
)
def test_a_change_of_anything_delivered_is_another_version(change):
    assert version(**change) != version()


def test_the_same_record_is_the_same_version():
    assert version() == version()


def test_an_id_cannot_run_over_into_the_attributes():
    assert version(record="MAG:hazard:1:x", content="y") != version(record="MAG:hazard:1", content="x:y")


def test_ids_are_joined_with_colons():
    found = join_ids(pa.array(["MAG", "HALO"]), pa.array(["hazard", "task"]), pa.array(["1", "2"]))
    assert found.to_pylist() == ["MAG:hazard:1", "HALO:task:2"]


def test_attributes_are_json_that_python_reads():
    table = pa.table(
        {
            "text": ["plain", 'quote " and \\ backslash', "line\nbreak\ttab", "ບ້ານ ໂພນ", None],
            "whole": pa.array([1, 2, None, 4, 5]),
            "number": [1.5, float("nan"), float("inf"), 1e300, None],
            "yes": [True, False, None, True, False],
            "day": pa.array([dt.date(2024, 1, 18), None, None, None, None]),
            'odd " name': ["a"] * 5,
            "bytes": pa.array([b"\x00\xff", None, None, None, None]),
            "list": pa.array([[1, 2], None, None, None, None]),
            "words": pa.array(["x", "y", "x", None, "z"]).dictionary_encode(),
        }
    )
    rows = [json.loads(text) for text in json_rows(table).to_pylist()]
    assert [row["text"] for row in rows] == table["text"].to_pylist()
    assert [row["whole"] for row in rows] == [1, 2, None, 4, 5]
    assert [row["number"] for row in rows] == [1.5, None, None, 1e300, None]
    assert [row["yes"] for row in rows] == [True, False, None, True, False]
    assert rows[0]["day"] == "2024-01-18"
    assert rows[0]['odd " name'] == "a"
    assert [row["words"] for row in rows] == ["x", "y", "x", None, "z"]
    assert list(rows[0]) == table.column_names


@pytest.mark.parametrize("number", range(32))
def test_a_control_character_does_not_break_the_json(number):
    (text,) = json_rows(pa.table({"a": [f"x{chr(number)}y"]})).to_pylist()
    assert json.loads(text)["a"].startswith("x")


def test_a_table_without_columns_has_empty_objects():
    table = pa.table({"a": [1, 2]}).select([])
    assert json_rows(pa.table({"a": [1, 2]}).select(["a"])).to_pylist() == ['{"a":1}', '{"a":2}']
    assert json_rows(table).to_pylist() == ["{}"] * table.num_rows
