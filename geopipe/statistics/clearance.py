"""How cleared land was cleared: to what depth, once or again, finished or in progress."""

from __future__ import annotations

import numpy as np

from geopipe.schema import Frame, Mask
from geopipe.statistics.ground import Ground
from geopipe.terms import Status

# Figures of cleared land; the three depths add up to the ground covered, the others are parts of it.
FIGURES = (
    "full_depth_m2",
    "surface_only_m2",
    "depth_unknown_m2",
    "cleared_again_same_operator_m2",
    "cleared_again_other_operator_m2",
    "in_progress_m2",
)


def clearance_masks(areas: Frame, ground: Ground, full_depth_cm: float) -> dict[str, Mask]:
    """Return for each figure the faces that belong to it.

    Ground counts as cleared to full depth where one of its records says so, as of unknown depth where another
    one says nothing (or a depth below zero), else as cleared on the surface only. It is in progress where a
    record says that work goes on and none says that it is finished.
    """
    faces = ground.faces
    depth_cm = areas.numpy("clearance_depth_cm").astype(float)
    stated = depth_cm >= 0
    full = _any_claim(ground, stated & (depth_cm >= full_depth_cm))
    unknown = ~full & _any_claim(ground, ~stated)
    again = faces.claims > 1
    at_work = _any_claim(ground, areas.flags("status", [Status.OPEN, Status.WORKED_ON]))
    finished = _any_claim(ground, areas.flags("status", [Status.CLOSED]))
    masks = (
        full,
        ~full & ~unknown,
        unknown,
        again & ~ground.many_operators,
        again & ground.many_operators,
        at_work & ~finished,
    )
    return dict(zip(FIGURES, masks, strict=True))


def _any_claim(ground: Ground, record: Mask) -> Mask:
    """Say on which faces one of the claiming records is marked."""
    marked = np.zeros(len(ground.faces.m2), dtype=bool)
    marked[ground.faces.face[record[ground.faces.row]]] = True
    return marked
