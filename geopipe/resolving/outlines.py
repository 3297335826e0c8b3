"""Write the outlines of changed records, old and new, into GeoPackages in the operator's own CRS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from geopipe.crs import choose_operation, crs_name, parse_crs, transform
from geopipe.io.geopackage import Layer, write_geopackage
from geopipe.picked import Picked
from geopipe.register.corners import NOTHING, on_grid, polygonal
from geopipe.resolving.requests import Changed, Request
from geopipe.resolving.rings import Ring
from geopipe.schema import Geometries


def write_outlines(folder: Path, request: Request, working_crs: str) -> list[Path]:
    """Write one GeoPackage for each CRS in which the operator delivered; return their paths.

    Layers `old_outline`, `new_outline`, `given_up` and `taken_on`. New outlines hold kept points bit for bit.

    Raises
    ------
    OutputError
        When the disk refuses, or the file read back does not hold what was written.
    """
    systems = sorted({record.columns["crs"] for record in request.records})
    paths = []
    for crs in systems:
        ending = "" if len(systems) == 1 else f"-{re.sub('[^A-Za-z0-9]+', '_', crs_name(crs))}"
        path = folder / f"outlines{ending}.gpkg"
        records = [record for record in request.records if record.columns["crs"] == crs]
        write_geopackage(path, _layers(records, crs, working_crs), str(parse_crs(crs).to_wkt()))
        paths.append(path)
    return paths


def _layers(records: Sequence[Changed], crs: str, working_crs: str) -> list[Layer]:
    to_own = choose_operation(working_crs, crs)[0]
    drawn = {
        "old_outline": [record.before for record in records],
        "given_up": [_less(record.before, record.after) for record in records],
        "taken_on": [_less(record.after, record.before) for record in records],
    }
    shapes = {name: transform(np.array(made, dtype=object), to_own) for name, made in drawn.items()}
    shapes["new_outline"] = np.array([_own_polygon(record.rings) for record in records], dtype=object)
    return [
        _layer(name, records, shapes[name]) for name in ("old_outline", "new_outline", "given_up", "taken_on")
    ]


def _layer(name: str, records: Sequence[Changed], shapes: Geometries) -> Layer:
    shown = np.flatnonzero(~shapely.is_empty(shapes)).tolist()
    chosen = [records[at] for at in shown]
    table = pa.table(
        {
            "record": pa.array([record.own_id for record in chosen], pa.string()),
            "kind": pa.array([record.columns["kind"] for record in chosen], pa.string()),
            "case": pa.array(
                [", ".join(task.case for task in record.tasks) for record in chosen], pa.string()
            ),
            "what": pa.array(
                ["; ".join(task.what for task in record.tasks) for record in chosen], pa.string()
            ),
        }
    )
    return Layer(name, Picked(table), shapes[shown], "MultiPolygon")


def _less(one: shapely.Geometry | None, other: shapely.Geometry | None) -> shapely.Geometry:
    if one is None or other is None:
        return one or NOTHING
    return polygonal(on_grid(shapely.difference, one, other))


def _own_polygon(rings: Sequence[Ring]) -> shapely.Geometry:
    """Return the new polygon in the record's own CRS, kept points bit for bit."""
    if not rings:
        return NOTHING
    parts = []
    for number in range(1, max(ring.part for ring in rings) + 1):
        shell, *holes = [ring.own for ring in rings if ring.part == number]
        parts.append(shapely.Polygon(shell, holes))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
