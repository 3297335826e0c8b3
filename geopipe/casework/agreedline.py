"""Read the line on which two operators agreed, from a small GeoJSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shapely

from geopipe.errors import ConfigError

_MOST_BYTES = 5_000_000
_REMEDY = "Draw one line in QGIS and export it as GeoJSON in EPSG:4326."


def read_line(path: Path) -> shapely.Geometry:
    """Return the one line of a GeoJSON file (lon/lat, WGS 84).

    Raises
    ------
    ConfigError
        When the file holds anything else than one line in degrees.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError("the file is too large for a line", str(path), _REMEDY)
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        shapes = [shapely.from_geojson(json.dumps(item)) for item in _geometries(content)]
    except OSError as error:
        raise ConfigError(f"the line cannot be read ({error.strerror})", str(path)) from error
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.GEOSException) as error:
        raise ConfigError("this is not a GeoJSON file with a line", str(path), _REMEDY) from error
    if len(shapes) != 1:
        raise ConfigError(f"the file holds {len(shapes)} shapes, not one line", str(path), _REMEDY)
    (line,) = shapes
    if shapely.get_dimensions(line) != 1 or shapely.is_empty(line):
        raise ConfigError("the shape is not a line", str(path), _REMEDY)
    west, south, east, north = shapely.bounds(line)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ConfigError("the line is not in degrees (lon/lat)", str(path), _REMEDY)
    return shapely.force_2d(line)


def _geometries(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the geometries of a collection, a feature, or a geometry by itself."""
    if content["type"] == "FeatureCollection":
        return [feature["geometry"] for feature in content["features"]]
    return [content["geometry"] if content["type"] == "Feature" else content]
