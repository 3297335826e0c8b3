"""What rounding of coordinates alone makes of a border that two records share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyproj
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.policies import SensitivityLimits
from geopipe.schema import Frame, Geometries


@dataclass(frozen=True)
class Rounding:
    """Two copies of a border, both rounded to some decimals of a degree, may lie so far apart.

    `apart_m` is the farthest: each copy is off by half a step, north and east, to opposite sides. Along a
    border of `edge_m` that makes an overlap of `area_m2`. `no_wider` counts overlaps whose mean width
    (area through the length of the shared border) is at most `apart_m`.
    """

    decimals: int
    apart_m: float
    edge_m: float
    area_m2: float
    no_wider: int | None = None

    def counted_in(self, cases: Frame) -> Rounding:
        """Return the same with the number of these overlaps that are no wider."""
        return replace(self, no_wider=int((cases.numpy("mean_width_m").astype(float) <= self.apart_m).sum()))


def rounding(limits: SensitivityLimits, latitude: float) -> tuple[Rounding, ...]:
    """Return what rounding makes at a latitude (degrees), for each number of decimals of a policy."""
    found = []
    for decimals in limits.decimals:
        half_deg = 0.5 * 10.0**-decimals
        apart_m = 2 * _metres_between(latitude, half_deg)
        found.append(Rounding(decimals, apart_m, limits.edge_m, apart_m * limits.edge_m))
    return tuple(found)


def latitude_deg(geometry: Geometries, crs: str) -> float:
    """Return the latitude of the middle of some shared ground; of Laos (18 degrees) where there is none."""
    if len(geometry) == 0:
        return 18.0
    west, south, east, north = shapely.total_bounds(geometry)
    transformer, _ = choose_operation(crs, WGS84)
    middle = np.array([shapely.Point((west + east) / 2, (south + north) / 2)], dtype=object)
    return float(shapely.get_y(transform(middle, transformer))[0])


def _metres_between(latitude: float, step_deg: float) -> float:
    """Return the distance (m, WGS 84) of a point to the one that lies a step north and east of it."""
    geod = pyproj.Geod(ellps="WGS84")
    return float(geod.inv(0.0, latitude, step_deg, latitude + step_deg)[2])
