"""Faults of structure: rings and parts that are not what a polygon ought to be."""

from __future__ import annotations

import numpy as np

from geopipe.demo.places import EQUAL_AREA_CRS
from geopipe.demo.rings import Floats

from .fault import Fault, Planting, areas, each, harmless, ring_of
from .ground import area_m2, star, transform_xy
from .sheet import Need, metres


def _null(made: Planting, row: int) -> None:
    made.sheet.records[row].is_null = True


def _empty(made: Planting, row: int) -> None:
    made.sheet.records[row].parts = []


def _two_points(_made: Planting, ring: Floats) -> Floats:
    return ring[:2]


def _on_one_line(made: Planting, ring: Floats) -> Floats:
    step = metres(40.0, made.sheet.crs)
    points: Floats = ring[0] + np.array([[0.0, 0.0], [0.0, step], [0.0, 2 * step]])
    return points


def _bow_tie(_made: Planting, ring: Floats) -> Floats:
    low, high = ring.min(axis=0), ring.max(axis=0)
    return np.array([low, [high[0], low[1]], [low[0], high[1]], high])


def _stays_open(made: Planting, row: int) -> None:
    made.sheet.records[row].stays_open = True


def _empty_ring(made: Planting, row: int) -> None:
    made.sheet.records[row].parts[0].append(np.empty((0, 2)))


def _repeats_start(_made: Planting, ring: Floats) -> Floats:
    clockwise = ring[::-1]  # formats that turn outer rings do not turn this one
    return np.vstack([clockwise, clockwise[:2]])


def _spike(made: Planting, ring: Floats) -> Floats:
    """Put a needle of 300 m, half a metre wide, outwards on the first edge."""
    start, end = ring[0], ring[1]
    along = (end - start) / np.hypot(*(end - start))
    middle, outwards = (start + end) / 2, np.array([along[1], -along[0]])
    foot = metres(0.25, made.sheet.crs) * along
    tip = middle + metres(300.0, made.sheet.crs) * outwards
    return np.vstack([start, middle - foot, tip, middle + foot, ring[1:]])


def _long_edge(made: Planting, row: int) -> None:
    plot = made.ground.take_wide()
    strip = plot.middle + np.array([[-3000.0, -40.0], [3000.0, -40.0], [3000.0, 40.0], [-3000.0, 40.0]])
    rebuild(made, row, strip, plot.province, plot.district)


def rebuild(made: Planting, row: int, ring: Floats, province: str, district: str) -> None:
    """Give a record another ring (equal-area CRS, m), and the place and area that belong to it."""
    record = made.sheet.records[row]
    record.with_ring(transform_xy(ring, EQUAL_AREA_CRS, made.sheet.crs))
    record.values |= {"province": province, "district": district, "area_m2": round(area_m2(ring))}


def _overlapping_parts(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    size = record.ring.max(axis=0) - record.ring.min(axis=0)
    record.parts.append([record.ring + size * (0.35, 0.1)])
    record.values["area_m2"] = None


def _apart(made: Planting, row: int) -> None:
    """Add a second part 450 m beside the first."""
    record = made.sheet.records[row]
    beside = np.array([225.0, 0.0])
    first = star(made.rng, record.plot.middle - beside, 60.0, 160.0)
    second = star(made.rng, record.plot.middle + beside, 60.0, 160.0)
    record.parts = [[transform_xy(ring, EQUAL_AREA_CRS, made.sheet.crs)] for ring in (first, second)]
    record.values["area_m2"] = round(area_m2(first) + area_m2(second))


def _hole(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    outer = star(made.rng, record.plot.middle, 150.0, 220.0)
    inner = record.plot.middle + np.array([[-25.0, -25.0], [-25.0, 25.0], [25.0, 25.0], [25.0, -25.0]])
    record.parts = [[transform_xy(ring, EQUAL_AREA_CRS, made.sheet.crs) for ring in (outer, inner)]]
    record.values["area_m2"] = round(area_m2(outer) - area_m2(inner))


def _repeated_point(_made: Planting, ring: Floats) -> Floats:
    return np.vstack([ring[:2], ring[1:]])


def _with_heights(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    record.moved(lambda ring: np.column_stack([ring, made.rng.uniform(200, 1200, len(ring)).round(1)]))


def _with_measures(made: Planting, row: int) -> None:
    _with_heights(made, row)
    made.sheet.records[row].moved(lambda ring: np.column_stack([ring, np.arange(len(ring), dtype=float)]))


def _heights(made: Planting) -> list[int]:
    for row in made.all_records:
        _with_heights(made, row)
    made.truth["has_z"] = [True] * len(made.sheet.records)
    return []


def _measures(made: Planting) -> list[int]:
    for row in made.all_records:
        _with_measures(made, row)
    made.truth["has_m"] = [True] * len(made.sheet.records)
    return []


def _not_finite(_made: Planting, ring: Floats) -> Floats:
    return np.vstack([ring[:2], [[np.nan, np.nan]], ring[2:]])


def _unreadable(made: Planting, row: int) -> None:
    made.sheet.records[row].bad_number = "1o4.5O"


FAULTS = (
    Fault("null_geometry", "NULL_GEOMETRY", each(_null), areas(Need.NULL)),
    Fault("empty_geometry", "EMPTY_GEOMETRY", each(_empty), areas(Need.EMPTY)),
    Fault("two_points", "TOO_FEW_POINTS", ring_of(_two_points), areas(Need.FEW_POINTS)),
    Fault("on_one_line", "ZERO_AREA", ring_of(_on_one_line), areas(Need.FINE)),
    Fault("bow_tie", "INVALID_POLYGON", ring_of(_bow_tie)),
    Fault("open_ring", "RING_CLOSED", each(_stays_open), areas(Need.OPEN_RING)),
    Fault("empty_ring", "EMPTY_RING_REMOVED", each(_empty_ring), areas(Need.EMPTY_RING)),
    Fault("repeats_start", "RING_REPEATS_START", ring_of(_repeats_start), areas(Need.SAME_POINT)),
    Fault("spike", "SPIKE", ring_of(_spike), areas(Need.FINE)),
    Fault("long_edge", "LONG_EDGE", each(_long_edge, 2)),
    Fault("parts_overlap", "PARTS_OVERLAP", each(_overlapping_parts), areas(Need.PARTS)),
    Fault("several_parts", "", harmless(each(_apart)), areas(Need.PARTS)),
    Fault("hole", "", harmless(each(_hole)), areas(Need.HOLES)),
    Fault("repeated_point", "", harmless(ring_of(_repeated_point))),
    Fault("heights", "", _heights, areas(Need.Z)),
    Fault("measures", "", _measures, areas(Need.M)),
    Fault("not_finite", "COORDINATES_NOT_FINITE", ring_of(_not_finite), areas(Need.NOT_FINITE)),
    Fault("unreadable_text", "GEOMETRY_UNREADABLE", each(_unreadable), areas(Need.UNREADABLE_TEXT)),
    Fault("unreadable_point", "COORDINATES_NOT_FINITE", each(_unreadable), areas(Need.UNREADABLE_POINT)),
)
