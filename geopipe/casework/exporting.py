"""Hand out cases: as a workbook or as a GeoPackage, written beside its place and moved there whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geopipe.casework.edition import Edition
from geopipe.casework.layers import write_layers
from geopipe.casework.sheet import sheet_of
from geopipe.errors import ConfigError
from geopipe.io.whole import write_whole


def write_edition(path: Path, edition: Edition, working_crs: str) -> Path:
    """Write an edition into a file, .xlsx or .gpkg; return where it is.

    Raises
    ------
    ConfigError
        When the ending of the file is another one.
    OutputError
        When it cannot be written.
    """
    writers: dict[str, Callable[[Path], object]] = {
        ".xlsx": lambda place: place.write_bytes(sheet_of(edition)),
        ".gpkg": lambda place: write_layers(place, edition, working_crs),
    }
    if path.suffix.lower() not in writers:
        raise ConfigError("the file must end in .xlsx or .gpkg", str(path), "Choose another with -o.")
    return write_whole(path, writers[path.suffix.lower()], is_confidential=edition.operator is not None)
