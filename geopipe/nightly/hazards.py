"""What becomes of the hazard in deliveries that are not read: if its ground is still hazard on the map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from pathlib import Path

import numpy as np
import shapely

from geopipe.errors import GeopipeError
from geopipe.geometry import overlaid
from geopipe.io.geopackage import read_layer
from geopipe.io.ledgers.frames_kept import kept_frame
from geopipe.io.ledgers.ledger import Ledger
from geopipe.lineages.changed_ground import covered, difference
from geopipe.reports.publish import GEOPACKAGE, read_summary
from geopipe.schema import Frame, Geometries
from geopipe.terms import POSSIBLE_HAZARD_KINDS

_READING = "SELECT key, frame_sha256 FROM readings WHERE content_hash = ? ORDER BY number DESC LIMIT 1"
_KINDS = sorted(POSSIBLE_HAZARD_KINDS)


@dataclass(frozen=True)
class HazardLeft:
    """How many areas of a delivery are hazard, or may be, and what of them is on the map without it.

    `elsewhere` lie wholly in hazard of the deliveries that were read, `drawn` in that and in what earlier
    deliveries leave on the map; `missing` do not, with their area (m2).
    """

    areas: int
    elsewhere: int
    drawn: int
    missing: int
    missing_m2: float


def hazard_left(
    ledger: Ledger, hashes: Iterable[str], run: Path, tolerance_m: float
) -> dict[str, HazardLeft | None]:
    """Hold the hazard of deliveries that were not read against a map.

    Parameters
    ----------
    ledger : Ledger
    hashes : iterable of str
        The deliveries.
    run : Path
        Folder of the run that made the map.
    tolerance_m : float
        What rounding may move a border (m).

    Returns
    -------
    dict
        By hash; None where the delivery was never read, so that nobody knows what it holds. What cannot be
        looked at is left out: a map without a layer of areas, a delivery whose records are damaged.
    """
    wanted = list(hashes)
    if not wanted:
        return {}
    try:
        summary = read_summary(run)
        areas, _ = read_layer(run / GEOPACKAGE, "areas")
    except GeopipeError:
        return {}
    areas = areas.take(areas.flags("kind", _KINDS))
    read = {item["sha256"][:12] for item in summary["deliveries"] if item["sha256"]}
    ids = areas.values("row_id")
    now = np.fromiter((row_id.partition(":")[0] in read for row_id in ids), dtype=bool, count=len(ids))
    found: dict[str, HazardLeft | None] = {}
    for sha256 in wanted:
        known = ledger.ask(_READING, sha256)
        if not known:
            found[sha256] = None
            continue
        key, frame_sha256 = known[0]
        try:
            records = kept_frame(ledger.frame_path(key), frame_sha256, summary["working_crs"])
        except GeopipeError:
            continue  # geopipe register check says more; the map is published
        found[sha256] = ground_left(_hazard(records), areas.geometry[now], areas.geometry, tolerance_m)
    return found


def _hazard(records: Frame) -> Geometries:
    ground = records.take(records.flags("kind", _KINDS)).geometry
    return ground[~(shapely.is_missing(ground) | shapely.is_empty(ground))]


def ground_left(ground: Geometries, read: Geometries, on_map: Geometries, tolerance_m: float) -> HazardLeft:
    """Hold hazard ground against the hazard that was read, and against all that is on the map.

    Parameters
    ----------
    ground, read, on_map : array of Polygon or MultiPolygon
        In one working CRS (m).
    tolerance_m : float
        What rounding may move a border (m).
    """
    elsewhere = covered(ground, _around(ground, read), tolerance_m)
    around = _around(ground, on_map)
    drawn = covered(ground, around, tolerance_m) & ~elsewhere
    missing = np.flatnonzero(~(elsewhere | drawn))
    lost = ground[missing]
    there = ~shapely.is_missing(around[missing])
    lost[there] = difference(lost[there], around[missing][there])
    return HazardLeft(
        len(ground), int(elsewhere.sum()), int(drawn.sum()), len(missing), fsum(shapely.area(lost))
    )


def _around(ground: Geometries, others: Geometries) -> Geometries:
    """Return for each polygon all those others together that it meets; None where it meets none."""
    found: Geometries = np.full(len(ground), None, dtype=object)
    mine, theirs = shapely.STRtree(others).query(ground, predicate="intersects")
    order = np.argsort(mine, kind="stable")
    places, starts = np.unique(mine[order], return_index=True)
    for place, met in zip(places, np.split(theirs[order], starts[1:]), strict=False):
        found[place] = overlaid(shapely.union_all, others[np.sort(met)])
    return found
