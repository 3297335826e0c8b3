"""How the workbooks of returns look: formats, texts as cells can hold them, and the printed page."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geopipe.catalogue import Language
from geopipe.reports.returned.texts import Words

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

# Fonts are named, not embedded; where Noto Sans Lao is missing, Windows takes another one with Lao letters.
_FONT, _LAO_FONT = "Arial", "Noto Sans Lao"
_A4 = 9
# Lao needs more room above and below a line than Latin letters of the same size.
_LINE_POINTS, _MARGIN_POINTS = 14.0, 2.0
# Longer texts help nobody, and Excel would cut them in silence at 32,767.
_LONGEST_TEXT = 2_000
# XML and Excel have no place for these; an id that holds one shows it as a sign.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True)
class Styles:
    """The formats of a workbook."""

    title: Format
    heading: Format
    header: Format
    text: Format
    lao: Format
    number: Format
    degrees: Format
    figure: Format
    date: Format
    answer: Format
    answer_date: Format
    answer_header: Format
    warning: Format

    @classmethod
    def of(cls, workbook: Workbook) -> Styles:
        """Make the formats; text stays text when somebody edits it, whatever it begins with."""
        free = {"font_name": _FONT, "font_size": 10, "valign": "top"}
        cell = {**free, "border": 1, "border_color": "#BBBBBB"}
        text = {**cell, "text_wrap": True, "quote_prefix": True}
        header = {**text, "font_name": _LAO_FONT, "bold": True}
        made = {
            "title": {"font_name": _LAO_FONT, "font_size": 16, "bold": True},
            "heading": {"font_name": _LAO_FONT, "font_size": 11, "bold": True},
            "header": {**header, "bg_color": "#DDE6EE"},
            "text": text,
            "lao": {**text, "font_name": _LAO_FONT},
            "number": {**cell, "num_format": "0"},
            "degrees": {**cell, "num_format": "0.0000000"},
            "figure": {**cell, "num_format": "#,##0.0##"},
            "date": {**cell, "num_format": "yyyy-mm-dd", "align": "left"},
            "answer": {**free, "text_wrap": True},
            "answer_date": {**free, "num_format": "yyyy-mm-dd", "align": "left"},
            "answer_header": {**header, "bg_color": "#FFF0C0"},
            "warning": {"font_name": _LAO_FONT, "font_size": 11, "bold": True, "font_color": "#B00000"},
        }
        return cls(**{name: workbook.add_format(style) for name, style in made.items()})


def plain(value: object) -> str:
    """Return a text as a cell can hold it: control characters as signs, not longer than anybody reads."""
    text = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd", str(value))
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "..."


def heading(words: Words, languages: Sequence[Language]) -> str:
    """Return a heading, each language on a line of its own."""
    return "\n".join(dict.fromkeys(words.of(language) for language in languages))


@lru_cache(maxsize=65_536)
def lines_of(text: str, width: float) -> int:
    """Return on how many lines a text stands in a column of a width (in digits, as Excel counts)."""
    parts = ("".join(sign for sign in part if not unicodedata.combining(sign)) for part in text.split("\n"))
    # Words break before the edge, so a line holds a little less than its width.
    return sum(max(1, math.ceil(len(part) / (width * 0.9))) for part in parts)


def height_of(cells: Iterable[tuple[str, float]]) -> float:
    """Return the height (points) that a row needs for its texts and the widths of their columns.

    Programs that do not fit rows by themselves would show only the first line of each.
    """
    return _LINE_POINTS * max((lines_of(text, width) for text, width in cells), default=1) + _MARGIN_POINTS


def heights_of(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the height (points) of each row from how many lines its longest text needs."""
    return _LINE_POINTS * lines + _MARGIN_POINTS


def print_setup(sheet: Worksheet, sender: str, pages_wide: int = 1) -> None:
    """A4 landscape, as wide as so many pages, with sender and page number below."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(pages_wide, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    # An ampersand is a command in a footer.
    sheet.set_footer(f"&L{plain(sender)[:80].replace('&', '&&')}&R&P / &N")
