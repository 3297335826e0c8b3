"""Ground for small deliveries: plots inside real districts, far enough apart that nothing overlaps.

A plot is a square of `PLOT_M` in the equal-area CRS; what is built on it stays inside. One box is kept
free for shapes that need kilometres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pyproj import Transformer

from geopipe.demo.places import BOXES, EQUAL_AREA_CRS, LON_LAT_CRS
from geopipe.demo.rings import Floats

Rng = np.random.Generator

PLOT_M = 1500.0
WIDE_M = (8000.0, 4500.0)
_WIDE_BOX = next(row for row, box in enumerate(BOXES) if box.district == "Nakay")


@dataclass(frozen=True)
class Plot:
    """A free piece of ground.

    Attributes
    ----------
    middle : ndarray, shape (2,)
        In the equal-area CRS, m.
    province, district : str
        Where it lies.
    """

    middle: Floats
    province: str
    district: str


# Middles of places (lon/lat) within 0.6 to 0.75 km of a neighbour, with the province that they lie in
# and the one beside it.
BORDER_PLACES = (
    (104.0251, 19.8706, "Houaphanh", "Huameuang", "Xieng Khouang"),
    (103.2297, 20.3853, "Houaphanh", "Xon", "Luang Prabang"),
    (105.8917, 17.0564, "Khammouane", "Bualapha", "Savannakhet"),
    (106.1313, 16.0554, "Salavan", "Toomlarn", "Savannakhet"),
    (106.6331, 15.7732, "Salavan", "Saravane", "Sekong"),
    (107.3913, 15.1618, "Attapeu", "Sanxay", "Sekong"),
    (106.4182, 14.9677, "Attapeu", "Sanamxay", "Champasak"),
    (105.7995, 15.4242, "Champasak", "Sanasomboon", "Salavan"),
)


class Ground:
    """Plots of all districts in a random order, each given out once."""

    def __init__(self, rng: Rng) -> None:
        plots = [
            plot for row in range(len(BOXES)) if row != _WIDE_BOX for plot in _plots(row, PLOT_M, PLOT_M)
        ]
        self._free: list[Plot] = [plots[at] for at in rng.permutation(len(plots))]
        wide = _plots(_WIDE_BOX, *WIDE_M)
        self._wide: list[Plot] = [wide[at] for at in rng.permutation(len(wide))]

    def take(self) -> Plot:
        """Return a free plot."""
        return self._free.pop()

    def take_wide(self) -> Plot:
        """Return a free plot of `WIDE_M`, kilometres long."""
        return self._wide.pop()


@lru_cache(maxsize=16)
def _transformer(source: str, target: str) -> Any:
    # A ballpark operation would be no datum shift at all.
    return Transformer.from_crs(source, target, always_xy=True, allow_ballpark=False)


def transform_xy(xy: Floats, source: str, target: str) -> Floats:
    """Transform points of shape (n, 2), x (or longitude) first; many small calls are cheap."""
    if source == target:
        return xy
    return np.column_stack(_transformer(source, target).transform(xy[:, 0], xy[:, 1]))


def _plots(row: int, width_m: float, height_m: float) -> list[Plot]:
    """Return the plots that lie wholly inside a box."""
    box = BOXES[row]
    corners = np.array([[x, y] for x in (box.west, box.east) for y in (box.south, box.north)])
    west, south = transform_xy(corners, LON_LAT_CRS, EQUAL_AREA_CRS).min(axis=0)
    east, north = transform_xy(corners, LON_LAT_CRS, EQUAL_AREA_CRS).max(axis=0)
    x, y = np.arange(west, east, width_m), np.arange(south, north, height_m)
    middles = np.array([[a + width_m / 2, b + height_m / 2] for a in x for b in y])
    fits = np.ones(len(middles), dtype=bool)
    for step in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        shift = np.array(step) * (width_m / 2, height_m / 2)
        lon, lat = transform_xy(middles + shift, EQUAL_AREA_CRS, LON_LAT_CRS).T
        fits &= (lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)
    return [Plot(middle, box.province, box.district) for middle in middles[fits]]


def border_plots() -> list[tuple[Plot, str]]:
    """Return plots near a border, each with the name of the province on the other side."""
    lonlat = np.array([[place[0], place[1]] for place in BORDER_PLACES])
    middles = transform_xy(lonlat, LON_LAT_CRS, EQUAL_AREA_CRS)
    return [
        (Plot(middle, province, district), beside)
        for middle, (_, _, province, district, beside) in zip(middles, BORDER_PLACES, strict=True)
    ]


def other_district(plot: Plot) -> str:
    """Return another district of the same province."""
    return next(
        box.district for box in BOXES if box.province == plot.province and box.district != plot.district
    )


def far_province(plot: Plot) -> str:
    """Return the province whose boxes are farthest from a plot."""
    here = transform_xy(plot.middle[None, :], EQUAL_AREA_CRS, LON_LAT_CRS)[0]
    distance = [np.hypot(box.west - here[0], box.south - here[1]) for box in BOXES]
    return BOXES[int(np.argmax(distance))].province


def star(rng: Rng, middle: Floats, least_m: float = 60.0, most_m: float = 220.0) -> Floats:
    """Return the turning points (n, 2) of an irregular polygon about a middle, anticlockwise, unclosed."""
    count = int(rng.integers(6, 12))
    angle = 2 * np.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    radius = rng.uniform(least_m, most_m) * rng.uniform(0.75, 1.0, count)
    return middle + np.column_stack((np.cos(angle), np.sin(angle))) * radius[:, None]


def area_m2(ring: Floats) -> float:
    """Return the area of an unclosed ring in a metric CRS, seen from its first point."""
    x, y = (ring - ring[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
