"""Reproject: turning points into one equal-area working CRS, then the one repair.

Edges are the straight lines between turning points in the working CRS; nothing
is densified, so that neighbours who share turning points share their border
whatever CRS each delivered in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.catalogue import severity_of
from geopipe.config import Config
from geopipe.crs import (
    Cells,
    choose_operation,
    choose_working_crs,
    degrees_called_metres,
    in_range,
    lonlat_bounds,
    require_equal_area,
    transform,
)
from geopipe.errors import SourceError
from geopipe.geometry import edge_uncertainty_m2, longest_edges_m, repair
from geopipe.policies import Policy
from geopipe.schema import (
    BOX,
    Delivery,
    Frame,
    Geometries,
    Mask,
    State,
    findings_about,
    measures_of,
    rejected_of,
)
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS
from geopipe.threads import threaded
from geopipe.unresolved import unresolved_of
from geopipe.unused import told_of_unused

REASONS = {
    "COORDINATES_OUTSIDE_CRS": "The coordinates lie far outside the area where the stated coordinate system "
    "is used. Please check the zone, the unit, and whether x and y were exchanged.",
    "OUTSIDE_AREA_OF_INTEREST": "The record lies outside the configured area of interest. "
    "Please check the coordinates.",
    "CRS_INACCURATE": "There is no accurate coordinate operation from the stated coordinate system. "
    "Please send WGS 84 coordinates.",
}


@dataclass(frozen=True)
class Placed:
    """Records with their lon/lat boxes (n, 4), and which of them lie where their CRS makes sense."""

    state: State
    areas_box: NDArray[np.float64]
    areas_fit: Mask
    points_box: NDArray[np.float64]
    points_fit: Mask

    @property
    def cells(self) -> Cells:
        """Where the records lie that choose the working CRS."""
        boxes = np.vstack([self.areas_box[self.areas_fit], self.points_box[self.points_fit]])
        return Cells.of(boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1))


def reproject(state: State, config: Config, policy: Policy) -> State:
    """Bring areas and references into the working CRS and mend what is invalid there.

    Parameters
    ----------
    state : State
        `features` and `reference` in delivered coordinates, as `validate` left them.
    config : Config
        `working_crs` (None: chosen from the data) and `area_of_interest` (None: everywhere).
    policy : Policy

    Returns
    -------
    State
        2-D valid polygons in `working_crs` with `area_m2` and `edge_uncertainty_m2`.
    """
    placed = place(state)
    if config.working_crs:
        return into(placed, require_equal_area(config.working_crs), config, policy)
    return into(placed, choose_working_crs(placed.cells), config, policy)


def place(state: State) -> Placed:
    """Find where on the Earth the records of a validated state lie, as far as they say it."""
    return Placed(state, *_places(state.features), *_places(state.reference))


def into(placed: Placed, working: str, config: Config, policy: Policy) -> State:
    """Bring placed records into one working CRS, that of this delivery or of all of them together."""
    state = placed.state
    sources = sorted(set(_sources(state.features)) | set(_sources(state.reference)))
    areas, areas_bad, operations = _transform(state.features, sources, working)
    points, points_bad, of_points = _transform(state.reference, sources, working)
    reasons = _reasons(placed.areas_box, placed.areas_fit, areas_bad, config)
    point_reasons = _reasons(placed.points_box, placed.points_fit, points_bad, config)
    done = replace(
        state,
        features=areas.take(reasons == ""),
        reference=points.take(point_reasons == ""),
        working_crs=working,
        deliveries=_with_operations(state, operations | of_points),
    )
    done = _refuse(done, state.features, reasons)
    done = _refuse(done, state.reference, point_reasons)
    done = _mend(done, policy)
    return _measure(replace(done, deliveries=told_of_unused(done)), policy)


def _sources(frame: Frame) -> list[str]:
    return [source for source in frame.values("crs") if source]


def _places(frame: Frame) -> tuple[NDArray[np.float64], Mask]:
    """Return lon/lat boxes (n, 4) and which of them lie where their CRS makes sense."""
    boxes = np.full((len(frame), 4), np.nan)
    fits = np.zeros(len(frame), dtype=bool)
    for source in _sources(frame):
        rows = frame.flags("crs", [source])
        boxes[rows] = lonlat_bounds(frame.geometry[rows], source)
        metres = ~degrees_called_metres(shapely.bounds(frame.geometry[rows]), source)
        fits[rows] = in_range(boxes[rows], source) & metres
    return boxes, fits


def _transform(
    frame: Frame, sources: list[str], working: str
) -> tuple[Frame, Geometries, dict[str, dict[str, Any]]]:
    """Transform each record from its own CRS; second result is the reason per row where that failed."""
    geometry = frame.geometry.copy()
    reasons = np.full(len(frame), "", dtype=object)
    operations = {}
    for source in sources:
        rows = frame.flags("crs", [source])
        if not rows.any():
            continue
        try:
            transformer, operation = choose_operation(source, working)
        except SourceError:
            reasons[rows] = "CRS_INACCURATE"
            continue
        operations[source] = operation.as_dict()
        geometry[rows] = transform(frame.geometry[rows], transformer)
    finite = np.isfinite(shapely.bounds(geometry)).all(axis=1)
    reasons = np.where((reasons == "") & ~finite, "COORDINATES_OUTSIDE_CRS", reasons)
    return frame.with_geometry(geometry), reasons, operations


def _reasons(boxes: NDArray[np.float64], fits: Mask, failed: Geometries, config: Config) -> Geometries:
    """Return why each record is refused, '' where it is not."""
    reasons = np.where(fits, failed, "COORDINATES_OUTSIDE_CRS")
    if config.area_of_interest:
        west, south, east, north = config.area_of_interest
        away = (boxes[:, 2] < west) | (boxes[:, 0] > east) | (boxes[:, 3] < south) | (boxes[:, 1] > north)
        reasons = np.where((reasons == "") & away, "OUTSIDE_AREA_OF_INTEREST", reasons)
    return np.asarray(reasons, dtype=object)


def _refuse(state: State, frame: Frame, reasons: Geometries) -> State:
    """Add refused records to `rejected` and, where they may be hazard, to `unresolved`."""
    bad = reasons != ""
    records, why = frame.take(bad), reasons[bad]
    sentences = np.array([REASONS[code] for code in why], dtype=object)
    return state.adding(
        rejected=[rejected_of(records, why, sentences)],
        unresolved=[unresolved_of(records, why, sentences)],
    )


def _with_operations(state: State, operations: dict[str, dict[str, Any]]) -> tuple[Delivery, ...]:
    """Record with each delivery the coordinate operations that its records went through."""
    used: dict[str, set[str]] = {}
    for frame in (state.features, state.reference):
        for source in _sources(frame):
            for file in frame.take(frame.flags("crs", [source])).values("file"):
                used.setdefault(file, set()).add(source)
    return tuple(
        replace(
            d,
            operations=tuple(operations[crs] for crs in sorted(used.get(d.file, set())) if crs in operations),
        )
        for d in state.deliveries
    )


def _mend(state: State, policy: Policy) -> State:
    """Repair by law 2: hazard takes the union of both readings, released land what they have in common."""
    areas = state.features
    rows = np.flatnonzero(~threaded(shapely.is_valid, areas.geometry))
    if len(rows) == 0:
        return state
    mending = areas.take(rows)
    mended = repair(mending.geometry)
    released = mending.flags("kind", sorted(RELEASED_KINDS))
    geometry = np.where(released, mended.common, mended.union)
    after_m2 = np.where(released, mended.common_m2, mended.union_m2)
    allowed_m2 = np.maximum(policy.repair_tolerance_m2, policy.repair_tolerance_share * mended.union_m2)
    ambiguous = mended.union_m2 - mended.common_m2 > allowed_m2
    moved = np.abs(after_m2 - mended.area_before_m2) > allowed_m2
    collapsed = shapely.is_empty(geometry)
    sentences = _repair_sentences(
        mended.area_before_m2, after_m2, mended.union_m2, mended.common_m2, ambiguous
    )
    codes = np.where(
        ambiguous, "REPAIR_AMBIGUOUS", np.where(moved, "REPAIRED_AREA_CHANGED", "REPAIRED")
    ).astype(object)
    severity = np.array([severity_of(code) for code in codes], dtype=object)
    findings = findings_about(
        mending,
        codes,
        severity,
        sentences,
        geometry=geometry,
        measure=after_m2 - mended.area_before_m2,
        unit="m2",
    )
    # A hazard whose mended ground is not the ground its ring encloses is drawn as delivered, too.
    unsure = (ambiguous | moved) & mending.flags("kind", sorted(HAZARD_KINDS)) & ~collapsed
    mended_all = areas.geometry.copy()
    mended_all[rows] = geometry
    lost = np.full(len(rows), "ZERO_AREA", dtype=object)[collapsed]
    why = np.full(
        len(lost), "Nothing is left of the polygon when it is mended. Please send it again.", dtype=object
    )
    stay = np.ones(len(areas), dtype=bool)
    stay[rows[collapsed]] = False
    return replace(state, features=areas.with_geometry(mended_all).take(stay)).adding(
        findings=[findings.take(~collapsed)],
        rejected=[rejected_of(mending.take(collapsed), lost, why)],
        unresolved=[
            unresolved_of(mending.take(collapsed), lost, why),
            unresolved_of(mending.take(unsure), codes[unsure], sentences[unsure]),
        ],
    )


def _repair_sentences(
    before: NDArray[np.float64], after: NDArray[np.float64], union: NDArray[np.float64],
    common: NDArray[np.float64], ambiguous: Mask,
) -> Geometries:  # fmt: skip
    """Tell each repair with its area before and after, and the two readings where they differ."""
    return np.array(
        [
            f"Mended: area {b:.1f} m2 before, {a:.1f} m2 after"
            + (f"; the ring can be read as {u:.1f} or {c:.1f} m2, please confirm" if unsure else "")
            for b, a, u, c, unsure in zip(before, after, union, common, ambiguous, strict=True)
        ],
        dtype=object,
    )


def _measure(state: State, policy: Policy) -> State:
    """Add area, box and the like, and edge uncertainty."""
    areas = state.features
    measures = measures_of(areas.geometry)
    west, south, east, north = (measures[side] for side in BOX)
    # No edge is longer than the box is across.
    wide = np.flatnonzero(np.hypot(east - west, north - south) > policy.uncertain_edge_m)
    geometry = areas.geometry[wide]
    latitude_deg = lonlat_bounds(geometry, state.working_crs)[:, [1, 3]].mean(axis=1)
    uncertainty_m2 = np.zeros(len(areas))
    uncertainty_m2[wide] = edge_uncertainty_m2(
        longest_edges_m(geometry), latitude_deg, policy.uncertain_edge_m
    )
    return replace(state, features=areas.with_columns({**measures, "edge_uncertainty_m2": uncertainty_m2}))
