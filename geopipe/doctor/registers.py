"""Is the register whole, and is there a new backup of it; it is opened for reading only."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from geopipe.doctor.check import Check, fail, good, warn
from geopipe.errors import GeopipeError, RegisterError
from geopipe.io.ledgers.registerfile import (
    BACKUPS,
    NAME,
    daily_backups,
    how_to_restore,
    newest_backup,
    require_new,
)
from geopipe.io.ledgers.tables import SCRIPTS
from geopipe.register.care.check import check
from geopipe.register.register import Register

_OLD_BACKUP_DAYS = 7
REGISTER = "register"


def registers(workspace: Path, now: dt.datetime, is_held: bool) -> Iterator[Check]:
    """Yield what was found about the register of a workspace.

    Parameters
    ----------
    workspace : Path
    now : datetime
    is_held : bool
        A run is at work: the register may be changing.
    """
    path = workspace / NAME
    if not path.is_file():
        yield _missing(path)
        return
    if is_held:
        yield good(REGISTER, "a run is at work: not looked at now")
    elif path.with_name(f"{NAME}-journal").exists():
        yield warn(
            REGISTER, "a run was ended while it wrote", "The next run, or geopipe register check, mends it."
        )
    else:
        yield _whole(path)
    yield _backup(path, now)


def _missing(path: Path) -> Check:
    try:
        require_new(path)
    except RegisterError as error:
        return fail(REGISTER, error.what, error.remedy)
    return good(REGISTER, "there is none yet; geopipe run makes it")


def _whole(path: Path) -> Check:
    """Look at everything in a register, as `geopipe register check` does; never bring it up to date."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(SCRIPTS):
                return fail(REGISTER, "it was written by a newer geopipe", "Install that geopipe.")
            if version < len(SCRIPTS):
                said = f"tables of version {version}; this geopipe has {len(SCRIPTS)}"
                return warn(REGISTER, said, "The next run brings it up to date; back it up before.")
            found = check(Register(path, connection))
    except (sqlite3.Error, GeopipeError) as error:
        return fail(REGISTER, f"the register cannot be read ({error})", how_to_restore(path))
    if found.faults:
        return fail(
            REGISTER, f"{len(found.faults)} faults. {found.faults[0].rstrip('.')}", how_to_restore(path)
        )
    return good(REGISTER, found.sentence.rstrip("."))


def _backup(path: Path, now: dt.datetime) -> Check:
    newest = newest_backup(path, now.date())
    remedy = f"geopipe register backup {path.parent}; keep a copy on another disk."
    if newest is None:
        return warn("backup", "there is no backup of the register yet", remedy)
    _, ahead = daily_backups(path.parent / BACKUPS, now.date())
    if ahead:
        told = f"{ahead[0].name} is dated in the future, so the newest is {newest.name}"
        return warn(
            "backup", told, "Check the date of this computer, then remove what is dated in the future."
        )
    day = dt.date.fromisoformat(newest.stem.removeprefix("register-"))
    days = (now.date() - day).days
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    told = f"the newest backup is {newest.name}, {'of today' if days == 0 else f'{days} days old'}"
    if changed > day and days > _OLD_BACKUP_DAYS:
        return warn("backup", f"{told}; the register has changed since", remedy)
    return good("backup", told)
