"""Write a workbook beside its place and move it there whole; find the pages of a pack to link to."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import sync

_READABLE_FOR_ALL = 0o644
_OWNER_ONLY = 0o600


def write_workbook(path: Path, data: bytes, is_confidential: bool) -> Path:
    """Write a workbook; where the place is open in Excel, a file with a number stands beside it.

    Raises
    ------
    ConfigError
        When the ending of the file is another one.
    OutputError
        When it cannot be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise ConfigError("the file must end in .xlsx", str(path), "Choose another with -o.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".building-", suffix=".xlsx", dir=path.parent)
        building = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            building.chmod(_OWNER_ONLY if is_confidential else _READABLE_FOR_ALL)
            sync(building)
            return _moved(building, path)
        finally:
            building.unlink(missing_ok=True)
    except OSError as error:
        remedy = "Is the disk full or read-only? Choose another place with -o."
        raise OutputError(f"the file cannot be written ({error})", str(path), remedy) from error


def _moved(building: Path, path: Path) -> Path:
    """Move a file to its place; Windows refuses it while the old one is open."""
    for place in (path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, 10))):
        try:
            building.replace(place)
        except PermissionError:
            continue
        return place
    raise PermissionError(f"{path.name} and eight files beside it are open")


def links_to_pack(told: Path | None, workbook: Path) -> dict[str, str]:
    """Return where the page of each case is, from what `geopipe pack --json` has printed.

    Raises
    ------
    ConfigError
        When the file is not that.
    """
    if told is None:
        return {}
    try:
        pack = json.loads(told.read_text(encoding="utf-8"))
        pdf, pages = Path(pack["file"]), {str(case): int(page) for case, page in pack["pages"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Write it with geopipe pack ... --json > pack.json."
        raise ConfigError("this does not say the pages of a pack", str(told), remedy) from error
    # Relative to the workbook: both go together on one USB stick.
    place = os.path.relpath(pdf.absolute(), workbook.absolute().parent).replace(os.sep, "/")
    return {case: f"external:{place}#page={page}" for case, page in pages.items()}
