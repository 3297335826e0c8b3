"""Hand out cases: as a workbook or as a GeoPackage, written beside its place and moved there whole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from geopipe.casework.edition import Edition
from geopipe.casework.layers import write_layers
from geopipe.casework.sheet import sheet_of
from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import sync

_READABLE_FOR_ALL = 0o644
_OWNER_ONLY = 0o600


def write_edition(path: Path, edition: Edition, working_crs: str) -> None:
    """Write an edition into a file, .xlsx or .gpkg; an earlier one of this name is replaced whole.

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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=path.parent) as folder:
            building = Path(folder) / path.name
            writers[path.suffix.lower()](building)
            # What goes to one operator is nobody else's business.
            building.chmod(_READABLE_FOR_ALL if edition.operator is None else _OWNER_ONLY)
            sync(building)
            building.replace(path)
        sync(path.parent)
    except OSError as error:
        remedy = "Is it open in Excel or QGIS? Close it, or choose another with -o."
        raise OutputError(f"the file cannot be written ({error})", str(path), remedy) from error
