"""The ways in which delivered numbers can be read as places, and where each of them puts the records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geopipe.coordinates.corrections import Change, Correction
from geopipe.crs import parse_crs, to_lonlat
from geopipe.location.distances import Floats
from geopipe.location.places import Places, Stated
from geopipe.schema import Indices, Mask

# Levels of :class:`Position`.
OUTSIDE, IN_COUNTRY, AS_STATED = 0, 1, 2

_WGS84_DEGREES = "EPSG:4326"
_HALF_TURN = 180.0
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Reading:
    """One way to read delivered numbers: corrections, applied in order; none is the way they are stated."""

    corrections: tuple[Correction, ...] = ()

    def __str__(self) -> str:
        """Return the corrections as they are typed."""
        return ";".join(map(str, self.corrections))

    def crs(self, stated: str) -> str:
        """Return the coordinate system in which the numbers are read."""
        for correction in self.corrections:
            stated = correction.crs_after(stated)
        return stated

    def numbers(self, points: Floats) -> Floats:
        """Return the numbers (n, 2) so read; nan where they cannot be minutes and seconds."""
        for correction in self.corrections:
            points = correction.move(points)
        return points


AS_DELIVERED = Reading()


@dataclass(frozen=True)
class DiagnosisRules:
    """Figures of the diagnosis.

    Attributes
    ----------
    near_border_m : float
        A place so near the stated province, or the country, is not said to lie outside.
    majority : float
        In a layer that mostly lies outside the country, readings must explain this share of it.
    rival_share : float
        Another reading that explains this share as well makes a proposal ambiguous.
    own_share : float
        A layer of which less lies in the country, in whatever reading, is about another country.
    dms_chance : float
        Digits must fit minutes and seconds so well that chance does it less often than this.
    dms_distinct : int
        At least so many different seconds: a coarse grid shows few.
    """

    near_border_m: float = 2_000.0
    majority: float = 0.9
    rival_share: float = 0.9
    own_share: float = 0.1
    dms_chance: float = 1e-6
    dms_distinct: int = 12


@dataclass(frozen=True)
class Position:
    """Where records lie as their numbers are read.

    Attributes
    ----------
    longitude, latitude : arrays (n,), WGS 84 degrees, nan where the numbers mean no place
    located : array of int, the district, -1 outside all
    level : array of int8
        0 outside the country, 1 inside, 2 in the stated province (or near it, or by an older division).
    near_border, older_division : masks
        Not in the stated province, but within the border rule; or in a province that was made out of it.
    """

    longitude: Floats
    latitude: Floats
    located: Indices
    level: NDArray[np.int8]
    near_border: Mask
    older_division: Mask


def position_of(
    bounds: Floats, crs: str, reading: Reading, places: Places, stated: Stated, rules: DiagnosisRules
) -> Position:
    """Return where records lie when their numbers are read in some way."""
    longitude, latitude, half_m = _middles(bounds, crs, reading)
    located = places.locate(longitude, latitude)
    agrees, older = places.agree(located, stated)
    inside = located >= 0
    # A large polygon lies where any part of it may lie: its middle alone says little.
    reach_m = rules.near_border_m + half_m
    known = np.array([bool(codes) for codes in stated.distinct])[stated.row]
    elsewhere = np.flatnonzero(known & ~agrees & ~older & np.isfinite(longitude))
    distance_m = places.distance_to_stated_m(
        longitude[elsewhere], latitude[elsewhere], stated.take(elsewhere), reach_m[elsewhere]
    )
    near = np.zeros(len(bounds), dtype=bool)
    near[elsewhere] = distance_m <= reach_m[elsewhere]
    away = ~inside & ~near & np.isfinite(longitude)
    in_country = inside | near | places.near_country(longitude, latitude, reach_m, away)
    level = np.where(agrees | older | near, AS_STATED, np.where(in_country, IN_COUNTRY, OUTSIDE))
    return Position(longitude, latitude, located, level.astype(np.int8), near, older)


def _middles(bounds: Floats, crs: str, reading: Reading) -> tuple[Floats, Floats, Floats]:
    """Return lon/lat of the middle of each box (nan where it means no place) and half its diagonal in m."""
    used = reading.crs(crs)
    with np.errstate(invalid="ignore"):
        middle = (reading.numbers(bounds[:, :2]) + reading.numbers(bounds[:, 2:])) / 2
        half = np.hypot(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) / 2
    if not used:
        nowhere = np.full(len(bounds), np.nan)
        return nowhere, nowhere, np.zeros(len(bounds))
    longitude, latitude = middle.T
    if parse_crs(used).is_projected:
        longitude, latitude = to_lonlat(used).transform(longitude, latitude)
    else:
        half = half * _METRES_PER_DEGREE
    with np.errstate(invalid="ignore"):
        on_earth = (np.abs(longitude) <= _HALF_TURN) & (np.abs(latitude) <= _HALF_TURN / 2)
    return (
        np.where(on_earth, longitude, np.nan),
        np.where(on_earth, latitude, np.nan),
        np.where(on_earth, half, 0.0),
    )


def readings(crs: str, places: Places) -> tuple[Reading, ...]:
    """Return the other ways in which numbers of a stated coordinate system can be read, simple ones first."""
    swap = Correction(Change.SWAP_AXES)
    systems = [Correction(Change.CRS, zone) for zone in utm_zones(places)]
    if not crs or parse_crs(crs).is_projected:
        systems.insert(0, Correction(Change.CRS, _WGS84_DEGREES))
    exchanged = [Reading((swap, system)) for system in systems]
    plain = [Reading((system,)) for system in systems]
    if not crs:
        return (*plain, *exchanged)
    signs = [Reading((Correction(Change.SIGN, axes),)) for axes in ("x", "y", "xy")]
    return (Reading((swap,)), *signs, *plain, *exchanged)


def utm_zones(places: Places) -> tuple[str, ...]:
    """Return the UTM zones (WGS 84) in which a country lies."""
    west, south, east, north = places.bounds
    first, last = int((west + 180) // 6) + 1, int((east + 180) // 6) + 1
    halves = ([326] if north > 0 else []) + ([327] if south < 0 else [])
    return tuple(f"EPSG:{half}{zone:02d}" for half in halves for zone in range(first, min(last, 60) + 1))
