"""Publish: the layers and the summary into a folder, old or new, never half."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geopipe.errors import OutputError
from geopipe.identity import hash_text
from geopipe.io.geopackage import file_hash, sync, write_geopackage
from geopipe.io.placing import place
from geopipe.io.store import write_text
from geopipe.io.whole import make_folder
from geopipe.reports.layers import published_layers, working_crs_wkt
from geopipe.reports.returned.files import ENDINGS, FOLDER
from geopipe.reports.returned.kept import KeptReturns
from geopipe.reports.returned.meanwhile import written_meanwhile
from geopipe.reports.returned.returns import Return
from geopipe.schema import Frame, State
from geopipe.unfinished import unfinished_folder

GEOPACKAGE = "geopipe.gpkg"
SUMMARY = "summary.json"
CURRENT = "CURRENT"
INDEX = ".index"


def as_written(path: Path) -> None:
    """Leave a GeoPackage as it was written."""


def publish(
    state: State,
    summary: dict[str, Any],
    folder: Path,
    layers: Sequence[str],
    started: dt.datetime,
    returns: Sequence[Return] = (),
    cases: Frame | None = None,
    dress: Callable[[Path], None] = as_written,
    kept_returns: KeptReturns | None = None,
    workers: int = 1,
) -> list[Path]:
    """Write the GeoPackage, the files for senders and, last, the summary with the hashes of all.

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
    returns : sequence of Return
        What goes back to each sender, written into the folder `return`. What an earlier result has
        left there for senders to whom nothing goes back now is removed, so that nobody sends it.
    cases : Frame, optional
        CASES of the register, where there is one.
    dress : callable
        What is done to the GeoPackage before it is published; again, if it gets another name.
    kept_returns : KeptReturns, optional
        Files for senders that need not be written anew.
    workers : int
        How many processes may be at work.

    Returns
    -------
    list of Path
        The GeoPackage, which is to be opened first, and the summary.

    Raises
    ------
    OutputError
        When the folder cannot be written. What was there before is then untouched.
    """
    with (
        _building_in(folder) as building,
        written_meanwhile(building / FOLDER, returns, kept_returns, workers) as files_for_senders,
    ):
        write_geopackage(
            building / GEOPACKAGE,
            published_layers(state, layers, cases),
            working_crs_wkt(state.working_crs),
        )
        dress(building / GEOPACKAGE)
        made = files_for_senders()
        earlier = _earlier_returns(folder)
        if made:
            (folder / FOLDER).mkdir(exist_ok=True)
        final = _move(building / GEOPACKAGE, folder / GEOPACKAGE, started)
        if final.name != GEOPACKAGE:
            dress(final)
        placed = place_returns(made, folder / FOLDER, started, earlier)
    full = {
        **summary,
        "files": {path.relative_to(folder).as_posix(): file_hash(path) for path in (final, *placed.values())},
        "run": {
            "started_at": started.isoformat(timespec="seconds"),
            "seconds": round((dt.datetime.now(dt.UTC) - started).total_seconds(), 2),
        },
    }
    if placed:
        full["returns"] = {
            sender: item | renamed(item, placed, FOLDER) for sender, item in summary["returns"].items()
        }
    # Written last: a folder whose summary does not match its files was interrupted.
    write_text(folder / SUMMARY, json.dumps(full, ensure_ascii=False, indent=1) + "\n")
    return [final, folder / SUMMARY]


@contextmanager
def _building_in(folder: Path) -> Iterator[Path]:
    """Give a folder beside the results in which files are finished before they are put in place."""
    try:
        make_folder(folder, is_confidential=False)
        with unfinished_folder(folder) as building:
            yield building
    except OSError as error:
        raise OutputError(
            f"the folder cannot be written ({error})", str(folder), "Choose another with -o."
        ) from error


def _earlier_returns(folder: Path) -> dict[str, str]:
    """Return the files for senders that the last finished result wrote, with their hashes."""
    try:
        files = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["files"]
        return {Path(name).name: digest for name, digest in files.items() if name.startswith(f"{FOLDER}/")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def place_returns(
    made: Sequence[Path], folder: Path, started: dt.datetime, earlier: Mapping[str, str]
) -> dict[str, Path]:
    """Move finished files for senders into their folder; return by name where each one is now.

    A file there that geopipe did not leave so may hold somebody's answers: it gets a dated name.

    Parameters
    ----------
    made : sequence of Path
    folder : Path
    started : datetime
    earlier : mapping of name to sha256
        Files that an earlier result left; those that are not made again are removed.
    """
    placed = {}
    for path in made:
        final = folder / path.name
        if final.is_file() and file_hash(final) not in (earlier.get(path.name), file_hash(path)):
            _keep(final, started)
        placed[path.name] = _move(path, final, started)
    current = {*placed, *(path.name for path in placed.values())}
    for name, digest in earlier.items():
        left = folder / name
        if name in current or not left.is_file():
            continue
        if file_hash(left) == digest:
            with contextlib.suppress(PermissionError):  # Windows keeps files that are open
                left.unlink()
        else:
            _keep(left, started)
    with contextlib.suppress(OSError):
        folder.rmdir()  # only an empty folder goes
    return placed


def renamed(item: Mapping[str, Any], placed: Mapping[str, Path], folder: str) -> dict[str, str]:
    """Return where the files of one return are now: one that was open elsewhere has got another name."""
    return {key: f"{folder}/{placed[Path(item[key]).name].name}" for key in ENDINGS}


def _keep(path: Path, started: dt.datetime) -> None:
    """Give a file that somebody has changed a dated name."""
    with contextlib.suppress(PermissionError):  # it is open: the new file gets the dated name instead
        path.replace(path.with_stem(f"{path.stem}-kept-{started:%Y%m%d-%H%M%S}"))


def _move(temporary: Path, final: Path, started: dt.datetime) -> Path:
    """Put a finished file in place; beside it, under a dated name, where a program holds the old one open."""
    placed = place(temporary, final, started)
    sync(final.parent)
    return placed


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
        What else, beside the files, makes two runs the same.

    Returns
    -------
    Path
        `runs/run-HASH`.
    """
    files = json.loads((building / SUMMARY).read_text(encoding="utf-8"))["files"]
    name = f"run-{hash_text(content + json.dumps(files))}"
    folder = runs / name
    try:
        if _is_whole(folder):
            shutil.rmtree(building)
        else:
            shutil.rmtree(folder, ignore_errors=True)  # damaged since: it is made anew
            sync(building)
            building.replace(folder)
            sync(runs)
            sync(runs.parent)
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
