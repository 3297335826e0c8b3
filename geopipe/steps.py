"""The order of the stages after reading, and what each needs of the configuration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from geopipe.config import Config, Policy, load_vocabulary
from geopipe.coordinates.proposals import proposer
from geopipe.history import hold_against, with_copies, with_history
from geopipe.location.places import Places, load_places
from geopipe.schema import CHANGES, COPIES, FEATURES, OVERLAPS, State, check, empty_frame
from geopipe.stages.check import check as check_records
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.displaced import displaced
from geopipe.stages.finds import finds
from geopipe.stages.handover import handover
from geopipe.stages.locate import locate
from geopipe.stages.overlaps import overlaps
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate

Step = Callable[[State, Config, Policy], State]


def today(config: Config) -> dt.date:
    """Return the day that a run takes for today: the configured one, else the clock's."""
    return config.today or dt.datetime.now(dt.UTC).date()


def places_of(config: Config) -> Places:
    """Return the provinces and districts of a run: the user's own file, else Laos."""
    if config.places is None:
        return load_places()
    own = config.places
    return load_places(own.file, own.code_field, own.name_field, own.parent_field)


def _validate(state: State, config: Config, policy: Policy) -> State:
    return validate(state, proposer(places_of(config), policy.near_border_m))


def _locate(state: State, config: Config, policy: Policy) -> State:
    return displaced(locate(state, places_of(config), policy))


def _check(state: State, config: Config, policy: Policy) -> State:
    return check_records(state, policy, load_vocabulary(), today(config))


def _history(state: State, _config: Config, policy: Policy) -> State:
    """Hold a run against what earlier deliveries left in force, and against the national database."""
    if len(state.previous) or len(state.carried_before):
        found = hold_against(state, state.previous, state.carried_before, policy, policy.lineage_share)
        state = replace(with_history(state, found), changes=found.changes)
    nothing = empty_frame(FEATURES)
    settled = with_copies(replace(state, previous=nothing, carried_before=nothing), policy)
    return replace(settled.state, copies=settled.copies)


def _overlaps(state: State, _config: Config, policy: Policy) -> State:
    """Measure pairs, then what follows from them for hazard areas and for points."""
    return finds(handover(overlaps(state, policy), policy), load_vocabulary())


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


def advance(state: State, stage: str, config: Config, policy: Policy) -> State:
    """Run one stage after ingest, and check the frames that it leaves."""
    done = STEPS[stage](state, config, policy)
    check(done.features, FEATURES, f"features after {stage}")
    check(done.overlaps, OVERLAPS, f"overlaps after {stage}")
    check(done.changes, CHANGES, f"changes after {stage}")
    check(done.copies, COPIES, f"copies after {stage}")
    return done
