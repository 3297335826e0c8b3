"""Read GPX: waypoints are points, tracks and routes are lines; always WGS 84 longitude and latitude.

A record is one waypoint, one track or one route. The segments of a track are the parts of its line.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import pyarrow as pa

from geopipe.io.counting import count_elements, parse_whole, require_shallow, safe_parser
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble
from geopipe.io.job import Job
from geopipe.terms import CountMethod

LAYERS = {"wpt": "waypoints", "rte": "routes", "trk": "tracks"}
POINTS = ("wpt", "rtept", "trkpt")
Position = tuple[float, float, float]


@dataclass
class _Record:
    """One waypoint, route or track while it is read."""

    texts: dict[str, str] = field(default_factory=dict)
    segments: list[list[Position]] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    unreadable: int = 0


@dataclass
class _Reader:
    """What stands where the parser is."""

    records: dict[str, list[_Record]] = field(default_factory=lambda: {name: [] for name in LAYERS})
    path: list[str] = field(default_factory=list)
    current: _Record | None = None
    point: tuple[float, float] = (math.nan, math.nan)
    height: float = math.nan
    text: str = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        require_shallow(len(self.path))
        word = name.rpartition(":")[2]
        if len(self.path) == 1 and word in LAYERS:
            self.current = _Record(segments=[] if word == "trk" else [[]])
            self.records[word].append(self.current)
        if self.current is not None:
            if word == "trkseg":
                self.current.segments.append([])
            if word in POINTS:
                self.point = (_degrees(attributes.get("lon"), 180), _degrees(attributes.get("lat"), 90))
                self.height = math.nan
                self.current.unreadable += not all(map(math.isfinite, self.point))
        self.path.append(word)
        self.text = ""

    def end(self, _name: str) -> None:
        word = self.path.pop()
        record, text = self.current, self.text.strip()
        self.text = ""
        if record is None:
            return
        if word in POINTS:
            if not record.segments:  # a point outside any segment: the schema forbids it, the ground is there
                record.segments.append([])
            record.segments[-1].append((*self.point, self.height))
        elif self.path[-1] in POINTS and word == "ele":
            self.height = _number(text)
        elif self.path[-1] in ("trkpt", "rtept") and word == "time":
            record.times.append(text)
        is_own = len(self.path) == 2 or ("extensions" in self.path and not {"trkpt", "rtept"} & {*self.path})
        if text and is_own:
            record.texts.setdefault(word, text)
        if len(self.path) == 1:
            self.current = None

    def characters(self, part: str) -> None:
        self.text += part


def read_gpx(job: Job) -> list[RawLayer]:
    """Return the layers waypoints, routes and tracks of a GPX file, as far as it has them."""
    read = _Reader()
    parser = safe_parser(job.label, "GPX")
    parser.StartElementHandler = read.start
    parser.EndElementHandler = read.end
    parser.CharacterDataHandler = read.characters
    parser.buffer_text = True
    parse_whole(parser, job.path, job.label, lambda: sum(map(len, read.records.values())))
    counts = count_elements(job.path, LAYERS)
    layers = [
        _layer(kind, read.records[kind], counts[kind])
        for kind in LAYERS
        if read.records[kind] or counts[kind]
    ]
    if not layers:
        sentence = f"{job.label}: the file holds no waypoint, route or track. Ask what it should hold."
        raise RefusedError(Problem("NO_GEOMETRY", sentence), 0, CountMethod.EXACT)
    return layers


def _layer(kind: str, records: list[_Record], counted: int) -> RawLayer:
    """Return the layer of all records of one kind."""
    names: dict[str, None] = {}
    for record in records:
        if record.times:
            record.texts |= {"time_first": record.times[0], "time_last": record.times[-1]}
        if kind == "wpt" and math.isfinite(height := record.segments[0][0][2]):
            record.texts.setdefault("ele", repr(height))
        names.update(dict.fromkeys(record.texts))
    columns = [pa.array([record.texts.get(name) for record in records], pa.large_string()) for name in names]
    geometry = pa.array([_wkb(kind, record.segments) for record in records], pa.large_binary())
    trouble = [
        f"{record.unreadable:,} points have no readable lat and lon" if record.unreadable else None
        for record in records
    ]
    table, notes = assemble(pa.table(columns, names=list(names)), geometry, trouble=trouble)
    return RawLayer(
        name=LAYERS[kind],
        crs_wkt="EPSG:4326",
        geometry_type="Point" if kind == "wpt" else "LineString",
        table=table,
        records_counted=counted,
        count_method=CountMethod.EXACT,
        notes=tuple(notes),
    )


def _wkb(kind: str, segments: list[list[Position]]) -> bytes | None:
    """Return the WKB of a record; None where it has no point at all."""
    filled = [segment for segment in segments if segment]
    if not filled:
        return None
    has_z = any(math.isfinite(point[2]) for segment in filled for point in segment)
    size, offset = (3, 1000) if has_z else (2, 0)
    if kind == "wpt":
        return struct.pack(f"<BI{size}d", 1, 1 + offset, *filled[0][0][:size])
    lines = [_line(segment, size, offset) for segment in filled]
    return lines[0] if len(lines) == 1 else struct.pack("<BII", 1, 5 + offset, len(lines)) + b"".join(lines)


def _line(segment: list[Position], size: int, offset: int) -> bytes:
    """Return one line; a segment of a single point becomes a line from that point to itself."""
    points = segment * 2 if len(segment) == 1 else segment
    flat = [value for point in points for value in point[:size]]
    return struct.pack(f"<BII{len(flat)}d", 1, 2 + offset, len(points), *flat)


def _number(text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _degrees(text: str | None, most: float) -> float:
    """Return a longitude or latitude; NaN for what can be none."""
    value = _number(text)
    return value if abs(value) <= most else math.nan
