"""Ask a finished result what is registered at a place, through the index on disk."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import OutputError
from geopipe.index import boxes_meeting, build_index, is_current
from geopipe.io.geopackage import read_layer
from geopipe.io.store import load_state
from geopipe.reports.publish import INDEX, current_run, read_summary
from geopipe.schema import UNRESOLVED, Frame, Indices, empty_frame
from geopipe.unfinished import unfinished_folder

# A degree box is cut into this many steps per side before it is projected: its sides are curves there.
_STEPS = 16
# So near to what could only be drawn, a place is not told to be free of it.
NEAR_DRAWN_M = 100.0
_DRAWN = (
    "record_id", "source_id", "operator", "kind", "reason", "position", "vanished", "file", "layer", "row",
)  # fmt: skip


def find_areas(
    folder: Path, box: tuple[float, float, float, float] | None = None, record: str | None = None
) -> list[dict[str, Any]]:
    """Return the areas that meet a lon/lat box (or point), or that carry an id.

    Parameters
    ----------
    folder : Path
        A published folder, or one whose CURRENT names one.
    box : tuple, optional
        West, south, east, north in WGS 84 degrees; a point has west = east and south = north.
    record : str, optional
        A record id, or an operator's own id.

    Returns
    -------
    list of dict
        The columns of the layer `areas`, in the order of the layer.
    """
    areas, crs, index = _registered(folder)
    if record is not None:
        rows = areas.flags("record_id", [record]) | areas.flags("source_id", [record])
        return _plain(areas.take(rows))
    if box is None:
        return []
    transformer, _ = choose_operation(WGS84, crs)
    place = transform(np.array([_place(*box)], dtype=object), transformer)[0]
    near = _near(index, areas, place)
    return _plain(areas.take(near[shapely.intersects(areas.geometry[near], place)]))


def find_drawn(
    folder: Path, box: tuple[float, float, float, float] | None = None, record: str | None = None
) -> list[dict[str, Any]]:
    """Return the records that may be hazard, are only drawn, and lie near a lon/lat box, or carry an id.

    What is drawn of them may be a point or a line: within its hull, and 100 m around it, they are told.

    Parameters
    ----------
    folder, box, record
        As for `find_areas`.

    Returns
    -------
    list of dict
        Columns of the layer `hazard_unresolved`; a row for each place. None in a result without that layer.
    """
    rows, crs = _drawn(folder)
    if record is not None:
        chosen = rows.flags("source_id", [record])
        if "record_id" in rows.table.column_names:
            chosen |= rows.flags("record_id", [record])
    elif box is None:
        return []
    else:
        transformer, _ = choose_operation(WGS84, crs)
        place = transform(np.array([_place(*box)], dtype=object), transformer)[0]
        chosen = shapely.dwithin(shapely.convex_hull(rows.geometry), place, NEAR_DRAWN_M)
    known = [name for name in _DRAWN if name in rows.table.column_names]
    told: list[dict[str, Any]] = rows.take(chosen).table.select(known).to_pylist()
    return [dict.fromkeys(_DRAWN) | row for row in told]


def _drawn(folder: Path) -> tuple[Frame, str]:
    """Return what a workspace or a published run only draws, in its working CRS (m)."""
    if (folder / "history").is_dir():
        state = load_state(folder, "history")
        transformer, _ = choose_operation(WGS84, state.working_crs)
        return state.unresolved.with_geometry(
            transform(state.unresolved.geometry, transformer)
        ), state.working_crs
    run = current_run(folder)
    try:
        return read_layer(run / next(iter(read_summary(run)["files"])), "hazard_unresolved")
    except OutputError:
        return empty_frame(UNRESOLVED), WGS84


def _registered(folder: Path) -> tuple[Frame, str, Path]:
    """Return the areas of a workspace or of a published run, their CRS, and where their index is."""
    if (folder / "history").is_dir():
        state = load_state(folder, "history")
        shown = state.features.table.drop_columns(["attributes", "source_geometry", "source_crs"])
        return Frame(shown, state.features.geometry), state.working_crs, folder / "index"
    run = current_run(folder)
    geopackage = next(iter(read_summary(run)["files"]))  # the map comes first
    areas, crs = read_layer(run / geopackage, "areas")
    return areas, crs, run / INDEX


def _near(index: Path, areas: Frame, place: shapely.Geometry) -> Indices:
    """Ask a current index of the areas; build it where there is none, an old one, or no right to write."""
    ids, boxes = areas.numpy("row_id"), shapely.bounds(areas.geometry)
    if is_current(index, boxes, ids):
        with contextlib.suppress(OSError):
            return boxes_meeting(index, tuple(shapely.bounds(place)))
    try:
        build_index(index, boxes, ids)
        return boxes_meeting(index, tuple(shapely.bounds(place)))
    except (OSError, OutputError):
        with unfinished_folder() as other:
            build_index(other / "index", boxes, ids)
            return boxes_meeting(other / "index", tuple(shapely.bounds(place)))


def _place(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    if west == east and south == north:
        return shapely.Point(west, south)
    box = shapely.box(west, south, east, north)
    return shapely.segmentize(box, max(east - west, north - south) / _STEPS)


def _plain(areas: Frame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = areas.table.to_pylist()
    return rows
