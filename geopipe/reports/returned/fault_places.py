"""Where a fault is: the point that a sender looks at, and the outline of the record around it, in WGS 84."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.crs import WGS84, choose_operation, crs_name, transform
from geopipe.errors import SourceError
from geopipe.geometry import POINTS
from geopipe.reports.rowkeys import RowKeys
from geopipe.schema import Frame, Geometries, Indices, Mask, State, concat, make_frame, no_geometry
from geopipe.wkb import decode, read_leniently

OUTLINES = pa.schema(
    [
        *[(name, pa.string()) for name in ("own_id", "file", "layer")],
        ("row", pa.int64()),
        *[(name, pa.string()) for name in ("kind", "outcome", "codes", "shown_in")],
    ]
)
_AS_DELIVERED = "WGS 84, coordinates as delivered"
_SAME_AXES = ("EPSG:4326", "OGC:CRS84")
# GEOS writes the place of the fault behind its reason: `Self-intersection[105.1 17.5]`.
_PLACE = re.compile(r"\[(\S+) ([^\s\]]+)")
_AT_A_CROSSING = ("INVALID_POLYGON", "REPAIRED_AREA_CHANGED", "REPAIR_AMBIGUOUS")


@dataclass(frozen=True)
class Points:
    """Points in WGS 84 lon/lat, None and NaN where no place is known."""

    geometry: Geometries

    @cached_property
    def longitude(self) -> NDArray[np.float64]:
        """Degrees east."""
        return np.asarray(shapely.get_x(self.geometry))

    @cached_property
    def latitude(self) -> NDArray[np.float64]:
        """Degrees north."""
        return np.asarray(shapely.get_y(self.geometry))


def fault_points(state: State, items: Frame, own_ground: Mask, keys: RowKeys) -> Points:
    """Return the point to look at for each line.

    Where polygons cross themselves it is the crossing; else a point on the finding's own ground, else
    one on the record. A record that could be drawn in several places has none.

    Parameters
    ----------
    state : State
    items : Frame
        FINDINGS rows, geometry in the working CRS.
    own_ground : mask
        Where that geometry may be shown: it does not belong to a partner.
    keys : RowKeys
        Of this state.
    """
    key = keys.of(items)
    points = no_geometry(len(items))
    crossing = np.flatnonzero(items.flags("code", _AT_A_CROSSING))
    points[crossing] = _crossings(state.features, keys.find(key[crossing], state.features))
    ground = no_geometry(len(items))
    ground[own_ground] = items.geometry[own_ground]
    _fill(points, ground, state.working_crs)
    for frame in (state.features, state.reference, state.duplicates):
        _fill(points, _found(frame, keys.find(key, frame)), state.working_crs)
    certain = state.unresolved.take(state.unresolved.flags("position", ["as stated"]))
    _fill(points, _found(certain, keys.find(key, certain)), WGS84)
    return Points(points)


def _found(frame: Frame, at: Indices) -> Geometries:
    """Return the geometry of each row that was found, None elsewhere."""
    result = no_geometry(len(at))
    result[at >= 0] = frame.take(at[at >= 0]).geometry
    return result


def _fill(points: Geometries, ground: Geometries, crs: str) -> None:
    """Put a point on each ground (in `crs`) where none is known yet."""
    open_rows = np.flatnonzero(
        shapely.is_missing(points) & ~shapely.is_missing(ground) & ~shapely.is_empty(ground)
    )
    if len(open_rows):
        found = shapely.point_on_surface(ground[open_rows])
        points[open_rows] = found if crs == WGS84 else transform(found, choose_operation(crs, WGS84)[0])


def _crossings(features: Frame, at: Indices) -> Geometries:
    """Return where each delivered polygon crosses or touches itself; None where that cannot be said."""
    result = no_geometry(len(at))
    # Coordinates that a person has corrected are no longer those that were delivered.
    plain = pc.is_null(features.table["correction"]).to_numpy(zero_copy_only=False)
    usable = np.flatnonzero((at >= 0) & plain[at]) if len(features) else np.empty(0, dtype=np.intp)
    shapes = _delivered(features, at[usable])
    for row, reason in zip(usable, shapely.is_valid_reason(shapes), strict=True):
        place = _PLACE.search(reason or "")
        result[row] = shapely.Point(float(place[1]), float(place[2])) if place else None
    return _to_wgs84(result, _crs_of(features, at, usable))


def _delivered(features: Frame, rows: Indices) -> Geometries:
    """Return delivered geometries with x and y only; rings that were not closed are closed."""
    wkb = features.table.select(["source_geometry"]).take(rows)["source_geometry"].to_numpy()
    shapes = decode(np.asarray(wkb, dtype=object))
    for row in np.flatnonzero(shapely.is_missing(shapes)):
        shapes[row] = read_leniently(wkb[row]).geometry if wkb[row] is not None else None
    return np.asarray(shapely.force_2d(shapes), dtype=object)


def _crs_of(features: Frame, at: Indices, usable: Indices) -> NDArray[np.object_]:
    """Return the CRS in which the coordinates of each wanted row are read, '' for the others."""
    result = np.full(len(at), "", dtype=object)
    picked = features.table.select(["crs", "source_crs"]).take(at[usable])
    read_in, stated = (picked[name].to_pylist() for name in ("crs", "source_crs"))
    result[usable] = [one or other for one, other in zip(read_in, stated, strict=True)]
    return result


def _to_wgs84(shapes: Geometries, crs: NDArray[np.object_]) -> Geometries:
    """Return shapes in WGS 84; what is there already stays unchanged; None where PROJ cannot tell exactly."""
    result = shapes.copy()
    for source in sorted(set(crs.tolist()) - {""}):
        rows = np.flatnonzero((crs == source) & ~shapely.is_missing(shapes))
        if crs_name(source) in _SAME_AXES:
            continue
        try:
            result[rows] = transform(shapes[rows], choose_operation(source, WGS84)[0])
        except SourceError:
            result[rows] = None
    return result


def outlines(state: State, key: NDArray[np.int64], keys: RowKeys) -> tuple[Frame, NDArray[np.int64]]:
    """Return the outlines of records as they were delivered, and the number of the record of each.

    Only `shown_in` is filled. Records that were set aside are shown as they were compared; what could
    only be drawn may be there several times, once for each place where it could lie.
    """
    wanted = np.unique(key[key >= 0])
    frames, numbers = [], []
    for source, shown in (
        (state.features, _as_delivered),
        (state.reference, _as_delivered),
        (state.duplicates, _as_compared),
    ):
        at = keys.find(wanted, source)
        made = shown(source.take(at[at >= 0]), state.working_crs)
        visible = ~shapely.is_missing(made.geometry) & ~np.isin(shapely.get_type_id(made.geometry), POINTS)
        frames.append(made.take(visible))
        numbers.append(wanted[at >= 0][visible])
        wanted = wanted[at < 0]
    drawn = keys.of(state.unresolved)
    picked = state.unresolved.take(np.isin(drawn, wanted))
    position = pc.binary_join_element_wise("WGS 84, placed", picked.table["position"], " ")
    frames.append(make_frame(OUTLINES, {"shown_in": position}, picked.geometry))
    numbers.append(drawn[np.isin(drawn, wanted)])
    return concat(frames), np.concatenate(numbers)


def _as_delivered(records: Frame, working_crs: str) -> Frame:
    """Show delivered coordinates; those that a person has corrected as they were compared."""
    everything = np.arange(len(records))
    crs = _crs_of(records, everything, everything)
    shapes = _to_wgs84(_delivered(records, everything), crs)
    shown = np.full(len(records), _AS_DELIVERED, dtype=object)
    for source in set(crs.tolist()):
        if source and crs_name(source) not in _SAME_AXES:
            shown[crs == source] = f"WGS 84, transformed from {crs_name(source)}"
    corrected = np.flatnonzero(pc.is_valid(records.table["correction"]).to_numpy(zero_copy_only=False))
    if len(corrected):
        compared = _as_compared(records.take(corrected), working_crs)
        shapes[corrected] = compared.geometry
        shown[corrected] = "WGS 84, with the confirmed correction of the coordinates"
    return make_frame(OUTLINES, {"shown_in": shown}, shapes)


def _as_compared(records: Frame, working_crs: str) -> Frame:
    """Show records as they were compared."""
    shapes = records.geometry
    if len(records):
        shapes = transform(shapes, choose_operation(working_crs, WGS84)[0])
    return make_frame(OUTLINES, {"shown_in": "WGS 84, transformed from the working coordinates"}, shapes)
