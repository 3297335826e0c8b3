"""Remaining area: what releases have left of each hazard area, all of them taken together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import shapely

from geopipe.catalogue import load_catalogue, severity_of
from geopipe.gaps import uncovered
from geopipe.geometry import mean_width_m
from geopipe.schema import REMAINING, Frame, Geometries, Indices, Mask, State, findings_about, make_frame
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Confidence, Severity

# Left over along a border that two records share, in coordinates that differ by nanometres.
_ROUNDING_M = 1e-6


def remaining(state: State) -> State:
    """Measure, for each hazard area with a release on it, the ground that no release covers.

    A release counts only if it certainly follows the survey of the hazard and the pair is no alarm
    (cancelled by one operator, open for another): what is doubtful is still hazard.

    Parameters
    ----------
    state : State
        With `overlaps`; all in the working CRS (m).

    Returns
    -------
    State
        `remaining` with one row per hazard area that shares ground with released land, in the order of
        `features`. Where GEOS fails the whole area remains: finding REMAINING_UNCERTAIN.
    """
    pairs, hazard, release = _hazard_and_release(state)
    follows = _follows(pairs)
    rows, at = np.unique(hazard, return_inverse=True)
    records = state.features.take(rows)
    ground, unsure = uncovered(
        records.geometry, state.features.geometry, at[follows], release[follows],
        pairs.numpy("area_m2")[follows].astype(float),
    )  # fmt: skip
    area_m2 = records.numpy("area_m2").astype(float)
    remaining_m2 = np.minimum(shapely.area(ground), area_m2)
    ground = _without_rounding(ground)
    columns = {
        "hazard_id": records.table["record_id"],
        "hazard_row_id": records.table["row_id"],
        **{name: records.table[name] for name in ("operator", "kind", "status", "date_surveyed")},
        "province": pc.coalesce(records.table["province_located"], records.table["province_stated"]),
        "area_m2": area_m2,
        "released_m2": area_m2 - remaining_m2,
        "released_share": 1 - remaining_m2 / area_m2,
        "remaining_m2": remaining_m2,
        "parts": shapely.get_num_geometries(ground),
        "releases": np.bincount(at[follows], minlength=len(rows)),
        "releases_in_doubt": np.bincount(at[~follows], minlength=len(rows)),
        "confidence": np.where(unsure, Confidence.UNCERTAIN.value, Confidence.EXACT.value).astype(object),
    }
    done = replace(state, remaining=make_frame(REMAINING, columns, ground))
    return done.adding(findings=[_told(records.take(unsure))]) if unsure.any() else done


def _hazard_and_release(state: State) -> tuple[Frame, Indices, Indices]:
    """Return the overlaps of a hazard area and released land, and the rows of both in `features`."""
    overlaps = state.overlaps
    hazard_left = overlaps.flags("left_kind", sorted(HAZARD_KINDS))
    hazard_right = overlaps.flags("right_kind", sorted(HAZARD_KINDS))
    pairs = overlaps.take(
        (hazard_left & overlaps.flags("right_kind", sorted(RELEASED_KINDS)))
        | (hazard_right & overlaps.flags("left_kind", sorted(RELEASED_KINDS)))
    )
    known = state.features.table["row_id"].combine_chunks()
    left, right = (
        pc.index_in(pairs.table[f"{side}_row_id"], known).to_numpy().astype(np.intp)
        for side in ("left", "right")
    )
    on_left = pairs.flags("left_kind", sorted(HAZARD_KINDS))
    return pairs, np.where(on_left, left, right), np.where(on_left, right, left)


def _follows(pairs: Frame) -> Mask:
    """Say which pairs release ground: certainly later than the survey, and nobody's alarm."""
    on_left = pairs.flags("left_kind", sorted(HAZARD_KINDS))
    later = np.where(
        on_left, pairs.flags("time_order", ["left_first"]), pairs.flags("time_order", ["right_first"])
    )
    return np.asarray(later & ~pairs.flags("severity", [Severity.ALARM]), dtype=bool)


def _without_rounding(ground: Geometries) -> Geometries:
    """Return the ground without parts thinner than a micrometre, which are not there."""
    parts, owner = shapely.get_parts(ground, return_index=True)
    wide = mean_width_m(shapely.area(parts), shapely.length(parts)) > _ROUNDING_M
    present, group = np.unique(owner[wide], return_inverse=True)
    result = np.full(len(ground), shapely.MultiPolygon(), dtype=object)
    result[present] = shapely.multipolygons(parts[wide], indices=group)
    return result


def _told(records: Frame) -> Frame:
    code = "REMAINING_UNCERTAIN"
    return findings_about(records, code, severity_of(code), load_catalogue().meaning(code))
