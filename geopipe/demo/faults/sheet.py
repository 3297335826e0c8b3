"""What one small delivery holds before it is written: its records and their columns, right or wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from geopipe.demo.places import EQUAL_AREA_CRS, LON_LAT_CRS, VILLAGES
from geopipe.demo.rings import Floats

from .ground import Ground, Plot, Rng, area_m2, star, transform_xy


class Shape(StrEnum):
    """What the records of a delivery are on the ground."""

    AREA = "area"
    LINE = "line"
    POINT = "point"


class Need(StrEnum):
    """What a format must be able to hold for a fault to be planted in it."""

    AREAS = "areas"
    POINTS = "single points"
    PLACES_STATED = "columns for province and district"
    NULL = "records without geometry"
    EMPTY = "geometries without points"
    FEW_POINTS = "rings of two points"
    OPEN_RING = "rings that are not closed where they ought to be"
    EMPTY_RING = "rings without points"
    PARTS = "records of several parts"
    HOLES = "holes"
    Z = "heights"
    M = "measures"
    NOT_FINITE = "coordinates that are not numbers"
    UNREADABLE_TEXT = "a geometry as text that nobody can read"
    UNREADABLE_POINT = "one coordinate as text that nobody can read"
    SAME_POINT = "the same point twice, exactly"
    ONE_TABLE = "all records in one table"
    METRES = "coordinates in metres, with their coordinate system"
    DEGREES = "plain degrees without letters"
    BEYOND_DEGREES = "numbers in metres where degrees are meant"
    NO_CRS = "coordinates without any coordinate system"
    FINE = "coordinates to the millimetre"
    SPACES = "spaces around text"
    SAME_ID = "two records with one id"
    POINT_NUMBERS = "point numbers"
    LEGS = "distances and bearings"
    SERVER_FLAG = "the word of a server that more records exist"


@dataclass
class Record:
    """One record.

    Attributes
    ----------
    values : dict
        Attribute columns, as they are delivered.
    parts : list of list of ndarray (n, 2 to 4)
        Polygons of rings of turning points in delivered coordinates, unclosed; a line or point is a
        single ring. No part: an empty geometry; `is_null`: no geometry at all.
    plot : Plot
        Where it truly lies.
    stays_open : bool
        Its rings are written as they are, not closed.
    numbers : list of int or None
        Point numbers of its first ring, where they are not 1, 2, 3 ...
    bad_number : str
        Stands where its first coordinate is meant, where it cannot be read.
    stretch_m : float
        The last distance of its traverse is wrong by so much.
    """

    values: dict[str, Any]
    parts: list[list[Floats]]
    plot: Plot
    is_null: bool = False
    stays_open: bool = False
    numbers: list[int] | None = None
    bad_number: str = ""
    stretch_m: float = 0.0

    @property
    def ring(self) -> Floats:
        """The first ring."""
        return self.parts[0][0]

    def with_ring(self, ring: Floats) -> None:
        """Make the record a single ring."""
        self.parts = [[ring]]

    def moved(self, change: Callable[[Floats], Floats]) -> None:
        """Change the coordinates of all its points."""
        self.parts = [[change(ring) for ring in rings] for rings in self.parts]


@dataclass
class Sheet:
    """One delivery.

    Attributes
    ----------
    stem : str
        Name of its file without suffix.
    kind : str
        Kind of its records (CHA or CLEARED).
    crs : str
        In which its coordinates truly are; `stated_crs` is what the file says, '' for nothing.
    options : dict
        What is known of the delivery when it is read.
    scattered : bool
        The points of its polygons do not stand together in a table.
    flags : dict
        What the file says about itself.
    """

    stem: str
    operator: str
    kind: str
    shape: Shape
    crs: str
    stated_crs: str
    records: list[Record]
    options: dict[str, Any] = field(default_factory=dict)
    scattered: bool = False
    flags: dict[str, Any] = field(default_factory=dict)

    def columns(self) -> dict[str, list[Any]]:
        """Return the attribute columns."""
        names = dict.fromkeys(name for record in self.records for name in record.values)
        return {name: [record.values.get(name) for record in self.records] for name in names}

    def put(self, name: str, values: list[Any]) -> None:
        """Set one column."""
        for record, value in zip(self.records, values, strict=True):
            record.values[name] = value

    def some(self, rng: Rng, count: int) -> list[int]:
        """Return positions of some records, sorted."""
        return sorted(rng.choice(len(self.records), count, replace=False).tolist())


@dataclass(frozen=True)
class Style:
    """How deliveries of one format are made: operator, coordinate system, what the records are."""

    operator: str
    crs: str
    shape: Shape = Shape.AREA


def make_sheet(rng: Rng, ground: Ground, stem: str, number: int, style: Style, kind: str, size: int) -> Sheet:
    """Return a delivery without any fault, its coordinates in `style.crs`."""
    plots = [ground.take() for _ in range(size)]
    small = (15.0, 40.0) if size > 100 else (60.0, 220.0)
    rings = [star(rng, plot.middle, *small) for plot in plots]
    records = []
    for row, (plot, ring) in enumerate(zip(plots, rings, strict=True), start=1):
        values = _attributes(rng, plot, kind, f"{_prefix(style.operator)}-{number:03d}-{row:04d}", style)
        if style.shape is Shape.AREA:
            values["area_m2"] = round(area_m2(ring))
        points = ring[:1] if style.shape is Shape.POINT else ring
        records.append(Record(values, [[transform_xy(points, EQUAL_AREA_CRS, style.crs)]], plot))
    return Sheet(stem, style.operator, kind, style.shape, style.crs, style.crs, records)


def _prefix(operator: str) -> str:
    return "".join(word[:3] for word in operator.upper().split())


def _attributes(rng: Rng, plot: Plot, kind: str, own_id: str, style: Style) -> dict[str, Any]:
    """Return the columns of one record, in names that geopipe knows, short enough for a shapefile."""
    day = dt.date(2015, 1, 1) + dt.timedelta(days=int(rng.integers(0, 3200)))
    informed = day + dt.timedelta(days=int(rng.integers(5, 90)))
    place = {
        "province": plot.province,
        "district": plot.district,
        "village": VILLAGES[int(rng.integers(len(VILLAGES)))][int(rng.integers(2))],
    }
    if style.shape is Shape.POINT:
        found = {"point_type": "UXO found", "found_date": day, "uxo_depth": int(rng.integers(1, 40))}
        return {"point_id": own_id, **found, **place}
    if kind == "CHA":
        dates = {"surv_date": day, "info_date": informed}
        return {"hazard_id": own_id, "kind": "CHA", "status": "Open", **dates, **place}
    dates = {"start_date": day - dt.timedelta(days=20), "comp_date": day, "info_date": informed}
    done = {"method": "BAC", "depth_cm": int(rng.choice([25, 30, 50]))}
    return {"clear_id": own_id, "kind": "Cleared", "status": "Closed", **dates, **done, **place}


def is_degrees(crs: str) -> bool:
    """Say whether coordinates of a CRS of the demonstration are degrees."""
    return crs == LON_LAT_CRS


def metres(distance: float, crs: str) -> float:
    """Return a length in the units of a CRS, roughly: metres, or degrees."""
    return distance / 111_000.0 if is_degrees(crs) else distance
