"""Write deliveries as tables with WKT: CSV, Excel, and several files in one zip."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .geometry import wkt
from .layers import pack
from .sheet import Sheet
from .texts import plain, write_geojson

WRITTEN = dt.datetime(2026, 4, 1)
Rows = list[list[Any]]


def write_csv_wkt(sheet: Sheet, path: Path) -> list[int]:
    """Write a CSV table with a WKT column; return the number of each record as readers count them."""
    header, rows = _with_wkt(sheet)
    write_csv(path, header, rows)
    return list(range(1, len(sheet.records) + 1))


def write_xlsx_wkt(sheet: Sheet, path: Path) -> list[int]:
    """Write an Excel workbook with a WKT column, dates as dates."""
    header, rows = _with_wkt(sheet)
    write_workbook(path, "areas", header, rows)
    return list(range(1, len(sheet.records) + 1))


def _with_wkt(sheet: Sheet) -> tuple[list[str], Rows]:
    """Return header and rows; the CRS stands as a number in a column of its own."""
    columns = sheet.columns()
    stated = {"srid": sheet.stated_crs.split(":")[1]} if sheet.stated_crs else {}
    rows = [
        [*(record.values.get(name) for name in columns), *stated.values(), wkt(record, sheet.shape)]
        for record in sheet.records
    ]
    return [*columns, *stated, "wkt"], rows


def write_csv(path: Path, header: Sequence[str], rows: Rows, delimiter: str = ",") -> None:
    """Write a CSV table in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([["" if value is None else plain(value) for value in row] for row in rows])


def write_workbook(path: Path, name: str, header: Sequence[str], rows: Rows) -> None:
    """Write one sheet; the same rows give the same bytes."""
    import xlsxwriter

    with xlsxwriter.Workbook(
        path, {"default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}
    ) as book:
        book.set_properties({"created": WRITTEN})
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, header)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, value)


def write_several(sheet: Sheet, path: Path) -> list[int]:
    """Write a zip of two deliveries: one half of the records as GeoJSON, the other as a CSV table."""
    half = len(sheet.records) // 2
    parts = [
        (path.with_name(f"{path.stem}_a.geojson"), write_geojson, sheet.records[:half]),
        (path.with_name(f"{path.stem}_b.csv"), write_csv_wkt, sheet.records[half:]),
    ]
    numbers: list[int] = []
    members = []
    for inner, write, records in parts:
        numbers += write(replace(sheet, records=records), inner)
        members.append((inner.name, inner.read_bytes()))
        inner.unlink()
    pack(path, members)
    return numbers
