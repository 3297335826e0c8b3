"""The files for senders by themselves: copied from a finished result, or made anew from a workspace."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from geopipe.catalogue import Language, load_catalogue
from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import sync
from geopipe.io.store import load_state
from geopipe.recognition import fold_tight
from geopipe.reports.publish import current_run, place_returns, read_summary, renamed
from geopipe.reports.returned.files import ENDINGS, summarise_returns, write_returns
from geopipe.reports.returned.returns import LANGUAGES, collect_returns
from geopipe.running import LAST, last_state
from geopipe.settings import did_you_mean
from geopipe.unfinished import unfinished_folder

_FIRST_STAGE = "reproject"  # before it, nothing has a place that is comparable


def write_return_files(
    place: Path, output: Path, stages: Sequence[str], operator: str | None, languages: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Write the files of all senders, or of one, into a folder; other files in it are left alone.

    Parameters
    ----------
    place : Path
        A result that was published, or a workspace in which `reproject` was run.
    output : Path
        Made if it does not exist.
    stages : sequence of str
        All stages, in order: the newest one that a workspace holds is used.
    operator : str, optional
        The one sender wanted.
    languages : sequence of {'en', 'lo'}
        Both where none is named. A published result has both.

    Returns
    -------
    dict
        For each sender the records returned and questioned, and its workbook.

    Raises
    ------
    ConfigError
        When nothing goes back to the sender who was named.
    OutputError
        When the folder cannot be written, or the result is damaged.
    """
    is_workspace = (place / LAST).is_file() or (place / _FIRST_STAGE / "state.json").is_file()
    if languages and not is_workspace:
        remedy = "Leave out --lang, or name the workspace of the run."
        raise ConfigError("a finished result has files in both languages", str(place), remedy)
    chosen = cast(Sequence[Language], list(dict.fromkeys(languages)) or list(LANGUAGES))
    make = _from_workspace(place, stages, chosen) if is_workspace else _from_run(place)
    return _written(output, make, operator)


_Made = tuple[dict[str, dict[str, Any]], Callable[[Path, Iterable[str]], list[Path]]]


def _from_workspace(workspace: Path, stages: Sequence[str], languages: Sequence[Language]) -> _Made:
    """Return what goes back by the last run, or the newest stage, of a workspace, and how to write it."""
    if (workspace / LAST).is_file():
        state = last_state(workspace)
    else:
        done = [stage for stage in stages if (workspace / stage / "state.json").is_file()]
        state = load_state(workspace, done[-1])
    returns = collect_returns(state, load_catalogue())

    def write(folder: Path, senders: Iterable[str]) -> list[Path]:
        wanted = [back for back in returns if back.sender in set(senders)]
        return write_returns(folder, wanted, load_catalogue(), languages)

    return summarise_returns(returns), write


def _from_run(folder: Path) -> _Made:
    """Return what goes back by a published result, and how to copy its files."""
    run = current_run(folder)
    summary = read_summary(run)  # holds the files to their hashes
    returns: dict[str, dict[str, Any]] | None = summary.get("returns", {})
    if returns is None:
        raise ConfigError(
            "this result was published with some layers only, and without the files for senders",
            str(run),
            "Run it again without --layers, or name the workspace of the run.",
        )

    def copy(target: Path, senders: Iterable[str]) -> list[Path]:
        target.mkdir()
        sources = [run / returns[sender][key] for sender in senders for key in ENDINGS]
        copies = [Path(shutil.copyfile(source, target / source.name)) for source in sources]
        for path in copies:
            sync(path)
        return copies

    return returns, copy


def _written(output: Path, made: _Made, operator: str | None) -> dict[str, dict[str, Any]]:
    """Write or copy the wanted files, then put them in place."""
    returns, write = made
    wanted = _wanted(returns, operator)
    now = dt.datetime.now(dt.UTC)
    try:
        output.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(output) as name:
            paths = write(name / "made", wanted) if wanted else []
            placed = place_returns(paths, output, now, {})
    except OSError as error:
        remedy = "Choose another with -o."
        raise OutputError(f"the folder cannot be written ({error})", str(output), remedy) from error
    return {sender: returns[sender] | renamed(returns[sender], placed, str(output)) for sender in wanted}


def _wanted(returns: dict[str, dict[str, Any]], operator: str | None) -> list[str]:
    """Return the senders to whom something goes back, or the one who was named."""
    if operator is None:
        return list(returns)
    found = [sender for sender in returns if fold_tight(sender) == fold_tight(operator)]
    if not found:
        near = did_you_mean(operator, tuple(returns)) if returns else ", and to nobody else"
        raise ConfigError(f"nothing goes back to {operator!r}{near}")
    return found
