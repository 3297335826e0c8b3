"""Validate: structure in delivered coordinates, before any projection touches them.

Nothing is mended here but what adds no ground and loses none: rings are
closed, empty rings left out, parts that are not polygons set aside with a finding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import shapely

from geopipe.catalogue import severity_of
from geopipe.coordinates.corrections import parse_correction
from geopipe.coordinates.proposals import (
    Proposer,
    displaced_hazard,
    nothing_proposed,
    told_of_proposals,
    with_proposals,
)
from geopipe.crs import candidates, parse_crs
from geopipe.geometry import LINES, POINTS, POLYGONS, collection_parts, strip_empty_rings
from geopipe.limits import Limits
from geopipe.schema import (
    Delivery,
    Frame,
    Geometries,
    Mask,
    State,
    findings_about,
    no_geometry,
    rejected_of,
)
from geopipe.threads import threaded
from geopipe.unresolved import unresolved_of
from geopipe.unused import told_of_unused
from geopipe.wkb import decode, read_leniently

_TOO_MANY = "TOO_MANY_POINTS"
_POINT_BYTES = 16
REASONS = {
    "NULL_GEOMETRY": "The record has no geometry. Please send its turning points.",
    "EMPTY_GEOMETRY": "The geometry has no points. Please send its turning points.",
    "GEOMETRY_UNREADABLE": "The geometry could not be read. Please send it again.",
    "COORDINATES_NOT_FINITE": "A coordinate is not a number. Please correct it.",
    "CRS_MISSING": "The file states no coordinate system. Please send it with its .prj or CRS.",
    "COORDINATES_OUT_OF_RANGE": "Coordinates are outside the degrees of the Earth.",
    "TOO_MANY_POINTS": "The record has too many turning points to be measured. Please send it in parts.",
    "TOO_FEW_POINTS": "The polygon has fewer than three different points.",
    "ZERO_AREA": "All points of the polygon lie on one line.",
}


def validate(state: State, propose: Proposer = nothing_proposed, most_points: int = Limits().points) -> State:
    """Judge every record's structure; return polygons to keep, references, and the rest with reasons.

    Parameters
    ----------
    state : State
        As `ingest` leaves it.
    propose : callable
        Looks at where the records lie, and proposes how else their coordinates could be read.
    most_points : int
        Records with more turning points are refused: measuring one could take hours.

    Returns
    -------
    State
        `features` holds 2-D polygons in delivered coordinates, perhaps invalid; `reference` points
        and lines; `rejected` and `unresolved` have grown; `findings` tell what was noticed.
    """
    frame, reasons, findings = _decode(state.features, most_points)
    frame, refused = _corrected(frame)
    findings.append(refused)
    proposed = propose(frame)
    frame, reasons, more = _judge(frame, reasons)
    bad = reasons != ""
    rejected = frame.take(bad)
    why = reasons[bad]
    sentences = _sentences(rejected, why)
    kept = frame.take(~bad)
    kind = shapely.get_type_id(kept.geometry)
    areas = kept.take(np.isin(kind, POLYGONS))
    done = replace(state, features=areas, reference=kept.take(np.isin(kind, POINTS + LINES)))
    deliveries = with_proposals(_without_crs(frame, state.deliveries), frame, proposed)
    done = replace(done, deliveries=deliveries).adding(
        rejected=[rejected_of(rejected, why, sentences)],
        unresolved=[unresolved_of(rejected, why, sentences), *displaced_hazard(frame, ~bad, proposed)],
        findings=[*findings, *more, *_invalid(areas), *told_of_proposals(frame, proposed)],
    )
    return replace(done, deliveries=told_of_unused(done))


def _decode(features: Frame, most_points: int) -> tuple[Frame, Geometries, list[Frame]]:
    """Turn delivered WKB into geometries; second result is the reason per row, '' where there is none."""
    delivered = features.table["source_geometry"].to_numpy()
    reasons = np.full(len(features), "", dtype=object)
    reasons[[data is not None and len(data) > most_points * _POINT_BYTES for data in delivered]] = _TOO_MANY
    wkb = delivered.copy()
    wkb[reasons == _TOO_MANY] = None
    decoded = decode(wkb)
    closed = []
    for row in np.flatnonzero(shapely.is_missing(decoded) & (reasons == "")):
        if wkb[row] is None:
            unreadable = features.table["geometry_problem"][row].is_valid
            reasons[row] = "GEOMETRY_UNREADABLE" if unreadable else "NULL_GEOMETRY"
            continue
        reading = read_leniently(wkb[row])
        decoded[row], reasons[row] = reading.geometry, reading.problem
        if reading.geometry is not None:
            closed.append(row)
    spatial = shapely.has_z(decoded) | shapely.has_m(decoded)
    decoded[spatial] = shapely.force_2d(decoded[spatial])  # delivered Z and M stay in source_geometry
    frame = features.with_geometry(decoded)
    mended = frame.take(np.array(closed, dtype=np.intp))
    everywhere = np.ones(len(mended), dtype=bool)
    sentence = "The ring was not closed; its first point was repeated at the end"
    told = _told(mended, everywhere, "RING_CLOSED", sentence)
    return frame, reasons, [told]


def _corrected(frame: Frame) -> tuple[Frame, Frame]:
    """Apply to each record's vertices what a person has confirmed; tell where it cannot be applied."""
    geometry, left = frame.geometry, np.zeros(len(frame), dtype=bool)
    for confirmed in frame.values("correction"):
        rows = np.flatnonzero(frame.flags("correction", [confirmed]))
        geometry = geometry.copy()
        for text in confirmed.split(";"):
            correction = parse_correction(text)
            left[rows[correction.refuses(geometry[rows])]] = True
            geometry[rows] = correction.apply(geometry[rows])
    sentence = "What was confirmed cannot be applied: a coordinate shows 60 minutes or seconds, or more"
    told = _told(frame, left, "CORRECTION_REFUSED", sentence)
    corrections = frame.numpy("correction").copy()
    corrections[left] = None
    return frame.with_geometry(geometry).with_columns({"correction": corrections}), told


def _judge(frame: Frame, reasons: Geometries) -> tuple[Frame, Geometries, list[Frame]]:
    """Find the first reason, if any, for which each decoded record cannot be used."""
    geometry, emptied = strip_empty_rings(frame.geometry)
    findings = [_told(frame, emptied, "EMPTY_RING_REMOVED", "An empty ring without points was left out")]
    geometry, dropped = _without_stray_parts(geometry)
    frame = frame.with_geometry(geometry)
    stray = "Points or lines mixed into the polygon were left out"
    findings.append(_told(frame, dropped, "PARTS_NOT_POLYGONS", stray))
    tests = [
        ("EMPTY_GEOMETRY", shapely.is_empty(geometry)),
        ("COORDINATES_NOT_FINITE", ~_finite(geometry)),
        ("CRS_MISSING", frame.flags("crs", [""])),
        ("COORDINATES_OUT_OF_RANGE", _out_of_degrees(frame)),
    ]
    for code, fails in tests:
        reasons = np.where((reasons == "") & fails, code, reasons)
    with np.errstate(invalid="ignore"):
        without_area = shapely.area(geometry) == 0
    polygonal = np.isin(shapely.get_type_id(geometry), POLYGONS)
    flat = np.flatnonzero((reasons == "") & polygonal & without_area)
    for row in flat:  # a bow-tie may have no shoelace area either: look at the points themselves
        distinct = np.unique(shapely.get_coordinates(geometry[row]), axis=0)
        if len(distinct) < 3:
            reasons[row] = "TOO_FEW_POINTS"
        elif shapely.area(shapely.convex_hull(geometry[row])) == 0:
            reasons[row] = "ZERO_AREA"
    return frame, reasons, findings


def _without_stray_parts(geometry: Geometries) -> tuple[Geometries, Mask]:
    """Reduce collections to their polygons, else lines, else points; say which lost something."""
    result = np.array(geometry, dtype=object)
    lost = np.zeros(len(geometry), dtype=bool)
    for row in np.flatnonzero(shapely.get_type_id(geometry) == shapely.GeometryType.GEOMETRYCOLLECTION):
        result[row], lost[row] = collection_parts(geometry[row])
    return result, lost


def _finite(geometry: Geometries) -> Mask:
    """Return where every coordinate is a finite number."""
    points, owner = shapely.get_coordinates(geometry, return_index=True)
    finite = np.ones(len(geometry), dtype=bool)
    finite[owner[~np.isfinite(points).all(axis=1)]] = False
    return finite


def _out_of_degrees(frame: Frame) -> Mask:
    """Return where a lon/lat file holds something that no longitude or latitude can be."""
    outside = np.zeros(len(frame), dtype=bool)
    bounds = shapely.bounds(frame.geometry)
    for crs in frame.values("crs"):
        if crs and parse_crs(crs).is_geographic:
            with np.errstate(invalid="ignore"):
                beyond = (np.abs(bounds[:, [0, 2]]) > 180).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(
                    axis=1
                )
            outside |= beyond & frame.flags("crs", [crs])
    return outside


def _sentences(rejected: Frame, reasons: Geometries) -> Geometries:
    """Write the sentence for each refused record, with the likely cause where the numbers show one."""
    sentences = np.array([REASONS[code] for code in reasons], dtype=object)
    told = rejected.table["geometry_problem"].to_pylist()
    bounds = shapely.bounds(rejected.geometry)
    for row in range(len(rejected)):
        if told[row] is not None:
            sentences[row] = f"{told[row]}. Please correct it."
        elif reasons[row] == "COORDINATES_OUT_OF_RANGE":
            west, south, east, north = bounds[row]
            if abs(south) <= 180 and abs(north) <= 180 and abs(west) <= 90 and abs(east) <= 90:
                sentences[row] += " It looks as if longitude and latitude were exchanged. Please confirm."
            elif found := candidates(bounds[row]):
                sentences[row] += f" They look like metres: {found[0]}. Please confirm."
    return sentences


def _invalid(areas: Frame) -> list[Frame]:
    """Tell, in the operator's own coordinates, where rings cross or touch themselves."""
    invalid = areas.take(~threaded(shapely.is_valid, areas.geometry))
    reasons = [text.replace("[", " at ").rstrip("]") for text in shapely.is_valid_reason(invalid.geometry)]
    sentences = pa.array([f"The polygon is not valid: {reason}" for reason in reasons], pa.string())
    everywhere = np.ones(len(invalid), dtype=bool)
    return [_told(invalid, everywhere, "INVALID_POLYGON", sentences)]


def _told(frame: Frame, which: Mask, code: str, sentence: object) -> Frame:
    """Return findings without a place of their own: delivered coordinates are in many CRSs."""
    records = frame.take(which)
    return findings_about(records, code, severity_of(code), sentence, geometry=no_geometry(len(records)))


def _without_crs(features: Frame, deliveries: tuple[Delivery, ...]) -> tuple[Delivery, ...]:
    """Tell of files that state no CRS: nothing of theirs can be compared."""
    without_crs = features.take(features.flags("crs", [""]))
    told = {}
    for file in without_crs.values("file"):
        told[file] = _no_crs(file, without_crs.take(without_crs.flags("file", [file])))
    return tuple(
        replace(
            delivery,
            problems=(*delivery.problems, ("CRS_MISSING", told[delivery.file][0])),
            suggestion=told[delivery.file][1],
        )
        if delivery.file in told
        else delivery
        for delivery in deliveries
    )


def _no_crs(file: str, records: Frame) -> tuple[str, str]:
    """Say where the usual coordinate systems would put a file that states none, and the likely option."""
    finite = records.geometry[_finite(records.geometry) & ~shapely.is_missing(records.geometry)]
    finite = finite[~shapely.is_empty(finite)]
    found = candidates(shapely.total_bounds(finite)) if len(finite) else ()
    where = "".join(f"{candidate}. " for candidate in found)
    remedy = f"If you are sure, add --assume-crs {found[0].crs if found else 'EPSG:CODE'}."
    suggestion = f"--assume-crs {found[0].crs}" if found else ""
    return f"{file}: the file states no coordinate system. {where}{remedy}", suggestion
