"""The style of a layer: drawing, labels, form and tip, as one QML document or inside a project."""

from __future__ import annotations

from collections.abc import Mapping

from geopipe.outputs.qgis.colours import HAZARD_RED, rgba
from geopipe.outputs.qgis.forms import form
from geopipe.outputs.qgis.renderers import Drawing, renderer
from geopipe.outputs.qgis.xml import Element, as_text, element

# The oldest QGIS that is still found on laptops reads all that is written here; newer ones do so, too.
QGIS_VERSION = "3.22.0"
# What a label shows, its colour, the scale (1 to so many) from which on it is shown, and its priority.
_LABELS = {
    "cases": ("number", "#1A1A1A", 50_000, 10),
    "hazard_unresolved": ("source_id", HAZARD_RED, 50_000, 8),
    "areas": ("source_id", "#303030", 10_000, 4),
    "points": ("point_type", "#303030", 5_000, 2),
    "partner_outlines": ("record_id", "#0047AB", 10_000, 3),
}
# On a map of the whole country the borders of cases would hide the hazard beneath them.
_SHOWN_FROM = {"cases": 250_000, "overlaps": 250_000, "gaps": 250_000, "partner_outlines": 250_000}
# QGIS numbers types of geometry so; a style for another type is refused by it.
_TYPE_NUMBERS = {"Point": "0", "LineString": "1", "Polygon": "2"}
_AROUND_POINT, _ON_LINE, _INSIDE = "0", "2", "4"


def style(drawing: Drawing, references: Mapping[str, str]) -> list[Element]:
    """Return all parts of the style of a layer; a table without geometry has only a form.

    Parameters
    ----------
    drawing : Drawing
    references : mapping of column to relation
        Columns that name a record of another layer; only a project has relations.
    """
    table = drawing.contents.tables[drawing.layer]
    parts = form(table, drawing.contents, drawing.texts, references)
    if not drawing.shape:
        return parts
    return [renderer(drawing), *_labels(drawing), *parts]


def visibility(drawing: Drawing) -> dict[str, str]:
    """Return whether a layer has labels, and from which scale on it is shown, as attributes."""
    scale = _SHOWN_FROM.get(drawing.layer)
    bounds = {"hasScaleBasedVisibilityFlag": "1", "minScale": str(scale), "maxScale": "0"} if scale else {}
    return {"labelsEnabled": str(int(_is_labelled(drawing))), **bounds}


def _is_labelled(drawing: Drawing) -> bool:
    table = drawing.contents.tables[drawing.layer]
    return bool(drawing.shape) and drawing.layer in _LABELS and _LABELS[drawing.layer][0] in table.columns


def qml(drawing: Drawing) -> str:
    """Return the default style of a layer as a QML document."""
    attributes = {"version": QGIS_VERSION, "styleCategories": "AllStyleCategories", **visibility(drawing)}
    number = _TYPE_NUMBERS.get(drawing.shape)
    shape = [element("layerGeometryType", {}, text=number)] if number else []
    root = element("qgis", attributes, *style(drawing, {}), *shape)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + as_text(root)


def _labels(drawing: Drawing) -> list[Element]:
    if not _is_labelled(drawing):
        return []
    column, colour, scale, priority = _LABELS[drawing.layer]
    text = {
        "fieldName": column, "isExpression": "0", "fontFamily": "Noto Sans", "fontSize": "8",
        "fontSizeUnit": "Point", "namedStyle": "Regular", "textColor": rgba(colour), "textOpacity": "1",
    }  # fmt: skip
    halo = {
        "bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferColor": rgba("#FFFFFF"),
        "bufferOpacity": "0.8",
    }  # fmt: skip
    placements = {"Polygon": _INSIDE, "LineString": _ON_LINE}
    settings = element(
        "settings",
        {"calloutType": "simple"},
        element("text-style", text, element("text-buffer", halo)),
        element("text-format", {"wrapChar": "", "autoWrapLength": "0"}),
        element("placement", {
            "placement": placements.get(drawing.shape, _AROUND_POINT), "priority": str(priority), "dist": "1",
            "distUnits": "MM",
        }),
        element("rendering", {
            "scaleVisibility": "1", "scaleMin": "1", "scaleMax": str(scale), "drawLabels": "1",
            "obstacle": "0",
        }),
    )  # fmt: skip
    return [element("labeling", {"type": "simple"}, settings)]
