"""Write cases as a GeoPackage for QGIS: the shared ground with the columns that people fill in.

An operator's copy has its own records whole, and of the other only the outline near the overlap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.casework.edition import Edition
from geopipe.casework.facts import date_of
from geopipe.casework.sheetcolumns import DAYS, DECIMALS, LAYER, columns_of
from geopipe.editions import OF_PARTNER, outline_near
from geopipe.io.geopackage import Layer, write_geopackage
from geopipe.picked import Picked
from geopipe.register.case import Case, Side
from geopipe.register.known import moved_to
from geopipe.reports.layers import working_crs_wkt


def write_layers(path: Path, edition: Edition, working_crs: str) -> None:
    """Write an edition into a new GeoPackage, in a working CRS (m)."""
    layers = [_cases(edition, working_crs)]
    if edition.operator is not None:
        layers += [_own_records(edition, working_crs), _other_outlines(edition, working_crs)]
    write_geopackage(path, layers, working_crs_wkt(working_crs))


def _cases(edition: Edition, working_crs: str) -> Layer:
    columns = {
        name: pa.array([row.get(name) for row in edition.rows], _type(name))
        for name in columns_of(edition.name)
    }
    grounds = [case.sighting.geometry for case in edition.cases]
    return _layer(LAYER, columns, grounds, edition.cases, working_crs, "MultiPolygon")


def _type(name: str) -> pa.DataType:
    if name in DECIMALS:
        return pa.float64()
    return pa.date32() if name in DAYS else pa.int64() if name == "revision" else pa.string()


def _own_records(edition: Edition, working_crs: str) -> Layer:
    """Return the operator's own records, each once, whole."""
    own = {side.record_id: (case, side) for case, side in _sides(edition)
           if side.operator == edition.operator}  # fmt: skip
    chosen = [own[name] for name in sorted(own)]
    cases, sides = [case for case, _ in chosen], [side for _, side in chosen]
    grounds = [side.geometry for side in sides]
    return _layer("own_records", _of_records(sides), grounds, cases, working_crs, "MultiPolygon")


def _other_outlines(edition: Edition, working_crs: str) -> Layer:
    """Return of each other record its outline within 100 m of the overlap, and nothing else."""
    chosen = [(case, side) for case, side in _sides(edition) if side.operator != edition.operator]
    cases, sides = [case for case, _ in chosen], [side for _, side in chosen]
    columns = {"case": pa.array([case.name for case in cases], pa.string()), **_of_records(sides)}
    lines = [outline_near(side.geometry, case.sighting.geometry) for case, side in chosen]
    return _layer("other_outlines", columns, lines, cases, working_crs, "MultiLineString")


def _sides(edition: Edition) -> Iterator[tuple[Case, Side]]:
    for case in edition.cases:
        yield case, case.sighting.a
        yield case, case.sighting.b


def _of_records(sides: Sequence[Side]) -> dict[str, pa.Array]:
    """Return what an operator may know of any record: operator, id, kind, status and date."""
    days = [date_of(side.columns) for side in sides]
    shown = {
        name: pa.array([side.columns[name] for side in sides], pa.string())
        for name in OF_PARTNER
        if name != "date"
    }
    return {**shown, "date": pa.array([day and dt.date.fromisoformat(day) for day in days], pa.date32())}


def _layer(
    name: str, columns: dict[str, Any], grounds: Sequence[shapely.Geometry], cases: Sequence[Case],
    working_crs: str, geometry_type: str,
) -> Layer:  # fmt: skip
    geometry = np.empty(len(grounds), dtype=object)
    geometry[:] = list(grounds)
    geometry[shapely.is_empty(geometry)] = None
    geometry = moved_to(geometry, [case.sighting.working_crs for case in cases], working_crs)
    return Layer(name, Picked(pa.table(columns)), geometry, geometry_type)
