"""Read the tables of an IMSMA NG export: hazards and land releases with the polygons linked to them.

A record is one row of `hazard` or `hazreduc`; the polygons linked to it are its parts. Shapes that are linked
to nothing, and points, are layers of their own. What is taken for granted about NG stands in `imsmatables`.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble
from geopipe.io.imsmashapes import Shapes, decimals, shapes_of
from geopipe.io.imsmatables import LINK_TABLES, MAIN, REGISTERS, NgTable, guids, read_tables
from geopipe.io.job import Job
from geopipe.io.textgeometry import wkb_point
from geopipe.terms import CountMethod

WGS84 = "EPSG:4326"


def read_imsma(job: Job) -> list[RawLayer]:
    """Return the layers hazard, hazreduc, geospatialinfo, lines and points of an export."""
    tables, notes = read_tables(job)
    shapes = shapes_of(job, tables)
    linked: dict[int, list[str]] = defaultdict(list)
    layers = [_register(job, name, tables, shapes, linked) for name in REGISTERS if name in tables]
    unowned, lines = _rows_left(tables[MAIN], shapes, linked)
    layers += [
        _of_shapes(name, tables[MAIN], shapes, rows)
        for name, rows in ((MAIN, unowned), ("lines", lines))
        if rows
    ]
    if len(shapes.single):
        layers.append(_points(tables["geopoint"], shapes, linked))
    if not layers:
        sentence = f"{job.label}: the tables of the export hold no record. Ask what they should hold."
        raise RefusedError(Problem("NO_GEOMETRY", sentence), 0, CountMethod.WEAK)
    first = layers[0]
    return [replace(first, notes=(*notes, *shapes.notes, *first.notes)), *layers[1:]]


def _links(name: str, tables: dict[str, NgTable]) -> list[tuple[str, str]]:
    """Return (GUID of the record, GUID of the shape) of every link; refuse a register without links."""
    own, other = (f"{name}guid",), ("geospatialinfoguid",)
    pairs: list[tuple[str, str]] = []
    is_linked = False
    for table, ours in ((LINK_TABLES[name], own), (MAIN, own), (name, ("guid", *own))):
        if table not in tables:
            continue
        record = tables[table].find(ours if table != name else (*own, "guid"))
        shape = tables[table].find(other if table != MAIN else (*other, "guid"))
        if record is not None and shape is not None:
            is_linked = True
            pairs += zip(guids(record).to_pylist(), guids(shape).to_pylist(), strict=True)
    if not is_linked:
        table = LINK_TABLES[name]
        tables[name].refuse(
            f"cannot be linked to its shapes: neither a table {table} with the columns {name}_guid and "
            f"geospatialinfo_guid is there, nor a column {name}_guid in {MAIN}"
        )
    return list(dict.fromkeys(pair for pair in pairs if pair[0] and pair[1]))


def _register(
    job: Job, name: str, tables: dict[str, NgTable], shapes: Shapes, linked: dict[int, list[str]]
) -> RawLayer:
    """Return the layer of one register: every row a record, with the polygons linked to it."""
    own = tables[name]
    position = {guid: at for at, guid in enumerate(shapes.known.to_pylist())}
    parts: dict[str, list[int]] = defaultdict(list)
    lost: set[str] = set()
    for record, shape in _links(name, tables):
        if shape in position:
            parts[record].append(position[shape])
            linked[position[shape]].append(f"{name} {record}")
        else:
            lost.add(record)
    records = guids(own.column("guid")).to_pylist()
    made = [_record(parts.get(guid, []), guid in lost, shapes) for guid in records]
    unknown = len(set(parts) - set(records))
    notes = []
    if unknown:
        sentence = f"{job.label}: {unknown:,} links name records that are not in the table {name}."
        notes.append(Problem("LINKS_BROKEN", f"{sentence} Ask for a complete export."))
    table, more = assemble(
        own.table, pa.array([wkb for wkb, _ in made], pa.large_binary()), trouble=[why for _, why in made]
    )
    return _layer(name, table, "MultiPolygon", (*notes, *more))


def _record(parts: list[int], is_cut: bool, shapes: Shapes) -> tuple[bytes | None, str | None]:
    """Return the polygons of one record in one WKB; one bad part questions the whole record."""
    polygons = [at for at in parts if shapes.kind[at] in ("polygon", "")]
    trouble = next((shapes.trouble[at] for at in polygons if shapes.trouble[at]), None)
    wkb = [data for at in polygons if (data := shapes.wkb[at]) is not None]
    if is_cut:
        trouble = f"a shape that is linked to the record is not in the table {MAIN}"
    if is_cut or len(wkb) < len(polygons):
        return None, trouble
    if not wkb:
        return None, "only points or lines are linked to the record" if parts else None
    joined = wkb[0] if len(wkb) == 1 else struct.pack("<BII", 1, 6, len(wkb)) + b"".join(wkb)
    return joined, trouble


def _rows_left(info: NgTable, shapes: Shapes, linked: dict[int, list[str]]) -> tuple[list[int], list[int]]:
    """Return the rows of the shape table that no record owns, and those that are lines.

    A shape without GUID, of unknown kind, or a point without coordinates goes back by itself.
    """
    position = {guid: at for at, guid in enumerate(shapes.known.to_pylist())}
    placed = set(shapes.owner[shapes.single].tolist())
    unowned, lines = [], []
    for row, guid in enumerate(guids(info.column("guid")).to_pylist()):
        at = position.get(guid, -1)
        kind = shapes.kind[at] if at >= 0 else ""
        if kind == "line":
            lines.append(row)
        elif at < 0 or (at not in placed if kind == "point" else at not in linked):
            unowned.append(row)
    return unowned, lines


def _of_shapes(name: str, info: NgTable, shapes: Shapes, rows: Sequence[int]) -> RawLayer:
    """Return a layer whose records are shapes themselves."""
    at = pc.index_in(guids(info.column("guid")), shapes.known).take(pa.array(rows)).to_pylist()
    wkb = pa.array([None if i is None else shapes.wkb[i] for i in at], pa.large_binary())
    trouble = ["the shape has no GUID" if i is None else shapes.trouble[i] for i in at]
    numbers = pa.array([row + 1 for row in rows], pa.int64())
    table, notes = assemble(info.table.take(pa.array(rows)), wkb, numbers, trouble)
    return _layer(name, table, "LineString" if name == "lines" else "Polygon", notes)


def _points(points: NgTable, shapes: Shapes, linked: dict[int, list[str]]) -> RawLayer:
    """Return the points that are places of their own, each with the record that it belongs to."""
    rows = pa.array(shapes.single)
    own = points.table.take(rows)
    x, y = (decimals(points.column(name))[shapes.single] for name in ("longitude", "latitude"))
    bad = np.isnan(x) | np.isnan(y)
    wkb = [None if is_bad else wkb_point(*place) for is_bad, *place in zip(bad, x, y, strict=True)]
    trouble = ["latitude or longitude cannot be read" if is_bad else None for is_bad in bad]
    owners = ["; ".join(linked.get(int(at), [])) or None for at in shapes.owner[shapes.single]]
    own = own.append_column("of_record", pa.array(owners, pa.string()))
    table, notes = assemble(own, pa.array(wkb, pa.large_binary()), pc.add(rows, 1).cast(pa.int64()), trouble)
    return _layer("points", table, "Point", notes)


def _layer(name: str, table: pa.Table, geometry_type: str, notes: Sequence[Any]) -> RawLayer:
    """Return a layer. The lines of every table were counted before; a cut between two lines deceives that."""
    return RawLayer(
        name=name,
        crs_wkt=WGS84,
        geometry_type=geometry_type,
        table=table,
        records_counted=table.num_rows,
        count_method=CountMethod.WEAK,
        notes=tuple(notes),
    )
