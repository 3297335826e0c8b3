"""Handover: hazard areas that several releases together cover wholly, but whose status still says open."""

from __future__ import annotations

import pyarrow.compute as pc
import shapely

from geopipe.catalogue import severity_of
from geopipe.policies import Policy
from geopipe.schema import State, findings_about
from geopipe.terms import Status


def handover(state: State, policy: Policy) -> State:
    """Tell of open hazard areas whose ground was wholly released since, piece by piece.

    A single release that covers its hazard is a finding of the pair (status_not_updated).

    Parameters
    ----------
    state : State
        With `overlaps` and `remaining`; all in the working CRS (m).
    policy : Policy
        What sticks out by less than `cover_tolerance_m` is released.

    Returns
    -------
    State
        With findings STATUS_NOT_UPDATED.
    """
    left = state.remaining
    rows = pc.index_in(left.table["hazard_row_id"], state.features.table["row_id"].combine_chunks())
    records = state.features.take(rows.to_numpy().astype(int))
    told = state.overlaps.take(state.overlaps.flags("finding", ["status_not_updated"]))
    by_one = left.flags("hazard_row_id", [*told.values("left_row_id"), *told.values("right_row_id")])
    several = left.numpy("releases") > 1
    released = left.numpy("remaining_m2") <= policy.cover_tolerance_m * shapely.length(records.geometry)
    still_open = left.flags("status", [Status.OPEN, Status.WORKED_ON])
    sentence = "Several releases together cover this hazard wholly, but its status is still open"
    code = "STATUS_NOT_UPDATED"
    done = records.take(several & released & still_open & ~by_one)
    return state.adding(findings=[findings_about(done, code, severity_of(code), sentence)])
