"""The plot of errors in the data: found, corrected and outstanding by quarter and operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.wording import shown
from geopipe.outputs.plots.drawing import GREY, INK, WIDTH_MM, Drawing, Key, Mark, bar, label, line
from geopipe.outputs.plots.material import Material
from geopipe.outputs.plots.wording import among
from geopipe.register.errorstats import error_rows, quarters
from geopipe.register.finding import Finding

TITLE = message("Errors by quarter and operator")
FOUND, CORRECTED, ACCEPTED, OUTSTANDING = "found", "corrected", "accepted", "outstanding"
_WORDS = {
    FOUND: message("found"),
    CORRECTED: message("corrected"),
    ACCEPTED: message("accepted with a reason"),
    OUTSTANDING: message("outstanding at the end"),
}
_KEYS = {
    FOUND: Key("", "#FFFFFF"),
    CORRECTED: Key("", "#7FB3B8"),
    ACCEPTED: Key("", "#7FB3B8", INK, hatched=True),
    OUTSTANDING: Key("", "#B34700"),
}
_MOST_OPERATORS, _MOST_QUARTERS = 14, 5
_NAMES, _HEAD, _BAR, _SPACE = 36.0, 6.0, 3.2, 2.4
_FIGURES, _WIDEST = 11.0, 60.0


@dataclass(frozen=True)
class Cell:
    """What happened to the errors of an operator in a quarter, and how many are outstanding at its end.

    `operator` is None for several together.
    """

    operator: str | None
    quarter: str
    counts: dict[str, int]


def cells(
    findings: Sequence[Finding], last_day: dt.date, most: int = _MOST_OPERATORS
) -> tuple[list[str], tuple[Cell, ...]]:
    """Return all quarters, and a cell for each operator and quarter in which there is something to say.

    Of many operators those with the fewest outstanding errors stand together.
    """
    when = quarters(findings, last_day)
    rows = error_rows(findings, when, ("operator", "quarter"), last_day)
    newest = when[-1].name
    left = {row.labels[0]: 0 for row in rows}
    left.update({row.labels[0]: row.counts["outstanding"] for row in rows if row.labels[1] == newest})
    order = sorted(left, key=lambda name: (-left[name], name))
    named = set(order if len(order) <= most else order[: most - 1])
    sums: dict[tuple[str | None, str], dict[str, int]] = {}
    for row in rows:
        name, quarter = row.labels
        told = row.counts
        counts = sums.setdefault((name if name in named else None, quarter), dict.fromkeys(_WORDS, 0))
        counts[FOUND] += told["backlog"] + told["opened"] + told["reopened"]
        for what in (CORRECTED, ACCEPTED, OUTSTANDING):
            counts[what] += told[what]
    return [period.name for period in when], tuple(Cell(*key, counts) for key, counts in sums.items())


def draw(material: Material, texts: Texts) -> Drawing:
    """Draw errors by operator (a row each) and quarter (a column each)."""
    title, runs = texts(TITLE), material.runs or ()
    findings = material.findings or ()
    if not findings or not runs:
        nothing = texts("No errors found among {kept} of {all} records", **among(material, texts))
        return Drawing("findings", title, f"{title}. {nothing}.", sentences=(f"{nothing}.",))
    when, every = cells(findings, max(day for _, day in runs))
    shown_quarters = when[-_MOST_QUARTERS:]
    last = [item.counts for item in every if item.quarter == when[-1]]
    sums = {name: texts.number(sum(counts[name] for counts in last)) for name in _WORDS}
    sentence = texts("{quarter}: {found} errors found, {corrected} corrected, {accepted} accepted with a "
                     "reason, {outstanding} outstanding.", quarter=when[-1], **sums)  # fmt: skip
    used = [name for name in _WORDS if name != ACCEPTED or any(item.counts[ACCEPTED] for item in every)]
    names = _in_order(every)
    more = [texts("Counted are findings that somebody must correct or explain, records that went back, and "
                  "files that could not be used."),
            texts("What was not delivered again stays outstanding.")]  # fmt: skip
    if len(when) > len(shown_quarters):
        more.append(texts("{number} earlier quarters are not shown.",
                          number=texts.number(len(when) - len(shown_quarters))))  # fmt: skip
    row = _BAR * len(used) + _SPACE
    return Drawing(
        "findings", title, f"{title}. {sentence}", _HEAD + row * len(names) + 2, (sentence,),
        tuple(Key(texts(_WORDS[name]), _KEYS[name].fill, INK, _KEYS[name].hatched) for name in used),
        tuple(_table(every, shown_quarters, names, used, texts)), tuple(more),
    )  # fmt: skip


def _in_order(every: Sequence[Cell]) -> list[str | None]:
    """Return the operators by name; those not known, and those who stand together, come last."""
    return sorted({item.operator for item in every}, key=lambda name: (name is None, not name, name or ""))


def _table(
    every: Sequence[Cell], when: Sequence[str], names: Sequence[str | None], used: Sequence[str], texts: Texts
) -> Iterator[Mark]:
    row, column = _BAR * len(used) + _SPACE, min((WIDTH_MM - _NAMES) / len(when), _WIDEST)
    shown_cells = [item for item in every if item.quarter in when]
    most = max((max(item.counts.values()) for item in shown_cells), default=1) or 1
    per_one = (column - _FIGURES) / most
    for at, name in enumerate(names):
        y = _HEAD + at * row
        yield line((0, y), (WIDTH_MM, y), "#AAAAAA")
        yield label(_name(name, texts), 0, y, _NAMES - 2, row, size=8.5, align="right", wraps=True)
    for at, quarter in enumerate(when):
        x = _NAMES + at * column
        yield label(quarter, x, 0, column - 2, _HEAD - 1, size=8.5, bold=True)
        yield line((x, _HEAD), (x, _HEAD + row * len(names)), GREY, 0.3)
    for item in shown_cells:
        x = _NAMES + when.index(item.quarter) * column
        y = _HEAD + names.index(item.operator) * row + _SPACE / 2
        for at, what in enumerate(used):
            count, top = item.counts[what], y + at * _BAR
            if count:
                yield bar(x, top + 0.2, max(count * per_one, 0.2), _BAR - 0.4, _KEYS[what])
            yield label(texts.number(count), x + count * per_one + 1, top, _FIGURES - 2, _BAR, size=7,
                        bold=what == OUTSTANDING)  # fmt: skip


def _name(name: str | None, texts: Texts) -> str:
    if name is None:
        return texts("other operators together")
    return shown(name or texts("operator not known"), 60)
