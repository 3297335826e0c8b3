"""What is written down beside a filed delivery: where and when the same bytes came again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geopipe.io.store import write_text

NAME = ".comings.json"


@dataclass(frozen=True)
class Again:
    """The last time that the same bytes came in a folder under a name; `number` counts all comings."""

    folder: str
    name: str
    at: str
    day: str
    number: int


@dataclass(frozen=True)
class Comings:
    """What is known of the comings of a filed delivery after the first.

    `stays` is what of it could not be removed from the inbox, and is not taken for another coming.
    """

    stays: str = ""
    again: tuple[Again, ...] = ()

    def with_coming(self, coming: Again) -> Comings:
        """Return this with a coming more, which takes the place of one in the same folder and name."""
        others = [item for item in self.again if (item.folder, item.name) != (coming.folder, coming.name)]
        return Comings(self.stays, (*others, coming))


def write_comings(folder: Path, comings: Comings) -> None:
    """Write down what is known beside a filed delivery."""
    told = {"stays": comings.stays, "again": [asdict(item) for item in comings.again]}
    write_text(folder / NAME, json.dumps(told, ensure_ascii=False) + "\n")


def read_comings(folder: Path) -> Comings:
    """Return what is written down; nothing where it cannot be read."""
    try:
        told: Any = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Comings(str(told.get("stays", "")), tuple(Again(**item) for item in told.get("again", ())))
    except (OSError, ValueError, TypeError, AttributeError):
        return Comings()


def last_number(comings: Sequence[Again]) -> int:
    """Return the number of the last coming, 0 where there is none."""
    return max((item.number for item in comings), default=0)
