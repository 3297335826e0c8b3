"""Reported figures in the register: every one that was ever brought, and which of a key is the last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geopipe.errors import ConfigError
from geopipe.figures.figure import ALL, Figure, Kept, Key
from geopipe.figures.reading import Refused
from geopipe.io.ledgers.opened import Opened


@dataclass(frozen=True)
class Plan:
    """What an import would write: figures of new keys, revisions with the figure before; what is known."""

    new: tuple[Figure, ...]
    revisions: tuple[tuple[Figure, Kept], ...]
    known: tuple[Figure, ...]
    refused: tuple[Refused, ...]

    @property
    def to_write(self) -> list[Figure]:
        """The figures that are not in the register yet, in the order of the file."""
        return sorted((*self.new, *(figure for figure, _ in self.revisions)), key=lambda item: item.line)


def last_figures(register: Opened) -> dict[Key, Kept]:
    """Return the last figure of each key."""
    rows = register.ask(
        "SELECT operator, month, province, kind, area_ha, source, recorded_by, recorded_at "
        "FROM reported_figures ORDER BY number"
    )
    return {
        Key(*row[:4]): Kept(Figure(Key(*row[:4]), row[4]), row[5], row[6], dt.datetime.fromisoformat(row[7]))
        for row in rows
    }


def plan_import(figures: Sequence[Figure], refused: Sequence[Refused], last: Mapping[Key, Kept]) -> Plan:
    """Hold figures against those of the register; a nil report against figures of its month is refused."""
    new, revisions, known, doubtful = [], [], [], list(refused)
    reported = {figure.key: figure for figure in (*(kept.figure for kept in last.values()), *figures)}
    for figure in figures:
        before = last.get(figure.key)
        if figure.is_nil and (against := _against_nil(figure.key, reported)):
            sentence = (
                f"{figure.key.operator} reports nil, but for {figure.key.month} a figure is known "
                f"({against.key.kind} {against.text}): report that as 0 to take it back"
            )
            doubtful.append(Refused(figure.line, sentence))
        elif before is None:
            new.append(figure)
        elif before.figure.area_ha == figure.area_ha:
            known.append(figure)
        else:
            revisions.append((figure, before))
    doubtful.sort(key=lambda item: item.line)
    return Plan(tuple(new), tuple(revisions), tuple(known), tuple(doubtful))


def _against_nil(nil: Key, reported: Mapping[Key, Figure]) -> Figure | None:
    """Return a figure above zero of which a nil report says that it is nothing."""
    for key, figure in reported.items():
        if covers(nil, key) and figure.area_ha:
            return figure
    return None


def covers(nil: Key, key: Key) -> bool:
    """Say whether a nil report speaks of a key: one without province or kind speaks of all of them."""
    same = (nil.operator, nil.month) == (key.operator, key.month)
    return same and nil.province in (ALL, key.province) and nil.kind in (ALL, key.kind)


def write_figures(register: Opened, figures: Sequence[Figure], source: str, by: str, at: dt.datetime) -> None:
    """Append figures to the register: earlier ones of the same keys stay beside them."""
    if not by.strip():
        raise ConfigError("nobody's name is given", remedy="Say who does this: --by NAME.")
    when = at.isoformat(timespec="seconds")
    with register.transaction():
        for figure in figures:
            register.insert("reported_figures", None, *figure.key, figure.area_ha, source, by, when)
