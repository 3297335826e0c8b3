"""Charts on a page: pictures of their own, so that what is in them is never part of the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from geopipe.outputs.html.markup import Html, tag


@dataclass(frozen=True)
class Chart:
    """A chart: its title, the picture as SVG text, and what it shows in words for those who do not see it."""

    title: str
    svg: str
    description: str = ""


def figure(chart: Chart) -> Html:
    """Return a chart as an image: an SVG in an image runs no script and asks no network."""
    data = base64.b64encode(chart.svg.encode()).decode("ascii")
    image = tag("img", src=f"data:image/svg+xml;base64,{data}", alt=chart.description or chart.title)
    return tag("figure", tag("figcaption", chart.title), image, class_="chart")
