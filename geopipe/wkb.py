"""Read WKB that GEOS refuses: rings that do not close, rings with too few points.

IMSMA rings are unclosed point lists, and many exports keep them so. Closing a
ring adds no ground that the operator did not describe; everything else that is
wrong stays wrong and is named.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.schema import Geometries

_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7
# Nobody nests collections on purpose; at 50,000 levels GEOS kills the process.
_DEEPEST = 100
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000


@dataclass(frozen=True)
class Reading:
    """What could be read of one delivered geometry.

    `geometry` is None when no polygon could be built; `problem` is then the
    reason. `rings` holds the points, shape (n, 2), of every ring that was readable.
    """

    geometry: shapely.Geometry | None
    problem: str
    rings: tuple[NDArray[np.float64], ...]

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """All readable points, shape (n, 2)."""
        return np.vstack(self.rings) if self.rings else np.empty((0, 2))


def decode(wkb: Geometries) -> Geometries:
    """Decode delivered WKB; None where there is none, or where GEOS refuses it.

    Parameters
    ----------
    wkb : array of bytes or None

    Returns
    -------
    array of geometries, as delivered: perhaps invalid, perhaps with Z and M
    """
    safe = np.array([data if data is None or not _is_deep(data) else None for data in wkb], dtype=object)
    with np.errstate(invalid="ignore"):  # NaN is told as a reason, not as a warning
        try:
            return np.asarray(shapely.from_wkb(safe, on_invalid="ignore"), dtype=object)
        except (NotImplementedError, shapely.errors.GEOSException):
            return np.array([_decode_one(data) for data in safe], dtype=object)


def _decode_one(data: bytes | None) -> shapely.Geometry | None:
    """Decode one geometry; None for what GEOS does not know, such as some curves."""
    try:
        return shapely.from_wkb(data, on_invalid="ignore")
    except (NotImplementedError, shapely.errors.GEOSException):
        return None


def _is_deep(data: bytes) -> bool:
    """Say whether collections may be nested so deeply that decoding them would kill the process."""
    if _COLLECTION not in (data[1:2] + data[4:5]):
        return False
    return data.count(b"\x07\x00\x00\x00") + data.count(b"\x00\x00\x00\x07") > _DEEPEST


class _Cursor:
    """A position in WKB bytes; every read checks that the bytes are there."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.order = "<"
        self.is_cut = False

    def unpack(self, code: str) -> float | int:
        """Read one number of the current byte order."""
        size = struct.calcsize(code)
        value: float | int = struct.unpack_from(self.order + code, self.data, self.at)[0]
        self.at += size
        return value

    def header(self) -> tuple[int, int]:
        """Read byte order and type; return the flat type and the numbers per point."""
        self.order = "<" if self.data[self.at] == 1 else ">"
        self.at += 1
        code = int(self.unpack("I"))
        numbers = 2 + bool(code & _EWKB_Z) + bool(code & _EWKB_M)
        if code & _EWKB_SRID:
            self.at += 4
        code &= 0x0FFFFFFF
        numbers += (0, 1, 1, 2)[code // 1000 % 4]
        return code % 1000, numbers

    def ring(self, numbers: int) -> NDArray[np.float64]:
        """Read the points of one ring, x and y only."""
        count = int(self.unpack("I"))
        there = min(count, (len(self.data) - self.at) // (numbers * 8))
        points = np.frombuffer(self.data, self.order + "f8", there * numbers, self.at)
        self.at += there * numbers * 8
        self.is_cut = there < count
        return points.reshape(there, numbers)[:, :2].astype(float)


def read_leniently(data: bytes) -> Reading:
    """Read a polygon whose rings may be unclosed.

    Parameters
    ----------
    data : bytes
        WKB (ISO or extended, either byte order), with or without Z and M.

    Returns
    -------
    Reading
        2-D; rings closed where they were open, otherwise as delivered and perhaps invalid.
    """
    cursor = _Cursor(data)
    rings: list[NDArray[np.float64]] = []
    try:
        polygons = _read_polygons(cursor, rings)
    except (struct.error, IndexError, ValueError):
        return Reading(None, "GEOMETRY_UNREADABLE", tuple(rings))
    if not all(np.isfinite(ring).all() for ring in rings):
        return Reading(None, "COORDINATES_NOT_FINITE", tuple(rings))
    built = [polygon for polygon in (_build(rings_of) for rings_of in polygons) if polygon is not None]
    if len(built) < len(polygons) or not built:
        return Reading(None, "TOO_FEW_POINTS", tuple(rings))
    return Reading(built[0] if len(built) == 1 else shapely.MultiPolygon(built), "", tuple(rings))


def _read_polygons(
    cursor: _Cursor, seen: list[NDArray[np.float64]], depth: int = 0
) -> list[list[NDArray[np.float64]]]:
    """Read the rings of each polygon, noting them in `seen` as they come, in case the bytes end early."""
    code, numbers = cursor.header()
    count = int(cursor.unpack("I"))
    if depth > _DEEPEST:
        raise ValueError("collections are nested too deeply")
    if code in (_MULTIPOLYGON, _COLLECTION):
        return [polygon for _ in range(count) for polygon in _read_polygons(cursor, seen, depth + 1)]
    if code != _POLYGON:
        raise ValueError(f"geometry type {code} is not a polygon")
    rings = []
    for _ in range(count):
        rings.append(cursor.ring(numbers))
        seen.append(rings[-1])
        if cursor.is_cut:
            raise ValueError("the ring is longer than the record")
    return [rings] if rings else []


def _build(rings: list[NDArray[np.float64]]) -> shapely.Polygon | None:
    """Close the rings of one polygon; None when its shell has fewer than three different points.

    A hole with fewer than three points encloses nothing and is left out.
    """
    closed = [_closed(ring) for ring in rings if len(np.unique(ring, axis=0)) >= 3]
    if not closed or len(np.unique(rings[0], axis=0)) < 3:
        return None
    return shapely.Polygon(closed[0], closed[1:])


def _closed(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ring with its first point repeated at the end."""
    return ring if (ring[0] == ring[-1]).all() else np.vstack([ring, ring[:1]])
