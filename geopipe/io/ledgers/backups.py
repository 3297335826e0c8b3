"""Backups of the register's file: whole, checked, one for each day on which something was added."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from geopipe.errors import OutputError
from geopipe.io.geopackage import sync
from geopipe.io.ledgers.opened import Opened
from geopipe.io.ledgers.registerfile import daily_backups
from geopipe.unfinished import unfinished_file

_LOG = logging.getLogger(__name__)


def write_backup(register: Opened, target: Path) -> None:
    """Copy a register, as it is at one moment, to another place; what is there is replaced once it is whole.

    Raises
    ------
    OutputError
        When the copy cannot be written or does not come out whole; what was there before is left.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_file(target) as copy:
            with closing(sqlite3.connect(copy)) as connection:
                register.pour_into(connection)
                (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if said != "ok":
                raise OSError(said)
            shutil.copymode(register.path, copy)
            sync(copy)
            copy.replace(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise _unwritten(target, error) from error


def daily_backup(register: Opened, folder: Path, day: dt.date, keep: int) -> Path | None:
    """Back a register up once a day, and only if something was added since the last backup.

    Parameters
    ----------
    register : Opened
    folder : Path
        Holds the backups, named by their day.
    day : date
    keep : int
        How many backups stay: the newest ones, always at least one; those that are dated in the future do
        not count, and are told as a warning.

    Returns
    -------
    Path or None
        The new backup; None where none was needed.
    """
    target = folder / f"register-{day.isoformat()}.sqlite"
    known, ahead = daily_backups(folder, day)
    if ahead:
        _LOG.warning(
            "WARNING %s is dated in the future: the clock was ahead when it was made, or is behind now. "
            "Check the date of this computer, then remove it. It does not count as the newest.",
            ahead[0].name,
        )
    grown = _extent(register.ask)
    if not any(grown.values()) or (known and grown == _extent_of(known[-1])):
        return None
    if target.exists() and not _is_behind(known):
        return None
    write_backup(register, target)
    for old in daily_backups(folder, day)[0][: -max(keep, 1)]:
        if old != target:
            old.unlink(missing_ok=True)
    return target


def _is_behind(known: Sequence[Path]) -> bool:
    """Say whether the last backup is damaged, or holds less than the one before it: of a wrong clock."""
    last, before = _extent_of(known[-1]), _extent_of(known[-2]) if len(known) > 1 else None
    return last is None or any(last.get(name, 0) < rows for name, rows in (before or {}).items())


def _extent(ask: Callable[[str], Sequence[tuple[Any, ...]]]) -> dict[str, int]:
    """Return the last row of each table but the facts: rows are only added, so this tells if any were."""
    tables = ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'facts' ORDER BY name")
    question = 'SELECT coalesce(max(rowid), 0) FROM "{}"'
    return {name: ask(question.format(name))[0][0] for (name,) in tables}


def _extent_of(path: Path) -> dict[str, int] | None:
    """Return the extent of a backup, None where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return _extent(lambda question: connection.execute(question).fetchall())
    except sqlite3.Error:
        return None


def _unwritten(target: Path, error: Exception) -> OutputError:
    return OutputError(
        f"the backup of the register could not be written ({error})", str(target),
        "Is the disk full, or the folder closed to you? The register itself is as it was.",
    )  # fmt: skip
