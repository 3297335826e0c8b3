"""The ground that changed hands between two deliveries: given up by one, taken in by the other."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.geometry import overlaid, polygon_parts
from geopipe.schema import Frame, Geometries, Indices, Mask
from geopipe.threads import threaded

# Events in which no border can have moved.
_IN_PLACE = ("unchanged", "attributes", "re_issued")


def lost_and_gained(
    change: NDArray[np.object_], previous: Geometries, before: Indices, current: Geometries, after: Indices
) -> tuple[Geometries, Geometries]:
    """Return for each event the ground that only its previous, and that only its current records cover."""
    old, new = unions(previous, before, change), unions(current, after, change)
    lost, gained = old.copy(), new.copy()
    both = np.flatnonzero(~shapely.is_missing(old) & ~shapely.is_missing(new))
    for result, one, other in ((lost, old, new), (gained, new, old)):
        left = polygon_parts(difference(one[both], other[both]))
        left[shapely.is_empty(left)] = None
        result[both] = left
    return lost, gained


def difference(one: Geometries, other: Geometries) -> Geometries:
    """Return what each polygon covers and the other one does not; on several threads."""
    return np.asarray(threaded(lambda a, b: overlaid(shapely.difference, a, b), one, other), dtype=object)


def unions(geometry: Geometries, event: Indices, change: NDArray[np.object_]) -> Geometries:
    """Return the ground of each event's records together; None where nothing can have changed."""
    moved = ~np.isin(change, _IN_PLACE)
    result = np.full(len(change), None, dtype=object)
    rows = np.flatnonzero(moved[event])
    result[event[rows]] = geometry[rows]
    several = np.flatnonzero(np.bincount(event[rows], minlength=len(change)) > 1)
    order = rows[np.argsort(event[rows], kind="stable")]
    starts = np.searchsorted(event[order], several)
    ends = np.searchsorted(event[order], several, side="right")
    for number, start, end in zip(several, starts, ends, strict=True):
        result[number] = overlaid(shapely.union_all, geometry[order[start:end]])
    return result


def areas_m2(ground: Geometries) -> NDArray[np.float64]:
    """Return areas in m2, 0 where there is no ground."""
    return np.nan_to_num(shapely.area(ground), nan=0.0)


def ground_by_event(frame: Frame, event: Indices, rows: Mask, size: int) -> Geometries:
    """Return for each event the ground of some of its records; None where there is none."""
    return unions(frame.geometry[rows], event[rows], np.full(size, "", dtype=object))


def covered(inner: Geometries, outer: Geometries, tolerance_m: float) -> Mask:
    """Say where ground lies in other ground, beyond rounding; nothing covers nothing."""
    result = np.zeros(len(inner), dtype=bool)
    there = np.flatnonzero(~shapely.is_missing(outer) & ~shapely.is_missing(inner))
    result[there] = shapely.covers(shapely.buffer(outer[there], tolerance_m), inner[there])
    return result
