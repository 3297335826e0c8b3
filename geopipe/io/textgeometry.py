"""Write WKB from text geometry without judging it.

Strict parsers refuse a whole geometry for an unclosed ring or a ring of two points. The point lists
are kept here as delivered, so that what is wrong can be judged, shown and returned to its sender.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Sequence
from typing import Any

CODES = {
    "POINT": 1,
    "LINESTRING": 2,
    "POLYGON": 3,
    "MULTIPOINT": 4,
    "MULTILINESTRING": 5,
    "MULTIPOLYGON": 6,
    "GEOMETRYCOLLECTION": 7,
}
PART_OF = {4: 1, 5: 2, 6: 3}
TOKEN = re.compile(r"\s*([A-Za-z]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[(),])")
EXCEL_CELL = 32767
MAX_DEPTH = 32


def wkb_from_wkt(text: str) -> bytes:
    """Return the WKB of a WKT text as delivered; raise ValueError with the reason."""
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None:
            raise ValueError(f'unexpected "{text[position : position + 12].strip()}"')
        tokens.append(match[1].upper())
        position = match.end()
    try:
        wkb, rest = _geometry(tokens, 0, 0)
    except IndexError:
        cut = " (Excel cuts cells at 32,767 characters)" if len(text) >= EXCEL_CELL else ""
        raise ValueError(f"the text ends too early{cut}") from None
    if rest != len(tokens):
        raise ValueError(f'unexpected "{tokens[rest]}" after the geometry')
    return wkb


def _geometry(tokens: list[str], at: int, depth: int) -> tuple[bytes, int]:
    """Parse one tagged geometry that begins at a token; return its WKB and the next token."""
    word, flags = tokens[at], ""
    at += 1
    if word not in CODES:
        for suffix in ("ZM", "Z", "M"):
            if word.endswith(suffix) and word.removesuffix(suffix) in CODES:
                word, flags = word.removesuffix(suffix), suffix
                break
    if word not in CODES or depth > MAX_DEPTH:
        raise ValueError(f'"{word}" is not a geometry type that is read')
    if tokens[at] in ("Z", "M", "ZM"):
        flags, at = tokens[at], at + 1
    code = CODES[word]
    if tokens[at] == "EMPTY":
        return _encode(code, [], flags), at + 1
    if code == 7:
        return _collection(tokens, at, depth)
    nested, at = _nested(tokens, at, 0)
    if code == 1 and len(nested) == 1:
        nested = nested[0]
    if code == 4:
        nested = [point[0] if point and isinstance(point[0], list) else point for point in nested]
    return _encode(code, nested, flags), at


def _collection(tokens: list[str], at: int, depth: int) -> tuple[bytes, int]:
    """Parse the members of a geometry collection."""
    members = []
    while tokens[at] in ("(", ","):
        member, at = _geometry(tokens, at + 1, depth + 1)
        members.append(member)
    if tokens[at] != ")":
        raise ValueError(f'unexpected "{tokens[at]}"')
    return struct.pack("<BII", 1, 7, len(members)) + b"".join(members), at + 1


def _nested(tokens: list[str], at: int, depth: int) -> tuple[list[Any], int]:
    """Parse a bracketed list of coordinates or of further lists."""
    if tokens[at] != "(" or depth > MAX_DEPTH:
        raise ValueError(f'unexpected "{tokens[at]}"')
    items: list[Any] = []
    at += 1
    while True:
        if tokens[at] == "(":
            item, at = _nested(tokens, at, depth + 1)
        elif tokens[at] == "EMPTY":
            item, at = [], at + 1
        else:
            item = []
            while tokens[at] not in (",", ")"):
                item.append(float(tokens[at]))
                at += 1
        items.append(item)
        if tokens[at] == ")":
            return items, at + 1
        if tokens[at] != ",":
            raise ValueError(f'unexpected "{tokens[at]}"')
        at += 1


def wkb_from_geojson(geometry: Any, depth: int = 0) -> bytes:
    """Return the WKB of a GeoJSON geometry object as delivered; raise ValueError with the reason."""
    if not isinstance(geometry, dict):
        raise ValueError("the geometry is not an object")
    word = str(geometry.get("type"))
    code = CODES.get(word.upper())
    if code is None or depth > MAX_DEPTH:
        raise ValueError(f'"{word[:40]}" is not a geometry type')
    if code == 7:
        members = geometry.get("geometries")
        if not isinstance(members, list):
            raise ValueError("the collection has no geometries")
        parts = [wkb_from_geojson(member, depth + 1) for member in members]
        return struct.pack("<BII", 1, 7, len(parts)) + b"".join(parts)
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        raise ValueError("the geometry has no coordinates")
    return _encode(code, coordinates, "")


def wkb_point(x: float, y: float) -> bytes:
    """Return the WKB of one point."""
    return struct.pack("<BIdd", 1, 1, x, y)


def _encode(code: int, nested: Sequence[Any], flags: str) -> bytes:
    """Return ISO WKB of nested coordinate lists."""
    size = min(max(_width(nested), 2 + len(flags)), 4)
    if not flags:
        flags = {2: "", 3: "Z", 4: "ZM"}[size]
    offset = {"": 0, "Z": 1000, "M": 2000, "ZM": 3000}[flags]
    return _body(code, nested, offset, size)


def _body(code: int, nested: Sequence[Any], offset: int, size: int) -> bytes:
    """Return the WKB of one geometry whose dimensions are known."""
    head = struct.pack("<BI", 1, code + offset)
    if code == 1:
        return head + (_position(nested, size) if nested != [] else struct.pack("<d", math.nan) * size)
    if code == 2:
        return head + _line(nested, size)
    if code == 3:
        return head + struct.pack("<I", len(nested)) + b"".join(_line(ring, size) for ring in nested)
    parts = [_body(PART_OF[code], part, offset, size) for part in nested]
    return head + struct.pack("<I", len(parts)) + b"".join(parts)


def _line(positions: Any, size: int) -> bytes:
    """Return a counted list of positions."""
    if not isinstance(positions, list):
        raise ValueError("the brackets of the coordinates are nested wrongly")
    return struct.pack("<I", len(positions)) + b"".join(_position(item, size) for item in positions)


def _position(values: Any, size: int) -> bytes:
    """Return one position, missing heights as 0."""
    if not isinstance(values, (list, tuple)) or len(values) < 2:
        raise ValueError(f"{_short(values)} is not a coordinate pair")
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values[:size]):
        raise ValueError(f"{_short(values)} is not a coordinate pair")
    try:
        numbers = [float(value) for value in values[:size]] + [0.0] * (size - len(values))
    except OverflowError:
        raise ValueError("a coordinate is too large a number") from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a coordinate is not a finite number")
    return struct.pack(f"<{size}d", *numbers)


def _width(nested: Any) -> int:
    """Return the number of values in the widest position."""
    if isinstance(nested, list) and nested:
        if isinstance(nested[0], list):
            return max(_width(item) for item in nested)
        return len(nested)
    return 0


def _short(value: Any) -> str:
    """Return a value as short text for a sentence."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else text[:37] + "..."
