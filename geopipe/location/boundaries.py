"""Read the polygons of places from a GeoJSON file, the shipped one or the user's own.

A boundary file is configuration: what is wrong with it is an error that names the feature and the remedy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geopipe.errors import ConfigError
from geopipe.geometry import polygon_parts
from geopipe.schema import Geometries
from geopipe.settings import did_you_mean

_REMEDY = "Give a GeoJSON file of polygons in longitude and latitude, each with a code and a name."
_LON_LAT = ("CRS84", "EPSG:4326", "EPSG::4326")


@dataclass(frozen=True)
class Boundaries:
    """The polygons of a file (WGS 84 lon/lat), their properties, and who is to be named as the source."""

    where: str
    attribution: str
    geometry: Geometries
    properties: tuple[Mapping[str, Any], ...]

    def texts(self, name: str) -> list[str]:
        """Return a property of every feature as text.

        Raises
        ------
        ConfigError
            When a feature does not have it.
        """
        found = []
        for number, properties in enumerate(self.properties, start=1):
            value = properties.get(name)
            if value is None or not str(value).strip():
                known = did_you_mean(name, tuple(map(str, properties)))
                raise ConfigError(f"feature {number} has no {name!r}{known}", self.where, _REMEDY)
            found.append(str(value).strip())
        return found


def read_boundaries(path: Path) -> Boundaries:
    """Read a GeoJSON FeatureCollection of polygons; self-crossing rings are mended, for location only.

    Raises
    ------
    ConfigError
        When the file is missing, is no such collection, or holds anything but polygons in degrees.
    """
    document = _document(path)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list) or not features:
        raise ConfigError(
            "the boundary file is no GeoJSON FeatureCollection with features", str(path), _REMEDY
        )
    named = json.dumps(document.get("crs") or "CRS84")
    if not any(name in named for name in _LON_LAT):
        raise ConfigError("the boundaries are not in longitude and latitude", str(path), _REMEDY)
    properties = [_properties(feature, number, path) for number, feature in enumerate(features, start=1)]
    return Boundaries(
        str(path), str(document.get("attribution", "")), _polygons(features, path), tuple(properties)
    )


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", str(path), "Check the name and the folder.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError("the boundary file cannot be read as GeoJSON", str(path), _REMEDY) from error
    if not isinstance(document, dict):
        raise ConfigError("the boundary file is no GeoJSON object", str(path), _REMEDY)
    return document


def _properties(feature: Any, number: int, path: Path) -> Mapping[str, Any]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise ConfigError(f"feature {number} has no properties", str(path), _REMEDY)
    return properties


def _polygons(features: Sequence[Mapping[str, Any]], path: Path) -> Geometries:
    texts = [json.dumps(feature.get("geometry")) for feature in features]
    geometry = np.asarray(shapely.from_geojson(texts, on_invalid="ignore"), dtype=object)
    geometry = np.asarray(shapely.force_2d(geometry), dtype=object)
    invalid = np.flatnonzero(~shapely.is_valid(geometry) & ~shapely.is_missing(geometry))
    geometry[invalid] = polygon_parts(shapely.make_valid(geometry[invalid]))
    polygonal = np.isin(
        shapely.get_type_id(geometry), [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]
    )
    bounds = shapely.bounds(geometry)
    with np.errstate(invalid="ignore"):
        degrees = (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1) & (np.abs(bounds[:, [1, 3]]) <= 90).all(
            axis=1
        )
    bad = np.flatnonzero(~polygonal | shapely.is_empty(geometry) | ~degrees)
    if len(bad):
        raise ConfigError(f"feature {bad[0] + 1} is no polygon in degrees", str(path), _REMEDY)
    return geometry
