"""GeoParquet 1.1: Arrow's own Parquet with the geometry as WKB and the CRS in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapely

from geopipe.outputs.formats.pieces import Piece

_VERSION = "1.1.0"


def write_geoparquet(folder: Path, piece: Piece, more: Mapping[str, str] | None = None) -> list[Path]:
    """Write GeoParquet in the working CRS (m), so that areas stay true; `more` is metadata beside it."""
    import pyarrow.parquet as pq
    import pyproj

    path = folder / f"{piece.name}.parquet"
    types = [] if piece.geometry_type == "Unknown" else [piece.geometry_type]
    box = shapely.total_bounds(piece.geometry) if len(piece) else np.full(4, np.nan)
    column = {
        "encoding": "WKB",
        "geometry_types": types,
        "crs": pyproj.CRS.from_wkt(piece.crs_wkt).to_json_dict(),
        "edges": "planar",
        **({"bbox": box.tolist()} if np.isfinite(box).all() else {}),
    }
    about = {"version": _VERSION, "primary_column": "geometry", "columns": {"geometry": column}}
    table = piece.with_geometry(piece.geometry)
    metadata = {"geo": json.dumps(about), **(more or {})}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")
    return [path]


def count(path: Path) -> int:
    """Return how many records a file holds."""
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(path).metadata.num_rows)
