"""What happens on which night."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, takewhile

import numpy as np

from . import comings, ids, meetings, redrawing
from .world import OPERATORS, REGISTERS, Due, World

Happening = Callable[[World], None]

HAPPENINGS: tuple[Happening, ...] = (
    ids.reorder_rows,
    ids.reissue,
    ids.slide,
    ids.sort_id_column,
    ids.exchange_pairs,
    redrawing.redraw,
    redrawing.redraw_and_reissue,
    redrawing.redraw_and_exchange,
    redrawing.move,
    redrawing.split,
    redrawing.merge,
    comings.add_pair,
    comings.withdraw_for_a_while,
    comings.reuse_id,
    comings.reuse_ids_of_a_pair,
    meetings.correct_undecided,
    meetings.withdraw_for_good,
)
_FINISHERS: dict[str, Callable[[World, Due], bool]] = {
    "ids_restored": ids.restore_ids,
    "readded": comings.readd,
    "moved_back": redrawing.move_back,
    "corrected": meetings.carry_out,
    "withdrawn_as_decided": meetings.carry_out,
}
# So that all of them have happened after three nights on which anything may happen.
_A_NIGHT = -(-len(HAPPENINGS) // 3)
_LONGEST_ABSENCE = 3


def is_pure_reissue(night: int) -> bool:
    """Say whether nothing but ids and the order of rows changes on this night."""
    return night % 5 == 2


def is_unchanged(night: int) -> bool:
    """Say whether the same files come as on the night before."""
    return night % 10 == 0


def is_mixed(night: int) -> bool:
    """Say whether anything may happen on this night."""
    return night > 1 and not is_pure_reissue(night) and not is_unchanged(night)


class Schedule:
    """Deals the happenings, each as often as the others, and says which files do not come."""

    def __init__(self, rng: np.random.Generator, times: int) -> None:
        self.rng = rng
        self.times = times
        self.deck: list[Happening] = []
        self.missing: dict[int, str] = {}
        self.cut: dict[int, int] = {}
        self.odd_nights = 0

    def absences(self, night: int) -> tuple[str | None, int | None]:
        """Return the operator that delivers nothing, and the register whose file is cut off.

        On the night before one on which nothing but ids changes, everything comes.
        """
        if is_mixed(night) and is_mixed(night + 1):
            self._plan_absence(night)
            self.odd_nights += 1
        return self.missing.get(night), self.cut.get(night)

    def tonight(self, world: World) -> None:
        """Let happen what is due, and what the deck has for this night."""
        if is_pure_reissue(world.night):
            ids.change_all_ids(world)
        if not is_mixed(world.night):
            return
        for due in [due for due in world.due if due.night <= world.night]:
            if _FINISHERS[due.what](world, due):
                world.due.remove(due)
        for _ in range(_A_NIGHT):
            happening = self._deal()
            for _ in range(self.times):
                happening(world)

    def _deal(self) -> Happening:
        if not self.deck:
            self.deck = [HAPPENINGS[int(number)] for number in self.rng.permutation(len(HAPPENINGS))]
        return self.deck.pop()

    def _plan_absence(self, night: int) -> None:
        if self.odd_nights % 3 == 0 and night not in self.missing:
            operator = OPERATORS[int(self.rng.integers(len(OPERATORS)))]
            length = int(self.rng.integers(1, _LONGEST_ABSENCE + 1))
            possible = takewhile(lambda n: is_mixed(n) and is_mixed(n + 1), count(night))
            self.missing |= {n: operator for n in possible if n < night + length}
        elif self.odd_nights % 3 == 1:
            others = [
                row for row, register in enumerate(REGISTERS) if register.operator != self.missing.get(night)
            ]
            self.cut[night] = others[int(self.rng.integers(len(others)))]
