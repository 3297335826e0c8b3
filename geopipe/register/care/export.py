"""All that the register knows as plain files, so that it can be read without geopipe, and without SQLite."""

from __future__ import annotations

import csv
import json
from pathlib import Path, PurePath
from typing import Any

import shapely

from geopipe.errors import OutputError
from geopipe.io.geopackage import Layer, file_hash, sync, sync_all, write_geopackage
from geopipe.register.care.dictionary import HOW_TO_READ, TABLES, meaning
from geopipe.register.care.structure import columns_of, tables
from geopipe.register.register import Register
from geopipe.register.table import case_table
from geopipe.unfinished import unfinished_folder

_DICTIONARY, _MAP, _MINUTES = "dictionary.json", "cases.gpkg", "minutes"


def export(register: Register, folder: Path) -> dict[str, int]:
    """Write a register into a new folder; return the rows of each table.

    The same register gives the same files.

    Raises
    ------
    OutputError
        When the folder is there already, or cannot be written.
    """
    if folder.exists():
        raise OutputError("there is something of this name already", str(folder), "Choose another name.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(folder.parent) as temporary:
            building = temporary / folder.name
            building.mkdir()
            rows = {table: _table(register, table, building) for table in tables()}
            _minutes(register, building)
            _map(register, building)
            _dictionary(register, building, rows)
            sync_all(building)
            building.replace(folder)
        sync(folder.parent)
    except OSError as error:
        raise OutputError(
            f"the export could not be written ({error})", str(folder), "Is the disk full?"
        ) from error
    return rows


def _table(register: Register, table: str, folder: Path) -> int:
    """Write one table as CSV, its rows in the order in which they were added."""
    names = [name for name, _ in columns_of(register, table)]
    rows = register.ask(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow(_plain(table, name, value) for name, value in zip(names, row, strict=True))
    return len(rows)


def _plain(table: str, name: str, value: Any) -> Any:
    """Return a value as it stands in a CSV file: geometries as WKT, minutes as the name of their file."""
    if not isinstance(value, bytes):
        return value
    if (table, name) == ("papers", "minutes"):
        return "yes"
    return shapely.to_wkt(shapely.from_wkb(value), rounding_precision=-1)


def _minutes(register: Register, folder: Path) -> None:
    """Write each file of minutes under its hash, with the ending that it had."""
    papers = register.ask("SELECT file_sha256, file_name, minutes FROM papers WHERE minutes IS NOT NULL")
    for digest, name, content in papers:
        ending = PurePath(name).suffix
        ending = ending if ending[1:].isalnum() else ""
        path = folder / _MINUTES / f"{digest}{ending}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _map(register: Register, folder: Path) -> None:
    """Write the cases as they stand now, with their shared ground, for any map program."""
    cases = register.cases()
    if cases:
        working_crs = cases[0].sighting.working_crs
        frame = case_table(cases, working_crs)
        layer = Layer("cases", frame.table, frame.geometry, "MultiPolygon")
        write_geopackage(folder / _MAP, [layer], working_crs)


def _dictionary(register: Register, folder: Path, rows: dict[str, int]) -> None:
    """Describe every file and every column."""
    told = {
        "how_to_read": HOW_TO_READ,
        "tables": {
            table: {
                "file": f"{table}.csv",
                "meaning": TABLES[table],
                "rows": count,
                "refers_to": _references(register, table),
                "columns": [
                    {"name": name, "type": kind, "meaning": meaning(table, name)}
                    for name, kind in columns_of(register, table)
                ],
            }
            for table, count in rows.items()
        },
        "files": {
            path.relative_to(folder).as_posix(): file_hash(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (folder / _DICTIONARY).write_text(text + "\n", encoding="utf-8")


def _references(register: Register, table: str) -> dict[str, str]:
    """Return for the columns that refer to a row of another table which one that is."""
    rows = register.ask(f'PRAGMA foreign_key_list("{table}")')
    return {row[3]: row[2] for row in sorted(rows, key=lambda row: str(row[3]))}
