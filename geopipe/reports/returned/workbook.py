"""Write a return as an Excel workbook: a cover, and one line for each fault with columns for the answer."""

from __future__ import annotations

import datetime as dt
import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geopipe.catalogue import Catalogue, Language
from geopipe.errors import OutputError
from geopipe.reports.returned import texts
from geopipe.reports.returned.cover import Cover
from geopipe.reports.returned.returns import LANGUAGES, Return
from geopipe.reports.returned.styles import (
    Styles,
    heading,
    height_of,
    heights_of,
    lines_of,
    plain,
    print_setup,
)

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
    data = io.BytesIO()
    workbook = Workbook(data, {"in_memory": True})
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
    lines = np.ones(last)
    for at, name in enumerate(names):
        is_answer, style = name in texts.ANSWER_COLUMNS, _style_of(name, styles)
        head = styles.answer_header if is_answer else styles.header
        sheet.write_string(0, at, heading(texts.COLUMNS[name], languages), head)
        # Cells for answers are empty: the whole column gets their format.
        sheet.set_column(at, at, _WIDTHS[name], style if is_answer else None)
        if is_answer:
            continue
        if name == "number":
            _write_numbers(sheet, at, np.arange(start + 1.0, start + last + 1), style)
        elif name in _NUMBERS:
            _write_numbers(sheet, at, rows[name].to_numpy().astype(float), style)
        else:
            shown, codes = _texts(rows[name])
            _write_texts(sheet, at, shown, codes, style)
            if name in _WRAPPED:
                needed = [lines_of(text, _WIDTHS[name]) for text in shown]
                lines = np.maximum(lines, np.array([*needed, 1])[codes])
    sheet.set_row(0, height_of((heading(texts.COLUMNS[name], languages), _WIDTHS[name]) for name in names))
    for line, height in enumerate(heights_of(lines).tolist(), start=1):
        sheet.set_row(line, height)
    corrected = names.index("corrected")
    sheet.data_validation(
        1, corrected, max(1, last), corrected, {"validate": "list", "source": list(texts.ANSWERS)}
    )
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, last, len(names) - 1)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0, 1)
    print_setup(sheet, back.sender, pages_wide=2)  # on one page the letters would be too small


def _texts(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.intp]]:
    """Return the different texts of a column, and which of them each line holds, -1 for none."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy().astype(np.intp)
    return [plain(text) for text in encoded.dictionary.to_pylist()], codes


def _write_texts(
    sheet: Worksheet, at: int, shown: Sequence[str], codes: NDArray[np.intp], style: Format
) -> None:
    """Write the texts of one column below its heading, never as formulas."""
    for line, code in enumerate(codes.tolist(), start=1):
        if code >= 0:
            sheet.write_string(line, at, shown[code], style)


def _write_numbers(sheet: Worksheet, at: int, values: NDArray[np.float64], style: Format) -> None:
    """Write the numbers of one column below its heading; Excel knows only finite ones."""
    for line in np.flatnonzero(np.isfinite(values)).tolist():
        sheet.write_number(line + 1, at, values[line], style)


def _style_of(name: str, styles: Styles) -> Format:
    if name in ("longitude", "latitude"):
        return styles.degrees
    if name in texts.ANSWER_COLUMNS:
        return styles.answer_date if name == "answered_on" else styles.answer
    by_name = {"number": styles.number, "row": styles.number, "figure": styles.figure}
    return by_name.get(name, styles.lao if name.endswith("_lo") else styles.text)
