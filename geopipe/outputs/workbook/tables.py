"""Tables on the sheets of a workbook: headings, real numbers and dates, and texts that stay texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geopipe.casework.words import tidy
from geopipe.languages.texts import Texts
from geopipe.reports.returned.styles import Styles, height_of, plain, print_setup

# Excel has 1,048,576 rows; what does not fit stands on a further sheet.
ROWS_PER_SHEET = 1_000_000
# Lao letters are wider than the digits in which Excel counts, and stand higher than Latin ones.
_LAO_WIDTH, _LAO_HEIGHT = 0.85, 1.1
# Rows beyond this get no height of their own: measuring texts would take longer than writing them.
_MEASURED_ROWS = 20_000


class Cell(Enum):
    """What a column holds."""

    TEXT = "text"
    COUNT = "count"
    HECTARES = "hectares"
    SMALL_HECTARES = "small hectares"
    FIGURE = "figure"
    DAY = "day"


@dataclass(frozen=True)
class Column:
    """A column: its heading (English, translated when it is written), what it holds, and its width."""

    heading: str
    cell: Cell = Cell.TEXT
    width: float = 14


@dataclass(frozen=True)
class Table:
    """A table; `totals` stand below its rows, outside of the filter. Values in the order of the columns."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Sequence[Any]] = ()
    title: str = ""
    notes: Sequence[str] = ()


@dataclass
class Formats:
    """The formats of all sheets."""

    styles: Styles
    cells: dict[Cell, Format]
    totals: dict[Cell, Format]

    @classmethod
    def of(cls, book: Workbook) -> Formats:
        """Make the formats; Lao letters show in all of them."""
        cell = {"font_name": "Noto Sans Lao", "font_size": 10, "valign": "top", "border": 1,
                "border_color": "#BBBBBB"}  # fmt: skip
        kinds: dict[Cell, dict[str, Any]] = {
            Cell.TEXT: {"text_wrap": True, "quote_prefix": True},
            Cell.COUNT: {"num_format": "#,##0"},
            Cell.HECTARES: {"num_format": "#,##0.00"},
            # An overlap of some square metres is not nothing.
            Cell.SMALL_HECTARES: {"num_format": "[<0.1]0.0000;#,##0.00"},
            Cell.FIGURE: {"num_format": "#,##0.0##"},
            Cell.DAY: {"num_format": "yyyy-mm-dd", "align": "left"},
        }
        total = {"bold": True, "bg_color": "#EEF2F5"}
        return cls(
            Styles.of(book),
            {kind: book.add_format({**cell, **own}) for kind, own in kinds.items()},
            {kind: book.add_format({**cell, **own, **total}) for kind, own in kinds.items()},
        )


@dataclass
class Page:
    """A sheet that is written from top to bottom."""

    sheet: Worksheet
    formats: Formats
    texts: Texts
    footer: str
    line: int = 0
    _widths: dict[int, float] = field(default_factory=dict)

    def say(self, text: str, style: Format | None = None) -> None:
        """Write a message, each language on a line of its own."""
        for texts in self.texts.each:
            self.put(texts(text), style)

    def put(self, text: str, style: Format | None = None) -> None:
        """Write a text that is in its language already."""
        self.sheet.write_string(self.line, 0, plain(tidy(text)), style)
        self.line += 1

    def add(self, table: Table, style: Format | None = None) -> tuple[int, int]:
        """Write a table below what stands there; return its heading's line and its last line."""
        if table.title:
            self.say(table.title, style or self.formats.styles.heading)
        for note in table.notes:
            self.say(note)
        first = self.line
        headings = [self.texts.joined_by("\n")(column.heading) for column in table.columns]
        for at, (column, heading) in enumerate(zip(table.columns, headings, strict=True)):
            self.sheet.write_string(self.line, at, plain(tidy(heading)), self.formats.styles.header)
            self._widths[at] = max(self._widths.get(at, 0.0), column.width)
        self._fit(table.columns, headings)
        self.line += 1
        last = self._lines(table.columns, table.rows, self.formats.cells)
        self._lines(table.columns, table.totals, self.formats.totals)
        self.line += 1
        return first, max(last - 1, first)

    def _lines(
        self, columns: Sequence[Column], rows: Iterable[Sequence[Any]], formats: dict[Cell, Format]
    ) -> int:
        for number, row in enumerate(rows):
            for at, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._value(at, value, formats[column.cell])
            if number < _MEASURED_ROWS:
                self._fit(columns, row)
            self.line += 1
        return self.line

    def _fit(self, columns: Sequence[Column], values: Sequence[Any]) -> None:
        self.fit(zip(values, (column.width for column in columns), strict=True))

    def fit(self, cells: Iterable[tuple[Any, float]]) -> None:
        """Make the row as high as its texts need in columns of these widths."""
        texts = ((value, _LAO_WIDTH * width) for value, width in cells if isinstance(value, str))
        self.sheet.set_row(self.line, _LAO_HEIGHT * height_of(texts))

    def _value(self, at: int, value: Any, style: Format) -> None:
        if value is None:
            self.sheet.write_blank(self.line, at, None, style)
        elif isinstance(value, dt.date):
            day = dt.datetime(value.year, value.month, value.day)
            self.sheet.write_datetime(self.line, at, day, style)
        elif isinstance(value, int | float):
            self.sheet.write_number(self.line, at, value, style)
        else:
            self.sheet.write_string(self.line, at, plain(tidy(value)), style)

    def finish(self, pages_wide: int = 1) -> None:
        """Set widths and the printed page."""
        for at, width in self._widths.items():
            self.sheet.set_column(at, at, width)
        print_setup(self.sheet, "", pages_wide)
        # An ampersand is a command in a footer.
        self.sheet.set_footer(f"&L&8{self.footer.replace('&', '&&')}&R&P / &N")


def add_list(
    book: Workbook, name: str, table: Table, formats: Formats, texts: Texts, footer: str, pages_wide: int = 1
) -> None:
    """Add a sheet that is one table: frozen headings and a filter; a long one goes on on further sheets."""
    rows = iter(table.rows)
    number = 0
    while (part := list(islice(rows, ROWS_PER_SHEET))) or number == 0:
        number += 1
        page = Page(book.add_worksheet(name if number == 1 else f"{name} {number}"), formats, texts, footer)
        first, last = page.add(Table(table.columns, part, table.totals))
        page.sheet.freeze_panes(first + 1, 1)
        page.sheet.autofilter(first, 0, last, len(table.columns) - 1)
        page.sheet.repeat_rows(first)
        page.finish(pages_wide)
