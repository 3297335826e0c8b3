"""Charts on a page: pictures of their own, so that what is in them is never part of the page."""

from __future__ import annotations

import base64
from importlib.util import find_spec

from geopipe.languages.texts import Texts
from geopipe.outputs.html.markup import Html, tag
from geopipe.outputs.html.material import Material
from geopipe.outputs.plots.make import Chart, without_foot
from geopipe.outputs.plots.typesetting import as_svgs


def charts_of(material: Material, texts: Texts) -> list[Chart] | None:
    """Return the charts of a run; None where typst, which draws them, is not installed.

    Until when the data are is said by the page, once.
    """
    if not find_spec("typst"):
        return None
    drawn = without_foot(material.told.plots, texts)
    svgs = as_svgs(drawn, texts.codes[0])
    return [Chart(item.name, item.title, item.alt, svg) for item, svg in zip(drawn, svgs, strict=True)]


def figure(chart: Chart) -> Html:
    """Return a chart as an image: an SVG in an image runs no script and asks no network."""
    data = base64.b64encode(chart.svg.encode()).decode("ascii")
    image = tag("img", src=f"data:image/svg+xml;base64,{data}", alt=chart.alt)
    return tag("figure", image, class_="chart")
