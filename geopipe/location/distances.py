"""Distances on the ellipsoid between places in WGS 84 lon/lat, in metres, and directions in words."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

_GEOD = pyproj.Geod(ellps="WGS84")
_METRES_PER_DEGREE = 110_500.0  # of latitude, rounded down, so that a box in degrees is never too narrow
_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def between_m(longitude: Floats, latitude: Floats, other_longitude: Floats, other_latitude: Floats) -> Floats:
    """Return the geodesic distance of each pair of places; nan where one is not on the Earth."""
    arrays = np.array([longitude, latitude, other_longitude, other_latitude], dtype=float)
    known = np.isfinite(arrays).all(axis=0)
    metres = np.full(arrays.shape[1], np.nan)
    _, _, metres[known] = _GEOD.inv(*arrays[:, known])
    return metres


class Reach:
    """A shape (lon/lat) made ready for the question how far places are from it.

    The nearest point is sought in degrees of which those of longitude are shortened to the middle of the
    shape; the distance to it is then measured on the ellipsoid. Good to 1 % for a country like Laos.
    """

    def __init__(self, shape: Any) -> None:
        _, south, _, north = shape.bounds
        middle, *ends = np.cos(np.radians([(south + north) / 2, south, north]))
        self._shrink = float(middle)
        # Where degrees of longitude are shorter than in the middle, flat distances are too long.
        self._flat_excess = float(max(1.0, middle / max(min(ends), 0.01)))
        self._flat: Any = shapely.transform(shape, lambda points: points * [self._shrink, 1.0])
        shapely.prepare(self._flat)

    def distance_m(self, longitude: Floats, latitude: Floats, within_m: Floats) -> Floats:
        """Return the distance of places, 0 inside; inf where it is certainly more than `within_m`."""
        metres = np.full(len(longitude), np.inf)
        with np.errstate(invalid="ignore"):
            on_earth = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
        rows = np.flatnonzero(on_earth)
        points: Any = shapely.points(longitude[rows] * self._shrink, latitude[rows])
        reach = np.minimum(within_m[rows], 1e9) / _METRES_PER_DEGREE * self._flat_excess
        close = np.asarray(shapely.dwithin(self._flat, points, reach))  # type: ignore[call-overload]
        rows, points = rows[close], points[close]
        lines = shapely.shortest_line(self._flat, points)
        nearest = shapely.get_coordinates(shapely.get_point(lines, 0))
        metres[rows] = between_m(nearest[:, 0] / self._shrink, nearest[:, 1], longitude[rows], latitude[rows])
        return metres


def displacement(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return how far east and north (m, true north) one place (lon, lat) lies from another."""
    azimuth, _, metres = _GEOD.inv(*start, *end)
    return float(metres * np.sin(np.radians(azimuth))), float(metres * np.cos(np.radians(azimuth)))


def compass_word(east_m: float, north_m: float) -> str:
    """Return the direction of a displacement as one of eight words, such as `north-west`."""
    azimuth = np.degrees(np.arctan2(east_m, north_m))
    return _COMPASS[round(azimuth / 45) % 8]
