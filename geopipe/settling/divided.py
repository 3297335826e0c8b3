"""One pass over all records: divided into parts, worked on side by side, and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.config import Config
from geopipe.engine.divide import divide
from geopipe.io.store import read_state
from geopipe.policies import Policy
from geopipe.schema import Frame, Indices, State, boxes_of
from geopipe.settling.executors import Executor, Lost
from geopipe.settling.part import Part, no_rows, rows_of, settle
from geopipe.settling.rescue import Rescued, rescued

# Fewer records than this are settled sooner by one process than by two of which one must be started.
_WORTH_A_PROCESS = 20_000


@dataclass(frozen=True)
class Placed:
    """A state, and where its records stand in the files that workers read.

    `areas` and `points` are, for each record of the state, its row among those of all `folders`. `beside` is
    a folder with what else workers need of the state, if anything, and `past` are rows there: see `Part`.
    """

    state: State
    folders: tuple[str, ...]
    areas: Indices
    points: Indices
    beside: str = ""
    past: Indices = field(default_factory=no_rows)

    @classmethod
    def of(cls, state: State, deliveries: Sequence[Path]) -> Placed:
        """Place a state that holds every record of some prepared deliveries, in their order."""
        folders = tuple(str(path.resolve()) for path in deliveries)
        return cls(state, folders, np.arange(len(state.features)), np.arange(len(state.reference)))

    def without(self, areas: Indices, points: Indices) -> Placed:
        """Return the same without the areas and points that stand at some rows of the files."""
        state, stay = self.state, [~np.isin(self.areas, areas), ~np.isin(self.points, points)]
        features, reference = state.features.take(stay[0]), state.reference.take(stay[1])
        fewer = replace(state, features=features, reference=reference)
        return replace(self, state=fewer, areas=self.areas[stay[0]], points=self.points[stay[1]])

    def without_points(self) -> Placed:
        """Return the same without points: only `overlaps` looks at them."""
        return replace(self, state=replace(self.state, reference=State().reference), points=no_rows())

    def in_order(self) -> Placed:
        """Return the same with the areas sorted by `row_id`."""
        order = pc.sort_indices(self.state.features.table["row_id"]).to_numpy().astype(np.intp)
        state = replace(self.state, features=self.state.features.take(order))
        return replace(self, state=state, areas=self.areas[order])

    def records_at(self, areas: Indices, points: Indices) -> tuple[Frame, Frame]:
        """Return the areas and points of the state that stand at some rows of the files."""
        return (
            self.state.features.take(np.isin(self.areas, areas)),
            self.state.reference.take(np.isin(self.points, points)),
        )


@dataclass(frozen=True)
class Found:
    """What a pass has left: the records that stand, with what was found of them, and those it left out.

    `areas` and `points` are the rows, in the files, of records that kill whoever measures them.
    """

    placed: Placed
    areas: Indices
    points: Indices


class Division:
    """How records are divided, who works on the parts, and where these leave what they find."""

    def __init__(self, config: Config, policy: Policy, executor: Executor, folder: Path) -> None:
        self._config, self._policy, self._executor, self._folder = config, policy, executor, folder
        self._numbers = count()

    def new_folder(self) -> Path:
        """Return a folder, not made yet, that all workers see."""
        return self._folder / str(next(self._numbers))

    def in_parts(self, placed: Placed, stages: tuple[str, ...]) -> Found:
        """Run stages over all records, in parts that have nothing to do with each other."""
        asked = placed if "overlaps" in stages else placed.without_points()
        return _together(placed, self._done(asked, stages, self._parts(asked)))

    def _parts(self, asked: Placed) -> list[Indices]:
        """Return the rows of each part; where one holds all, nobody looks for who is near whom."""
        together = len(asked.areas) + len(asked.points)
        most = self._most_in_a_part(together)
        if 0 < together <= most:
            return [np.arange(together)]
        return divide(_boxes(asked.state), self._policy.gaps.width_m, _alike(asked.state), most)

    def _most_in_a_part(self, records: int) -> int:
        """Return how many records a part may hold, so that each process of this machine has about as many."""
        config = self._config
        if config.executor is not None:
            return config.areas_in_a_part
        processes = max(1, min(config.workers, records // _WORTH_A_PROCESS))
        return min(config.areas_in_a_part, max(1, -(-records // processes)))

    def as_one(self, placed: Placed, stage: str) -> Rescued:
        """Run a stage that needs all areas together, and looks at no point."""
        placed = placed.without_points()
        return self._done(placed, (stage,), [np.arange(len(placed.areas))])[0]

    def _done(self, placed: Placed, stages: tuple[str, ...], parts: Sequence[Indices]) -> list[Rescued]:
        """Return the result of each part; its rows are those of areas, then points."""
        size = len(placed.areas)
        jobs = [
            Part(
                stages,
                placed.folders,
                placed.areas[rows[rows < size]],
                placed.points[rows[rows >= size] - size],
                _changed(placed.state, rows[rows < size]),
                placed.beside,
                placed.past,
                self._config,
                placed.state.working_crs,
                placed.state.today,
                len(parts) == 1,
                str(self.new_folder()),
            )
            for rows in parts
        ]
        return [
            rescued(job, settle) if isinstance(result, Lost) else Rescued(result)
            for job, result in zip(jobs, self._executor.map(settle, jobs), strict=True)
        ]


def _boxes(state: State) -> NDArray[np.float64]:
    """Return the boxes of areas and points (west, south, east, north in m)."""
    return np.vstack([boxes_of(state.features), shapely.bounds(state.reference.geometry).reshape(-1, 4)])


def _alike(state: State) -> list[NDArray[np.int64]]:
    """Return numbers of records that are versions of one: rows with the same id of the operator's."""
    column = state.features.table["record_id"].combine_chunks().dictionary_encode()
    numbers = column.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    points = np.full(len(state.reference), -1, dtype=np.int64)
    return [np.concatenate([numbers, points])]


def _changed(state: State, rows: Indices) -> dict[str, pa.ChunkedArray]:
    """Return the columns of some areas that are others now than in the files."""
    return {name: column.take(pa.array(rows)) for name, column in state.features.table.own.items()}


def _together(placed: Placed, results: Sequence[Rescued]) -> Found:
    """Put what the parts have left together."""
    state = placed.state
    settled = [read_state(Path(item.result)) for item in results]
    added = {
        item.name: [frame for part in settled if len(frame := getattr(part, item.name))]
        for item in fields(State)
        if isinstance(getattr(state, item.name), Frame)
    }
    stands = np.concatenate([no_rows(), *(rows_of(item.result).areas for item in results)])
    areas = np.concatenate([no_rows(), *(item.areas for item in results)])
    points = np.concatenate([no_rows(), *(item.points for item in results)])
    whole = replace(placed, state=state.adding(**added))
    rest = whole.without(np.setdiff1d(placed.areas, stands), points)
    return Found(rest.in_order(), areas, points)
