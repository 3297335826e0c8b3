"""Shapes: the same one at several places, and parts of one record that overlap."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.checks.telling import own_ids, sentences, told
from geopipe.crs import parse_crs
from geopipe.geometry import polygon_parts
from geopipe.policies import CheckRules
from geopipe.schema import FINDINGS, Frame, Geometries, Indices, Mask, concat, empty_frame
from geopipe.terms import Kind
from geopipe.wkb import decode

# Shapes are compared to a centimetre, in delivered coordinates: moving a shape moves numbers there only.
_STEP_M, _STEP_DEG = 0.01, 1e-7
# Places nearer than a metre are one place: equal ground is told elsewhere.
_APART_STEPS = 100
# How unequal the radii of a circle, or the sides of a survey cell, may be.
_ROUND_SHARE, _ROUND_M = 0.01, 0.2


def shape_keys(areas: Frame, rules: CheckRules) -> pa.Array:
    """Return a number that is equal for areas whose delivered shapes may be equal, wherever they lie.

    Null for shapes of few turning points or several parts, and for survey boxes and tasks.
    """
    shape = decode(areas.table["source_geometry"].to_numpy())
    fits = shapely.get_type_id(shape) == shapely.GeometryType.POLYGON
    fits |= (shapely.get_type_id(shape) == shapely.GeometryType.MULTIPOLYGON) & (
        shapely.get_num_geometries(shape) == 1
    )
    fits &= shapely.get_num_coordinates(shape) > rules.reused_shape_points
    fits &= ~areas.flags("kind", [Kind.SURVEY_BOX, Kind.TASK])
    bounds, step = shapely.bounds(shape[fits]), _steps(areas)[fits]
    width, height = (
        np.round((bounds[:, high] - bounds[:, low]) / step).astype(np.int64) for low, high in ((0, 2), (1, 3))
    )
    key = np.zeros(len(areas), dtype=np.int64)
    # A sum of products may meet by chance: that costs time, never a finding.
    key[fits] = (width * 1_000_003 + height) * 10_007 + shapely.get_num_coordinates(shape[fits])
    return pa.array(key, mask=~fits)


def reused_shapes(areas: Frame, rules: CheckRules) -> Frame:
    """Tell of shapes that one operator delivers at several places (SHAPE_REUSED; for the authority only).

    Cells of survey grids and circles around points are not meant.

    Parameters
    ----------
    areas : Frame
        With the `shape_key` of each.
    rules : CheckRules
    """
    rows, key = _of_equal_size(areas)
    if len(rows) == 0:
        return empty_frame(FINDINGS)
    alike = areas.take(rows)
    shape, step = decode(alike.table["source_geometry"].to_numpy()), _steps(alike)
    moved = _at_two_places(key, shapely.bounds(shape)[:, :2] / step[:, None])
    rows, step, operator = rows[moved], step[moved], _codes(alike, "operator")[moved]
    corner, form = _forms(shape[moved], step)
    made = [empty_frame(FINDINGS)]
    for group in _groups_of(operator, form):
        apart = _first_of_each_place(group, corner, step)
        if len(apart) > 1 and not _is_common(areas.take(rows[apart[:1]]).geometry[0], rules):
            made.append(_reused(areas, rows[apart]))
    return concat(made)


def _steps(areas: Frame) -> NDArray[np.float64]:
    """Return a centimetre in the unit of each record's coordinates."""
    step = np.full(len(areas), _STEP_M)
    for crs in areas.values("crs"):
        if crs and parse_crs(crs).is_geographic:
            step[areas.flags("crs", [crs])] = _STEP_DEG
    return step


def _codes(areas: Frame, name: str) -> Indices:
    encoded = areas.table[name].combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(), dtype=np.intp)


def _of_equal_size(areas: Frame) -> tuple[Indices, NDArray[np.int64]]:
    """Return the rows that share operator and `shape_key` with another row, and a number for both."""
    column = areas.table["shape_key"].combine_chunks()
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    key = column.drop_null().to_numpy() * 1_009 + _codes(areas, "operator")[rows]
    _, group, count = np.unique(key, return_inverse=True, return_counts=True)
    shared = count[group] > 1
    return rows[shared], key[shared]


def _at_two_places(key: NDArray[np.int64], corner: NDArray[np.float64]) -> Mask:
    """Say which rows share a key with a row whose corner (n, 2), in steps, lies elsewhere."""
    order = np.argsort(key, kind="stable")
    if len(order) == 0:
        return np.zeros(0, dtype=bool)
    start = np.flatnonzero(np.insert(np.diff(key[order]) != 0, 0, True))
    spread = np.maximum.reduceat(corner[order], start) - np.minimum.reduceat(corner[order], start)
    size = np.diff(np.append(start, len(order)))
    apart = np.empty(len(key), dtype=bool)
    apart[order] = np.repeat((spread > _APART_STEPS).any(axis=1), size)
    return apart


def _forms(shape: Geometries, step: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[bytes]]:
    """Return each shape's lower-left corner in steps, and the shape itself without its place."""
    bounds = shapely.bounds(shape)
    points, owner = shapely.get_coordinates(shape, return_index=True)
    moved = np.round((points - bounds[owner, :2]) / step[owner, None])
    local = shapely.set_coordinates(shapely.force_2d(shape), moved)
    ring = np.array([shapely.get_parts(one)[0] for one in shapely.normalize(local)], dtype=object)
    return bounds[:, :2] / step[:, None], list(shapely.to_wkb(ring))


def _groups_of(operator: Indices, form: list[bytes]) -> list[Indices]:
    """Return the positions that share operator and form, if there are several."""
    found: dict[tuple[int, bytes], list[int]] = {}
    for position, key in enumerate(zip(operator.tolist(), form, strict=True)):
        found.setdefault(key, []).append(position)
    return [np.array(group, dtype=np.intp) for group in found.values() if len(group) > 1]


def _first_of_each_place(group: Indices, corner: NDArray[np.float64], step: NDArray[np.float64]) -> Indices:
    """Return the first record of each place; coordinates in different units are not compared."""
    group = group[step[group] == step[group[0]]]
    _, first = np.unique(np.round(corner[group] / _APART_STEPS), axis=0, return_index=True)
    candidates = group[np.sort(first)]
    far = np.abs(corner[candidates] - corner[candidates[0]]).max(axis=1) > _APART_STEPS
    far[0] = True
    return np.asarray(candidates[far], dtype=np.intp)


def _is_common(ground: shapely.Geometry, rules: CheckRules) -> bool:
    """Say whether a shape is a circle, a regular polygon, or made of cells of a survey grid."""
    ring = shapely.get_coordinates(ground)[:-1]
    radius = np.hypot(*(ring - shapely.get_coordinates(shapely.centroid(ground))[0]).T)
    if np.ptp(radius) <= _ROUND_SHARE * radius.max():
        return True
    side = np.roll(ring, -1, axis=0) - ring
    length = np.hypot(*side.T)
    if (length == 0).any():
        return False
    turn = (side * np.roll(side, -1, axis=0)).sum(axis=1) / (length * np.roll(length, -1))
    square = (np.abs(turn) < _ROUND_SHARE) | (np.abs(np.abs(turn) - 1) < _ROUND_SHARE)
    multiple = np.maximum(np.round(length / rules.reused_shape_round_m), 1) * rules.reused_shape_round_m
    near = np.abs(length - multiple) <= np.maximum(_ROUND_M, _ROUND_SHARE * multiple)
    return bool(square.all() and near.all())


def _reused(areas: Frame, rows: Indices) -> Frame:
    """Tell of each later record together with the first one of the same shape."""
    middle = shapely.get_coordinates(shapely.centroid(areas.take(rows).geometry))
    apart_m = np.hypot(*(middle[1:] - middle[0]).T)
    first = own_ids(areas, rows[:1])[0]
    texts = [f"Exactly the shape of record {first}, {away:,.0f} m away from it" for away in apart_m]
    other = areas.table["record_id"][int(rows[0])].as_py()
    return told(
        areas.take(rows[1:]), "SHAPE_REUSED", sentences(texts), other_id=other, measure=apart_m, unit="m"
    )


def overlapping_parts(areas: Frame, drawn: Geometries, mended: Mask, least_m2: float) -> Frame:
    """Tell of records whose parts overlap each other, with the ground (PARTS_OVERLAP).

    Parameters
    ----------
    areas : Frame
    drawn : array of polygons
        The areas as delivered, in working metres.
    mended : array of bool
        Which of them had to be mended: parts that overlap are never valid.
    least_m2 : float
        Less common ground than this is rounding.
    """
    rows, ground = [], []
    for row in np.flatnonzero(mended & (shapely.get_num_geometries(drawn) > 1)):
        common = _common_ground(drawn[row])
        if shapely.area(common) > least_m2:
            rows.append(int(row))
            ground.append(common)
    places = np.empty(len(ground), dtype=object)
    places[:] = ground
    m2 = shapely.area(places)
    texts = [f"Parts of this record overlap each other on {value:,.1f} m2" for value in m2]
    return told(
        areas.take(np.array(rows, dtype=np.intp)),
        "PARTS_OVERLAP",
        sentences(texts),
        geometry=places,
        measure=pa.array(m2),
        unit="m2",
    )


def _common_ground(record: shapely.Geometry) -> shapely.Geometry:
    """Return the ground that lies in two or more parts of a record."""
    parts = polygon_parts(shapely.make_valid(shapely.get_parts(record)))
    left, right = shapely.STRtree(parts).query(parts)
    once = left < right
    return shapely.union_all(polygon_parts(shapely.intersection(parts[left[once]], parts[right[once]])))
