"""The plot of overlaps by area and by width, with the tolerance that is in force or proposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.wording import shown
from geopipe.outputs.plots.drawing import (
    GREY,
    INK,
    PALE,
    WIDTH_MM,
    Drawing,
    Key,
    Mark,
    label,
    line,
    one_two_five,
    stacked,
    ticks,
)
from geopipe.outputs.plots.material import WIDEST_M, Material, Overlaps, Tolerated
from geopipe.outputs.plots.wording import SEVERITY_FILLS, among, plain, severity_key
from geopipe.schema import Mask
from geopipe.terms import Severity

TITLE = message("Overlaps by area and width")
_SHOWN = (Severity.ALARM, Severity.CONFLICT, Severity.CHECK)
_SIGNS = {"<": "<", "<=": "≤"}
_SMALLEST_M2, _LARGEST_M2 = 0.1, 1_000_000.0
_NARROWEST_M = 0.01
_LEFT, _PANEL, _LINE, _FOOT = 12.0, 36.0, 4.2, 12.0
_LEAST = {Severity.ALARM: 0.6, Severity.CONFLICT: 0.25, Severity.CHECK: 0.25}
"""Where there is something, it is at least so high (mm); an alarm is never overlooked."""
_CROWDED = 10_000
"""From here on only powers of ten are written at the axis."""


@dataclass(frozen=True)
class Bin:
    """How many overlaps of each severity are at least `low` and below `high`."""

    low: float
    high: float
    counts: dict[Severity, int]

    @property
    def total(self) -> int:
        """How many overlaps of all severities."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Limit:
    """A line in a panel: where, what it says, and whether it is only proposed."""

    value: float
    text: str
    dashed: bool
    colour: str = INK


def bins(
    values: NDArray[np.float64], severities: Sequence[Severity], edges: Sequence[float]
) -> tuple[Bin, ...]:
    """Count overlaps between edges; the first bin begins at 0 and the last one has no end.

    Every overlap is in exactly one bin.
    """
    at = np.searchsorted(np.asarray(edges), values, side="right")
    kinds = np.asarray([str(item) for item in severities], dtype=object)
    bounds = (0.0, *edges, inf)
    return tuple(
        Bin(bounds[n], bounds[n + 1],
            {item: int(((at == n) & (kinds == str(item))).sum()) for item in Severity if item in _SHOWN})
        for n in range(len(edges) + 1)
    )  # fmt: skip


def area_bins(overlaps: Overlaps) -> tuple[Bin, ...]:
    """Count overlaps by area (m2)."""
    return bins(overlaps.area_m2, overlaps.severity, _edges(overlaps.area_m2, 1.0, _SMALLEST_M2, _LARGEST_M2))


def width_bins(overlaps: Overlaps) -> tuple[Bin, ...]:
    """Count overlaps by the largest circle that fits in (m); the last bin begins at `WIDEST_M`."""
    return bins(overlaps.width_m, overlaps.severity, one_two_five(_NARROWEST_M, WIDEST_M))


def draw(material: Material, texts: Texts) -> Drawing:
    """Draw the overlaps of a run by area and by width."""
    overlaps, said = material.overlaps, among(material, texts)
    title, number = texts(TITLE), len(overlaps.area_m2)
    if not number:
        nothing = texts("No overlaps that count among {kept} of {all} records", **said)
        return Drawing("overlaps", title, f"{title}. {nothing}.", sentences=(f"{nothing}.",),
                       notes=tuple(_listed(overlaps, texts)))  # fmt: skip
    counted = texts("{number} overlaps, {between} of them between operators, among {kept} of {all} records",
                    number=texts.number(number), between=texts.number(overlaps.between), **said)  # fmt: skip
    alarms = texts("{number} of them are safety alarms: no tolerance accepts an alarm.",
                   number=texts.number(overlaps.severity.count(Severity.ALARM)))  # fmt: skip
    sentences = (f"{counted}. {alarms}", *_tolerance_words(overlaps, texts))
    areas, widths = area_bins(overlaps), width_bins(overlaps)
    areas_mm = _height_mm(len(above := _area_limits(overlaps, texts)))
    widths_mm = _height_mm(len(beside := _width_limits(overlaps, texts)))
    marks = [
        *_panel(areas, above, texts("Area of the overlap (m², logarithmic)"), 0.0, texts),
        *_panel(widths, beside,
                texts("Largest width of the overlap (m, logarithmic): the largest circle that fits in"),
                areas_mm, texts),
    ]  # fmt: skip
    return Drawing(
        "overlaps", title, f"{title}: {counted}. {alarms}", areas_mm + widths_mm - 4, sentences,
        _key(overlaps, texts), tuple(marks), tuple(_listed(overlaps, texts)),
    )  # fmt: skip


def _edges(values: NDArray[np.float64], must: float, least: float, most: float) -> list[float]:
    """Return round edges around all values and one that must be there."""
    low, high = min(float(values.min()), must), max(float(values.max()), 10 * must)
    return one_two_five(max(low, least), min(high, most))


def _key(overlaps: Overlaps, texts: Texts) -> tuple[Key, ...]:
    keys = []
    for item in _SHOWN:
        key, count = severity_key(item, texts), overlaps.severity.count(item)
        keys.append(Key(f"{key.text}: {texts.number(count)}", key.fill, key.stroke))
    return tuple(keys)


def _listed(overlaps: Overlaps, texts: Texts) -> Iterator[str]:
    yield texts("Area and width are of all that two records share, and the width is that of its widest part.")
    yield texts("Above each bar stands how many overlaps it has, and above that how many of them are alarms.")
    yield texts("{number} more overlaps are only listed and change no hectares (expected releases, "
                "survey boxes, tasks).", number=texts.number(overlaps.only_listed))  # fmt: skip


def _tolerance_words(overlaps: Overlaps, texts: Texts) -> Iterator[str]:
    """Yield what is in force, and what lies under each line."""
    if all(item.is_draft for item in overlaps.tolerated):
        yield texts("No tolerance is in force: nothing is left out.")
    for item in overlaps.tolerated:
        name = shown(item.policy.name, 40)
        if not item.is_draft:
            yield texts("In force: {name}, {reference}.", name=name,
                        reference=shown(item.policy.reference, 80))  # fmt: skip
        for area_m2, width_m, compare in _figures(item):
            small = _under(overlaps.area_m2, area_m2, compare)
            narrow = _under(overlaps.width_m, width_m, compare)
            sign = _SIGNS[compare]
            said = {"name": name, "area": f"{sign} {plain(area_m2, texts)}", "small": _count(small, texts),
                    "width": f"{sign} {plain(width_m, texts)}", "narrow": _count(narrow, texts)}  # fmt: skip
            yield _under_words(overlaps, small, said, texts)
    yield texts("{number} overlaps are on average no wider than the survey accuracy of {width} m.",
                number=_count(overlaps.below_accuracy, texts),
                width=plain(overlaps.accuracy_m, texts))  # fmt: skip


def _under_words(overlaps: Overlaps, small: Mask, said: dict[str, str], texts: Texts) -> str:
    """Return what lies under the figures of a tolerance, and what it would not accept all the same."""
    if overlaps.never is None:
        alarms = np.array([item == Severity.ALARM for item in overlaps.severity], dtype=bool)
        return texts("{name}: area {area} m²: {small} overlaps, {alarms} of these are alarms; "
                     "width {width} m: {narrow} overlaps.",
                     alarms=_count(small & alarms, texts), **said)  # fmt: skip
    return texts("{name}: area {area} m²: {small} overlaps, {never} of these may never be accepted; "
                 "width {width} m: {narrow} overlaps.",
                 never=_count(small & overlaps.never, texts), **said)  # fmt: skip


def _count(marked: Mask, texts: Texts) -> str:
    return texts.number(int(marked.sum()))


def _figures(item: Tolerated) -> list[tuple[float, float, str]]:
    """Return area (m2), width (m) and comparison of the rules of a policy, each once."""
    rules = ((rule.area_m2, rule.width_m, rule.compare) for rule in item.policy.tolerances)
    return list(dict.fromkeys(rules))


def _under(values: NDArray[np.float64], limit: float, compare: str) -> Mask:
    return values < limit if compare == "<" else values <= limit


def _area_limits(overlaps: Overlaps, texts: Texts) -> list[Limit]:
    return _limits(overlaps, 0, "m²", texts)


def _width_limits(overlaps: Overlaps, texts: Texts) -> list[Limit]:
    accuracy = texts("survey accuracy {width} m", width=plain(overlaps.accuracy_m, texts))
    return [*_limits(overlaps, 1, "m", texts), Limit(overlaps.accuracy_m, accuracy, False, GREY)]


def _limits(overlaps: Overlaps, at: int, unit: str, texts: Texts) -> list[Limit]:
    """Return the lines of all tolerances: by the area (at 0) or the width (at 1) of their rules."""
    found: dict[tuple[float, str, bool], None] = {}
    for item in overlaps.tolerated:
        found.update(((float(rule[at]), rule[2], item.is_draft), None) for rule in _figures(item))
    lines = []
    for value, compare, is_draft in found:
        what = texts("draft, not in force") if is_draft else texts("tolerance in force")
        lines.append(Limit(value, f"{_SIGNS[compare]} {plain(value, texts)} {unit}: {what}", is_draft))
    return lines


def _height_mm(limits: int) -> float:
    """Return the height of a panel with its lines of limits, and a gap below."""
    return _LINE * limits + _PANEL + _FOOT + 4


def _panel(
    every: Sequence[Bin], limits: Sequence[Limit], name: str, top: float, texts: Texts
) -> Iterator[Mark]:
    """Yield one histogram; bars, the axis, and the lines of limits with their words above."""
    slot = (WIDTH_MM - _LEFT) / len(every)
    base = top + _LINE * len(limits) + _PANEL
    scale = ticks(max(item.total for item in every))
    per_mm = (_PANEL - 7) / scale[-1]
    for value in scale:
        y = base - value * per_mm
        yield line((_LEFT, y), (WIDTH_MM, y), PALE)
        yield label(texts.number(value), 0, y - 2, _LEFT - 1.5, 4, size=7, align="right")
    yield label(texts("overlaps"), 0, top, 30, 4, size=7, colour=GREY)
    for at, item in enumerate(every):
        yield from _bar(item, _LEFT + at * slot, slot, base, per_mm, texts)
        if at:
            x = _LEFT + at * slot
            yield line((x, base), (x, base + 1))
            room = 3 * slot if _is_power_of_ten(item.low) else slot
            if item.low < _CROWDED or room > slot:
                yield label(
                    plain(item.low, texts), x - room / 2, base + 1.2, room, 3.4, size=6.5, align="center"
                )
    yield line((_LEFT, base), (WIDTH_MM, base), INK, 0.3)
    yield label(name, _LEFT, base + 5.5, WIDTH_MM - _LEFT, 5, size=8, align="center", bold=True)
    # The words of a line stand to its right, so the next line begins below them.
    for at, limit in enumerate(sorted(limits, key=lambda limit: limit.value)):
        x = _LEFT + _place(limit.value, every) * slot
        y = top + _LINE * at
        yield line((x, y + 0.5), (x, base), limit.colour, 0.5, limit.dashed)
        is_left = x > WIDTH_MM - 60
        yield label(limit.text, x - 61 if is_left else x + 1, y, 60, 4, size=7.5, bold=True,
                    align="right" if is_left else "left", colour=limit.colour)  # fmt: skip


def _is_power_of_ten(value: float) -> bool:
    return f"{value:e}".startswith("1.000000e")


def _bar(item: Bin, x: float, slot: float, base: float, per_mm: float, texts: Texts) -> Iterator[Mark]:
    if not item.total:
        return
    heights = [
        (max(item.counts[name] * per_mm, _LEAST[name]) if item.counts[name] else 0.0,
         Key("", SEVERITY_FILLS[name])) for name in _SHOWN
    ]  # fmt: skip
    marks, height = stacked(x + 0.4, base, slot - 0.8, heights)
    yield from marks
    y = base - height - 3.2
    yield label(texts.number(item.total), x, y, slot, 3.2, size=7, align="center")
    if item.counts[Severity.ALARM]:
        yield label(texts.number(item.counts[Severity.ALARM]), x, y - 2.8, slot, 3.2, size=7, bold=True,
                    align="center", colour=SEVERITY_FILLS[Severity.ALARM])  # fmt: skip


def _place(value: float, every: Sequence[Bin]) -> float:
    """Return where a value stands, in slots from the left; within a slot on a logarithmic scale."""
    at = next(n for n, item in enumerate(every) if value < item.high)
    low, high = every[at].low, every[at].high
    if low == 0 or high == inf:
        return at + 0.5
    return at + log(value / low) / log(high / low)
