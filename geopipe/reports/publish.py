"""Publish: the layers and the summary into a folder, old or new, never half."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geopipe.errors import OutputError
from geopipe.identity import hash_text
from geopipe.io.geopackage import file_hash, sync, write_geopackage
from geopipe.io.store import write_text
from geopipe.reports.layers import published_layers, working_crs_wkt
from geopipe.schema import State

GEOPACKAGE = "geopipe.gpkg"
SUMMARY = "summary.json"
CURRENT = "CURRENT"
INDEX = ".index"
_BUILDING = ".geopipe-"


def publish(
    state: State, summary: dict[str, Any], folder: Path, layers: Sequence[str], started: dt.datetime
) -> list[Path]:
    """Write the GeoPackage and, last, the summary with its hash.

    Parameters
    ----------
    state : State
    summary : dict
        As `summarise` returns it; the file hashes and the time of the run are added here.
    folder : Path
        Made if it does not exist. Other files in it are left alone.
    layers : sequence of str
    started : datetime
        When the run began, with its time zone.

    Returns
    -------
    list of Path
        What was written, the file to open first.

    Raises
    ------
    OutputError
        When the folder cannot be written. What was there before is then untouched.
    """
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        handle, name = tempfile.mkstemp(prefix=f"{_BUILDING}{os.getpid()}-", suffix=".gpkg", dir=folder)
        os.close(handle)
        temporary = Path(name)
        temporary.unlink()
        write_geopackage(temporary, published_layers(state, layers), working_crs_wkt(state.working_crs))
        final = _move(temporary, folder / GEOPACKAGE, started)
    except OSError as error:
        raise OutputError(
            f"the folder cannot be written ({error})", str(folder), "Choose another with -o."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    full = {
        **summary,
        "files": {final.name: file_hash(final)},
        "run": {
            "started_at": started.isoformat(timespec="seconds"),
            "seconds": round((dt.datetime.now(dt.UTC) - started).total_seconds(), 2),
        },
    }
    # Written last: a folder whose summary does not match its files was interrupted.
    write_text(folder / SUMMARY, json.dumps(full, ensure_ascii=False, indent=1) + "\n")
    return [final, folder / SUMMARY]


def _tidy(folder: Path) -> None:
    """Remove what killed runs have left half-written; what a living process writes stays."""
    for left in folder.glob(f"{_BUILDING}*"):
        owner = left.name.removeprefix(_BUILDING).split("-")[0]
        if not (owner.isdigit() and _is_alive(int(owner))):
            with contextlib.suppress(OSError):  # Windows keeps files that are open
                left.unlink()


def _is_alive(process: int) -> bool:
    if os.name == "nt":
        return False  # there, a signal would end the process; an open file cannot be removed anyway
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _move(temporary: Path, final: Path, started: dt.datetime) -> Path:
    """Put a finished file in place; beside it, under a dated name, where a program holds the old one open."""
    try:
        temporary.replace(final)
    except PermissionError:
        final = final.with_stem(f"{final.stem}-{started:%Y%m%d-%H%M%S}")
        temporary.replace(final)
    sync(final.parent)
    return final


def read_summary(folder: Path) -> dict[str, Any]:
    """Read the summary of a published folder.

    Raises
    ------
    OutputError
        When the folder holds none, or its files are not those that the summary was written for.
    """
    path = folder / SUMMARY
    if not path.is_file():
        raise OutputError("this folder holds no finished result", str(folder), "Run `geopipe compare` again.")
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files: dict[str, str] = summary["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError("the summary is damaged", str(path), "Run it again.") from error
    for name, expected in files.items():
        if not (folder / name).is_file() or file_hash(folder / name) != expected:
            raise OutputError(
                f"{name} is not the file that the summary was written for", str(folder), "Run it again."
            )
    return summary


def settle(building: Path, runs: Path, content: str) -> Path:
    """Give a finished run the folder that is named by its content; one that is there already stays as it is.

    Parameters
    ----------
    building : Path
        Folder of the finished files.
    runs : Path
        Folder of all runs.
    content : str
        What else, beside the GeoPackage, makes two runs the same.

    Returns
    -------
    Path
        `runs/run-HASH`.
    """
    name = f"run-{hash_text(content + file_hash(building / GEOPACKAGE))}"
    folder = runs / name
    try:
        if _is_whole(folder):
            shutil.rmtree(building)
        else:
            shutil.rmtree(folder, ignore_errors=True)  # damaged since: it is made anew
            building.replace(folder)
            sync(runs)
    except OSError as error:
        raise OutputError(f"the run cannot be put in place ({error})", str(folder)) from error
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        read_summary(folder)
    except OutputError:
        return False
    return True


def current_run(folder: Path) -> Path:
    """Return where the newest result of an output folder is: in one of its runs, or in the folder itself."""
    pointer = folder / CURRENT
    if not pointer.is_file():
        return folder
    run = folder / pointer.read_text(encoding="utf-8").strip()
    if not (folder / SUMMARY).is_file():
        return run
    return max(folder, run, key=_started)


def _started(folder: Path) -> str:
    try:
        started: str = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["run"]["started_at"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return started


def point_to(folder: Path, run: Path) -> None:
    """Make a finished run the current one of an output folder."""
    name = run.relative_to(folder).as_posix()
    pointer = folder / CURRENT
    if not pointer.is_file() or pointer.read_text(encoding="utf-8").strip() != name:
        write_text(pointer, name + "\n")
