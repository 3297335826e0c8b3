"""The formats that geopipe reads, by file name and by the first bytes of the content.

GDAL chooses its reader by content: a file called ``areas.kml`` may open other files or web addresses
when it is something else inside. So each file must begin as its name says before GDAL sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from xml.parsers import expat

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
    ESRIJSON = "Esri JSON"
    KML = "KML"
    GPX = "GPX"
    MAXML = "maXML"
    IMSMA = "IMSMA NG tables"
    FLATGEOBUF = "FlatGeobuf"
    GEOPARQUET = "GeoParquet"
    TABLE = "CSV table"
    WORKBOOK = "workbook"
    UNKNOWN = "unknown"


DRIVERS = {
    Format.SHAPEFILE: "ESRI Shapefile",
    Format.ARCHIVE: "ZIP",
    Format.GZIP: "GZIP",
    Format.GEOPACKAGE: "GPKG",
    Format.FILEGDB: "OpenFileGDB",
    Format.GEOJSON: "GeoJSON",
    Format.GEOJSONSEQ: "GeoJSONSeq",
    Format.ESRIJSON: "Esri JSON",
    Format.KML: "LIBKML",
    Format.GPX: "GPX",
    Format.MAXML: "maXML",
    Format.IMSMA: "IMSMA NG",
    Format.FLATGEOBUF: "FlatGeobuf",
    Format.GEOPARQUET: "Parquet",
    Format.TABLE: "CSV",
    Format.WORKBOOK: "Workbook",
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
    ".gpx": Format.GPX,
    ".maxml": Format.MAXML,
    ".xml": Format.MAXML,
    ".fgb": Format.FLATGEOBUF,
    ".parquet": Format.GEOPARQUET,
    ".geoparquet": Format.GEOPARQUET,
    ".csv": Format.TABLE,
    ".tsv": Format.TABLE,
    ".txt": Format.TABLE,
    ".xlsx": Format.WORKBOOK,
    ".xlsm": Format.WORKBOOK,
    ".xls": Format.WORKBOOK,
    ".ods": Format.WORKBOOK,
}
READ_FORMATS = (
    ".shp .zip .gpkg .gdb .geojson .json .geojsonl .kml .kmz .gpx .maxml .fgb .parquet .csv .tsv .txt"
    " .xlsx .xlsm .xls .ods (also .geojson.gz)"
)
# Suffixes of files that probably hold areas, in formats that geopipe does not read.
_FOREIGN = """
.xlsb .dxf .dwg .dgn .gml .tab .mif .mdb .accdb .rar .7z .tar .tgz .bz2 .xz .sqlite .db
.topojson .e00 .pbf .osm .vrt .mpk .ppkx .feather .arrow
"""
FOREIGN_SUFFIXES = frozenset(_FOREIGN.split())

GEOJSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|Point|MultiPoint|LineString|MultiLineString|Polygon'
    rb'|MultiPolygon|GeometryCollection)"'
)
ESRI_TYPE = re.compile(rb'"esriGeometry(Point|Multipoint|Polyline|Polygon|Envelope)"')
ESRI_FEATURE = re.compile(rb'"attributes"\s*:\s*\{')
MAXML_ROOT = "MineActionFieldReport"


def format_of(name: str) -> Format:
    """Return the format that belongs to the suffix of a file name."""
    path = Path(name.lower())
    if path.suffix == ".gz":
        inner = SUFFIXES.get(Path(path.stem).suffix, Format.UNKNOWN)
        text = (Format.GEOJSON, Format.GEOJSONSEQ, Format.KML, Format.GPX, Format.MAXML, Format.TABLE)
        return Format.GZIP if inner in text else Format.UNKNOWN
    return SUFFIXES.get(path.suffix, Format.UNKNOWN)


def head_of(path: Path, size: int = HEAD_BYTES) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")[:1] in (b"{", b"[")


def is_esri_json(head: bytes) -> bool:
    """Tell whether JSON begins like a feature set of ArcGIS and not like GeoJSON."""
    geojson = GEOJSON_TYPE.search(head)
    esri = ESRI_TYPE.search(head) or ESRI_FEATURE.search(head)
    return esri is not None and (geojson is None or esri.start() < geojson.start())


def refined(path: Path, kind: Format) -> Format:
    """Return the format of a file where its name alone leaves two: JSON of GeoJSON and of ArcGIS."""
    return Format.ESRIJSON if kind is Format.GEOJSON and is_esri_json(head_of(path)) else kind


class _FoundError(Exception):
    """Ends the parser at the first element."""


def xml_root(head: bytes) -> str:
    """Return the name of the outermost XML element, without its prefix; empty when there is none."""
    found: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        found.append(name.rpartition(":")[2])
        raise _FoundError

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    # A parser and no pattern: patterns for what may stand before an element can be made to search for hours.
    with suppress(expat.ExpatError, LookupError, ValueError, _FoundError):
        parser.Parse(head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n"), False)
    return found[0] if found else ""


BEGINNINGS: dict[Format, Callable[[bytes], bool]] = {
    Format.SHAPEFILE: lambda head: head[:4] == b"\x00\x00\x27\x0a",
    Format.ARCHIVE: lambda head: head[:2] == b"PK",
    Format.GZIP: lambda head: head[:2] == b"\x1f\x8b",
    Format.GEOPACKAGE: lambda head: head[:16] == b"SQLite format 3\x00",
    Format.GEOJSON: _is_json,
    Format.GEOJSONSEQ: _is_json,
    Format.KML: lambda head: xml_root(head) == "kml",
    Format.GPX: lambda head: xml_root(head) == "gpx",
    Format.MAXML: lambda head: xml_root(head) == MAXML_ROOT,
    Format.FLATGEOBUF: lambda head: head[:3] == b"fgb" and head[4:7] == b"fgb",
    Format.GEOPARQUET: lambda head: head[:4] == b"PAR1",
    Format.TABLE: lambda head: b"\x00" not in head or head[:2] in (b"\xff\xfe", b"\xfe\xff"),
    Format.WORKBOOK: lambda head: head[:2] == b"PK" or head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    Format.IMSMA: lambda head: b"\x00" not in head or head[:2] in (b"\xff\xfe", b"\xfe\xff"),
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
        if kind is Format.MAXML and (root := xml_root(head)):
            what = f'this is XML of a kind that is not read (its outermost element is "{root[:60]}")'
        raise RefusedError(
            Problem("FORMAT_UNKNOWN", f"{label}: {what}. It was not opened. Ask what this file is.")
        )
    return head


def ends_open(path: Path) -> bool:
    """Tell whether the last line of a text has no line end, as it is where a file was cut."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 2, 0))
        return not file.read().rstrip(b"\0").endswith((b"\n", b"\r"))


def looks_like_geojson(path: Path) -> bool:
    """Tell whether a .json file found in a folder holds map features, of GeoJSON or of ArcGIS."""
    head = head_of(path)
    return GEOJSON_TYPE.search(head) is not None or is_esri_json(head)


def looks_like_maxml(path: Path) -> bool:
    """Tell whether an .xml file found in a folder is a report of IMSMA; most others describe other files."""
    return xml_root(head_of(path, 1 << 16)) == MAXML_ROOT


def looks_like_table(path: Path) -> bool:
    """Tell whether a .txt file found in a folder is a table with a geometry or coordinates."""
    first = head_of(path, 4096).removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].lower()
    names = {cell.strip(b' "\r') for cell in re.split(rb"[,;\t]", first)}
    words = {b"wkt", b"geom", b"geometry", b"the_geom", b"shape"}
    pairs = ({b"lon", b"lat"}, {b"longitude", b"latitude"}, {b"x", b"y"}, {b"xcoord", b"ycoord"})
    return bool(names & words) or any(pair <= names for pair in pairs)
