"""Symbols: fills, hatching, outlines, lines and marks. Widths in millimetres on paper."""

from __future__ import annotations

from geopipe.outputs.qgis.colours import Fill, rgba
from geopipe.outputs.qgis.xml import Element, element, properties


def area(name: str, fill: Fill) -> Element:
    """Return a filled area; its level decides what is drawn above what."""
    values: dict[str, object] = {
        "color": rgba(fill.colour, fill.opacity),
        "style": "solid" if fill.opacity else "no",
        "outline_color": rgba(fill.outline),
        "outline_style": fill.dash,
        "outline_width": "0.4",
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }
    return _symbol(name, "fill", _layer("SimpleFill", values, level=fill.level))


def outline(name: str, colour: str, dash: str = "solid", width_mm: float = 0.5) -> Element:
    """Return an area of which only the border is drawn: whatever lies beneath stays in sight."""
    return _symbol(name, "fill", _border(colour, dash, width_mm))


def hatched(name: str, colour: str, angle: int, dash: str = "solid") -> Element:
    """Return an area hatched with thin lines at an angle (degrees)."""
    values = {
        "angle": angle,
        "distance": "3",
        "distance_unit": "MM",
        "color": rgba(colour),
        # Lines of overlaps that lie on each other fall together; QGIS before 3.24 does not know this.
        "coordinate_reference": "viewport",
    }
    inner = _symbol("@0@0", "line", _line_layer(colour, "solid", 0.2))
    pattern = _layer("LinePatternFill", values, inner=inner)
    return _symbol(name, "fill", pattern, _border(colour, dash, 0.4))


def line(name: str, colour: str, dash: str = "solid", width_mm: float = 0.5) -> Element:
    """Return a line."""
    return _symbol(name, "line", _line_layer(colour, dash, width_mm))


def mark(name: str, shape: str, colour: str, border: str, size_mm: float) -> Element:
    """Return a mark at a point."""
    values = {
        "name": shape,
        "color": colour,
        "outline_color": border,
        "outline_style": "solid",
        "outline_width": "0.4",
        "size": size_mm,
        "size_unit": "MM",
    }
    return _symbol(name, "marker", _layer("SimpleMarker", values))


def _border(colour: str, dash: str, width_mm: float) -> Element:
    values = {
        "color": rgba(colour, 0),
        "style": "no",
        "outline_color": rgba(colour),
        "outline_style": dash,
        "outline_width": width_mm,
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }
    return _layer("SimpleFill", values)


def _line_layer(colour: str, dash: str, width_mm: float) -> Element:
    values = {
        "line_color": rgba(colour), "line_style": dash, "line_width": width_mm, "line_width_unit": "MM",
    }  # fmt: skip
    return _layer("SimpleLine", values)


def _symbol(name: str, kind: str, *layers: Element) -> Element:
    attributes = {"name": name, "type": kind, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}
    return element("symbol", attributes, *layers)


def _layer(kind: str, values: dict[str, object], level: int = 0, inner: Element | None = None) -> Element:
    attributes = {"class": kind, "enabled": "1", "locked": "0", "pass": str(level)}
    return element("layer", attributes, *properties(values), *([] if inner is None else [inner]))
