"""Write a workbook beside its place and move it there whole; find the pages of a pack to link to."""

from __future__ import annotations

import json
import os
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.io.whole import write_whole


def write_workbook(path: Path, data: bytes, is_confidential: bool) -> Path:
    """Write a workbook; return where it is.

    Raises
    ------
    ConfigError
        When the ending of the file is another one.
    OutputError
        When it cannot be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise ConfigError("the file must end in .xlsx", str(path), "Choose another with -o.")
    return write_whole(path, lambda place: place.write_bytes(data), is_confidential=is_confidential)


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
