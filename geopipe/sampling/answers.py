"""Read a filled sheet: each line is held against what was drawn, and taken only where nothing is doubtful."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.errors import SourceError
from geopipe.io.delivery import ReadLimits, RefusedError
from geopipe.io.tabular.sheetxml import check_container
from geopipe.reports.returned.styles import plain
from geopipe.sampling.texts import ANSWERS, FIXED, INSPECTION, Result

_HEADER_WITHIN = 10
_MOST_TEXT = 2_000
_NEAR = 1e-9


@dataclass(frozen=True)
class Problem:
    """A line of the sheet that was not taken, and why; `line` is its number in Excel, 0 for the sheet."""

    line: int
    id: str
    sentence: str


@dataclass(frozen=True)
class Answers:
    """What a sheet says: answers by id (plain values), and the lines that cannot be taken."""

    answers: dict[str, dict[str, Any]]
    problems: tuple[Problem, ...]


class _DoubtfulError(Exception):
    """A line that cannot be taken."""


def read_answers(path: Path, record: Mapping[str, Any], today: dt.date) -> Answers:
    """Read the answers of a filled sheet.

    Parameters
    ----------
    path : Path
        XLSX, as `geopipe sample draw` wrote it and people filled it in.
    record : mapping
        The sample, as `read_record` returns it.
    today : date
        No inspection is later.

    Raises
    ------
    SourceError
        When the file is not such a sheet, or is damaged.
    """
    rows = _cells(path)
    header, columns = _columns(path, rows)
    spots = {spot["fixed"]["id"]: spot["fixed"] for spot in record["spots"]}
    lines = [
        (number, {name: _tidy(row[at]) for name, at in columns.items() if at < len(row)})
        for number, row in enumerate(rows[header + 1 :], start=header + 2)
    ]
    lines = [(number, cells) for number, cells in lines if any(value is not None for value in cells.values())]
    times = Counter(str(cells.get("id")) for _, cells in lines)
    answers: dict[str, dict[str, Any]] = {}
    problems = []
    for number, cells in lines:
        name = str(cells.get("id") or "")
        try:
            answer = _answer(cells, spots.get(name), today)
            if answer and times[name] > 1:
                raise _DoubtfulError("The id stands in more than one line.")
        except _DoubtfulError as doubt:
            problems.append(Problem(number, name, str(doubt)))
            continue
        if answer:
            answers[name] = answer
    return Answers(answers, tuple(problems))


def _cells(path: Path) -> list[list[Any]]:
    """Return the cells of the inspection sheet from its first line on."""
    import python_calamine as calamine

    try:
        check_container(path, ReadLimits(), path.name)
        with path.open("rb") as file:
            book = calamine.CalamineWorkbook.from_filelike(file)
            if INSPECTION not in book.sheet_names:
                raise SourceError(f"the workbook has no sheet {INSPECTION!r}", str(path), _REMEDY)
            return book.get_sheet_by_name(INSPECTION).to_python(skip_empty_area=False)
    except RefusedError as refusal:
        raise SourceError(refusal.problem.sentence.removesuffix("."), "") from refusal
    except OSError as error:
        raise SourceError(f"the sheet cannot be read ({error.strerror})", str(path)) from error
    except calamine.CalamineError as error:
        raise SourceError("the workbook is damaged", str(path), "Ask for a new copy.") from error


_REMEDY = "Use the sheet.xlsx of the sample."


def _columns(path: Path, rows: Sequence[Sequence[Any]]) -> tuple[int, dict[str, int]]:
    """Return the row of the headings, and where each column is; people may move columns and add others."""
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        titles = [str(cell).strip().casefold() for cell in row]
        if FIXED["id"].casefold() not in titles:
            continue
        wanted = {name: title.casefold() for name, title in (FIXED | ANSWERS).items()}
        missing = [(FIXED | ANSWERS)[name] for name, title in wanted.items() if title not in titles]
        twice = [(FIXED | ANSWERS)[name] for name, title in wanted.items() if titles.count(title) > 1]
        if missing or twice:
            what = "has no column" if missing else "has more than one column"
            raise SourceError(f"the sheet {what} {', '.join(missing or twice)}", str(path), _REMEDY)
        return at, {name: titles.index(title) for name, title in wanted.items()}
    raise SourceError(f"the sheet {INSPECTION!r} has no line of headings", str(path), _REMEDY)


def _tidy(cell: Any) -> Any:
    """Return a cell without the blanks around a text; None for an empty one."""
    if isinstance(cell, str):
        cell = cell.strip()
    return None if cell == "" else cell


def _answer(
    cells: Mapping[str, Any], drawn: Mapping[str, Any] | None, today: dt.date
) -> dict[str, Any] | None:
    """Return the answer of one line as plain values, None where nobody has written anything."""
    if drawn is None:
        raise _DoubtfulError("This id is not in the sample.")
    given = {name: cells.get(name) for name in ANSWERS}
    if all(value is None for value in given.values()):
        return None
    changed = [FIXED[name] for name in FIXED if not _same(cells.get(name), drawn[name])]
    if changed:
        raise _DoubtfulError(f"Changed since the draw: {', '.join(changed)}. Perhaps the sheet was sorted.")
    missing = [ANSWERS[name] for name in ("result", "inspected_on", "inspector") if given[name] is None]
    if missing:
        raise _DoubtfulError(f"Not filled in: {', '.join(missing)}.")
    return _consistent(
        {
            "inspected_on": _day(given["inspected_on"], drawn["completed_on"], today),
            "inspector": _text(given["inspector"], "inspector"),
            "result": _result(given["result"]),
            "devices_found": _number(given["devices_found"], "devices_found", whole=True),
            "device_depth_cm": _number(given["device_depth_cm"], "device_depth_cm", whole=False),
            "comment": _text(given["comment"], "comment"),
        }
    )


def _consistent(answer: dict[str, Any]) -> dict[str, Any]:
    """Refuse a pass where a device was found, and a depth of nothing."""
    if answer["devices_found"] and answer["result"] != Result.NON_CONFORMITY:
        raise _DoubtfulError(
            f"{answer['devices_found']} devices were found, but the result is {answer['result']}."
        )
    if answer["device_depth_cm"] is not None and not answer["devices_found"]:
        raise _DoubtfulError("A depth of devices is given, but no device was found.")
    return answer


def _same(cell: Any, drawn: Any) -> bool:
    """Tell whether a cell still holds what was drawn."""
    if drawn is None or cell is None:
        return cell is None and drawn is None
    if isinstance(cell, dt.date):
        return bool(_iso(cell) == drawn)
    if isinstance(drawn, int | float):
        is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
        return is_number and math.isclose(cell, drawn, rel_tol=_NEAR, abs_tol=_NEAR)
    same: bool = str(cell) == plain(drawn).strip()
    return same


def _iso(day: dt.date) -> str:
    return (day.date() if isinstance(day, dt.datetime) else day).isoformat()


def _day(value: Any, completed_on: str | None, today: dt.date) -> str:
    """Return the day of an inspection in ISO form."""
    text = _iso(value) if isinstance(value, dt.date) else str(value)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise _DoubtfulError(f"{text!r} is not a date. Write it like 2026-03-31.") from None
    if day > today:
        raise _DoubtfulError(f"The inspection of {day} is in the future.")
    if completed_on is not None and day < dt.date.fromisoformat(completed_on):
        raise _DoubtfulError(f"The inspection of {day} is before the completion of {completed_on}.")
    return day.isoformat()


def _result(value: Any) -> str:
    """Return the word for a result."""
    word = " ".join(str(value).casefold().split())
    if word not in set(Result):
        words = ", ".join(Result)
        raise _DoubtfulError(f"{str(value)[:40]!r} is not a result. Choose one of: {words}.")
    return word


def _number(value: Any, name: str, whole: bool) -> float | int | None:
    """Return a number of 0 or more."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise _DoubtfulError(f"{ANSWERS[name]}: {str(value)[:40]!r} is not {kind} of 0 or more.")
    return int(value) if whole else float(value)


def _text(value: Any, name: str) -> str | None:
    if value is not None and len(str(value)) > _MOST_TEXT:
        raise _DoubtfulError(f"{ANSWERS[name]}: the text is longer than {_MOST_TEXT:,} letters.")
    return None if value is None else str(value)
