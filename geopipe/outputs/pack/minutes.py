"""Workbooks for after a meeting: decisions and actions for the minutes, and a letter for each operator."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from typing import Any

from xlsxwriter import Workbook

from geopipe.casework.words import tidy
from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.decided import NOTHING, Decided
from geopipe.outputs.pack.overview import NOT_THEREBY_SAFE
from geopipe.outputs.pack.wording import COMMENT, reference
from geopipe.register.case import Side
from geopipe.register.table import place_of
from geopipe.reports.returned.styles import Styles, height_of, plain, print_setup

# Fixed, so that the same register gives the same bytes.
_CREATED = dt.datetime(2000, 1, 1)
_LETTER = (
    message("These decisions are about your records. The reference of each stands beside it."),
    message("A provisional decision waits for the signed minutes: do not correct anything before."),
    message("You correct your records in IMSMA, by hand: use Replace, not Combine. Then deliver them again."),
    message("This letter is confidential between the authority and you."),
    NOT_THEREBY_SAFE,
)
_Row = list[Any]


def minutes_workbook(decided: Sequence[Decided], texts: Texts) -> bytes:
    """Return the workbook for the minutes: the decisions, and who does what by when."""
    heads = (
        [texts("Case"), texts("Record A"), texts("Record B"), texts("Province"), texts("Overlap (m²)"),
         texts("Decision"), texts("State"), texts("Reference"), texts("Who corrects"), texts("By (date)"),
         texts("Note")],
        [texts("Who"), texts("What"), texts("Case"), texts("By (date)"), texts("State")],
    )  # fmt: skip
    sheets = (
        (texts("Decisions"), heads[0], [_decision(item, texts) for item in decided]),
        (texts("Actions"), heads[1], list(_actions(decided, texts))),
    )
    return _book(f"{texts('Decisions')}: {_meeting(decided)}", sheets, (), texts)


def letters(decided: Sequence[Decided], texts: Texts) -> dict[str, bytes]:
    """Return a letter for each operator of which a record was decided about: from an allow-list."""
    names = sorted({name for item in decided for name in item.case.operators})
    return {name: _letter([i for i in decided if name in i.case.operators], name, texts) for name in names}


def _letter(decided: Sequence[Decided], operator: str, texts: Texts) -> bytes:
    head = [texts("Case"), texts("Your record"), texts("Other record"), texts("Decision"),
            texts("What you do"), texts("By (date)"), texts("State"), texts("Reference")]  # fmt: skip
    rows = [_told(item, operator, texts) for item in decided if item.is_in_force]
    title = f"{texts('Decisions')}: {_meeting(decided)} – {operator}"
    return _book(title, [(texts("Decisions"), head, rows)], [texts(line) for line in _LETTER], texts)


def _decision(item: Decided, texts: Texts) -> _Row:
    seen, decision = item.case.sighting, item.decision
    return [
        item.case.name, seen.a.name, seen.b.name, place_of(item.case, "province") or "",
        round(seen.columns["area_m2"], 1), texts(item.choice), _state(item, texts), _reference(item, texts),
        decision.responsible, decision.due, _short(decision.note, texts),
    ]  # fmt: skip


def _actions(decided: Sequence[Decided], texts: Texts) -> Iterator[_Row]:
    for item in decided:
        if not item.is_in_force:
            continue
        name, due, state = item.case.name, item.decision.due, _state(item, texts)
        for operator, task, record in item.tasks():
            yield [operator, texts(task, record=tidy(record)), name, due, state]
        if item.lacks_minutes:
            yield [
                texts("Secretary"),
                texts("have the minutes signed and confirm the decision"),
                name,
                None,
                state,
            ]
        for operator in item.not_acknowledged:
            yield [operator, texts("acknowledge the decision"), name, None, state]


def _told(item: Decided, operator: str, texts: Texts) -> _Row:
    """Return what an operator is told: of the other record only whose it is and its id."""
    seen = item.case.sighting
    sides = [("A", seen.a), ("B", seen.b)]
    (own_name, own), (name, other) = sides if seen.a.operator == operator else reversed(sides)
    tasks = [texts(task, record=tidy(record)) for who, task, record in item.tasks() if who == operator]
    return [
        item.case.name, f"{own_name}: {_id(own)}", f"{name}: {other.operator} {_id(other)}",
        texts(item.choice), "; ".join(tasks) or texts(NOTHING), item.decision.due if tasks else None,
        _state(item, texts), _reference(item, texts),
    ]  # fmt: skip


def _meeting(decided: Sequence[Decided]) -> str:
    reference = decided[0].decision.reference
    return tidy(reference.meeting) if reference else ""


def _id(side: Side) -> str:
    return str(side.source_id or side.record_id)


def _short(note: str, texts: Texts) -> str:
    """Return the beginning of a note: the whole of it stands in the register."""
    return note if len(note) <= COMMENT else f"{note[:COMMENT].rstrip()}… ({texts('see register')})"


def _state(item: Decided, texts: Texts) -> str:
    if not item.is_in_force:
        return texts("history")
    return texts("confirmed") if item.decision.confirmed else texts("provisional (minutes pending)")


def _reference(item: Decided, texts: Texts) -> str:
    return reference(texts, item.decision.reference) if item.decision.reference else ""


def _book(
    title: str,
    sheets: Sequence[tuple[str, Sequence[str], Sequence[_Row]]],
    lines: Sequence[str],
    texts: Texts,
) -> bytes:
    """Return a workbook: a title, some lines, and a table on each sheet."""
    data, title = io.BytesIO(), tidy(title)
    book = Workbook(data, {"in_memory": True})
    book.set_properties({"title": plain(title), "created": _CREATED})
    styles = Styles.of(book)
    for name, head, rows in sheets:
        sheet = book.add_worksheet(name[:31].replace("/", "-"))
        print_setup(sheet, title)
        notes = [*lines, *([texts.draft_note] if texts.is_draft else [])]
        sheet.write_string(0, 0, plain(title), styles.title)
        for at, line in enumerate(notes, 1):
            sheet.write_string(at, 0, line, styles.heading)
        top = len(notes) + 2
        widths = _widths(head, rows)
        for column, (text, width) in enumerate(zip(head, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(top, column, text, styles.header)
        sheet.set_row(top, height_of(zip(head, widths, strict=True)))
        for at, row in enumerate(rows, top + 1):
            _write(sheet, at, row, widths, styles)
        sheet.freeze_panes(top + 1, 1)
        sheet.repeat_rows(top)
    book.close()
    return data.getvalue()


def _widths(head: Sequence[str], rows: Sequence[_Row]) -> list[float]:
    """Return how wide columns are (digits): as their texts want, at most 34."""
    longest = [max([len(str(row[at] or "")) for row in rows], default=0) for at in range(len(head))]
    return [
        float(min(34, max(11, len(text) // 2, size + 2))) for text, size in zip(head, longest, strict=True)
    ]


def _write(sheet: Any, at: int, row: _Row, widths: Sequence[float], styles: Styles) -> None:
    """Write a row; texts as texts, whatever they begin with."""
    for column, value in enumerate(row):
        if isinstance(value, dt.date):
            sheet.write_datetime(at, column, dt.datetime.combine(value, dt.time()), styles.date)
        elif isinstance(value, float):
            sheet.write_number(at, column, value, styles.figure)
        else:
            sheet.write_string(at, column, plain(tidy(value or "")), styles.lao)
    shown = [(plain(tidy(value or "")), width) for value, width in zip(row, widths, strict=True)]
    sheet.set_row(at, min(height_of(shown), 400))
