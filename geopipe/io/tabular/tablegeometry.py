"""Find the geometry of a table: WKT, turning points, a pair of coordinates, or coordinate text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.tabular.grid import Grid, Records, counted_notes, layers_of, wkb_of_points
from geopipe.io.tabular.headers import TEXT_NAMES, WKT, WKT_NAMES, Header
from geopipe.io.tabular.places import Places, cells_of, places_of_pair, places_of_text
from geopipe.io.tabular.pointtable import point_layers
from geopipe.io.tabular.rowcrs import row_codes
from geopipe.io.tabular.statedcrs import StatedCrs, implausible_crs
from geopipe.io.textgeometry import EXCEL_CELL, wkb_from_wkt

SRID = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;", re.IGNORECASE)
SAMPLE = 200
BATCH = 50_000


def layers_of_table(grid: Grid) -> list[RawLayer]:
    """Return the layers of a table; refuse one without any geometry."""
    wkt = wkt_position(grid)
    if wkt is not None:
        return _wkt_layers(grid, wkt)
    if grid.header.has_points():
        return point_layers(grid, table_places(grid), coordinate_columns(grid))
    places = table_places(grid)
    if places is not None:
        return _single_points(grid, places)
    wanted = "a WKT column, turning points, or coordinate columns (x, y or lon, lat)"
    sentence = f"{grid.label}: the table has no geometry: it needs {wanted}. Ask for the areas."
    raise RefusedError(Problem("NO_GEOMETRY", sentence), grid.counted, grid.method)


def wkt_position(grid: Grid) -> int | None:
    """Return the position of the WKT column, by its name or else by its content."""

    def shows_wkt(position: int) -> bool:
        column = grid.columns[position]
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return False
        values = [value for value in column.slice(0, SAMPLE).to_pylist() if value]
        return bool(values) and sum(WKT.match(value) is not None for value in values) * 2 > len(values)

    header = grid.header
    named = [header.names.index(name) for name in WKT_NAMES if name in header.names]
    found: int | None = next((at for at in [*named, *range(len(grid.columns))] if shows_wkt(at)), None)
    if found is not None:
        return found
    others = header.pairs() or header.position(tuple(TEXT_NAMES)) is not None or header.has_points()
    return named[0] if named and not others else None


def coordinate_columns(grid: Grid) -> tuple[int, ...]:
    """Return where the coordinates stand: a pair (x, y), or one column of text, or nowhere."""
    pair = _pair(grid.header, grid)
    if pair is not None:
        return pair
    text = grid.header.position(tuple(TEXT_NAMES))
    return () if text is None else (text,)


def table_places(grid: Grid) -> Places | None:
    """Return the places of the rows from coordinate columns; None where there are none."""
    where = coordinate_columns(grid)
    if len(where) == 2:
        return places_of_pair(grid.columns[where[0]], grid.columns[where[1]])
    if where:
        return places_of_text(grid.columns[where[0]], TEXT_NAMES[grid.header.names[where[0]]])
    return None


def _pair(header: Header, grid: Grid) -> tuple[int, int] | None:
    """Return the pair of coordinate columns that is filled best.

    A table may have both: degrees, and the grid that its ProjName speaks of. Then that grid is taken.
    """
    pairs = header.pairs()
    if len(pairs) > 1 and any(
        code.startswith(("EPSG:326", "EPSG:327")) for code in set(grid.stated_crs().codes)
    ):
        pairs.sort(key=header.is_degrees)
    filled = [len(grid) - cells_of(grid.columns[x]).null_count for x, _ in pairs]
    return pairs[filled.index(max(filled))] if pairs else None


def _single_points(grid: Grid, places: Places) -> list[RawLayer]:
    """Return the layers of a table in which each row is a point."""
    stated = grid.stated_crs()
    codes, notes = row_codes(places, stated.codes, grid.label)
    notes = [
        *grid.notes,
        *stated.notes,
        *notes,
        *counted_notes(places.notes, grid.label, "COORDINATES_ASSUMED"),
    ]
    for code in sorted(set(codes) - {""}):
        own = codes == code
        notes += implausible_crs(code, places.x[own], places.y[own], grid.label)
    columns = grid.header.point_columns()
    if "poly_id" in columns and "number" not in columns:
        sentence = f"{grid.label}: the column {grid.names[columns['poly_id']]} names polygons, but no column"
        remedy = (
            "The rows are read as single points. If they are turning points, number them in a column PointNo."
        )
        notes.append(Problem("POINTS_NOT_NUMBERED", f"{sentence} numbers their points. {remedy}"))
    records = Records(
        grid.named_columns(),
        wkb_of_points(places.x, places.y),
        grid.rows,
        codes,
        places.trouble,
        {"Point"},
        notes,
    )
    return layers_of(records, grid, grid.name, grid.counted, grid.method)


def _wkt_layers(grid: Grid, position: int) -> list[RawLayer]:
    """Return the layers of a table with a geometry as text in each row."""
    chunks, trouble, codes, kinds = [], [], [], set()
    column = grid.columns[position]
    for start in range(0, max(len(column), 1), BATCH):
        cells = column.slice(start, BATCH)
        values = cells_of(cells).to_pylist()
        wkb, reasons, srids = _from_wkt(values)
        _tell_cut(reasons, cells)
        chunks.append(pa.array(wkb, pa.large_binary()))
        trouble += reasons
        codes += srids
        kinds |= {SRID.sub("", value[:60]).split("(")[0].strip().title() for value in values if value}
    stated = grid.stated_crs()
    own = np.array(codes, dtype=object)
    both = StatedCrs(np.where(own == "", stated.codes, own))
    differ = (own != "") & (stated.codes != "") & (own != stated.codes)
    notes = [*grid.notes, *stated.notes]
    if differ.any():
        both.codes[differ] = ""
        sentence = (
            f"{grid.label}: {differ.sum():,} rows state one system in a column and another in their text"
        )
        notes.append(Problem("CRS_UNREADABLE", f"{sentence}; none is used. Ask which one is true."))
    wkb = pa.chunked_array(chunks, pa.large_binary()).combine_chunks()
    troubles = np.array(trouble, dtype=object)
    records = Records(
        _columns_beside(grid, position, pa.array(troubles != None)),  # noqa: E711  element by element
        wkb,
        grid.rows,
        both.codes,
        troubles,
        kinds,
        notes,
    )
    return layers_of(records, grid, grid.name, grid.counted, grid.method)


def _from_wkt(values: Sequence[str | None]) -> tuple[list[bytes | None], list[str | None], list[str]]:
    """Return WKB, trouble and SRID of WKT cells; what GEOS refuses is read again point by point."""
    import shapely

    srids: list[str] = []
    texts: list[str | None] = []
    for value in values:
        match = SRID.match(value) if value else None
        srids.append(f"EPSG:{match[1]}" if match else "")
        texts.append(value[match.end() :] if match and value else value)
    strict = [text if text and WKT.match(text) else None for text in texts]  # GEOS raises for curves
    shapes = shapely.from_wkt(strict, on_invalid="ignore")
    wkb: list[bytes | None] = list(shapely.to_wkb(shapes, output_dimension=4, byte_order=1, flavor="iso"))
    trouble: list[str | None] = [None] * len(texts)
    for position, text in enumerate(texts):
        if text is not None and wkb[position] is None:
            try:
                wkb[position] = wkb_from_wkt(text)
            except ValueError as error:
                trouble[position] = f"WKT could not be read: {error}"
    return wkb, trouble, srids


def _tell_cut(reasons: list[str | None], cells: pa.Array) -> None:
    """Add to the reasons why a text ends too early where its cell is as long as Excel allows."""
    full = pc.greater_equal(pc.utf8_length(cells), EXCEL_CELL).to_pylist()
    for position, reason in enumerate(reasons):
        if reason and full[position] and "32,767" not in reason:
            reasons[position] = f"{reason} (Excel cuts cells at 32,767 characters)"


def _columns_beside(grid: Grid, position: int, unreadable: pa.Array) -> pa.Table:
    """Return the columns without the geometry; its text stays where it could not be read.

    Whatever is readable of it can so be shown on the map.
    """
    if not pc.any(unreadable).as_py():
        return grid.named_columns([position])
    text = pc.if_else(unreadable, grid.columns[position], pa.scalar(None, grid.columns[position].type))
    columns = [*grid.columns]
    columns[position] = text
    return replace(grid, columns=columns).named_columns()
