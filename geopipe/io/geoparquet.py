"""Read GeoParquet with Arrow itself: the geometry is WKB already, the CRS stands in the metadata."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble
from geopipe.io.job import Job, reason_of
from geopipe.terms import CountMethod

DEFAULT_CRS = "OGC:CRS84"


def read_geoparquet(job: Job) -> list[RawLayer]:
    """Return the one layer of a GeoParquet file."""
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(job.path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        sentence = f"{job.label}: the file is damaged or cut ({reason_of(error)}). Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence)) from error
    counted = int(file.metadata.num_rows)
    name, about = _geometry_column(job, file, counted)
    try:
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        sentence = f"{job.label}: the file is damaged ({reason_of(error)}). Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence), counted, CountMethod.EXACT) from error
    geometry = table.column(name).cast(pa.large_binary())
    crs = about.get("crs", DEFAULT_CRS)
    full, notes = assemble(_plain(table.drop_columns([name])), geometry)
    types = about.get("geometry_types") or ["Unknown"]
    return [
        RawLayer(
            name=job.name,
            crs_wkt=json.dumps(crs) if isinstance(crs, dict) else crs,
            geometry_type=types[0] if len(types) == 1 else "Unknown",
            table=full.replace_schema_metadata(None),
            records_counted=counted,
            count_method=CountMethod.EXACT,
            notes=tuple(notes),
        )
    ]


def _geometry_column(job: Job, file: Any, counted: int) -> tuple[str, dict[str, Any]]:
    """Return name and description of the geometry column, or refuse a file without one."""
    reason = 'it has no "geo" description'
    try:
        geo = json.loads((file.schema_arrow.metadata or {})[b"geo"])
        name = geo["primary_column"]
        about = dict(geo["columns"][name])
        if str(about.get("encoding", "")).upper() == "WKB" and name in file.schema_arrow.names:
            return str(name), about
        reason = f"its geometry is kept as {str(about.get('encoding'))[:40]}, not as WKB"
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    sentence = (
        f"{job.label}: this Parquet file is not GeoParquet: {reason}. Ask for GeoParquet or GeoPackage."
    )
    raise RefusedError(Problem("NO_GEOMETRY", sentence), counted, CountMethod.EXACT)


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionary columns written out and without bounding-box helpers."""
    arrays, names = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_struct(field.type) and field.name == "bbox":
            continue
        arrays.append(column.cast(field.type.value_type) if pa.types.is_dictionary(field.type) else column)
        names.append(field.name)
    return pa.table(arrays, names=names)
