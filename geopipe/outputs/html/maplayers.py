"""What the map of a page draws: areas, overlaps, hazard that is only drawn, gaps, points, borders.

All of it comes from `Material`, which holds nothing that its reader may not see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyproj
import shapely

from geopipe.crs import WGS84, choose_operation
from geopipe.editions import outline_near
from geopipe.languages.texts import Texts
from geopipe.languages.words import KINDS
from geopipe.location.places import load_places
from geopipe.outputs.html.interned import Interned
from geopipe.outputs.html.material import Material
from geopipe.outputs.html.shapes import encoded, outlines
from geopipe.outputs.qgis.colours import HATCH_ANGLES, KIND_FILLS, OTHER_KIND
from geopipe.register.case import Case, Side
from geopipe.schema import Frame, Geometries
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind

# How far a line may lie from the true one, where one pixel of a large screen is some metres wide.
AREA_TOLERANCE_M, OVERLAP_TOLERANCE_M = 0.5, 0.05
_BORDER_TOLERANCE_DEG, _BORDER_DECIMALS = 0.002, 4
# A record that nobody has dated stands without a date.
_OPAQUE = 255


def map_layers(material: Material, texts: Texts, interned: Interned) -> dict[str, Any]:
    """Return the layers as plain values: each a list for each column, outlines as `shapes` writes them."""
    told = material.told
    to_degrees, _ = choose_operation(told.working_crs, WGS84)
    kinds = list(KIND_FILLS)
    return {
        "kinds": [_look(kind, texts) for kind in kinds],
        "areas": _areas(told.areas, kinds, to_degrees, interned),
        "unresolved": {
            "shape": outlines(told.unresolved.geometry, to_degrees, AREA_TOLERANCE_M),
            "name": [interned(name) for name in _names(told.unresolved)],
            "why": [interned(row) for row in _column(told.unresolved, "reason")],
        },
        "gaps": {
            "shape": outlines(material.gaps.geometry, to_degrees, OVERLAP_TOLERANCE_M),
            "name": [interned(name) for name in _column(material.gaps, "hazard_id")],
        },
        "points": {
            "shape": outlines(told.points.geometry, to_degrees, 0.0),
            "name": [interned(name) for name in _column(told.points, "point_type")],
        },
        **_borders(told.areas, to_degrees),
    }


def case_shapes(material: Material, angles: Mapping[str, int]) -> dict[str, Any]:
    """Return the ground of each case, and its two records.

    A record is the number of an area, or -1 - the number of a shape in `sides` where the areas do not hold
    it: an earlier version, or what an operator may see of a partner's record.
    """
    told = material.told
    to_degrees, _ = choose_operation(told.working_crs, WGS84)
    grounds = [told.grounds[case.case_id] for case in told.cases]
    overlaps = _array([ground.overlap for ground in grounds])
    known = _rows_of_records(told.areas)
    sides, numbers = _Sides(), []
    for case, ground in zip(told.cases, grounds, strict=True):
        pair = ((case.sighting.a, ground.a), (case.sighting.b, ground.b))
        numbers.append([_side(case, side, shape, ground.overlap, material, known, sides)
                        for side, shape in pair])  # fmt: skip
    kinds = list(KIND_FILLS)
    return {
        "shape": outlines(overlaps, to_degrees, OVERLAP_TOLERANCE_M),
        "sides": numbers,
        "hatch": [angles[case.sighting.columns["finding"]] for case in told.cases],
        "extra": {
            "shape": outlines(_array(sides.shapes), to_degrees, OVERLAP_TOLERANCE_M),
            "kind": [kinds.index(kind) for kind in sides.kinds],
            "filled": [int(is_filled) for is_filled in sides.filled],
        },
    }


def hatch_angles(cases: Sequence[Case]) -> dict[str, int]:
    """Return the angle (degrees) in which each finding is hatched, so that overlaps stay apart."""
    findings = sorted({case.sighting.columns["finding"] for case in cases})
    return {name: HATCH_ANGLES[at % len(HATCH_ANGLES)] for at, name in enumerate(findings)}


class _Sides:
    """Records of cases that the layer of areas does not hold."""

    def __init__(self) -> None:
        self.shapes: list[shapely.Geometry] = []
        self.kinds: list[Kind] = []
        self.filled: list[bool] = []

    def add(self, shape: shapely.Geometry, kind: str, is_filled: bool) -> int:
        """Add one and return its number."""
        self.shapes.append(shape)
        self.kinds.append(Kind(kind))
        self.filled.append(is_filled)
        return -len(self.shapes)


def _side(
    case: Case, side: Side, shape: shapely.Geometry, overlap: shapely.Geometry, material: Material,
    known: Mapping[tuple[str, str], int], sides: _Sides,
) -> int:  # fmt: skip
    if material.operator not in (None, side.operator):
        return sides.add(outline_near(shape, overlap), side.kind, is_filled=False)
    row = known.get((side.record_id, side.version_id)) if case.present else None
    return sides.add(shape, side.kind, is_filled=True) if row is None else row


def _rows_of_records(areas: Frame) -> dict[tuple[str, str], int]:
    names = zip(*(areas.table[name].to_pylist() for name in ("record_id", "version_id")), strict=True)
    return {name: row for row, name in enumerate(names)}


def _look(kind: Kind, texts: Texts) -> dict[str, Any]:
    fill = KIND_FILLS.get(kind, OTHER_KIND)
    group = "hazard" if kind in HAZARD_KINDS else "released" if kind in RELEASED_KINDS else "other"
    return {
        "code": kind.value, "name": texts(KINDS[kind]), "fill": fill.colour, "line": fill.outline,
        "opacity": round(fill.opacity / _OPAQUE, 2), "dash": fill.dash, "level": fill.level, "group": group,
    }  # fmt: skip


def _areas(
    areas: Frame, kinds: Sequence[Kind], to_degrees: pyproj.Transformer, interned: Interned
) -> dict[str, Any]:
    released = areas.flags("kind", sorted(RELEASED_KINDS))
    completed, surveyed = (_column(areas, name) for name in ("date_completed", "date_surveyed"))
    days = [end if is_released else start
            for is_released, end, start in zip(released, completed, surveyed, strict=True)]  # fmt: skip
    code = {kind.value: number for number, kind in enumerate(kinds)}
    return {
        "shape": outlines(areas.geometry, to_degrees, AREA_TOLERANCE_M),
        "kind": [code[kind] for kind in _column(areas, "kind")],
        "operator": [interned(name) for name in _column(areas, "operator")],
        "id": [interned(name) for name in _names(areas)],
        "status": [interned(name) for name in _column(areas, "status")],
        "day": [interned(day.isoformat() if day else "") for day in days],
        "m2": [round(m2) for m2 in _column(areas, "area_m2")],
    }


def _names(frame: Frame) -> list[str]:
    """Return the own id of each record, else what stands for it."""
    other = "record_id" if "record_id" in frame.table.column_names else "reason"
    own, instead = _column(frame, "source_id"), _column(frame, other)
    return [name or replacement for name, replacement in zip(own, instead, strict=True)]


def _column(frame: Frame, name: str) -> list[Any]:
    """Return a column; one of a layer that the result was made without is empty."""
    return frame.table[name].to_pylist() if len(frame) else []


def _borders(areas: Frame, to_degrees: pyproj.Transformer) -> dict[str, Any]:
    """Return borders of districts and provinces, where data lie in the country that they are known of."""
    places = load_places()
    if not len(areas):
        return {"districts": [], "provinces": [], "attribution": ""}
    west, south, east, north = to_degrees.transform_bounds(*shapely.total_bounds(areas.geometry))
    seen = shapely.box(west, south, east, north)
    if not shapely.intersects(shapely.box(*places.bounds), seen):
        return {"districts": [], "provinces": [], "attribution": ""}
    districts = shapely.coverage_simplify(places.districts, _BORDER_TOLERANCE_DEG)
    provinces = [
        shapely.union_all(districts[places.district_province == row]) for row in range(len(places.provinces))
    ]
    return {
        "districts": encoded(_coarse(districts)),
        "provinces": encoded(_coarse(_array(provinces))),
        "attribution": places.attribution,
    }


def _coarse(geometry: Geometries) -> Geometries:
    return np.asarray(shapely.transform(geometry, lambda xy: np.round(xy, _BORDER_DECIMALS)), dtype=object)


def _array(shapes: Sequence[shapely.Geometry]) -> Geometries:
    made = np.empty(len(shapes), dtype=object)
    made[:] = list(shapes)
    return made
