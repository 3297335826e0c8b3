"""What a published GeoPackage holds: its tables, and what a map needs to know of them."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from geopipe.terms import SETTLED_STATUSES

GEOMETRY = "GEOMETRY"
# Types of single geometries by their WKB code; the multi types are these + 3.
_SINGLE = {1: "Point", 2: "LineString", 3: "Polygon"}
# A GeoPackage blob: "GP", version, flags, srs id, then an envelope whose length the flags tell, then WKB.
_ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_BLOB_HEADER_BYTES = 8


@dataclass(frozen=True)
class Table:
    """A table of the file; `box` is west, south, east, north in the CRS of the file (m)."""

    name: str
    columns: Mapping[str, str]
    rows: int
    geometry_type: str = ""
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class CaseBox:
    """An open case and where it lies, in the CRS of the file (m)."""

    number: str
    status: str
    severity: str
    area_m2: float
    province: str
    box: tuple[float, ...]


class Contents:
    """A published GeoPackage, looked at through SQLite alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The tables that geopipe has written, by name, in their order."""
        rows = self._connection.execute(
            "SELECT c.table_name, g.geometry_type_name, c.min_x, c.min_y, c.max_x, c.max_y "
            "FROM gpkg_contents c LEFT JOIN gpkg_geometry_columns g USING (table_name) "
            "WHERE c.table_name NOT IN ('layer_styles', 'qgis_projects') ORDER BY c.rowid"
        ).fetchall()
        return {name: self._table(name, kind or "", box) for name, kind, *box in rows}

    def _table(self, name: str, geometry_type: str, box: list[float | None]) -> Table:
        about = self._connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,)).fetchall()
        columns = {column: kind for column, kind in about if column not in ("fid", "geom")}
        # The number of the last row: rows are never removed, and counting reads the whole table.
        rows = self._connection.execute(f'SELECT coalesce(max(fid), 0) FROM "{name}"').fetchone()[0]  # noqa: S608
        known = tuple(float(side) for side in box if side is not None)
        return Table(name, columns, rows, geometry_type, known if len(known) == 4 else None)

    @cached_property
    def crs_wkt(self) -> str:
        """The CRS of the layers as WKT 2; '' where no table has geometry."""
        import pyproj

        row = self._connection.execute(
            "SELECT definition FROM gpkg_geometry_columns JOIN gpkg_spatial_ref_sys USING (srs_id) LIMIT 1"
        ).fetchone()
        return str(pyproj.CRS.from_wkt(row[0]).to_wkt()) if row else ""

    def distinct(self, table: str, *columns: str) -> list[tuple[str, ...]]:
        """Return the values that columns of a table have together, sorted; none where the first is null."""
        if table not in self.tables or not set(columns) <= set(self.tables[table].columns):
            return []
        names = ", ".join(f'"{column}"' for column in columns)
        rows = self._connection.execute(
            f'SELECT DISTINCT {names} FROM "{table}" WHERE "{columns[0]}" IS NOT NULL ORDER BY {names}'  # noqa: S608
        )
        return [tuple(str(value or "") for value in row) for row in rows]

    def types_in(self, table: str) -> list[str]:
        """Return which single types of geometry the rows of a table have, for a layer of mixed types."""
        # A blob without envelope begins earlier than one with all: so many bytes hold the type of each.
        rows = self._connection.execute(
            f'SELECT DISTINCT substr(geom, 1, 80) FROM "{table}" WHERE geom IS NOT NULL'  # noqa: S608
        )
        return sorted({kind for (blob,) in rows if (kind := _type_of(blob))})

    def newest_dates(self) -> list[tuple[str, str]]:
        """Return each operator with the newest date that its reported areas carry, ISO; '' without any."""
        dates = ("date_surveyed", "date_completed", "date_of_information")
        if "areas" not in self.tables or not {*dates, "operator"} <= set(self.tables["areas"].columns):
            return []
        newest = ", ".join(f"coalesce(max({column}), '')" for column in dates)
        rows = self._connection.execute(
            f"SELECT operator, max({newest}) FROM areas GROUP BY operator ORDER BY operator"  # noqa: S608
        )
        return [(operator or "", newest) for operator, newest in rows]

    def open_cases(self) -> list[CaseBox]:
        """Return the open cases that are in the data now: alarms first, then the largest."""
        if "cases" not in self.tables:
            return []
        rows = self._connection.execute(
            "SELECT c.number, c.status, c.severity, c.area_m2, coalesce(c.province, ''), "
            "r.minx, r.miny, r.maxx, r.maxy FROM cases c JOIN rtree_cases_geom r ON r.id = c.fid "
            "WHERE c.present ORDER BY c.severity != 'alarm', c.area_m2 DESC, c.number"
        )
        cases = [
            CaseBox(number, status, severity, area_m2, province, tuple(box))
            for number, status, severity, area_m2, province, *box in rows
        ]
        return [case for case in cases if case.status not in SETTLED_STATUSES]


def _type_of(blob: bytes) -> str:
    """Return the single type of a GeoPackage geometry; '' for a collection or an empty one."""
    start = _BLOB_HEADER_BYTES + _ENVELOPE_BYTES.get(blob[3] >> 1 & 7, 0)
    (code,) = struct.unpack_from("<I" if blob[start] else ">I", blob, start + 1)
    return _SINGLE.get(code % 1000 if code % 1000 <= 3 else code % 1000 - 3, "")
