"""A part that kills every process: which of its records do it, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from geopipe.catalogue import severity_of
from geopipe.schema import Frame, Indices, State, findings_about, rejected_of
from geopipe.settling.executors import LOST, Worker
from geopipe.settling.part import Part
from geopipe.unresolved import unresolved_of

CODE = "NOT_SETTLED"
SENTENCE = (
    "Measuring this record against others stops the program, so it is not compared. Please send it again."
)


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
    name = f"{function.__module__}:{function.__qualname__}"
    with closing(Worker(name)) as worker:

        def survives(kept: Indices) -> bool:
            return worker.do(_only(part, kept)) is not LOST

        everything = np.arange(len(part.areas) + len(part.points))
        guilty = _guilty(everything, survives)
        rest = np.setdiff1d(everything, guilty)
        while worker.do(_only(part, rest)) is LOST and len(rest):  # several hold it up together
            more = _guilty(rest, survives)
            guilty, rest = np.union1d(guilty, more), np.setdiff1d(rest, more)
    areas = guilty[guilty < len(part.areas)]
    points = guilty[guilty >= len(part.areas)] - len(part.areas)
    return Rescued(part.result, part.areas[areas], part.points[points])


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
    """Return a part with some of its records, areas first, then points."""
    areas = kept[kept < len(part.areas)]
    changed = {name: column.take(pa.array(areas)) for name, column in part.changed.items()}
    points = part.points[kept[kept >= len(part.areas)] - len(part.areas)]
    return replace(part, areas=part.areas[areas], points=points, changed=changed)


def left_out(state: State, areas: Indices, points: Indices) -> State:
    """Tell of records that could not be settled: each goes back, and hazard stays on the map.

    Parameters
    ----------
    state : State
        With all records; those that are left out are not among the settled ones.
    areas, points : arrays of int
        Their rows.
    """
    told = state
    for records in (state.features.take(np.sort(areas)), state.reference.take(np.sort(points))):
        if len(records):
            told = _told(told, records)
    files = {*state.features.take(areas).values("file"), *state.reference.take(points).values("file")}
    sentence = "{}: records of this file stop the program when they are measured. Look at the returned ones."
    return replace(
        told,
        deliveries=tuple(
            replace(item, problems=(*item.problems, (CODE, sentence.format(item.file))))
            if item.file in files
            else item
            for item in told.deliveries
        ),
    )


def _told(state: State, records: Frame) -> State:
    why = np.full(len(records), CODE, dtype=object)
    sentences = np.full(len(records), SENTENCE, dtype=object)
    return state.adding(
        rejected=[rejected_of(records, why, sentences)],
        unresolved=[unresolved_of(records, why, sentences)],
        findings=[findings_about(records, CODE, severity_of(CODE), SENTENCE)],
    )
