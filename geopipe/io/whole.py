"""One file for somebody: written beside its place and moved there whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from geopipe.errors import OutputError
from geopipe.io.geopackage import sync
from geopipe.io.placing import place
from geopipe.unfinished import unfinished_folder

READABLE_FOR_ALL = 0o644
OWNER_ONLY = 0o600
_FOLDER_OF_OWNER, _FOLDER_OF_GROUP = 0o700, 0o750


def make_folder(folder: Path, *, is_confidential: bool) -> None:
    """Make a folder, and those above it, where they are not there: for the owner alone, or for the group too.

    What is there keeps its rights: somebody may have chosen them.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=_FOLDER_OF_OWNER if is_confidential else _FOLDER_OF_GROUP, exist_ok=True)


def write_whole(path: Path, write: Callable[[Path], object], *, is_confidential: bool) -> Path:
    """Write a file, replacing an earlier one whole; return where it is.

    Where the earlier one is open in another program, it gets a dated name beside it.

    Parameters
    ----------
    path : Path
    write : callable
        Writes the file at the place that it is given.
    is_confidential : bool
        What goes to one operator is nobody else's business: only the owner may read it.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(path.parent) as folder:
            building = folder / path.name
            write(building)
            building.chmod(OWNER_ONLY if is_confidential else READABLE_FOR_ALL)
            sync(building)
            placed = place(building, path, dt.datetime.now())
        sync(path.parent)
    except OSError as error:
        remedy = "Is it open elsewhere, or the disk full or read-only? Choose another with -o."
        raise OutputError(f"the file cannot be written ({error})", str(path), remedy) from error
    return placed
