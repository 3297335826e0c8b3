"""The order of the stages after reading, and what each needs of the configuration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe import scope
from geopipe.config import Config, load_vocabulary
from geopipe.coordinates.proposals import proposer
from geopipe.coverage import added_up
from geopipe.engine.find import Engine
from geopipe.engine.known import KnownPairs
from geopipe.history import hold_against, with_copies, with_history
from geopipe.location.places import Places, load_places
from geopipe.periods import day_here
from geopipe.policies import Policy
from geopipe.schema import (
    CHANGES,
    COPIES,
    FEATURES,
    GAPS,
    OVERLAPS,
    REMAINING,
    Frame,
    State,
    check,
    empty_frame,
)
from geopipe.stages import check as checking
from geopipe.stages import locate as locating
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.displaced import displaced
from geopipe.stages.finds import finds
from geopipe.stages.gaps import gaps
from geopipe.stages.handover import handover
from geopipe.stages.overlaps import overlaps
from geopipe.stages.remaining import remaining
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate

Step = Callable[[State, Config, Policy], State]


def today(config: Config) -> dt.date:
    """Return the day that a run takes for today: the configured one, else the one that it is here."""
    return config.today or day_here(dt.datetime.now(dt.UTC))


def places_of(config: Config) -> Places:
    """Return the provinces and districts of a run: the user's own file, else Laos."""
    if config.places is None:
        return load_places()
    own = config.places
    return load_places(own.file, own.code_field, own.name_field, own.parent_field)


def _validate(state: State, config: Config, policy: Policy) -> State:
    return validate(state, proposer(places_of(config), policy.near_border_m), config.limits.points)


def _locate(state: State, config: Config, policy: Policy) -> State:
    return displaced(locating.locate(state, places_of(config), policy))


def _locate_across(state: State, config: Config, _policy: Policy) -> State:
    located = locating.across(state)
    return located if scope.DISPLACED in scope.not_looked_for(config.layers) else displaced(located)


def _check(state: State, config: Config, policy: Policy) -> State:
    return checking.check(state, policy, load_vocabulary(), today(config))


def _check_across(state: State, config: Config, policy: Policy) -> State:
    if scope.CHECKS in scope.not_looked_for(config.layers):
        return state
    return checking.across(state, policy, load_vocabulary(), today(config))


def of_delivery(state: State, config: Config, policy: Policy) -> State:
    """Locate and check one delivery, as far as that needs no other delivery and no clock."""
    located = locating.of_delivery(state, places_of(config), policy)
    if scope.CHECKS in scope.not_looked_for(config.layers):
        return located
    return checking.of_delivery(located, policy, load_vocabulary())


def _history(state: State, _config: Config, policy: Policy) -> State:
    """Hold a run against what earlier deliveries left in force, and against the national database."""
    if len(state.previous) or len(state.carried_before):
        found = hold_against(state, state.previous, state.carried_before, policy, policy.lineage_share)
        state = replace(with_history(state, found), changes=found.changes)
    nothing = empty_frame(FEATURES)
    settled = with_copies(replace(state, previous=nothing, carried_before=nothing), policy)
    return replace(settled.state, copies=settled.copies)


def _overlaps(state: State, config: Config, policy: Policy) -> State:
    return in_order(_found(state, config, policy))


def _found(state: State, config: Config, policy: Policy) -> State:
    """Measure pairs, then what follows from them for hazard areas and for points."""
    rules = f"{state.working_crs} {policy.very_thin.width_m}"
    known = KnownPairs(config.known_pairs, rules) if config.known_pairs else None
    state = overlaps(state, policy, Engine(known))
    left_out = scope.not_looked_for(config.layers)
    if scope.REMAINING not in left_out:
        state = handover(remaining(state), policy)
    if scope.GAPS not in left_out:
        state = gaps(state, policy)
    if scope.FINDS not in left_out:
        state = finds(state, load_vocabulary())
    return state


def in_order(state: State) -> State:
    """Sort what was told of records by what it says: which delivery was worked on first shows nowhere."""
    findings = state.findings.sorted_by(
        "code", "file", "layer", "row", "record_id", "other_id", "sentence", "measure"
    )
    rejected = state.rejected.sorted_by("file", "layer", "row", "reason", "sentence")
    unresolved = state.unresolved.sorted_by(
        "file", "layer", "row", "reason", "position", "sentence", "record_id", "row_id"
    )
    duplicates = state.duplicates.sorted_by("file", "layer", "row", "row_id")
    return replace(
        state,
        findings=findings,
        rejected=rejected,
        unresolved=unresolved,
        duplicates=duplicates,
        overlaps=state.overlaps.sorted_by("left_id", "right_id", "left_row_id", "right_row_id"),
        coverage=added_up(state.coverage),
        gaps=_gaps_in_order(state.gaps),
        remaining=state.remaining.sorted_by("hazard_row_id"),
    )


def _gaps_in_order(gaps: Frame) -> Frame:
    """Sort strips by the row of their hazard, those outside all hazard last, then from west to east."""
    sides = {f"at_{number}": pa.array(side) for number, side in enumerate(shapely.bounds(gaps.geometry).T)}
    keys = pa.table({"hazard": gaps.table["hazard_row_id"], **sides})
    return gaps.take(pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]).to_numpy())


# Every stage after reading, in order: what it is called, and what it does.
STEPS: dict[str, Step] = {
    "validate": _validate,
    "reproject": reproject,
    "locate": _locate,
    "check": _check,
    "deduplicate": lambda state, _config, policy: deduplicate(state, policy),
    "history": _history,
    "overlaps": _overlaps,
}
STAGES = ("ingest", *STEPS)
# The stages after `of_delivery` has been done for each delivery, in order.
STEPS_ACROSS = {
    "locate": _locate_across,
    "check": _check_across,
    **{name: STEPS[name] for name in STAGES[STAGES.index("check") + 1 :]},
}

# The stages after `check` as worker processes do them. `deduplicate` and `overlaps` may be done for parts of
# the records that have nothing to do with each other; `in_order` ends it.
STEPS_OF_WORKERS: dict[str, Step] = {
    "deduplicate": STEPS["deduplicate"],
    "history": STEPS["history"],
    "overlaps": _found,
}


def advance(
    state: State, stage: str, config: Config, policy: Policy, steps: Mapping[str, Step] = STEPS
) -> State:
    """Run one stage after ingest, and check the frames that it leaves."""
    done = steps[stage](state, config, policy)
    check(done.features, FEATURES, f"features after {stage}")
    check(done.overlaps, OVERLAPS, f"overlaps after {stage}")
    check(done.gaps, GAPS, f"gaps after {stage}")
    check(done.remaining, REMAINING, f"remaining after {stage}")
    check(done.changes, CHANGES, f"changes after {stage}")
    check(done.copies, COPIES, f"copies after {stage}")
    done.forget()
    return done
