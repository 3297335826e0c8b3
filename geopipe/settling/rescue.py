"""A part that kills every process: which of its records do it, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from geopipe.schema import Indices
from geopipe.settling.executors import LOST, Worker
from geopipe.settling.part import Part, no_rows


@dataclass(frozen=True)
class Rescued:
    """What came of a part: the folder of its result, and the rows of those left out of it, as in `Part`."""

    result: str
    areas: Indices = field(default_factory=no_rows)
    points: Indices = field(default_factory=no_rows)
    past: Indices = field(default_factory=no_rows)


def rescued(part: Part, function: Callable[[Part], str]) -> Rescued:
    """Settle a part that was lost, without those of its records that kill whoever measures them.

    The records are found by trying fewer and fewer of them, each time in a process that may die of it.
    """
    with closing(Worker()) as worker:

        def survives(kept: Indices) -> bool:
            return worker.do(function, _only(part, kept)) is not LOST

        everything = _suspects_last(part)
        guilty = _guilty(everything, survives)
        rest = everything[~np.isin(everything, guilty)]
        while worker.do(function, _only(part, rest)) is LOST and len(rest):  # several hold it up together
            more = _guilty(rest, survives)
            guilty, rest = np.union1d(guilty, more), rest[~np.isin(rest, more)]
    areas, points, past = _by_sort(part, guilty)
    return Rescued(part.result, part.areas[areas], part.points[points], part.past[past])


def _by_sort(part: Part, numbers: Indices) -> tuple[Indices, Indices, Indices]:
    """Return which areas, points and records of the past have some numbers, in the order of the part."""
    ends = np.cumsum([len(part.areas), len(part.points)])
    areas, points, past = np.split(np.sort(numbers), np.searchsorted(np.sort(numbers), ends))
    return areas, points - ends[0], past - ends[1]


def _suspects_last(part: Part) -> Indices:
    """Return the numbers of all records of a part, those of earlier deliveries foremost.

    Of an earlier and a new record that kill together the new one is left out. Among the areas those of
    earlier deliveries stand last in the files.
    """
    areas, points = len(part.areas), len(part.points)
    past = areas + points + np.arange(len(part.past))
    return np.concatenate([past, np.argsort(-part.areas), areas + np.arange(points)])


def _guilty(records: Indices, survives: Callable[[Indices], bool]) -> Indices:
    """Return a record that kills, or the last of several that only kill together.

    `records` do not survive. The shortest beginning that does not survive ends with a guilty record.
    """
    least, most = 0, len(records)  # records[:least] survive, records[:most] do not
    while most - least > 1:
        middle = (least + most) // 2
        if survives(records[:middle]):
            least = middle
        else:
            most = middle
    return records[least:most]


def _only(part: Part, kept: Indices) -> Part:
    """Return a part with some of its records, in the order in which it has them."""
    areas, points, past = _by_sort(part, kept)
    changed = {name: column.take(pa.array(areas)) for name, column in part.changed.items()}
    return replace(
        part, areas=part.areas[areas], points=part.points[points], past=part.past[past], changed=changed
    )
