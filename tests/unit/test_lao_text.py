"""Lao text survives bit for bit wherever a format can hold it; where it cannot, the reader says so."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import xlsxwriter
from reading_fixtures import read, shapefile, shapefile_parts, squares, write, zipped

from geopipe.io.delivery import RawLayer

# The same word in the spellings that look alike: composed, decomposed, and with marks in another order;
# a digraph beside its two letters; Lao digits; a zero-width space between words, as Lao is typed.
VALUES = ["ຄຳ", "ຄໍາ", "ນ້ຳ", "ນໍ້າ", "ໜອງ", "ຫນອງ", "ຫຼວງ", "ຫລວງ", "໒໐໒໔-໐໑-໑໘", "ບ້ານ\u200bໂພນສະຫວັນ (ທ່າ)"]
COLUMN = "ຊື່ບ້ານ"
SHORT = "ບ້ານ"  # twelve bytes; ten fit into a shapefile


def data(column: str = COLUMN) -> pa.Table:
    geometry = pa.array(shapely.to_wkb(squares(len(VALUES))), pa.binary())
    return pa.table({"id": [f"{i:03d}" for i in range(len(VALUES))], column: VALUES, "geometry": geometry})


def gdal(driver: str, **more: object) -> Callable[[Path], Path]:
    return lambda path: write(path, driver, data=data(), **more)


def kmz(path: Path) -> Path:
    return zipped(path, {"doc.kml": write(path.with_suffix(".kml"), "LIBKML", data=data())})


def geoparquet(path: Path) -> Path:
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    pq.write_table(data().replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def table_of(encoding: str) -> Callable[[Path], Path]:
    def save(path: Path) -> Path:
        with path.open("w", encoding=encoding, newline="") as file:
            rows = zip(VALUES, squares(len(VALUES)), strict=True)
            csv.writer(file).writerows(
                [["id", COLUMN, "wkt"], *([str(i), v, s.wkt] for i, (v, s) in enumerate(rows))]
            )
        return path

    return save


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("ຂໍ້ມູນ")
        sheet.write_row(0, 0, ["id", COLUMN, "wkt"])
        for row, (value, shape) in enumerate(zip(VALUES, squares(len(VALUES)), strict=True), start=1):
            sheet.write_row(row, 0, [f"{row:03d}", value, shape.wkt])
    return path


def esri(path: Path, ascii_only: bool) -> Path:
    features = [
        {
            "attributes": {"id": str(i), COLUMN: value},
            "geometry": {"rings": [list(map(list, shape.exterior.coords))]},
        }
        for i, (value, shape) in enumerate(zip(VALUES, squares(len(VALUES)), strict=True))
    ]
    path.write_text(json.dumps({"features": features}, ensure_ascii=ascii_only), "utf-8")
    return path


def gpx(path: Path) -> Path:
    points = "".join(f'<wpt lat="18" lon="102"><name>{value}</name></wpt>' for value in VALUES)
    path.write_text(f'<?xml version="1.0"?><gpx>{points}</gpx>', "utf-8")
    return path


def imsma(path: Path) -> Path:
    tables = {
        "hazard": [["hazard_guid", COLUMN], *([f"h{i}", value] for i, value in enumerate(VALUES))],
        "geospatialinfo": [
            ["geospatialinfo_guid", "shape", "hazard_guid"],
            *([f"g{i}", "Polygon", f"h{i}"] for i in range(len(VALUES))),
        ],
        "geopoint": [
            ["geospatialinfo_guid", "pointno", "latitude", "longitude"],
            *([f"g{i}", n, 18 + n * n, 102 + n] for i in range(len(VALUES)) for n in (1, 2, 3)),
        ],
    }
    for name, rows in tables.items():
        with (path.parent / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return path.parent / "geospatialinfo.csv"


MAKERS: dict[str, Callable[[Path], Path]] = {
    "a.gpkg": gdal("GPKG"),
    "a.geojson": gdal("GeoJSON"),
    "a.geojsonl": gdal("GeoJSONSeq"),
    "a.kml": gdal("LIBKML"),
    "a.kmz": kmz,
    "a.fgb": gdal("FlatGeobuf"),
    "a.gdb": gdal("OpenFileGDB", geometry_type="MultiPolygon"),
    "a.parquet": geoparquet,
    "utf8.csv": table_of("utf-8"),
    "bom.csv": table_of("utf-8-sig"),
    "utf16.csv": table_of("utf-16"),
    "a.xlsx": workbook,
    "esri.json": lambda path: esri(path, False),
    "escaped.json": lambda path: esri(path, True),
    "ng.csv": imsma,
}


def layer_of(path: Path) -> RawLayer:
    delivery = read(path)
    assert delivery.problem is None, delivery.problem
    layer = delivery.layers[0]
    assert layer.problem is None, layer.problem
    return layer


def notes(layer: RawLayer) -> set[str]:
    return {note.code for note in layer.notes}


@pytest.mark.parametrize("name", MAKERS)
def test_values_and_names_survive_bit_for_bit(tmp_path: Path, name: str) -> None:
    layer = layer_of(MAKERS[name](tmp_path / name))
    assert COLUMN in layer.table.column_names
    table = layer.table.sort_by("id") if "id" in layer.table.column_names else layer.table  # FlatGeobuf sorts
    assert [text.encode() for text in table[COLUMN].to_pylist()] == [text.encode() for text in VALUES]
    assert not notes(layer) & {"ENCODING_GUESSED", "TEXT_DAMAGED"}


def test_names_of_places_in_gpx_survive(tmp_path: Path) -> None:
    assert layer_of(gpx(tmp_path / "a.gpx")).table["name"].to_pylist() == VALUES


@pytest.mark.parametrize("keep_cpg", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_values_in_a_shapefile_survive_with_and_without_cpg(
    tmp_path: Path, keep_cpg: bool, packed: bool
) -> None:
    path = shapefile(tmp_path, data=data("village"))
    if not keep_cpg:
        path.with_suffix(".cpg").unlink()
    layer = layer_of(zipped(tmp_path / "a.zip", shapefile_parts(path, "ໂຟນເດີ/ຂໍ້ມູນ")) if packed else path)
    assert layer.table["village"].to_pylist() == VALUES
    assert ("ENCODING_GUESSED" in notes(layer)) == (not keep_cpg)


def test_a_shapefile_cuts_names_and_says_so(tmp_path: Path) -> None:
    layer = layer_of(shapefile(tmp_path, data=data("ຊື່ບ້ານ")))
    (name,) = [name for name in layer.table.column_names if name not in ("row", "geometry", "id")]
    assert COLUMN.startswith(name.rstrip("\N{REPLACEMENT CHARACTER}"))
    assert layer.table[name].to_pylist() == VALUES
    assert name == COLUMN or "NAME_CUT" in notes(layer) or len(name.encode()) <= 10


def test_a_cell_of_254_bytes_in_a_shapefile_is_told(tmp_path: Path) -> None:
    long = "ບ້ານໂພນສະຫວັນ" * 20
    texts = pa.array([long, *VALUES[1:-1], "x" * 300])
    layer = layer_of(shapefile(tmp_path, data=data("village").set_column(1, "village", texts)))
    first, *others, _ = layer.table["village"].to_pylist()
    assert long.startswith(first.rstrip("\N{REPLACEMENT CHARACTER}"))
    assert len(first) < len(long)
    assert others == VALUES[1:-1]
    (note,) = [note for note in layer.notes if note.code == "TEXT_CUT"]
    assert "2 texts" in note.sentence


def test_lao_bytes_read_under_a_false_label_are_told(tmp_path: Path) -> None:
    path = shapefile(tmp_path, data=data("village"))
    path.with_suffix(".cpg").write_text("1252")
    layer = layer_of(path)
    assert layer.table["village"].to_pylist() == VALUES
    assert "ENCODING_GUESSED" in notes(layer)


def test_a_table_in_an_old_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,village,lon,lat\n1,Xékong,102,18\n".encode("cp1252"))
    assert "ENCODING_GUESSED" in notes(layer_of(path))


def test_text_that_was_lost_before_stays_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"id,village,lon,lat\n1,{VALUES[0]},102,18\n".encode("cp1252", "replace"))
    assert layer_of(path).table["village"].to_pylist() == ["??"]


def test_a_byte_flipped_inside_a_letter_shows(tmp_path: Path) -> None:
    path = esri(tmp_path / "a.json", False)
    path.write_bytes(path.read_bytes().replace(VALUES[0].encode(), VALUES[0].encode()[:-1] + b"\xff", 1))
    layer = layer_of(path)
    assert "\N{REPLACEMENT CHARACTER}" in layer.table[COLUMN][0].as_py()
    assert "TEXT_DAMAGED" in notes(layer)
