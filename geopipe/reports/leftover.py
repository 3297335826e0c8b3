"""What releases have left over, in figures: strips between them, and remaining hazard area."""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
import shapely

from geopipe.geometry import overlaid
from geopipe.schema import Frame, State
from geopipe.terms import HAZARD_KINDS, Status


def gap_figures(gaps: Frame) -> dict[str, Any]:
    """Return how many strips no release covers; ground of two hazard areas is counted once."""
    inside = gaps.table["hazard_id"].is_valid().to_numpy(zero_copy_only=False)
    ground = overlaid(shapely.union_all, gaps.geometry[inside]) if inside.any() else shapely.Polygon()
    of_two = np.array([", " in names for names in gaps.table["neighbour_operators"].to_pylist()], dtype=bool)
    return {
        "in_hazard": int(inside.sum()),
        "ground_m2": float(ground.area),
        "hazard_areas": len(gaps.take(inside).values("hazard_row_id")),
        "in_hazard_between_operators": int((inside & of_two).sum()),
        "in_closed_hazard": int((inside & gaps.flags("status", [Status.CLOSED])).sum()),
        "outside_hazard_between_operators": int((~inside).sum()),
    }


def remaining_figures(state: State) -> dict[str, dict[str, float]]:
    """Return per kind of hazard what releases have left, record by record; without a release all is left."""
    result = {}
    for kind in sorted(HAZARD_KINDS):
        area_m2 = state.features.numpy("area_m2")[state.features.flags("kind", [kind])]
        rows = state.remaining.take(state.remaining.flags("kind", [kind]))
        if not len(area_m2):
            continue
        reported_m2, released_m2 = fsum(area_m2), fsum(rows.numpy("released_m2"))
        closed = rows.take(rows.flags("status", [Status.CLOSED]))
        result[str(kind)] = {
            "records": len(area_m2),
            "with_release": len(rows),
            "reported_m2": reported_m2,
            "released_m2": released_m2,
            "remaining_m2": reported_m2 - released_m2,
            "closed_remaining_m2": fsum(closed.numpy("remaining_m2")),
        }
    return result
