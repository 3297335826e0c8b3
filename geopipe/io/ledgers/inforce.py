"""Which deliveries are in force: of each operator and register the latest snapshot and what came after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

SNAPSHOT, INCREMENT = "snapshot", "increment"


class Group(NamedTuple):
    """A register of an operator, in one role."""

    operator: str
    register: str
    role: str


class InForce:
    """The deliveries in force after each receipt; a receipt is a run that received something new.

    Parameters
    ----------
    readings : rows of (key, content hash, mode, receipt), the latest reading of a content last
    deliveries : rows of (content hash, receipt in which it was new)
    holdings : rows of (key, operator, register, role)
    members : rows of (receipt, content hash): all that was read with it
    """

    def __init__(
        self,
        readings: Sequence[tuple[Any, ...]],
        deliveries: Sequence[tuple[Any, ...]],
        holdings: Sequence[tuple[Any, ...]],
        members: Sequence[tuple[Any, ...]],
    ) -> None:
        self.key_of: dict[str, str] = {content: key for key, content, *_ in readings}
        self._mode = {content: mode for _, content, mode, _ in readings}
        self._read_in = {content: receipt for _, content, _, receipt in readings}
        self._new_in: dict[str, int] = dict(deliveries)
        held: dict[str, set[Group]] = {}
        for key, *names in holdings:
            held.setdefault(key, set()).add(Group(*names))
        self._holders: dict[Group, list[str]] = {}
        for content in sorted(self._new_in, key=lambda content: (self._new_in[content], content)):
            for group in held.get(self.key_of[content], ()):
                self._holders.setdefault(group, []).append(content)
        self._members: dict[int, set[str]] = {}
        for receipt, content in members:
            self._members.setdefault(receipt, set()).add(content)

    @property
    def groups(self) -> Collection[Group]:
        """All operators and registers that ever delivered."""
        return self._holders.keys()

    @property
    def last(self) -> int:
        """Number of the last receipt, 0 before the first."""
        return max(self._members, default=0)

    def contents(self, group: Group, receipt: int) -> list[list[str]]:
        """Return the contents in force after a receipt, in steps that may replace records of earlier ones."""
        new = [content for content in self._holders.get(group, ()) if self._new_in[content] <= receipt]
        base = max((self._new_in[c] for c in new if self._mode[c] == SNAPSHOT), default=0)
        # A register may come in several files: all that were read with the new one belong to the snapshot.
        whole = [c for c in self._holders.get(group, ()) if c in self._members.get(base, ())]
        later = sorted({self._new_in[content] for content in new if self._new_in[content] > base})
        steps = [whole] if whole else []
        return steps + [[c for c in new if self._new_in[c] == number] for number in later]

    def receipt_before(self, group: Group, reading: Mapping[str, Collection[Group]]) -> int:
        """Return the receipt after which a group stood as it did before the newest of what a run reads.

        Parameters
        ----------
        group : Group
        reading : mapping of content hash to the groups that it holds
        """
        holders = self._holders.get(group, [])
        if any(content not in self._new_in and group in held for content, held in reading.items()):
            return self.last
        newest = max((self._new_in[content] for content in holders), default=0)
        again = all(content in reading for content in holders if self._new_in[content] == newest)
        return newest - 1 if again and newest else self.last

    def receipt_before_all(self, reading: Mapping[str, str]) -> int:
        """Return the receipt after which everything stood as it did before a run.

        Only a run that reads again, in the same way, all that was new or newly read with the last receipt
        stands before it.

        Parameters
        ----------
        reading : mapping of content hash to the key of its reading
        """
        is_known = all(self.key_of.get(content) == key for content, key in reading.items())
        newest = {content for content, receipt in self._read_in.items() if receipt == self.last}
        return self.last - 1 if newest and is_known and newest <= reading.keys() else self.last
