"""The geometry of a delivery as its file holds it: its CRS, its faults, as WKB or WKT."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.terms import Kind

from .delivery_plan import DELIVERIES
from .places import EQUAL_AREA_CRS, LON_LAT_CRS
from .records import KINDS, Records
from .rings import Ints, Rings
from .scenes import Fault


def delivered_rings(records: Records, delivery: int) -> Rings:
    """Return the rings of a delivery in its CRS; swapped ones have latitude first."""
    rows = records.rows_of(delivery)
    crs = DELIVERIES[delivery].crs
    rings = records.ring.take(rows).transformed(EQUAL_AREA_CRS, crs)
    xy = rings.xy
    if crs != LON_LAT_CRS and len(rows) and records.kind[rows[0]] == KINDS.index(Kind.SURVEY_BOX):
        xy = np.round(xy, 3)  # whole kilometres, as the survey grid has them
    swapped = np.repeat(records.fault[rows] == Fault.SWAPPED_COORDINATES, rings.count)
    return Rings(np.where(swapped[:, None], xy[:, ::-1], xy), rings.start)


def missing(records: Records, delivery: int) -> Ints:
    """Return the positions in the delivery of records without geometry."""
    return np.flatnonzero(records.fault[records.rows_of(delivery)] == Fault.NULL_GEOMETRY)


def as_wkb(records: Records, delivery: int) -> Any:
    """Return the polygons of a delivery as an Arrow column of WKB, null where there is none."""
    rings = delivered_rings(records, delivery)
    wkb = shapely.to_wkb(rings.polygons())
    for position in np.flatnonzero(rings.count < 3):
        wkb[position] = _wkb_of_line(rings.take(np.array([position])).closed().xy)
    wkb[missing(records, delivery)] = None
    return pa.array(wkb, pa.binary())


def as_wkt(records: Records, delivery: int) -> Any:
    """Return the polygons of a delivery as an Arrow column of WKT in full precision, empty where none."""
    rings = delivered_rings(records, delivery)
    wkt = shapely.to_wkt(rings.polygons(), rounding_precision=-1)
    for position in np.flatnonzero(rings.count < 3):
        points = rings.take(np.array([position])).closed().xy.tolist()
        wkt[position] = "POLYGON ((" + ", ".join(f"{x!r} {y!r}" for x, y in points) + "))"
    wkt[missing(records, delivery)] = ""
    return pa.array(wkt, pa.string())


def _wkb_of_line(closed_xy: Any) -> bytes:
    """Return the WKB of a polygon whose ring goes out and back: shapely refuses to build it."""
    head = struct.pack("<BIII", 1, 3, 1, len(closed_xy))
    return head + np.ascontiguousarray(closed_xy, dtype="<f8").tobytes()
