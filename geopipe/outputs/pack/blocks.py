"""The few kinds of blocks that pages other than case pages are made of, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Block = dict[str, Any]


def heading(text: str, level: int = 1) -> Block:
    """Return a heading; those of level 1 begin a page."""
    return {"kind": "heading", "text": text, "level": level}


def paragraph(text: str) -> Block:
    """Return a paragraph."""
    return {"kind": "paragraph", "text": text}


def warning(text: str) -> Block:
    """Return a sentence in a box that cannot be overlooked."""
    return {"kind": "warning", "text": text}


def plot(drawing: dict[str, Any]) -> Block:
    """Return a plot, drawn from its marks."""
    return {**drawing, "kind": "plot"}


def row(*cells: str, case: str = "") -> dict[str, Any]:
    """Return a row of a table; `case` is the case whose page its first cell leads to."""
    return {"cells": list(cells), "case": case}


def table(
    head: Sequence[str], rows: Iterable[dict[str, Any]], columns: str, with_pages: bool = False
) -> Block:
    """Return a table.

    Parameters
    ----------
    head : sequence of str
    rows : rows as `row` makes them
    columns : str
        One letter for each column: `n` a number, `s` a short text, `t` a text that takes the room that is
        left.
    with_pages : bool
        Add a column with the page of each row's case.
    """
    return {"kind": "table", "head": list(head), "rows": list(rows), "columns": columns, "pages": with_pages}
