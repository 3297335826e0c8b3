"""The plot of cases over time: without decision, decided, finished after each run."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geopipe.casework.facts import is_open
from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.wording import day, shown
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
    stacked,
    ticks,
)
from geopipe.outputs.plots.material import Material
from geopipe.outputs.plots.wording import among
from geopipe.register.case import Case
from geopipe.terms import CaseStatus, Severity

TITLE = message("Cases over time")
OPEN, DECIDED, FINISHED, NOT_READ = "open", "decided", "finished", "not_read"
_GROUPS = {
    CaseStatus.DECIDED: DECIDED,
    CaseStatus.CORRECTED: DECIDED,
    CaseStatus.FINISHED: FINISHED,
    CaseStatus.EXCEPTION: FINISHED,
    CaseStatus.NOT_OBSERVED: NOT_READ,
}
# They go on under other numbers.
_GONE = frozenset({CaseStatus.SPLIT, CaseStatus.MERGED})
_WORDS = {
    OPEN: message("open, no decision"),
    NOT_READ: message("open, a record was not read"),
    DECIDED: message("decided, not yet finished"),
    FINISHED: message("finished"),
}
_FILLS = {OPEN: "#0B3C8C", NOT_READ: "#0B3C8C", DECIDED: "#7FB3B8", FINISHED: "#E4E4E4"}
_MOST_DAYS, _MOST_COLUMNS = 16, 24
_LEFT, _PANEL, _HEAD, _FOOT, _WIDEST = 14.0, 52.0, 6.0, 9.0, 24.0


@dataclass(frozen=True)
class Moment:
    """How many cases stood where at the end of a day on which something was run or done."""

    day: dt.date
    counts: dict[str, int]


def moments(cases: Sequence[Case], runs: Sequence[tuple[int, dt.date]]) -> tuple[Moment, ...]:
    """Count cases after the last run of each day, or month where there are many days, and as they are now.

    Parameters
    ----------
    cases : sequence of Case
        With all that happened to them.
    runs : sequence of (int, date)
        Number and day of each run, the first one first.
    """
    ends = _ends(cases, runs)
    by_day = dict(ends)
    if len(by_day) > _MOST_DAYS:
        months = {(each.year, each.month): each for each in by_day}
        by_day = {each: by_day[each] for each in months.values()}
    return tuple(Moment(each, _counts(cases, end)) for each, end in by_day.items())


def _ends(cases: Sequence[Case], runs: Sequence[tuple[int, dt.date]]) -> list[tuple[dt.date, int]]:
    """Return for each run its day and the last event until then; what people did since comes last."""
    last = {number: 0 for number, _ in runs}
    newest, newest_day = 0, dt.date.min
    for case in cases:
        for event in case.events:
            if event.run in last:
                last[event.run] = max(last[event.run], event.number)
            if event.number > newest:
                newest, newest_day = event.number, event.at.date()
    ends, until = [], 0
    for number, run_day in runs:
        until = max(until, last[number])
        ends.append((run_day, until))
    if newest > until:
        ends.append((max(newest_day, runs[-1][1]), newest))
    return ends


def _counts(cases: Sequence[Case], end: int) -> dict[str, int]:
    counts = dict.fromkeys((OPEN, NOT_READ, DECIDED, FINISHED), 0)
    for case in cases:
        happened = bisect_right(case.events, end, key=lambda event: event.number)
        if happened and (status := case.events[happened - 1].status) not in _GONE:
            counts[_GROUPS.get(status, OPEN)] += 1
    return counts


def draw(material: Material, texts: Texts) -> Drawing:
    """Draw where the cases stood at the end of each run."""
    title, cases = texts(TITLE), material.cases or ()
    every = moments(cases, material.runs or ())
    said = among(material, texts)
    if not cases or not every:
        nothing = texts("No cases among {kept} of {all} records", **said)
        return Drawing("cases", title, f"{title}. {nothing}.", sentences=(f"{nothing}.",))
    columns = every[-_MOST_COLUMNS:]
    now = texts(
        "{day}: {open} cases without decision, {decided} decided and not yet finished, {finished} finished.",
        day=day(texts, columns[-1].day), decided=texts.number(columns[-1].counts[DECIDED]),
        open=texts.number(columns[-1].counts[OPEN] + columns[-1].counts[NOT_READ]),
        finished=texts.number(columns[-1].counts[FINISHED]),
    )  # fmt: skip
    alarms = sum(is_open(case) and case.sighting.columns["severity"] == Severity.ALARM for case in cases)
    sentences = (now, texts("{number} cases that are not finished are safety alarms.",
                            number=texts.number(alarms)))  # fmt: skip
    used = [name for name in _WORDS if any(item.counts[name] for item in columns)]
    more = [texts("A case that was split or merged is counted under its new numbers.")]
    if len(every) > len(columns):
        more.append(texts("{number} earlier months are not shown.",
                          number=texts.number(len(every) - len(columns))))  # fmt: skip
    return Drawing(
        "cases", title, f"{title}. {' '.join(sentences)}", _HEAD + _PANEL + _FOOT, sentences,
        tuple(_key(name, texts) for name in used), tuple(_columns(columns, texts)),
        tuple(more),
    )  # fmt: skip


def _key(name: str, texts: Texts) -> Key:
    return Key(texts(_WORDS[name]), _FILLS[name], INK, hatched=name == NOT_READ)


def _columns(every: Sequence[Moment], texts: Texts) -> Iterator[Mark]:
    base = _HEAD + _PANEL
    scale = ticks(max(sum(item.counts.values()) for item in every))
    per_mm = (_PANEL - 4) / scale[-1]
    for value in scale:
        y = base - value * per_mm
        yield line((_LEFT, y), (WIDTH_MM, y), PALE)
        yield label(texts.number(value), 0, y - 2, _LEFT - 1.5, 4, size=7, align="right")
    yield label(texts("cases"), 0, 0, 40, 4, size=7, colour=GREY)
    slot = min((WIDTH_MM - _LEFT) / len(every), _WIDEST)
    for at, item in enumerate(every):
        x = _LEFT + at * slot
        heights = [(item.counts[name] * per_mm, _key(name, texts)) for name in _WORDS]
        marks, height = stacked(x + slot * 0.15, base, slot * 0.7, heights)
        yield from marks
        if sum(count > 0 for count in item.counts.values()) > 1:
            yield from _figures(heights, item, x, slot, base, texts)
        yield label(texts.number(sum(item.counts.values())), x, base - height - 3.6, slot, 3.4, size=7,
                    align="center", bold=True)  # fmt: skip
        yield label(shown(day(texts, item.day)), x, base + 1, slot, 7, size=6.5, align="center", down="top",
                    wraps=True)  # fmt: skip
    yield line((_LEFT, base), (WIDTH_MM, base), INK, 0.3)


def _figures(
    heights: Sequence[tuple[float, Key]], item: Moment, x: float, slot: float, base: float, texts: Texts
) -> Iterator[Mark]:
    """Yield how many cases each part of a column has, where it is high enough for letters."""
    y = base
    for (height, _), name in zip(heights, _WORDS, strict=True):
        y -= height
        if height >= 3.4 and name != NOT_READ:
            yield label(texts.number(item.counts[name]), x, y, slot, height, size=7, align="center",
                        colour="#FFFFFF" if name == OPEN else INK)  # fmt: skip
