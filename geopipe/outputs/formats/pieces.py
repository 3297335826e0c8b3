"""What is converted: the map layers of a result, where a format needs it one type of geometry at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.io.geopackage import read_layer
from geopipe.schema import Geometries, to_wkb

_TYPES = {0: "Point", 1: "LineString", 2: "Polygon"}
_SUFFIXES = {0: "points", 1: "lines", 2: "polygons"}
# A collection of several types has the dimension of its largest part.
_NO_GEOMETRY = -1


@dataclass(frozen=True)
class Piece:
    """Records of a layer; geometry in the working CRS (m), which `crs_wkt` is."""

    name: str
    layer: str
    table: pa.Table
    geometry: Geometries
    crs_wkt: str

    def __len__(self) -> int:
        return len(self.geometry)

    @cached_property
    def lonlat(self) -> Geometries:
        """The geometry in WGS 84 degrees, longitude first."""
        transformer, _ = choose_operation(self.crs_wkt, WGS84)
        return transform(self.geometry, transformer)

    @cached_property
    def geometry_type(self) -> str:
        """The multi type of all records; `Unknown` where there are several."""
        dimensions = _dimensions(self.geometry)
        found = set(dimensions[dimensions != _NO_GEOMETRY].tolist())
        return f"Multi{_TYPES[found.pop()]}" if len(found) == 1 else "Unknown"

    @property
    def has_missing(self) -> bool:
        """Whether a record has no geometry, or an empty one."""
        return bool((shapely.is_missing(self.geometry) | shapely.is_empty(self.geometry)).any())

    def with_geometry(self, geometry: Geometries) -> pa.Table:
        """Return the table with geometries as WKB; single ones as multi where all are of one type."""
        shapes = as_multi(geometry) if self.geometry_type != "Unknown" else geometry
        return self.table.append_column("geometry", to_wkb(shapes).cast(pa.binary()))


def pieces_of(path: Path, layers: Sequence[str]) -> Iterator[Piece]:
    """Give the layers of a GeoPackage that hold records, one after the other."""
    for name in layers:
        frame, crs_wkt = read_layer(path, name)
        if len(frame):
            yield Piece(name, name, frame.table.whole(), frame.geometry, crs_wkt)


def by_type(piece: Piece) -> list[Piece]:
    """Return a piece in parts of one type of geometry each, for formats that know only such."""
    if piece.geometry_type != "Unknown":
        return [piece]
    dimensions = np.where(_dimensions(piece.geometry) == _NO_GEOMETRY, 2, _dimensions(piece.geometry))
    parts = []
    for dimension in sorted(set(dimensions.tolist())):
        rows = np.flatnonzero(dimensions == dimension)
        name = f"{piece.name}_{_SUFFIXES[dimension]}"
        parts.append(Piece(name, piece.layer, piece.table.take(rows), piece.geometry[rows], piece.crs_wkt))
    return parts


def as_multi(geometry: Geometries) -> Geometries:
    """Return geometries as multi ones: a layer of one type must be of one type."""
    makers: dict[int, Any] = {0: shapely.multipoints, 1: shapely.multilinestrings, 3: shapely.multipolygons}
    types = shapely.get_type_id(geometry)
    made = geometry.copy()
    for kind, make in makers.items():
        for row in np.flatnonzero(types == kind):
            made[row] = make([geometry[row]])
    return made


def _dimensions(geometry: Geometries) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(shapely.get_dimensions(geometry), dtype=np.int64)
