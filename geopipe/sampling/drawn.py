"""Geometry as SVG: from metres of the working CRS to millimetres of a page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import shapely

from geopipe.schema import Geometries


@dataclass(frozen=True)
class Window:
    """A square piece of the working CRS (m), shown on a square of the page (mm); north is up."""

    west_m: float
    south_m: float
    side_m: float
    side_mm: float

    @classmethod
    def around(cls, bounds: Iterable[float], margin_m: float, side_mm: float) -> Window:
        """Return the square around bounds (west, south, east, north) with a margin on all sides."""
        west, south, east, north = bounds
        side = max(east - west, north - south) + 2 * margin_m
        return cls((west + east - side) / 2, (south + north - side) / 2, side, side_mm)

    @property
    def box(self) -> shapely.Polygon:
        """What is shown (m)."""
        return shapely.box(self.west_m, self.south_m, self.west_m + self.side_m, self.south_m + self.side_m)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point (m) is on the page (mm from the upper left corner)."""
        scale = self.side_mm / self.side_m
        return (x - self.west_m) * scale, self.side_mm - (y - self.south_m) * scale

    def shown(self, geometry: Geometries) -> Geometries:
        """Return what of some geometries is in the window."""
        cut = shapely.clip_by_rect(geometry, *self.box.bounds)
        return cut[~shapely.is_empty(cut)]

    def path(self, geometry: Geometries, css: str) -> str:
        """Return geometries as one SVG path of a class; points become small circles."""
        shown = shapely.get_parts(shapely.get_parts(self.shown(geometry)))
        kinds = shapely.get_type_id(shown)
        lines = [*shapely.get_rings(shown[kinds == 3]), *shown[(kinds == 1) | (kinds == 2)]]
        data = "".join(self._line(line) for line in lines)
        dots = "".join(self.dot(point.x, point.y, 1.2, css) for point in shown[kinds == 0])
        return (f'<path class="{css}" d="{data}"/>' if data else "") + dots

    def dot(self, x: float, y: float, radius_mm: float, css: str) -> str:
        """Return a circle at a point (m)."""
        across, down = self.place(x, y)
        return f'<circle class="{css}" cx="{across:.2f}" cy="{down:.2f}" r="{radius_mm:g}"/>'

    def label(self, x: float, y: float, text: str) -> str:
        """Return a text beside a point (m)."""
        across, down = self.place(x, y)
        return f'<text x="{across + 1.2:.2f}" y="{down - 0.8:.2f}">{escape(text)}</text>'

    def scale_bar(self) -> str:
        """Return a bar of a round length, about a quarter of the window, and an arrow to the north."""
        length_m = _round_down(self.side_m / 4)
        end, down = 4 + length_m * self.side_mm / self.side_m, self.side_mm - 4
        name = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
        arrow = self.side_mm - 6
        return (
            f'<path class="bar" d="M4 {down:.2f}H{end:.2f}M4 {down - 1:.2f}v2M{end:.2f} {down - 1:.2f}v2"/>'
            f'<text x="4" y="{down - 2:.2f}">{name}</text>'
            f'<path class="bar" d="M{arrow:.2f} 12V4l-1.5 3h3l-1.5 -3"/>'
            f'<text x="{arrow - 0.9:.2f}" y="16">N</text>'
        )

    def _line(self, line: shapely.Geometry) -> str:
        points = (self.place(x, y) for x, y in shapely.get_coordinates(line))
        return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def _round_down(value: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value)
