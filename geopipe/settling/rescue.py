"""A part that kills every process: which of its records do it, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from geopipe.schema import Indices
from geopipe.settling.executors import LOST, Worker
from geopipe.settling.part import Part


@dataclass(frozen=True)
class Rescued:
    """What came of a part: the folder of its result, and the rows of the areas and points left out of it."""

    result: str
    areas: Indices
    points: Indices


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
    areas = guilty[guilty < len(part.areas)]
    points = guilty[guilty >= len(part.areas)] - len(part.areas)
    return Rescued(part.result, part.areas[areas], part.points[points])


def _suspects_last(part: Part) -> Indices:
    """Return the numbers of all records of a part, areas first, those that stand last in the files foremost.

    These are earlier ones: of an earlier and a new record that kill together the new one is left out.
    """
    return np.concatenate([np.argsort(-part.areas), len(part.areas) + np.arange(len(part.points))])


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
    areas = np.sort(kept[kept < len(part.areas)])
    changed = {name: column.take(pa.array(areas)) for name, column in part.changed.items()}
    points = part.points[np.sort(kept[kept >= len(part.areas)]) - len(part.areas)]
    return replace(part, areas=part.areas[areas], points=points, changed=changed)
