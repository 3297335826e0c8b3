"""Points that are given by distance and bearing from another point.

Bearings are read clockwise from grid north in a projected system, and from true north in degrees of
latitude and longitude (*unverified*: whether an operator means magnetic north is not said in the
template; `correction_deg` is what has to be added to a bearing). Legs are never adjusted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.io.delivery import Problem
from geopipe.io.tabular.coordinates import angle_of, number_of
from geopipe.io.tabular.grid import Grid
from geopipe.io.tabular.places import Places, cells_of
from geopipe.io.tabular.rowcrs import is_geographic


@dataclass
class Traverse:
    """The points of a table with what their legs need; places are filled in as legs are walked.

    Parameters
    ----------
    x, y, codes, trouble : arrays, shape (n,)
        Place, coordinate system and trouble of each row, changed in place.
    distance, bearing, origin, name, number : lists of str or None
        The cells of each row.
    has_leg, is_leg : bool arrays
        Distance and bearing are there; and no coordinate beside them.
    correction_deg : float
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    codes: NDArray[np.object_]
    trouble: NDArray[np.object_]
    distance: list[str | None]
    bearing: list[str | None]
    origin: list[str | None]
    name: list[str | None]
    number: list[str | None]
    has_leg: NDArray[np.bool_]
    is_leg: NDArray[np.bool_]
    correction_deg: float = 0.0
    errors: list[tuple[float, float]] = field(default_factory=list)

    @property
    def has_legs(self) -> bool:
        """Tell whether any point has a distance and bearing."""
        return bool(self.has_leg.any())

    def notes(self, label: str) -> list[Problem]:
        """Return what is worth telling about the legs of the table."""
        if not self.is_leg.any():
            return []
        sentence = f"{label}: {self.is_leg.sum():,} points are given by distance (m) and bearing"
        how = "Bearings are read as degrees from grid north, clockwise, without magnetic declination"
        notes = [Problem("POINTS_BY_BEARING", f"{sentence}. {how}. Please confirm.")]
        if self.errors:
            error_m, length_m = max(self.errors)
            share = f", {error_m / length_m:.1%} of the length" if length_m else ""
            sentence = f"{label}: {len(self.errors):,} traverses end with a leg back to their start"
            notes.append(
                Problem(
                    "CLOSURE_STATED", f"{sentence}; the largest closure error is {error_m:,.2f} m{share}."
                )
            )
        return notes


def traverse_of(grid: Grid, places: Places, codes: NDArray[np.object_]) -> Traverse:
    """Return the rows of a table as points of traverses."""
    columns = grid.header.point_columns()

    def cells(role: str) -> pa.Array:
        if role not in columns:
            return pa.nulls(len(grid), pa.large_string())
        return cells_of(grid.columns[columns[role]])

    distance, bearing = cells("distance"), cells("bearing")
    stated = pc.and_(distance.is_valid(), bearing.is_valid()).to_numpy(zero_copy_only=False)

    def texts(column: pa.Array) -> list[str | None]:
        return column.to_pylist() if stated.any() else []  # only legs look at them

    return Traverse(
        x=places.x.copy(),
        y=places.y.copy(),
        codes=codes,
        trouble=places.trouble.copy(),
        distance=texts(distance),
        bearing=texts(bearing),
        origin=texts(cells("from")),
        name=texts(cells("id")),
        number=texts(cells("number")),
        has_leg=stated,
        is_leg=stated & places.is_empty,
    )


def repeats_first(traverse: Traverse, first: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which rows are the first point of their polygon again: by its id, or by its coordinates."""
    same_place = (traverse.x[rows] == traverse.x[first]) & (traverse.y[rows] == traverse.y[first])
    legs = traverse.is_leg[rows]
    same_name = np.zeros(len(rows), dtype=bool)
    for at in np.flatnonzero(legs):
        row, start = rows[at], first[at]
        named = traverse.name[row] is not None and traverse.name[row] == traverse.name[start]
        numbered = traverse.number[row] is not None and traverse.number[row] == traverse.number[start]
        same_name[at] = named or numbered
    return np.asarray((rows != first) & (same_place | same_name), dtype=bool)


def walk_singles(traverse: Traverse, rows: Sequence[int]) -> None:
    """Place single points that are given by a leg from another single point, in whatever order they stand."""
    waiting = [row for row in rows if traverse.is_leg[row]]
    known = labels_of(traverse, rows) if waiting else {}
    while waiting:
        ready = [row for row in waiting if _base(traverse, row, known, None) is not None]
        for row in ready or waiting:
            _step(traverse, row, known, None)
        waiting = [row for row in waiting if row not in ready] if ready else []


def walk_ring(traverse: Traverse, rows: Sequence[int], beside: dict[str, int | None]) -> float:
    """Place the points of one ring that are given by legs; return the closure error (m), NaN if none.

    A leg back to the start is the last point with the first one's id or number, or a distance and
    bearing beside the coordinates of the first point, from a point of the ring.

    Parameters
    ----------
    traverse : Traverse
    rows : sequence of int
        The points in order; the last one may be the first again.
    beside : dict of str to int or None
        Rows of points off the ring by id, None where several have that id.
    """
    returns = is_return(traverse, rows)
    known = {**beside, **labels_of(traverse, rows[:-1] if returns else rows)}
    length_m = 0.0
    previous = None
    for row in rows:
        if traverse.is_leg[row]:
            length_m += _step(traverse, row, known, previous)
        previous = row
    start = rows[0]
    if returns:
        end = float(traverse.x[rows[-1]]), float(traverse.y[rows[-1]])
    else:
        base = known.get(traverse.origin[start] or "")
        if base is None or base not in rows or traverse.distance[start] is None or traverse.is_leg[start]:
            return math.nan
        try:
            end, leg_m = _end_of_leg(traverse, start, base)
        except ValueError:
            return math.nan
        length_m += leg_m
    error_m = _apart((float(traverse.x[start]), float(traverse.y[start])), end, traverse.codes[start])
    if math.isfinite(error_m):
        traverse.errors.append((error_m, length_m))
    return error_m


def is_return(traverse: Traverse, rows: Sequence[int]) -> bool:
    """Tell whether the last point of a ring is a leg back to the first."""
    first, last = rows[0], rows[-1]
    names = (traverse.name, traverse.number)
    same = any(labels[last] is not None and labels[last] == labels[first] for labels in names)
    return len(rows) > 2 and bool(traverse.is_leg[last]) and same


def labels_of(traverse: Traverse, rows: Sequence[int]) -> dict[str, int | None]:
    """Return rows by PointID, else by PointNo; None where several have the same."""
    found: dict[str, int | None] = {}
    for labels in (traverse.number, traverse.name):  # ids count more
        own: dict[str, int | None] = {}
        for row in rows:
            label = labels[row]
            if label is not None:
                own[label] = None if label in own else row
        found.update(own)
    return found


def _base(traverse: Traverse, row: int, known: dict[str, int | None], previous: int | None) -> int | None:
    """Return the placed row from which a leg starts: FrPointID, else the previous point; None if none."""
    origin = traverse.origin[row]
    base = previous if origin is None else known.get(origin)
    if base is None or base == row or not math.isfinite(traverse.x[base] + traverse.y[base]):
        return None
    return base


def _step(traverse: Traverse, row: int, known: dict[str, int | None], previous: int | None) -> float:
    """Place one point by its leg, or say why it cannot be; return the length of the leg (m)."""
    base = _base(traverse, row, known, previous)
    if base is None:
        origin = traverse.origin[row]
        missing = (
            "no point to start from" if origin is None else f'"{origin}" is not one known point with a place'
        )
        traverse.trouble[row] = f"its distance and bearing could not be used: {missing}"
        return 0.0
    try:
        (traverse.x[row], traverse.y[row]), distance_m = _end_of_leg(traverse, row, base)
    except ValueError as error:
        traverse.trouble[row] = f"its distance and bearing could not be used: {error}"
        return 0.0
    traverse.codes[row] = traverse.codes[base]
    return distance_m


def _end_of_leg(traverse: Traverse, row: int, base: int) -> tuple[tuple[float, float], float]:
    """Return where the leg of a row ends that starts at another row, and its length (m)."""
    distance_m = _distance_m(traverse.distance[row] or "")
    bearing_deg = _bearing_deg(traverse.bearing[row] or "") + traverse.correction_deg
    x, y = float(traverse.x[base]), float(traverse.y[base])
    if _is_degrees(traverse.codes[base], x, y):
        east, north, _ = _geod().fwd(x, y, bearing_deg, distance_m)
        return (float(east), float(north)), distance_m
    turn = math.radians(bearing_deg)
    return (x + distance_m * math.sin(turn), y + distance_m * math.cos(turn)), distance_m


def _distance_m(text: str) -> float:
    """Return metres; raise ValueError for what is none."""
    distance = number_of(text.strip().removesuffix("m"))
    if distance < 0:
        raise ValueError(f'"{text}" is not a distance')
    return distance


def _bearing_deg(text: str) -> float:
    """Return degrees from 0 to 360; raise ValueError for what is none."""
    try:
        bearing = number_of(text)
    except ValueError:
        bearing = angle_of(text, most_deg=360).degrees
    if not 0 <= bearing <= 360:
        raise ValueError(f'"{text}" is not a bearing from 0 to 360')
    return bearing


def _is_degrees(code: str, x: float, y: float) -> bool:
    """Tell whether coordinates are degrees; where no system is stated, their size says it."""
    return _geographic(code) if code else abs(x) <= 180 and abs(y) <= 90


_geographic = lru_cache(maxsize=64)(is_geographic)


@lru_cache(maxsize=1)
def _geod() -> Any:
    from pyproj import Geod

    return Geod(ellps="WGS84")


def _apart(start: tuple[float, float], end: tuple[float, float], code: str) -> float:
    """Return the distance (m) of two places; NaN where one is not known."""
    if not all(map(math.isfinite, (*start, *end))):
        return math.nan
    if _is_degrees(code, *start):
        return float(_geod().inv(*start, *end)[2])
    return math.dist(start, end)
