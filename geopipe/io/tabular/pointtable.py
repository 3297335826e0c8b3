"""Read lists of turning points (IMSMA point template): one PolyID is one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geopipe.io.delivery import Problem, RawLayer
from geopipe.io.tabular.grid import Grid, Records, counted_notes, layers_of, taken, wkb_of_points
from geopipe.io.tabular.groupcolumns import columns_of_groups
from geopipe.io.tabular.legs import (
    Traverse,
    is_return,
    labels_of,
    repeats_first,
    traverse_of,
    walk_ring,
    walk_singles,
)
from geopipe.io.tabular.places import Places, cells_of, places_of_pair
from geopipe.io.tabular.pointgroups import Groups, groups_of
from geopipe.io.tabular.pointorder import Order, order_points, point_numbers
from geopipe.io.tabular.ringwkb import wkb_of_rings
from geopipe.io.tabular.rowcrs import row_codes
from geopipe.io.tabular.statedcrs import LONLAT, implausible_crs
from geopipe.terms import CountMethod

NUMBERS_NOTE = "point_numbers_note"
CLOSURE_ERROR = "closure_error_m"
# What stands in these columns belongs to single points: a record has the list.
OF_POINTS = ("number", "id", "type", "distance", "bearing", "from", "description")


@dataclass(frozen=True)
class _Table:
    """A list of points, its records, and where each point is."""

    grid: Grid
    groups: Groups
    points: Traverse
    numbers: pa.Array
    coordinate_columns: tuple[int, ...]

    def shown(self, row: int) -> str:
        """Return how a sentence calls the point of a row."""
        number = self.numbers[row].as_py()
        return f"PointNo {number}" if number is not None else f"the point in row {self.grid.rows[row]}"


def point_layers(
    grid: Grid, places: Places | None, coordinate_columns: tuple[int, ...] = ()
) -> list[RawLayer]:
    """Return the polygons of a list of turning points, and its single points as a layer beside them.

    Parameters
    ----------
    grid : Grid
        A table whose header `has_points`.
    places : Places or None
        What its coordinate columns say; None where there are only distances and bearings.
    coordinate_columns : tuple of int
        Where these columns stand.
    """
    if places is None:
        nothing = pa.nulls(len(grid), pa.large_string())
        places = places_of_pair(nothing, nothing)
    whole = grid
    grid, places, notes = _without_blank(grid, places)
    groups = groups_of(grid)
    whole.require_whole(groups.polygons + groups.singles)
    stated = grid.stated_crs()
    codes, more = row_codes(places, stated.codes, grid.label)
    notes += [*grid.notes, *groups.notes, *stated.notes, *more]
    notes += counted_notes(places.notes, grid.label, "COORDINATES_ASSUMED")
    points = traverse_of(grid, places, codes)
    numbers = cells_of(grid.columns[grid.header.point_columns()["number"]])
    table = _Table(grid, groups, points, numbers, coordinate_columns)
    notes += _numbered_singles(table)
    singles = np.flatnonzero(groups.of_row < 0)
    rings = np.flatnonzero(groups.of_row >= 0)
    walk_singles(points, singles.tolist())
    polygons = _polygons(table, rings, notes) if len(rings) else None
    layers: list[RawLayer] = []
    if polygons is not None:
        layers += layers_of(polygons, grid, grid.name, groups.polygons, CountMethod.WEAK)
        notes = []
    if len(singles) or polygons is None:
        name = f"{grid.name} (single points)" if layers else grid.name
        layers += layers_of(_singles(table, singles, notes), grid, name, groups.singles, CountMethod.WEAK)
    return layers


def _without_blank(grid: Grid, places: Places) -> tuple[Grid, Places, list[Problem]]:
    """Leave out the rows in which no cell is filled."""
    blank = np.ones(len(grid), dtype=bool)
    for column in grid.columns:
        blank &= cells_of(column).is_null().to_numpy(zero_copy_only=False)
        if not blank.any():
            return grid, places, []
    sentence = f"{grid.label}: {blank.sum():,} rows without any text are left out."
    kept = np.flatnonzero(~blank)
    grid = replace(grid, columns=taken(grid.columns, kept), rows=grid.rows[kept])
    return grid, places.taken(kept), [Problem("ROWS_EMPTY", sentence)]


def _numbered_singles(table: _Table) -> list[Problem]:
    """Tell of rows without polygon id that are numbered like turning points: the id may be missing there."""
    columns = table.grid.header.point_columns()
    poly = cells_of(table.grid.columns[columns["poly_id"]]).is_null().to_numpy(zero_copy_only=False)
    numbers = point_numbers(table.numbers)
    lost = int((poly & (numbers > 1)).sum())
    if not lost:
        return []
    sentence = f"{table.grid.label}: {lost:,} rows have a point number above 1 but no polygon id"
    remedy = "They are read as single points. If they belong to a polygon, write its id in every row."
    return [Problem("POINTS_WITHOUT_POLYGON", f"{sentence}. {remedy}")]


def _singles(table: _Table, which: NDArray[np.intp], notes: list[Problem]) -> Records:
    """Return the single points: rows without polygon id, landmarks, benchmarks, evidence points."""
    points, grid = table.points, table.grid
    part = replace(grid, columns=taken(grid.columns, which), rows=grid.rows[which])
    x, y = points.x[which], points.y[which]
    codes = points.codes[which]
    trouble = points.trouble[which]
    return Records(part.named_columns(), wkb_of_points(x, y), part.rows, codes, trouble, {"Point"}, notes)


def _polygons(table: _Table, which: NDArray[np.intp], notes: list[Problem]) -> Records:
    """Return one record per polygon."""
    grid, points = table.grid, table.points
    order = _ordered(table, which)
    closure_m = _walked(table, order)
    notes += [*order.notes(grid.label), *points.notes(grid.label)]
    codes = _one_system(table, order)
    is_vertex = _vertices(points, order)
    trouble = _troubles(table, order, is_vertex)
    rows = order.rows[is_vertex]
    left_out = np.r_[0, np.cumsum(~is_vertex)]
    starts, part_starts = (
        order.starts - left_out[order.starts],
        order.part_starts - left_out[order.part_starts],
    )
    wkb = wkb_of_rings(points.x[rows], points.y[rows], starts, part_starts)
    columns = grid.header.point_columns()
    lists = {columns[role] for role in OF_POINTS if role in columns} | set(table.coordinate_columns)
    made = columns_of_groups(grid, order.rows, order.starts, lists)
    if any(order.number_notes):
        made = made.append_column(NUMBERS_NOTE, pa.array(order.number_notes, pa.large_string()))
    if points.errors:
        made = made.append_column(CLOSURE_ERROR, pa.array(closure_m, pa.float64(), from_pandas=True))
    for code in sorted(set(codes) - {""}):
        own = rows[np.repeat(codes == code, np.diff(starts))]
        notes += implausible_crs(code, points.x[own], points.y[own], grid.label)
    kind = "MultiPolygon" if order.has_parts else "Polygon"
    first = np.minimum.reduceat(order.rows, order.starts[:-1])
    return Records(made, wkb, grid.rows[first], codes, trouble, {kind}, notes)


def _ordered(table: _Table, which: NDArray[np.intp]) -> Order:
    """Return the points of all polygons in the order of their rings."""
    numbers = point_numbers(table.numbers)[which]
    group = table.groups.of_row[which]
    values, first = np.unique(group, return_index=True)
    start = which[first[np.searchsorted(values, group)]]
    return order_points(which, group, numbers, repeats_first(table.points, start, which))


def _walked(table: _Table, order: Order) -> NDArray[np.float64]:
    """Place the points that are given by legs; return the closure error of each record (m)."""
    closure_m = np.full(len(order.starts) - 1, np.nan)
    points = table.points
    beside: dict[str, int | None] = {}
    if points.has_legs:
        singles = np.flatnonzero(table.groups.of_row < 0)
        beside = labels_of(replace(points, number=[None] * len(points.x)), singles.tolist())
    for part in np.flatnonzero(_any(points.has_leg[order.rows], order.part_starts)):
        begin, end = order.part_starts[part], order.part_starts[part + 1]
        error_m = walk_ring(points, order.rows[begin:end].tolist(), beside)
        record = np.searchsorted(order.starts, begin, side="right") - 1
        closure_m[record] = np.fmax(closure_m[record], error_m)
    return closure_m


def _any(flags: NDArray[np.bool_], starts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which stretches have a flag set."""
    return np.asarray(np.logical_or.reduceat(flags, starts[:-1]), dtype=bool)


def _one_system(table: _Table, order: Order) -> NDArray[np.object_]:
    """Return the coordinate system of each record; points in another one lose their place and are told.

    Decimal degrees beside degrees with letters, without any stated system, are in the same one.
    """
    points, rows = table.points, order.rows
    words, codes = np.unique(points.codes[rows].astype(str), return_inverse=True)
    placed = np.isfinite(points.x[rows]) & np.isfinite(points.y[rows])
    low = np.minimum.reduceat(np.where(placed, codes, len(words)), order.starts[:-1])
    high = np.maximum.reduceat(np.where(placed, codes, -1), order.starts[:-1])
    first = codes[order.starts[:-1]]
    result = words[np.where(high >= 0, np.minimum(low, len(words) - 1), first)].astype(object)
    for record in np.flatnonzero((low < high) & (high >= 0)):
        own = rows[order.starts[record] : order.starts[record + 1]]
        own = own[np.isfinite(points.x[own]) & np.isfinite(points.y[own])]
        bare = points.codes[own] == ""
        degrees = (np.abs(points.x[own]) <= 180) & (np.abs(points.y[own]) <= 90)
        others = set(points.codes[own][~bare])
        if others == {LONLAT} and degrees[bare].all():
            result[record] = LONLAT
            continue
        result[record] = points.codes[own[0]]
        for row in own[points.codes[own] != result[record]]:
            points.x[row] = points.y[row] = np.nan
            there = points.codes[row] or "a system that is not stated"
            points.trouble[row] = (
                f"it is in {there}, the first point in {result[record] or 'none that is stated'}"
            )
    return result


def _troubles(table: _Table, order: Order, is_vertex: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return per record which of its points has no place, and why."""
    points = table.points
    lost = is_vertex & ~(np.isfinite(points.x) & np.isfinite(points.y))[order.rows]
    trouble = np.full(len(order.starts) - 1, None, dtype=object)
    for record in np.flatnonzero(_any(lost, order.starts)):
        begin, end = order.starts[record], order.starts[record + 1]
        trouble[record] = _told(table, order.rows[begin:end][lost[begin:end]].tolist())
    return trouble


def _told(table: _Table, rows: Sequence[int]) -> str:
    """Say which points of a record have no place."""
    why = table.points.trouble[rows[0]] or "it has no coordinates"
    more = f", and {len(rows) - 1:,} more points" if len(rows) > 1 else ""
    return f"{table.shown(rows[0])}: {why}{more}"


def _vertices(points: Traverse, order: Order) -> NDArray[np.bool_]:
    """Return which points make the ring: a leg back to the start does not, the ring closes there itself."""
    keep = np.ones(len(order.rows), dtype=bool)
    for part in np.flatnonzero(_any(points.is_leg[order.rows], order.part_starts)):
        begin, end = order.part_starts[part], order.part_starts[part + 1]
        keep[end - 1] = not is_return(points, order.rows[begin:end].tolist())
    return keep
