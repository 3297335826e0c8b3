"""The index on disk: an R-tree of the areas' boxes, stamped with what it was built from."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from geopipe import runtime  # noqa: F401  rtree needs what it loads
from geopipe.errors import OutputError
from geopipe.schema import Indices
from geopipe.unfinished import unfinished_folder

Boxes: TypeAlias = NDArray[np.float64]
_STAMP = "stamp.json"
_NAME = "areas"
# On Windows, libspatialindex takes the signs of a path for those of the system's old code page.
TAKES_ANY_NAME = os.name != "nt"


def build_index(folder: Path, boxes: Boxes, ids: NDArray[np.object_]) -> None:
    """Write an R-tree of the boxes of areas, replacing the one that was there.

    Parameters
    ----------
    folder : Path
    boxes : array of shape (n, 4)
        West, south, east, north of each area, in the CRS in which the index will be asked; NaN for none.
    ids : array of str
        What the index is stamped with; the number of a box is its position here.

    Raises
    ------
    OutputError
        When the disk refuses.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(folder.parent) as building:
            _write(building, boxes, ids)
            shutil.rmtree(folder, ignore_errors=True)
            building.chmod(0o755)  # a temporary folder is private, an index is not
            building.replace(folder)
    except OSError as error:
        remedy = "Is the disk full or read-only?"
        raise OutputError(f"the index cannot be written ({error})", str(folder), remedy) from error


def _write(building: Path, boxes: Boxes, ids: NDArray[np.object_]) -> None:
    """Write tree and stamp into a folder of their own."""
    from rtree import index

    present = np.flatnonzero(np.isfinite(boxes).all(axis=1))  # rtree refuses NaN
    properties = index.Property(dimension=2, overwrite=True)
    with _named(building) as name:
        if len(present):
            stream = (present, boxes[present][:, :2].copy(), boxes[present][:, 2:].copy())
            tree = index.Index(name, stream, properties=properties)
        else:
            tree = index.Index(name, properties=properties)
        tree.close()
    stamped = json.dumps({"areas": stamp(boxes, ids), "checksums": _checksums(building)})
    (building / _STAMP).write_text(stamped, encoding="utf-8")


def stamp(boxes: Boxes, ids: NDArray[np.object_]) -> str:
    """Return the hash of the areas that an index is built from: their ids and their boxes."""
    box_bytes = np.ascontiguousarray(np.nan_to_num(boxes, nan=-1.0), dtype="<f8").tobytes()
    return sha256("\n".join(map(str, ids)).encode() + b"\0" + box_bytes).hexdigest()


def is_current(folder: Path, boxes: Boxes, ids: NDArray[np.object_]) -> bool:
    """Say whether the index on disk was built from exactly these areas."""
    try:
        kept: dict[str, Any] = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return kept.get("areas") == stamp(boxes, ids) and kept.get("checksums") == _checksums(folder)


def _checksums(folder: Path) -> dict[str, int]:
    """Return a checksum of each of the tree's files: one that was cut, or never written, is not asked."""
    return {path.name: crc32(path.read_bytes()) for path in sorted(folder.glob(f"{_NAME}.*"))}


def boxes_meeting(folder: Path, box: Sequence[float]) -> Indices:
    """Return the positions of the areas whose boxes meet a box (in the CRS of the index), in order."""
    from rtree import index

    with _named(folder) as name:
        tree = index.Index(name, properties=index.Property(dimension=2))
        try:
            return np.array(sorted(tree.intersection(tuple(box))), dtype=np.intp)
        finally:
            tree.close()


@contextmanager
def _named(folder: Path) -> Iterator[str]:
    """Give the name of the tree's files as libspatialindex can open them."""
    if TAKES_ANY_NAME or str(folder).isascii():
        yield str(folder / _NAME)
        return
    with contextlib.chdir(folder):
        yield _NAME
