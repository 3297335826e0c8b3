"""The frame of a map of one case: which ground it shows, where north is, how long its scale bar is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation
from geopipe.geometry import width_m

WIDTH, HEIGHT = 100.0, 92.0
"""Size of a map, in its own units; one of them is about a millimetre on paper."""
_MARGIN = 0.12
_SMALLEST_M = 60.0
# So much of the two records is shown around their overlap: it must not become a dot.
_MOST_TIMES_OVERLAP = 12.0
_LEAST_OF_LARGE_M = 400.0
_NORTHWARD_DEG = 0.01
_BAR_SHARE = 0.3
# An overlap that is shorter or thinner than this on the map (units, about mm) is shown in an inset, too.
_SMALLEST_SEEN, _THINNEST_SEEN = 2.0, 0.5
_INSET_TIMES, _MOST_WIDTHS, _SMALLEST_INSET_M = 2.0, 6.0, 0.05
_LEAST_MAGNIFIED = 2.0


@dataclass(frozen=True)
class MapFrame:
    """A window in the working CRS (m): its south-west corner, and metres per unit of the map.

    `north_deg` is the direction of true north, clockwise from the top of the map. `is_cut` says that the
    records go on outside.
    """

    west: float
    south: float
    metres_per_unit: float
    north_deg: float
    is_cut: bool
    corners_deg: tuple[tuple[float, float], tuple[float, float]]
    stroke: float = 1.0
    """How thick lines are drawn: on a map that is shown smaller they are thicker."""

    @property
    def window(self) -> shapely.Geometry:
        """The ground that the map shows."""
        east, north = self.west + WIDTH * self.metres_per_unit, self.south + HEIGHT * self.metres_per_unit
        return shapely.box(self.west, self.south, east, north)

    def units(self, points: np.ndarray) -> np.ndarray:
        """Return points (m) in units of the map, y downwards."""
        moved = (points - (self.west, self.south)) / self.metres_per_unit
        moved[:, 1] = HEIGHT - moved[:, 1]
        return moved

    @property
    def bar_m(self) -> float:
        """Return a round length (m) that fills less than a third of the map."""
        longest = WIDTH * self.metres_per_unit * _BAR_SHARE
        magnitude = 10 ** np.floor(np.log10(longest))
        return float(max(step for step in (1, 2, 5) if step * magnitude <= longest) * magnitude)


def frame_of(
    a: shapely.Geometry, b: shapely.Geometry, overlap: shapely.Geometry, working_crs: str
) -> MapFrame:
    """Return the frame for two records and their overlap (working CRS, m).

    Both records are shown whole, unless the overlap would become a dot.
    """
    whole = shapely.union_all([shapely.envelope(ground) for ground in (a, b)])
    heart = overlap if not shapely.is_empty(overlap) else whole
    most_m = max(_MOST_TIMES_OVERLAP * _size_m(heart), _LEAST_OF_LARGE_M)
    is_cut = _size_m(whole) > most_m
    if is_cut:
        middle = shapely.centroid(shapely.envelope(heart))
        seen = shapely.intersection(
            shapely.envelope(whole), shapely.envelope(shapely.buffer(middle, most_m / 2))
        )
        whole = seen if not shapely.is_empty(seen) else shapely.envelope(heart)
    west, south, east, north = shapely.bounds(whole)
    width_m = max(east - west, (north - south) * WIDTH / HEIGHT, _SMALLEST_M) * (1 + 2 * _MARGIN)
    per_unit = width_m / WIDTH
    left, bottom = (west + east) / 2 - width_m / 2, (south + north) / 2 - HEIGHT * per_unit / 2
    north_deg, corners = _on_earth(left, bottom, per_unit, working_crs)
    return MapFrame(left, bottom, per_unit, north_deg, bool(is_cut), corners)


def magnified(frame: MapFrame, overlap: shapely.Geometry, times_smaller: float) -> MapFrame | None:
    """Return the frame of a magnified inset around an overlap that is too small to be seen; else None.

    Parameters
    ----------
    frame : MapFrame
        Of the map.
    overlap : Geometry
        In the working CRS (m).
    times_smaller : float
        How much smaller than the map the inset is printed.
    """
    if shapely.is_empty(overlap):
        return None
    parts = shapely.get_parts(overlap)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    wide_m = float(width_m(np.array([largest], dtype=object))[0])
    long_m = _size_m(overlap)
    if long_m >= _SMALLEST_SEEN * frame.metres_per_unit and wide_m >= _THINNEST_SEEN * frame.metres_per_unit:
        return None
    # A spot is shown whole; of a long strip a place in its middle.
    seen_m = max(_INSET_TIMES * min(long_m, _MOST_WIDTHS * wide_m), _SMALLEST_INSET_M)
    is_spot = long_m < seen_m
    middle = shapely.centroid(shapely.envelope(overlap)) if is_spot else shapely.point_on_surface(largest)
    per_unit = seen_m / HEIGHT
    if per_unit > frame.metres_per_unit / times_smaller / _LEAST_MAGNIFIED:
        return None
    x, y = shapely.get_coordinates(middle)[0]
    west, south = x - WIDTH * per_unit / 2, y - HEIGHT * per_unit / 2
    return replace(frame, west=west, south=south, metres_per_unit=per_unit, stroke=times_smaller)


def _size_m(ground: shapely.Geometry) -> float:
    west, south, east, north = shapely.bounds(ground)
    return float(max(east - west, north - south))


def _on_earth(
    west: float, south: float, per_unit: float, working_crs: str
) -> tuple[float, tuple[tuple[float, float], tuple[float, float]]]:
    """Return the direction of true north, and the lon/lat of the south-west and north-east corners."""
    back, _ = choose_operation(working_crs, WGS84)
    there, _ = choose_operation(WGS84, working_crs)
    east, north = west + WIDTH * per_unit, south + HEIGHT * per_unit
    lon, lat = back.transform([west, east, (west + east) / 2], [south, north, (south + north) / 2])
    x, y = there.transform([lon[2]] * 2, [lat[2], lat[2] + _NORTHWARD_DEG])
    north_deg = float(np.degrees(np.arctan2(x[1] - x[0], y[1] - y[0])))
    return north_deg, ((lon[0], lat[0]), (lon[1], lat[1]))
