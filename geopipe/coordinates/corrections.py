"""Corrections of coordinates: what can be proposed with evidence, and is applied only when confirmed.

A correction changes how delivered numbers are read, turning point by turning point; never Z, never their
order. The delivered geometry and the stated CRS stay beside the record whatever is corrected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.crs import require_horizontal
from geopipe.errors import ConfigError
from geopipe.schema import Geometries, Mask

Points: TypeAlias = NDArray[np.float64]

_LEAST_POINTS = 3
_SIXTY = 60
_AXES = ("x", "y", "xy")
_KNOWN = "Known are swap_axes, crs=EPSG:CODE, sign=x, sign=y, sign=xy, dms, line_as_area."


class Change(StrEnum):
    """What a correction does."""

    SWAP_AXES = "swap_axes"
    CRS = "crs"
    SIGN = "sign"
    DMS = "dms"
    LINE_AS_AREA = "line_as_area"


_MEANINGS = {
    Change.SWAP_AXES: "x and y are exchanged",
    Change.CRS: "the coordinate system is {value}",
    Change.SIGN: "the sign of {value} is turned around",
    Change.DMS: "103.4530 is read as 103 degrees 45 minutes 30 seconds",
    Change.LINE_AS_AREA: "the line is the border of an area",
}


@dataclass(frozen=True)
class Correction:
    """One correction: what it does, and the CRS or axis that it is about."""

    change: Change
    value: str = ""

    def __str__(self) -> str:
        """Return the form in which it is typed and kept: `swap_axes`, `crs=EPSG:32648`, `sign=y`, `dms`."""
        return f"{self.change}={self.value}" if self.value else str(self.change)

    @property
    def meaning(self) -> str:
        """Say in words what it does."""
        value = {"xy": "x and y"}.get(self.value, self.value)
        return _MEANINGS[self.change].format(value=value)

    def crs_after(self, crs: str) -> str:
        """Return the CRS in which coordinates are read after it."""
        return self.value if self.change is Change.CRS else crs

    def move(self, points: Points) -> Points:
        """Return numbers (n, 2) as it reads them; nan where they cannot be degrees, minutes and seconds."""
        if self.change is Change.SWAP_AXES:
            return points[:, ::-1]
        if self.change is Change.SIGN:
            return np.asarray(points * [-1.0 if axis in self.value else 1.0 for axis in "xy"])
        return degrees_of_dms(points) if self.change is Change.DMS else points

    def apply(self, geometry: Geometries) -> Geometries:
        """Return geometries with corrected turning points; those that it refuses as they were."""
        if self.change is Change.LINE_AS_AREA:
            return _as_areas(geometry)
        if self.change is Change.CRS:
            return geometry
        fits = ~self.refuses(geometry)
        result = np.array(geometry, dtype=object)
        result[fits] = _moved(result[fits], self.move)
        return result

    def refuses(self, geometry: Geometries) -> Mask:
        """Return which geometries it cannot be applied to: some number shows 60 minutes or seconds or more.

        Such a record is not written in degrees, minutes and seconds, so nothing of it may be moved.
        """
        refused = np.zeros(len(geometry), dtype=bool)
        if self.change is Change.DMS:
            points, owner = shapely.get_coordinates(geometry, return_index=True)
            spoiled = np.isfinite(points).all(axis=1) & ~np.isfinite(self.move(points)).all(axis=1)
            refused[owner[spoiled]] = True
        return refused


LINE_AS_AREA = Correction(Change.LINE_AS_AREA)


def parse_correction(text: str) -> Correction:
    """Read a correction as it is typed.

    Raises
    ------
    ConfigError
        When it is none that geopipe knows.
    """
    name, _, value = (part.strip() for part in text.strip().partition("="))
    if name == Change.CRS and value:
        return Correction(Change.CRS, require_horizontal(value))
    if name == Change.SIGN and value in _AXES:
        return Correction(Change.SIGN, value)
    if name in (Change.SWAP_AXES, Change.DMS, Change.LINE_AS_AREA) and "=" not in text:
        return Correction(Change(name))
    raise ConfigError(f"{text[:80]!r} is not a correction", remedy=_KNOWN)


def degrees_of_dms(points: Points) -> Points:
    """Return decimal degrees of numbers that hold degrees.minutes-seconds; nan where 60 or more stands.

    Parameters
    ----------
    points : array of any shape
        103.453012 is 103 degrees 45 minutes 30.12 seconds.
    """
    # In units of a second, to a millionth (0.03 mm): more than the digits of a float64 can spoil.
    digits = np.round(np.abs(points) * 1e4, 6)
    degrees, rest = np.divmod(digits, 10_000)
    minutes, seconds = np.divmod(rest, 100)
    decimal = np.copysign(degrees + minutes / 60 + seconds / 3600, points)
    return np.where((minutes < _SIXTY) & (np.round(seconds, 6) < _SIXTY), decimal, np.nan)


def _moved(geometry: Geometries, move: Callable[[Points], Points]) -> Geometries:
    """Return geometries with x and y moved, Z as it was."""

    def change(points: Points) -> Points:
        return np.column_stack([move(points[:, :2]), points[:, 2:]])

    spatial = shapely.has_z(geometry)
    result = np.array(geometry, dtype=object)
    for has_z in (False, True):
        result[spatial == has_z] = shapely.transform(result[spatial == has_z], change, include_z=has_z)
    return result


def _as_areas(geometry: Geometries) -> Geometries:
    """Return lines of at least three different points as polygons; everything else as it was."""
    result = np.array(geometry, dtype=object)
    single = shapely.get_type_id(result) == shapely.GeometryType.MULTILINESTRING
    single &= shapely.get_num_geometries(result) == 1
    result[single] = shapely.get_geometry(result[single], 0)
    for row in np.flatnonzero(shapely.get_type_id(result) == shapely.GeometryType.LINESTRING):
        line = result[row]
        if len(np.unique(shapely.get_coordinates(line), axis=0)) >= _LEAST_POINTS:
            result[row] = shapely.Polygon(shapely.get_coordinates(line, include_z=bool(line.has_z)))
    return result
