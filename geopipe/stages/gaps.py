"""Gaps: narrow strips that no release covers although there is released land on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.catalogue import load_catalogue, severity_of
from geopipe.gaps import Strips, left_of, parts_from, shared, strips_between, union_by_group
from geopipe.geometry import mean_width_m, width_m
from geopipe.policies import Policy
from geopipe.schema import GAPS, Frame, Geometries, Indices, Mask, State, findings_about, make_frame
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Status

_NAMED_NEIGHBOURS = 4
_SENTENCES = {
    "GAP_IN_HAZARD": "A strip of this hazard area, {width} wide and {length} long, was not released, "
    "though land on both sides was",
    "GAP_IN_CLOSED_HAZARD": "A strip of this closed hazard area, {width} wide and {length} long, was not "
    "released, though land on both sides was",
    "GAP_BETWEEN_OPERATORS": "A strip {width} wide and {length} long lies between the released land of "
    "two operators; no hazard area is known there",
}


def gaps(state: State, policy: Policy) -> State:
    """Find the strips of each hazard area between released land, and those between two operators.

    Every release counts, whatever is known of its date: no order in time makes a strip covered. The
    column `time_order` says what is known. Released land beside the hazard area counts as well.

    Parameters
    ----------
    state : State
        Valid areas in the working CRS (m).
    policy : Policy
        `gaps`: how wide a strip may be, and how narrow.

    Returns
    -------
    State
        `gaps` by the row of the hazard, then from west to east; strips outside every hazard area last.
        Findings GAP_IN_HAZARD, GAP_IN_CLOSED_HAZARD, GAP_BETWEEN_OPERATORS, and GAPS_NOT_SOUGHT about
        releases on which GEOS failed.
    """
    hazards = state.features.take(state.features.flags("kind", sorted(HAZARD_KINDS)))
    releases = state.features.take(state.features.flags("kind", sorted(RELEASED_KINDS)))
    releases = releases.take(_may_border_a_gap(releases, hazards, policy.gaps.width_m))
    strips = strips_between(releases.geometry, policy.gaps.width_m, policy.gaps.narrowest_m)
    found = _in_order(_pieces(strips, hazards, releases, policy))
    frame = _frame(found, hazards, releases)
    told = [*_told(found, frame, hazards, releases), *_not_sought(releases.take(strips.failed))]
    return replace(state, gaps=frame).adding(findings=told)


def _may_border_a_gap(releases: Frame, hazards: Frame, width_m: float) -> Mask:
    """Say which releases are near a hazard area or near land that another operator released, by boxes."""
    west, south, east, north = shapely.bounds(releases.geometry).T
    boxes = shapely.box(west - width_m, south - width_m, east + width_m, north + width_m)
    near = np.zeros(len(releases), dtype=bool)
    near[shapely.STRtree(hazards.geometry).query(boxes)[0]] = True
    one, other = shapely.STRtree(releases.geometry).query(boxes)
    operator = np.unique(releases.numpy("operator").astype(str), return_inverse=True)[1]
    near[one[operator[one] != operator[other]]] = True
    return near


@dataclass(frozen=True)
class _Pieces:
    """Pieces of strips: inside one hazard area (its row), or outside all (-1); releases along each."""

    geometry: Geometries
    hazard: Indices
    neighbours: Sequence[Indices]

    def take(self, which: Indices) -> _Pieces:
        """Return the pieces of some rows, in that order."""
        return _Pieces(self.geometry[which], self.hazard[which], [self.neighbours[row] for row in which])


def _pieces(strips: Strips, hazards: Frame, releases: Frame, policy: Policy) -> _Pieces:
    """Cut the strips by the hazard areas; what lies outside all stays if two operators are beside it."""
    strip, hazard = shapely.STRtree(hazards.geometry).query(strips.geometry, predicate="intersects")
    inside = shared(strips.geometry[strip], hazards.geometry[hazard])
    outside = strips.geometry.copy()
    rows, group = np.unique(strip, return_inverse=True)
    order = np.argsort(group, kind="stable")
    covered, _ = union_by_group(hazards.geometry[hazard[order]], group[order])
    outside[rows] = left_of(outside[rows], covered)
    geometry, at = parts_from(np.concatenate([inside, outside]), policy.gaps.narrowest_m)
    of_strip = np.concatenate([strip, np.arange(len(outside))])[at]
    of_hazard = np.concatenate([hazard, np.full(len(outside), -1)])[at]
    beside = _beside(geometry, of_strip, strips, releases, policy.gaps.width_m)
    operator = releases.numpy("operator")
    stays = [h >= 0 or len(set(operator[near])) > 1 for h, near in zip(of_hazard, beside, strict=True)]
    return _Pieces(geometry, of_hazard, beside).take(np.flatnonzero(stays))


def _beside(
    pieces: Geometries, strip: Indices, strips: Strips, releases: Frame, near_m: float
) -> list[Indices]:
    """Return for each piece the releases along its strip that are near the piece itself."""
    piece, release = shapely.STRtree(releases.geometry).query(pieces, predicate="dwithin", distance=near_m)
    size = len(releases)
    along = np.isin(strip[piece] * size + release, strips.strip * size + strips.neighbour)
    piece, release = piece[along], release[along]
    order = np.lexsort((release, piece))
    counts = np.bincount(piece, minlength=len(pieces))
    return np.split(release[order], np.cumsum(counts)[:-1]) if len(pieces) else []


def _in_order(pieces: _Pieces) -> _Pieces:
    """Sort pieces by hazard, those outside all hazard last, then by their lower left corner."""
    west, south, east, north = shapely.bounds(pieces.geometry).T
    hazard = np.where(pieces.hazard < 0, np.iinfo(np.intp).max, pieces.hazard)
    return pieces.take(np.lexsort((north, east, south, west, hazard)))


def _frame(found: _Pieces, hazards: Frame, releases: Frame) -> Frame:
    """Measure and name the gaps."""
    area_m2, perimeter_m = shapely.area(found.geometry), shapely.length(found.geometry)
    width = width_m(found.geometry)
    ids, operators = releases.numpy("record_id"), releases.numpy("operator")
    own = {name: _of_hazard(hazards, name, found.hazard)
           for name in ("record_id", "row_id", "operator", "kind", "status")}  # fmt: skip
    columns = {
        "hazard_id": own.pop("record_id"),
        "hazard_row_id": own.pop("row_id"),
        **own,
        "province": _provinces(found, hazards, releases),
        "width_m": width,
        "mean_width_m": mean_width_m(area_m2, perimeter_m),
        # Of a rectangle exactly its length, of a winding or branching strip that of its middle line.
        "length_m": np.maximum(perimeter_m / 2 - width, 0.0),
        "area_m2": area_m2,
        "neighbours": [_listed(sorted(set(ids[near]))) for near in found.neighbours],
        "neighbour_operators": [", ".join(sorted(set(operators[near]))) for near in found.neighbours],
        "neighbour_count": [len(near) for near in found.neighbours],
        "time_order": _time_orders(found, hazards, releases),
    }
    return make_frame(GAPS, columns, _as_multi(found.geometry))


def _of_hazard(hazards: Frame, name: str, hazard: Indices) -> list[Any]:
    """Return a column of the hazard areas for each piece, None outside all."""
    values = hazards.numpy(name)
    return [values[row] if row >= 0 else None for row in hazard]


def _provinces(found: _Pieces, hazards: Frame, releases: Frame) -> list[Any]:
    """Return the province of the hazard area, else that of the first release beside the piece."""
    of = [
        pc.coalesce(frame.table["province_located"], frame.table["province_stated"]).to_pylist()
        for frame in (hazards, releases)
    ]
    return [
        of[0][row] if row >= 0 else of[1][near[0]]
        for row, near in zip(found.hazard, found.neighbours, strict=True)
    ]


def _listed(names: list[str]) -> str:
    """Name the first few, and how many there are more."""
    more = len(names) - _NAMED_NEIGHBOURS
    return "; ".join(names[:_NAMED_NEIGHBOURS]) + (f"; and {more} more" if more > 0 else "")


def _time_orders(found: _Pieces, hazards: Frame, releases: Frame) -> list[str | None]:
    """Say whether all releases beside a gap followed the survey, one came before it, or that is unknown."""
    surveyed: NDArray[np.datetime64] = hazards.numpy("date_surveyed").astype("datetime64[D]")
    completed: NDArray[np.datetime64] = releases.numpy("date_completed").astype("datetime64[D]")
    orders: list[str | None] = []
    for row, near in zip(found.hazard, found.neighbours, strict=True):
        if row < 0:
            orders.append(None)
        elif (completed[near] < surveyed[row]).any():
            orders.append("release_first")
        else:
            orders.append("hazard_first" if (surveyed[row] < completed[near]).all() else "unknown")
    return orders


def _as_multi(polygons: Geometries) -> Geometries:
    return np.asarray(shapely.multipolygons(polygons, indices=np.arange(len(polygons))), dtype=object)


def _told(found: _Pieces, frame: Frame, hazards: Frame, releases: Frame) -> list[Frame]:
    """Return a finding per gap, about the hazard area or, outside all, about the first release."""
    inside = found.hazard >= 0
    closed = inside & frame.flags("status", [Status.CLOSED])
    operator = releases.numpy("operator")
    first = np.array([near[0] for near in found.neighbours], dtype=np.intp)
    # Of another operator than the first, if there is one.
    other = np.array(
        [near[np.argmax(operator[near] != operator[near[0]])] for near in found.neighbours], dtype=np.intp
    )
    return [
        _about(frame.take(which), records.take(of[which]), releases.take(beside[which]), code)
        for code, which, records, of, beside in (
            ("GAP_IN_HAZARD", inside & ~closed, hazards, found.hazard, first),
            ("GAP_IN_CLOSED_HAZARD", closed, hazards, found.hazard, first),
            ("GAP_BETWEEN_OPERATORS", ~inside, releases, first, other),
        )
    ]


def _about(rows: Frame, records: Frame, others: Frame, code: str) -> Frame:
    sentences = [
        _SENTENCES[code].format(width=f"{width:.2g} m", length=f"{length:,.0f} m")
        for width, length in zip(rows.numpy("width_m"), rows.numpy("length_m"), strict=True)
    ]
    return findings_about(
        records, code, severity_of(code), sentences, geometry=rows.geometry,
        other_id=others.table["record_id"], measure=rows.table["area_m2"], unit="m2",
    )  # fmt: skip


def _not_sought(records: Frame) -> list[Frame]:
    code = "GAPS_NOT_SOUGHT"
    if len(records) == 0:
        return []
    return [findings_about(records, code, severity_of(code), load_catalogue().meaning(code))]
