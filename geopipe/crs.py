"""Coordinate systems: the choice of a working CRS, explicit operations, and what an unstated CRS could be.

All coordinates are x/y (longitude/latitude, easting/northing), whatever order a CRS declares.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from geopipe.errors import ConfigError, SourceError
from geopipe.schema import Geometries

WGS84 = "OGC:CRS84"
# Longitude 100.09-107.64 E, latitude 13.92-22.50 N (computed from the district polygons).
LAOS_BOUNDS = (100.09, 13.92, 107.64, 22.50)
# Projected coordinates may lie this far outside a CRS's area of use: UTM 47N is used all over Laos,
# while an exchanged easting and northing lands farther off.
_MARGIN_DEG = 6.0
_FALSE_ORIGIN_M = 5_000_000
_CELL_DEG = 10


@dataclass(frozen=True)
class Operation:
    """The coordinate operation that was used; `accuracy_m` is None where PROJ does not know it."""

    source: str
    target: str
    name: str
    accuracy_m: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the operation as plain values, for the manifest."""
        return asdict(self)


@dataclass(frozen=True)
class Candidate:
    """A CRS that a file without one could be in, and where that would put its middle."""

    crs: str
    longitude: float
    latitude: float
    in_laos: bool

    def __str__(self) -> str:
        place = " (in Laos)" if self.in_laos else ""
        return f"{self.crs} puts it near {self.longitude:.2f} E, {self.latitude:.2f} N{place}"


@lru_cache(maxsize=64)
def parse_crs(text: str) -> pyproj.CRS:
    """Return a CRS from an authority code, WKT or PROJ string.

    Raises
    ------
    ConfigError
        When PROJ does not know it.
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise ConfigError(
            f"{text[:60]!r} is not a coordinate system", remedy="Write it like EPSG:32648."
        ) from error


def require_horizontal(text: str) -> str:
    """Return a CRS's text; refuse one that is not in degrees or metres on a map (geocentric, vertical).

    Raises
    ------
    ConfigError
        When the CRS is neither geographic nor projected.
    """
    crs = parse_crs(text)
    if not (crs.is_geographic or crs.is_projected):
        raise ConfigError("the coordinate system has no longitude/latitude and no map coordinates", text)
    return text


@lru_cache(maxsize=64)
def crs_name(text: str) -> str:
    """Return the short name of a CRS for people: `EPSG:32648`, else the name it gives itself."""
    crs = parse_crs(text)
    authority = crs.to_authority(min_confidence=90)
    return ":".join(authority) if authority else str(crs.name)


@lru_cache(maxsize=1)
def _axes_wgs84() -> pyproj.CRS:
    return pyproj.CRS.from_user_input(WGS84)


@lru_cache(maxsize=64)
def to_lonlat(source: str) -> pyproj.Transformer:
    """Return a transformer to WGS 84 lon/lat for questions of place (ballpark allowed), not of area."""
    return pyproj.Transformer.from_crs(parse_crs(source), _axes_wgs84(), always_xy=True)


@lru_cache(maxsize=64)
def choose_operation(source: str, target: str) -> tuple[pyproj.Transformer, Operation]:
    """Choose the best coordinate operation, never a ballpark one.

    PROJ may fall back to a null shift between two datums without a word: from
    Indian 1960 to WGS 84 that is 422 m off. Such an operation is refused.

    Returns
    -------
    transformer : pyproj.Transformer
        Takes and gives x/y. The same one each time; pyproj gives each thread its own copy inside.
    operation : Operation

    Raises
    ------
    SourceError
        When only a ballpark operation exists.
    """
    with warnings.catch_warnings():
        # PROJ names grids that are not installed; the accuracy of what is used instead is recorded.
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(parse_crs(source), parse_crs(target), always_xy=True, allow_ballpark=False)
    if not group.transformers:
        raise SourceError(
            f"there is no accurate coordinate operation from {crs_name(source)} to {crs_name(target)}",
            remedy="Ask the sender for WGS 84 coordinates.",
        )
    best = group.transformers[0]
    accuracy = best.accuracy if best.accuracy is not None and best.accuracy >= 0 else None
    return best, Operation(crs_name(source), crs_name(target), best.description, accuracy)


def transform(geometry: Geometries, transformer: pyproj.Transformer) -> Geometries:
    """Transform the turning points of geometries; edges stay straight lines between them.

    Points that cannot be transformed become infinite. Z and M are dropped.
    """
    return np.asarray(
        shapely.transform(
            geometry, lambda points: np.column_stack(transformer.transform(*points.T)), include_z=False
        ),
        dtype=object,
    )


def lonlat_bounds(geometry: Geometries, source: str) -> NDArray[np.float64]:
    """Return each geometry's lower-left and upper-right corner as lon, lat, lon, lat (WGS 84 degrees).

    Good to a few hundred metres whatever the datum: for questions of place, not of area.
    """
    bounds = shapely.bounds(geometry)
    if parse_crs(source).is_geographic:
        return np.asarray(bounds)
    transformer = to_lonlat(source)
    low = transformer.transform(bounds[:, 0], bounds[:, 1])
    high = transformer.transform(bounds[:, 2], bounds[:, 3])
    return np.column_stack([*low, *high])


def degrees_called_metres(bounds: NDArray[np.float64], source: str) -> NDArray[np.bool_]:
    """Return which boxes (n, 4) of a projected CRS hold numbers that can only be degrees.

    No zone of a map in metres begins within 180 m of its origin on land that anybody surveys.
    """
    if not parse_crs(source).is_projected:
        return np.zeros(len(bounds), dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1) & (np.abs(bounds[:, [1, 3]]) <= 90).all(axis=1)
        )


def in_range(lonlat: NDArray[np.float64], source: str) -> NDArray[np.bool_]:
    """Return which rows of :func:`lonlat_bounds` lie where their CRS makes sense."""
    west, south, east, north = -180.0, -90.0, 180.0, 90.0
    crs = parse_crs(source)
    if crs.is_projected and crs.area_of_use is not None:
        use = crs.area_of_use
        if use.west <= use.east:
            west, east = use.west - _MARGIN_DEG, use.east + _MARGIN_DEG
        south, north = use.south - _MARGIN_DEG, use.north + _MARGIN_DEG
    with np.errstate(invalid="ignore"):
        x_fits = (lonlat[:, [0, 2]] >= west) & (lonlat[:, [0, 2]] <= east)
        y_fits = (lonlat[:, [1, 3]] >= south) & (lonlat[:, [1, 3]] <= north)
    return np.asarray((x_fits & y_fits).all(axis=1))


@dataclass(frozen=True)
class Cells:
    """How many records have their middle in each band of 10 degrees of longitude, and of latitude.

    Counts of deliveries add up, so that all of them together choose one working CRS without being read
    together.
    """

    west: Counter[int]
    south: Counter[int]

    @classmethod
    def of(cls, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Cells:
        """Count points; those on the outer border of the world belong to its last cells."""
        west = np.minimum(np.floor(longitude / _CELL_DEG).astype(int) * _CELL_DEG, 180 - _CELL_DEG)
        south = np.minimum(np.floor(latitude / _CELL_DEG).astype(int) * _CELL_DEG, 90 - _CELL_DEG)
        return cls(Counter(west.tolist()), Counter(south.tolist()))

    @classmethod
    def none(cls) -> Cells:
        """Return the counts of no records."""
        return cls(Counter(), Counter())

    def __add__(self, other: Cells) -> Cells:
        return Cells(self.west + other.west, self.south + other.south)


def _median(counts: Counter[int]) -> int:
    """Return the median of counted values, of two middle ones the lower."""
    left = (counts.total() - 1) // 2
    for value in sorted(counts):
        left -= counts[value]
        if left < 0:
            return value
    raise ValueError("there is no median of nothing")


def choose_working_crs(cells: Cells) -> str:
    """Return the equal-area CRS of the 10 by 10 degree cell that holds the median point.

    Albers with standard parallels a sixth inside the cell; cylindrical equal-area in the two
    bands at the equator. The false origin keeps coordinates far from zero, where GEOS has
    reported whole polygons as the overlap of two that only touch (shapely #2368). Without any
    record every cell will do, so that of Laos.
    """
    west, south = (_median(cells.west), _median(cells.south)) if cells.west else (100, 10)
    middle_x, middle_y = west + _CELL_DEG / 2, south + _CELL_DEG / 2
    origin = f"+x_0={_FALSE_ORIGIN_M} +y_0={_FALSE_ORIGIN_M} +datum=WGS84 +units=m +no_defs"
    if south in (-_CELL_DEG, 0):
        return f"+proj=cea +lat_ts={abs(middle_y):g} +lon_0={middle_x:g} {origin}"
    sixth = _CELL_DEG / 6
    return (
        f"+proj=aea +lat_1={south + sixth:.6g} +lat_2={south + 5 * sixth:.6g} "
        f"+lat_0={middle_y:g} +lon_0={middle_x:g} {origin}"
    )


def require_equal_area(text: str) -> str:
    """Return a working CRS's text; refuse one in which planar area is not true area in m2.

    Raises
    ------
    ConfigError
        When the CRS is not projected in metres or its area is more than 1e-5 off the geodesic one.
    """
    crs = parse_crs(text)
    if not crs.is_projected or {axis.unit_name for axis in crs.axis_info} != {"metre"}:
        raise ConfigError("the working CRS must be projected, in metres", crs_name(text))
    use = crs.area_of_use
    middle = ((use.west + use.east) / 2, (use.south + use.north) / 2) if use else _middle_of(crs)
    forward = pyproj.Transformer.from_crs(_axes_wgs84(), crs, always_xy=True)
    for step_x, step_y in ((0.0, 0.0), (1.5, 2.0), (-2.0, -1.5)):
        lon, lat = middle[0] + step_x, middle[1] + step_y
        square = shapely.box(lon, lat, lon + 0.001, lat + 0.001)
        true_m2 = abs(_geod(crs).geometry_area_perimeter(square)[0])
        planar_m2 = transform(np.array([square], dtype=object), forward)[0].area
        if not abs(planar_m2 / true_m2 - 1) < 1e-5:
            raise ConfigError(
                "the working CRS must be equal-area, or overlaps are measured wrongly",
                crs_name(text),
                "Leave it out, or use an Albers equal-area CRS as in configs/lao.yaml.",
            )
    return text


def _geod(crs: pyproj.CRS) -> pyproj.Geod:
    """Return the ellipsoid of a CRS; WGS 84's where it names none."""
    return crs.get_geod() or pyproj.Geod(ellps="WGS84")


def _middle_of(crs: pyproj.CRS) -> tuple[float, float]:
    """Return the lon/lat of the projection's own origin."""
    operation = crs.coordinate_operation
    if operation is None:
        return 0.0, 0.0
    values = {parameter.name: parameter.value for parameter in operation.params}
    longitude = next((v for n, v in values.items() if n.startswith("Longitude of")), 0.0)
    latitude = next((v for n, v in values.items() if n.startswith("Latitude of")), 0.0)
    return float(longitude), float(latitude)


def candidates(bounds: NDArray[np.float64]) -> tuple[Candidate, ...]:
    """Return the usual CRSs of Laos that a file without one could be in, likely ones first.

    Parameters
    ----------
    bounds : array (4,) of the file's coordinates as they stand
    """
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    found = []
    if abs(x) <= 180 and abs(y) <= 90:
        found.append(Candidate("EPSG:4326", x, y, _in_laos(x, y)))
    elif 0 < x < 1_000_000 and 0 < y < 9_500_000:
        for code in ("EPSG:32648", "EPSG:32647"):
            longitude, latitude = to_lonlat(code).transform(x, y)
            found.append(Candidate(code, longitude, latitude, _in_laos(longitude, latitude)))
    return tuple(sorted(found, key=lambda candidate: not candidate.in_laos))


def _in_laos(longitude: float, latitude: float) -> bool:
    west, south, east, north = LAOS_BOUNDS
    return west <= longitude <= east and south <= latitude <= north
