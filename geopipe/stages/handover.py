"""Handover: hazard areas that several releases together cover wholly, but whose status still says open."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import shapely

from geopipe.catalogue import severity_of
from geopipe.config import Policy
from geopipe.geometry import overlaid
from geopipe.schema import State, findings_about
from geopipe.terms import HAZARD_KINDS, Status

# A single release that covers its hazard is a finding of the pair (status_not_updated).
_SEVERAL = 2


def handover(state: State, policy: Policy) -> State:
    """Tell of open hazard areas whose ground was wholly released since, piece by piece.

    Parameters
    ----------
    state : State
        With `overlaps`; all in the working CRS (m).
    policy : Policy
        What sticks out by less than `cover_tolerance_m` is released.

    Returns
    -------
    State
        With findings STATUS_NOT_UPDATED.
    """
    pairs = state.overlaps.take(state.overlaps.flags("finding", ["expected_release"]))
    hazard_left = pairs.flags("left_kind", sorted(HAZARD_KINDS))
    hazard = pc.if_else(hazard_left, pairs.table["left_row_id"], pairs.table["right_row_id"])
    rows = pc.index_in(hazard, state.features.table["row_id"].combine_chunks()).to_numpy(zero_copy_only=False)
    still_open = state.features.flags("status", [Status.OPEN, Status.WORKED_ON])
    done = []
    for row in (
        np.flatnonzero(np.bincount(rows, minlength=len(state.features)) >= _SEVERAL) if len(rows) else []
    ):
        released = overlaid(shapely.union_all, pairs.geometry[rows == row])
        area = state.features.geometry[row]
        left_m2 = shapely.area(area) - shapely.area(released)
        if still_open[row] and left_m2 <= policy.cover_tolerance_m * shapely.length(area):
            done.append(row)
    records = state.features.take(np.array(done, dtype=np.intp))
    sentence = "Several releases together cover this hazard wholly, but its status is still open"
    code = "STATUS_NOT_UPDATED"
    return state.adding(findings=[findings_about(records, code, severity_of(code), sentence)])
