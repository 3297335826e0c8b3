"""The map of one case as SVG: released land, hazard above it, the two outlines, their overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape

import numpy as np
import shapely

from geopipe.geometry import overlaid
from geopipe.outputs.pack.mapframe import HEIGHT, WIDTH, MapFrame, magnified
from geopipe.terms import Kind

FILLS = {
    Kind.CHA: "#FF0000", Kind.SHA: "#F4A718", Kind.CLEARED: "#4CA64C", Kind.REDUCED: "#8CC68C",
    Kind.CANCELLED: "#BFDFBF", Kind.SURVEY_BOX: "#9FB6CD", Kind.TASK: "#C8C8C8", Kind.UNKNOWN: "#C8A2C8",
}  # fmt: skip
A_LINE, B_LINE, NEIGHBOUR_LINE, UNRESOLVED_LINE = "#000000", "#0047AB", "#777777", "#D00000"
_OPACITY = 0.5
_HATCH_UNITS = 1.6
_DOT_UNITS = 6.0
# How large an inset is, of the map.
_INSET_SHARE = 0.36
_LINES, _POLYGONS = (1, 5), (3, 6)
# Released land below, what is neither in the middle, hazard on top.
_ORDER = (
    Kind.TASK, Kind.SURVEY_BOX, Kind.CANCELLED, Kind.REDUCED, Kind.CLEARED, Kind.UNKNOWN, Kind.SHA, Kind.CHA,
)  # fmt: skip


@dataclass(frozen=True)
class MapRecord:
    """A record on the map. Without a fill only `outline` is drawn, which need not be all of its border."""

    kind: str
    ground: shapely.Geometry
    outline: shapely.Geometry | None = None
    is_filled: bool = True

    @property
    def line(self) -> shapely.Geometry:
        """What is drawn as its border."""
        return shapely.boundary(self.ground) if self.outline is None else self.outline


@dataclass(frozen=True)
class CaseMap:
    """What the map of a case shows; all geometry in the working CRS (m)."""

    frame: MapFrame
    a: MapRecord
    b: MapRecord
    overlap: shapely.Geometry
    neighbours: Sequence[MapRecord] = ()
    unresolved: Sequence[shapely.Geometry] = ()
    points: Sequence[shapely.Geometry] = field(default=())


def as_svg(drawn: CaseMap) -> str:
    """Return the map as SVG; the same map gives the same text."""
    frame = drawn.frame
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'width="{WIDTH:g}mm" height="{HEIGHT:g}mm">',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#FCFCFA"/>',
        *_grounds(drawn),
        *(_line(item.line, frame, NEIGHBOUR_LINE, 0.2) for item in drawn.neighbours),
        *(_unresolved(ground, frame) for ground in drawn.unresolved),
        _line(drawn.a.line, frame, A_LINE, 0.55),
        _line(drawn.b.line, frame, B_LINE, 0.55, "1.8 0.9"),
        *_overlap(drawn.overlap, frame),
        *(_point(point, frame) for point in drawn.points),
        *_names(drawn),
        *_inset(drawn),
        *_furniture(frame),
        "</svg>",
    ]
    return "".join(part for part in parts if part)


def _grounds(drawn: CaseMap) -> Iterator[str]:
    """Yield the filled areas: hazard is drawn above released land, whatever record it is of."""
    items = [item for item in (*drawn.neighbours, drawn.a, drawn.b) if item.is_filled]
    for item in sorted(items, key=lambda item: _ORDER.index(Kind(item.kind))):
        shape = _path(_within(item.ground, drawn.frame), drawn.frame)
        if shape:
            fill = FILLS[Kind(item.kind)]
            yield f'<path d="{shape}" fill="{fill}" fill-opacity="{_OPACITY}" fill-rule="evenodd"/>'


def _within(ground: shapely.Geometry, frame: MapFrame) -> shapely.Geometry:
    """Return what the map shows of some ground."""
    seen: shapely.Geometry = overlaid(shapely.intersection, ground, frame.window)
    return seen


def _path(ground: shapely.Geometry, frame: MapFrame) -> str:
    """Return polygons and lines as the data of an SVG path."""
    pieces = []
    for part in shapely.get_parts(shapely.get_parts(ground)):
        kind = shapely.get_type_id(part)
        rings = _rings(part) if kind in _POLYGONS else [part] if kind in (*_LINES, 2) else []
        for ring in rings:
            points = frame.units(shapely.get_coordinates(ring))
            text = "L".join(f"{x:.3f} {y:.3f}" for x, y in points)
            pieces.append(f"M{text}{'Z' if kind in _POLYGONS else ''}")
    return "".join(pieces)


def _rings(polygon: shapely.Geometry) -> list[shapely.Geometry]:
    return list(shapely.get_rings(polygon))


def _line(line: shapely.Geometry, frame: MapFrame, colour: str, width: float, dashes: str = "") -> str:
    shape = _path(_within(line, frame), frame)
    if not shape:
        return ""
    pattern = " ".join(f"{float(length) * frame.stroke:g}" for length in dashes.split())
    dashed = f' stroke-dasharray="{pattern}"' if dashes else ""
    return (
        f'<path d="{shape}" fill="none" stroke="{colour}" stroke-width="{width * frame.stroke:g}"{dashed}/>'
    )


def _unresolved(ground: shapely.Geometry, frame: MapFrame) -> str:
    """Return hazard that is only drawn: dashed red, as an outline or around its point."""
    if shapely.get_dimensions(ground) == 0:
        x, y = frame.units(shapely.get_coordinates(ground)[:1])[0]
        ring = f'<circle cx="{x:.3f}" cy="{y:.3f}" r="2" fill="none"'
        return f'{ring} stroke="{UNRESOLVED_LINE}" stroke-width="0.6" stroke-dasharray="1 0.7"/>'
    line = shapely.boundary(ground) if shapely.get_dimensions(ground) == 2 else ground
    return _line(line, frame, UNRESOLVED_LINE, 0.6, "1 0.7")


def _overlap(overlap: shapely.Geometry, frame: MapFrame) -> Iterator[str]:
    """Yield the overlap, hatched; a circle shows where it is if it is too small to be seen."""
    seen = _within(overlap, frame)
    if shapely.is_empty(seen):
        return
    west, south, east, north = shapely.bounds(frame.window)
    step = _HATCH_UNITS * frame.stroke * frame.metres_per_unit * np.sqrt(2)
    starts = np.arange(west - (north - south), east, step)
    ends = np.column_stack(
        [starts, np.full_like(starts, south), starts + north - south, np.full_like(starts, north)]
    )
    hatch = overlaid(shapely.intersection, shapely.MultiLineString(list(ends.reshape(-1, 2, 2))), seen)
    yield _line(hatch, frame, "#000000", 0.25)
    yield _line(shapely.boundary(overlap), frame, "#C000C0", 0.45)
    left, bottom, right, top = shapely.bounds(seen)
    if frame.stroke == 1.0 and max(right - left, top - bottom) < _DOT_UNITS * frame.metres_per_unit:
        x, y = frame.units(np.array([[(left + right) / 2, (bottom + top) / 2]]))[0]
        ring = f'<circle cx="{x:.3f}" cy="{y:.3f}" r="{_DOT_UNITS:g}" fill="none"'
        yield f'{ring} stroke="#C000C0" stroke-width="0.5"/>'


def _point(point: shapely.Geometry, frame: MapFrame) -> str:
    x, y = frame.units(shapely.get_coordinates(point)[:1])[0]
    corners = f"{x:.3f},{y - 1.5:.3f} {x - 1.3:.3f},{y + 0.9:.3f} {x + 1.3:.3f},{y + 0.9:.3f}"
    return f'<polygon points="{corners}" fill="#FFE800" stroke="#000000" stroke-width="0.3"/>'


def _names(drawn: CaseMap) -> Iterator[str]:
    """Yield the letters of both records, on ground of their own where they have any."""
    for letter, colour, own, other in (("A", A_LINE, drawn.a, drawn.b), ("B", B_LINE, drawn.b, drawn.a)):
        lines = own.outline is not None
        ground = own.line if lines else overlaid(shapely.difference, own.ground, other.ground)
        seen = _within(ground, drawn.frame)
        if shapely.is_empty(seen):
            seen = _within(own.line, drawn.frame)
        if shapely.is_empty(seen):
            continue
        x, y = drawn.frame.units(shapely.get_coordinates(shapely.point_on_surface(_largest(seen))))[0]
        yield _text(letter, x, y + 1.6, 4.6, colour, "middle", "bold")


def _inset(drawn: CaseMap) -> Iterator[str]:
    """Yield a magnified map of an overlap that is too small to be seen, with a scale bar of its own."""
    frame = magnified(drawn.frame, drawn.overlap, 1 / _INSET_SHARE)
    if frame is None:
        return
    large = replace(drawn, frame=frame)
    width, height = WIDTH * _INSET_SHARE, HEIGHT * _INSET_SHARE
    x, y = drawn.frame.units(np.array([[frame.west, frame.south]]))[0]
    # In the corner that is farther from the place; the other two hold scale and north.
    left, top = (2.0, 2.0) if x > WIDTH / 2 or y > HEIGHT * 0.6 else (WIDTH - width - 2, HEIGHT - height - 6)
    yield (
        f'<path d="M{x:.3f} {y:.3f}L{left + width / 2:.3f} {top + height / 2:.3f}" '
        'stroke="#C000C0" stroke-width="0.3"/>'
    )
    yield (
        f'<svg x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}"><rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#FCFCFA"/>'
    )
    yield from _grounds(large)
    yield from _overlap(drawn.overlap, frame)
    yield _line(drawn.a.line, frame, A_LINE, 0.55)
    yield _line(drawn.b.line, frame, B_LINE, 0.55, "1.8 0.9")
    yield f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="none" stroke="#C000C0" stroke-width="2"/></svg>'
    yield from _bar(
        frame.bar_m, frame.bar_m / frame.metres_per_unit * _INSET_SHARE, left + 2, top + height - 3
    )


def _largest(ground: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(ground)
    sizes = shapely.area(parts) if shapely.get_dimensions(ground) == 2 else shapely.length(parts)
    largest: shapely.Geometry = parts[int(np.argmax(sizes))]
    return largest


def _furniture(frame: MapFrame) -> Iterator[str]:
    """Yield scale bar, north arrow, coordinates of two corners, and the border."""
    yield from _bar(frame.bar_m, frame.bar_m / frame.metres_per_unit, 5, HEIGHT - 9)
    yield (
        f'<g transform="translate({WIDTH - 6:g} 9) rotate({frame.north_deg:.3f})">'
        '<polygon points="0,-6 -2.4,4 0,2.4 2.4,4" fill="#000000"/></g>'
    )
    yield _text("N", WIDTH - 6, 17.4, 3.6, "#000000", "middle", "bold")
    (west, south), (east, north) = frame.corners_deg
    yield _text(_degrees(west, south), 1.2, HEIGHT - 1.4, 2.5, "#222222", "start")
    yield _text(_degrees(east, north), WIDTH - 12, 3.2, 2.5, "#222222", "end")
    yield f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="none" stroke="#000000" stroke-width="0.5"/>'


def _bar(metres: float, length: float, x: float, y: float) -> Iterator[str]:
    """Yield a scale bar: so many metres are so many units of the map."""
    paper, ink = 'fill="#FFFFFF" opacity="0.8"', 'stroke="#000000" stroke-width="0.25"'
    yield f'<rect x="{x - 2:.3f}" y="{y - 5.2:.3f}" width="{length + 4:.3f}" height="7.6" {paper}/>'
    yield f'<rect x="{x:.3f}" y="{y:.3f}" width="{length:.3f}" height="1.2" fill="#FFFFFF" {ink}/>'
    yield f'<rect x="{x:.3f}" y="{y:.3f}" width="{length / 2:.3f}" height="1.2" fill="#000000"/>'
    if metres < 1:
        name = f"{100 * metres:g} cm"
    else:
        name = f"{metres:g} m" if metres < 1000 else f"{metres / 1000:g} km"
    yield _text(name, x + length / 2, y - 1, 3.2, "#000000", "middle")


def _degrees(longitude: float, latitude: float) -> str:
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.5f} {north}, {abs(longitude):.5f} {east}"


def _text(
    text: str, x: float, y: float, size: float, colour: str, anchor: str, weight: str = "normal"
) -> str:
    """Return a text with a white rim, so that it can be read on any ground."""
    return (
        f'<text x="{x:.3f}" y="{y:.3f}" font-family="Noto Sans" font-size="{size:g}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}" stroke="#FFFFFF" stroke-width="0.9" paint-order="stroke">'
        f"{escape(text)}</text>"
    )
