"""Some records, or all, taken through one stage or several; this runs in a worker process."""

from __future__ import annotations

import datetime as dt
import platform
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.codestamp import code_stamp
from geopipe.config import Config
from geopipe.errors import ConfigError, OutputError
from geopipe.io.memory import lift_own_limits
from geopipe.io.store import read_frames, read_state, write_state
from geopipe.policies import load_policy
from geopipe.schema import Frame, Indices, State, concat
from geopipe.steps import STEPS_OF_WORKERS, advance
from geopipe.threads import one_thread

_ROWS = "rows.npz"


def no_rows() -> Indices:
    """Return no row at all."""
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class Part:
    """What a worker is told: where the records are, which of them, what to do with them, and where to write.

    `areas` and `points` are rows of the records in all `folders`, one after the other; `changed` holds
    columns of those areas that became others since they were written there. `stages` are some of
    `STEPS_OF_WORKERS`. `beside` is a folder with what else these need of the state, if anything; `past` are
    rows of its `previous` and `carried_before`, one after the other. A part that is worked on alone may use
    all cores.
    """

    stages: tuple[str, ...]
    folders: tuple[str, ...]
    areas: Indices
    points: Indices
    changed: dict[str, pa.ChunkedArray]
    beside: str
    past: Indices
    config: Config
    working_crs: str
    today: dt.date | None
    is_alone: bool
    result: str
    code: str = field(default_factory=code_stamp)


@dataclass(frozen=True)
class Rows:
    """Which records of a part stand.

    `areas` are rows as in `Part.areas`; `earlier` and `carried` are rows as in `Part.past` of those that stay
    on the map; `earlier_areas` are those of `earlier` that stand among the areas.
    """

    areas: Indices
    earlier: Indices
    carried: Indices
    earlier_areas: Indices


def settle(part: Part) -> str:
    """Take the records of a part through its stages, and leave the outcome in its result folder; return that.

    A part that is settled twice, because a worker was thought lost, gives the same files.
    """
    if part.code != code_stamp():
        raise ConfigError(
            "a worker runs another version of geopipe, or of a library, than the program that asks it",
            platform.node(),
            "Install the same on all machines.",
        )
    lift_own_limits()
    before = state = _state_of(part)
    policy = load_policy(part.config.policy)
    with nullcontext() if part.is_alone else one_thread():
        for stage in part.stages:
            state = advance(state, stage, part.config, policy, STEPS_OF_WORKERS)
    folder = Path(part.result)
    try:
        write_state(folder, _new_in(state, before))
        np.savez(folder / _ROWS, **vars(_rows(part, before, state)))
    except OSError as error:
        raise no_room_for_parts(error, folder.parent) from error
    return part.result


def _state_of(part: Part) -> State:
    """Return the state that the stages begin with."""
    areas, points = _records(part.folders)
    mine = areas.take(part.areas)
    beside = read_state(Path(part.beside)) if part.beside else State()
    is_previous = part.past < len(beside.previous)
    return replace(
        beside,
        features=replace(mine, table=mine.table.replacing(part.changed)),
        reference=points.take(part.points),
        previous=beside.previous.take(part.past[is_previous]),
        carried_before=beside.carried_before.take(part.past[~is_previous] - len(beside.previous)),
        copies=beside.copies.take(beside.copies.is_among("operator_row_id", mine, "row_id")),
        working_crs=part.working_crs,
        today=part.today,
    )


def _new_in(state: State, before: State) -> State:
    """Return what the stages have found."""
    told = ~state.duplicates.is_among("row_id", before.duplicates)
    return State(
        findings=state.findings,
        duplicates=state.duplicates.take(told),
        overlaps=state.overlaps,
        coverage=state.coverage,
        gaps=state.gaps,
        remaining=state.remaining,
        changes=state.changes,
        copies=State().copies if len(before.copies) else state.copies,
        working_crs=state.working_crs,
    )


def _rows(part: Part, before: State, after: State) -> Rows:
    """Say which records stand."""
    known = [frame.table["row_id"].combine_chunks() for frame in (before.previous, before.carried_before)]
    past = pa.chunked_array(known)
    kept = after.earlier.take(after.earlier.is_among("row_id", after.features))
    earlier, carried, earlier_areas = (
        part.past[pc.index_in(frame.table["row_id"].combine_chunks(), past).to_numpy().astype(np.intp)]
        for frame in (after.earlier, after.carried, kept)
    )
    stands = pc.is_in(before.features.table["row_id"], after.features.table["row_id"].combine_chunks())
    return Rows(part.areas[stands.to_numpy().astype(bool)], earlier, carried, earlier_areas)


def rows_of(folder: str) -> Rows:
    """Return which records stand, of a part that is settled."""
    with np.load(Path(folder) / _ROWS) as rows:
        return Rows(**{name: np.asarray(rows[name], dtype=np.intp) for name in rows.files})


def no_room_for_parts(error: OSError, folder: Path) -> OutputError:
    """Return the error for a folder of parts that is full."""
    remedy = "Free some space there, or set TMPDIR to another folder."
    return OutputError(f"the parts cannot be written ({error})", str(folder), remedy)


def forget_records() -> None:
    """Let go of the files of records that this process has looked into."""
    _records.cache_clear()


@lru_cache(maxsize=1)
def _records(folders: tuple[str, ...]) -> tuple[Frame, Frame]:
    """Return areas and points of all folders; what is in the files stays there."""
    frames = [read_frames(Path(folder), ("features", "reference")) for folder in folders]
    nothing = State()
    areas = concat([nothing.features, *(frame["features"] for frame in frames if "features" in frame)])
    points = concat([nothing.reference, *(frame["reference"] for frame in frames if "reference" in frame)])
    return areas, points
