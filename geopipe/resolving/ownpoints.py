"""The turning points of records as their operators delivered them, and where each of them lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.coordinates.corrections import parse_correction
from geopipe.crs import WGS84, choose_operation
from geopipe.geometry import POLYGONS, leaves_of
from geopipe.schema import Frame, Geometries, Indices
from geopipe.wkb import decode, read_leniently

# A billionth of a degree is 0.1 mm.
DECIMALS = 9


@dataclass(frozen=True)
class OwnPoints:
    """Turning points, ring after ring as delivered, without the one that closes a ring.

    Parameters
    ----------
    row : array of int
        The record (row of FEATURES) of each point.
    crs : array of str
        That of its own coordinates.
    ring, number : arrays of int
        Which ring of the record, from 0, and which point of it, from 1.
    own : array of shape (n, 2)
        The operator's own coordinates, bit for bit; where a person has confirmed a
        correction, as they are read by it.
    working : array of shape (n, 2)
        In the working CRS (m).
    lonlat : array of shape (n, 2)
        WGS 84: the own coordinates where the record is in WGS 84, else rounded to 1e-9 degrees.
    """

    row: Indices
    crs: NDArray[np.object_]
    ring: Indices
    number: Indices
    own: NDArray[np.float64]
    working: NDArray[np.float64]
    lonlat: NDArray[np.float64]

    @cached_property
    def tree(self) -> shapely.STRtree:
        """An index of where the points lie."""
        return shapely.STRtree(np.asarray(shapely.points(self.working), dtype=object))


def own_points(features: Frame, rows: Indices, working_crs: str) -> OwnPoints:
    """Return the delivered turning points of some records, in the order of the rows."""
    chosen = features.take(rows)
    shapes = _as_read(chosen)
    parts = [(int(row), ring) for row, shape in zip(rows, shapes, strict=True) for ring in _rings(shape)]
    sizes = [len(ring) for _, ring in parts]
    first_of = {row: at for at, (row, _) in reversed(list(enumerate(parts)))}
    own = np.vstack([ring for _, ring in parts]) if parts else np.empty((0, 2))
    row = np.repeat(np.array([row for row, _ in parts], dtype=np.intp), sizes)
    ring = np.repeat(
        np.array([at - first_of[row] for at, (row, _) in enumerate(parts)], dtype=np.intp), sizes
    )
    number = np.concatenate([np.arange(1, size + 1) for size in sizes]) if sizes else np.empty(0, np.intp)
    working, lonlat = np.empty_like(own), np.empty_like(own)
    systems = np.full(len(own), "", dtype=object)
    for crs in chosen.values("crs"):
        mine = np.isin(row, rows[chosen.flags("crs", [crs])])
        systems[mine] = crs
        working[mine] = _moved(own[mine], crs, working_crs)
        lonlat[mine] = in_wgs84(own[mine], crs)
    return OwnPoints(row, systems, ring, number.astype(np.intp), own, working, lonlat)


def in_wgs84(points: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Return points (n, 2) in WGS 84 lon/lat: those that are so already as they stand, others rounded."""
    moved = _moved(points, crs, WGS84)
    return points if np.array_equal(moved, points) else np.round(moved, DECIMALS)


def _moved(points: NDArray[np.float64], source: str, target: str) -> NDArray[np.float64]:
    transformer, _ = choose_operation(source, target)
    return np.column_stack(transformer.transform(*points.T)) if len(points) else points


def _as_read(chosen: Frame) -> Geometries:
    """Return the delivered polygons of records, as a confirmed correction reads them."""
    wkb = chosen.table["source_geometry"].to_numpy()
    shapes = decode(np.asarray(wkb, dtype=object))
    for at in np.flatnonzero(shapely.is_missing(shapes)):
        shapes[at] = read_leniently(wkb[at]).geometry
    for confirmed in chosen.values("correction"):
        mine = chosen.flags("correction", [confirmed])
        for text in confirmed.split(";"):
            shapes[mine] = parse_correction(text).apply(shapes[mine])
    return shapes


def _rings(shape: shapely.Geometry) -> list[NDArray[np.float64]]:
    """Return the rings of a delivered polygon, x and y only, each without the point that closes it."""
    parts = [part for leaf in leaves_of(shape) for part in shapely.get_parts(leaf)]
    polygons = [
        part for part in parts if shapely.get_type_id(part) in POLYGONS and not shapely.is_empty(part)
    ]
    rings = [shapely.get_coordinates(ring) for part in polygons for ring in shapely.get_rings(part)]
    return [ring[:-1] for ring in rings if len(ring) > 1]
