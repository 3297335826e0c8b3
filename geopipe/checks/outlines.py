"""Outlines: every turning point of the areas in one array, in working metres, as delivered, not as mended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.crs import choose_operation, transform
from geopipe.errors import SourceError
from geopipe.geometry import POLYGONS
from geopipe.schema import Frame, Geometries, Indices, Mask
from geopipe.wkb import decode, read_leniently

# Codes of records whose polygon is no longer the delivered one.
MENDED = ("REPAIRED", "REPAIRED_AREA_CHANGED", "REPAIR_AMBIGUOUS")


@dataclass(frozen=True)
class Outlines:
    """Rings one after the other, each closed.

    Attributes
    ----------
    points : array, shape (n, 2)
        Turning points in the working CRS, m.
    first, last : arrays, one per ring
        Where a ring begins in `points`, and where its closing point stands.
    owner : array, one per ring
        Row of the record that the ring belongs to.
    """

    points: NDArray[np.float64]
    first: Indices
    last: Indices
    owner: Indices

    def owner_of_points(self) -> Indices:
        """Return the row of the record that each point belongs to."""
        return np.repeat(self.owner, self.last - self.first + 1)


def outlines(geometry: Geometries) -> Outlines:
    """Take the rings of polygons apart."""
    owner, size = _ring_sizes(geometry)
    end = np.cumsum(size)
    return Outlines(shapely.get_coordinates(geometry), end - size, end - 1, owner)


def _ring_sizes(geometry: Geometries) -> tuple[Indices, Indices]:
    """Return owner and number of points of each ring, in the order of the coordinates.

    Most polygons have one ring: these are counted without making a geometry of it.
    """
    one_ring = shapely.get_type_id(geometry) == shapely.GeometryType.POLYGON
    one_ring &= shapely.get_num_interior_rings(geometry) == 0
    simple, other = np.flatnonzero(one_ring), np.flatnonzero(~one_ring)
    parts, part_owner = shapely.get_parts(geometry[other], return_index=True)
    rings, ring_owner = shapely.get_rings(parts, return_index=True)
    owner = np.concatenate([simple, other[part_owner[ring_owner]]])
    size = np.concatenate(
        [shapely.get_num_coordinates(geometry[simple]), shapely.get_num_coordinates(rings)]
    ).astype(np.intp)
    order = np.argsort(owner, kind="stable")
    order = order[size[order] > 0]
    return owner[order], size[order]


def mended_rows(areas: Frame, findings: Frame) -> Mask:
    """Say which records may have been mended: those of which a mend was told."""
    told = findings.take(findings.flags("code", MENDED))
    if len(told) == 0:
        return np.zeros(len(areas), dtype=bool)
    names = told.table["record_id"].combine_chunks()
    return np.asarray(
        pc.is_in(areas.table["record_id"].combine_chunks(), names).to_numpy(zero_copy_only=False), dtype=bool
    )


def as_delivered(areas: Frame, mended: Mask, working_crs: str) -> Geometries:
    """Return the areas with the delivered rings of those that were mended, in working metres.

    A record whose coordinates a person has corrected keeps its mended polygon: what was delivered
    lies elsewhere.
    """
    result = areas.geometry.copy()
    corrected = np.asarray(
        pc.is_valid(areas.table["correction"].combine_chunks()).to_numpy(zero_copy_only=False), dtype=bool
    )
    rows = np.flatnonzero(mended & ~corrected)
    if len(rows) == 0:
        return result
    wkb = areas.take(rows).table["source_geometry"].to_pylist()
    delivered = decode(np.array(wkb, dtype=object))
    for place in np.flatnonzero(shapely.is_missing(delivered)):
        delivered[place] = read_leniently(wkb[place]).geometry if wkb[place] else None
    delivered = shapely.force_2d(delivered)
    polygonal = np.isin(shapely.get_type_id(delivered), POLYGONS)
    crs = np.array(areas.table["crs"].take(pa.array(rows)).to_pylist(), dtype=object)
    for source in sorted({name for name in crs[polygonal] if name}):
        mine = np.flatnonzero(polygonal & (crs == source))
        try:
            transformer, _ = choose_operation(source, working_crs)
        except SourceError:
            continue
        result[rows[mine]] = transform(delivered[mine], transformer)
    return result
