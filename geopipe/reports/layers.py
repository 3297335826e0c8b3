"""The layers that are published, built from what the stages made."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from geopipe.crs import WGS84, choose_operation, parse_crs, transform
from geopipe.geometry import LINES, POINTS, polygon_parts
from geopipe.io.geopackage import Layer
from geopipe.picked import Picked
from geopipe.reports.rowkeys import RowKeys
from geopipe.schema import ORIGIN, Frame, Geometries, Mask, State
from geopipe.terms import HAZARD_KINDS

# What a record shows to everybody. Other delivered columns may name people: they stay in the
# workspace.
_AREA_COLUMNS = [
    "record_id", "source_id", "operator", "register", "kind", "status", "date_surveyed", "date_completed",
    "date_of_information", "land_use", "clearance_depth_cm", "province_stated", "district_stated",
    "village_stated", "province_code", "province_located", "district_located", "area_stated_m2", "area_m2",
    "edge_uncertainty_m2", "role", "correction", "file", "layer", "row", "row_id", "version_id",
    "geometry_hash", "source_crs",
]  # fmt: skip
_REFERENCE_COLUMNS = [
    "record_id", "source_id", "operator", "kind", "point_type", "date_found", "status", "province_stated",
    "district_stated", "village_stated", "province_code", "province_located", "district_located",
    "found_depth_cm", "file", "layer", "row", "row_id", "source_crs",
]  # fmt: skip
_UNRESOLVED_COLUMNS = [
    *(name for name, _ in ORIGIN), "record_id", "reason", "sentence", "position", "vanished",
]  # fmt: skip


def working_crs_wkt(text: str) -> str:
    """Return the WKT of a working CRS, with a name that tells people what it is."""
    crs = parse_crs(text)
    if crs.name == "unknown":
        named = crs.to_json_dict()
        named["name"] = "geopipe working CRS (equal-area, WGS 84, metres)"
        crs = pyproj.CRS.from_json_dict(named)
    return str(crs.to_wkt())


def published_layers(state: State, names: Iterable[str], cases: Frame | None = None) -> list[Layer]:
    """Return the layers asked for, in the order in which a map should list them.

    All geometries are in the working CRS. Overlaps that are the expected course of things within
    one operator (hazard, then its release) stand in `handover` only. Without a register there are no
    cases.
    """
    builders: dict[str, Callable[[State], Layer]] = {
        "areas": _areas,
        "overlaps": _overlaps,
        "gaps": lambda s: Layer("gaps", s.gaps.table, s.gaps.shapes, "MultiPolygon"),
        "remaining": lambda s: Layer("remaining", s.remaining.table, s.remaining.shapes, "MultiPolygon"),
        "handover": _handover,
        "duplicates": lambda s: Layer("duplicates", s.duplicates.table, s.duplicates.shapes, "MultiPolygon"),
        "findings": _findings,
        "rejected": lambda s: Layer("rejected", s.rejected.table),
        "hazard_unresolved": _unresolved,
        "points": lambda s: _reference(s, "points", POINTS, "MultiPoint"),
        "lines": lambda s: _reference(s, "lines", LINES, "MultiLineString"),
        "changes": lambda s: Layer("changes", s.changes.table, s.changes.shapes, "MultiPolygon"),
        "copies": lambda s: Layer("copies", s.copies.table, s.copies.shapes, "MultiPolygon"),
    }
    if cases is not None:
        builders["cases"] = lambda _s: Layer("cases", cases.table, cases.shapes, "MultiPolygon")
    return [builders[name](state) for name in names if name in builders]


def _areas(state: State) -> Layer:
    table = state.features.table.select(_AREA_COLUMNS)
    return Layer("areas", _short_crs(table), state.features.shapes, "MultiPolygon")


def _short_crs(table: Picked) -> Picked:
    """Write CRSs by name: a WKT in every row helps nobody."""
    encoded = table["source_crs"].combine_chunks()
    names = [parse_crs(text).name if text else "" for text in encoded.dictionary.to_pylist()]
    short = pa.DictionaryArray.from_arrays(encoded.indices, pa.array(names, pa.string()))
    return table.replacing({"source_crs": pa.chunked_array([short])})


def shown_overlaps(state: State) -> Frame:
    """Return all overlaps but the expected releases within one operator: these are in `handover`."""
    expected = state.overlaps.flags("finding", ["expected_release"])
    same_operator = np.asarray(state.overlaps.table["same_operator"].to_numpy(), dtype=bool)
    return state.overlaps.take(~(expected & same_operator))


def _overlaps(state: State) -> Layer:
    shown = shown_overlaps(state)
    return Layer("overlaps", shown.table, shown.shapes, "MultiPolygon")


def _handover(state: State) -> Layer:
    """One line per hazard and release: how much of the hazard it released. No geometry, no case.

    Beside it stands what all releases of that hazard together have left (layer `remaining`).
    """
    pairs = state.overlaps.take(state.overlaps.flags("finding", ["expected_release", "status_not_updated"]))
    hazard_left = pairs.flags("left_kind", sorted(HAZARD_KINDS))
    columns = {}
    for side, on_left in (("hazard", hazard_left), ("release", ~hazard_left)):
        for name in ("id", "operator", "kind", "date"):
            left, right = pairs.table[f"left_{name}"], pairs.table[f"right_{name}"]
            columns[f"{side}_{name}"] = pc.if_else(pa.array(on_left), left, right)
    share = pc.if_else(pa.array(hazard_left), pairs.table["left_share"], pairs.table["right_share"])
    columns |= {
        "finding": pairs.table["finding"],
        "shared_m2": pairs.table["area_m2"],
        "hazard_released_share": share,
        **_left_of_hazard(state, pairs, hazard_left),
    }
    return Layer("handover", Picked(pa.table(columns)))


def _left_of_hazard(state: State, pairs: Frame, hazard_left: Mask) -> dict[str, pa.ChunkedArray]:
    """Return status and remaining area of the hazard of each pair, all its releases together."""
    hazard = pc.if_else(pa.array(hazard_left), pairs.table["left_row_id"], pairs.table["right_row_id"])
    rows = pc.index_in(hazard, state.remaining.table["hazard_row_id"].combine_chunks())
    left = state.remaining.table.whole().take(rows)
    return {
        "hazard_status": left["status"],
        "released_share_together": left["released_share"],
        "hazard_remaining_m2": left["remaining_m2"],
    }


def _findings(state: State) -> Layer:
    """Findings with their ground; those told before coordinates were known get their record's polygon."""
    geometry = state.findings.geometry.copy()
    # Places of faults are points and lines; on the map their record's polygon shows where to look.
    rows = np.flatnonzero(shapely.is_missing(geometry) | (shapely.get_dimensions(geometry) < 2))
    keys = RowKeys(state)
    record = keys.find(keys.of(state.findings)[rows], state.features)
    geometry[rows[record >= 0]] = state.features.take(record[record >= 0]).geometry
    present = ~shapely.is_missing(geometry)
    geometry[present] = polygon_parts(geometry[present])
    return Layer("findings", state.findings.table, geometry, "MultiPolygon")


def _unresolved(state: State) -> Layer:
    geometry: Geometries = state.unresolved.geometry
    if len(geometry):
        transformer, _ = choose_operation(WGS84, state.working_crs)
        geometry = transform(geometry, transformer)
    return Layer("hazard_unresolved", state.unresolved.table.select(_UNRESOLVED_COLUMNS), geometry, "Unknown")


def _reference(state: State, name: str, types: Iterable[int], declared: str) -> Layer:
    records = state.reference.take(np.isin(shapely.get_type_id(state.reference.geometry), list(types)))
    return Layer(name, _short_crs(records.table.select(_REFERENCE_COLUMNS)), records.geometry, declared)
