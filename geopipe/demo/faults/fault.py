"""What a fault is: how it is planted, which formats can carry it, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from geopipe.demo.rings import Floats

from .ground import Ground, Rng
from .sheet import Need, Sheet

Plant = Callable[["Planting"], list[int]]
FEW = 3


@dataclass
class Planting:
    """A delivery while faults are planted in it.

    Attributes
    ----------
    truth : dict of str to list
        Canonical column and, per record, what must be read; for faults that are none.
    beside : dict of str to bytes
        Further files to be written beside the delivery.
    remedy : str
        What must be proposed, where it differs from one format to the other.
    partner : Sheet or None
        A delivery of another operator with which this one must be compared.
    """

    rng: Rng
    ground: Ground
    sheet: Sheet
    truth: dict[str, list[Any]] = field(default_factory=dict)
    beside: dict[str, bytes] = field(default_factory=dict)
    remedy: str = ""
    partner: Sheet | None = None

    def some(self, count: int = FEW) -> list[int]:
        """Return positions of some records, sorted."""
        return self.sheet.some(self.rng, count)

    @property
    def all_records(self) -> list[int]:
        """Positions of all records."""
        return list(range(len(self.sheet.records)))


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    name : str
    code : str
        Under which it must be told; '' where nothing may be told, because nothing is wrong.
    plant : function
        Changes the sheet; returns the positions of the records that it spoiled.
    needs : frozenset of Need
        What a format must be able to hold.
    remedy : str
        What must be proposed: a correction, an option, or words of the sentence.
    about : str
        record, file (one finding, whatever it is about), or pair (one finding about two deliveries).
    kind : str
        Kind of the records.
    crs : str
        CRS of the coordinates, where it matters.
    size : int
        Number of records.
    options : dict or None
        What is known when the delivery is read, instead of the operator's profile.
    shape : str
        What the records are on the ground, where they are not what the format usually has.
    """

    name: str
    code: str
    plant: Plant
    needs: frozenset[Need] = frozenset({Need.AREAS})
    remedy: str = ""
    about: str = "record"
    kind: str = "CHA"
    crs: str = ""
    size: int = 16
    options: dict[str, Any] | None = None
    shape: str = ""


def areas(*needs: Need) -> frozenset[Need]:
    """Return the needs of a fault of areas."""
    return frozenset({Need.AREAS, *needs})


def each(change: Callable[[Planting, int], None], count: int = FEW) -> Plant:
    """Return a planting that changes some records, one by one."""

    def plant(made: Planting) -> list[int]:
        rows = made.some(count)
        for row in rows:
            change(made, row)
        return rows

    return plant


def ring_of(change: Callable[[Planting, Floats], Floats], count: int = FEW) -> Plant:
    """Return a planting that changes the ring of some records."""

    def one(made: Planting, row: int) -> None:
        record = made.sheet.records[row]
        record.with_ring(change(made, record.ring))

    return each(one, count)


def harmless(change: Plant) -> Plant:
    """Return a planting that spoils nothing: no record of it may be questioned."""

    def plant(made: Planting) -> list[int]:
        change(made)
        return []

    return plant


def nothing(_made: Planting) -> list[int]:
    """Plant nothing."""
    return []
