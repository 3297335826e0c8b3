"""Hazard records that cannot be used stay on the map: a blank must not read as safe.

Whatever is readable of a refused record is placed in WGS 84 lon/lat, with a
word on how it was placed. Nothing here enters any area or overlap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.coordinates.corrections import parse_correction
from geopipe.crs import candidates, degrees_called_metres, in_range, to_lonlat
from geopipe.geometry import leaves_of, outline
from geopipe.schema import UNRESOLVED, Frame, identity, make_frame, origin
from geopipe.terms import POSSIBLE_HAZARD_KINDS
from geopipe.wkb import decode, read_leniently

Rings: TypeAlias = list[NDArray[np.float64]]

_WKT = re.compile(r"\b(MULTI)?(POLYGON|LINESTRING|POINT)\s*[ZM]{0,2}\s*\(", re.IGNORECASE)
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
# Two numbers with a space between, and the end of the point behind them: a cut number is not read.
_POINT = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?=[\s,)])")


def unresolved_of(records: Frame, reasons: NDArray[np.object_], sentences: NDArray[np.object_]) -> Frame:
    """Return UNRESOLVED rows (geometry in WGS 84 lon/lat) for those records that may be hazard.

    Parameters
    ----------
    records : Frame
        FEATURES rows that are refused or questioned; placed by `source_geometry` and `crs`.
    reasons, sentences : arrays of str, one per record

    Returns
    -------
    Frame
        No row for records without one readable coordinate; several where a file without a CRS
        could lie in several places, because each of them may be dangerous.
    """
    hazard = np.flatnonzero(records.flags("kind", sorted(POSSIBLE_HAZARD_KINDS)))
    wkb = records.table["source_geometry"].take(hazard).to_pylist()
    delivered = records.table["attributes"].take(hazard).to_pylist()
    crs, confirmed = (records.table[name].take(hazard).to_pylist() for name in ("crs", "correction"))
    rows: list[int] = []
    places: list[shapely.Geometry] = []
    positions: list[str] = []
    for row, data, text, source, correction in zip(hazard, wkb, delivered, crs, confirmed, strict=True):
        points = _corrected(_rings(data) if data is not None else _in_text(text or ""), correction or "")
        for place, position in _placed(points, source):
            rows.append(int(row))
            places.append(place)
            positions.append(position)
    picked = np.array(rows, dtype=np.intp)
    geometry = np.empty(len(places), dtype=object)
    geometry[:] = places
    columns = {
        **origin(drawn := records.take(picked)),
        **identity(drawn),
        "reason": reasons[picked],
        "sentence": sentences[picked],
        "position": positions,
        "vanished": False,
    }
    return make_frame(UNRESOLVED, columns, geometry)


def _in_text(attributes: str) -> Rings:
    """Return the points of a half readable WKT among the delivered columns (JSON)."""
    start = _WKT.search(attributes)
    pairs = _POINT.findall(attributes, start.end()) if start else []
    return [np.array(pairs, dtype=float).reshape(-1, 2)]


def _rings(data: bytes) -> Rings:
    """Return the points of every readable ring, line or point of a delivered geometry, as delivered."""
    (geometry,) = decode(np.array([data], dtype=object))
    if geometry is None:
        return list(read_leniently(data).rings)
    leaves = leaves_of(geometry)
    rings = [
        ring
        for leaf in leaves
        for ring in (shapely.get_rings(leaf) if shapely.get_dimensions(leaf) == 2 else [leaf])
    ]
    return [shapely.get_coordinates(ring) for ring in rings]


def _corrected(rings: Rings, confirmed: str) -> Rings:
    """Return the points as a person has confirmed that they are meant."""
    points = np.array([shapely.MultiPoint(ring) for ring in rings], dtype=object)
    for text in confirmed.split(";") if confirmed and rings else ():
        points = parse_correction(text).apply(points)
    return [shapely.get_coordinates(point) for point in points]


def _placed(rings: Rings, source: str) -> Iterator[tuple[shapely.Geometry, str]]:
    """Yield each place (lon/lat) where these points may lie, and how it was found."""
    rings = [ring[np.isfinite(ring).all(axis=1)] for ring in rings]
    rings = [ring for ring in rings if len(ring)]
    if not rings:
        return
    points = np.vstack(rings)
    bounds = np.concatenate([points.min(axis=0), points.max(axis=0)])
    turned = [ring[:, ::-1] for ring in rings]
    believable = bool(source) and not degrees_called_metres(bounds[None, :], source)[0]
    if believable and (place := _reading(rings, source)) is not None:
        yield place, "as stated"
    elif believable and (place := _reading(turned, source)) is not None:
        yield place, "as if x and y were exchanged"
    else:
        found = candidates(bounds)
        for candidate in found or candidates(bounds[[1, 0, 3, 2]]):
            place = _reading(rings if found else turned, candidate.crs)
            if place is not None:
                yield place, f"as if in {candidate.crs}"


def _reading(rings: Rings, source: str) -> shapely.Geometry | None:
    """Return the outline in lon/lat if this CRS makes sense for the points, else None."""
    lonlat = [np.column_stack(to_lonlat(source).transform(*ring.T)) for ring in rings]
    points = np.vstack(lonlat)
    if not np.isfinite(points).all():
        return None
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])[None, :]
    return outline(lonlat) if in_range(box, source)[0] else None
