"""Locate: in which province and district each record lies, held against what it states.

Boundaries are generalised and their sources differ: what lies within the policy's distance of the stated
province is near a border, not wrong. Data that lie in another country are not judged at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.crs import to_lonlat
from geopipe.location.places import Places
from geopipe.policies import Policy
from geopipe.schema import (
    FINDINGS,
    Frame,
    Geometries,
    Indices,
    Mask,
    State,
    findings_about,
    make_frame,
    no_geometry,
)
from geopipe.terms import Severity

# With fewer of all records inside, these are not the places of this data.
_LEAST_INSIDE = 0.5
_FILLED = ("province_code", "province_located", "district_located")
_TOLD = ("PROVINCE_DIFFERS", "NEAR_BORDER", "DISTRICT_DIFFERS", "OUTSIDE_COUNTRY", "PROVINCE_UNKNOWN")


def locate(state: State, places: Places, policy: Policy) -> State:
    """Fill `province_code`, `province_located` and `district_located`, and tell where they differ.

    The same as :func:`of_delivery` for each delivery, then :func:`across` for all of them.

    Parameters
    ----------
    state : State
        `features` and `reference` in the working CRS (m).
    places : Places
        Provinces and districts of the country.
    policy : Policy
        `near_border_m` is the border rule.

    Returns
    -------
    State
        With findings PROVINCE_DIFFERS, NEAR_BORDER, DISTRICT_DIFFERS, OUTSIDE_COUNTRY and, once per file,
        PROVINCE_UNKNOWN. Without any of them, and without places, where most records lie elsewhere.
    """
    return across(of_delivery(state, places, policy))


def of_delivery(state: State, places: Places, policy: Policy) -> State:
    """Locate the records of one delivery, or of several, wherever most of them lie."""
    features, in_features = _located(state.features, state.working_crs, places)
    reference, in_reference = _located(state.reference, state.working_crs, places)
    told = [
        finding
        for frame, where in ((features, in_features), (reference, in_reference))
        for finding in _held_against(frame, where, places, policy)
    ]
    return replace(state, features=features, reference=reference).adding(findings=told)


def across(state: State) -> State:
    """Take all places back, and what was told of them, where most records of the run lie elsewhere."""
    codes = [frame.table["province_code"] for frame in (state.features, state.reference)]
    if sum(len(code) - code.null_count for code in codes) >= _LEAST_INSIDE * sum(map(len, codes)):
        return state
    nowhere = dict.fromkeys(_FILLED)
    return replace(
        state,
        features=state.features.with_columns(nowhere),
        reference=state.reference.with_columns(nowhere),
        findings=state.findings.take(~state.findings.flags("code", _TOLD)),
    )


@dataclass(frozen=True)
class _Where:
    """Middle of each record (lon/lat) and the row of its district, -1 outside the country."""

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    district: Indices


def _located(frame: Frame, working_crs: str, places: Places) -> tuple[Frame, _Where]:
    """Return the frame with the names of its places."""
    points = shapely.get_coordinates(shapely.centroid(frame.geometry)).reshape(-1, 2)
    longitude, latitude = to_lonlat(working_crs).transform(points[:, 0], points[:, 1])
    district = places.locate(longitude, latitude)
    named = frame.with_columns(
        {
            "province_code": pa.array(places.province_codes(district), pa.string()),
            "province_located": pa.array(places.province_names(district), pa.string()),
            "district_located": pa.array(places.district_names(district), pa.string()),
        }
    )
    return named, _Where(np.asarray(longitude), np.asarray(latitude), district)


def _held_against(frame: Frame, where: _Where, places: Places, policy: Policy) -> list[Frame]:
    """Return the findings about stated and located places."""
    stated = places.stated(frame.table["province_stated"])
    agrees, older = places.agree(where.district, stated)
    is_stated = np.array([bool(codes) for codes in stated.distinct], dtype=bool)[stated.row]
    differs = is_stated & ~agrees & ~older
    rows = np.flatnonzero(differs)
    distance_m = np.full(len(frame), np.nan)
    distance_m[rows] = places.distance_to_stated_m(
        where.longitude[rows], where.latitude[rows], stated.take(rows)
    )
    near = differs & (distance_m <= policy.near_border_m)
    outside = ~differs & (where.district < 0)
    outside &= ~places.near_country(where.longitude, where.latitude, policy.near_border_m, outside)
    return [
        _province(frame, differs & ~near, distance_m, "PROVINCE_DIFFERS", Severity.CHECK),
        _province(frame, near, distance_m, "NEAR_BORDER", Severity.NOTE),
        findings_about(frame.take(outside), "OUTSIDE_COUNTRY", Severity.CHECK,
                       f"The record lies outside {places.country}"),
        *_districts(frame, where, agrees, places, policy),
        *_unknown(frame, is_stated),
    ]  # fmt: skip


def _province(
    frame: Frame, which: Mask, distance_m: NDArray[np.float64], code: str, severity: Severity
) -> Frame:
    """Tell of records that lie elsewhere than they state."""
    rows = frame.take(which)
    located = rows.table["province_located"].to_pylist()
    stated = rows.table["province_stated"].to_pylist()
    sentences = [
        f"The record states {said}, but lies in {there or 'no province'}, {_distance(metres)} from it"
        for said, there, metres in zip(stated, located, distance_m[which], strict=True)
    ]
    return findings_about(
        rows, code, severity, pa.array(sentences, pa.string()), measure=distance_m[which], unit="m"
    )


def _distance(metres: float) -> str:
    return f"{metres / 1000:,.1f} km" if metres >= 1000 else f"{metres:,.0f} m"


def _districts(frame: Frame, where: _Where, agrees: Mask, places: Places, policy: Policy) -> list[Frame]:
    """Tell of records in the right province whose stated district is a known one, but another."""
    meant = _meant_districts(frame, where, agrees, places)
    picked = np.flatnonzero(meant >= 0)
    metres = _metres_to(places.districts[meant[picked]], where, picked)
    far = metres > policy.near_border_m
    records = frame.take(picked[far])
    stated, located = (records.table[name].to_pylist() for name in ("district_stated", "district_located"))
    sentences = [
        f"The record states the district {said}, but lies in {there}, {_distance(m)} from it"
        for said, there, m in zip(stated, located, metres[far], strict=True)
    ]
    words = pa.array(sentences, pa.string())
    code, severity = "DISTRICT_DIFFERS", Severity.CHECK
    return [findings_about(records, code, severity, words, measure=metres[far], unit="m")]


def _meant_districts(frame: Frame, where: _Where, agrees: Mask, places: Places) -> Indices:
    """Return the district that a record states where it lies in another one of that province, else -1."""
    encoded = frame.table["district_stated"].combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    name = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
    rows = np.flatnonzero(agrees & (name >= 0))
    # Each different pair of a stated name and a located district is judged once.
    pair, inverse = np.unique(name[rows] * len(places.districts) + where.district[rows], return_inverse=True)
    other = np.full(len(pair), -1, dtype=np.intp)
    for number, (said, there) in enumerate(zip(*np.divmod(pair, len(places.districts)), strict=True)):
        code = places.province_code[places.district_province[there]]
        districts = places.resolve_district(names[said], code)
        if districts and there not in districts:
            other[number] = districts[0]
    meant = np.full(len(frame), -1, dtype=np.intp)
    meant[rows] = other[inverse]
    return meant


def _metres_to(shapes: Geometries, where: _Where, rows: Indices) -> NDArray[np.float64]:
    """Return the distance (m, to 1 %) of records to shapes in lon/lat."""
    if len(rows) == 0:
        return np.empty(0)
    shrink = np.cos(np.radians(where.latitude[rows]))
    lines = shapely.shortest_line(shapes, shapely.points(where.longitude[rows], where.latitude[rows]))
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    step = ends[:, 1] - ends[:, 0]
    return np.asarray(np.hypot(step[:, 0] * shrink, step[:, 1]) * 111_195.0)


def _unknown(frame: Frame, is_resolved: Mask) -> list[Frame]:
    """Tell once per file of names of provinces that are not known."""
    column = frame.table["province_stated"]
    unknown = pc.is_valid(column).to_numpy() & ~is_resolved
    told = []
    for file in frame.take(unknown).values("file"):
        rows = frame.take(unknown & frame.flags("file", [file]))
        names = rows.values("province_stated")
        shown = ", ".join(repr(name) for name in names[:5]) + (" ..." if len(names) > 5 else "")
        columns = {
            "code": "PROVINCE_UNKNOWN",
            "severity": Severity.NOTE.value,
            "file": file,
            "operator": rows.table["operator"][0].as_py(),
            "sentence": f"{len(rows):,} records state a province that is not known: {shown}",
            "measure": float(len(rows)),
            "unit": "records",
        }
        told.append(make_frame(FINDINGS, columns, no_geometry(1)))
    return told
