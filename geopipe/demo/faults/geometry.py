"""The geometry of a record as each format writes it: WKB, WKT or lists of positions, faults and all.

Written by hand, because libraries refuse or mend what is planted here.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from geopipe.demo.rings import Floats

from .sheet import Record, Shape

Position = list[float]


def delivered_ring(record: Record, ring: Floats) -> Floats:
    """Return a ring as it is written: closed, unless the record's fault is that it is not."""
    if record.stays_open or len(ring) == 0:
        return ring
    return np.vstack([ring, ring[:1]])


def polygons(record: Record) -> list[list[list[Position]]]:
    """Return the polygons of a record as lists of rings of positions."""
    return [[delivered_ring(record, ring).tolist() for ring in rings] for rings in record.parts]


def wkb(record: Record, shape: Shape) -> bytes | None:
    """Return a record's geometry as ISO WKB."""
    if record.is_null:
        return None
    width = next((ring.shape[1] for rings in record.parts for ring in rings if len(ring)), 2)
    kind = {2: 0, 3: 1000, 4: 3000}[width]
    if shape is Shape.POINT:
        return struct.pack("<BI", 1, 1 + kind) + _packed(record.ring)
    if shape is Shape.LINE:
        return struct.pack("<BII", 1, 2 + kind, len(record.ring)) + _packed(record.ring)
    parts = [_polygon(record, rings, kind) for rings in record.parts]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return struct.pack("<BII", 1, 3 + kind, 0)
    return struct.pack("<BII", 1, 6 + kind, len(parts)) + b"".join(parts)


def _polygon(record: Record, rings: list[Floats], kind: int) -> bytes:
    written = [delivered_ring(record, ring) for ring in rings]
    data = b"".join(struct.pack("<I", len(ring)) + _packed(ring) for ring in written)
    return struct.pack("<BII", 1, 3 + kind, len(rings)) + data


def _packed(points: Floats) -> bytes:
    return np.ascontiguousarray(points, dtype="<f8").tobytes()


def wkt(record: Record, shape: Shape) -> str:
    """Return a record's geometry as WKT in full precision, empty where there is none."""
    if record.is_null:
        return ""
    width = next((ring.shape[1] for rings in record.parts for ring in rings if len(ring)), 2)
    dimension = {2: "", 3: " Z", 4: " ZM"}[width]
    if shape is Shape.POINT:
        text = f"POINT{dimension} {_ring(record.ring.tolist())}"
    elif len(record.parts) == 1:
        text = f"POLYGON{dimension} {_rings(polygons(record)[0])}"
    elif record.parts:
        text = f"MULTIPOLYGON{dimension} ({', '.join(map(_rings, polygons(record)))})"
    else:
        text = "POLYGON EMPTY"
    return _spoiled(record, text)


def _rings(rings: list[list[Position]]) -> str:
    return f"({', '.join(map(_ring, rings))})"


def _ring(positions: list[Position]) -> str:
    if not positions:
        return "EMPTY"
    return "(" + ", ".join(" ".join(map(repr, position)) for position in positions) + ")"


def _spoiled(record: Record, text: str) -> str:
    """Put what nobody can read in the place of the first number."""
    if not record.bad_number:
        return text
    head, _, rest = text.partition("((")
    return f"{head}(({record.bad_number} {rest.partition(' ')[2]}"


def geojson(record: Record, shape: Shape) -> dict[str, Any] | None:
    """Return a record's geometry as a GeoJSON object."""
    if record.is_null:
        return None
    if shape is Shape.POINT:
        return {"type": "Point", "coordinates": record.ring[0].tolist()}
    parts = polygons(record)
    if len(parts) > 1:
        return {"type": "MultiPolygon", "coordinates": parts}
    return {"type": "Polygon", "coordinates": parts[0] if parts else []}


def esri(record: Record, shape: Shape) -> dict[str, Any] | None:
    """Return a record's geometry as Esri JSON: outer rings clockwise, all rings in one list."""
    if record.is_null:
        return None
    if shape is Shape.POINT:
        return {"x": float(record.ring[0, 0]), "y": float(record.ring[0, 1])}
    rings = [
        ring if (number > 0) == _is_anticlockwise(ring) else ring[::-1]
        for part in polygons(record)
        for number, ring in enumerate(part)
    ]
    return {"rings": rings}


def _is_anticlockwise(ring: list[Position]) -> bool:
    if len(ring) < 3:
        return False
    points = np.array(ring)[:, :2]
    x, y = (points - points[0]).T
    return bool((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0)
