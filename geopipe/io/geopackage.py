"""Write GeoPackages: into a new file, read back and counted, then moved into place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.errors import OutputError
from geopipe.schema import Frame, Geometries, from_wkb, to_wkb

# Fixed, so that the same content gives the same file: when a run was made stands in its manifest.
_FIXED_DATE = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Layer:
    """A table of a GeoPackage; `geometry_type` is '' for a table without geometry."""

    name: str
    table: pa.Table
    geometry: Geometries | None = None
    geometry_type: str = ""


def write_geopackage(path: Path, layers: Sequence[Layer], crs_wkt: str) -> None:
    """Write layers into a new GeoPackage 1.2 at `path`, in order, and check what was written.

    Parameters
    ----------
    path : Path
        Must not exist: the caller moves it to its final name afterwards.
    layers : sequence of Layer
    crs_wkt : str
        CRS of all geometries.

    Raises
    ------
    OutputError
        When the disk refuses, or the file read back does not hold what was written.
    """
    import pyogrio

    # The file is not yet anybody's: speed instead of a journal, and one fsync at the end.
    pyogrio.set_gdal_config_options(
        {"OGR_SQLITE_SYNCHRONOUS": "OFF", "OGR_SQLITE_JOURNAL": "OFF", "OGR_CURRENT_DATE": _FIXED_DATE}
    )
    try:
        for number, layer in enumerate(layers):
            options: dict[str, object] = (
                {"append": True} if number else {"dataset_options": {"VERSION": "1.2"}}
            )
            table = layer.table
            if layer.geometry is not None:
                geometry = _as_declared(layer.geometry, layer.geometry_type)
                table = table.append_column("geometry", to_wkb(geometry).cast(pa.binary()))
                options |= {"geometry_name": "geometry", "geometry_type": layer.geometry_type, "crs": crs_wkt}
            pyogrio.write_arrow(table, path, layer=layer.name, driver="GPKG", **options)
        _check(path, layers)
        sync(path)
    except (OSError, sqlite3.Error, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise OutputError(
            f"the GeoPackage could not be written ({error})", str(path), "Is the disk full or read-only?"
        ) from error
    finally:
        pyogrio.set_gdal_config_options(
            {"OGR_SQLITE_SYNCHRONOUS": None, "OGR_SQLITE_JOURNAL": None, "OGR_CURRENT_DATE": None}
        )


def _as_declared(geometry: Geometries, geometry_type: str) -> Geometries:
    """Make single geometries multi where the layer is declared so; a layer of mixed types stays as it is."""
    makers: dict[str, Callable[..., Any]] = {
        "MultiPolygon": shapely.multipolygons,
        "MultiLineString": shapely.multilinestrings,
        "MultiPoint": shapely.multipoints,
    }
    if geometry_type not in makers:
        return geometry
    parts, owner = shapely.get_parts(geometry, return_index=True)
    result = np.full(len(geometry), None, dtype=object)
    if len(parts):
        rows = np.unique(owner)
        made = makers[geometry_type](parts, indices=np.searchsorted(rows, owner))
        result[rows] = made
    return result


def _check(path: Path, layers: Sequence[Layer]) -> None:
    """Open the new file again with SQLite itself and count the rows of every layer."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for layer in layers:
            written = connection.execute(f'SELECT count(*) FROM "{layer.name}"').fetchone()[0]  # noqa: S608
            if written != layer.table.num_rows:
                raise OSError(f"layer {layer.name} holds {written} of {layer.table.num_rows} rows")
        if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise OSError("the file is damaged after writing")


def sync(path: Path) -> None:
    """Make sure that a file, or the names in a folder, are on the disk."""
    flags = os.O_RDONLY
    if path.is_dir() and os.name == "nt":
        return  # Windows has no fsync of folders
    handle = os.open(path, flags if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    digest = sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_layer(path: Path, name: str) -> tuple[Frame, str]:
    """Read a layer that geopipe has written; return it with its CRS as WKT.

    Raises
    ------
    OutputError
        When the file does not hold the layer.
    """
    import pyogrio

    try:
        meta, table = pyogrio.raw.read_arrow(path, layer=name)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise OutputError(
            f"there is no layer {name!r}",
            str(path),
            f"Run it again with --layers {name} or without --layers.",
        ) from error
    column = meta["geometry_name"] or "wkb_geometry"
    return Frame(table.drop_columns([column]), from_wkb(table[column])), str(meta["crs"])
