"""What is old enough to go: run folders, their configurations, digests and deliveries that nothing refers to.

Never the current run, never one that people had before them when they met, decided or published a quarter,
never a delivery in force. The register is not touched.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from geopipe.config import Config
from geopipe.io.ledgers.opened import Opened
from geopipe.io.store import hold
from geopipe.nightly.filing import Files, Receipt, last_number_of
from geopipe.nightly.nights import Manifest, remove
from geopipe.register.register import Register
from geopipe.reports.publish import SUMMARY
from geopipe.running import CONFIGS

_REMOVING = ".removing-"


@dataclass(frozen=True)
class Published:
    """A run folder as the register knows it: when it was published."""

    folder: str
    at: dt.datetime


@dataclass(frozen=True)
class Removed:
    """What has gone: run folders, configurations of runs, nights and deliveries by name."""

    runs: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    nights: tuple[str, ...] = ()
    received: tuple[str, ...] = ()


def published_runs(register: Opened) -> list[Published]:
    """Return all publications, the first one first."""
    rows = register.ask("SELECT folder, started_at FROM publications JOIN runs ON number = run ORDER BY run")
    return [Published(folder, dt.datetime.fromisoformat(at)) for folder, at in rows]


def moments_of_people(register: Opened) -> list[dt.datetime]:
    """Return when people met, decided, put on an agenda, or published a quarter."""
    questions = (
        "SELECT at FROM decisions",
        "SELECT at FROM published_quarters",
        "SELECT at FROM given_up",
        "SELECT at FROM events WHERE kind = 'on_agenda'",
        "SELECT recorded_at FROM papers",
        "SELECT held_on || 'T23:59:59+00:00' FROM papers WHERE held_on IS NOT NULL",
    )
    told = {at for question in questions for (at,) in register.ask(question)}
    return sorted(_aware(dt.datetime.fromisoformat(at)) for at in told)


def referred_to(register: Opened) -> set[str]:
    """Return the run folders that somebody had before them, and those whose overlaps were decided on."""
    runs = published_runs(register)
    found = {name for at in moments_of_people(register) if (name := _current_at(runs, at))}
    rows = register.ask(
        "SELECT DISTINCT p.folder FROM decisions d JOIN sightings s ON s.number = d.sighting "
        "JOIN publications p ON p.run = s.run"
    )
    return found | {folder for (folder,) in rows}


def _current_at(runs: Sequence[Published], at: dt.datetime) -> str:
    return next((item.folder for item in reversed(runs) if item.at <= at), "")


def _aware(at: dt.datetime) -> dt.datetime:
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def old_runs(
    there: Collection[str], runs: Sequence[Published], needed: Collection[str], now: dt.datetime, days: int
) -> list[str]:
    """Return the run folders that were replaced more than so many days ago and that nothing needs.

    Parameters
    ----------
    there : collection of str
        Names of the run folders.
    runs : sequence of Published
        What the register knows, the first one first.
    needed : collection of str
        Names that must stay: the current one, and those that are referred to.
    now : datetime
    days : int
    """
    replaced: dict[str, dt.datetime] = {}
    for item, later in pairwise(runs):
        replaced[item.folder] = later.at
    if runs:
        replaced.pop(runs[-1].folder, None)
    limit = now - dt.timedelta(days=days)
    return sorted(
        name for name in there if name not in needed and name in replaced and replaced[name] < limit
    )


def orphans(folder: Path, known: Collection[str], now: dt.datetime, days: int) -> list[str]:
    """Return run folders that the register does not know: a run died between finishing and counting."""
    limit = now - dt.timedelta(days=days)
    found = []
    for path in folder.glob("run-*"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads((path / SUMMARY).read_text(encoding="utf-8"))["run"]["started_at"]
            if path.name not in known and dt.datetime.fromisoformat(told) < limit:
                found.append(path.name)
    return sorted(found)


def prune_runs(
    register: Opened, output: Path, workspace: Path, now: dt.datetime, keep_days: int, keep_configs_days: int
) -> Removed:
    """Remove run folders that were replaced long ago, and configurations of runs whose folder is gone.

    Parameters
    ----------
    register : Opened
    output, workspace : Path
    now : datetime
    keep_days, keep_configs_days : int
        For how long replaced run folders, and the configurations by which they can be made again, stay.
    """
    runs = published_runs(register)
    needed = _needed(register, runs)
    known = {item.folder for item in runs}
    root = output / "runs"
    for left in root.glob(f"{_REMOVING}*"):
        shutil.rmtree(left, ignore_errors=True)
    there = {path.name for path in root.glob("run-*")}
    gone = [*old_runs(there, runs, needed, now, keep_days), *orphans(root, known, now, keep_days)]
    gone = [name for name in gone if _remove_run(root / name)]
    stays = needed | (there - set(gone))
    kept = {path.stem for path in (workspace / CONFIGS).glob("run-*.json")}
    limit = (now - dt.timedelta(days=keep_configs_days)).timestamp()
    lost = [name for name in sorted(kept - known - stays) if _config(workspace, name).stat().st_mtime < limit]
    configs = [*old_runs(kept, runs, stays, now, keep_configs_days), *lost]
    for name in configs:
        _config(workspace, name).unlink(missing_ok=True)
    return Removed(tuple(gone), tuple(configs))


def _config(workspace: Path, run: str) -> Path:
    return workspace / CONFIGS / f"{run}.json"


def _needed(register: Opened, runs: Sequence[Published]) -> set[str]:
    """Return the run folders that never go: the current one, and those that somebody had before him."""
    return referred_to(register) | {runs[-1].folder} if runs else set()


def prune_after_run(config: Config, now: dt.datetime) -> Removed:
    """Remove what `keep_days` of a configuration lets go after a run by hand; nothing where it is not set."""
    if config.keep_days is None:
        return Removed()
    with hold(config.workspace), Register.existing(config.workspace) as register:
        days = config.keep_days
        return prune_runs(register, config.output, config.workspace, now, days, days)


def prune(
    register: Opened, output: Path, workspace: Path, nights: Sequence[Manifest], files: Files,
    in_force: Collection[str], now: dt.datetime, keep_days: int, keep_received_days: int,
) -> Removed:  # fmt: skip
    """Remove what is old enough to go; what cannot be removed goes another night.

    Parameters
    ----------
    register : Opened
    output, workspace : Path
    nights : sequence of Manifest
        All nights that are kept, this one among them, the last one last.
    files : Files
    in_force : collection of str
        Hashes of the deliveries that are read, or wait to be.
    now : datetime
    keep_days, keep_received_days : int
        For how long replaced run folders stay; and nights, configurations and replaced deliveries.
    """
    removed = prune_runs(register, output, workspace, now, keep_days, keep_received_days)
    needed = _needed(register, published_runs(register))
    limit = now - dt.timedelta(days=keep_received_days)
    stays = [item for item in nights[:-1] if _is_needed(item, needed, limit)] + list(nights[-1:])
    old_nights = [item for item in nights if item not in stays]
    used = {told["sha256"] for item in stays for told in item.get("inputs", ())} | set(in_force)
    filed = files.all()
    last = last_number_of(filed)  # the next one is counted from it
    old = [
        item
        for item in filed
        if item.sha256 not in used and _is_old(item, limit) and last_number_of([item]) != last
    ]
    for item in old:
        files.remove(item)
    for night in old_nights:
        remove(night)
    return replace(
        removed,
        nights=tuple(str(item["night"]) for item in old_nights),
        received=tuple(item.name for item in old),
    )


def _is_needed(night: Manifest, needed: Collection[str], limit: dt.datetime) -> bool:
    """Say whether a night stays: it is young, or its run is one that must stay."""
    try:
        is_young = _aware(dt.datetime.fromisoformat(night["started_at"])) >= limit
    except (KeyError, TypeError, ValueError):
        return True
    return is_young or (night.get("run") or {}).get("folder") in needed


def _is_old(receipt: Receipt, limit: dt.datetime) -> bool:
    """Say whether a delivery came, and came again, before a day only."""
    comings = (receipt.received_at, *(item.at for item in receipt.again))
    return all(_aware(dt.datetime.fromisoformat(at)) < limit for at in comings)


def _remove_run(folder: Path) -> bool:
    """Remove a run folder: first its name, so that nobody finds half of it."""
    away = folder.with_name(f"{_REMOVING}{folder.name}")
    try:
        folder.rename(away)
    except OSError:
        return False  # somebody has it open; another night
    shutil.rmtree(away, ignore_errors=True)
    return True
