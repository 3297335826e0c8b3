"""What the map of a case shows, and its legend: for an operator only what it may know."""

from __future__ import annotations

from collections.abc import Iterator

import shapely

from geopipe.editions import outline_near
from geopipe.languages.texts import Texts, message
from geopipe.languages.words import KINDS
from geopipe.outputs.pack.casemap import (
    A_LINE,
    B_LINE,
    FILLS,
    NEIGHBOUR_LINE,
    UNRESOLVED_LINE,
    CaseMap,
    MapRecord,
)
from geopipe.outputs.pack.mapframe import MapFrame, frame_of
from geopipe.outputs.pack.material import Material
from geopipe.register.case import Case, Side
from geopipe.terms import Kind

A_NAME, B_NAME = message("record A"), message("record B")
OVERLAP_NAME = message("overlap")
UNRESOLVED_NAME = message("hazard whose place or shape is in doubt")
NEIGHBOUR_NAME = message("other areas nearby")
POINT_NAME = message("find, accident or evidence")


def case_map(case: Case, material: Material) -> CaseMap:
    """Return the map of a case."""
    ground, seen = material.grounds[case.case_id], case.sighting
    a, b = (
        _record(side, polygon, ground.overlap, material)
        for side, polygon in ((seen.a, ground.a), (seen.b, ground.b))
    )
    a_shown, b_shown = (item.ground if item.outline is None else item.outline for item in (a, b))
    frame = frame_of(a_shown, b_shown, ground.overlap, material.working_crs)
    return CaseMap(
        frame, a, b, ground.overlap, tuple(_neighbours(case, frame, material)),
        tuple(_unresolved(frame, material)), tuple(_points(frame, material)),
    )  # fmt: skip


def _record(
    side: Side, polygon: shapely.Geometry, overlap: shapely.Geometry, material: Material
) -> MapRecord:
    """Return a record of the case; of a partner's only the outline near the overlap."""
    if material.meeting.operator in (None, side.operator):
        return MapRecord(side.kind, polygon)
    return MapRecord(side.kind, overlap, outline_near(polygon, overlap))


def _neighbours(case: Case, frame: MapFrame, material: Material) -> Iterator[MapRecord]:
    """Yield the other areas within the frame; for an operator its own."""
    own = {case.sighting.a.record_id, case.sighting.b.record_id}
    for row in sorted(material.near_areas.query(frame.window, predicate="intersects").tolist()):
        columns = {
            name: material.areas.table[name][row].as_py() for name in ("record_id", "operator", "kind")
        }
        if columns["record_id"] in own or material.meeting.operator not in (None, columns["operator"]):
            continue
        yield MapRecord(columns["kind"], material.areas.geometry[row])


def _unresolved(frame: MapFrame, material: Material) -> Iterator[shapely.Geometry]:
    """Yield hazard that is only drawn; an operator sees its own."""
    for row in sorted(material.near_unresolved.query(frame.window).tolist()):
        if material.meeting.operator in (None, material.unresolved.table["operator"][row].as_py()):
            yield material.unresolved.geometry[row]


def _points(frame: MapFrame, material: Material) -> Iterator[shapely.Geometry]:
    for row in sorted(material.near_points.query(frame.window).tolist()):
        if _may_see(row, material):
            yield material.points.geometry[row]


def points_inside(case: Case, material: Material) -> list[int]:
    """Return the rows of the finds in the shared ground; an operator is told of its own."""
    overlap = material.grounds[case.case_id].overlap
    rows = material.near_points.query(overlap, predicate="intersects")
    return [row for row in sorted(rows.tolist()) if _may_see(row, material)]


def _may_see(row: int, material: Material) -> bool:
    return material.meeting.operator in (None, material.points.table["operator"][row].as_py())


def legend(drawn: CaseMap, texts: Texts) -> list[dict[str, str]]:
    """Return the signs on the map with their meaning."""
    kinds = {item.kind for item in (drawn.a, drawn.b, *drawn.neighbours) if item.is_filled}
    lines = [
        {"sign": "line", "colour": A_LINE, "text": texts(A_NAME)},
        {"sign": "dashed", "colour": B_LINE, "text": texts(B_NAME)},
        {"sign": "hatch", "colour": "#C000C0", "text": texts(OVERLAP_NAME)},
    ]
    fills = [{"sign": "fill", "colour": FILLS[kind], "text": texts(KINDS[kind])}
             for kind in reversed(Kind) if kind in kinds]  # fmt: skip
    if drawn.neighbours:
        lines.append({"sign": "line", "colour": NEIGHBOUR_LINE, "text": texts(NEIGHBOUR_NAME)})
    if drawn.unresolved:
        lines.append({"sign": "dashed", "colour": UNRESOLVED_LINE, "text": texts(UNRESOLVED_NAME)})
    if drawn.points:
        lines.append({"sign": "point", "colour": "#FFE800", "text": texts(POINT_NAME)})
    return [*lines, *fills]
