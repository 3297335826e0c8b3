"""Read CSV tables with a WKT column or with a pair of coordinate columns."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

import pyarrow as pa

from geopipe.io.counting import count_lines
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble, unique_names
from geopipe.io.job import Job
from geopipe.io.textgeometry import wkb_from_wkt, wkb_point
from geopipe.terms import CountMethod

BATCH = 50_000
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
    kinds: set[str]


@dataclass(frozen=True)
class _Batch:
    """Some rows of the table in Arrow; the WKT column itself is left out."""

    columns: list[pa.Array | None]
    wkb: pa.Array
    trouble: list[str | None]
    ragged: int
    codes: set[str]
    kinds: set[str]
    wkt_column: int | None


def read_table(job: Job) -> list[RawLayer]:
    """Return the one layer of a CSV table; every value stays text as delivered."""
    encoding, notes = _encoding(job)
    with job.path.open(encoding=encoding, errors="replace") as lines:
        counted = count_lines(lines)
    with job.path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = _rows(file)
        header = next(rows, None)
        if header is None:
            raise RefusedError(Problem("FILE_EMPTY", f"{job.label}: the table is empty. Ask for a new copy."))
        batches = _batches(job, header, rows, counted)
    width = max(len(batch.columns) for batch in batches)
    ragged = sum(batch.ragged for batch in batches)
    if ragged:
        sentence = f"{job.label}: {ragged:,} rows are longer or shorter than the header. Check their columns."
        notes.append(Problem("ROWS_RAGGED", sentence))
    used = batches[0].wkt_column
    columns = [_joined(batches, position) for position in range(width) if position != used]
    names = [name.strip() for name in header] + [""] * (width - len(header))
    names = [name or f"column_{position}" for position, name in enumerate(names, start=1)]
    named = unique_names(name for position, name in enumerate(names) if position != used)
    full, more = assemble(
        pa.table(columns, names=named),
        pa.chunked_array([batch.wkb for batch in batches]),
        trouble=[reason for batch in batches for reason in batch.trouble],
    )
    kinds = set().union(*(batch.kinds for batch in batches))
    return [
        RawLayer(
            name=job.name,
            crs_wkt=_crs(set().union(*(batch.codes for batch in batches))),
            geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
            table=full,
            records_counted=counted,
            count_method=CountMethod.WEAK,
            notes=(*notes, *more),
        )
    ]


def _encoding(job: Job) -> tuple[str, list[Problem]]:
    """Return the encoding of the table and a note where it had to be guessed."""
    with job.path.open("rb") as file:
        head = file.read(1 << 20)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", []
    try:
        with job.path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
        return "utf-8-sig", []
    except UnicodeDecodeError:
        pass
    thai = head.decode("cp874", "replace")
    # Thai words are runs of letters; Western accents stand alone between plain letters.
    letters = len(re.findall("[\u0e01-\u0e5b]", thai))
    in_runs = sum(len(run) for run in re.findall("[\u0e01-\u0e5b]{3,}", thai))
    chosen = "cp874" if letters and in_runs > letters * 0.8 else "cp1252"
    sentence = f"{job.label}: text is read as {chosen.upper()} (it is not UTF-8)."
    return chosen, [Problem("ENCODING_GUESSED", f"{sentence} Check names with special letters.")]


def _rows(file: TextIO) -> Iterator[list[str]]:
    """Yield the rows of the table, blank ones left out."""
    csv.field_size_limit(2**31 - 1)
    first = ""
    while not first.strip():
        line = file.readline()
        if not line:
            return
        first = line
    file.seek(0)
    bare = re.sub(r'"[^"]*"', "", first)
    delimiter = max(DELIMITERS, key=bare.count)
    lines = (line.replace("\x00", "") for line in file)
    for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
        if row and (len(row) > 1 or row[0].strip()):
            yield row


def _batches(job: Job, header: list[str], rows: Iterator[list[str]], counted: int) -> list[_Batch]:
    """Return the table in batches, so that only one of them is in Python's hands at a time."""
    batches: list[_Batch] = []
    while True:
        body = list(islice(rows, BATCH))
        if not body and batches:
            return batches
        columns, ragged = _columns(header, body)
        position = batches[0].wkt_column if batches else _wkt_column(_folded(header), columns)
        points = _geometry(job, header, columns, counted, position)
        batches.append(
            _Batch(
                [
                    None if at == position else pa.array(column, pa.large_string())
                    for at, column in enumerate(columns)
                ],
                pa.array(points.wkb, pa.large_binary()),
                points.trouble,
                ragged,
                points.srids | _stated_codes(header, columns),
                points.kinds,
                position,
            )
        )


def _joined(batches: list[_Batch], position: int) -> pa.ChunkedArray:
    """Return one column over all batches; a batch of shorter rows has nulls in it."""
    return pa.chunked_array(
        [
            batch.columns[position]
            if position < len(batch.columns)
            else pa.nulls(len(batch.wkb), pa.large_string())
            for batch in batches
        ]
    )


def _columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[list[list[str | None]], int]:
    """Return the columns, as long as the longest row needs, and the number of rows that do not fit."""
    width = max([len(header), *map(len, body)])
    ragged = sum(len(row) != len(header) for row in body)
    padded = [row if len(row) == width else [*row, *[None] * (width - len(row))] for row in body]
    if not padded:
        return [[] for _ in range(width)], 0
    return [list(column) for column in zip(*padded, strict=True)], ragged


def _folded(header: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _geometry(
    job: Job, header: Sequence[str], columns: list[list[str | None]], counted: int, position: int | None
) -> _Points:
    """Return the geometry of a batch of rows."""
    if position is not None:
        return _from_wkt(columns[position])
    names = _folded(header)
    for x_name, y_name in PAIRS:
        if x_name in names and y_name in names:
            return _from_pairs(columns[names.index(x_name)], columns[names.index(y_name)])
    wanted = "a WKT column or a pair of coordinate columns (x, y or lon, lat)"
    sentence = f"{job.label}: the table has no geometry: it needs {wanted}. Ask for the areas."
    raise RefusedError(Problem("NO_GEOMETRY", sentence), counted, CountMethod.WEAK)


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
    kinds = {text[:40].split("(")[0].strip().title() for text in texts if text}
    return _Points(wkb, trouble, srids, kinds)


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
    return _Points(wkb, trouble, set(), {"Point"})


def _number(text: str | None) -> float | None:
    """Return a finite number; the decimal sign may be a comma."""
    try:
        value = float((text or "").strip().replace(",", ".") if (text or "").count(",") == 1 else text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _stated_codes(header: Sequence[str], columns: list[list[str | None]]) -> set[str]:
    """Return what the CRS columns of a batch state."""
    codes: set[str] = set()
    for position, name in enumerate(_folded(header)):
        if name in CRS_NAMES:
            for value in {value.strip() for value in columns[position] if value and value.strip()}:
                match = EPSG.fullmatch(value)
                codes.add(match[1] if match else value)
    return codes


def _crs(codes: set[str]) -> str | None:
    """Return the CRS that all rows state; None where they state none or several."""
    return f"EPSG:{codes.pop()}" if len(codes) == 1 and all(code.isdigit() for code in codes) else None
