"""Texts of others on pages of fixed size: cut where too long, breakable where without spaces."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from geopipe.casework.words import tidy
from geopipe.catalogue import load_catalogue
from geopipe.languages.texts import Texts, message
from geopipe.languages.words import ALARMS
from geopipe.outputs.meanings import Meanings
from geopipe.register.case import Reference

CELL, LINE, COMMENT = 60, 160, 240
OF_DAY_AND_ITEM = message("{meeting} of {day}, item {item}")
OF_DAY, WITH_ITEM = message("{meeting} of {day}"), message("{meeting}, item {item}")
# Names of files and records stay whole, so that people can look for them in the PDF.
_LONGEST_WORD, _PIECE = 31, 15
# Lao is written without spaces; the typesetter knows where its words end, unless somebody has leant on a key.
_UNBROKEN = re.compile(rf"[^\s\u0e80-\u0eff\u200b]{{{_LONGEST_WORD},}}|[\u0e80-\u0eff]{{120,}}")


def shown(value: object, most: int = CELL) -> str:
    """Return what somebody wrote as one line of a page, at most so many letters."""
    text = re.sub(r"\s+", " ", tidy(value))
    return breakable(text if len(text) <= most else f"{text[: most - 1].rstrip()}…")


def note(texts: Texts, value: object, most: int = COMMENT) -> str:
    """Return a remark; where it is too long, its beginning and where the rest is."""
    text = re.sub(r"\s+", " ", tidy(value))
    if len(text) <= most:
        return breakable(text)
    return f"{breakable(text[:most].rstrip())}… ({texts('see register')})"


def alarm(item: Mapping[str, Any], texts: Texts) -> str:
    """Return what an alarm of a summary says."""
    code = item["code"]
    if code in load_catalogue().codes and code not in ALARMS:
        return Meanings(texts).meaning(code).rstrip(".")
    return texts(item["sentence"])


def reference(texts: Texts, said: Reference | None) -> str:
    """Return the reference of a decision; it is a name, so it stands there in one language only."""
    if said is None:
        return texts("no reference")
    one = texts.each[0]
    values = {"meeting": tidy(said.meeting), "item": tidy(said.item), "day": day(one, said.held_on)}
    if said.held_on and said.item:
        return one(OF_DAY_AND_ITEM, **values)
    if said.held_on:
        return one(OF_DAY, **values)
    return one(WITH_ITEM, **values) if said.item else values["meeting"]


def some(texts: Texts, lines: Iterable[str], most: int) -> list[str]:
    """Return the first lines, and how many more there are."""
    every = list(lines)
    if len(every) <= most:
        return every
    rest = texts("and {number} more (see register)", number=texts.number(len(every) - most + 1))
    return [*every[: most - 1], rest]


def day(texts: Texts, value: dt.date | str | None) -> str:
    """Return a day, or a dash."""
    if not value:
        return "–"
    return texts.date(dt.date.fromisoformat(value) if isinstance(value, str) else value)


def breakable(text: str) -> str:
    """Return a text in which long words without spaces may go on in the next line."""
    return _UNBROKEN.sub(
        lambda found: "\u200b".join(
            found[0][start : start + _PIECE] for start in range(0, len(found[0]), _PIECE)
        ),
        text,
    )
