"""Write GeoPackages: into a new file, read back and counted, then moved into place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.errors import OutputError
from geopipe.picked import Picked
from geopipe.schema import Frame, Geometries, from_wkb, to_wkb
from geopipe.shapes import Undecoded

# Fixed, so that the same content gives the same file: when a run was made stands in its manifest.
_FIXED_DATE = "2000-01-01T00:00:00.000Z"
# The file is not yet anybody's: speed instead of a journal, and one fsync at the end.
_WHILE_WRITING = {
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
    "OGR_SQLITE_JOURNAL": "OFF",
    "OGR_CURRENT_DATE": _FIXED_DATE,
}
# Rows that are in memory a second time, as WKB, while they are written.
_ROWS_AT_ONCE = 10_000
# Layers of one type of geometry: the WKB code of the declared type, and which shapely types are single.
_MULTI = {"MultiPoint": (4, 1), "MultiLineString": (5, 2), "MultiPolygon": (6, 3)}


@dataclass(frozen=True)
class Layer:
    """A table of a GeoPackage; `geometry_type` is '' for a table without geometry."""

    name: str
    table: Picked
    geometry: Geometries | Undecoded | None = None
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

    settings = {**_WHILE_WRITING, "OGR_SQLITE_PRAGMA": f"page_size={_page_bytes(layers)}"}
    pyogrio.set_gdal_config_options(settings)
    try:
        for number, layer in enumerate(layers):
            options: dict[str, object] = (
                {"append": True} if number else {"dataset_options": {"VERSION": "1.2"}}
            )
            if layer.geometry is not None:
                options |= {"geometry_name": "geometry", "geometry_type": layer.geometry_type, "crs": crs_wkt}
            _write(layer, path, options)
        _check(path, layers)
        sync(path)
    except (OSError, sqlite3.Error, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise OutputError(
            f"the GeoPackage could not be written ({error})", str(path), "Is the disk full or read-only?"
        ) from error
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(settings))


def _write(layer: Layer, path: Path, options: dict[str, object]) -> None:
    """Write one layer; what goes wrong with its rows, or an interruption meanwhile, is raised as it was."""
    import pyogrio

    faults: list[BaseException] = []
    try:
        pyogrio.write_arrow(_stream(layer, faults), path, layer=layer.name, driver="GPKG", **options)
    except RuntimeError:
        if faults:  # pyogrio says no more than that there was one
            raise faults[0] from None
        raise


def _page_bytes(layers: Sequence[Layer]) -> int:
    """Return the size of the pages of a file: large ones are faster, but every table takes some."""
    return 8192 if sum(layer.table.num_rows for layer in layers) > _ROWS_AT_ONCE else 4096


def _stream(layer: Layer, faults: list[BaseException]) -> pa.RecordBatchReader:
    """Return the rows of a layer, a part of them at a time, so that no second copy of all is made.

    What ends them early is added to `faults`.
    """
    schema = layer.table.schema
    if layer.geometry is not None:
        schema = schema.append(pa.field("geometry", pa.binary()))
    batches = _batches(layer, faults)
    next(batches)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _batches(layer: Layer, faults: list[BaseException]) -> Iterator[pa.RecordBatch]:
    """Yield nothing once, so that even an interruption of the first part is seen, and then the parts."""
    try:
        yield None
        for start in range(0, layer.table.num_rows, _ROWS_AT_ONCE):
            yield from _rows_from(layer, start)
    except (Exception, KeyboardInterrupt) as error:
        faults.append(error)
        raise


def _rows_from(layer: Layer, start: int) -> list[pa.RecordBatch]:
    """Return a part of the rows of a layer, with their geometries in the declared type."""
    rows = layer.table.slice(start, _ROWS_AT_ONCE)
    if layer.geometry is not None:
        wkb = _part(layer.geometry, start, start + rows.num_rows)
        rows = rows.append_column("geometry", _declared_wkb(wkb, layer.geometry_type))
    return list(rows.to_batches())


def _part(shapes: Geometries | Undecoded, start: int, stop: int) -> pa.Array:
    """Return some geometries, one after the other, as WKB."""
    if isinstance(shapes, Undecoded):
        return shapes.take(np.arange(start, stop)).wkb().combine_chunks().cast(pa.binary())
    return to_wkb(shapes[start:stop]).cast(pa.binary())


def _declared_wkb(wkb: pa.Array, geometry_type: str) -> pa.Array:
    """Return WKB in the declared type: single geometries as multi."""
    if geometry_type not in _MULTI:  # a layer of mixed types stays as it is
        return wkb
    code, single = _MULTI[geometry_type]
    # A multi geometry of one part is that part behind a header.
    header = pa.scalar(b"\x01" + code.to_bytes(4, "little") + (1).to_bytes(4, "little"))
    alone = pc.binary_join_element_wise(header, wkb, pa.scalar(b""))
    # Byte order, then the type as four bytes, the lowest first.
    is_single = pc.equal(pc.binary_slice(wkb, 1, 2), pa.scalar(single.to_bytes(1, "little")))
    return pc.if_else(is_single, alone, wkb)


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


def sync_all(folder: Path) -> None:
    """Make sure that a folder is on the disk with all that is in it."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


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
    return Frame.of(table.drop_columns([column]), from_wkb(table[column])), str(meta["crs"])


def read_table(path: Path, name: str) -> pa.Table:
    """Read a layer that geopipe has written, without geometry.

    Raises
    ------
    OutputError
        When the file does not hold the layer.
    """
    import pyogrio

    try:
        _, table = pyogrio.raw.read_arrow(path, layer=name, read_geometry=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        remedy = f"Run it again with --layers {name} or without --layers."
        raise OutputError(f"there is no layer {name!r}", str(path), remedy) from error
    return table
