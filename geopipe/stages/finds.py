"""Finds: points where something explosive was found, against the land that is called released."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import shapely

from geopipe.config import Vocabulary
from geopipe.recognition import fold_tight, map_values
from geopipe.schema import Frame, Indices, Mask, State, findings_about
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Severity


def finds(state: State, vocabulary: Vocabulary) -> State:
    """Hold danger points against areas: on released land an alarm, outside every hazard area a note.

    Parameters
    ----------
    state : State
        `features` and `reference` in one CRS.
    vocabulary : Vocabulary
        `danger_points`: the point types that count.

    Returns
    -------
    State
        With findings FIND_ON_RELEASED_LAND (alarm: found after completion), FIND_DATE_UNKNOWN
        (check: on released land, order not known) and FIND_OUTSIDE_HAZARD (note).
    """
    words = {fold_tight(word) for word in vocabulary.danger_points}
    danger = map_values(
        state.reference.table["point_type"], lambda text: fold_tight(text) in words, pa.bool_()
    )
    points = state.reference.take(np.asarray(danger.fill_null(False)))
    if len(points) == 0:
        return state
    released = state.features.take(state.features.flags("kind", sorted(RELEASED_KINDS)))
    hazard = state.features.take(state.features.flags("kind", sorted(HAZARD_KINDS)))
    point, area = shapely.STRtree(released.geometry).query(points.geometry, predicate="intersects")
    found = points.numpy("date_found").astype("datetime64[D]")[point]
    completed = released.numpy("date_completed").astype("datetime64[D]")[area]
    after = found > completed
    unknown = np.isnat(found) | np.isnat(completed)
    inside_hazard = np.zeros(len(points), dtype=bool)
    inside_hazard[shapely.STRtree(hazard.geometry).query(points.geometry, predicate="intersects")[0]] = True
    outside = points.take(~inside_hazard)
    note = findings_about(outside, "FIND_OUTSIDE_HAZARD", Severity.NOTE, "A find outside every hazard area")
    return replace(state).adding(
        findings=[
            _on_released(points, released, point, area, after, "FIND_ON_RELEASED_LAND", Severity.ALARM,
                         "Found after this land was released"),
            _on_released(points, released, point, area, unknown, "FIND_DATE_UNKNOWN", Severity.CHECK,
                         "Found on released land; whether before or after the release is not known"),
            note,
        ]
    )  # fmt: skip


def _on_released(
    points: Frame, released: Frame, point: Indices, area: Indices, which: Mask, code: str,
    severity: Severity, sentence: str,
) -> Frame:  # fmt: skip
    """Tell of each find together with the released record that it lies on."""
    other = released.table["record_id"].take(pa.array(area[which]))
    ground = released.geometry[area[which]]
    return findings_about(
        points.take(point[which]), code, severity, sentence, other_id=other, geometry=ground
    )
