"""One part of the records, from who stands for whom to overlaps and gaps; this runs in a worker process."""

from __future__ import annotations

import datetime as dt
import platform
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.codestamp import code_stamp
from geopipe.config import Config
from geopipe.errors import ConfigError, OutputError
from geopipe.io.store import read_frames, write_state
from geopipe.policies import load_policy
from geopipe.schema import Frame, Indices, State, concat
from geopipe.steps import STEPS_OF_PARTS, advance
from geopipe.threads import one_thread

_STANDING = "standing.npy"


@dataclass(frozen=True)
class Part:
    """What a worker is told: where the records are, which of them, what to do with them, and where to write.

    `areas` and `points` are rows of the records in all `folders`, one after the other; `changed` holds
    columns of those areas that became others since they were written there. `stages` are some of
    `STEPS_OF_PARTS`.
    """

    stages: tuple[str, ...]
    folders: tuple[str, ...]
    areas: Indices
    points: Indices
    changed: dict[str, pa.ChunkedArray]
    config: Config
    working_crs: str
    today: dt.date | None
    result: str
    code: str = field(default_factory=code_stamp)


def settle(part: Part) -> str:
    """Settle the records of a part, and leave the outcome in its result folder; return that.

    A part that is settled twice, because a worker was thought lost, gives the same files.
    """
    if part.code != code_stamp():
        raise ConfigError(
            "a worker runs another version of geopipe, or of a library, than the program that asks it",
            platform.node(),
            "Install the same on all machines.",
        )
    areas, points, copies = _records(part.folders)
    mine = areas.take(part.areas)
    state = State(
        features=replace(mine, table=mine.table.replacing(part.changed)),
        reference=points.take(part.points),
        copies=copies.take(copies.flags("operator_row_id", mine.values("row_id"))),
        working_crs=part.working_crs,
        today=part.today,
    )
    policy = load_policy(part.config.policy)
    with one_thread():
        for stage in part.stages:
            state = advance(state, stage, part.config, policy, STEPS_OF_PARTS)
    stands = pc.is_in(mine.table["row_id"], state.features.table["row_id"].combine_chunks())
    rows = part.areas[stands.to_numpy().astype(bool)]
    folder = Path(part.result)
    nothing = State(working_crs=state.working_crs)
    found = replace(state, features=nothing.features, reference=nothing.reference, copies=nothing.copies)
    try:
        write_state(folder, found)
        np.save(folder / _STANDING, rows)
    except OSError as error:
        remedy = "Free some space there, or set TMPDIR to another folder."
        raise OutputError(f"the parts cannot be written ({error})", str(folder.parent), remedy) from error
    return part.result


def standing(folder: str) -> Indices:
    """Return the rows of the records that stand, of a part that is settled."""
    return np.asarray(np.load(Path(folder) / _STANDING), dtype=np.intp)


def forget_records() -> None:
    """Let go of the files of records that this process has looked into."""
    _records.cache_clear()


@lru_cache(maxsize=1)
def _records(folders: tuple[str, ...]) -> tuple[Frame, Frame, Frame]:
    """Return areas, points and copies of all folders; what is in the files stays there."""
    nothing = State()
    names = ("features", "reference", "copies")
    found = [read_frames(Path(folder), names) for folder in folders]
    areas, points, copies = (
        concat([getattr(nothing, name), *(frames[name] for frames in found if name in frames)])
        for name in names
    )
    return areas, points, copies
