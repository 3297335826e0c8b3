"""Write deliveries as IMSMA point templates and as tables of IMSMA NG: one row for each turning point."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .sheet import Record, Sheet
from .tables import Rows, write_csv, write_workbook

_NAMES = {"EPSG:4326": "WGS 84", "EPSG:32648": "WGS 84 / UTM zone 48N", "EPSG:32647": "WGS 84 / UTM zone 47N"}
_HEADER = ("PolyID", "PointNo", "PointID", "PointType")
Spelling = Callable[[float, float], tuple[Any, ...]]


def decimal_point(x: float, y: float) -> tuple[Any, ...]:
    """Write numbers as they are."""
    return x, y


def decimal_comma(x: float, y: float) -> tuple[Any, ...]:
    """Write numbers with a comma, as a PC with French settings does."""
    return f"{x:.8f}".replace(".", ","), f"{y:.8f}".replace(".", ",")


def degrees_minutes_seconds(x: float, y: float) -> tuple[Any, ...]:
    """Write degrees, minutes and seconds with letters."""
    return _dms(x, "E"), _dms(y, "N")


def _dms(value: float, letter: str) -> str:
    tenths = round(value * 3_600_000)
    degrees, rest = divmod(tenths, 3_600_000)
    minutes, thousandths = divmod(rest, 60_000)
    return f"{degrees}°{minutes:02d}'{thousandths / 1000:06.3f}\"{letter}"


def mgrs(x: float, y: float) -> tuple[Any, ...]:
    """Write a reference of the military grid, to the metre."""
    from mgrs import MGRS  # type: ignore[import-untyped]

    return (MGRS().toMGRS(y, x, MGRSPrecision=5),)


def _of_template(sheet: Sheet, spell: Spelling, places: tuple[str, ...]) -> tuple[list[str], Rows, list[int]]:
    """Return header, rows, and the number of the first row of each record."""
    columns = [name for name in sheet.columns() if name != sheet_id(sheet)]
    project = ["ProjName"] if sheet.stated_crs else []
    rows: Rows = []
    first = []
    for record, number, point in _points(sheet):
        if number == 0:
            first.append(len(rows) + 1)
        own_id = record.values[sheet_id(sheet)]
        name = [_NAMES[sheet.stated_crs]] if project else []
        cells = [""] * len(places) if point is None else spell(*point)
        if record.bad_number and number == 0:
            cells = [record.bad_number, *cells[1:]]
        written = record.numbers[number] if record.numbers else _restarting(record)[number]
        poly = [*name, own_id, written, f"TP{number + 1}", "Turning point"]
        rows.append([*poly, *cells, *(record.values.get(column) for column in columns)])
    if sheet.scattered:
        rows, first = _scattered(rows, first)
    return [*project, *_HEADER, *places, *columns], rows, first


def sheet_id(sheet: Sheet) -> str:
    """Return the name of the column with the records' own ids."""
    return next(iter(sheet.records[0].values))


def _points(sheet: Sheet) -> Iterator[tuple[Record, int, tuple[float, float] | None]]:
    for record in sheet.records:
        points = np.vstack([rings[0] for rings in record.parts])
        for number, (x, y) in enumerate(points[:, :2].tolist()):
            yield record, number, (x, y)


def _restarting(record: Record) -> list[int]:
    """Return point numbers that begin again with each part."""
    return [number for rings in record.parts for number in range(1, len(rings[0]) + 1)]


def _scattered(rows: Rows, first: list[int]) -> tuple[Rows, list[int]]:
    """Put the second half of the points of each second record at the end of the table."""
    ends = [*first[1:], len(rows) + 1]
    moved = [
        row
        for number, (start, end) in enumerate(zip(first, ends, strict=True))
        if number % 2
        for row in range((start + end) // 2, end)
    ]
    order = [row for row in range(1, len(rows) + 1) if row not in set(moved)] + moved
    position = {row: at for at, row in enumerate(order, start=1)}
    return [rows[row - 1] for row in order], [position[row] for row in first]


def template_csv(spell: Spelling, *places: str, delimiter: str = ",") -> Callable[[Sheet, Path], list[int]]:
    """Return a writer of point templates as CSV, with coordinates in one or two columns."""

    def write(sheet: Sheet, path: Path) -> list[int]:
        header, rows, first = _of_template(sheet, spell, places)
        write_csv(path, header, rows, delimiter)
        return first

    return write


def write_template_xlsx(sheet: Sheet, path: Path) -> list[int]:
    """Write a point template as an Excel workbook."""
    header, rows, first = _of_template(sheet, decimal_point, ("Xcoord", "Ycoord"))
    write_workbook(path, "points", header, rows)
    return first


def write_legs(sheet: Sheet, path: Path) -> list[int]:
    """Write traverses: a start point, then distances and grid bearings, and one back to the start."""
    columns = [name for name in sheet.columns() if name != sheet_id(sheet)]
    rows: Rows = []
    first = []
    for record in sheet.records:
        first.append(len(rows) + 1)
        ring = record.ring[:, :2]
        legs = np.roll(ring, -1, axis=0) - ring
        values = [record.values.get(column) for column in columns]
        head = [_NAMES[sheet.stated_crs]] if sheet.stated_crs else []
        own_id = record.values[sheet_id(sheet)]
        x, y = ring[0].tolist()
        rows.append([*head, own_id, 1, "TP1", "Turning point", x, y, "", "", "", *values])
        for number, (east, north) in enumerate(legs.tolist(), start=2):
            is_last = number == len(ring) + 1
            distance = math.hypot(east, north) + (record.stretch_m if is_last else 0.0)
            bearing = math.degrees(math.atan2(east, north)) % 360
            name = "TP1" if is_last else f"TP{number}"
            leg = [f"{distance:.3f}", f"{bearing:.5f}", f"TP{number - 1}"]
            rows.append([*head, own_id, number, name, "Turning point", "", "", *leg, *values])
    project = ["ProjName"] if sheet.stated_crs else []
    places = ("Xcoord", "Ycoord", "Distance", "Bearing", "FrPointID")
    write_csv(path, [*project, *_HEADER, *places, *columns], rows)
    return first


def write_imsma(sheet: Sheet, path: Path) -> list[int]:
    """Write the tables of an IMSMA NG export into the folder of `path`; points are WGS 84."""
    register = "hazard" if sheet.kind == "CHA" else "hazreduc"
    folder = path.parent
    own = sheet_id(sheet)
    columns = [name for name in sheet.columns() if name != own]
    tables: dict[str, tuple[list[str], Rows]] = {
        register: ([f"{register}_guid", f"{register}_localid", "organisation", *columns], []),
        "geospatialinfo": (["geospatialinfo_guid", "shapeenum"], []),
        "geopoint": (["geopoint_guid", "geospatialinfo_guid", "pointno", "latitude", "longitude"], []),
        f"{register}_has_geospatialinfo": ([f"{register}_guid", "geospatialinfo_guid"], []),
    }
    for number, record in enumerate(sheet.records):
        guid = _guid(sheet.stem, number)
        values = [record.values.get(column) for column in columns]
        tables[register][1].append([guid, record.values[own], sheet.operator, *values])
        for part, rings in enumerate([] if record.is_null else record.parts):
            info = _guid(guid, part)
            tables["geospatialinfo"][1].append([info, "Polygon"])
            tables[f"{register}_has_geospatialinfo"][1].append([guid, info])
            for place, (x, y) in enumerate(rings[0][:, :2].tolist()):
                latitude: Any = record.bad_number if record.bad_number and place == 0 else y
                point = [_guid(info, place), info, place + 1, latitude, x]
                tables["geopoint"][1].append(point)
    for name, (header, rows) in tables.items():
        write_csv(folder / f"{name}.csv", header, rows)
    return list(range(1, len(sheet.records) + 1))


def _guid(name: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {number}"))
