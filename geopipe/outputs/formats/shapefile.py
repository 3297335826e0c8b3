"""Shapefiles: short names, short texts; what was shortened is told in `fields.csv`."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from geopipe.outputs.formats.pieces import Piece, by_type

_LONGEST_NAME = 10
_LONGEST_TEXT_BYTES = 254
FIELDS = "fields.csv"
_FIXED_DATE = (2000, 1, 1, 0, 0, 0)
_OPTIONS = {"ENCODING": "UTF-8", "DBF_DATE_LAST_UPDATE": "2000-01-01"}


@dataclass(frozen=True)
class Field:
    """A column, what it is called in the shapefile, and how many of its texts had to be cut."""

    column: str
    short: str
    cut: int


def write_shapefile(folder: Path, piece: Piece) -> list[Path]:
    """Write one zip for each type of geometry, in the working CRS (m)."""
    return [_write(folder, part) for part in by_type(piece)]


def count(path: Path) -> int:
    """Return how many records a zipped shapefile holds, by reading it."""
    import pyogrio

    with pyogrio.open_arrow(f"/vsizip/{path.resolve()}", use_pyarrow=True) as (_, reader):
        return sum(batch.num_rows for batch in reader)


def _write(folder: Path, piece: Piece) -> Path:
    import pyogrio

    table, fields = _shortened(piece.table)
    short = replace(piece, table=table)
    work = folder / f".{piece.name}"
    work.mkdir()
    table_with_shapes = short.with_geometry(short.geometry)
    pyogrio.write_arrow(
        table_with_shapes, work / f"{piece.name}.shp", driver="ESRI Shapefile", geometry_name="geometry",
        geometry_type=short.geometry_type, crs=piece.crs_wkt, layer_options=_OPTIONS,
    )  # fmt: skip
    (work / FIELDS).write_text(_fields_csv(fields), encoding="utf-8-sig")
    path = folder / f"{piece.name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(work.iterdir()):
            about = zipfile.ZipInfo(file.name, _FIXED_DATE)
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, file.read_bytes())
            file.unlink()
    work.rmdir()
    return path


def short_names(columns: list[str]) -> dict[str, str]:
    """Return a name of at most ten characters for each column; names stay apart without capitals, too."""
    taken: set[str] = set()
    names = {}
    for column in columns:
        short, number = column[:_LONGEST_NAME], 1
        while short.lower() in taken:
            number += 1
            short = f"{column[: _LONGEST_NAME - 1 - len(str(number))]}_{number}"
        taken.add(short.lower())
        names[column] = short
    return names


def _shortened(table: pa.Table) -> tuple[pa.Table, list[Field]]:
    names = short_names(table.column_names)
    arrays, fields = [], []
    for column in table.column_names:
        values, cut = _fitting(table[column])
        arrays.append(values)
        fields.append(Field(column, names[column], cut))
    return pa.table(arrays, names=list(names.values())), fields


def _fitting(values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Return texts that fit into 254 bytes, none cut within a letter, and how many were cut."""
    if not pa.types.is_string(values.type):
        return values, 0
    cut = 0
    fitting = []
    for value in values.to_pylist():
        data = (value or "").encode()
        cut += len(data) > _LONGEST_TEXT_BYTES
        short = data[:_LONGEST_TEXT_BYTES].decode(errors="ignore")
        fitting.append(None if value is None else short)
    return (pa.chunked_array([pa.array(fitting, pa.string())]), cut) if cut else (values, 0)


def _fields_csv(fields: list[Field]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(["column", "name_in_shapefile", "texts_cut_at_254_bytes"])
    writer.writerows([field.column, field.short, field.cut] for field in fields)
    return stream.getvalue()
