"""Put a finished file in its place: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from geopipe.errors import OutputError


def write_file(path: Path, content: bytes) -> Path:
    """Write a file beside its place and move it there; return where it is.

    Raises
    ------
    OutputError
        When the folder does not exist, the disk refuses, or a program holds the old file open.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(
            f"the file cannot be written ({error})", str(path), "Is it open in another program?"
        ) from error
    return path
