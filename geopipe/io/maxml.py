"""Read maXML, the field-report XML of IMSMA NG, as far as its structure speaks for itself.

No public sample with geometry exists, so no element name is taken for granted. A report is one record
with its ids. A place is read only where one element states a latitude and a longitude itself; it is a
point of reference, and never becomes a corner of a polygon. What looks like coordinates and is not read is
told by name.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from geopipe.io.counting import count_elements, parse_whole, require_shallow, safe_parser
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.formats import MAXML_ROOT
from geopipe.io.frames import assemble
from geopipe.io.job import Job
from geopipe.io.textgeometry import wkb_point
from geopipe.terms import CountMethod

NAMES = {"latitude": "latitude", "lat": "latitude", "longitude": "longitude", "lon": "longitude"}
NUMBER_NAMES = ("pointno", "pointnumber", "pointnr", "sequence", "sequencenumber", "order")
COORDINATE_LIKE = re.compile(
    r"lat|lon|latitude|longitude|[xy]|[xy]?coord\w*|coordinates?|easting|northing|mgrs\w*|utm\w*|polygon\w*|shape\w*"
    r"|geometr\w*|wkt|bearing|distance|geopoint\w*"
)
SHOWN = 6


@dataclass
class _Element:
    """One open element: its name, what it states itself, and whether it has children."""

    name: str
    stated: dict[str, str]
    text: str = ""
    is_leaf: bool = True


@dataclass
class _Reader:
    """What was found so far."""

    open: list[_Element] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    points: list[dict[str, str]] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        require_shallow(len(self.open))
        word = name.rpartition(":")[2]
        if self.open:
            self.open[-1].is_leaf = False
        if word == MAXML_ROOT:
            self.reports.append({_bare(key): value for key, value in attributes.items()})
        self.open.append(_Element(word, {_bare(key): value for key, value in attributes.items()}))

    def characters(self, part: str) -> None:
        self.open[-1].text += part

    def end(self, _name: str) -> None:
        element = self.open.pop()
        text = element.text.strip()
        if element.is_leaf and text and self.open:
            self.open[-1].stated.setdefault(element.name, text)
            if len(self.open) == 1:
                self.reports[-1].setdefault(element.name, text)
        path = "/".join([*(above.name for above in self.open), element.name])
        place = _place(element.stated)
        if place is not None:
            number = next((v for k, v in element.stated.items() if _fold(k) in NUMBER_NAMES), "")
            own = {"element": path, "point_number": number, **element.stated}
            self.points.append({**own, "_x": repr(place[0]), "_y": repr(place[1])})
        else:
            self._leave(element, path)

    def _leave(self, element: _Element, path: str) -> None:
        """Remember what looks like coordinates and cannot be read."""
        for name, value in element.stated.items():
            if value.strip() and COORDINATE_LIKE.fullmatch(_fold(name)):
                self.left[f"{path}/{name}"] += 1


def read_maxml(job: Job) -> list[RawLayer]:
    """Return the layer `reports`, and the layer `points` where places are stated beyond doubt."""
    if job.path.stat().st_size > job.limits.tolerant_bytes:
        sentence = f"{job.label}: the report is too large for XML. Ask for it in parts."
        raise RefusedError(Problem("FILE_TOO_LARGE", sentence))
    read = _Reader()
    parser = safe_parser(job.label, "maXML")
    parser.StartElementHandler = read.start
    parser.EndElementHandler = read.end
    parser.CharacterDataHandler = read.characters
    parser.buffer_text = True
    parse_whole(parser, job.path, job.label, lambda: len(read.reports))
    counted = count_elements(job.path, [MAXML_ROOT])[MAXML_ROOT]
    layers = [_reports(job, read, counted)]
    return [*layers, _points(read)] if read.points else layers


def _reports(job: Job, read: _Reader, counted: int) -> RawLayer:
    """Return one record per report: what it states in its header, without a place."""
    reason = "maXML: the shapes of a report are not read. Ask for its polygons as GeoPackage or shapefile"
    table, more = assemble(
        _texts(read.reports),
        pa.nulls(len(read.reports), pa.large_binary()),
        trouble=[reason] * len(read.reports),
    )
    notes = [Problem("MAXML_IN_PART", f"{job.label}: {_told(read)}")]
    return RawLayer(
        name="reports",
        crs_wkt="EPSG:4326",
        table=table,
        records_counted=counted,
        count_method=CountMethod.EXACT,
        notes=(*notes, *more),
    )


def _told(read: _Reader) -> str:
    """Say what was read of the report and which elements look like coordinates but were left."""
    read_part = f"of this maXML only the report header and {len(read.points):,} single points are read."
    if not read.left:
        return f"{read_part} Nothing else in it looks like coordinates."
    shown = [f"{path} ({count:,})" for path, count in sorted(read.left.items())[:SHOWN]]
    rest = len(read.left) - len(shown)
    more = f" and {rest:,} other elements" if rest > 0 else ""
    return f"{read_part} Not read: {', '.join(shown)}{more}. Ask for the polygons as GeoPackage or shapefile."


def _points(read: _Reader) -> RawLayer:
    """Return the places that were stated beyond doubt, as points."""
    wkb = [wkb_point(float(point.pop("_x")), float(point.pop("_y"))) for point in read.points]
    table, notes = assemble(_texts(read.points), pa.array(wkb, pa.large_binary()))
    return RawLayer(
        name="points",
        crs_wkt="EPSG:4326",
        geometry_type="Point",
        table=table,
        records_counted=None,
        count_method=CountMethod.NONE,
        notes=tuple(notes),
    )


def _texts(records: list[dict[str, str]]) -> pa.Table:
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    columns = [pa.array([record.get(name) for record in records], pa.large_string()) for name in names]
    return pa.table(columns, names=list(names))


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _fold(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _place(stated: dict[str, str]) -> tuple[float, float] | None:
    """Return longitude and latitude if exactly one of each is stated, as numbers in range."""
    found: dict[str, list[str]] = {"latitude": [], "longitude": []}
    for name, value in stated.items():
        if (word := NAMES.get(_fold(name))) is not None:
            found[word].append(value)
    if any(len(values) != 1 for values in found.values()):
        return None
    try:
        x, y = float(found["longitude"][0]), float(found["latitude"][0])
    except ValueError:
        return None
    is_place = math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90
    return (x, y) if is_place else None
