"""Which run is meant, and how it was made: its configuration, day, versions and deliveries."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe._version import __version__
from geopipe.codestamp import code_stamp
from geopipe.config import Config
from geopipe.errors import ConfigError
from geopipe.io.store import load_saved_config
from geopipe.nightly.nights import nights
from geopipe.register.diff.moments import after_run
from geopipe.register.register import Register
from geopipe.reports.summary import versions
from geopipe.running import CONFIGS

# The system and its own name of GDAL stand in a manifest only; what they do is in the other versions.
_NOT_COMPARED = frozenset({"system", "GDAL"})


@dataclass(frozen=True)
class Wanted:
    """A published run, and all that is known of how it was made.

    `folder` is where it was published, which may be there no longer; `files` are its files with their hashes,
    as the register knows them; `settings` are files of one's own with their hashes.
    `confirmations_bytes` is how long the file of confirmations was, None where that was not kept.
    """

    number: int
    name: str
    started: dt.datetime
    day: dt.date
    folder: Path
    files: Mapping[str, str]
    summary: Mapping[str, Any]
    config: Config
    versions: Mapping[str, str]
    settings: Mapping[str, str]
    confirmations_bytes: int | None

    @property
    def sha256(self) -> tuple[str, ...]:
        """The hashes of the deliveries that were read."""
        return tuple(item["sha256"] for item in self.summary["deliveries"] if item["sha256"])


def wanted_run(register: Register, workspace: Path, name: str) -> Wanted:
    """Return the run that a name means, with how it was made.

    Parameters
    ----------
    register : Register
    workspace : Path
    name : str
        A night, its run.json, a run's number, its folder or its day.

    Raises
    ------
    ConfigError
        When there is no such run, or how it was made was not kept.
    """
    saved = load_saved_config(workspace)
    kept = nights(saved.output, workspace)
    night = _night(kept, name)
    if night is not None and not (night.get("run") or {}).get("register_run"):
        raise ConfigError("this night has published no run", name, "geopipe nights lists them.")
    number = after_run(register, str(night["run"]["register_run"]) if night else name).run
    row = next(item for item in register.runs() if item["number"] == number)
    (summary,) = register.ask("SELECT summary FROM publications WHERE run = ?", number)[0]
    kept_too = _kept_config(workspace, row["folder"])
    told = _of_night(kept, number) or kept_too
    if not told:
        remedy = "It was made before geopipe kept this; later runs can be made again."
        raise ConfigError("the configuration of this run was not kept", f"run {number}", remedy)
    return Wanted(
        number=number,
        name=row["folder"],
        started=dt.datetime.fromisoformat(row["started_at"]),
        day=dt.date.fromisoformat(row["day"]),
        folder=saved.output / "runs" / row["folder"],
        files=row["files"],
        summary=json.loads(summary),
        config=Config.model_validate(told["config"]),
        versions=told["versions"],
        settings=kept_too.get("settings", {}),
        confirmations_bytes=kept_too.get("confirmations_bytes"),
    )


def _night(kept: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """Return the manifest of a night that is named, or whose run.json or folder is."""
    path = Path(name)
    folder = path.parent if path.name == "run.json" else path
    for item in kept:
        if name == item.get("night") or (
            folder.is_dir() and folder.resolve() == Path(item["folder"]).resolve()
        ):
            return item
    return None


def _of_night(kept: Sequence[Mapping[str, Any]], number: int) -> Mapping[str, Any] | None:
    """Return the manifest of the night that made a run, None where no night did."""
    for item in kept:
        run = item.get("run") or {}
        if run.get("register_run") == number and run.get("is_new") and item.get("config"):
            return item
    return None


def _kept_config(workspace: Path, folder: str) -> Mapping[str, Any]:
    """Return what any run keeps of how it was made; nothing where it did not."""
    path = workspace / CONFIGS / f"{folder}.json"
    try:
        told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told


def other_versions(then: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the versions of code and libraries that are not those of then."""
    now = {"geopipe": __version__, "code": code_stamp(), **versions()}
    return [
        {"name": name, "then": str(then[name]), "now": now.get(name, "")}
        for name in sorted(then)
        if name not in _NOT_COMPARED and then[name] != now.get(name)
    ]
