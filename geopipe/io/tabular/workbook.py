"""Read workbooks (.xlsx, .xlsm, .xls, .ods): every sheet that is a table with geometry is a layer.

Dates stay dates and numbers numbers where a whole column agrees. Formulas count with the value that was
last computed. `row` is the place of a record below its header in the sheet: empty lines count too.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.formats import head_of
from geopipe.io.job import Job, reason_of
from geopipe.io.tabular.grid import Grid
from geopipe.io.tabular.headers import HEADER_WITHIN, Header, header_line
from geopipe.io.tabular.sheetxml import (
    SheetFacts,
    check_container,
    facts_of_sheets,
    protected,
    require_small_ods,
)
from geopipe.io.tabular.tablegeometry import layers_of_table
from geopipe.io.tabular.tables import titles_note
from geopipe.terms import CountMethod

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
WHOLE_NUMBERS = 2**53
NO_GEOMETRY = "NO_GEOMETRY"


@dataclass(frozen=True)
class _Sheet:
    """The cells of one sheet, from its first line on."""

    name: str
    rows: list[list[Any]]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]
    is_hidden: bool
    facts: SheetFacts | None


def read_workbook(job: Job) -> list[RawLayer]:
    """Return the layers of all sheets with geometry; sheets without are told of in a note."""
    sheets = _sheets(job)
    layers: list[RawLayer] = []
    without: list[str] = []
    refusals: list[RefusedError] = []
    for sheet in sheets:
        if not any(_is_filled(row) for row in sheet.rows):
            continue
        try:
            layers += _layers(job, sheet)
        except RefusedError as refusal:
            refusals.append(refusal)
            if refusal.problem.code == NO_GEOMETRY:
                without.append(sheet.name)
            else:
                layers.append(_refused(sheet, refusal))
    if not refusals and not layers:
        raise RefusedError(Problem("FILE_EMPTY", f"{job.label}: the workbook is empty. Ask for a new copy."))
    if not layers:
        raise _none(job, without, refusals)
    if without:
        shown = ", ".join(f'"{name}"' for name in without)
        sentence = f"{job.label}: no geometry in sheet {shown}: its rows are not used."
        layers[0] = replace(layers[0], notes=(*layers[0].notes, Problem("SHEET_WITHOUT_GEOMETRY", sentence)))
    return layers


def _refused(sheet: _Sheet, refusal: RefusedError) -> RawLayer:
    """Return the quarantined layer of a sheet that cannot be used; the other sheets are."""
    return RawLayer(
        sheet.name,
        records_counted=refusal.counted,
        count_method=refusal.method,
        problem=refusal.problem,
    )


def _none(job: Job, without: list[str], refusals: list[RefusedError]) -> RefusedError:
    """Refuse a workbook none of whose sheets has a geometry."""
    counted = [refusal.counted for refusal in refusals]
    known = [count for count in counted if count is not None]
    total = sum(known) if len(known) == len(counted) else None
    if len(refusals) == 1:
        return RefusedError(refusals[0].problem, total, refusals[0].method)
    sheets = ", ".join(f'"{name}"' for name in without)
    wanted = "a WKT column, turning points, or coordinate columns (x, y or lon, lat)"
    sentence = f"{job.label}: no sheet has a geometry ({sheets}): one needs {wanted}. Ask for the areas."
    return RefusedError(Problem(NO_GEOMETRY, sentence), total, refusals[0].method)


def _sheets(job: Job) -> list[_Sheet]:
    """Return the cells of all sheets; refuse what cannot be opened."""
    import python_calamine as calamine

    is_zip = head_of(job.path, 2) == b"PK"
    facts: dict[str, SheetFacts] = {}
    if is_zip:
        check_container(job.path, job.limits, job.label)
        facts = _facts(job)
    elif ENCRYPTED in job.path.read_bytes():
        raise RefusedError(protected(job.label))
    try:
        with job.path.open("rb") as file:
            return [
                _sheet(book, meta, facts.get(meta.name))
                for book in [calamine.CalamineWorkbook.from_filelike(file)]
                for meta in book.sheets_metadata
                if meta.typ == calamine.SheetTypeEnum.WorkSheet
            ]
    except calamine.PasswordError as error:
        raise RefusedError(protected(job.label)) from error
    except calamine.CalamineError as error:
        sentence = f"{job.label}: the workbook is damaged ({reason_of(error)}). Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence), _total(facts)) from error


def _total(facts: dict[str, SheetFacts]) -> int | None:
    """Return the rows of all sheets without their headers; None where they could not be counted."""
    return sum(max(sheet.rows - 1, 0) for sheet in facts.values()) if facts else None


def _facts(job: Job) -> dict[str, SheetFacts]:
    """Return the independent look at the sheets of a zipped workbook."""
    from xml.parsers import expat

    with zipfile.ZipFile(job.path) as archive:
        is_ods = "content.xml" in archive.namelist()
    if is_ods:
        require_small_ods(job.path, job.label)
        return {}
    try:
        return facts_of_sheets(job.path, job.label)
    except expat.ExpatError as error:
        sentence = f"{job.label}: the workbook is damaged ({reason_of(error)}). Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence)) from error


def _sheet(book: Any, meta: Any, facts: SheetFacts | None) -> _Sheet:
    """Return the cells of one sheet."""
    import python_calamine as calamine

    sheet = book.get_sheet_by_name(meta.name)
    return _Sheet(
        meta.name,
        sheet.to_python(skip_empty_area=False),
        sheet.merged_cell_ranges or (),
        meta.visible != calamine.SheetVisibleEnum.Visible,
        facts,
    )


def _is_filled(row: Sequence[Any]) -> bool:
    """Tell whether a cell of the row holds something."""
    return any(cell != "" for cell in row)


def _layers(job: Job, sheet: _Sheet) -> list[RawLayer]:
    """Return the layers of one sheet."""
    label = f"{job.label}, sheet {sheet.name}"
    lines = [at for at, row in enumerate(sheet.rows) if _is_filled(row)]
    notes = _merged(sheet, label)
    titles = header_line([sheet.rows[at] for at in lines[: 2 * HEADER_WITHIN + 1]])
    top, body = lines[titles], lines[titles + 1 :]
    if titles:
        notes.append(titles_note(label, titles, f"line {top + 1} of the sheet"))
    if sheet.is_hidden:
        notes.append(Problem("SHEET_HIDDEN", f"{label}: the sheet is hidden; it is read like the others."))
    errors = sheet.facts.errors if sheet.facts else 0
    if errors:
        sentence = f"{label}: {errors:,} cells hold an error of Excel's (such as #N/A or #REF!)"
        notes.append(Problem("CELLS_WITH_ERRORS", f"{sentence}. They are read as empty. Correct them."))
    names, columns = _columns(sheet.rows[top], [sheet.rows[at] for at in body])
    grid = Grid(
        label=label,
        name=sheet.name,
        names=names,
        columns=columns,
        rows=np.array(body, dtype=np.int64) - top,
        counted=sheet.facts.rows - titles - 1 if sheet.facts else None,
        method=CountMethod.EXACT if sheet.facts else CountMethod.NONE,
        notes=tuple(notes),
    )
    if not body and not Header.of(names).has_geometry():
        raise RefusedError(Problem(NO_GEOMETRY, f"{label}: the sheet is not a table."), 0, grid.method)
    return layers_of_table(grid)


def _merged(sheet: _Sheet, label: str) -> list[Problem]:
    """Write the value of cells that are merged downwards into each of their lines: it is meant for all."""
    filled = 0
    for (top, left), (bottom, right) in sheet.merged:
        if left != right or top == bottom or top >= len(sheet.rows):
            continue
        value = sheet.rows[top][left]
        for line in range(top + 1, min(bottom + 1, len(sheet.rows))):
            if value != "" and sheet.rows[line][left] == "":
                sheet.rows[line][left] = value
                filled += 1
    if not filled:
        return []
    sentence = f"{label}: {filled:,} cells are merged with the cell above them and have its value."
    return [Problem("CELLS_MERGED", sentence)]


def _columns(header: Sequence[Any], body: Sequence[Sequence[Any]]) -> tuple[list[str], list[pa.Array]]:
    """Return names and typed values of the columns; those without name and values are left out."""
    names, columns = [], []
    cells = list(zip(*body, strict=True)) if body else [()] * len(header)
    for name, values in zip(header, cells, strict=True):
        if name != "" or any(value != "" for value in values):
            names.append(_text(name) or "")
            columns.append(_typed([None if value == "" else value for value in values]))
    return names, columns


def _typed(values: list[Any]) -> pa.Array:
    """Return values with the type that all of them have, else as text."""
    types = {type(value) for value in values if value is not None}
    if types <= {str}:
        return pa.array(values, pa.large_string())
    if types <= {int, float}:
        whole = all(value is None or (value == int(value) and abs(value) < WHOLE_NUMBERS) for value in values)
        numbers = [None if value is None else int(value) for value in values] if whole else values
        return pa.array(numbers, pa.int64() if whole else pa.float64())
    if types == {bool}:
        return pa.array(values, pa.bool_())
    if types == {dt.date}:
        return pa.array(values, pa.date32())
    if types <= {dt.date, dt.datetime}:
        return pa.array([_moment(value) for value in values], pa.timestamp("us"))
    return pa.array([_text(value) for value in values], pa.large_string())


def _moment(value: dt.date | dt.datetime | None) -> dt.datetime | None:
    """Return a date as the beginning of its day."""
    if value is None or isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time())


def _text(value: Any) -> str | None:
    """Return one cell as text: dates as in ISO 8601, whole numbers without `.0`."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value) and abs(value) < WHOLE_NUMBERS:
        return str(int(value))
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)
