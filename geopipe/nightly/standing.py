"""How the nightly run stands: the last night, who holds the workspace, what waits, what to do next."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geopipe.config import Config, load_config
from geopipe.io.lock import holder_of, owner_of
from geopipe.io.store import load_saved_config
from geopipe.nightly.inbox import look
from geopipe.nightly.nights import nights
from geopipe.nightly.waiting import Memory
from geopipe.register.register import Register

_OVERDUE_HOURS = 26


def config_of(path: Path) -> Config:
    """Return the configuration of a file or of a workspace.

    Raises
    ------
    ConfigError
        When it is neither.
    """
    return load_saved_config(path) if path.is_dir() else load_config(path)


def history(config: Config) -> list[dict[str, Any]]:
    """Return the nights that are kept, the last one first, in short, and the runs that no night made."""
    told = [
        {
            "night": item.get("night"),
            "started_at": item.get("started_at"),
            "seconds": item.get("seconds"),
            "outcome": item.get("outcome"),
            "exit_code": item.get("exit_code"),
            "run": (item.get("run") or {}).get("folder", ""),
            "register_run": (item.get("run") or {}).get("register_run", 0),
            "headline": (item.get("digest") or {}).get("headline", ""),
            "counts": (item.get("digest") or {}).get("counts", {}),
            "folder": item["folder"],
        }
        for item in nights(config.output, config.workspace)
    ]
    by_night = {item["register_run"] for item in told}
    with contextlib.suppress(Exception), Register.existing(config.workspace) as register:
        told += [_by_hand(run) for run in register.runs() if run["number"] not in by_night]
    return sorted(told, key=lambda item: str(item["started_at"]), reverse=True)


def _by_hand(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run of the register that no night made."""
    return {
        "night": "by hand", "started_at": run["started_at"], "seconds": None, "outcome": "done",
        "exit_code": None, "run": run["folder"], "register_run": run["number"], "headline": "", "counts": {},
        "folder": "",
    }  # fmt: skip


def status(config: Config, now: dt.datetime) -> dict[str, Any]:
    """Return how things stand, as plain values; nothing is changed."""
    kept, last = history(config), None
    if kept:
        # By its number: a night under a clock that ran ahead must not look like the last one for years.
        night = ([item["folder"] for item in nights(config.output, config.workspace)] or [""])[-1]
        last = next((item for item in kept if item["folder"] == night), kept[0])
    owner = owner_of(config.workspace)
    living = holder_of(config.workspace)
    told: dict[str, Any] = {
        "last": last,
        "hours_ago": _hours(last, now),
        "lock": living
        and {"pid": living.pid, "host": living.host, "user": living.user, "age": living.age(now)},
        "dead_lock": owner.told(now) if owner and not living else "",
        "map": _map(config),
        "inbox": _inbox(config, now),
        "digest": str(config.output / "digest.html") if (config.output / "digest.html").is_file() else "",
    }
    return told | {"next": list(_next(told))}


def _hours(last: dict[str, Any] | None, now: dt.datetime) -> float | None:
    if not last or not last["started_at"]:
        return None
    return round((now - dt.datetime.fromisoformat(last["started_at"])).total_seconds() / 3600, 1)


def _map(config: Config) -> str:
    pointer = config.output / "CURRENT"
    try:
        return str(config.output / pointer.read_text(encoding="utf-8").strip())
    except OSError:
        return ""


def _inbox(config: Config, now: dt.datetime) -> dict[str, Any] | None:
    """Return what lies in the inbox now, None where the configuration names none."""
    spec = config.nightly
    if spec is None:
        return None
    try:
        seen = look(spec.inbox, tuple(spec.operators))
    except OSError as error:
        return {
            "path": str(spec.inbox),
            "problem": str(error.strerror),
            "files": [],
            "strange": [],
            "missing": [],
        }
    memory = Memory(config.workspace)
    memory.saw(seen.units, now)
    files = [
        {
            "file": unit.main.name,
            "folder": unit.folder,
            "why": unit.wait or "it is taken by the next run",
            "since": memory.there_since(unit).isoformat(timespec="seconds"),
        }
        for unit in seen.units
    ]
    return {
        "path": str(spec.inbox), "problem": "", "files": files, "strange": list(seen.strange),
        "missing": list(seen.missing),
    }  # fmt: skip


def _next(told: dict[str, Any]) -> Iterator[str]:
    """Yield what a person should do now."""
    last, box = told["last"], told["inbox"]
    if told["lock"]:
        yield "A run is at work: wait for it."
    elif last and last["outcome"] == "running":
        yield "The last night did not end by itself. Start geopipe run --nightly again, and look why."
    if last is None:
        yield "Nothing has run yet: geopipe run CONFIG --nightly"
        return
    if last["outcome"] in ("failed", "not_all_read"):
        yield f"Read the digest ({told['digest']}): {last['headline']}"
    if told["hours_ago"] is not None and told["hours_ago"] > _OVERDUE_HOURS and not told["lock"]:
        yield f"The last run was {told['hours_ago']:.0f} hours ago. Is the timer on?"
    if told["hours_ago"] is not None and told["hours_ago"] < 0:
        yield "The last run is dated in the future: check the date of this computer."
    if box and box["problem"]:
        yield f"The inbox cannot be looked at ({box['problem']}): is the drive there?"
    if box and box["strange"]:
        yield "Somebody must sort the inbox: " + box["strange"][0]
