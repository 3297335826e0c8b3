"""Tables read from Arrow files: mapped from the disk, but not where a mapped file could not be removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Windows neither removes nor replaces a file while somebody has mapped it, and a table outlives its folder.
MAPPED_FILES_CAN_GO = os.name != "nt"


def read_arrow_file(path: Path | str) -> pa.Table:
    """Read the table of an Arrow file; nothing is held open on Windows, where it is copied into memory.

    Raises
    ------
    OSError, pyarrow.ArrowInvalid
        When the file is missing or damaged.
    """
    import pyarrow as pa

    if not MAPPED_FILES_CAN_GO:
        return pa.ipc.open_file(pa.py_buffer(Path(path).read_bytes())).read_all()
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
