"""Make a published run again in a workspace of its own, and say where the result differs."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geopipe.config import Config
from geopipe.errors import ConfigError, ExitCode, GeopipeError
from geopipe.io.store import hold
from geopipe.io.whole import make_folder
from geopipe.pipeline import Progress, silent
from geopipe.register.register import Register
from geopipe.reports.publish import GEOPACKAGE, current_run, read_summary
from geopipe.reproducing.before import register_before
from geopipe.reproducing.comparing import TOLERANCE, compare_figures, compare_layers
from geopipe.reproducing.inputs import changed_since, confirmations_then, policy_then, specs_then
from geopipe.reproducing.wanted import Wanted, other_versions, wanted_run
from geopipe.running import run_held

Row = dict[str, Any]
IDENTICAL, AGREES, DIFFERS, PARTLY = "identical", "agrees", "differs", "partly"


def reproduce(workspace: Path, name: str, output: Path | None, progress: Progress = silent) -> Row:
    """Make a run again and compare it with what was published; nothing in the workspace changes.

    Parameters
    ----------
    workspace : Path
    name : str
        A night, a run.json, or a run by number, folder or day.
    output : Path or None
        A new folder for what is made; None: it is removed again.
    progress : callable

    Returns
    -------
    dict
        `result`: identical (to the last bit), agrees (other versions; to 1e-6), differs, or partly (some
        could not be compared).

    Raises
    ------
    ConfigError
        When it cannot be done: it says what is missing.
    """
    with _place(output) as folder, Register.existing(workspace) as register:
        wanted = wanted_run(register, workspace, name)
        others = other_versions(wanted.versions)
        notes = [f"{path} is not as it was then" for path in changed_since(wanted)]
        config = _config(register, wanted, workspace, folder)
        register_before(register, wanted.number, config.workspace)
        with hold(config.workspace):
            run_held(config, progress, wanted.started)
        made = current_run(config.output)
        told = {
            "run": wanted.number,
            "folder": wanted.name,
            "day": wanted.day.isoformat(),
            "started_at": wanted.started.isoformat(),
            "deliveries": [
                {"file": item["file"], "sha256": item["sha256"]} for item in wanted.summary["deliveries"]
            ],
            "versions": others,
            "notes": notes,
            "made": str(made) if output else "",
        }
        return told | _compared(wanted, made, bool(others))


@contextlib.contextmanager
def _place(output: Path | None) -> Iterator[Path]:
    """Give the folder in which the run is made again."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="geopipe-reproduce-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError("there is something already", str(output), "Name a new folder with -o.")
    make_folder(output, is_confidential=True)
    yield output


def _config(register: Register, wanted: Wanted, workspace: Path, folder: Path) -> Config:
    """Return the configuration of then, in folders of its own."""
    return wanted.config.model_copy(
        update={
            "deliveries": specs_then(wanted, workspace),
            "policy": policy_then(register, wanted, folder),
            "confirmations": confirmations_then(wanted, folder),
            "workspace": folder / "work",
            "output": folder / "out",
            "known_pairs": folder / "work" / "pairs",
            "today": wanted.day,
            "nightly": None,
            "executor": None,
        }
    )


def _compared(wanted: Wanted, made: Path, has_other_versions: bool) -> Row:
    """Compare what was made with what was published."""
    if made.name == wanted.name:
        # The name of a run is the hash of all its files and figures.
        return {"result": IDENTICAL, "not_compared": [], "layers": [], "figures": [], "files": []}
    tolerance = TOLERANCE if has_other_versions else 0.0
    summary = json.loads((made / "summary.json").read_text(encoding="utf-8"))
    figures = compare_figures(wanted.summary, summary, tolerance)
    not_compared: list[str] = []
    layers: list[Row] = []
    if _is_whole(wanted):
        layers = compare_layers(wanted.folder / GEOPACKAGE, made / GEOPACKAGE, tolerance)
    else:
        not_compared.append(f"layers: {wanted.folder} is not kept, or not as it was published")
    files = sorted(
        name
        for name in {*wanted.files, *summary["files"]}
        if wanted.files.get(name) != summary["files"].get(name)
    )
    is_same = not figures and all(item["same"] for item in layers)
    return {
        "result": _result(is_same, not_compared, has_other_versions, files),
        "not_compared": not_compared,
        "layers": layers,
        "figures": figures,
        "files": files,
    }


def _result(is_same: bool, not_compared: list[str], has_other_versions: bool, files: list[str]) -> str:
    if not is_same:
        return DIFFERS
    if not_compared:
        return PARTLY
    return AGREES if has_other_versions or files else IDENTICAL


def _is_whole(wanted: Wanted) -> bool:
    try:
        return dict(read_summary(wanted.folder)["files"]) == dict(wanted.files)
    except GeopipeError:
        return False


def exit_code(told: Row) -> ExitCode:
    """Return 0 where the run came out the same (with other versions: to 1e-6), else 4."""
    return ExitCode.DONE if told["result"] in (IDENTICAL, AGREES) else ExitCode.PARTIAL
