"""The cover of a return: whose it is, what became of its records, and how to answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from geopipe.catalogue import Catalogue, Language
from geopipe.reports.returned import texts
from geopipe.reports.returned.returns import Return
from geopipe.reports.returned.senders import HASH_SHOWN, FileCount
from geopipe.reports.returned.styles import Styles, heading, height_of, plain, print_setup

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet


# Widths of the columns, in digits as Excel counts.
_WIDTHS = (44, 44, 28, 16, 17, 13, 13, 13, 18)


@dataclass
class Cover:
    """The cover sheet, written from top to bottom."""

    sheet: Worksheet
    styles: Styles
    languages: Sequence[Language]
    catalogue: Catalogue
    line: int = 0

    def write(self, back: Return) -> None:
        """Write the cover of one return."""
        self.sheet.hide_gridlines(2)
        for at, width in enumerate(_WIDTHS):
            self.sheet.set_column(at, at, width)
        self._say(texts.TITLE, self.styles.title)
        self._pair(texts.SENDER, back.sender)
        self._pair(texts.CUTOFF, back.cutoff)
        self._say(texts.SAFETY, self.styles.warning)
        self._files(back)
        self._codes(texts.FAULTS, back.codes)
        if back.notes:
            self._codes(texts.NOTES, [(code, "note", count) for code, count in back.notes])
        self._trend(back)
        self.line += 1
        self._say(texts.ANSWER, self.styles.heading)
        for words in (*texts.INSTRUCTIONS, texts.DRAFT):
            self._say(words, None)
        print_setup(self.sheet, back.sender)

    def _say(self, words: texts.Words, style: Format | None) -> None:
        """Write a text in each language on lines of its own."""
        for language in self.languages:
            self.sheet.write_string(self.line, 0, words.of(language), style)
            self.line += 1

    def _pair(self, words: texts.Words, value: str | dt.date | None) -> None:
        self.sheet.write_string(self.line, 0, heading(words, self.languages), self.styles.header)
        self._value(1, heading(texts.NOT_STATED, self.languages) if value is None else value)
        self._fit([heading(words, self.languages), value])
        self.line += 1

    def _fit(self, values: Sequence[Any]) -> None:
        """Make the row as high as its texts need."""
        cells = [(value, width) for value, width in zip(values, _WIDTHS, strict=False)]
        self.sheet.set_row(self.line, height_of(cell for cell in cells if isinstance(cell[0], str)))

    def _value(self, at: int, value: str | int | dt.date) -> None:
        if isinstance(value, dt.date):
            self.sheet.write_datetime(self.line, at, dt.datetime(value.year, value.month, value.day),
                                      self.styles.date)  # fmt: skip
        elif isinstance(value, int):
            self.sheet.write_number(self.line, at, value, self.styles.number)
        else:
            self.sheet.write_string(self.line, at, plain(value), self.styles.text)

    def _table(self, title: texts.Words, head: Sequence[texts.Words], rows: Sequence[Sequence[Any]]) -> None:
        self.line += 1
        self._say(title, self.styles.heading)
        for at, words in enumerate(head):
            self.sheet.write_string(self.line, at, heading(words, self.languages), self.styles.header)
        self._fit([heading(words, self.languages) for words in head])
        for row in rows:
            self.line += 1
            self._fit(row)
            for at, value in enumerate(row):
                self._value(at, value)
        self.line += 1

    def _files(self, back: Return) -> None:
        """Every file with its counts, and their sum."""
        names = [item.name for item in fields(FileCount)]
        rows = [[getattr(file, name) for name in names] for file in back.files]
        for row in rows:
            digest = row[names.index("content_hash")]
            row[names.index("content_hash")] = digest[:HASH_SHOWN] or heading(texts.EARLIER, self.languages)
        total = [sum(row[at] for row in rows) for at in range(2, len(names))]
        together = heading(texts.TOTAL, self.languages)
        self._table(texts.FILES, [texts.COUNTS[name] for name in names], [*rows, [together, "", *total]])

    def _codes(self, title: texts.Words, codes: Sequence[tuple[str, str, int]]) -> None:
        """How many lines each code has, and what it means."""
        meanings = [texts.COLUMNS[f"wrong_{language}"] for language in self.languages]
        rows = [
            [*(self.catalogue.meaning(code, language) for language in self.languages), code, count, level]
            for code, level, count in codes
        ]
        self._table(title, [*meanings, texts.CODE, texts.LINES, texts.SEVERITY], rows)

    def _trend(self, back: Return) -> None:
        """What went back after earlier deliveries, and now."""
        if not back.earlier:
            self.line += 1
            self._say(texts.TREND, self.styles.heading)
            self._say(texts.FIRST, None)
            return
        head = [texts.RECEIVED, texts.COUNTS["returned"], texts.COUNTS["questioned"]]
        rows: list[list[Any]] = [
            [item.received, item.returned, "" if item.questioned is None else item.questioned]
            for item in back.earlier
        ]
        self._table(
            texts.TREND, head, [*rows, [heading(texts.NOW, self.languages), back.returned, back.questioned]]
        )
