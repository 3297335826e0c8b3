"""The sample for a receiver (GPX 1.1): a waypoint for each spot, and its outline as a track."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

import shapely

from geopipe._version import __version__
from geopipe.sampling.drawing import DECIMALS, Sample, Spot
from geopipe.sampling.texts import CONFIDENTIAL, STAY_INSIDE

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator={creator}'
    ' xmlns="http://www.topografix.com/GPX/1/1"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd">\n'
)


def gpx_of(sample: Sample) -> str:
    """Return a sample as GPX; every point and every line lies on the ground that is to be inspected."""
    about = _text(f"{CONFIDENTIAL} {STAY_INSIDE}")
    return "".join(
        [
            _HEAD.format(creator=quoteattr(f"geopipe {__version__}")),
            f"<metadata><name>{_text(sample.id)}</name><desc>{about}</desc></metadata>\n",
            *(_waypoint(spot) for spot in sample.spots),
            *(_track(spot) for spot in sample.spots),
            "</gpx>\n",
        ]
    )


def _waypoint(spot: Spot) -> str:
    own = spot.area.columns
    said = f"{spot.id}; {own['operator']}; {own['record_id']}; {own['kind']}"
    warning = f"; {spot.warning}" if spot.warning else ""
    return (
        f"<wpt {_at(*spot.centre)}><name>{_text(spot.short_id)}</name>"
        f"<desc>{_text(said + warning)}</desc></wpt>\n"
    )


def _track(spot: Spot) -> str:
    rings = shapely.get_rings(shapely.get_parts(spot.lonlat))
    segments = "".join(
        "<trkseg>"
        + "".join(f"<trkpt {_at(*point)}/>" for point in shapely.get_coordinates(ring))
        + "</trkseg>"
        for ring in rings
    )
    return f"<trk><name>{_text(spot.short_id)}</name>{segments}</trk>\n"


def _at(longitude: float, latitude: float) -> str:
    return f'lat="{latitude:.{DECIMALS}f}" lon="{longitude:.{DECIMALS}f}"'


def _text(value: str) -> str:
    """Return a text as XML can hold it."""
    return escape("".join(sign if sign >= " " and sign not in "\ufffe\uffff" else " " for sign in value))
