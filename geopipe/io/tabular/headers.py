"""The names under which tables deliver geometry, and the line of a table where its header stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HEADER_WITHIN = 20
WKT = re.compile(
    r"\s*(?:SRID\s*=\s*(\d+)\s*;)?\s*((?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\b",
    re.IGNORECASE,
)
WKT_NAMES = ("wkt", "thegeom", "geom", "geometry", "shape", "wktgeom", "wktgeometry")
# Columns of easting or longitude, and of northing or latitude, best first.
DEGREE_PAIRS = (
    ("longitude", "latitude"),
    ("lon", "lat"),
    ("lng", "lat"),
    ("long", "lat"),
    ("londd", "latdd"),
    ("longdd", "latdd"),
    ("longitudedd", "latitudedd"),
    ("decimallongitude", "decimallatitude"),
    ("ລອງຈິຈູດ", "ລາຕິຈູດ"),
)
OTHER_PAIRS = (
    ("xcoord", "ycoord"),
    ("xcoordinate", "ycoordinate"),
    ("coordx", "coordy"),
    ("pointx", "pointy"),
    ("utmx", "utmy"),
    ("utme", "utmn"),
    ("utmeasting", "utmnorthing"),
    ("easting", "northing"),
    ("east", "north"),
    ("x", "y"),
)
PAIRS = DEGREE_PAIRS + OTHER_PAIRS
# One column of text -> the order of two angles without letters that its name states.
TEXT_NAMES = {
    "mgrs": "",
    "mgrscoord": "",
    "mgrscoordinate": "",
    "mgrscoordinates": "",
    "gridreference": "",
    "gridref": "",
    "utm": "",
    "utmcoord": "",
    "utmcoordinates": "",
    "coordinates": "",
    "coordinate": "",
    "coords": "",
    "coord": "",
    "gps": "",
    "gpscoordinates": "",
    "position": "",
    "dms": "",
    "latlon": "latlon",
    "latlong": "latlon",
    "latitudelongitude": "latlon",
    "lonlat": "lonlat",
    "longlat": "lonlat",
    "longitudelatitude": "lonlat",
}
CRS_NAMES = (
    "srid",
    "epsg",
    "epsgcode",
    "crs",
    "projname",
    "projection",
    "coordinatesystem",
    "coordsystem",
    "coordsys",
)
# The columns of a list of turning points; each name as the IMSMA point template has it, then other spellings.
POINT_COLUMNS = {
    "poly_id": ("polyid", "polygonid", "polyno", "polygonno", "polygonnumber", "shapeid"),
    "number": ("pointno", "pointnumber", "pointnr", "ptno", "ptnumber", "turningpointno", "tpno", "tpnumber"),
    "id": ("pointid", "pointlocalid", "ptid"),
    "type": ("pointtype", "pointtypes", "pttype"),
    "distance": ("distance", "distancem", "dist", "distm"),
    "bearing": ("bearing", "bearingdeg", "azimuth"),
    "from": ("frpointid", "frompointid", "frompoint", "frpoint", "frompt", "frompointno"),
    "description": ("pointdesc", "pointdescription", "ptdesc"),
}
# An operator's own id beside PolyID; numbering of polygons often restarts under each.
OWN_IDS = (
    "recordid",
    "sourceid",
    "imsmaid",
    "localid",
    "hazardid",
    "hazid",
    "chaid",
    "shaid",
    "clearanceid",
    "clearid",
    "completionid",
    "compid",
    "releaseid",
    "taskid",
    "areaid",
    "siteid",
)


def fold_name(name: Any) -> str:
    """Return a column name without case, spaces and signs: `X_Coord` and `xcoord` are one."""
    text = unicodedata.normalize("NFKC", str(name)).casefold()
    return re.sub(r"[\s\-_.()]+", "", text)


@dataclass(frozen=True)
class Header:
    """The columns of a table by folded name, the first of each name."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, cells: Sequence[Any]) -> Header:
        """Return the header that cells of a row would be."""
        return cls(tuple("" if cell is None else fold_name(cell) for cell in cells))

    def position(self, names: Sequence[str]) -> int | None:
        """Return the position of the first of `names` that the table has."""
        return next((self.names.index(name) for name in names if name in self.names), None)

    def pairs(self) -> list[tuple[int, int]]:
        """Return the positions of all pairs of coordinate columns, best first."""
        return [(self.names.index(x), self.names.index(y)) for x, y in PAIRS if {x, y} <= set(self.names)]

    def is_degrees(self, pair: tuple[int, int]) -> bool:
        """Tell whether a pair is named longitude and latitude."""
        return (self.names[pair[0]], self.names[pair[1]]) in DEGREE_PAIRS

    def point_columns(self) -> dict[str, int]:
        """Return which column of a list of turning points stands where."""
        found = {role: self.position(names) for role, names in POINT_COLUMNS.items()}
        return {role: position for role, position in found.items() if position is not None}

    def has_points(self) -> bool:
        """Tell whether the table is a list of turning points."""
        columns = self.point_columns()
        places = self.pairs() or self.position(tuple(TEXT_NAMES)) is not None
        return {"poly_id", "number"} <= columns.keys() and bool(
            places or {"distance", "bearing"} <= columns.keys()
        )

    def has_geometry(self) -> bool:
        """Tell whether the names alone promise a geometry."""
        return bool(self.pairs()) or self.has_points() or self.position((*WKT_NAMES, *TEXT_NAMES)) is not None


def header_line(rows: Sequence[Sequence[Any]]) -> int:
    """Return the index of the row that is the header: the first that names a geometry, else the first.

    Titles may stand above the header. One word such as `Coordinates` can also be the heading of a group of
    columns, or stand in a record: a row that names both columns of a pair is better, and a word alone
    only makes a header where the first row is too short to be one.
    """
    records = next((at for at, row in enumerate(rows) if _shows_wkt(row)), len(rows))
    headers = [Header.of(row) for row in rows[: min(HEADER_WITHIN, records)]]
    sure = next((at for at, header in enumerate(headers) if header.pairs() or header.has_points()), None)
    first = next((at for at, header in enumerate(headers) if header.has_geometry()), None)
    if sure is not None:
        return sure
    return 0 if first is None or _is_full(rows, 0) else first


def _is_full(rows: Sequence[Sequence[Any]], index: int) -> bool:
    """Tell whether a row is as long as those below it: titles fill one cell or two, a header all."""
    filled = [sum(cell not in (None, "") for cell in row) for row in rows[index : index + HEADER_WITHIN + 1]]
    return filled[0] >= 2 and filled[0] >= max(filled)


def _shows_wkt(row: Sequence[Any]) -> bool:
    """Tell whether a geometry as text stands in a row: it is a record then, and so are those below."""
    return any(isinstance(cell, str) and WKT.match(cell) for cell in row)
