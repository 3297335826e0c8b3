"""Frames kept beside the ledger: Arrow files with their working CRS, written whole, checked when read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from geopipe.arrowfile import read_arrow_file
from geopipe.crs import choose_operation, transform
from geopipe.errors import OutputError, RegisterError
from geopipe.geometry import repair
from geopipe.io.geopackage import file_hash, sync
from geopipe.schema import FEATURES, Frame, make_frame, measures_of
from geopipe.shapes import Undecoded
from geopipe.terms import RELEASED_KINDS
from geopipe.unfinished import unfinished_file

_CRS = b"geopipe.working_crs"


def keep_frame(path: Path, frame: Frame, working_crs: str) -> str:
    """Write a frame so that the file is there wholly or not at all; return its sha256."""
    table = frame.table.whole().append_column("geometry", frame.wkb().combine_chunks())
    table = table.replace_schema_metadata({_CRS: working_crs.encode()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_file(path) as building:
            with pa.OSFile(str(building), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
            sync(building)
            building.chmod(0o644)
            written = file_hash(building)
            building.replace(path)
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"the ledger's folder cannot be written ({error})", str(path.parent)) from error
    return written


def kept_frame(path: Path, sha256: str, working_crs: str, schema: pa.Schema = FEATURES) -> Frame:
    """Read rows that were kept, FEATURES unless another schema is named, in a working CRS.

    A column that this version of geopipe has added since is null.

    Raises
    ------
    RegisterError
        When the file is missing, or is not the one that was written.
    """
    if not path.is_file() or file_hash(path) != sha256:
        what = "is damaged" if path.is_file() else "is missing"
        raise RegisterError(
            f"a delivery that the ledger knows {what}", str(path), "Restore the folder from your backup."
        )
    table = read_arrow_file(path)
    stored = table.schema.metadata[_CRS].decode()
    columns = {name: table[name] for name in schema.names if name in table.column_names}
    frame = make_frame(schema, columns, Undecoded(table["geometry"].cast(pa.large_binary())))
    return _moved(frame, stored, working_crs) if stored != working_crs and len(frame) else frame


def kept_columns(path: Path, names: Sequence[str]) -> pa.Table:
    """Return some columns of FEATURES that were kept, mapped from the file; a column that it lacks is null.

    Raises
    ------
    RegisterError
        When the file is missing or cannot be read.
    """
    try:
        table = read_arrow_file(path)
    except (OSError, pa.ArrowInvalid) as error:
        remedy = "geopipe register check says more."
        raise RegisterError("a delivery that the ledger knows cannot be read", str(path), remedy) from error
    return pa.table(
        {
            name: table[name]
            if name in table.column_names
            else pa.nulls(table.num_rows, FEATURES.field(name).type)
            for name in names
        }
    )


def _moved(frame: Frame, stored: str, working_crs: str) -> Frame:
    """Bring kept polygons into another working CRS; what rounding breaks is mended to the safe side."""
    transformer, _ = choose_operation(stored, working_crs)
    geometry = transform(frame.geometry, transformer)
    rows = np.flatnonzero(~shapely.is_valid(geometry))
    mended, released = repair(geometry[rows]), frame.take(rows).flags("kind", sorted(RELEASED_KINDS))
    geometry[rows] = np.where(released, mended.common, mended.union)
    return frame.with_geometry(geometry).with_columns(measures_of(geometry))


class KeptFrames:
    """Frames that were kept, in one working CRS, each file read once."""

    def __init__(self, working_crs: str) -> None:
        self._working_crs = working_crs
        self._frames: dict[Path, Frame] = {}

    def read(self, path: Path, sha256: str) -> Frame:
        """Return the frame of a file."""
        if path not in self._frames:
            self._frames[path] = kept_frame(path, sha256, self._working_crs)
        return self._frames[path]
