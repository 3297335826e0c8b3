"""Datums that Laos has used, and how far coordinates lie off when one of them is taken for WGS 84."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import UTMConversion

from geopipe.crs import WGS84, choose_operation, parse_crs
from geopipe.location.distances import displacement

# Lao 1997, Lao 1993, Vientiane 1982, Indian 1960, 1954 and 1975.
DATUMS = ("EPSG:4678", "EPSG:4677", "EPSG:4676", "EPSG:4131", "EPSG:4239", "EPSG:4240")
# No offset between two drawings is known better than this.
_LEAST_TOLERANCE_M = 5.0


@dataclass(frozen=True)
class KnownShift:
    """How far a place lies off when coordinates of a system are called WGS 84 (m; true north).

    Attributes
    ----------
    crs : str
        Geographic system of the datum, such as EPSG:4131.
    name : str
        Its name, such as `Indian 1960`.
    zone : int
        UTM zone when the coordinates are metres, 0 for degrees.
    accuracy_m : float
        Of the transformation to WGS 84, as PROJ knows it.
    """

    crs: str
    name: str
    zone: int
    east_m: float
    north_m: float
    accuracy_m: float

    def __str__(self) -> str:
        """Return the name for people."""
        return f"{self.name} ({self.crs}{f', UTM zone {self.zone}' if self.zone else ''})"


@lru_cache(maxsize=16)
def _systems(datum: str, zone: int) -> tuple[pyproj.Transformer, pyproj.Transformer, float]:
    """Return transformers lon/lat -> numbers on the datum taken for WGS 84, and numbers -> true lon/lat."""
    own, wgs84 = parse_crs(datum), parse_crs(WGS84)
    if zone:
        own, wgs84 = (ProjectedCRS(UTMConversion(str(zone)), geodetic_crs=base) for base in (own, wgs84))
    to_numbers = pyproj.Transformer.from_crs(parse_crs(WGS84), wgs84, always_xy=True)
    truly, operation = choose_operation(own.to_wkt(), WGS84)
    return to_numbers, truly, operation.accuracy_m or 0.0


def projected_code(shift: KnownShift) -> str:
    """Return the EPSG code of the UTM system of a shift; '' where there is none (Lao datums have none)."""
    own = ProjectedCRS(UTMConversion(str(shift.zone)), geodetic_crs=parse_crs(shift.crs))
    authority = own.to_authority(min_confidence=70)
    return ":".join(authority) if authority else ""


def known_shifts(place: tuple[float, float]) -> tuple[KnownShift, ...]:
    """Return, for each mislabelled system, where it shows a place (lon, lat), seen from the truth."""
    zone = int((place[0] + 180) // 6) + 1
    shifts = []
    for datum in DATUMS:
        for used in (0, zone):
            to_numbers, truly, accuracy_m = _systems(datum, used)
            true_place = truly.transform(*to_numbers.transform(*place))
            east_m, north_m = displacement(true_place, place)
            shifts.append(KnownShift(datum, str(parse_crs(datum).name), used, east_m, north_m, accuracy_m))
    return tuple(shifts)


def explaining_shifts(place: tuple[float, float], east_m: float, north_m: float) -> tuple[KnownShift, ...]:
    """Return the mislabelled systems that explain an offset at a place, or its reverse, the best first.

    An offset says how one delivery lies to another, not which of them is right, so both directions count.
    """
    found = []
    for shift in known_shifts(place):
        apart_m = min(
            np.hypot(shift.east_m - sign * east_m, shift.north_m - sign * north_m) for sign in (1, -1)
        )
        if apart_m <= max(_LEAST_TOLERANCE_M, shift.accuracy_m):
            found.append((float(apart_m), shift))
    return tuple(shift for _, shift in sorted(found, key=lambda pair: pair[0]))
