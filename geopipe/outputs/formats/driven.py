"""Formats that GDAL writes: GeoJSON and FlatGeobuf."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from geopipe.outputs.formats.pieces import Piece

# A millionth of a degree is 11 cm; with nine decimals a border that is shared stays shared to 0.1 mm.
_DECIMALS = 9


def write_geojson(folder: Path, piece: Piece) -> list[Path]:
    """Write GeoJSON (RFC 7946): WGS 84, longitude first, outer rings against the clock."""
    path = folder / f"{piece.name}.geojson"
    options = {"RFC7946": "YES", "COORDINATE_PRECISION": str(_DECIMALS), "WRITE_NAME": "NO"}
    _write(path, piece, piece.with_geometry(piece.lonlat), "GeoJSON", "EPSG:4326", options)
    return [path]


def write_flatgeobuf(folder: Path, piece: Piece) -> list[Path]:
    """Write FlatGeobuf in the working CRS (m), so that areas stay true."""
    path = folder / f"{piece.name}.fgb"
    # The index of the format has no place for a record without geometry.
    options = {"SPATIAL_INDEX": "NO" if piece.has_missing else "YES"}
    _write(path, piece, piece.with_geometry(piece.geometry), "FlatGeobuf", piece.crs_wkt, options)
    return [path]


def count(path: Path) -> int:
    """Return how many records a file holds, by reading all of them: a head may promise more."""
    import pyogrio

    with pyogrio.open_arrow(path, use_pyarrow=True) as (_, reader):
        return sum(batch.num_rows for batch in reader)


def _write(path: Path, piece: Piece, table: pa.Table, driver: str, crs: str, options: dict[str, str]) -> None:
    import pyogrio

    pyogrio.write_arrow(
        table, path, layer=piece.name, driver=driver, geometry_name="geometry", crs=crs,
        geometry_type=piece.geometry_type, layer_options=options,
    )  # fmt: skip
