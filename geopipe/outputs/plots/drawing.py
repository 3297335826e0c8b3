"""What a plot is made of: bars, lines and labels in millimetres, as plain values, and scales for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, Literal

Mark = dict[str, Any]
Align = Literal["left", "center", "right"]
Down = Literal["top", "middle", "bottom"]

WIDTH_MM = 174.0
"""Room for marks from left to right; the page is a margin wider."""
INK = "#202020"
GREY = "#555555"
PALE = "#D8D8D8"
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Key:
    """What a colour means; `hatched` is for grey print, in which colours are alike."""

    text: str
    fill: str
    stroke: str = INK
    hatched: bool = False


@dataclass(frozen=True)
class Drawing:
    """A plot: sentences above, marks on `height_mm`, notes below. Places are mm from the upper left corner.

    `name` is that of its files; `alt` says what is seen, for those who cannot see it. `foot` is what a page
    that shows several plots says once.
    """

    name: str
    title: str
    alt: str
    height_mm: float = 0.0
    sentences: tuple[str, ...] = ()
    key: tuple[Key, ...] = ()
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()


def bar(x: float, y: float, w: float, h: float, key: Key) -> Mark:
    """Return a filled bar (mm)."""
    return {"kind": "bar", "x": x, "y": y, "w": w, "h": h,
            "fill": key.fill, "stroke": key.stroke, "hatched": key.hatched}  # fmt: skip


def line(
    start: tuple[float, float], end: tuple[float, float], stroke: str = INK, thickness: float = 0.2,
    dashed: bool = False,
) -> Mark:  # fmt: skip
    """Return a line between two places (mm)."""
    (x, y), (x2, y2) = start, end
    return {"kind": "line", "x": x, "y": y, "x2": x2, "y2": y2, "stroke": stroke, "thickness": thickness,
            "dashed": dashed}  # fmt: skip


def label(
    text: str, x: float, y: float, w: float, h: float, *, size: float = 7.5, align: Align = "left",
    down: Down = "middle", bold: bool = False, colour: str = INK, wraps: bool = False,
) -> Mark:  # fmt: skip
    """Return a text that stays in its box (mm), `size` in points; `wraps` allows several lines."""
    return {"kind": "label", "text": text, "x": x, "y": y, "w": w, "h": h, "size": size, "align": align,
            "down": down, "weight": "bold" if bold else "regular", "colour": colour,
            "wraps": wraps}  # fmt: skip


def ticks(most: float, about: int = 4) -> list[float]:
    """Return round values from 0 to the first one that is not below `most`; whole numbers from 1 on."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / about
    power = 10.0 ** floor(log10(rough))
    step = next((n * power for n in (*_STEPS, 10) if n * power >= rough * (1 - 1e-9)), 10 * power)
    return [step * n for n in range(ceil(most / step - 1e-9) + 1)]


def one_two_five(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten, from the last not above `low` to the first not below `high`.

    Neighbours stand about as far apart on a logarithmic scale.
    """
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 1)
    every = [float(f"{step}e{power}") for power in powers for step in _STEPS]
    first = max(at for at, value in enumerate(every) if value <= low)
    last = min(at for at, value in enumerate(every) if value >= high)
    return every[first : last + 1]


def as_plain(drawing: Drawing) -> dict[str, Any]:
    """Return a drawing as its template reads it."""
    return {
        "title": drawing.title, "sentences": _said(drawing.sentences),
        "notes": _said((*drawing.notes, *drawing.foot)),
        "key": [vars(key) for key in drawing.key], "height": drawing.height_mm,
        "marks": [_rounded(mark) for mark in drawing.marks],
    }  # fmt: skip


def _said(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if text]


def _rounded(mark: Mark) -> Mark:
    """Leave out what no printer shows: sums of places differ in their last digit from machine to machine."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in mark.items()}


def stacked(
    x: float, bottom: float, w: float, heights: Iterable[tuple[float, Key]]
) -> tuple[list[Mark], float]:
    """Return bars on each other from `bottom` up (mm), and how high they are together."""
    marks, top = [], bottom
    for height, key in heights:
        if height > 0:
            top -= height
            marks.append(bar(x, top, w, height, key))
    return marks, bottom - top
