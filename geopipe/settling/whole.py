"""All records: settled in parts, around what earlier deliveries left, as if settled at once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.config import Config
from geopipe.errors import OutputError
from geopipe.io.store import write_state
from geopipe.policies import Policy
from geopipe.schema import Indices, State
from geopipe.settling.divided import Division, Placed
from geopipe.settling.executors import Executor
from geopipe.settling.left_out import earlier_left_out, left_out
from geopipe.settling.part import forget_records
from geopipe.steps import STEPS_OF_PARTS, advance, in_order

_EARLIER = "earlier"
# What no stage of a part looks at, and what fills most of a record.
_HEAVY = ("attributes", "source_geometry")


def settle_in_parts(
    state: State,
    deliveries: Sequence[Path],
    config: Config,
    policy: Policy,
    executor: Executor,
    shared: Path,
    progress: Callable[[str], None],
) -> State:
    """Settle the records of prepared deliveries through an executor whose workers see the folder `shared`.

    Parameters
    ----------
    state : State
        After `check`, perhaps with what earlier deliveries left in force.
    deliveries : sequence of Path
        Folders of the prepared deliveries, in the order of the rows of `state`.

    Returns
    -------
    State
        What the stages `deduplicate` to `overlaps` give for all records at once.
    """
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=shared, ignore_cleanup_errors=True) as folder:
        whole = _Whole(config, policy, executor, Path(folder).resolve(), progress)
        placed = Placed.of(state, deliveries)
        try:
            settled = whole.at_once(placed) if _is_alone(state) else whole.around_history(placed)
            return in_order(settled)
        finally:
            forget_records()


def _is_alone(state: State) -> bool:
    """Say whether a state is nothing but its deliveries: no earlier ones, no copies of them elsewhere."""
    one_truth = state.features.values("role") in (["operator"], [])
    return one_truth and not len(state.previous) and not len(state.carried_before)


class _Whole:
    """Passes over all records, and what comes between them."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        executor: Executor,
        folder: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._config, self._policy, self._folder, self._progress = config, policy, folder, progress
        self._division = Division(config, policy, executor, folder)

    def at_once(self, placed: Placed) -> State:
        """Settle records that nothing earlier is known of: one pass."""
        self._progress("overlaps")
        found = self._division.done(placed, tuple(STEPS_OF_PARTS))
        return left_out(found.placed.state, *placed.records_at(found.areas, found.points))

    def around_history(self, placed: Placed) -> State:
        """Settle records in two passes: what stands is held against what was in force, then measured.

        A record that kills whoever measures it has gone back before the run is held against the past: so its
        last good version stays. One that does so only in the second pass lets all begin again without it.
        """
        own = len(placed.areas)
        while True:
            self._progress("deduplicate")
            first = self._division.done(placed, ("deduplicate",))
            lost = placed.records_at(first.areas, first.points)
            placed = _told(placed, first.areas, first.points)
            self._progress("history")
            held = advance(left_out(first.placed.state, *lost), "history", self._config, self._policy)
            self._progress("overlaps")
            with_earlier = self._with_earlier(held, placed, own)
            second = self._division.done(with_earlier, ("overlaps",))
            if not len(second.points) and not (second.areas < own).any():
                earlier, _ = with_earlier.records_at(second.areas, second.points)
                return earlier_left_out(second.placed.state, earlier)
            placed = _told(placed, second.areas, second.points)

    def _with_earlier(self, held: State, placed: Placed, own: int) -> Placed:
        """Write down what came from earlier deliveries, and place it behind the `own` areas of this run."""
        folder = self._folder / _EARLIER
        light = {
            name: pa.nulls(len(held.earlier), held.earlier.table.schema.field(name).type) for name in _HEAVY
        }
        earlier = held.earlier.with_columns(light)
        try:
            write_state(folder, State(features=earlier, copies=held.copies, working_crs=held.working_crs))
        except OSError as error:
            remedy = "Free some space there, or set TMPDIR to another folder."
            raise OutputError(f"the parts cannot be written ({error})", str(folder.parent), remedy) from error
        known = [frame.table["row_id"].combine_chunks() for frame in (placed.state.features, held.earlier)]
        at = pc.index_in(held.features.table["row_id"], pa.chunked_array(known)).to_numpy().astype(np.intp)
        rows: Indices = np.concatenate([placed.areas, own + np.arange(len(held.earlier))])
        return Placed(held, (*placed.folders, str(folder)), rows[at], placed.points)


def _told(placed: Placed, areas: Indices, points: Indices) -> Placed:
    """Return the same without some records, which go back."""
    rest = placed.without(areas, points)
    return replace(rest, state=left_out(rest.state, *placed.records_at(areas, points)))
