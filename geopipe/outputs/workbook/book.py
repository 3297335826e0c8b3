"""Put a workbook together: cover, cases to fill in, and the figures beside them."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping, Sequence

from xlsxwriter import Workbook

from geopipe.casework.reasons import REASONS
from geopipe.casework.sheet import add_cases
from geopipe.casework.sheetcolumns import columns_of
from geopipe.casework.words import ANSWERS, CHOICES, STATUSES
from geopipe.languages import words
from geopipe.languages.texts import Texts, message
from geopipe.outputs.workbook import sheets
from geopipe.outputs.workbook.cover import NOT_SAFE, add_cover
from geopipe.outputs.workbook.material import Material
from geopipe.outputs.workbook.tables import Column, Formats, Page, Table, add_list

# Fixed, so that the same run gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_ENGLISH = "en"
# What stands in a message for a value: {record}.
_PLACES = re.compile(r"\{\w+\}")


def workbook_of(material: Material, texts: Texts, links: Mapping[str, str] | None = None) -> bytes:
    """Return the workbook.

    Parameters
    ----------
    material : Material
    texts : Texts
        Languages of headings and notes. The words on the sheet of cases stay English, because it is read
        back; the sheet Words translates them.
    links : mapping, optional
        Number of a case -> where its page is, as xlsxwriter writes links.
    """
    data = io.BytesIO()
    book = Workbook(data, {"in_memory": True})
    book.set_properties({"title": "geopipe workbook", "created": _CREATED})
    formats, texts = Formats.of(book), texts.joined_by("\n")
    is_national, others = material.operator is None, [one for one in texts.each if one.codes != (_ENGLISH,)]
    names = ["Cases", "Read me", *(["Words"] if others else []), "Matrix", "By operator", "By province"]
    names += [*(["Tolerance"] if is_national else []), "Deliveries", "Findings", "Returned"]
    add_cover(book, material, formats, texts, names)
    add_cases(book, formats.styles, material.edition, _second(material, others), links)
    cut_off = f"{texts.joined_by(' / ')('Data cut-off')}: {material.cut_off or '-'}"
    footer = f"{texts.joined_by(' ')(NOT_SAFE)}\n{cut_off}"
    if others:
        add_list(book, "Words", _words(material, texts, others), formats, texts, footer)
    _stack(book, "Matrix", sheets.matrix(material), formats, texts, footer, _MATRIX)
    figures = material.figures
    for by, rows in (("operator", figures.by_operator), ("province", figures.by_province)):
        table = sheets.hectares(rows, figures.totals, by, texts)
        add_list(book, f"By {by}", table, formats, texts, footer)
    if material.sensitivity is not None:
        tables = sheets.tolerance(material.sensitivity, texts)
        _stack(book, "Tolerance", tables, formats, texts, footer, _TOLERANCE)
    add_list(book, "Deliveries", sheets.deliveries(material, texts), formats, texts, footer)
    add_list(book, "Findings", sheets.findings(material, texts), formats, texts, footer, 2)
    add_list(book, "Returned", sheets.returned(material, texts), formats, texts, footer)
    book.close()
    return data.getvalue()


_MATRIX = (
    message("Overlaps that count: alarms, conflicts and checks. On the diagonal: within one operator."),
    message("Ground that three records share stands in three pairs here; hectares count it once."),
)
_TOLERANCE = (
    message("What a tolerance would accept. This table changes nothing."),
    message(
        "A tolerance never accepts an alarm, a find inside, an order in time that is not known, or a gap."
    ),
)


def _stack(
    book: Workbook, name: str, tables: list[Table], formats: Formats, texts: Texts, footer: str,
    notes: tuple[str, ...],
) -> None:  # fmt: skip
    """Add a sheet with several tables below each other."""
    page = Page(book.add_worksheet(name), formats, texts, footer)
    for note in notes:
        page.say(note)
    page.line += 1
    for table in tables:
        page.add(table)
    page.finish()


def _second(material: Material, others: list[Texts]) -> dict[str, str]:
    """Return the headings of the sheet of cases in the other languages."""
    titles = columns_of(material.edition.name).values()
    said = {title: "\n".join(one(title) for one in others) for title in titles}
    return {title: other for title, other in said.items() if other != title}


def _words(material: Material, texts: Texts, others: Sequence[Texts]) -> Table:
    """Return the words that stand on the sheet of cases, in English and in the other languages."""
    columns = [
        Column(message("Column"), width=24),
        Column("English", width=50),
        *(Column(other.name, width=60) for other in others),
    ]
    severity, kind, status = message("Severity"), message("Kind"), message("Status of a record")
    groups: dict[str, Mapping[str, str]] = {
        message("Status"): {str(code): word for code, word in STATUSES.items()},
        message("Decision"): {str(choice): word for choice, word in CHOICES.items()},
        message("Answer"): {str(answer): word for answer, word in ANSWERS.items()},
        severity: words.SEVERITIES,
        kind: words.KINDS,
        status: words.STATUSES,
        message("What it is about"): material.policy.sentences,
        message("Why it is proposed"): REASONS,
    }
    rows = [
        [texts(group), *(_PLACES.sub("…", said) for said in (
            code if group in (severity, kind, status) else english, *(other(english) for other in others)
        ))]
        for group, said in groups.items()
        for code, english in said.items()
    ]  # fmt: skip
    return Table(columns, list({tuple(row): row for row in rows}.values()))
