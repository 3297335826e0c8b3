"""All records held against what was in force before: by a worker, which may die of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io.store import read_state, write_state
from geopipe.schema import Frame, Indices, State, concat
from geopipe.settling.divided import Placed
from geopipe.settling.part import Rows, no_room_for_parts, rows_of
from geopipe.settling.rescue import Rescued

# What no comparison looks at, and what fills much of a record.
_HEAVY = "source_geometry"


@dataclass(frozen=True)
class Held:
    """What came of holding a run against the past.

    `state` is what the stage `history` makes; `areas` are the rows, in the files, of records of this run that
    kill whoever compares them, and `past` records of earlier deliveries that do.
    """

    state: State
    areas: Indices
    past: Frame


def held_against_past(placed: Placed, hold: Callable[[Placed, str], Rescued], folder: Path) -> Held:
    """Run the stage `history` over records after `deduplicate`, in a worker.

    Parameters
    ----------
    placed : Placed
    hold : callable
        Lets a worker run a stage over all records: see :meth:`geopipe.settling.divided.Division.as_one`.
    folder : Path
        For what the worker needs beside the records of this run.
    """
    state = placed.state
    past = concat([state.previous, state.carried_before])
    beside = State(
        deliveries=state.deliveries,
        rejected=state.rejected,
        duplicates=state.duplicates,
        previous=_light(state.previous),
        carried_before=_light(state.carried_before),
        given_up=state.given_up,
    )
    try:
        write_state(folder, beside)
    except OSError as error:
        raise no_room_for_parts(error, folder) from error
    asked = replace(placed, beside=str(folder), past=np.arange(len(past)))
    done = hold(asked, "history")
    found, rows = read_state(Path(done.result)), rows_of(done.result)
    held = replace(_with_earlier(placed, past, rows), changes=found.changes, copies=found.copies).adding(
        findings=[found.findings], duplicates=[found.duplicates]
    )
    return Held(held, done.areas, past.take(done.past))


def _light(records: Frame) -> Frame:
    kind = records.table.schema.field(_HEAVY).type
    return records.with_columns({_HEAVY: pa.nulls(len(records), kind)})


def _with_earlier(placed: Placed, past: Frame, rows: Rows) -> State:
    """Return the state with the records of the past that stay on the map."""
    state, nothing = placed.state, State().previous
    own = state.features.take(np.isin(placed.areas, rows.areas))
    areas = concat([own, past.take(rows.earlier_areas)])
    order = pc.sort_indices(areas.table["row_id"]).to_numpy().astype(np.intp)
    return replace(
        state,
        features=areas.take(order),
        earlier=past.take(rows.earlier),
        carried=past.take(rows.carried),
        previous=nothing,
        carried_before=nothing,
    )


def behind_own(held: State, placed: Placed, own: int, folder: Path) -> Placed:
    """Write down what came from earlier deliveries, and place it behind the `own` areas of this run.

    Parameters
    ----------
    held : State
        After `history`.
    placed : Placed
        All records of this run that may be among its areas.
    own : int
        How many areas the files of this run hold.
    folder : Path
        For what workers need beside the records of this run.
    """
    try:
        write_state(folder, State(features=_light(held.earlier), copies=held.copies))
    except OSError as error:
        raise no_room_for_parts(error, folder) from error
    known = [frame.table["row_id"].combine_chunks() for frame in (placed.state.features, held.earlier)]
    at = pc.index_in(held.features.table["row_id"], pa.chunked_array(known)).to_numpy().astype(np.intp)
    rows = np.concatenate([placed.areas, own + np.arange(len(held.earlier))])
    return Placed(held, (*placed.folders, str(folder)), rows[at], placed.points, str(folder))
