"""Write the change request of one operator as an Excel workbook, its points in IMSMA's own template."""

from __future__ import annotations

import datetime as dt
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geopipe.crs import crs_name
from geopipe.errors import OutputError
from geopipe.reports.returned.styles import Styles, height_of, plain, print_setup
from geopipe.resolving.ownpoints import OwnPoints
from geopipe.resolving.requests import TEMPLATE, Exact, Request, dependent_fields, template_lines
from geopipe.resolving.rings import Mark

README, POINTS, HOLES, ALL_POINTS, FIELDS = "Read me", "Points", "Holes", "Old and new points", "Fields"
# Fixed, so that the same content gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_SHEET_ROWS = 1_048_576
_TEMPLATE_WIDTHS = (10, 20, 8, 24, 14, 16, 16, 9, 9, 10, 44)
_ALL_POINTS = {
    "Record": 20, "PolyID": 20, "PointNo": 8, "Point": 10, "Longitude": 16, "Latitude": 16, "Own X": 18,
    "Own Y": 18, "Own coordinate system": 20, "Old ring": 8, "Old PointNo": 8, "Turning point of": 26,
}  # fmt: skip
_FIELDS = {"Record": 20, "Field": 24, "Old value": 18, "New value": 34, "Who must decide": 42}
_RECORDS = {
    "Record": 20, "Kind": 11, "What to do": 44, "Case": 14, "Other record": 22, "Its kind": 11,
    "Its status": 11, "Its date": 12, "Reference": 30, "Who": 16, "Until": 12,
}  # fmt: skip
_STEPS = (
    "1. Open each record in IMSMA. Use Replace, not Combine: Combine leaves the old polygon beside the new.",
    f"2. Sheet {POINTS}: the whole new ring of each record in the IMSMA point template, WGS 84 degrees, in "
    "the order of PointNo. The first point is not repeated at the end.",
    "3. A record of several parts has one PolyID for each part: -P1, -P2. All of them are one record.",
    f"4. Sheet {HOLES}, only where there are any: rings that are cut OUT of a part (-H1, -H2). The template "
    "knows no holes. Never import them as polygons: draw them as holes of their part.",
    f"5. Sheet {ALL_POINTS}: which points are kept, new and removed. A kept point is your own "
    "coordinate, unchanged, in Own X and Own Y. Longitude and latitude that were computed or converted are "
    "rounded to 0.000000001 degrees (0.1 mm).",
    f"6. Sheet {FIELDS}: what else changes with the ring, and who must decide it.",
)


def write_workbook(path: Path, request: Request, known: OwnPoints, names: Mapping[int, str]) -> None:
    """Write the workbook of one operator into a new file.

    Parameters
    ----------
    path : Path
    request : Request
    known : OwnPoints
    names : mapping of row to str
        Operator and own id of every record that was decided on.

    Raises
    ------
    OutputError
        When the disk refuses, or a sheet would have more rows than Excel can hold.
    """
    data = io.BytesIO()
    book = Workbook(data, {"in_memory": True})
    book.set_properties({"title": f"Change request for {request.operator}", "created": _CREATED})
    styles = Styles.of(book)
    exact = book.add_format(
        {
            "font_name": "Arial",
            "font_size": 10,
            "border": 1,
            "border_color": "#BBBBBB",
            "num_format": "0.000000000",
        }
    )
    sheets = _Sheets(book, styles, exact, request.operator)
    _write_readme(book.add_worksheet(README), styles, request)
    lines = [line for record in request.records for line in template_lines(record, known, names)]
    sheets.write(POINTS, TEMPLATE, _TEMPLATE_WIDTHS, (line for ring, line in lines if not ring.hole))
    if request.has_holes:
        sheets.write(HOLES, TEMPLATE, _TEMPLATE_WIDTHS, (line for ring, line in lines if ring.hole))
    sheets.write(ALL_POINTS, _ALL_POINTS, _ALL_POINTS.values(), _all_points(request, known, names))
    fields = ((record.own_id, *line) for record in request.records for line in dependent_fields(record))
    sheets.write(FIELDS, _FIELDS, _FIELDS.values(), fields)
    book.close()
    try:
        with path.open("wb") as file:
            file.write(data.getbuffer())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = "Is the disk full or read-only?"
        raise OutputError(f"the workbook could not be written ({error})", str(path), remedy) from error


class _Sheets:
    """Sheets of one heading row and lines below it."""

    def __init__(self, book: Workbook, styles: Styles, exact: Format, operator: str) -> None:
        self.book, self.styles, self.exact, self.operator = book, styles, exact, operator

    def write(
        self, name: str, heads: Iterable[str], widths: Iterable[float], lines: Iterable[Sequence[Any]]
    ) -> None:
        """Add a sheet of lines."""
        sheet = self.book.add_worksheet(name)
        for at, (head, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.write_string(0, at, head, self.styles.header)
            sheet.set_column(at, at, width)
        last = 0
        for last, line in enumerate(lines, start=1):
            if last >= _SHEET_ROWS:
                what = f"the sheet {name} of {self.operator} would have more rows than Excel can hold"
                raise OutputError(what, remedy="Resolve fewer decisions at once.")
            for at, value in enumerate(line):
                _write(sheet, last, at, value, self.styles, self.exact)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, last), len(list(heads)) - 1)
        sheet.repeat_rows(0)
        print_setup(sheet, self.operator)


def _write(sheet: Worksheet, row: int, at: int, value: Any, styles: Styles, exact: Format) -> None:
    """Write one cell by what it is; a text is never a formula, what is not known is an empty cell."""
    if isinstance(value, dt.date):
        sheet.write_datetime(row, at, dt.datetime(value.year, value.month, value.day), styles.date)
    elif isinstance(value, Exact):
        sheet.write_number(row, at, value, exact)
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(row, at, value, styles.number if isinstance(value, int) else styles.figure)
    elif value is not None and not isinstance(value, float):
        sheet.write_string(row, at, plain(value), styles.text)


def _write_readme(sheet: Worksheet, styles: Styles, request: Request) -> None:
    sheet.write_string(0, 0, plain(f"Change request for {request.operator}"), styles.title)
    sheet.write_string(1, 0, "Use Replace, not Combine.", styles.warning)
    for row, step in enumerate(_STEPS, start=2):
        sheet.write_string(row, 0, step)
    row = len(_STEPS) + 3
    for at, (head, width) in enumerate(_RECORDS.items()):
        sheet.write_string(row, at, head, styles.header)
        sheet.set_column(at, at, width)
    for record in request.records:
        for task in record.tasks:
            row += 1
            what = f"{task.what}. {record.question}" if record.question else task.what
            line = (
                record.own_id, record.columns["kind"], what, task.case, task.partner, task.partner_kind,
                task.partner_status, task.partner_date, task.reference, task.responsible, task.due,
            )  # fmt: skip
            sheet.set_row(
                row, height_of((str(v), w) for v, w in zip(line, _RECORDS.values(), strict=True) if v)
            )
            for at, value in enumerate(line):
                _write(sheet, row, at, value, styles, styles.figure)
    if request.waiting:
        row += 2
        sheet.write_string(row, 0, "Not carried out: these records stay as they are", styles.heading)
    for case, why in request.waiting:
        row += 1
        sheet.write_string(row, 0, plain(case), styles.text)
        sheet.write_string(row, 1, plain(why))
    print_setup(sheet, request.operator)


def _all_points(request: Request, known: OwnPoints, names: Mapping[int, str]) -> Iterable[tuple[Any, ...]]:
    """Yield the new points of each record, ring by ring, then those that are removed."""
    for record in request.records:
        if record.redrawn is None:
            continue
        crs, correction = crs_name(record.columns["crs"]), record.columns["correction"]
        system = f"{crs} as corrected ({correction})" if correction else crs
        for ring in record.redrawn.rings:
            for number, (lonlat, own, mark, at) in enumerate(
                zip(ring.lonlat, ring.own, ring.marks, ring.at, strict=True), start=1
            ):
                kept = mark is Mark.KEPT
                old = (int(known.ring[at]) + 1, int(known.number[at])) if kept else (None, None)
                whose = None if kept or at < 0 else names.get(int(known.row[at]))
                numbers = [Exact(value) for value in (*lonlat, *own)]
                yield (
                    record.own_id, record.ring_id(ring), number, mark.value, *numbers, system, *old, whose,
                )  # fmt: skip
        for at in record.redrawn.removed:
            numbers = [Exact(value) for value in (*known.lonlat[at], *known.own[at])]
            old = int(known.ring[at]) + 1, int(known.number[at])
            yield record.own_id, None, None, Mark.REMOVED.value, *numbers, system, *old, None
