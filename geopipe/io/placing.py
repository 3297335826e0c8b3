"""Finished files moved to their place; beside it where a program on Windows holds the old one open."""

from __future__ import annotations

import datetime as dt
from pathlib import Path


def place(building: Path, final: Path, when: dt.datetime) -> Path:
    """Move a finished file to its place, replacing an earlier one whole; return where it is.

    Windows does not let a file be replaced while QGIS, Excel or a PDF reader shows it. The new one then gets
    a dated name beside it, and the old one stays.

    Parameters
    ----------
    building, final : Path
        On one disk.
    when : datetime
        What the dated name says.

    Raises
    ------
    OSError
        When it cannot be moved there at all.
    """
    try:
        building.replace(final)
    except PermissionError:
        final = final.with_stem(f"{final.stem}-{when:%Y%m%d-%H%M%S}")
        building.replace(final)
    return final
