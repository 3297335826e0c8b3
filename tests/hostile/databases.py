"""GeoPackages that are programs: views, triggers and virtual tables of SQLite, false headers, SQL in names."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hostile.trap import GEOGCS, Trap, add, hostile, write

DATABASES = "databases"


def changed(folder: Path, change: Callable[[sqlite3.Connection, Trap], object]):
    def make(into: Path, trap: Trap) -> None:
        path = write(into / "areas.gpkg", "GPKG")
        with closing(sqlite3.connect(path)) as connection:
            connection.isolation_level = None
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f'DROP TRIGGER "{name}"')
            change(connection, trap)

    return make


def _sql(name: str):
    """Register a GeoPackage on which some SQL has been run."""

    def listed(text: Callable[[Trap], str]):
        add(DATABASES, name, changed(Path(), lambda connection, trap: connection.executescript(text(trap))))
        return text

    return listed


ENDLESS = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT x"
AS_VIEW = "ALTER TABLE areas RENAME TO kept; CREATE VIEW areas AS {}; PRAGMA user_version = 10300;"

_sql("layer_is_an_endless_view")(lambda _: AS_VIEW.format(f"{ENDLESS} AS fid, NULL AS geometry FROM c"))
_sql("layer_is_a_large_view")(
    lambda _: AS_VIEW.format(
        "SELECT a.fid, a.geometry FROM kept a, (" + ENDLESS + " FROM c LIMIT 50000000) b"
    )
)
_sql("contents_are_an_endless_view")(
    lambda _: (
        "ALTER TABLE gpkg_contents RENAME TO kept_contents; CREATE VIEW gpkg_contents AS "
        f"{ENDLESS} AS table_name, 'features' AS data_type, 0 AS srs_id FROM c;"
    )
)
_sql("contents_are_very_many")(
    lambda _: (
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
        f"SELECT 't' || x, 'features', 'i' || x, 0 FROM ({ENDLESS} FROM c LIMIT 10000);"
    )
)
_sql("contents_name_the_schema")(
    lambda _: "PRAGMA foreign_keys = OFF; UPDATE gpkg_contents SET table_name = 'sqlite_master';"
)
_sql("contents_name_a_pragma")(lambda _: "UPDATE gpkg_contents SET table_name = 'pragma_database_list';")
_sql("view_of_a_large_blob")(
    lambda _: AS_VIEW.format("SELECT fid, geometry, zeroblob(900000000) AS remark FROM kept")
)
_sql("view_that_reads_a_file")(
    lambda trap: AS_VIEW.format(
        f"SELECT fid, geometry, CAST(readfile('{trap['canary.txt']}') AS TEXT) AS remark FROM kept"
    )
)
_sql("view_that_loads_code")(
    lambda trap: AS_VIEW.format(
        f"SELECT fid, geometry, load_extension('{trap['canary.txt']}') AS r FROM kept"
    )
)
_sql("view_that_asks_for_a_place")(
    lambda trap: AS_VIEW.format(f"SELECT fid, geometry, ogr_geocode('{trap.url}') AS r FROM kept")
)
_sql("view_that_asks_a_raster")(
    lambda trap: AS_VIEW.format(
        f"SELECT fid, geometry, gdal_get_pixel_value('/vsicurl/{trap.url}/a.tif', 1, 'pixel', 0, 0) AS r FROM kept"
    )
)
_sql("crs_with_a_grid_file")(
    lambda trap: (
        "UPDATE gpkg_spatial_ref_sys SET organization = 'none', organization_coordsys_id = 1, definition = "
        f"'{GEOGCS.replace('{grid}', str(trap['canary.txt']))}' WHERE srs_id = 4326;"
    )
)
_sql("trigger_on_everything")(
    lambda _: (
        "CREATE TRIGGER t AFTER INSERT ON areas BEGIN SELECT load_extension('x'); END;"
        "CREATE TRIGGER u AFTER UPDATE ON gpkg_contents BEGIN DELETE FROM areas; END;"
    )
)


def _schema_of(kind: str, name: str, text: Callable[[Trap], str]) -> None:
    """Register a GeoPackage whose schema holds what SQLite itself would not have let in."""

    def change(connection: sqlite3.Connection, trap: Trap) -> None:
        connection.execute("ALTER TABLE areas RENAME TO kept")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('table', 'areas', 'areas', 0, ?)",
            (text(trap),),
        )
        connection.execute("PRAGMA writable_schema = OFF")

    add(DATABASES, name, changed(Path(), change))


_schema_of(
    "table", "table_that_is_another_file",
    lambda trap: f"CREATE VIRTUAL TABLE areas USING VirtualOGR('{trap['canary.gpkg']}', 0, 'canary')",
)  # fmt: skip
_schema_of(
    "table", "table_that_is_an_address",
    lambda trap: f"CREATE VIRTUAL TABLE areas USING VirtualOGR('/vsicurl/{trap.url}/a.geojson')",
)  # fmt: skip
_schema_of(
    "table", "table_that_is_a_text_file",
    lambda trap: f"CREATE VIRTUAL TABLE areas USING VirtualText('{trap['canary.csv']}', utf8, 1, COMMA)",
)  # fmt: skip


def _renamed(table: str):
    def change(connection: sqlite3.Connection, trap: Trap) -> None:
        own = table.replace('"', '""')
        connection.execute(f'ALTER TABLE areas RENAME TO "{own}"')
        for where in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_ogr_contents"):
            connection.execute(f"UPDATE {where} SET table_name = ?", (table,))

    return changed(Path(), change)


add(DATABASES, "layer_name_of_quotes", _renamed("a\"b'c`d"))
add(DATABASES, "layer_name_of_sql", _renamed('x"; DROP TABLE gpkg_contents; --'))
add(DATABASES, "layer_name_of_lines", _renamed("a\nSAFETY none\r\tb"))
add(DATABASES, "layer_name_of_markup", _renamed("<script>alert(1)</script>"))
add(DATABASES, "layer_name_of_a_formula", _renamed("=cmd|' /C calc'!A0"))
add(DATABASES, "layer_name_of_a_megabyte", _renamed("x" * 1_000_000))


@hostile(DATABASES)
def column_names_of_sql(folder: Path, trap: Trap) -> None:
    def change(connection: sqlite3.Connection, _: Trap) -> None:
        for name in ('a"b', "'; DROP TABLE areas; --", "a\nb", "=1+1", "<b>", "geometry_problem", "row"):
            own = name.replace('"', '""')
            connection.execute(f"ALTER TABLE areas ADD COLUMN \"{own}\" TEXT DEFAULT 'x'")

    changed(folder, change)(folder, trap)


def _blob(name: str, blob: Callable[[bytes], bytes]) -> None:
    """Register a GeoPackage whose geometries are others."""

    def change(connection: sqlite3.Connection, trap: Trap) -> None:
        for fid, data in connection.execute("SELECT fid, geometry FROM areas").fetchall():
            connection.execute("UPDATE areas SET geometry = ? WHERE fid = ?", (blob(bytes(data)), fid))

    add(DATABASES, name, changed(Path(), change))


HEAD = b"GP\x00\x01" + struct.pack("<i", 4326)
NO_BOX = HEAD


def _polygon(rings: int, points: int) -> bytes:
    return NO_BOX + struct.pack("<BIII", 1, 3, rings, points)


_blob(
    "blob_of_false_envelope",
    lambda data: data[:8] + struct.pack("<4d", 1e308, -1e308, float("nan"), 0) + data[40:],
)
_blob("blob_of_false_flags", lambda data: data[:3] + b"\xff" + data[4:])
_blob("blob_of_false_magic", lambda data: b"XX" + data[2:])
_blob("blob_cut", lambda data: data[:45])
_blob("blob_of_nothing", lambda _: b"")
_blob("blob_with_endless_rings", lambda _: _polygon(0xFFFFFFFF, 4))
_blob("blob_with_endless_points", lambda _: _polygon(1, 0x7FFFFFFF))
_blob("blob_with_endless_parts", lambda _: NO_BOX + struct.pack("<BII", 1, 6, 0x0FFFFFFF))
_blob("blob_of_unknown_type", lambda _: NO_BOX + struct.pack("<BII", 1, 0xDEADBEEF, 1))
_blob("blob_of_deep_collections", lambda _: NO_BOX + struct.pack("<BII", 1, 7, 1) * 100_000)
_blob("blob_of_curves_without_end", lambda _: NO_BOX + struct.pack("<BIIBII", 1, 10, 1, 1, 8, 0x7FFFFFFF))
_blob("blob_of_false_order", lambda data: data[:40] + b"\x07" + data[41:])


@hostile(DATABASES)
def hot_journal(folder: Path, trap: Trap) -> None:
    write(folder / "areas.gpkg", "GPKG")
    head = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">iIIII", -1, 0, 3, 512, 4096)
    (folder / "areas.gpkg-journal").write_bytes(head.ljust(512, b"\0") + b"\xff" * 9000)


@hostile(DATABASES)
def journal_that_names_another_file(folder: Path, trap: Trap) -> None:
    """A super-journal's name at the end: SQLite would look for that file, and may remove it."""
    write(folder / "areas.gpkg", "GPKG")
    name = str(trap["canary.txt"]).encode()
    check = sum(name) & 0xFFFFFFFF
    head = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">iIIII", 0, 0, 3, 512, 4096)
    tail = (
        struct.pack(">I", 3)
        + name
        + struct.pack(">II", len(name), check)
        + b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
    )
    (folder / "areas.gpkg-journal").write_bytes(head.ljust(512, b"\0") + tail)


@hostile(DATABASES)
def wal_of_rubbish(folder: Path, trap: Trap) -> None:
    write(folder / "areas.gpkg", "GPKG")
    (folder / "areas.gpkg-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\xff" * 50_000)


@hostile(DATABASES)
def page_size_of_nothing(folder: Path, trap: Trap) -> None:
    path = write(folder / "areas.gpkg", "GPKG")
    data = bytearray(path.read_bytes())
    data[16:18] = b"\x00\x00"
    path.write_bytes(data)


@hostile(DATABASES)
def only_the_beginning_of_a_database(folder: Path, trap: Trap) -> None:
    (folder / "areas.gpkg").write_bytes(b"SQLite format 3\x00")


@hostile(DATABASES)
def database_that_is_no_geopackage(folder: Path, trap: Trap) -> None:
    with closing(sqlite3.connect(folder / "areas.gpkg")) as connection:
        connection.execute("CREATE TABLE gpkg_contents (table_name, data_type, srs_id)")
        connection.execute("INSERT INTO gpkg_contents VALUES (x'ff', x'00', 'a'), (NULL, 'features', 1)")
        connection.commit()
