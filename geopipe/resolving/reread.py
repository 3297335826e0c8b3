"""Read written workbooks again, as IMSMA would, and rebuild the polygons of their records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import OutputError
from geopipe.resolving.requests import TEMPLATE, Request
from geopipe.resolving.workbook import HOLES, POINTS


def reread(path: Path, request: Request, working_crs: str) -> dict[int, shapely.Geometry]:
    """Return the polygon (working CRS, m) of each record with new rings, from the workbook alone.

    Raises
    ------
    OutputError
        When a ring is not in the file, or not whole.
    """
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    rings: dict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
    for name in (POINTS, HOLES):
        if name in book.sheet_names:
            _collect(book.get_sheet_by_name(name).to_python(), rings)
    records = [record for record in request.records if record.rings]
    polygons = np.empty(len(records), dtype=object)
    for at, record in enumerate(records):
        parts: dict[int, list[Sequence[tuple[float, float]]]] = defaultdict(list)
        for ring in record.rings:
            points = rings.get(record.ring_id(ring), {})
            if sorted(points) != list(range(1, len(ring.marks) + 1)):
                raise OutputError(f"the ring {record.ring_id(ring)} was not written whole", str(path))
            parts[ring.part].append([points[number] for number in sorted(points)])
        shapes = [shapely.Polygon(shell, holes) for shell, *holes in parts.values()]
        polygons[at] = shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(shapes)
    placed = transform(polygons, choose_operation(WGS84, working_crs)[0])
    return {record.row: shape for record, shape in zip(records, placed, strict=True)}


def _collect(lines: list[list[Any]], rings: dict[str, dict[int, tuple[float, float]]]) -> None:
    heads, *rows = lines
    poly, number, x, y = (heads.index(TEMPLATE[at]) for at in (1, 2, 5, 6))
    for row in rows:
        if row[poly] != "":
            rings[str(row[poly])][int(row[number])] = (float(row[x]), float(row[y]))
