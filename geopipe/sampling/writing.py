"""Write a sample into a folder of its own, readable for its owner only, the record last."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from geopipe.errors import OutputError
from geopipe.io.geopackage import file_hash, sync
from geopipe.sampling.drawing import Sample
from geopipe.sampling.gpx import gpx_of
from geopipe.sampling.layers import write_layers
from geopipe.sampling.pages import pages_of
from geopipe.sampling.record import RECORD, record_of
from geopipe.sampling.sheet import sheet_of
from geopipe.unfinished import unfinished_file, unfinished_folder

SHEET, MAP, GPX, LAYERS = "sheet.xlsx", "map.html", "sample.gpx", "sample.gpkg"
_OWNER_ONLY = 0o600


def write_sample(sample: Sample, folder: Path, result: Path) -> list[Path]:
    """Write sheet, map, GPX, GeoPackage and, last, the record of a sample.

    Parameters
    ----------
    sample : Sample
    folder : Path
        Made if it does not exist. A sample that is there already is never overwritten: its sheet may hold
        answers.
    result : Path
        The result that was drawn from: a sample must not lie in it, because results are handed on.

    Raises
    ------
    OutputError
        When the folder holds a sample, belongs to the result, or cannot be written.
    """
    require_free(folder, result)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(folder) as building:
            (building / SHEET).write_bytes(sheet_of(sample))
            (building / MAP).write_text(pages_of(sample), encoding="utf-8", newline="\n")
            (building / GPX).write_text(gpx_of(sample), encoding="utf-8", newline="\n")
            write_layers(building / LAYERS, sample)
            names = (SHEET, MAP, GPX, LAYERS)
            record = record_of(sample, {name: file_hash(building / name) for name in names})
            (building / RECORD).write_text(as_json(record), encoding="utf-8", newline="\n")
            return [_placed(building / name, folder) for name in (*names, RECORD)]
    except OSError as error:
        raise OutputError(
            f"the sample cannot be written ({error})", str(folder), "Choose another with -o."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()  # only an empty folder goes


def require_free(folder: Path, result: Path) -> None:
    """Refuse a folder that holds a sample, or that is or lies in the folder of a result."""
    if folder.resolve().is_relative_to(result.resolve()):
        raise OutputError(
            "a sample must not lie in the folder of the result, which is handed on", str(folder),
            "Choose another with -o.",
        )  # fmt: skip
    for name in (RECORD, SHEET, MAP, GPX, LAYERS):
        if (folder / name).exists():
            raise OutputError(f"{name} is there already; nothing is overwritten", str(folder),
                              "Choose another folder with -o.")  # fmt: skip


def as_json(value: object) -> str:
    """Return plain values as the text of a JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def write_private(path: Path, text: str) -> None:
    """Write a small file, old or new, never half, that only its owner can read."""
    try:
        with unfinished_file(path) as building:  # readable for its owner only
            with building.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            building.replace(path)
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"the file could not be written ({error})", str(path)) from error


def _placed(path: Path, folder: Path) -> Path:
    """Move a finished file into the folder of the sample."""
    path.chmod(_OWNER_ONLY)
    sync(path)
    final = folder / path.name
    path.replace(final)
    sync(folder)
    return final
