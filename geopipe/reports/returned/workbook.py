"""Write a return as an Excel workbook: a cover, and one line for each fault with columns for the answer."""

from __future__ import annotations

import datetime as dt
import io
import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geopipe.catalogue import Catalogue, Language
from geopipe.errors import OutputError
from geopipe.reports.returned import texts
from geopipe.reports.returned.cover import Cover
from geopipe.reports.returned.returns import LANGUAGES, Return
from geopipe.reports.returned.styles import Styles, heading, height_of, plain, print_setup

if TYPE_CHECKING:
    import pyarrow as pa
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

COVER, RECORDS = "Cover", "Records"
# Excel has 1,048,576 rows; what does not fit stands on a further sheet.
LINES_PER_SHEET = 1_000_000
# Fixed, so that the same content gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_NUMBERS = ("number", "row", "longitude", "latitude", "figure")
_WIDTHS = {
    "number": 6, "own_id": 16, "file": 18, "layer": 12, "row": 9, "outcome": 11, "kind": 10, "code": 20,
    "wrong_en": 30, "do_en": 30, "wrong_lo": 30, "do_lo": 30, "details": 36, "longitude": 13, "latitude": 13,
    "figure": 12, "unit": 8, "severity": 10, "corrected": 11, "comment": 26, "answered_by": 12,
    "answered_on": 12,
}  # fmt: skip


# Columns whose texts may need several lines.
_WRAPPED = frozenset({"own_id", "file", "layer", "code", "wrong_en", "do_en", "wrong_lo", "do_lo", "details"})


def write_workbook(
    path: Path, back: Return, catalogue: Catalogue, languages: Sequence[Language] = LANGUAGES
) -> None:
    """Write the workbook of one sender into a new file, and check what was written.

    Parameters
    ----------
    path : Path
    back : Return
    catalogue : Catalogue
        For what the codes on the cover mean.
    languages : sequence of str
        Languages of headings, meanings and remedies.

    Raises
    ------
    OutputError
        When the disk refuses, or the file read back does not hold every line.
    """
    import xlsxwriter

    data = io.BytesIO()
    workbook = xlsxwriter.Workbook(data, {"in_memory": True})
    workbook.set_properties({"title": texts.TITLE.en, "created": _CREATED})
    styles = Styles.of(workbook)
    Cover(workbook.add_worksheet(COVER), styles, languages, catalogue).write(back)
    starts = range(0, max(1, len(back.rows)), LINES_PER_SHEET)
    for number, start in enumerate(starts, start=1):
        sheet = workbook.add_worksheet(RECORDS if number == 1 else f"{RECORDS} {number}")
        _write_lines(sheet, styles, languages, back, start)
    workbook.close()
    try:
        with path.open("wb") as file:
            file.write(data.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        _check(path, len(back.rows) + len(starts))
    except (OSError, zipfile.BadZipFile) as error:
        raise OutputError(
            f"the workbook could not be written ({error})", str(path), "Is the disk full or read-only?"
        ) from error


def _check(path: Path, rows: int) -> None:
    """Read the new file again and count the rows of all sheets but the cover; CRCs are checked by reading."""
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        counts = {name: archive.read(name).count(b"<row ") for name in sheets}
    written = sum(counts.values()) - counts["xl/worksheets/sheet1.xml"]
    if written != rows:
        raise OSError(f"it holds {written} of {rows} rows")


def _columns(languages: Sequence[Language]) -> list[str]:
    """Return the columns of the lines; meanings and remedies in the languages asked for."""
    left_out = {f"{part}_{code}" for code in LANGUAGES if code not in languages for part in ("wrong", "do")}
    return [name for name in texts.COLUMNS if name not in left_out]


def _write_lines(
    sheet: Worksheet, styles: Styles, languages: Sequence[Language], back: Return, start: int
) -> None:
    """Write one sheet of lines, from line `start` on."""
    rows = back.rows.table.slice(start, LINES_PER_SHEET)
    names, last = _columns(languages), rows.num_rows
    for at, name in enumerate(names):
        is_answer, style = name in texts.ANSWER_COLUMNS, _style_of(name, styles)
        head = styles.answer_header if is_answer else styles.header
        sheet.write_string(0, at, heading(texts.COLUMNS[name], languages), head)
        # Cells for answers are empty: the whole column gets their format.
        sheet.set_column(at, at, _WIDTHS[name], style if is_answer else None)
        if name == "number":
            _write_column(sheet, at, name, range(start + 1, start + last + 1), style)
        elif not is_answer:
            _write_column(sheet, at, name, rows[name].to_pylist(), style)
    _fit_rows(sheet, names, rows, languages)
    corrected = names.index("corrected")
    sheet.data_validation(
        1, corrected, max(1, last), corrected, {"validate": "list", "source": list(texts.ANSWERS)}
    )
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, last, len(names) - 1)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0, 1)
    print_setup(sheet, back.sender, pages_wide=2)  # on one page the letters would be too small


def _fit_rows(sheet: Worksheet, names: Sequence[str], rows: pa.Table, languages: Sequence[Language]) -> None:
    """Make each row as high as its longest text needs."""
    sheet.set_row(0, height_of((heading(texts.COLUMNS[name], languages), _WIDTHS[name]) for name in names))
    wrapped = [name for name in names if name in _WRAPPED]
    columns = (rows[name].fill_null("").to_pylist() for name in wrapped)
    for line, cells in enumerate(zip(*columns, strict=True), start=1):
        widths = (_WIDTHS[name] for name in wrapped)
        sheet.set_row(line, height_of(zip(cells, widths, strict=True)))


def _write_column(sheet: Worksheet, at: int, name: str, values: Sequence[Any], style: Format) -> None:
    """Write the values of one column below its heading: numbers as numbers, texts never as formulas."""
    present = [(line, value) for line, value in enumerate(values, start=1) if value is not None]
    if name in _NUMBERS:
        for line, value in present:
            if math.isfinite(value):  # Excel knows no other numbers
                sheet.write_number(line, at, value, style)
        return
    # A few texts are written many times: each is looked at once.
    shown = {value: plain(value) for value in {value for _, value in present}}
    for line, value in present:
        sheet.write_string(line, at, shown[value], style)


def _style_of(name: str, styles: Styles) -> Format:
    if name in ("longitude", "latitude"):
        return styles.degrees
    if name in texts.ANSWER_COLUMNS:
        return styles.answer_date if name == "answered_on" else styles.answer
    by_name = {"number": styles.number, "row": styles.number, "figure": styles.figure}
    return by_name.get(name, styles.lao if name.endswith("_lo") else styles.text)
