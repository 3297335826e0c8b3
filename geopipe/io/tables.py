"""Read CSV tables with a WKT column or with a pair of coordinate columns."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from geopipe.io.counting import count_lines
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble
from geopipe.io.job import Job
from geopipe.io.textgeometry import wkb_from_wkt, wkb_point
from geopipe.terms import CountMethod

DELIMITERS = ",;\t|"
WKT_NAMES = ("wkt", "the_geom", "geom", "geometry", "shape", "wkt_geom", "wkt_geometry")
PAIRS = (
    ("longitude", "latitude"),
    ("lon", "lat"),
    ("lng", "lat"),
    ("long", "lat"),
    ("lon_dd", "lat_dd"),
    ("xcoord", "ycoord"),
    ("x_coord", "y_coord"),
    ("easting", "northing"),
    ("x", "y"),
)
CRS_NAMES = ("srid", "epsg", "crs")
WKT = re.compile(
    r"\s*(?:SRID\s*=\s*(\d+)\s*;)?\s*((?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\b",
    re.IGNORECASE,
)
SRID = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;", re.IGNORECASE)
EPSG = re.compile(r"\s*(?:EPSG\s*:+\s*)?(\d{4,6})(?:\.0)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class _Points:
    """Geometry of rows: WKB, what was wrong, and the CRS numbers that stood there."""

    wkb: list[bytes | None]
    trouble: list[str | None]
    srids: set[str]
    kind: str


def read_table(job: Job) -> list[RawLayer]:
    """Return the one layer of a CSV table; every value stays text as delivered."""
    text, notes = _decode(job)
    rows = _rows(text)
    counted = count_lines(text)
    if not rows:
        raise RefusedError(Problem("FILE_EMPTY", f"{job.label}: the table is empty. Ask for a new copy."))
    header, body = rows[0], rows[1:]
    columns, ragged = _columns(header, body)
    if ragged:
        sentence = f"{job.label}: {ragged:,} rows are longer or shorter than the header. Check their columns."
        notes.append(Problem("ROWS_RAGGED", sentence))
    used, points = _geometry(job, header, columns, counted)
    crs = _crs(points.srids, header, columns)
    kept = [position for position in range(len(columns)) if position not in used]
    names = [*header, *[""] * (len(columns) - len(header))]
    table = pa.table(
        [pa.array(columns[position], pa.large_string()) for position in kept],
        names=[f"#{position}" for position in kept],
    ).rename_columns([names[position].strip() or f"column_{position + 1}" for position in kept])
    full, more = assemble(table, pa.array(points.wkb, pa.large_binary()), trouble=points.trouble)
    return [
        RawLayer(
            name=job.name,
            crs_wkt=crs,
            geometry_type=points.kind,
            table=full,
            records_counted=counted,
            count_method=CountMethod.WEAK,
            notes=(*notes, *more),
        )
    ]


def _decode(job: Job) -> tuple[str, list[Problem]]:
    """Return the text of the table and a note where its encoding had to be guessed."""
    data = job.path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    chosen, text = "cp1252", data.decode("cp1252", "replace")
    thai = data.decode("cp874", "replace")
    # Thai words are runs of letters; Western accents stand alone between plain letters.
    letters = len(re.findall("[\u0e01-\u0e5b]", thai))
    in_runs = sum(len(run) for run in re.findall("[\u0e01-\u0e5b]{3,}", thai))
    if letters and in_runs > letters * 0.8:
        chosen, text = "cp874", thai
    sentence = (
        f"{job.label}: text is read as {chosen.upper()} (it is not UTF-8). Check names with special letters."
    )
    return text, [Problem("ENCODING_GUESSED", sentence)]


def _rows(text: str) -> list[list[str]]:
    """Return the rows of the table, blank ones left out."""
    csv.field_size_limit(2**31 - 1)
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").split("\n", 1)[0])
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(
        io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter, skipinitialspace=True
    )
    return [row for row in reader if row and (len(row) > 1 or row[0].strip())]


def _columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[list[list[str | None]], int]:
    """Return the columns, as long as the longest row needs, and the number of rows that do not fit."""
    width = max([len(header), *map(len, body)])
    ragged = sum(len(row) != len(header) for row in body)
    padded = [row if len(row) == width else [*row, *[None] * (width - len(row))] for row in body]
    if not padded:
        return [[] for _ in range(width)], 0
    return [list(column) for column in zip(*padded, strict=True)], ragged


def _geometry(
    job: Job, header: Sequence[str], columns: list[list[str | None]], counted: int
) -> tuple[set[int], _Points]:
    """Return which columns are used up by the geometry, and the geometry."""
    names = [name.strip().strip("\ufeff").lower() for name in header]
    position = _wkt_column(names, columns)
    if position is not None:
        return {position}, _from_wkt(columns[position])
    for x_name, y_name in PAIRS:
        if x_name in names and y_name in names:
            x, y = columns[names.index(x_name)], columns[names.index(y_name)]
            return set(), _from_pairs(x, y)
    wanted = "a WKT column or a pair of coordinate columns (x, y or lon, lat)"
    sentence = f"{job.label}: the table has no geometry: it needs {wanted}."
    raise RefusedError(Problem("NO_GEOMETRY", f"{sentence} Ask for the areas."), counted, CountMethod.WEAK)


def _wkt_column(names: list[str], columns: list[list[str | None]]) -> int | None:
    """Return the position of the WKT column, by its name or else by its content."""

    def shows_wkt(position: int) -> bool:
        values = [value for value in columns[position][:200] if value]
        return bool(values) and sum(WKT.match(value) is not None for value in values) * 2 > len(values)

    named = [names.index(name) for name in WKT_NAMES if name in names]
    by_content: list[int] = [position for position in [*named, *range(len(columns))] if shows_wkt(position)]
    if by_content:
        return by_content[0]
    has_pair = any(x in names and y in names for x, y in PAIRS)
    return named[0] if named and not has_pair else None


def _from_wkt(values: Sequence[str | None]) -> _Points:
    """Return the geometry of WKT cells; what GEOS refuses is read again point by point."""
    import shapely

    srids: set[str] = set()
    texts: list[str | None] = []
    for value in values:
        match = SRID.match(value) if value else None
        if match and value:
            srids.add(match[1])
            texts.append(value[match.end() :])
        else:
            texts.append(value if value and value.strip() else None)
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
    types = {text.split("(")[0].strip().upper() for text in texts if text}
    return _Points(wkb, trouble, srids, types.pop().title() if len(types) == 1 else "Unknown")


def _from_pairs(x: Sequence[str | None], y: Sequence[str | None]) -> _Points:
    """Return points from two columns of numbers."""
    wkb: list[bytes | None] = []
    trouble: list[str | None] = []
    for east, north in zip(x, y, strict=True):
        numbers = (_number(east), _number(north))
        if numbers[0] is not None and numbers[1] is not None:
            wkb.append(wkb_point(numbers[0], numbers[1]))
            trouble.append(None)
        else:
            wkb.append(None)
            stated = (east or "").strip() or (north or "").strip()
            trouble.append(f'coordinates could not be read: "{east}", "{north}"' if stated else None)
    return _Points(wkb, trouble, set(), "Point")


def _number(text: str | None) -> float | None:
    """Return a finite number; the decimal sign may be a comma."""
    try:
        value = float((text or "").strip().replace(",", ".") if (text or "").count(",") == 1 else text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _crs(srids: set[str], header: Sequence[str], columns: list[list[str | None]]) -> str | None:
    """Return the CRS that all rows state; None where they state none or several."""
    codes = set(srids)
    for position, name in enumerate(header):
        if name.strip().lower() in CRS_NAMES:
            values = {value.strip() for value in columns[position] if value and value.strip()}
            matches = [EPSG.fullmatch(value) for value in values]
            codes |= {match[1] if match else value for match, value in zip(matches, values, strict=True)}
    return f"EPSG:{codes.pop()}" if len(codes) == 1 and all(code.isdigit() for code in codes) else None
