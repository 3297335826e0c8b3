"""The formats that geopipe reads, by file name and by the first bytes of the content.

GDAL chooses its reader by content: a file called ``areas.kml`` may open other files or web addresses
when it is something else inside. So each file must begin as its name says before GDAL sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from geopipe.io.delivery import Problem, RefusedError

HEAD_BYTES = 1 << 20


class Format(StrEnum):
    """A format that geopipe reads; the value is its name for people."""

    SHAPEFILE = "shapefile"
    ARCHIVE = "zip archive"
    GZIP = "gzip file"
    GEOPACKAGE = "GeoPackage"
    FILEGDB = "File Geodatabase"
    GEOJSON = "GeoJSON"
    GEOJSONSEQ = "GeoJSON text sequence"
    KML = "KML"
    FLATGEOBUF = "FlatGeobuf"
    GEOPARQUET = "GeoParquet"
    TABLE = "CSV table"
    UNKNOWN = "unknown"


DRIVERS = {
    Format.SHAPEFILE: "ESRI Shapefile",
    Format.ARCHIVE: "ZIP",
    Format.GZIP: "GZIP",
    Format.GEOPACKAGE: "GPKG",
    Format.FILEGDB: "OpenFileGDB",
    Format.GEOJSON: "GeoJSON",
    Format.GEOJSONSEQ: "GeoJSONSeq",
    Format.KML: "LIBKML",
    Format.FLATGEOBUF: "FlatGeobuf",
    Format.GEOPARQUET: "Parquet",
    Format.TABLE: "CSV",
    Format.UNKNOWN: "",
}

SUFFIXES = {
    ".shp": Format.SHAPEFILE,
    ".zip": Format.ARCHIVE,
    ".shz": Format.ARCHIVE,
    ".kmz": Format.ARCHIVE,
    ".gpkg": Format.GEOPACKAGE,
    ".gdb": Format.FILEGDB,
    ".geojson": Format.GEOJSON,
    ".json": Format.GEOJSON,
    ".geojsonl": Format.GEOJSONSEQ,
    ".geojsons": Format.GEOJSONSEQ,
    ".ndjson": Format.GEOJSONSEQ,
    ".kml": Format.KML,
    ".fgb": Format.FLATGEOBUF,
    ".parquet": Format.GEOPARQUET,
    ".geoparquet": Format.GEOPARQUET,
    ".csv": Format.TABLE,
    ".tsv": Format.TABLE,
    ".txt": Format.TABLE,
}
READ_FORMATS = (
    ".shp .zip .gpkg .gdb .geojson .json .geojsonl .kml .kmz .fgb .parquet .csv .tsv .txt (also .geojson.gz)"
)
# Suffixes of files that probably hold areas, in formats that geopipe does not read.
_FOREIGN = """
.xlsx .xls .xlsm .ods .dxf .dwg .dgn .gml .gpx .tab .mif .mdb .accdb .rar .7z .tar .tgz .bz2 .xz .sqlite .db
.topojson .e00 .pbf .osm .vrt .mpk .ppkx .feather .arrow
"""
FOREIGN_SUFFIXES = frozenset(_FOREIGN.split())

GEOJSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|Point|MultiPoint|LineString|MultiLineString|Polygon'
    rb'|MultiPolygon|GeometryCollection)"'
)
KML_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:\w+:)?kml[\s>/]", re.DOTALL)
DTD = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def format_of(name: str) -> Format:
    """Return the format that belongs to the suffix of a file name."""
    path = Path(name.lower())
    if path.suffix == ".gz":
        inner = SUFFIXES.get(Path(path.stem).suffix, Format.UNKNOWN)
        text = (Format.GEOJSON, Format.GEOJSONSEQ, Format.KML, Format.TABLE)
        return Format.GZIP if inner in text else Format.UNKNOWN
    return SUFFIXES.get(path.suffix, Format.UNKNOWN)


def head_of(path: Path, size: int = HEAD_BYTES) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")[:1] in (b"{", b"[")


def _is_kml(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text[: len(text) // 2 * 2].decode("utf-16", "replace").encode()
    return KML_ROOT.match(DTD.sub(b"<!--", text) if DTD.search(text[:4096]) else text) is not None


BEGINNINGS: dict[Format, Callable[[bytes], bool]] = {
    Format.SHAPEFILE: lambda head: head[:4] == b"\x00\x00\x27\x0a",
    Format.ARCHIVE: lambda head: head[:2] == b"PK",
    Format.GZIP: lambda head: head[:2] == b"\x1f\x8b",
    Format.GEOPACKAGE: lambda head: head[:16] == b"SQLite format 3\x00",
    Format.GEOJSON: _is_json,
    Format.GEOJSONSEQ: _is_json,
    Format.KML: _is_kml,
    Format.FLATGEOBUF: lambda head: head[:3] == b"fgb" and head[4:7] == b"fgb",
    Format.GEOPARQUET: lambda head: head[:4] == b"PAR1",
    Format.TABLE: lambda head: b"\x00" not in head or head[:2] in (b"\xff\xfe", b"\xfe\xff"),
}


def require_beginning(path: Path, kind: Format, label: str) -> bytes:
    """Return the head of a file, or refuse it when it is not what its name says."""
    if kind is Format.FILEGDB:
        if path.is_dir() and any(entry.suffix.lower() == ".gdbtable" for entry in path.iterdir()):
            return b""
        raise RefusedError(
            Problem("FORMAT_UNKNOWN", f"{label}: this is not a File Geodatabase. Ask for a new copy.")
        )
    head = head_of(path)
    if not head:
        raise RefusedError(
            Problem("FILE_EMPTY", f"{label}: the file is empty (0 bytes). Ask for a new copy.")
        )
    if not BEGINNINGS[kind](head):
        what = f"its name says {kind}, but its content is something else"
        raise RefusedError(
            Problem("FORMAT_UNKNOWN", f"{label}: {what}. It was not opened. Ask what this file is.")
        )
    return head


def looks_like_geojson(path: Path) -> bool:
    """Tell whether a .json file found in a folder holds map features."""
    return GEOJSON_TYPE.search(head_of(path)) is not None


def looks_like_table(path: Path) -> bool:
    """Tell whether a .txt file found in a folder is a table with a geometry or coordinates."""
    first = head_of(path, 4096).removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].lower()
    names = {cell.strip(b' "\r') for cell in re.split(rb"[,;\t]", first)}
    words = {b"wkt", b"geom", b"geometry", b"the_geom", b"shape"}
    pairs = ({b"lon", b"lat"}, {b"longitude", b"latitude"}, {b"x", b"y"}, {b"xcoord", b"ycoord"})
    return bool(names & words) or any(pair <= names for pair in pairs)
