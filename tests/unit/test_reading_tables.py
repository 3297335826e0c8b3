"""CSV tables: found geometry, kept text, and no row lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from reading_fixtures import LAO, read

from geopipe.io.delivery import RawLayer

SQUARE = "POLYGON((102 18,103 18,103 19,102 19,102 18))"


def layer_of(path: Path, text: str, encoding: str = "utf-8") -> RawLayer:
    path.write_bytes(text.encode(encoding))
    delivery = read(path)
    assert delivery.problem is None, delivery.problem
    layer = delivery.layers[0]
    assert layer.problem is None, layer.problem
    assert layer.table.num_rows == layer.records_counted
    return layer


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("column", ["WKT", "the_geom", "shape", "anything"])
def test_wkt_column_is_found(tmp_path: Path, delimiter: str, column: str) -> None:
    header = delimiter.join(["id", column, "note"])
    layer = layer_of(tmp_path / "a.csv", f'{header}\n001{delimiter}"{SQUARE}"{delimiter}"two\nlines ""x"""\n')
    assert layer.table["note"].to_pylist() == ['two\nlines "x"']
    assert layer.table["id"].to_pylist() == ["001"]
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).area == 1
    assert (layer.crs_wkt, layer.geometry_type) == (None, "Polygon")


def test_bad_rows_stay_rows(tmp_path: Path) -> None:
    unclosed = "POLYGON((102 18,103 18,103 19))"
    cells = [
        SQUARE,
        unclosed,
        "POLYGON((102 18,103",
        "not here",
        "",
        "CURVEPOLYGON(CIRCULARSTRING(0 0,1 1,2 0))",
    ]
    text = (
        "id;wkt\n" + "\n".join(f"{i};{cell}" for i, cell in enumerate(cells)) + "\n6\n7;" + SQUARE + ";more\n"
    )
    layer = layer_of(tmp_path / "a.csv", text)
    assert layer.table.num_rows == 8
    problems = layer.table["geometry_problem"].to_pylist()
    assert [problem is not None for problem in problems] == [
        False,
        False,
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    assert problems[2] == "WKT could not be read: the text ends too early"
    # The ring is delivered unclosed, with the three points that it has.
    assert len(layer.table["geometry"][1].as_py()) == 1 + 4 + 4 + 4 + 3 * 16
    assert layer.table["column_3"].to_pylist()[-1] == "more"
    assert [note.code for note in layer.notes] == ["ROWS_RAGGED"]


def test_srid_gives_the_crs_where_it_is_one(tmp_path: Path) -> None:
    assert layer_of(tmp_path / "a.csv", f'wkt\n"SRID=32648;{SQUARE}"\n').crs_name == "EPSG:32648"
    assert layer_of(tmp_path / "b.csv", f'wkt,epsg\n"{SQUARE}",EPSG:32647\n').crs_name == "EPSG:32647"
    assert layer_of(tmp_path / "c.csv", f'wkt,srid\n"{SQUARE}",32647\n"{SQUARE}",32648\n').crs_wkt is None


@pytest.mark.parametrize("names", ["lon,lat", "Longitude,Latitude", "x,y", "lng,lat", "Xcoord,Ycoord"])
def test_points_from_two_columns(tmp_path: Path, names: str) -> None:
    layer = layer_of(tmp_path / "a.csv", f"id,{names}\n1,102.5,18.25\n2,,\n3,1e999,18\n4,abc,18\n")
    assert layer.crs_wkt is None
    assert layer.table["geometry"].is_null().to_pylist() == [False, True, True, True]
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).coords[0] == (102.5, 18.25)
    assert [value is None for value in layer.table["geometry_problem"].to_pylist()] == [
        True,
        True,
        False,
        False,
    ]
    assert layer.table.num_columns == 6  # the coordinates stay as they were written


@pytest.mark.parametrize(("word", "encoding"), [("Xékong", "cp1252"), ("หนองคาย", "cp874")])
def test_old_encodings_are_guessed_and_told(tmp_path: Path, word: str, encoding: str) -> None:
    layer = layer_of(tmp_path / "a.csv", f"place,lon,lat\n{word},102,18\n", encoding)
    assert layer.table["place"].to_pylist() == [word]
    assert [note.code for note in layer.notes] == ["ENCODING_GUESSED"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    layer = layer_of(tmp_path / "a.csv", f"lon,lat,place\r\n102,18,{LAO}\r\n", encoding)
    assert layer.table["place"].to_pylist() == [LAO]
    assert layer.notes == ()


def test_open_quotation_mark_is_found_by_the_count(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,lon,lat\n1,102,18\n"2,102,18\n3,102,18\n4,102,18\n')
    layer = read(path).layers[0]
    assert layer.problem is not None
    assert layer.problem.code == "COUNT_MISMATCH"
    assert (layer.records_counted, layer.table.num_rows) == (4, 0)


def test_table_without_geometry(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("operator,month,ha\nMAG,2024-01,5\nMAG,2024-02,6\n")
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "NO_GEOMETRY"
    assert delivery.records_counted == 2
