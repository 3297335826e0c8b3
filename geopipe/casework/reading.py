"""Read sheets that people have filled in: rows of plain cells, from a workbook or a GeoPackage."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.casework.sheet import CASES
from geopipe.casework.sheetcolumns import ANSWER, CONTROL, DECISION, FIXED, LAYER
from geopipe.errors import SourceError
from geopipe.io.delivery import ReadLimits, RefusedError
from geopipe.io.tabular.sheetxml import check_container, facts_of_sheets

ALL: Mapping[str, str] = {**FIXED, **DECISION, **ANSWER, **CONTROL}
_HEADER_WITHIN = 10
_MOST_BYTES = 100_000_000
_REMEDY = "Use a sheet that geopipe cases export has written."


@dataclass(frozen=True)
class Line:
    """One row of a sheet: its cells by column; `None` where a cell is empty.

    `number` is the line in Excel, or the record number in the GeoPackage.
    """

    file: str
    number: int
    cells: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where a person finds the row."""
        return f"{self.file}, line {self.number}"


def read_lines(path: Path) -> list[Line]:
    """Return the rows of a filled sheet in which something is written.

    Raises
    ------
    SourceError
        When the file cannot be read, or is not such a sheet.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SourceError("the file is too large for a sheet of cases", str(path), _REMEDY)
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise SourceError(f"the sheet cannot be read ({error.strerror})", str(path)) from error
    if head.startswith(b"PK"):
        rows = _of_workbook(path)
    elif head.startswith(b"SQLite format 3"):
        rows = _of_geopackage(path)
    else:
        raise SourceError("this is neither a workbook (.xlsx) nor a GeoPackage", str(path), _REMEDY)
    lines = [
        Line(path.name, number, {name: _cell(value) for name, value in cells.items()})
        for number, cells in rows
    ]
    return [line for line in lines if any(value is not None for value in line.cells.values())]


def _cell(value: Any) -> Any:
    """Return a cell: days as days, an empty one as None."""
    if isinstance(value, dt.datetime):
        value = value.date()
    return None if isinstance(value, str) and not value.strip() else value


def _of_workbook(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import python_calamine as calamine

    try:
        check_container(path, ReadLimits(), path.name)
        facts_of_sheets(path, path.name)
        with path.open("rb") as file:
            book = calamine.CalamineWorkbook.from_filelike(file)
            if CASES not in book.sheet_names:
                raise SourceError(f"the workbook has no sheet {CASES!r}", str(path), _REMEDY)
            rows = book.get_sheet_by_name(CASES).to_python(skip_empty_area=False)
    except RefusedError as refusal:
        raise SourceError(refusal.problem.sentence.removesuffix("."), "") from refusal
    except (calamine.CalamineError, KeyError, ValueError) as error:
        raise SourceError("the workbook is damaged", str(path), "Ask for a new copy.") from error
    header, columns = _columns(path, rows)
    for number, row in enumerate(rows[header + 1 :], start=header + 2):
        yield number, {name: row[at] for name, at in columns.items() if at < len(row)}


def _columns(path: Path, rows: Sequence[Sequence[Any]]) -> tuple[int, dict[str, int]]:
    """Return the row of the headings, and where each column is; people may move columns and add others."""
    by_title = {title.casefold(): name for name, title in ALL.items()}
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        # Below the English heading there may be one in another language.
        titles = [by_title.get(str(cell).strip().split("\n")[0].strip().casefold()) for cell in row]
        if "case_id" not in titles:
            continue
        names = [name for name in titles if name]
        _require(path, names)
        return at, {name: titles.index(name) for name in names}
    raise SourceError("the sheet has no line of headings with the case id", str(path), _REMEDY)


def _require(path: Path, names: Sequence[str]) -> None:
    required = {**FIXED, **CONTROL}.items()
    missing = [title for name, title in required if name not in names and name != "positions"]
    twice = [ALL[name] for name in dict.fromkeys(names) if names.count(name) > 1]
    if missing or twice:
        what = "has no column" if missing else "has more than one column"
        raise SourceError(f"the sheet {what} {', '.join(missing or twice)}", str(path), _REMEDY)


def _of_geopackage(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of the layer; SQLite itself reads it: no driver is asked what else the file may be."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            opened.execute("PRAGMA trusted_schema = OFF")
            opened.execute("PRAGMA query_only = ON")
            kind = opened.execute("SELECT type FROM sqlite_master WHERE name = ?", (LAYER,)).fetchone()
            if kind != ("table",):
                raise SourceError(f"the GeoPackage has no layer {LAYER!r}", str(path), _REMEDY)
            names = [row[1] for row in opened.execute(f"PRAGMA table_info({LAYER})") if row[1] in ALL]
            _require(path, names)
            chosen = ", ".join(f'"{name}"' for name in names)
            question = f"SELECT rowid, {chosen} FROM {LAYER} ORDER BY rowid"  # noqa: S608
            for row in opened.execute(question):
                yield row[0], dict(zip(names, map(_of_sqlite, row[1:]), strict=True))
    except sqlite3.Error as error:
        raise SourceError(f"the GeoPackage is damaged ({error})", str(path), "Ask for a new copy.") from error


def _of_sqlite(value: Any) -> Any:
    """Return a value of SQLite as a cell; what is no text or number is nothing that geopipe has written."""
    return None if isinstance(value, bytes) else value
