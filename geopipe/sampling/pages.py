"""The map of a sample: one HTML file to print, an overview and a page for each area drawn.

Hazard is drawn above released land; nothing in the file asks the network for anything.
"""

from __future__ import annotations

from html import escape

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.location.places import load_places
from geopipe.sampling.drawing import DECIMALS, DrawnArea, Sample, Spot
from geopipe.sampling.drawn import Window
from geopipe.sampling.facts import cut_off, lines_of_facts, missing
from geopipe.sampling.texts import CONFIDENTIAL, NOT_SAFE, STAY_INSIDE
from geopipe.schema import Frame, Geometries
from geopipe.terms import RELEASED_KINDS

_OVERVIEW_MM, _AREA_MM = 150.0, 150.0
_LEAST_MARGIN_M = 50.0
# Areas so close to each other on the overview have one label.
_CLOSE_MM = 5.0
# Provinces on an overview need no more detail than a pen has (m).
_PEN_M = 500.0
_STYLE = """
@page { size: A4 portrait; margin: 12mm }
body { font: 9pt Arial, "Noto Sans Lao", sans-serif; margin: 0; color: #111 }
section { break-after: page; max-width: 186mm; margin: 0 auto 10mm }
h1 { font-size: 14pt; margin: 2mm 0 } .secret { color: #B00000; font-weight: bold }
.warn { color: #B00000; font-weight: bold }
table { border-collapse: collapse; width: 100% } td, th { border: .2mm solid #BBB; padding: .6mm 1.2mm;
text-align: left; vertical-align: top } svg { display: block; margin: 2mm 0; width: 150mm; height: 150mm }
"""
# Colours of IMSMA for hazard. Inside each picture, so that it keeps its look when it is taken out.
_DRAWN = """<style>
text{font:2.6px Arial,sans-serif;fill:#111;paint-order:stroke;stroke:#fff;stroke-width:.6px}
.frame{fill:#fff;stroke:#444;stroke-width:.3}.province{fill:#f4f4f0;stroke:#888;stroke-width:.25}
.other{fill:#cfe8cf;stroke:#8fbf8f;stroke-width:.2}.own{fill:#6fbf73;stroke:none}
.whole{fill:none;stroke:#1b6e20;stroke-width:.5}
.cha{fill:#FF0000;fill-opacity:.5;stroke:#B00000;stroke-width:.2}
.sha{fill:#F4A718;fill-opacity:.5;stroke:#B87800;stroke-width:.2}
.unresolved{fill:none;stroke:#FF0000;stroke-width:.5;stroke-dasharray:1.6 1}
.point{fill:#FF0000;stroke:#000;stroke-width:.4}
.box{fill:none;stroke:#0033cc;stroke-width:.4}.dot{fill:#0033cc;stroke:#fff;stroke-width:.2}
.bar{fill:none;stroke:#111;stroke-width:.4}path{fill-rule:evenodd}</style>"""
_LEGEND = {
    "own": "ground to inspect",
    "whole": "the whole record",
    "other": "other released land",
    "cha": "confirmed hazard (CHA)",
    "sha": "suspected hazard (SHA)",
    "unresolved": "hazard, place in doubt",
    "point": "find or other point",
    "box": "box",
}


def pages_of(sample: Sample) -> str:
    """Return the map of a sample as HTML."""
    title = escape(f"Quality management sample {sample.id}")
    ground = _Ground(sample)
    return "".join(
        [
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{_STYLE}</style></head>\n<body>\n",
            _overview(sample, title),
            *(_area_page(sample, ground, area) for area in sample.areas),
            "</body></html>\n",
        ]
    )


class _Ground:
    """What is drawn around each area, found by place."""

    def __init__(self, sample: Sample) -> None:
        areas = sample.published.areas
        self.other = _Shapes(areas.take(areas.flags("kind", sorted(RELEASED_KINDS))).geometry)
        self.cha = _Shapes(_of_kind(sample.published.hazard, "CHA"))
        self.sha = _Shapes(_of_kind(sample.published.hazard, "SHA"))
        self.unresolved = _Shapes(sample.published.unresolved_shapes)
        self.points = _Shapes(sample.published.point_shapes)


class _Shapes:
    """Geometries that can be asked which of them meet a window."""

    def __init__(self, geometry: Geometries) -> None:
        self.geometry = geometry
        self.tree = shapely.STRtree(geometry)

    def near(self, window: Window) -> Geometries:
        return np.asarray(self.geometry[np.sort(self.tree.query(window.box))], dtype=object)


def _of_kind(hazard: Frame, kind: str) -> Geometries:
    return hazard.take(hazard.flags("kind", [kind])).geometry


def _overview(sample: Sample, title: str) -> str:
    """Return the first page: where the areas are, and the facts of the draw."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in lines_of_facts(sample)
    )
    return (
        f'<section><p class="secret">{CONFIDENTIAL}</p><h1>{title}</h1>'
        f"{_overview_map(sample)}<table>{rows}</table></section>\n"
    )


def _overview_map(sample: Sample) -> str:
    grounds = np.array([area.own for area in sample.areas], dtype=object)
    provinces = _provinces(sample, grounds)
    seen = np.concatenate([provinces, grounds])
    bounds = shapely.total_bounds(seen).tolist()
    margin_m = max(_LEAST_MARGIN_M, 0.03 * max(bounds[2] - bounds[0], bounds[3] - bounds[1]))
    window = Window.around(bounds, margin_m, _OVERVIEW_MM)
    middles = [(x, y) for x, y in shapely.get_coordinates(shapely.point_on_surface(grounds)).tolist()]
    dots = [window.dot(x, y, 1, "dot") for x, y in middles]
    return _svg(window, [window.path(provinces, "province"), *dots, *_labels(sample, window, middles)])


def _labels(sample: Sample, window: Window, middles: list[tuple[float, float]]) -> list[str]:
    """Return the labels of the overview; areas that lie close together share one."""
    found: dict[tuple[int, int], list[int]] = {}
    for at, (x, y) in enumerate(middles):
        across, down = window.place(x, y)
        found.setdefault((int(across // _CLOSE_MM), int(down // _CLOSE_MM)), []).append(at)
    labels = []
    for group in found.values():
        names = [sample.areas[at].id.rpartition("-")[2] for at in group]
        text = ", ".join(names) if len(names) <= 3 else f"{names[0]} ... {names[-1]} ({len(names)})"
        labels.append(window.label(*middles[group[0]], text))
    return labels


def _provinces(sample: Sample, grounds: Geometries) -> Geometries:
    """Return the provinces of the country in the working CRS, where the areas drawn lie in it."""
    places = load_places()
    to_lonlat, _ = choose_operation(sample.published.crs, WGS84)
    if not shapely.intersects(shapely.box(*places.bounds), transform(grounds, to_lonlat)).any():
        return np.empty(0, dtype=object)
    to_working, _ = choose_operation(WGS84, sample.published.crs)
    return np.asarray(shapely.simplify(transform(places.provinces, to_working), _PEN_M), dtype=object)


def _area_page(sample: Sample, ground: _Ground, area: DrawnArea) -> str:
    """Return the page of one area."""
    own = area.columns
    spots = [spot for spot in sample.spots if spot.area is area]
    head = f"{area.id.rpartition('-')[2]}: {own['operator']} {own['source_id'] or own['record_id']}"
    place = ", ".join(part for part in (own["district_located"], own["province_located"]) if part)
    said = f"{own['kind']}, completed {own['date_completed'] or 'on an unknown day'}"
    depth = (
        "depth not known" if own["clearance_depth_cm"] is None else f"{own['clearance_depth_cm']:g} cm deep"
    )
    warning = f'<p class="warn">{escape(area.warning)}</p>' if area.warning else ""
    facts = f"{place or 'place not known'}. {said}, {depth}; {area.ground_m2:,.0f} m2 to inspect."
    below = f"{NOT_SAFE} {STAY_INSIDE} Data cut-off: {cut_off(sample)}. {missing(sample)}"
    return (
        f'<section><p class="secret">{CONFIDENTIAL}</p><h1>{escape(head)}</h1>'
        f"<p>{escape(facts)}</p>"
        f"{warning}{_area_map(ground, area, spots)}{_spot_table(spots)}"
        f"<p>{escape(below)}</p></section>\n"
    )


def _area_map(ground: _Ground, area: DrawnArea, spots: list[Spot]) -> str:
    west, south, east, north = bounds = shapely.bounds(area.whole).tolist()
    margin = max(_LEAST_MARGIN_M, 0.15 * max(east - west, north - south))
    window = Window.around(bounds, margin, _AREA_MM)
    boxes = [spot for spot in spots if spot.box_side_m is not None]
    drawn = [
        window.path(ground.other.near(window), "other"),
        window.path(np.array([area.own], dtype=object), "own"),
        window.path(np.array([area.whole], dtype=object), "whole"),
        window.path(ground.sha.near(window), "sha"),
        window.path(ground.cha.near(window), "cha"),
        window.path(ground.unresolved.near(window), "unresolved"),
        window.path(ground.points.near(window), "point"),
        window.path(np.array([spot.ground for spot in boxes], dtype=object), "box"),
    ]
    for spot in spots:
        x, y = shapely.get_coordinates(shapely.point_on_surface(spot.ground))[0].tolist()
        drawn.append(window.dot(x, y, 0.5, "dot") + window.label(x, y, spot.short_id.rpartition("-")[2]))
    return _svg(window, drawn) + _legend()


def _svg(window: Window, drawn: list[str]) -> str:
    side = window.side_mm
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side:g} {side:g}">{_DRAWN}'
        f'<rect class="frame" width="{side:g}" height="{side:g}"/>{"".join(drawn)}{window.scale_bar()}'
        "</svg>\n"
    )


def _legend() -> str:
    marks = "".join(
        f'<g transform="translate({2 + 37 * (at % 4)},{2 + 5 * (at // 4)})">'
        f'<rect class="{css}" width="5" height="3"/><text x="6.5" y="2.4">{escape(text)}</text></g>'
        for at, (css, text) in enumerate(_LEGEND.items())
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" style="height:12mm" viewBox="0 0 150 12">'
        f"{_DRAWN}{marks}</svg>\n"
    )


def _spot_table(spots: list[Spot]) -> str:
    rows = "".join(
        f"<tr><td>{escape(spot.short_id)}</td><td>{spot.centre[0]:.{DECIMALS}f}</td>"
        f"<td>{spot.centre[1]:.{DECIMALS}f}</td><td>{spot.ground_m2:,.1f}</td></tr>"
        for spot in spots
    )
    return (
        "<table><tr><th>Id</th><th>Longitude (WGS 84)</th><th>Latitude (WGS 84)</th><th>m2</th></tr>"
        f"{rows}</table>\n"
    )
