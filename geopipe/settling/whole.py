"""All records: divided into parts, settled side by side, and put together as if settled at once."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.config import Config
from geopipe.engine.divide import divide
from geopipe.io.store import read_state
from geopipe.policies import Policy
from geopipe.schema import Frame, State, boxes_of
from geopipe.settling.executors import Executor, Lost
from geopipe.settling.part import Part, forget_records, settle, standing
from geopipe.settling.rescue import Rescued, left_out, rescued
from geopipe.steps import in_order

# Fewer records than this are settled here sooner than anywhere else.
WORTH_DIVIDING = 20_000
_NONE = np.empty(0, dtype=np.intp)


def may_be_divided(state: State, config: Config) -> bool:
    """Say whether a state after `check` can be settled in parts: what is not in the deliveries cannot."""
    is_alone = not len(state.previous) and not len(state.carried_before)
    one_truth = state.features.values("role") in (["operator"], [])
    many = config.executor is not None or len(state.features) >= WORTH_DIVIDING
    return is_alone and one_truth and many


def settle_in_parts(
    state: State, deliveries: Sequence[Path], config: Config, policy: Policy, executor: Executor, shared: Path
) -> State:
    """Settle the records of prepared deliveries through an executor whose workers see the folder `shared`.

    Parameters
    ----------
    state : State
        After `check`, without earlier deliveries and without copies: nothing but these deliveries.
    deliveries : sequence of Path
        Folders of the prepared deliveries, in the order of the rows of `state`.

    Returns
    -------
    State
        What the stages `deduplicate` to `overlaps` give for all records at once.
    """
    areas = len(state.features)
    parts = divide(_boxes(state), policy.gaps.width_m, _alike(state), config.areas_in_a_part)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=shared, ignore_cleanup_errors=True) as folder:
        jobs = [
            Part(
                tuple(str(path.resolve()) for path in deliveries),
                rows[rows < areas],
                rows[rows >= areas] - areas,
                _changed(state, rows[rows < areas]),
                config,
                state.working_crs,
                state.today,
                str(Path(folder).resolve() / str(number)),
            )
            for number, rows in enumerate(parts)
        ]
        try:
            results = [
                rescued(job, settle) if isinstance(result, Lost) else Rescued(result, _NONE, _NONE)
                for job, result in zip(jobs, executor.map(settle, jobs), strict=True)
            ]
            return _together(state, results)
        finally:
            forget_records()


def _boxes(state: State) -> NDArray[np.float64]:
    """Return the boxes of areas and points (west, south, east, north in m)."""
    return np.vstack([boxes_of(state.features), shapely.bounds(state.reference.geometry).reshape(-1, 4)])


def _alike(state: State) -> list[NDArray[np.int64]]:
    """Return numbers of records that are versions of one: rows with the same id of the operator's."""
    column = state.features.table["record_id"].combine_chunks().dictionary_encode()
    numbers = column.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    points = np.full(len(state.reference), -1, dtype=np.int64)
    return [np.concatenate([numbers, points])]


def _changed(state: State, rows: NDArray[np.intp]) -> dict[str, pa.ChunkedArray]:
    """Return the columns of some areas that are others now than in the prepared deliveries."""
    return {name: column.take(pa.array(rows)) for name, column in state.features.table.own.items()}


def _together(state: State, results: Sequence[Rescued]) -> State:
    """Put what the parts have left together, and tell of what was left out."""
    rows = np.concatenate([_NONE, *(standing(item.result) for item in results)])
    settled = [read_state(Path(item.result)) for item in results]
    lost = np.concatenate([_NONE, *(item.areas for item in results)])
    lost_points = np.concatenate([_NONE, *(item.points for item in results)])
    added = {
        item.name: [frame for part in settled if len(frame := getattr(part, item.name))]
        for item in fields(State)
        if isinstance(getattr(state, item.name), Frame) and item.name not in ("features", "reference")
    }
    whole = state.adding(**added)
    if len(lost) or len(lost_points):
        whole = left_out(whole, lost, lost_points)
        stay = np.setdiff1d(np.arange(len(state.reference)), lost_points)
        whole = replace(whole, reference=whole.reference.take(stay))
    kept = state.features.take(np.sort(rows)).sorted_by("row_id")
    return in_order(replace(whole, features=kept))
