"""Print rows as a table that fits a screen: texts are cut, numbers never."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SCREEN_WIDTH = 100


@dataclass(frozen=True)
class Column:
    """A column of a table; `least` is how far it may be cut, None for not at all."""

    head: str
    least: int | None = None
    is_number: bool = False


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int = SCREEN_WIDTH
) -> Iterator[str]:
    """Yield the lines of a table, at most so many letters wide if that can be done by cutting texts."""
    lines = [[column.head for column in columns], *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    while sum(widths) + len(widths) - 1 > width:
        able = [at for at, column in enumerate(columns) if column.least and widths[at] > column.least]
        if not able:
            break
        widths[max(able, key=lambda at: widths[at])] -= 1
    for line in lines:
        cells = zip(columns, widths, line, strict=True)
        yield " ".join(_cell(column, room, text) for column, room, text in cells).rstrip()


def _cell(column: Column, room: int, text: str) -> str:
    if len(text) > room:
        text = f"{text[: room - 1]}~"
    return text.rjust(room) if column.is_number else text.ljust(room)
