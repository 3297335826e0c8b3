"""Write cases as an Excel workbook that people fill in: lists to choose from, and columns that are locked."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from geopipe.casework.edition import Edition
from geopipe.casework.sheetcolumns import ANSWER, CONTROL, DAYS, DECIMALS, DECISION, FIXED, YES, columns_of
from geopipe.casework.words import ANSWERS, CHOICES
from geopipe.reports.returned.styles import Styles, height_of, print_setup

CASES, LISTS, READ_ME = "Cases", "Lists", "Read me"
# Fixed, so that the same register gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_FIRST_DAY = dt.date(2000, 1, 1)
_WIDTHS = {
    "number": 15, "status": 12, "severity": 9, "question": 28, "a_operator": 10, "a_record": 17, "a_kind": 11,
    "a_status": 9, "a_date": 11, "b_operator": 10, "b_record": 17, "b_kind": 11, "b_status": 9, "b_date": 11,
    "area_m2": 12, "width_m": 9, "a_percent": 8, "b_percent": 8, "province": 14, "district": 14,
    "first_seen": 11, "proposal": 20, "reasons": 44, "positions": 20, "decided": 18, "decision": 22,
    "level": 10, "meeting": 18, "held_on": 12, "item": 8, "shrinks_hazard": 11, "grows_released": 11,
    "responsible": 14, "due": 12, "note": 28, "answer": 14, "comment": 32, "evidence": 28, "name": 18,
    "said_on": 12,
}  # fmt: skip
_FOR_DECISIONS = (
    "Fill in the yellow columns of the cases that were decided, and leave the others empty.",
    "Decision and Level must be filled in. Choose the words from the lists.",
    "A split on an agreed line cannot be written here: it needs the line (geopipe cases decide --line).",
    "Without the signed minutes a decision is provisional: geopipe cases import FILE --minutes FILE.",
    "'yes' under Less hazard is meant, or More released is meant, says that those who decided know that the "
    "ground changes to the unsafe side. Leave it empty if nobody spoke about it.",
)
_FOR_ANSWERS = (
    "Fill in the yellow columns of the cases to which you answer, and leave the others empty.",
    "Answer and Name must be filled in. Your answer is kept as your position; it decides nothing.",
    "The proposal is made by software from the records. It is not a decision.",
    "This sheet is confidential between the authority and you.",
)
_FOR_ALL = (
    "Do not change the grey columns, and do not copy rows: a changed row is not read.",
    "Lines may be filtered and left out, and columns moved. Write dates like 2026-03-31.",
    "Areas that are not on this sheet are not thereby safe.",
)


def sheet_of(edition: Edition) -> bytes:
    """Return the workbook of an edition."""
    data = io.BytesIO()
    book = Workbook(data, {"in_memory": True})
    book.set_properties({"title": f"Overlap cases: {edition.name}", "created": _CREATED})
    add_cases(book, Styles.of(book), edition).activate()
    book.close()
    return data.getvalue()


def add_cases(
    book: Workbook,
    styles: Styles,
    edition: Edition,
    second_headings: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> Worksheet:
    """Add the sheets that `geopipe cases import` reads to a workbook; return the one with the cases.

    Parameters
    ----------
    book : Workbook
    styles : Styles
    edition : Edition
    second_headings : mapping, optional
        English heading -> what stands below it in the same cell, in another language.
    links : mapping, optional
        Number of a case -> where its page is.
    """
    cases = book.add_worksheet(CASES)
    ranges = _write_lists(book.add_worksheet(LISTS), styles, _lists_of(edition))
    _CasesSheet(book, cases, styles, edition, second_headings or {}, links or {}).write(ranges)
    _write_read_me(book.add_worksheet(READ_ME), styles, edition)
    return cases


def _lists_of(edition: Edition) -> dict[str, Sequence[str]]:
    """Return the words among which people choose, by column."""
    if edition.operator is not None:
        return {"answer": list(ANSWERS.values())}
    return {"decision": list(CHOICES.values()), "level": edition.levels,
            "shrinks_hazard": [YES], "grows_released": [YES]}  # fmt: skip


def _write_lists(sheet: Worksheet, styles: Styles, lists: dict[str, Sequence[str]]) -> dict[str, str]:
    """Write the lists onto a sheet: a cell's own list would be too short. Return their ranges."""
    ranges = {}
    for at, (name, words) in enumerate(lists.items()):
        sheet.write_string(0, at, {**DECISION, **ANSWER}[name], styles.header)
        sheet.set_column(at, at, 30)
        for line, word in enumerate(words, start=1):
            sheet.write_string(line, at, word, styles.text)
        column = xl_col_to_name(at)
        ranges[name] = f"={LISTS}!${column}$2:${column}${len(words) + 1}"
    sheet.protect()
    sheet.hide()
    return ranges


class _CasesSheet:
    """The sheet with one line for each case."""

    def __init__(
        self, book: Workbook, sheet: Worksheet, styles: Styles, edition: Edition,
        second_headings: Mapping[str, str], links: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.sheet, self.styles, self.edition, self.links = sheet, styles, edition, links
        self.headings = {
            name: f"{title}\n{second_headings[title]}" if title in second_headings else title
            for name, title in columns_of(edition.name).items()
        }
        self.names = list(columns_of(edition.name))
        self.filled = [name for name in self.names if name not in FIXED and name not in CONTROL]
        free = {"font_name": "Noto Sans Lao", "font_size": 10, "valign": "top", "locked": False,
                "bg_color": "#FFFBEA", "border": 1, "border_color": "#BBBBBB"}  # fmt: skip
        # Text stays text, whatever it begins with.
        self.answer = book.add_format({**free, "text_wrap": True, "num_format": "@"})
        self.day = book.add_format({**free, "num_format": "yyyy-mm-dd", "align": "left"})
        self.hidden = book.add_format({"font_size": 8, "num_format": "@", "hidden": True})
        self.lao = styles.lao
        link = {**free, "bg_color": "#FFFFFF", "locked": True, "font_color": "#0563C1", "underline": 1}
        self.link = book.add_format(link)

    def write(self, ranges: dict[str, str]) -> None:
        """Write headings, lines, lists and locks."""
        sheet, names = self.sheet, self.names
        headings = self.headings
        for at, name in enumerate(names):
            style = self.styles.answer_header if name in self.filled else self.styles.header
            sheet.write_string(0, at, headings[name], style)
            options = {"hidden": True} if name in CONTROL else {}
            sheet.set_column(at, at, _WIDTHS.get(name, 10), None, options)
        sheet.set_row(0, height_of((headings[name], 0.8 * _WIDTHS.get(name, 99)) for name in names))
        for line, row in enumerate(self.edition.rows, start=1):
            self._line(line, row)
        last = max(1, len(self.edition.rows))
        self._lists(last, ranges)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, last, len(names) - 1)
        sheet.repeat_rows(0)
        sheet.repeat_columns(0)
        sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
        print_setup(sheet, f"Overlap cases: {self.edition.name}", pages_wide=2)
        sheet.print_area(0, 0, last, len(names) - len(CONTROL) - 1)

    def _line(self, line: int, row: dict[str, Any]) -> None:
        for at, name in enumerate(self.names):
            value, style = row.get(name), self._style(name)
            if name == "number" and (page := self.links.get(str(value))):
                self.sheet.write_url(line, at, page, self.link, str(value))
            elif value is None:
                self.sheet.write_blank(line, at, None, style)
            elif isinstance(value, dt.date):
                self.sheet.write_datetime(line, at, dt.datetime.combine(value, dt.time()), style)
            elif isinstance(value, int | float):
                self.sheet.write_number(line, at, value, style)
            else:
                self.sheet.write_string(line, at, value, style)
        texts = ((str(row.get(name) or ""), _WIDTHS.get(name, 99)) for name in FIXED)
        self.sheet.set_row(line, height_of(texts))

    def _style(self, name: str) -> Format:
        if name in self.filled:
            return self.day if name in DAYS else self.answer
        if name in CONTROL:
            return self.hidden
        if name in DAYS:
            return self.styles.date
        return self.styles.figure if name in DECIMALS else self.lao

    def _lists(self, last: int, ranges: dict[str, str]) -> None:
        for name in self.filled:
            at = self.names.index(name)
            rule: dict[str, Any] | None = None
            if name in ranges:
                rule = {"validate": "list", "source": ranges[name], "error_title": "Please choose",
                        "error_message": "Choose one of the words of the list."}  # fmt: skip
            elif name in DAYS:
                rule = {"validate": "date", "criteria": ">=", "value": _FIRST_DAY,
                        "error_title": "A day, please",
                        "error_message": "Write a day like 2026-03-31."}  # fmt: skip
            if rule:
                self.sheet.data_validation(1, at, last, at, rule)


def _write_read_me(sheet: Worksheet, styles: Styles, edition: Edition) -> None:
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, f"Overlap cases: {edition.name}", styles.title)
    sheet.write_string(1, 0, f"{len(edition.rows):,} open cases", styles.text)
    lines = [*(_FOR_DECISIONS if edition.operator is None else _FOR_ANSWERS), *_FOR_ALL]
    for line, text in enumerate(lines, start=3):
        sheet.write_string(line, 0, text, styles.text)
        sheet.set_row(line, height_of([(text, 110)]))
    print_setup(sheet, f"Overlap cases: {edition.name}")
