"""Descriptions of other data under innocent names: what GDAL would open for whoever hands it the file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from hostile.trap import GEOGCS, Trap, add, feature, geojson, hostile, kml, placemark, write

VIRTUAL = "virtual"


def vrt(source: object) -> str:
    return (
        f'<OGRVRTDataSource><OGRVRTLayer name="canary"><SrcDataSource relativeToVRT="0">{source}</SrcDataSource>'
        "<SrcLayer>canary</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"
    )


CONTENTS = {
    "vrt": lambda trap: vrt(trap["canary.gpkg"]),
    "vrt_web": lambda trap: vrt(f"/vsicurl/{trap.url}/a.geojson"),
    "wfs": lambda trap: f"<OGRWFSDataSource><URL>{trap.url}/wfs</URL></OGRWFSDataSource>",
    "gdalg": lambda trap: json.dumps(
        {"type": "gdal_streamed_alg", "command_line": f"gdal vector read {trap['canary.geojson']} ! write"}
    ),
    "address": lambda trap: f"{trap.url}/a.geojson\n",
    "oapif": lambda trap: f"OAPIF:{trap.url}/collections\n",
    "vsi_name": lambda trap: f"/vsicurl/{trap.url}/a.geojson\n",
}
SUFFIXES = (".kml", ".shp", ".geojson", ".json", ".geojsonl", ".gpkg", ".csv", ".xlsx", ".gpx", ".maxml",
            ".fgb", ".parquet", ".zip", ".kmz", ".ods", ".xls")  # fmt: skip


def _renamed(suffix: str, content: str):
    def make(folder: Path, trap: Trap) -> None:
        path = folder / f"areas{suffix}"
        path.write_text(CONTENTS[content](trap))
        if suffix == ".shp":
            for part in (".shx", ".dbf", ".prj"):
                path.with_suffix(part).write_text(CONTENTS[content](trap))

    return make


for _suffix in SUFFIXES:
    add(VIRTUAL, f"vrt_as{_suffix}", _renamed(_suffix, "vrt"))
for _content in list(CONTENTS)[1:]:
    for _suffix in (".kml", ".geojson", ".csv"):
        add(VIRTUAL, f"{_content}_as{_suffix}", _renamed(_suffix, _content))


@hostile(VIRTUAL)
def vrt_packed_as_geojson_gz(folder: Path, trap: Trap) -> None:
    (folder / "areas.geojson.gz").write_bytes(gzip.compress(vrt(trap["canary.gpkg"]).encode()))


@hostile(VIRTUAL)
def vrt_behind_a_comment_as_kml(folder: Path, trap: Trap) -> None:
    (folder / "areas.kml").write_text(f"<!-- <kml> -->{vrt(trap['canary.gpkg'])}<kml></kml>")


@hostile(VIRTUAL)
def vrt_around_a_kml(folder: Path, trap: Trap) -> None:
    (folder / "areas.kml").write_text(kml(placemark()) + vrt(trap["canary.gpkg"]))


@hostile(VIRTUAL)
def geojson_that_links_to_its_crs(folder: Path, trap: Trap) -> None:
    crs = {"type": "link", "properties": {"href": f"{trap.url}/crs.wkt", "type": "esriwkt"}}
    (folder / "areas.geojson").write_text(geojson(feature(), crs=crs))


@hostile(VIRTUAL)
def geojson_whose_crs_is_a_file(folder: Path, trap: Trap) -> None:
    crs = {"type": "name", "properties": {"name": str(trap["canary.txt"])}}
    (folder / "areas.geojson").write_text(geojson(feature(), crs=crs))


@hostile(VIRTUAL)
def geojson_whose_crs_is_an_address(folder: Path, trap: Trap) -> None:
    crs = {"type": "name", "properties": {"name": f"{trap.url}/crs"}}
    (folder / "areas.geojson").write_text(geojson(feature(), crs=crs))


@hostile(VIRTUAL)
def geojson_with_next_page(folder: Path, trap: Trap) -> None:
    links = [{"rel": "next", "type": "application/geo+json", "href": f"{trap.url}/next"}]
    (folder / "areas.geojson").write_text(geojson(feature(), links=links))


@hostile(VIRTUAL)
def esrijson_with_next_page(folder: Path, trap: Trap) -> None:
    rings = [[[105, 17.5], [105, 17.502], [105.002, 17.502], [105, 17.5]]]
    text = {"geometryType": "esriGeometryPolygon", "exceededTransferLimit": True, "url": f"{trap.url}/query",
            "spatialReference": {"wkid": 4326},
            "features": [{"attributes": {"cha_id": "X-1"}, "geometry": {"rings": rings}}]}  # fmt: skip
    (folder / "areas.json").write_text(json.dumps(text))


def _with_prj(text: str):
    def make(folder: Path, trap: Trap) -> None:
        path = write(folder / "areas.shp", "ESRI Shapefile")
        said = text.format(file=trap["canary.txt"], url=trap.url)
        path.with_suffix(".prj").write_text(said)

    return make


add(VIRTUAL, "prj_is_an_address", _with_prj("{url}/crs.prj"))
add(VIRTUAL, "prj_is_a_proj_pipeline_with_a_file", _with_prj("+proj=longlat +nadgrids={file} +type=crs"))
add(VIRTUAL, "prj_is_a_proj_text_with_an_address", _with_prj("+proj=longlat +nadgrids={url}/a.tif +type=crs"))
add(VIRTUAL, "prj_asks_for_an_init_file", _with_prj("+init={file}:x +type=crs"))
add(VIRTUAL, "prj_with_a_grid_file", _with_prj(GEOGCS.replace("{grid}", "{file}")))
add(VIRTUAL, "prj_with_a_grid_at_an_address", _with_prj(GEOGCS.replace("{grid}", "{url}/grid.tif")))
add(VIRTUAL, "prj_is_deep", _with_prj("GEOGCS[" * 50_000))


@hostile(VIRTUAL)
def csv_with_companions_that_lead_outside(folder: Path, trap: Trap) -> None:
    (folder / "areas.csv").write_text('cha_id,wkt\nX-1,"POLYGON((105 17,105.1 17,105.1 17.1,105 17))"\n')
    (folder / "areas.csvt").write_text(f'"String","WKT"\n{trap["canary.txt"]}')
    (folder / "areas.prj").write_text(f"{trap.url}/crs")
    (folder / "areas.vrt").write_text(vrt(trap["canary.gpkg"]))


@hostile(VIRTUAL)
def shapefile_with_hostile_spatial_index(folder: Path, trap: Trap) -> None:
    write(folder / "areas.shp", "ESRI Shapefile")
    (folder / "areas.qix").write_bytes(
        b"SQT\x01\x01\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f" + b"\xff" * 400
    )
    (folder / "areas.sbn").write_bytes(b"\x00\x00\x27\x0a\xff\xff\xfe\x70" + b"\xff" * 400)
    (folder / "areas.shp.xml").write_text(f'<!DOCTYPE a SYSTEM "{trap.url}/dtd"><a/>')
    (folder / "areas.shp.aux.xml").write_text(vrt(trap["canary.gpkg"]))
    (folder / "areas.idm").write_bytes(b"\xff" * 100)
    (folder / "areas.ind").write_bytes(b"\xff" * 100)
