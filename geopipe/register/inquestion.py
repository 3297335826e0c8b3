"""Which areas and overlaps of a run cases are about: what is delivered, each record once."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from geopipe.lineages.lineage import follow
from geopipe.lineages.reading import Reading
from geopipe.register.matching import Pairs
from geopipe.schema import Frame, State


def in_question(state: State, reading: Reading, lineage_share: float) -> Frame:
    """Return the areas that cases are about: what is delivered, each record once.

    Last versions that are carried on are on the map for safety only. Where a whole register came tonight, but
    something else could not be read, nothing is inferred from absence and older records stay on the map as
    well: those that go on in a record of tonight are that record.
    """
    areas = state.features.take(~state.features.is_among("row_id", state.carried))
    is_earlier = areas.is_among("row_id", state.earlier)
    older = np.flatnonzero(is_earlier)
    older = older[reading.in_snapshot(areas.take(older))]
    if not len(older):
        return areas
    found = follow(areas.take(older), areas.take(~is_earlier), lineage_share)
    goes_on = np.isin(found.previous_event, found.current_event)
    goes_on &= found.change[found.previous_event] != "id_reused"
    gone = found.previous.take(goes_on).values("row_id")
    return areas.take(~areas.flags("row_id", gone))


def pairs_among(state: State, areas: Frame) -> tuple[Frame, Pairs]:
    """Return the overlaps among some areas of a state, also as pairs of their rows."""
    ids = areas.table["row_id"].combine_chunks()
    left, right = (
        pc.fill_null(pc.index_in(state.overlaps.table[f"{side}_row_id"], ids), -1).to_numpy().astype(np.intp)
        for side in ("left", "right")
    )
    there = (left >= 0) & (right >= 0)
    return state.overlaps.take(there), Pairs(areas, left[there], right[there])
