"""All records: settled in parts, around what earlier deliveries left, as if settled at once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from geopipe.config import Config
from geopipe.policies import Policy
from geopipe.schema import Frame, Indices, State, concat
from geopipe.settling.divided import Division, Placed
from geopipe.settling.executors import Executor
from geopipe.settling.left_out import earlier_left_out, keep_unheld, left_out
from geopipe.settling.part import forget_records, no_rows
from geopipe.settling.past import behind_own, held_against_past
from geopipe.steps import in_order

_AT_ONCE = ("deduplicate", "overlaps")


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
        self._progress = progress
        self._division = Division(config, policy, executor, folder)

    def at_once(self, placed: Placed) -> State:
        """Settle records that nothing earlier is known of: one pass."""
        self._progress("overlaps")
        found = self._division.in_parts(placed, _AT_ONCE)
        return left_out(found.placed.state, *placed.records_at(found.areas, found.points))

    def around_history(self, placed: Placed) -> State:
        """Settle records in two passes: what stands is held against what was in force, then measured.

        A record that kills whoever measures it has gone back before the run is held against the past: so its
        last good version stays. One that does so only later lets all begin again without it.
        """
        own, unheld = placed.state.features, placed.state.previous.take(no_rows())
        while True:
            self._progress("deduplicate")
            first = self._division.in_parts(placed, ("deduplicate",))
            lost = placed.records_at(first.areas, first.points)
            stands = replace(first.placed, state=left_out(first.placed.state, *lost))
            placed = _without(placed, first.areas, first.points)
            self._progress("history")
            held = held_against_past(stands, self._division.as_one, self._division.new_folder())
            unheld = concat([unheld, held.past])
            if len(held.areas):
                placed = _without(placed, held.areas, no_rows(), held.past)
                continue
            self._progress("overlaps")
            with_earlier = behind_own(held.state, placed, len(own), self._division.new_folder())
            second = self._division.in_parts(with_earlier, ("overlaps",))
            if not len(second.points) and not (second.areas < len(own)).any():
                break
            placed = _without(placed, second.areas, second.points, held.past)
        state = second.placed.state
        if len(unheld):
            # What this run has read itself it does not leave to earlier deliveries.
            unheld = unheld.take(~unheld.is_among("row_id", own))
            state = keep_unheld(state, unheld)
        return earlier_left_out(state, with_earlier.records_at(second.areas, second.points)[0])


def _without(placed: Placed, areas: Indices, points: Indices, past: Frame | None = None) -> Placed:
    """Return the same without some records, which go back, and without some of earlier deliveries."""
    rest = placed.without(areas, points)
    state = left_out(rest.state, *placed.records_at(areas, points))
    if past is not None and len(past):
        ids = past.values("row_id")
        previous, carried = (
            frame.take(~frame.flags("row_id", ids)) for frame in (state.previous, state.carried_before)
        )
        state = replace(state, previous=previous, carried_before=carried)
    return replace(rest, state=state)
