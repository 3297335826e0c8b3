"""How each layer is drawn: which value gets which symbol, and what lies above what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geopipe.casework.words import STATUSES
from geopipe.config import load_vocabulary
from geopipe.languages.texts import Texts
from geopipe.languages.words import KINDS, SEVERITIES
from geopipe.outputs.qgis import symbols
from geopipe.outputs.qgis.captions import OTHER
from geopipe.outputs.qgis.colours import (
    HATCH_ANGLES,
    HAZARD_RED,
    KIND_FILLS,
    OTHER_KIND,
    SEVERITY_COLOURS,
    STATUS_COLOURS,
    rgba,
)  # fmt: skip
from geopipe.outputs.qgis.contents import Contents
from geopipe.outputs.qgis.forms import words_of
from geopipe.outputs.qgis.xml import Element, element, not_computed, plain
from geopipe.recognition import point_meanings
from geopipe.terms import Kind, Severity

# A legend with more types of points than this is read by nobody.
_MOST_POINT_TYPES = 20
_SHOWN = {"render": "true"}


@dataclass(frozen=True)
class Drawing:
    """What the drawing of a layer depends on; `shape` is Polygon, Point or LineString."""

    layer: str
    shape: str
    contents: Contents
    texts: Texts


def renderer(drawing: Drawing) -> Element:
    """Return the renderer of a layer, or of the part of a layer that has one type of geometry."""
    return _RENDERERS.get(drawing.layer, _plain_outline)(drawing)


def _areas(drawing: Drawing) -> Element:
    """Areas by kind: the levels of the symbols draw every hazard after, so above, all released land."""
    made = {kind.value: symbols.area(kind, fill) for kind, fill in KIND_FILLS.items()}
    classes = _worded(made, KINDS, symbols.area("other", OTHER_KIND), drawing.texts)
    return _by_value("kind", classes, levels=True)


def _remaining(drawing: Drawing) -> Element:
    made = {kind.value: symbols.area(kind, KIND_FILLS[kind]) for kind in (Kind.CHA, Kind.SHA)}
    return _by_value("kind", _worded(made, KINDS, symbols.area("other", OTHER_KIND), drawing.texts))


def _overlaps(drawing: Drawing) -> Element:
    """Overlaps hatched by finding: the colour says how severe it is, the angle tells findings apart."""
    severities = list(Severity)
    found = sorted(
        drawing.contents.distinct(drawing.layer, "finding", "severity"),
        key=lambda pair: (severities.index(Severity(pair[1])), pair[0]),
    )
    made, words = {}, {}
    for position, (finding, severity) in enumerate(found):
        words[finding] = f"{words_of(finding)} ({drawing.texts(SEVERITIES[severity])})"
        angle = HATCH_ANGLES[position % len(HATCH_ANGLES)]
        made[finding] = symbols.hatched(str(position), SEVERITY_COLOURS[Severity(severity)], angle)
    other = symbols.hatched("other", SEVERITY_COLOURS[Severity.CONFLICT], 45)
    classes = [(finding, words[finding], symbol) for finding, symbol in made.items()]
    return _by_value("finding", [*classes, ("", drawing.texts(OTHER), other)])


def _cases(drawing: Drawing) -> Element:
    made = {
        status.value: symbols.outline(status, colour, width_mm=0.9)
        for status, colour in STATUS_COLOURS.items()
    }
    return _by_value("status", _worded(made, STATUSES, symbols.outline("other", "#5A5A5A"), drawing.texts))


def _findings(drawing: Drawing) -> Element:
    made = {
        severity.value: symbols.outline(severity, colour) for severity, colour in SEVERITY_COLOURS.items()
    }
    return _by_value(
        "severity", _worded(made, SEVERITIES, symbols.outline("other", "#6E6E6E"), drawing.texts)
    )


def _worded(
    made: Mapping[str, Element], words: Mapping[Any, str], other: Element, texts: Texts
) -> list[tuple[str, str, Element]]:
    """Return value, label and symbol of each class; the last one is of all other values."""
    return [
        *((value, texts(words[value]), symbol) for value, symbol in made.items()),
        ("", texts(OTHER), other),
    ]


def _unresolved(drawing: Drawing) -> Element:
    """Hazard in doubt: dashed red, whatever its geometry is."""
    if drawing.shape == "Point":
        return _single(symbols.mark("0", "cross2", rgba(HAZARD_RED), rgba(HAZARD_RED), 4.0))
    if drawing.shape == "LineString":
        return _single(symbols.line("0", HAZARD_RED, "dash", 0.9))
    return _single(symbols.outline("0", HAZARD_RED, "dash", 0.9))


def _points(drawing: Drawing) -> Element:
    """Points by type: only types that are known to be harmless are not red."""
    import pyarrow as pa

    types = [name for (name,) in drawing.contents.distinct("points", "point_type")][:_MOST_POINT_TYPES]
    meanings = point_meanings(pa.chunked_array([pa.array(types, pa.string())]), load_vocabulary())
    classes = [
        (name, plain(name), _point_mark(str(position), meaning))
        for position, (name, meaning) in enumerate(zip(types, meanings, strict=True))
    ]
    return _by_value("point_type", [*classes, ("", drawing.texts(OTHER), _point_mark("other", "unknown"))])


def _point_mark(name: str, meaning: str) -> Element:
    if meaning == "harmless":
        return symbols.mark(name, "circle", rgba("#FFFFFF"), rgba("#6E6E6E"), 2.0)
    if meaning == "danger":
        return symbols.mark(name, "triangle", rgba(HAZARD_RED), rgba("#000000"), 3.0)
    return symbols.mark(name, "triangle", rgba("#FFFFFF"), rgba(HAZARD_RED), 3.0)


def _gaps(_drawing: Drawing) -> Element:
    return _single(symbols.outline("0", "#7A0177", "solid", 0.7))


def _partner(_drawing: Drawing) -> Element:
    """The border of the other record, as on the pages of the pack."""
    return _single(symbols.line("0", "#0047AB", "dash", 0.5))


def _plain_outline(drawing: Drawing) -> Element:
    if drawing.shape == "Point":
        return _single(symbols.mark("0", "circle", rgba("#FFFFFF"), rgba("#4D4D4D"), 2.0))
    if drawing.shape == "LineString":
        return _single(symbols.line("0", "#4D4D4D"))
    return _single(symbols.outline("0", "#4D4D4D", "dot"))


_RENDERERS: dict[str, Callable[[Drawing], Element]] = {
    "areas": _areas,
    "overlaps": _overlaps,
    "cases": _cases,
    "remaining": _remaining,
    "findings": _findings,
    "hazard_unresolved": _unresolved,
    "points": _points,
    "gaps": _gaps,
    "partner_outlines": _partner,
}


def _single(symbol: Element) -> Element:
    attributes = {"type": "singleSymbol", "symbollevels": "0", "enableorderby": "0", "forceraster": "0"}
    return element("renderer-v2", attributes, element("symbols", {}, symbol))


def _by_value(column: str, classes: Sequence[tuple[str, str, Element]], levels: bool = False) -> Element:
    attributes = {
        "type": "categorizedSymbol", "attr": column, "symbollevels": str(int(levels)), "enableorderby": "0",
        "forceraster": "0",
    }  # fmt: skip
    categories = [
        element(
            "category",
            {"value": plain(value), "label": not_computed(label), "symbol": symbol.get("name", ""), **_SHOWN},
        )
        for value, label, symbol in classes
    ]
    return element(
        "renderer-v2", attributes, element("categories", {}, *categories),
        element("symbols", {}, *(symbol for _, _, symbol in classes)),
    )  # fmt: skip
