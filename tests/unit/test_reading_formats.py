"""Every format comes in whole: all records, all values, the stated CRS, and a count to prove it."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from reading_fixtures import (
    LAO,
    collection,
    feature,
    read,
    read_all,
    rows_of,
    shapefile,
    shapefile_parts,
    squares,
    table,
    write,
    zipped,
)

from geopipe.io.delivery import RawLayer
from geopipe.terms import CountMethod


def only(path: Path) -> RawLayer:
    delivery = read(path)
    assert delivery.problem is None, delivery.problem
    assert len(delivery.content_hash) == 64
    assert len(delivery.layers) == 1
    layer = delivery.layers[0]
    assert layer.problem is None, layer.problem
    assert layer.table.num_rows == layer.records_counted
    assert layer.table.column_names[:2] == ["row", "geometry"]
    return layer


def geoparquet(path: Path, **about: object) -> Path:
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", **about}},
    }
    pq.write_table(table().replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def csv_table(path: Path) -> Path:
    lines = [f'{i:03d},{LAO},"{shape.wkt}"' for i, shape in enumerate(squares())]
    path.write_text("\n".join(["id,village,WKT", *lines]), "utf-8-sig")
    return path


def packed(path: Path) -> Path:
    inner = collection(path.with_suffix(""), [feature(i) for i in range(5)])
    path.write_bytes(gzip.compress(inner.read_bytes()))
    return path


def geodatabase_zip(path: Path) -> Path:
    folder = write(path.parent / "areas.gdb", "OpenFileGDB", geometry_type="MultiPolygon")
    return zipped(path, {f"areas.gdb/{p.name}": p for p in sorted(folder.iterdir())})


MAKERS = {
    "areas.shp": lambda p: shapefile(p.parent),
    "areas.zip": lambda p: zipped(p, shapefile_parts(shapefile(p.parent / "in"), "sub folder/ຂໍ້ມູນ")),
    "areas.gpkg": lambda p: write(p, "GPKG"),
    "areas.gdb": lambda p: write(p, "OpenFileGDB", geometry_type="MultiPolygon"),
    "areas.gdb.zip": geodatabase_zip,
    "areas.geojson": lambda p: write(p, "GeoJSON"),
    "areas.json": lambda p: write(p, "GeoJSON"),
    "areas.geojson.gz": packed,
    "areas.geojsonl": lambda p: write(p, "GeoJSONSeq"),
    "areas.kml": lambda p: write(p, "LIBKML"),
    "areas.kmz": lambda p: zipped(p, {"doc.kml": write(p.parent / "doc.kml", "LIBKML")}),
    "areas.fgb": lambda p: write(p, "FlatGeobuf"),
    "areas.parquet": geoparquet,
    "areas.csv": csv_table,
}


@pytest.mark.parametrize("name", MAKERS)
def test_each_format_comes_in_whole(tmp_path: Path, name: str) -> None:
    layer = only(MAKERS[name](tmp_path / name))
    assert layer.table.num_rows == 5
    assert layer.count_method is not CountMethod.NONE
    shapes = shapely.from_wkb(layer.table["geometry"].to_pylist())
    for shape, square in zip(sorted(shapes, key=lambda s: s.bounds), squares(), strict=True):
        assert shape.symmetric_difference(square).area < 1e-9
    assert sorted(layer.table["id"].to_pylist()) == ["000", "001", "002", "003", "004"]
    assert set(layer.table["village"].to_pylist()) == {LAO}
    assert layer.table["row"].to_pylist() == [1, 2, 3, 4, 5]
    assert layer.crs_name == (
        "" if name == "areas.csv" else "OGC:CRS84" if "parquet" in name else "EPSG:4326"
    )
    assert (layer.crs_wkt is None) == (name == "areas.csv")


def test_driver_name_of_an_unpacked_file_is_told(tmp_path: Path) -> None:
    assert read(packed(tmp_path / "a.geojson.gz")).driver == "GeoJSON"


@pytest.mark.parametrize(
    ("suffix", "driver"), [(".shp", "ESRI Shapefile"), (".gpkg", "GPKG"), (".fgb", "FlatGeobuf")]
)
def test_without_crs_none_is_assumed(tmp_path: Path, suffix: str, driver: str) -> None:
    layer = only(write(tmp_path / f"areas{suffix}", driver, crs=None))
    assert (layer.crs_wkt, layer.crs_name) == (None, "")


@pytest.mark.parametrize("crs", [None, {"type": "unknown"}])
def test_geoparquet_without_usable_crs(tmp_path: Path, crs: object) -> None:
    layer = only(geoparquet(tmp_path / "a.parquet", crs=crs))
    assert layer.crs_wkt is None


def test_custom_crs_keeps_its_own_name(tmp_path: Path) -> None:
    wkt = (
        'PROJCS["Lao 1997 / UTM zone 48N",GEOGCS["Lao 1997",DATUM["Lao_National_Datum_1997",'
        'SPHEROID["Krassowsky 1940",6378245,298.3]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],'
        'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",105],'
        'PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],'
        'UNIT["metre",1]]'
    )
    layer = only(write(tmp_path / "a.gpkg", "GPKG", crs=wkt))
    assert layer.crs_name == "Lao 1997 / UTM zone 48N"
    assert layer.crs_wkt is not None
    assert "Krassowsky" in layer.crs_wkt
    layer = only(shapefile(tmp_path, crs=wkt))
    assert "32648" not in layer.crs_name


def test_geopackage_with_layers_tables_and_no_crs(tmp_path: Path) -> None:
    path = write(tmp_path / "all.gpkg", "GPKG", 3, layer="hazard", crs="EPSG:32648")
    write(path, "GPKG", 4, layer="ດິນ released", append=True, crs=None)
    write(path, "GPKG", 0, layer="empty", append=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO staff VALUES (1, 'x')")
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier)"
            " VALUES ('staff', 'attributes', 'staff')"
        )
    connection.close()
    before = sorted(p.name for p in tmp_path.iterdir())
    delivery = read(path)
    assert [(layer.name, layer.table.num_rows, layer.records_counted) for layer in delivery.layers] == [
        ("hazard", 3, 3),
        ("ດິນ released", 4, 4),
        ("empty", 0, 0),
    ]
    assert [layer.crs_name for layer in delivery.layers] == ["EPSG:32648", "", "EPSG:4326"]
    assert [note.code for note in delivery.layers[0].notes] == ["LAYER_NOT_SPATIAL"]
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != ".work") == before


def test_geopackage_reads_edits_that_wait_in_its_journal(tmp_path: Path) -> None:
    path = write(tmp_path / "open.gpkg", "GPKG")
    open_elsewhere = sqlite3.connect(path)
    open_elsewhere.execute("PRAGMA journal_mode=WAL")
    open_elsewhere.execute("CREATE TABLE note (x)")
    open_elsewhere.commit()
    assert (tmp_path / "open.gpkg-wal").stat().st_size
    layer = only(path)
    open_elsewhere.close()
    assert layer.table.num_rows == 5


def test_curves_become_lines_and_are_told(tmp_path: Path) -> None:
    wkb = pa.array([bytes.fromhex("010a000000") + b"\x01\0\0\0" + _circle()], pa.binary())
    path = write(tmp_path / "c.gpkg", "GPKG", data=pa.table({"geometry": wkb}), geometry_type="Unknown")
    layer = only(path)
    assert layer.geometry_type == "CurvePolygon"
    assert [note.code for note in layer.notes] == ["CURVES_LINEARISED"]
    shape = shapely.from_wkb(layer.table["geometry"][0].as_py())
    assert shape.geom_type == "Polygon"
    assert len(shape.exterior.coords) > 20


def _circle() -> bytes:
    import struct

    points = [(0, 0), (1, 1), (2, 0), (1, -1), (0, 0)]
    return struct.pack("<BII", 1, 8, 5) + b"".join(struct.pack("<dd", *p) for p in points)


def test_z_and_m_are_kept(tmp_path: Path) -> None:
    shape = shapely.from_wkt("POLYGON Z((0 0 5,1 0 5,1 1 5,0 0 5))")
    data = pa.table({"geometry": pa.array([shapely.to_wkb(shape, flavor="iso")], pa.binary())})
    layer = only(write(tmp_path / "z.gpkg", "GPKG", data=data, geometry_type="Polygon Z"))
    assert layer.geometry_type == "Polygon Z"
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).has_z


def test_kml_keeps_folders_and_placemarks_without_place(tmp_path: Path) -> None:
    point = "<Point><coordinates>102,18</coordinates></Point>"
    ring = "<LinearRing><coordinates>102,18 103,18 103,19 102,18</coordinates></LinearRing>"
    area = f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"
    (tmp_path / "k.kml").write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>d</name>'
        f"<Placemark><name>a</name>{point}</Placemark><Folder><name>F</name>"
        "<Placemark><name>none</name></Placemark>"
        f'<Placemark><ExtendedData><Data name="id"><value>007</value></Data></ExtendedData>{area}'
        f"</Placemark><Folder><name>G</name><Placemark>{point}</Placemark></Folder></Folder>"
        "<Folder><name>nothing</name></Folder><GroundOverlay><name>picture</name><LatLonBox><north>1</north>"
        "<south>0</south><east>1</east><west>0</west></LatLonBox></GroundOverlay></Document></kml>"
    )
    delivery = read(tmp_path / "k.kml")
    assert delivery.problem is None
    assert [(layer.name, layer.table.num_rows) for layer in delivery.layers] == [("d", 1), ("F", 2), ("G", 1)]
    folder = delivery.layers[1].table
    assert folder["geometry"].null_count == 1
    assert folder["id"].to_pylist() == [None, "007"]
    assert not any(name.startswith("kml_") for name in folder.column_names)


def test_kml_with_many_folders_is_read_in_one_go(tmp_path: Path) -> None:
    ring = "<LinearRing><coordinates>102,18 103,18 103,19 102,18</coordinates></LinearRing>"
    area = f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"
    data = '<ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="no">'
    folders = "".join(
        f"<Folder><name>{LAO} {number % 15}</name><Placemark><name>{number}</name>"
        f"{data}{number}</SimpleData></SchemaData></ExtendedData>{area}</Placemark>"
        "<Placemark><name>no place</name></Placemark></Folder>"
        for number in range(20)
    )
    (tmp_path / "k.kml").write_text(
        '<?xml version="1.0"?>\n<!-- <kml> -->\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>d</name>'
        f'<Schema name="s" id="s"><SimpleField name="no" type="int"/></Schema>{folders}'
        f"<Placemark>{area}</Placemark></Document></kml>",
        "utf-8",
    )
    delivery = read(tmp_path / "k.kml")
    assert delivery.problem is None, delivery.problem
    assert [layer.table.num_rows for layer in delivery.layers] == [2] * 20 + [1]
    assert [layer.name for layer in delivery.layers][:1] == [f"{LAO} 0"]
    assert delivery.layers[15].name == f"{LAO} 0 (#2)"
    assert delivery.layers[20].name == "d"
    assert delivery.layers[7].table["no"].to_pylist() == [7, None]
    assert delivery.layers[7].table["geometry"].is_null().to_pylist() == [False, True]
    assert delivery.layers[7].table["row"].to_pylist() == [1, 2]


def test_archive_with_several_things(tmp_path: Path) -> None:
    first = shapefile(tmp_path / "a", count=2)
    second = write(tmp_path / "b.gpkg", "GPKG", 3)
    members = shapefile_parts(first, "north/areas") | {
        "south/b.gpkg": second,
        "report.xlsx": b"x",
        "read me.txt": b"x",
    }
    members |= {"__MACOSX/._areas.shp": b"x", "half/lost.dbf": first.with_suffix(".dbf"), "in.zip": b"PK"}
    delivery = read(zipped(tmp_path / "all.zip", members))
    found = {
        layer.name: (layer.table.num_rows, layer.problem and layer.problem.code) for layer in delivery.layers
    }
    assert found == {
        "north/areas": (2, None),
        "south/b/b": (3, None),
        "report": (0, "FORMAT_UNKNOWN"),
        "half/lost": (0, "FILE_INCOMPLETE"),
        "in": (0, "ARCHIVE_NESTED"),
    }


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_any_name_of_file_and_folder(tmp_path: Path, suffix: str) -> None:
    driver = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON"}[suffix]
    paths = []
    for name in ("ຂໍ້ມູນ ປີ 2024", "a#b 50%", "a!b", "a;b?c", "a&b=c"):
        folder = tmp_path / name
        folder.mkdir()
        write(tmp_path / f"plain{suffix}", driver, encoding="UTF-8" if suffix == ".shp" else None)
        for part in tmp_path.glob("plain.*"):
            part.rename(folder / f"{name}{part.suffix}")
        paths.append(folder / f"{name}{suffix}")
    found = read_all(paths, tmp_path / "work")
    assert [(delivery.problem, rows_of(delivery)) for delivery in found] == [(None, 5)] * 5
    assert {delivery.layers[0].table["village"][4].as_py() for delivery in found} == {LAO}


def test_ids_of_features_are_given_back(tmp_path: Path) -> None:
    path = collection(tmp_path / "a.geojson", [feature(i) | {"id": 100 - i} for i in range(3)])
    values = json.loads(path.read_text("utf-8"))
    for item in values["features"]:
        del item["properties"]["id"]
    path.write_text(json.dumps(values))
    assert only(path).table["id"].to_pylist() == [100, 99, 98]


def test_dates_and_numbers_stay_as_delivered(tmp_path: Path) -> None:
    features = [feature(0), feature(1)]
    features[0]["properties"] |= {"day": "2024/01/18", "area": "05", "row": 7}
    layer = only(collection(tmp_path / "a.geojson", features))
    assert layer.table["day"].to_pylist() == ["2024/01/18", None]
    assert layer.table["area"].to_pylist()[0] == "05"
    assert layer.table["row_2"].to_pylist() == [7, None]
    assert [note.code for note in layer.notes] == ["COLUMN_RENAMED"]


def test_same_bytes_same_hash(tmp_path: Path) -> None:
    first, second = shapefile(tmp_path / "a"), shapefile(tmp_path / "b")
    assert read(first).content_hash == read(second).content_hash
    second.with_suffix(".prj").write_text("")
    assert read(first).content_hash != read(second).content_hash
