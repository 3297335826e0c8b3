"""What people have written into a row, as a decision or as an operator's position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geopipe.casework.reading import Line
from geopipe.casework.sheetcolumns import ALL_WORDS_FOR_NO, ANSWER, DECISION, FIXED, YES
from geopipe.casework.words import ANSWERS, CHOICES, tidy, understand
from geopipe.errors import ConfigError
from geopipe.register.case import Decision, Position
from geopipe.terms import Answer, Choice

_HEADINGS: Mapping[str, str] = {**FIXED, **DECISION, **ANSWER}
# What is kept must fit into the cell of a sheet that is made of it.
_MOST_LETTERS = 32_000


@dataclass(frozen=True)
class WrittenDecision:
    """A decision as a row says it."""

    choice: Choice
    level: str
    meeting: str
    held_on: dt.date | None
    item: str
    shrinks_hazard: bool
    grows_released: bool
    responsible: str
    due: dt.date | None
    note: str

    @classmethod
    def of(cls, line: Line) -> WrittenDecision | None:
        """Return the decision of a row; None where nobody has written anything.

        Raises
        ------
        ConfigError
            When a word or a day is not understood, or something is missing.
        """
        texts = _texts(line, DECISION)
        if not any(texts.values()):
            return None
        _require(texts, ("decision", "level"))
        return cls(
            choice=understand(texts["decision"], CHOICES, "decision"),
            level=texts["level"],
            meeting=texts["meeting"],
            held_on=_day("held_on", line.cells.get("held_on")),
            item=texts["item"],
            shrinks_hazard=_is_yes("shrinks_hazard", texts),
            grows_released=_is_yes("grows_released", texts),
            responsible=texts["responsible"],
            due=_day("due", line.cells.get("due")),
            note=texts["note"],
        )

    def is_said_by(self, decision: Decision | None) -> bool:
        """Say whether a decision of the register says the same."""
        if decision is None:
            return False
        paper = decision.reference
        there = (
            decision.choice, decision.level, paper.meeting if paper else "", paper.held_on if paper else None,
            paper.item if paper else "", decision.shrinks_hazard, decision.grows_released,
            decision.responsible, decision.due, decision.note,
        )  # fmt: skip
        return there == (
            self.choice, self.level, self.meeting, self.held_on, self.item, self.shrinks_hazard,
            self.grows_released, self.responsible, self.due, self.note,
        )  # fmt: skip


@dataclass(frozen=True)
class WrittenAnswer:
    """An operator's position as a row says it."""

    answer: Answer
    comment: str
    evidence: str
    name: str
    said_on: dt.date | None

    @classmethod
    def of(cls, line: Line) -> WrittenAnswer | None:
        """Return the answer of a row; None where nobody has written anything.

        Raises
        ------
        ConfigError
            When a word or a day is not understood, or something is missing.
        """
        texts = _texts(line, ANSWER)
        if not any(texts.values()):
            return None
        _require(texts, ("answer", "name"))
        return cls(
            answer=understand(texts["answer"], ANSWERS, "answer"),
            comment=texts["comment"],
            evidence=texts["evidence"],
            name=texts["name"],
            said_on=_day("said_on", line.cells.get("said_on")),
        )

    def is_said_by(self, position: Position | None) -> bool:
        """Say whether a position of the register says the same."""
        return position is not None and self == WrittenAnswer(
            position.answer, position.comment, position.evidence, position.name, position.said_on
        )


def text_of(value: Any) -> str:
    """Return what somebody wrote into a cell as text, a whole number without its point."""
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return tidy(value)


def _texts(line: Line, names: Iterable[str]) -> dict[str, str]:
    """Return what stands in some columns of a row.

    Raises
    ------
    ConfigError
        When a text is longer than a cell of a sheet can hold.
    """
    texts = {name: text_of(line.cells.get(name)) for name in names}
    for name, text in texts.items():
        if len(text) > _MOST_LETTERS:
            raise ConfigError(
                f"{_HEADINGS[name]}: the text has {len(text):,} letters; a cell can hold {_MOST_LETTERS:,}"
            )
    return texts


def _require(texts: Mapping[str, str], names: tuple[str, ...]) -> None:
    missing = [_HEADINGS[name] for name in names if not texts[name]]
    if missing:
        raise ConfigError(f"not filled in: {', '.join(missing)}")


def _day(name: str, value: Any) -> dt.date | None:
    """Return a day; a text must be in ISO form, because 03/04 means two different days."""
    if value is None or isinstance(value, dt.date):
        return value
    text = text_of(value)
    try:
        return dt.date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise ConfigError(f"{_HEADINGS[name]}: {text[:40]!r} is no day; write it like 2026-03-31") from None


def _is_yes(name: str, texts: Mapping[str, str]) -> bool:
    word = texts[name].casefold()
    if word in (YES, "true", "1"):
        return True
    if word in ALL_WORDS_FOR_NO:
        return False
    raise ConfigError(f"{_HEADINGS[name]}: write {YES!r} or nothing, not {texts[name][:40]!r}")
