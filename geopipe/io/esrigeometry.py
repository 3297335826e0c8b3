"""Write WKB from the geometry objects of Esri JSON, as delivered.

Esri keeps all rings of a record in one list: outer rings run clockwise, holes counter-clockwise. Which
hole lies in which outer ring is found here. A ring that says "hole" but lies in no outer ring becomes an
area of its own, and that is told: ground is never lost to the direction of a ring.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Points = NDArray[np.float64]

BLOCK = 2000
CORNERS = ("xmin", "ymin", "xmax", "ymax")
CURVED = ("curveRings", "curvePaths")
_POINT, _LINE, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON = range(1, 7)


@dataclass
class Shapes:
    """Geometry of the records of one feature set, in their order.

    Parameters
    ----------
    wkb : list of bytes or None
        As delivered; None where there is no geometry or none could be written.
    trouble : list of str or None
        Per record, what is wrong with its geometry.
    turned : int
        Records with a ring that says "hole" but lies in no outer ring.
    """

    wkb: list[bytes | None] = field(default_factory=list)
    trouble: list[str | None] = field(default_factory=list)
    turned: int = 0


def shapes_of(geometries: Sequence[Any], has_z: bool, has_m: bool) -> Shapes:
    """Return the WKB of Esri geometry objects.

    Parameters
    ----------
    geometries : sequence
        The `geometry` member of each record, or None.
    has_z, has_m : bool
        What the feature set declares about the third and fourth number of a point.
    """
    made = Shapes()
    for start in range(0, len(geometries), BLOCK):
        block = geometries[start : start + BLOCK]
        if not _plain_polygons(block, has_z, has_m, made):
            for geometry in block:
                _one(geometry, has_z, has_m, made)
    return made


def _plain_polygons(block: Sequence[Any], has_z: bool, has_m: bool, made: Shapes) -> bool:
    """Write a block in which every record is a polygon of plain numbers; False where one is not."""
    try:
        rings_of = [geometry["rings"] for geometry in block]
        is_plain = not any(set(geometry) - {"rings", "spatialReference"} for geometry in block)
        rings = list(chain.from_iterable(rings_of))
        sizes = np.array([len(ring) for ring in rings], dtype=np.int64)
        points = list(chain.from_iterable(rings))
        width = len(points[0])
        numbers = list(chain.from_iterable(points))
        is_plain &= sizes.min() >= 1 and set(map(len, points)) == {width} <= {2, 3, 4}
        is_plain &= set(map(type, numbers)) <= {int, float}
        flat = np.array(numbers if is_plain else [], dtype="<f8").reshape(-1, width)
    except (TypeError, KeyError, IndexError, ValueError, OverflowError):
        return False
    if not is_plain or not np.isfinite(flat).all():
        return False
    _write_block(rings_of, flat, sizes, _offset(width, has_z, has_m), made)
    return True


def _write_block(rings_of: list[Any], flat: Points, sizes: Any, offset: int, made: Shapes) -> None:
    """Write the polygons of a block whose points stand in one array."""
    ends = np.cumsum(sizes)
    starts = ends - sizes
    signed = _signed_areas_m2(flat, starts, sizes)
    data, step = flat.tobytes(), flat.shape[1] * 8
    head = struct.pack("<BII", 1, _POLYGON + offset, 1)
    first = 0
    for rings in rings_of:
        if len(rings) == 1:
            at, size = int(starts[first]), int(sizes[first])
            made.wkb.append(head + struct.pack("<I", size) + data[at * step : (at + size) * step])
            made.turned += bool(signed[first] > 0)
        else:
            own = [flat[starts[i] : ends[i]] for i in range(first, first + len(rings))]
            wkb, turned = _grouped(own, list(signed[first : first + len(rings)]), offset)
            made.wkb.append(wkb)
            made.turned += turned
        made.trouble.append(None)
        first += len(rings)


def _signed_areas_m2(flat: Points, starts: Any, sizes: Any) -> Points:
    """Return the area of each ring in its own units squared: above 0 where it runs counter-clockwise."""
    # The first point of each ring is its origin, so what follows on any last point is the origin too.
    local = flat[:, :2] - np.repeat(flat[starts, :2], sizes, axis=0)
    following = np.roll(local, -1, axis=0)
    cross = local[:, 0] * following[:, 1] - following[:, 0] * local[:, 1]
    return np.asarray(np.add.reduceat(cross, starts) / 2)


def _grouped(rings: list[Points], signed: list[float], offset: int) -> tuple[bytes, bool]:
    """Return the WKB of several rings, each hole with its outer ring, and whether a hole had none."""
    outer = [i for i, area in enumerate(signed) if not area > 0 and _distinct(rings[i]) >= 3]
    ground = {i: shapely.Polygon(_closed(rings[i][:, :2])) for i in outer}
    parts: dict[int, list[int]] = {i: [i] for i in outer}
    turned = False
    for i, ring in enumerate(rings):
        if i in ground:
            continue
        around = [
            o for o in outer if len(ring) and shapely.intersects_xy(ground[o], ring[:, 0], ring[:, 1]).all()
        ]
        if around:
            parts[min(around, key=lambda o: abs(signed[o]))].append(i)
        else:
            parts[i] = [i]
            turned |= _distinct(ring) >= 3
    members = [[rings[i] for i in parts[key]] for key in sorted(parts)]
    if len(members) == 1:
        return _polygon(members[0], offset), turned
    head = struct.pack("<BII", 1, _MULTIPOLYGON + offset, len(members))
    return head + b"".join(_polygon(member, offset) for member in members), turned


def _distinct(ring: Points) -> int:
    """Return the number of different points of a ring."""
    return len(np.unique(ring[:, :2], axis=0))


def _closed(ring: Points) -> Points:
    return ring if (ring[0] == ring[-1]).all() else np.vstack([ring, ring[:1]])


def _one(geometry: Any, has_z: bool, has_m: bool, made: Shapes) -> None:
    """Write one geometry of any type, or the reason why it cannot be written."""
    wkb, trouble, turned = None, None, False
    try:
        wkb, turned = _written(geometry, has_z, has_m)
        if wkb is not None and _has_gap(geometry):
            trouble = "a coordinate of the geometry is missing or is not a number"
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        trouble = f"the geometry could not be read: {error}"
    made.wkb.append(wkb)
    made.trouble.append(trouble)
    made.turned += turned


def _written(geometry: Any, has_z: bool, has_m: bool) -> tuple[bytes | None, bool]:
    """Return the WKB of one geometry object and whether a hole of it lies in no outer ring."""
    if geometry is None:
        return None, False
    if not isinstance(geometry, dict):
        raise ValueError("it is not an object")
    if any(word in geometry for word in CURVED):
        raise ValueError("it has curved boundaries (curveRings). Ask for straight lines (densify) instead")
    if "rings" in geometry:
        return _rings(geometry["rings"], has_z, has_m)
    if "paths" in geometry:
        lines, offset = _lists(geometry["paths"], has_z, has_m)
        bodies = [struct.pack("<BI", 1, _LINE + offset) + _counted(line) for line in lines]
        many = struct.pack("<BII", 1, _MULTILINE + offset, len(bodies)) + b"".join(bodies)
        return (bodies[0] if len(bodies) == 1 else many), False
    if "points" in geometry:
        (points,), offset = _lists([geometry["points"]], has_z, has_m)
        head = struct.pack("<BI", 1, _POINT + offset)
        bodies = [head + point.tobytes() for point in points]
        return struct.pack("<BII", 1, _MULTIPOINT + offset, len(bodies)) + b"".join(bodies), False
    if "xmin" in geometry:
        west, south, east, north = (geometry.get(key) for key in CORNERS)
        return _rings(
            [[[west, south], [west, north], [east, north], [east, south], [west, south]]], False, False
        )
    if "x" in geometry:
        return _point(geometry, has_z, has_m), False
    raise ValueError(f"none of its members is known ({', '.join(map(str, list(geometry)[:4])) or 'none'})")


def _rings(rings: Any, has_z: bool, has_m: bool) -> tuple[bytes, bool]:
    """Return the WKB of a list of rings."""
    lists, offset = _lists(rings, has_z, has_m)
    if len(lists) == 0:
        return struct.pack("<BII", 1, _POLYGON, 0), False
    with np.errstate(invalid="ignore"):
        signed = [
            float(_signed_areas_m2(ring, np.array([0]), np.array([len(ring)]))[0]) if len(ring) else 0.0
            for ring in lists
        ]
    if len(lists) == 1:
        return _polygon(lists, offset), signed[0] > 0
    return _grouped(lists, signed, offset)


def _polygon(rings: list[Points], offset: int) -> bytes:
    head = struct.pack("<BII", 1, _POLYGON + offset, len(rings))
    return head + b"".join(map(_counted, rings))


def _counted(points: Points) -> bytes:
    return struct.pack("<I", len(points)) + points.astype("<f8", copy=False).tobytes()


def _point(geometry: dict[str, Any], has_z: bool, has_m: bool) -> bytes | None:
    """Return the WKB of one point; None for the empty point, whose x is null or NaN."""
    keys = ["x", "y", *(key for key in ("z", "m") if geometry.get(key) is not None)]
    values = [_number(geometry.get(key)) for key in keys]
    if math.isnan(values[0]):
        return None
    offset = _offset(len(values), has_z or "z" in keys, has_m or "m" in keys)
    return struct.pack(f"<BI{len(values)}d", 1, _POINT + offset, *values)


def _lists(lists: Any, has_z: bool, has_m: bool) -> tuple[list[Points], int]:
    """Return lists of points as arrays of one width, and the WKB offset for Z and M."""
    if not isinstance(lists, list):
        raise ValueError("its coordinates are not a list")
    rows = [[_position(point) for point in _list(points)] for points in lists]
    width = max([len(point) for points in rows for point in points], default=2)
    padded = [[point + [math.nan] * (width - len(point)) for point in points] for points in rows]
    arrays = [np.array(points, dtype="<f8").reshape(len(points), width) for points in padded]
    return arrays, _offset(width, has_z, has_m)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("the brackets of the coordinates are nested wrongly")
    return value


def _position(point: Any) -> list[float]:
    if not isinstance(point, list) or not 2 <= len(point) <= 4:
        raise ValueError("a point is not a pair of coordinates")
    return [_number(value) for value in point]


def _number(value: Any) -> float:
    """Return a coordinate; NaN for what Esri writes where there is none."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "nan"):
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f'"{str(value)[:30]}" is not a coordinate')
    return float(value)


def _has_gap(geometry: Any) -> bool:
    """Tell whether x or y of any point is missing or not finite."""
    if "x" in geometry:
        return not all(math.isfinite(_number(geometry.get(key))) for key in ("x", "y"))
    if "xmin" in geometry:
        return not all(math.isfinite(_number(geometry.get(key))) for key in CORNERS)
    lists = geometry.get("rings") or geometry.get("paths") or [geometry.get("points") or []]
    return not all(
        math.isfinite(_number(value)) for points in lists for point in points for value in point[:2]
    )


def _offset(width: int, has_z: bool, has_m: bool) -> int:
    """Return what ISO WKB adds to a type for its Z and M."""
    if width >= 4:
        return 3000
    if width == 3:
        return 2000 if has_m and not has_z else 1000
    return 0
