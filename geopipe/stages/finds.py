"""Finds: points where something explosive was found, against the land that is called released."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.catalogue import severity_of
from geopipe.config import Vocabulary
from geopipe.recognition import point_meanings
from geopipe.schema import Frame, Indices, Mask, State, findings_about
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS


def finds(state: State, vocabulary: Vocabulary) -> State:
    """Hold points against areas: on released land an alarm, outside every hazard area a note.

    Parameters
    ----------
    state : State
        `features` and `reference` in one CRS.
    vocabulary : Vocabulary
        `danger_points` and `harmless_points`: words of point types.

    Returns
    -------
    State
        With findings FIND_ON_RELEASED_LAND (alarm: found after completion), FIND_DATE_UNKNOWN (check:
        on released land, order not known, or the same day), POINT_ON_RELEASED_LAND (check: a point of
        unknown type) and FIND_OUTSIDE_HAZARD (note).
    """
    meaning = point_meanings(state.reference.table["point_type"], vocabulary)
    points = state.reference.take(meaning != "harmless")
    danger = meaning[meaning != "harmless"] == "danger"
    if len(points) == 0:
        return state
    released = state.features.take(state.features.flags("kind", sorted(RELEASED_KINDS)))
    point, area = shapely.STRtree(released.geometry).query(points.geometry, predicate="intersects")
    before, after, unknown = _order(points, released, point, area)
    return state.adding(
        findings=[
            _on_released(points, released, point, area, danger[point] & after, "FIND_ON_RELEASED_LAND",
                         "Found after this land was released"),
            _on_released(points, released, point, area, danger[point] & unknown, "FIND_DATE_UNKNOWN",
                         "Found on released land; before or after the release is not known"),
            _on_released(points, released, point, area, ~danger[point] & ~before, "POINT_ON_RELEASED_LAND",
                         "A point of unknown type lies on released land; is it a find?"),
            _outside(points.take(danger), state.features),
        ]
    )  # fmt: skip


def _order(points: Frame, released: Frame, point: Indices, area: Indices) -> tuple[Mask, Mask, Mask]:
    """Return for each pair whether the point is from before the release, after it, or that is not known."""
    found: NDArray[np.datetime64] = points.numpy("date_found").astype("datetime64[D]")[point]
    completed = released.numpy("date_completed").astype("datetime64[D]")[area]
    before, after = found < completed, found > completed
    return before, after, ~before & ~after


def _on_released(
    points: Frame, released: Frame, point: Indices, area: Indices, which: Mask, code: str,
    sentence: str,
) -> Frame:  # fmt: skip
    """Tell of each point together with the released record that it lies on."""
    other = released.table["record_id"].take(pa.array(area[which]))
    ground = released.geometry[area[which]]
    return findings_about(
        points.take(point[which]), code, severity_of(code), sentence, other_id=other, geometry=ground
    )


def _outside(points: Frame, areas: Frame) -> Frame:
    """Tell of finds that lie outside every hazard area."""
    hazard = areas.geometry[areas.flags("kind", sorted(HAZARD_KINDS))]
    inside = np.zeros(len(points), dtype=bool)
    inside[shapely.STRtree(hazard).query(points.geometry, predicate="intersects")[0]] = True
    outside = points.take(~inside)
    code = "FIND_OUTSIDE_HAZARD"
    return findings_about(outside, code, severity_of(code), "A find outside every hazard area")
