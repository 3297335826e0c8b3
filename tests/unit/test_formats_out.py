"""A result in other formats: every record, the same ground, hazard drawn last, what was cut is told."""

import csv
import io
import json
import zipfile
from xml.etree import ElementTree

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from conftest import call, hashes, layer_names, read_layer, square, write_geojson

from geopipe.errors import ConfigError, OutputError
from geopipe.outputs.formats import convert as converting
from geopipe.outputs.formats.convert import FORMATS, convert
from geopipe.outputs.formats.kml import drawn_at
from geopipe.outputs.formats.pieces import by_type, pieces_of
from geopipe.outputs.formats.shapefile import short_names

KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def converted(small_result, tmp_path_factory):
    """Return the folder with the small demo in every format, and what was said about it."""
    folder = tmp_path_factory.mktemp("converted")
    return folder, convert(small_result, folder, FORMATS, ())


def areas_of(result):
    return sorted(read_layer(result / "geopipe.gpkg", "areas"), key=lambda row: row["row_id"])


def read(path):
    """Return a file as a reader of its format sees it, in the order of its rows."""
    if path.suffix == ".parquet":
        return geopandas.read_parquet(path).sort_values("row_id")
    frame = geopandas.read_file(f"zip://{path}" if path.suffix == ".zip" else path)
    return frame.sort_values("row_id")


def places(path):
    return list(ElementTree.parse(path).iter(f"{KML}Placemark"))


def values(place):
    return {data.get("name"): data.findtext(f"{KML}value") for data in place.iter(f"{KML}Data")}


def test_every_map_layer_with_records_is_in_every_format(small_result, converted):
    full = {
        name: len(read_layer(small_result / "geopipe.gpkg", name))
        for name in layer_names(small_result / "geopipe.gpkg")
        if name not in ("layer_styles", "handover", "rejected")
    }
    full = {name: count for name, count in full.items() if count}
    for name in FORMATS[:-1]:
        assert {made.layer: made.records for made in converted[1].written if made.format == name} == full
    assert len(places(converted[0] / "kml" / "geopipe.kml")) == sum(full.values())
    assert converted[1].left_out == ("handover", "rejected")


@pytest.mark.parametrize("file", ["flatgeobuf/areas.fgb", "geoparquet/areas.parquet", "shapefile/areas.zip"])
def test_formats_that_measure_keep_the_working_crs_and_every_coordinate(small_result, converted, file):
    frame = read(converted[0] / file)
    stated = [row["geometry"] for row in areas_of(small_result)]
    assert shapely.equals(frame.geometry.to_numpy(), stated).all()
    assert np.isclose(frame.geometry.area, [row["area_m2"] for row in areas_of(small_result)]).all()
    assert frame.crs.coordinate_operation.method_name == "Albers Equal Area"


def test_geojson_is_in_degrees_with_so_many_decimals_that_borders_stay_shared(small_result, converted):
    path = converted[0] / "geojson" / "areas.geojson"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert "crs" not in document  # RFC 7946 knows WGS 84 only
    frame = read(path)
    back = frame.to_crs(pyproj.CRS.from_wkt(_wkt(small_result)))
    distances = shapely.hausdorff_distance(
        back.geometry.to_numpy(), np.array([row["geometry"] for row in areas_of(small_result)])
    )
    assert distances.max() < 0.001
    assert all(shapely.is_ccw(polygon.exterior) for shape in frame.geometry for polygon in shape.geoms)


def _wkt(result):
    return next(pieces_of(result / "geopipe.gpkg", ["areas"])).crs_wkt


def test_geoparquet_is_read_by_geopipe_itself(converted, tmp_path):
    done = call("compare", converted[0] / "geoparquet" / "areas.parquet", "-o", tmp_path / "out", "--json")
    assert json.loads(done.out)["balance"]["rejected"] == 0


def test_shapefile_says_what_each_column_is_called_and_what_was_cut(tmp_path):
    long = "ລ" * 100  # 300 bytes
    path = write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [({"id": "M-1", "village": long}, square())])
    call("compare", path, "-o", tmp_path / "out", "-q")
    convert(tmp_path / "out", tmp_path / "converted", ["shapefile"], ["areas"])
    with zipfile.ZipFile(tmp_path / "converted" / "shapefile" / "areas.zip") as archive:
        fields = list(csv.DictReader(io.StringIO(archive.read("fields.csv").decode("utf-8-sig"))))
        assert archive.read("areas.cpg") == b"UTF-8"
    names = {field["column"]: field["name_in_shapefile"] for field in fields}
    assert names["province_located"] != names["province_stated"]
    assert {f["column"] for f in fields if f["texts_cut_at_254_bytes"] == "1"} == {"village_stated"}
    frame = read(tmp_path / "converted" / "shapefile" / "areas.zip")
    assert set(frame.columns) - {"geometry"} == set(names.values())
    assert frame[names["village_stated"]].item() == "ລ" * 84  # none cut within a letter


def test_short_names_stay_apart():
    names = short_names(
        ["province_located", "province_left", "PROVINCE_LOST", *(f"province_lo{n}" for n in range(12))]
    )
    assert len({name.lower() for name in names.values()}) == 15
    assert max(map(len, names.values())) == 10


def test_in_kml_hazard_comes_after_released_land_and_hazard_in_doubt_last(converted):
    folders = list(ElementTree.parse(converted[0] / "kml" / "geopipe.kml").iter(f"{KML}Folder"))
    assert folders[0].findtext(f"{KML}name").startswith("Reported areas")
    assert folders[-1].findtext(f"{KML}name").startswith("Hazard whose place or outline is in doubt")
    drawn = [drawn_at(values(place).get("kind")) for place in folders[0].iter(f"{KML}Placemark")]
    assert drawn == sorted(drawn)
    assert drawn_at("CLEARED") < drawn_at("UNKNOWN") < drawn_at("SHA") < drawn_at("CHA")
    assert drawn_at("CANCELLED") < drawn_at(None)


def test_kml_has_imsmas_colours(converted):
    tree = ElementTree.parse(converted[0] / "kml" / "geopipe.kml")
    fills = {s.get("id"): s.findtext(f"{KML}PolyStyle/{KML}color") for s in tree.iter(f"{KML}Style")}
    assert fills["CHA"] == "800000ff"  # opacity, blue, green, red
    assert fills["SHA"] == "8018a7f4"
    used = {place.findtext(f"{KML}styleUrl").removeprefix("#") for place in tree.iter(f"{KML}Placemark")}
    assert used <= set(fills)


def test_what_operators_write_stays_text_in_kml(tmp_path):
    hostile = "<script>alert(1)</script> =cmd() a\x07b \u202eabc ລາວ"
    path = write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [({"id": "M-1", "village": hostile}, square())])
    call("compare", path, "-o", tmp_path / "out", "-q")
    convert(tmp_path / "out", tmp_path / "converted", ["kml"], ["areas"])
    (place,) = places(tmp_path / "converted" / "kml" / "geopipe.kml")
    assert values(place)["village_stated"].startswith("<script>alert(1)</script> =cmd() a b abc ລາວ")


def test_records_of_several_types_become_a_shapefile_each(tmp_path, two_files):
    call("compare", *two_files, "-o", tmp_path / "out", "-q")
    (piece,) = pieces_of(tmp_path / "out" / "geopipe.gpkg", ["areas"])
    mixed = np.array([shapely.Point(0, 0), piece.geometry[0]], dtype=object)
    parts = by_type(type(piece)("x", "x", piece.table, mixed, piece.crs_wkt))
    assert [(part.name, part.geometry_type, len(part)) for part in parts] == [
        ("x_points", "MultiPoint", 1),
        ("x_polygons", "MultiPolygon", 1),
    ]


def test_what_must_be_known_stands_beside_the_files_and_in_the_kml(converted):
    said = (converted[0] / "READ_FIRST.txt").read_text(encoding="utf-8-sig")
    in_kml = ElementTree.parse(converted[0] / "kml" / "geopipe.kml").findtext(
        f"{KML}Document/{KML}description"
    )
    for text in (said, in_kml):
        assert "Areas not shown are not thereby safe." in text
        assert "records were compared" in text


def test_the_same_result_gives_the_same_bytes(small_result, converted, tmp_path):
    convert(small_result, tmp_path, FORMATS, ())
    assert hashes(tmp_path) == hashes(converted[0])


def test_a_file_that_lost_a_record_is_not_published(small_result, tmp_path, monkeypatch):
    write, count = converting._WRITERS["geojson"]
    monkeypatch.setitem(converting._WRITERS, "geojson", (write, lambda path: count(path) - 1))
    with pytest.raises(OutputError, match=r"holds \d+ of \d+ records"):
        convert(small_result, tmp_path / "converted", ["geojson"], ["areas"])
    assert list((tmp_path / "converted").iterdir()) == []


def test_a_table_without_a_map_is_refused_by_name(small_result, tmp_path):
    with pytest.raises(ConfigError, match="no map layer 'rejected'"):
        convert(small_result, tmp_path, ["geojson"], ["rejected"])
