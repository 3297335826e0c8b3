"""The plot of hectares by province: each kind by itself, ground covered and counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeAlias

from geopipe.languages.texts import Texts, message
from geopipe.languages.words import KINDS
from geopipe.outputs.pack.wording import shown
from geopipe.outputs.plots.drawing import (
    GREY,
    INK,
    WIDTH_MM,
    Drawing,
    Key,
    Mark,
    bar,
    label,
    line,
    one_two_five,
)
from geopipe.outputs.plots.material import Material
from geopipe.outputs.plots.wording import among, hectares, plain
from geopipe.outputs.qgis.colours import KIND_FILLS, OTHER_KIND
from geopipe.statistics.labels import UNKNOWN
from geopipe.statistics.rows import M2_PER_HA, Row
from geopipe.terms import Kind

TITLE = message("Hectares by province")
_NOT_SAFE = message("Areas not shown are not thereby safe.")
_MOST_PLACES = 20
_NAMES, _GAP, _FIGURES = 30.0, 3.0, 15.0
_HEAD, _ROW, _BAR, _FOOT = 9.0, 5.0, 3.2, 9.0
_TWICE = "#404040"
Figures: TypeAlias = Callable[["Place", Texts], str]


@dataclass(frozen=True)
class Place:
    """Ground of one kind in one place (m2): `reported = covered + shared + twice`.

    `twice` is counted twice; `shared` is what an operator claims together with others, and zero where all
    operators are counted together. `place` is None for several small ones together.
    """

    kind: str
    place: str | None
    reported_m2: float
    covered_m2: float
    shared_m2: float
    twice_m2: float
    undecided_m2: float


def places(rows: Sequence[Row], most: int = _MOST_PLACES) -> tuple[Place, ...]:
    """Return hectares by kind and place; of many places the smallest ones together, under the place None.

    Parameters
    ----------
    rows : sequence of Row
        By province, or by province and operator, one for each kind and place.
    most : int
        So many places are named.
    """
    reported: dict[str, list[float]] = {}
    for row in rows:
        reported.setdefault(row.labels[0], []).append(row.reported_m2)
    largest = sorted(reported, key=lambda name: (-fsum(reported[name]), name))
    named = set(largest if len(largest) <= most else largest[: most - 1])
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for row in rows:
        place = row.labels[0] if row.labels[0] in named else None
        groups.setdefault((row.ground, place), []).append(row)
    return tuple(_together(kind, place, group) for (kind, place), group in groups.items())


def total(every: Sequence[Place], kind: str) -> Place:
    """Return the ground of one kind in all places."""
    own = [item for item in every if item.kind == kind]
    names = ("reported_m2", "covered_m2", "shared_m2", "twice_m2", "undecided_m2")
    return Place(kind, None, *(fsum(getattr(item, name) for item in own) for name in names))


def _together(kind: str, place: str | None, rows: Sequence[Row]) -> Place:
    def added(name: str) -> float:
        return fsum(getattr(row, name) for row in rows)

    undecided, agreed = added("undecided_m2"), added("agreed_m2")
    # Never below zero: sums of many faces may miss it by a hair.
    shared, twice = max(-added("moved_m2"), 0.0), max(fsum((undecided, agreed)), 0.0)
    # An operator's own rows lack what it shares with others: that waits for a decision, too.
    waits = fsum((undecided, added("moved_undecided_m2")))
    return Place(kind, place, added("reported_m2"), added("covered_m2"), shared, twice, waits)


def draw(material: Material, texts: Texts) -> Drawing:
    """Draw reported hectares by province, a panel for each kind."""
    title, every = texts(TITLE), places(material.hectares)
    if not every:
        nothing = texts("No hazard or released land among {kept} of {all} records", **among(material, texts))
        return Drawing("hectares", title, f"{title}. {nothing}.", sentences=(f"{nothing}.",),
                       notes=(texts(_NOT_SAFE),))  # fmt: skip
    kinds = list(dict.fromkeys(item.kind for item in every))
    names = _in_order(every)
    sums = [total(every, kind) for kind in kinds]
    told = [texts("{kind}: {reported} ha reported, {twice} ha counted twice, {covered} ha covered",
                  kind=texts(KINDS[item.kind]), reported=hectares(item.reported_m2, texts),
                  twice=hectares(item.twice_m2, texts), covered=hectares(item.covered_m2, texts))
            for item in sums]  # fmt: skip
    if material.operator is not None:
        told = [texts("{kind}: {reported} ha reported, {shared} ha of it together with other operators",
                      kind=texts(KINDS[item.kind]), reported=hectares(item.reported_m2, texts),
                      shared=hectares(item.shared_m2, texts)) for item in sums]  # fmt: skip
    meaning = texts("Hectares covered, and behind + how many more are counted twice: together they are what "
                    "was reported.")  # fmt: skip
    figures: Figures = _covered_and_twice
    if material.operator is not None:
        meaning = texts("Hectares that {operator} has reported.", operator=shown(material.operator))
        figures = _reported
    records = texts("Among {kept} of {all} records.", **among(material, texts))
    undecided = texts("Nobody has decided yet about {area} ha of what is counted twice.",
                      area=hectares(fsum(item.undecided_m2 for item in sums), texts))  # fmt: skip
    below = (f"{texts('Each kind has a scale of its own.')} {undecided}", texts(_NOT_SAFE))
    return Drawing(
        "hectares", title, f"{title}. {'; '.join(told)}.", _HEAD + _ROW * (len(names) + 1) + _FOOT,
        (f"{meaning} {records}",), tuple(_keys(material, texts)),
        tuple(_panels(every, kinds, names, figures, texts)), below,
    )  # fmt: skip


def _in_order(every: Sequence[Place]) -> list[str | None]:
    """Return the places by name; those not known, and small ones together, come last."""
    return sorted(
        {item.place for item in every}, key=lambda name: (name is None, name == UNKNOWN, name or "")
    )


def _keys(material: Material, texts: Texts) -> Iterator[Key]:
    yield Key(texts("ground covered, in the colour of the kind"), "#B0B0B0")
    if material.operator is not None:
        yield Key(texts("together with other operators"), "#FFFFFF")
    yield Key(texts("counted twice"), _TWICE, INK, hatched=True)


def _panels(
    every: Sequence[Place], kinds: Sequence[str], names: Sequence[str | None], figures: Figures, texts: Texts
) -> Iterator[Mark]:
    width = (WIDTH_MM - _NAMES) / len(kinds)
    bottom = _HEAD + _ROW * len(names)
    for at, name in enumerate(names):
        y = _HEAD + at * _ROW
        if at % 2 == 0:
            yield bar(0, y, WIDTH_MM, _ROW, Key("", "#F5F5F5", ""))
        yield label(_name(name, texts), 0, y, _NAMES - 1.5, _ROW, size=8, align="right", wraps=True)
    yield label(texts("together"), 0, bottom, _NAMES - 1.5, _ROW, size=8, align="right", bold=True)
    yield line((0, bottom), (WIDTH_MM, bottom), GREY)
    for at, kind in enumerate(kinds):
        yield from _panel([item for item in every if item.kind == kind], total(every, kind), names,
                          _NAMES + at * width, width - _GAP, figures, texts)  # fmt: skip


def _name(name: str | None, texts: Texts) -> str:
    if name is None:
        return texts("smaller ones together")
    return texts("place not known") if name == UNKNOWN else shown(name, 40)


def _panel(
    own: Sequence[Place],
    sums: Place,
    names: Sequence[str | None],
    x: float,
    width: float,
    figures: Figures,
    texts: Texts,
) -> Iterator[Mark]:
    """Yield one kind: a bar for each place with its figures behind it, the sum, and the scale below."""
    kind, room = sums.kind, width - _FIGURES
    most_ha = max(item.reported_m2 for item in own) / M2_PER_HA or 1.0
    per_ha = room / most_ha
    yield label(texts(KINDS[kind]), x, 0, width, _HEAD - 1, size=8, bold=True, down="bottom", wraps=True)
    for item in own:
        y = _HEAD + names.index(item.place) * _ROW
        at = x
        for m2, key in _segments(item):
            if m2 > 0:
                yield bar(at, y + (_ROW - _BAR) / 2, max(m2 / M2_PER_HA * per_ha, 0.15), _BAR, key)
                at += m2 / M2_PER_HA * per_ha
        yield label(figures(item, texts), at + 1, y, x + width - at - 1, _ROW, size=7)
    bottom = _HEAD + _ROW * len(names)
    yield label(figures(sums, texts), x, bottom, width, _ROW, size=7.5, bold=True)
    base, scale_ha = bottom + _ROW + 1.8, one_two_five(most_ha, most_ha)[0]
    for start, end in (
        ((x, base), (x + scale_ha * per_ha, base)),
        ((x, base - 1), (x, base + 1)),
        ((x + scale_ha * per_ha, base - 1), (x + scale_ha * per_ha, base + 1)),
    ):
        yield line(start, end, INK, 0.3)
    yield label(f"{plain(scale_ha, texts)} ha", x, base + 1.1, width, 3.4, size=7)
    yield line((x, _HEAD), (x, bottom), INK, 0.3)


def _segments(item: Place) -> list[tuple[float, Key]]:
    colour = KIND_FILLS.get(Kind(item.kind), OTHER_KIND).colour
    return [
        (item.covered_m2, Key("", colour)), (item.shared_m2, Key("", "#FFFFFF")),
        (item.twice_m2, Key("", _TWICE, INK, hatched=True)),
    ]  # fmt: skip


def _reported(item: Place, texts: Texts) -> str:
    return hectares(item.reported_m2, texts)


def _covered_and_twice(item: Place, texts: Texts) -> str:
    twice = f" +{hectares(item.twice_m2, texts)}" if item.twice_m2 >= 50 else ""
    return f"{hectares(item.covered_m2, texts)}{twice}"
