"""Records that kill whoever measures them: they go back to their sender, and hazard stays on the map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geopipe.catalogue import severity_of
from geopipe.lineages.told_changes import of_earlier_delivery
from geopipe.schema import Frame, Mask, State, findings_about, rejected_of
from geopipe.terms import POSSIBLE_HAZARD_KINDS
from geopipe.unresolved import unresolved_of

CODE = "NOT_SETTLED"
SENTENCE = (
    "Measuring this record against others stops the program, so it is not compared. Please send it again."
)
_OF_FILE = "{}: records of this file stop the program when they are measured. Look at the returned ones."
_OF_EARLIER = (
    "Measuring this record of an earlier delivery against others stops the program, so it is not compared"
)

_GIVEN_UP = "This record of an earlier delivery is hazard no longer, as it was decided"


def left_out(state: State, areas: Frame, points: Frame) -> State:
    """Tell of records of this run that could not be settled: each goes back, and hazard stays on the map.

    Parameters
    ----------
    state : State
        Without these records. Earlier deliveries that hold the very same rows leave nothing in force that
        could be held against anything.
    areas, points : Frame
        The records.
    """
    if not len(areas) and not len(points):
        return state
    files = {*areas.values("file"), *points.values("file")}
    ids = areas.values("row_id")
    told = replace(
        state,
        previous=state.previous.take(~state.previous.flags("row_id", ids)),
        carried_before=state.carried_before.take(~state.carried_before.flags("row_id", ids)),
        deliveries=tuple(
            replace(item, problems=(*item.problems, (CODE, _OF_FILE.format(item.file))))
            if item.file in files and CODE not in dict(item.problems)
            else item
            for item in state.deliveries
        ),
    )
    records = [frame for frame in (areas, points) if len(frame)]
    return told.adding(
        rejected=[rejected_of(frame, CODE, SENTENCE) for frame in records],
        unresolved=[_drawn(frame, SENTENCE) for frame in records],
        findings=[findings_about(frame, CODE, severity_of(CODE), SENTENCE) for frame in records],
    )


def earlier_left_out(state: State, records: Frame) -> State:
    """Tell of records of earlier deliveries that could not be measured: nobody sends them again.

    What was carried on stays `carried`, so that the next run tries again. Hazard is drawn anew: what was
    drawn of it beside an area leaves the map with the area.
    """
    if not len(records):
        return state
    about = of_earlier_delivery(records)
    return state.adding(
        unresolved=[_drawn(about, _OF_EARLIER)],
        findings=[findings_about(about, CODE, severity_of(CODE), _OF_EARLIER)],
    )


def keep_unheld(state: State, records: Frame) -> State:
    """Keep records of earlier deliveries that a run could not be held against: what became of them is open.

    Hazard is carried on to the next run, and drawn in this one, until people give up exactly this ground.
    """
    decided = _are_given_up(state, records)
    gone, left = records.take(decided), records.take(~decided)
    hazard = left.take(left.flags("kind", sorted(POSSIBLE_HAZARD_KINDS)))
    code = "HAZARD_GIVEN_UP_BY_DECISION"
    told = findings_about(of_earlier_delivery(gone), code, severity_of(code), _GIVEN_UP)
    kept = state.adding(earlier=[hazard], carried=[hazard], findings=[told])
    return earlier_left_out(kept, left)


def _are_given_up(state: State, records: Frame) -> Mask:
    """Say which records people have given up, ground and all; nothing is measured for it."""
    whole = state.given_up.take(~state.given_up.numpy("stays_hazard").astype(bool))
    decided = set(zip(whole.table["version_id"].to_pylist(), whole.wkb().to_pylist(), strict=True))
    own = zip(records.table["version_id"].to_pylist(), records.wkb().to_pylist(), strict=True)
    return np.array([one in decided for one in own], dtype=bool)


def _drawn(records: Frame, sentence: str) -> Frame:
    size = len(records)
    return unresolved_of(records, np.full(size, CODE, dtype=object), np.full(size, sentence, dtype=object))
