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
    assert layer_of(tmp_path / "c.csv", f'wkt,epsg\n"SRID=32648;{SQUARE}",32647\n').crs_wkt is None


def test_two_columns_that_state_different_systems_state_none(tmp_path: Path) -> None:
    layer = layer_of(tmp_path / "a.csv", "epsg,ProjName,x,y\n32647,UTM 48N,234567,2145678\n")
    assert layer.crs_wkt is None
    assert "CRS_UNREADABLE" in [note.code for note in layer.notes]


def test_each_stated_crs_is_a_layer_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'wkt,srid\n"{SQUARE}",32647\n"{SQUARE}",32648\n"SRID=32647;{SQUARE}",\n"{SQUARE}",\n')
    layers = read(path).layers
    assert [layer.crs_name for layer in layers] == ["", "EPSG:32647", "EPSG:32648"]
    assert [layer.table["row"].to_pylist() for layer in layers] == [[4], [1, 3], [2]]
    assert [layer.records_counted for layer in layers] == [1, 2, 1]
    assert [note.code for note in layers[0].notes] == ["CRS_SEVERAL"]
    assert len({layer.name for layer in layers}) == 3


def test_a_table_that_lost_rows_is_not_divided_but_quarantined(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('srid,x,y\n32647,1,2\n32648,1,"2\n32648,1,2\n')
    (layer,) = read(path).layers
    assert layer.problem is not None
    assert (layer.problem.code, layer.records_counted) == ("COUNT_MISMATCH", 3)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_titles_above_the_header_are_left_out_and_told(tmp_path: Path, delimiter: str) -> None:
    row = delimiter.join
    text = f"Clearance, cancelled, reduced\n\nXieng Khouang\n{row(['id', 'Lon', 'Lat'])}\n{row('a12')}\n"
    layer = layer_of(tmp_path / "a.csv", text)
    assert (layer.table["id"].to_pylist(), layer.table["row"].to_pylist()) == (["a"], [1])
    assert [note.code for note in layer.notes] == ["HEADER_BELOW_TITLES"]
    assert "2 title lines" in layer.notes[0].sentence


def test_a_record_that_reads_like_a_header_stays_a_record(tmp_path: Path) -> None:
    text = f'id,area,note\n1,"{SQUARE}",shape\n2,"{SQUARE}","x"\nx,"{SQUARE}",y\n'
    assert layer_of(tmp_path / "a.csv", text).table["note"].to_pylist() == ["shape", "x", "y"]


def test_words_in_a_table_without_geometry_make_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("operator,month,source\nMAG,2024-01,GPS\nMAG,2024-02,map\n")
    delivery = read(path)
    assert delivery.problem is not None
    assert (delivery.problem.code, delivery.records_counted) == ("NO_GEOMETRY", 2)


def test_a_heading_over_a_pair_of_columns_is_not_the_header(tmp_path: Path) -> None:
    layer = layer_of(tmp_path / "a.csv", "id,Coordinates,Coordinates\n,X,Y\na,102,18\n")
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).coords[0] == (102, 18)


def test_the_text_of_wkt_that_cannot_be_read_is_kept(tmp_path: Path) -> None:
    layer = layer_of(tmp_path / "a.csv", f'id,wkt\n1,"{SQUARE}"\n2,"POLYGON((102 18,103 18"\n')
    assert layer.table["wkt"].to_pylist() == [None, "POLYGON((102 18,103 18"]


def test_wkt_that_excel_has_cut_is_told(tmp_path: Path) -> None:
    whole = "POLYGON((" + ",".join(f"102.{i:06d} 18.{i:06d}" for i in range(3000)) + "))"
    layer = layer_of(tmp_path / "a.csv", f'id,wkt\n1,"{whole[:32767]}"\n2,"{SQUARE}"\n')
    (problem, none) = layer.table["geometry_problem"].to_pylist()
    assert none is None
    assert "Excel cuts cells at 32,767 characters" in problem


def test_records_without_geometry_do_not_divide_a_table(tmp_path: Path) -> None:
    text = "id,x,y\n1,103 30 E,19 30 N\n2,,\n3,somewhere,\n"
    layer = layer_of(tmp_path / "a.csv", text)
    assert layer.crs_name == "EPSG:4326"
    assert layer.table["geometry"].is_null().to_pylist() == [False, True, True]


@pytest.mark.parametrize("column", ["MGRS", "coordinates", "GPS"])
def test_points_from_one_column_of_text(tmp_path: Path, column: str) -> None:
    layer = layer_of(tmp_path / "a.csv", f"id,{column}\n1,48QUE1234567890\n2,19 30 N 103 30 E\n")
    assert layer.crs_name == "EPSG:4326"
    assert [shapely.from_wkb(point.as_py()).x for point in layer.table["geometry"]] == [
        pytest.approx(103.22968, abs=1e-5),
        103.5,
    ]


def test_the_grid_that_projname_states_is_taken_before_degrees(tmp_path: Path) -> None:
    text = "ProjName,lon,lat,x,y\nUTM 48N,102.47,19.39,234567,2145678\n"
    layer = layer_of(tmp_path / "a.csv", text)
    assert layer.crs_name == "EPSG:32648"
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).x == 234567


def test_degrees_with_letters_keep_a_stated_geographic_system(tmp_path: Path) -> None:
    text = "crs,x,y\nLao 1997,103 30 E,19 30 N\n"
    assert layer_of(tmp_path / "a.csv", text).crs_name == "EPSG:4678"
    layer = layer_of(tmp_path / "b.csv", text.replace("Lao 1997", "UTM 48N"))
    assert layer.crs_name == "EPSG:4326"
    assert "CRS_IMPLAUSIBLE" in [note.code for note in layer.notes]


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
