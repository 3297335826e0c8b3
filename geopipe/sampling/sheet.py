"""The sheet for inspectors (XLSX): facts of the draw, one line for each spot, and its corner points."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from geopipe.reports.returned.styles import Styles, height_of, plain, print_setup
from geopipe.sampling.drawing import DECIMALS, Sample
from geopipe.sampling.facts import lines_of_facts
from geopipe.sampling.record import corners_of, fixed_columns
from geopipe.sampling.texts import (
    ANSWERS,
    CONFIDENTIAL,
    CORNERS,
    COVER,
    FIXED,
    INSPECTION,
    NOT_SAFE,
    STAY_INSIDE,
    Result,
)

# Fixed, so that the same content gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_WIDTHS = {
    "id": 21, "operator": 12, "own_id": 16, "record_id": 24, "kind": 10, "completed_on": 11, "depth_cm": 10,
    "province": 14, "district": 14, "longitude": 13, "latitude": 12, "box_side_m": 9, "ground_m2": 11,
    "warning": 30, "inspected_on": 12, "inspector": 16, "result": 15, "devices_found": 10,
    "device_depth_cm": 11, "comment": 30,
}  # fmt: skip
_DEGREES, _FIGURES = ("longitude", "latitude"), ("depth_cm", "box_side_m", "ground_m2")
_CORNER_HEADINGS = {"Id": 21, "Ring": 7, "Point": 7, "Longitude (WGS 84)": 16, "Latitude (WGS 84)": 16}
_FIRST_LINE = 2


def sheet_of(sample: Sample) -> bytes:
    """Return the workbook of a sample."""
    data = io.BytesIO()
    workbook = Workbook(data, {"in_memory": True})
    workbook.set_properties({"title": f"Sample {sample.id}", "comments": CONFIDENTIAL, "created": _CREATED})
    styles = Styles.of(workbook)
    _write_cover(workbook.add_worksheet(COVER), styles, sample)
    inspection = workbook.add_worksheet(INSPECTION)
    _write_inspection(inspection, styles, sample)
    _write_corners(workbook.add_worksheet(CORNERS), styles, sample)
    inspection.activate()
    workbook.close()
    return data.getvalue()


def _write_cover(sheet: Worksheet, styles: Styles, sample: Sample) -> None:
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, f"Quality management sample {sample.id}", styles.title)
    sheet.write_string(1, 0, CONFIDENTIAL, styles.warning)
    for line, (name, value) in enumerate(lines_of_facts(sample), start=3):
        sheet.write_string(line, 0, name, styles.text)
        sheet.write_string(line, 1, plain(value), styles.text)
        sheet.set_row(line, height_of([(name, 26), (value, 90)]))
    print_setup(sheet, f"{sample.id} - {CONFIDENTIAL}")


def _write_inspection(sheet: Worksheet, styles: Styles, sample: Sample) -> None:
    """Write one line for each spot; the columns for answers are empty and have a list and checks."""
    names = [*FIXED, *ANSWERS]
    sheet.write_string(0, 0, f"{CONFIDENTIAL} {STAY_INSIDE} {NOT_SAFE}", styles.warning)
    for at, name in enumerate(names):
        style = styles.answer_header if name in ANSWERS else styles.header
        sheet.write_string(1, at, (FIXED | ANSWERS)[name], style)
        answer = styles.answer_date if name == "inspected_on" else styles.answer
        sheet.set_column(at, at, _WIDTHS[name], answer if name in ANSWERS else None)
    # Headings are bold, and so wider than other texts.
    sheet.set_row(1, height_of(((FIXED | ANSWERS)[name], 0.8 * _WIDTHS[name]) for name in names))
    for line, spot in enumerate(sample.spots, start=_FIRST_LINE):
        values = fixed_columns(spot)
        _write_line(sheet, styles, line, values)
        sheet.set_row(line, height_of((str(values[name] or ""), _WIDTHS[name]) for name in FIXED))
    last = _FIRST_LINE + max(1, len(sample.spots)) - 1
    _validate(sheet, names, last)
    sheet.freeze_panes(_FIRST_LINE, 1)
    sheet.autofilter(1, 0, last, len(names) - 1)
    sheet.repeat_rows(0, 1)
    sheet.repeat_columns(0, 0)
    print_setup(sheet, f"{sample.id} - {CONFIDENTIAL}", pages_wide=2)


def _write_line(sheet: Worksheet, styles: Styles, line: int, values: dict[str, Any]) -> None:
    for at, name in enumerate(FIXED):
        value = values[name]
        if value is None:
            sheet.write_blank(line, at, None, styles.text)
        elif name in _DEGREES:
            sheet.write_number(line, at, round(value, DECIMALS), styles.degrees)
        elif name in _FIGURES:
            sheet.write_number(line, at, value, styles.figure)
        elif name == "completed_on":
            sheet.write_datetime(line, at, dt.datetime.fromisoformat(value), styles.date)
        else:
            sheet.write_string(line, at, plain(value), styles.text)


def _validate(sheet: Worksheet, names: Sequence[str], last: int) -> None:
    """Let the answer columns take only what can be read back."""
    rules: dict[str, dict[str, Any]] = {
        "result": {"validate": "list", "source": [result.value for result in Result]},
        "inspected_on": {"validate": "date", "criteria": ">=", "value": dt.date(2000, 1, 1)},
        "devices_found": {"validate": "integer", "criteria": ">=", "value": 0},
        "device_depth_cm": {"validate": "decimal", "criteria": ">=", "value": 0},
    }
    for name, rule in rules.items():
        sheet.data_validation(_FIRST_LINE, names.index(name), last, names.index(name), rule)


def _write_corners(sheet: Worksheet, styles: Styles, sample: Sample) -> None:
    """Write the corner points of what lies on the released ground, not of the whole square."""
    sheet.write_string(0, 0, f"{CONFIDENTIAL} {STAY_INSIDE}", styles.warning)
    for at, (heading, width) in enumerate(_CORNER_HEADINGS.items()):
        sheet.write_string(1, at, heading, styles.header)
        sheet.set_column(at, at, width)
    line = _FIRST_LINE
    for spot in sample.spots:
        for ring, points in enumerate(corners_of(spot), start=1):
            for number, (longitude, latitude) in enumerate(points, start=1):
                sheet.write_string(line, 0, spot.id, styles.text)
                sheet.write_number(line, 1, ring, styles.number)
                sheet.write_number(line, 2, number, styles.number)
                sheet.write_number(line, 3, longitude, styles.degrees)
                sheet.write_number(line, 4, latitude, styles.degrees)
                line += 1
    sheet.freeze_panes(_FIRST_LINE, 1)
    sheet.repeat_rows(0, 1)
    print_setup(sheet, f"{sample.id} - {CONFIDENTIAL}")
