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

_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000


@dataclass(frozen=True)
class Reading:
    """What could be read of one delivered geometry.

    `geometry` is None when no polygon could be built; `problem` is then the
    reason. `coordinates`, shape (n, 2), are all that were readable.
    """

    geometry: shapely.Geometry | None
    problem: str
    coordinates: NDArray[np.float64]


class _Cursor:
    """A position in WKB bytes; every read checks that the bytes are there."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.order = "<"

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
        size = count * numbers * 8
        if self.at + size > len(self.data):
            raise struct.error("ring is longer than the record")
        points = np.frombuffer(self.data, self.order + "f8", count * numbers, self.at)
        self.at += size
        return points.reshape(count, numbers)[:, :2].astype(float)


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
        return Reading(None, "GEOMETRY_UNREADABLE", _points(rings))
    if not np.isfinite(_points(rings)).all():
        return Reading(None, "COORDINATES_NOT_FINITE", _points(rings))
    built = [polygon for polygon in (_build(rings_of) for rings_of in polygons) if polygon is not None]
    if len(built) < len(polygons) or not built:
        return Reading(None, "TOO_FEW_POINTS", _points(rings))
    return Reading(built[0] if len(built) == 1 else shapely.MultiPolygon(built), "", _points(rings))


def _read_polygons(cursor: _Cursor, seen: list[NDArray[np.float64]]) -> list[list[NDArray[np.float64]]]:
    """Read the rings of each polygon, noting them in `seen` as they come, in case the bytes end early."""
    code, numbers = cursor.header()
    count = int(cursor.unpack("I"))
    if code in (_MULTIPOLYGON, _COLLECTION):
        return [polygon for _ in range(count) for polygon in _read_polygons(cursor, seen)]
    if code != _POLYGON:
        raise ValueError(f"geometry type {code} is not a polygon")
    rings = []
    for _ in range(count):
        rings.append(cursor.ring(numbers))
        seen.append(rings[-1])
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


def _points(rings: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.vstack(rings) if rings else np.empty((0, 2))
