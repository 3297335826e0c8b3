"""The register's file: made, opened, checked and brought up to date; damaged or newer ones are refused."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geopipe.errors import BusyError, ConfigError, OutputError, RegisterError
from geopipe.io.geopackage import sync
from geopipe.io.ledgers.tables import SCRIPTS
from geopipe.io.whole import make_folder
from geopipe.unfinished import unfinished_file

NAME = "register.sqlite"
# What the file was called while it held deliveries only.
_EARLIER_NAME = "ledger.sqlite"
FRAMES = "deliveries"
BACKUPS = "backups"
_OWNER_ONLY = 0o600
# Marks the file as geopipe's ("gpLD").
_NO_ROOM = "Free some space there. Nothing was changed."
_APPLICATION = 0x67704C44


def refuse_register(workspace: Path) -> None:
    """Refuse to work by single stages on the workspace of `geopipe run`.

    The stages alone do not ask the register: hazard that vanished would be missing from their result.

    Raises
    ------
    ConfigError
        When the workspace holds a register.
    """
    if any((workspace / name).exists() for name in (NAME, _EARLIER_NAME)):
        raise ConfigError(
            "this workspace belongs to geopipe run and its register", str(workspace),
            "Use another one with -w for single stages.",
        )  # fmt: skip


def place_of(path: Path) -> Path:
    """Return the register's file for a path that names it or the folder in which it lies."""
    return path / NAME if path.is_dir() or not path.suffix else path


def _renamed(path: Path) -> None:
    """Give a file of deliveries from before there was a register its new name."""
    earlier = path.with_name(_EARLIER_NAME)
    if path.name == NAME and not path.exists() and earlier.is_file():
        earlier.replace(path)


def open_existing(path: Path) -> sqlite3.Connection:
    """Open a register that is there.

    Raises
    ------
    RegisterError
        When there is none, or what is there is damaged, foreign, or of a newer geopipe.
    """
    _renamed(path)
    if not path.is_file():
        require_new(path)
        raise RegisterError("there is no register", str(path), "geopipe run makes one; check the folder.")
    return _opened(path)


def open_or_make(path: Path) -> sqlite3.Connection:
    """Open a register, or make one where there was none; a lost one is not taken for a new one."""
    _renamed(path)
    if not path.exists():
        require_new(path)
        _make(path)
    return _opened(path)


def require_new(path: Path) -> None:
    """Refuse to make a register where something says that there was one.

    Raises
    ------
    RegisterError
        When deliveries, backups or a journal lie beside its place.
    """
    kept = path.parent / FRAMES
    if kept.is_dir() and any(kept.iterdir()):
        left = f"the deliveries that it knew are there ({kept})"
    elif newest_backup(path):
        left = f"backups of it are there ({path.parent / BACKUPS})"
    elif path.with_name(f"{path.name}-journal").exists():
        left = "a journal of it is there"
    else:
        return
    what = f"the register is missing, but {left}"
    raise RegisterError(what, str(path), f"{how_to_restore(path)} Only to begin anew, move that away.")


def daily_backups(folder: Path, day: dt.date | None = None) -> tuple[list[Path], list[Path]]:
    """Return the daily backups of a folder up to a day, and those that are dated after it; the last one last.

    Parameters
    ----------
    folder : Path
    day : date, optional
        Today in Greenwich, by which backups are named.
    """
    today = f"register-{day or dt.datetime.now(dt.UTC).date()}.sqlite"
    found = sorted(folder.glob("register-????-??-??.sqlite"))
    return [path for path in found if path.name <= today], [path for path in found if path.name > today]


def newest_backup(path: Path, day: dt.date | None = None) -> Path | None:
    """Return the newest daily backup of a register, None where there is none.

    One that is dated in the future was made while the clock was ahead, nobody knows when: it counts only
    where there is no other.
    """
    known, ahead = daily_backups(path.parent / BACKUPS, day)
    return max(known or ahead, default=None)


def how_to_restore(path: Path) -> str:
    """Return what a person does whose register is lost or damaged."""
    backup = newest_backup(path)
    if backup is None:
        return "Restore it from your backup."
    # A journal that is left would be played back into the restored file.
    away = [name for name in (path, path.with_name(f"{path.name}-journal")) if name.exists()]
    move = "".join(f"mv '{name}' '{name}.damaged' && " for name in away)
    others = [item.name for item in daily_backups(path.parent / BACKUPS)[1] if item != backup]
    doubt = f" ({', '.join(others)}: dated in the future, of a wrong clock)" if others else ""
    return (
        f"Restore it from your backup; the newest here is {backup.name}{doubt}: {move}cp '{backup}' '{path}'."
    )


def _make(path: Path) -> None:
    """Make an empty register beside its place and move it there whole."""
    make_folder(path.parent, is_confidential=True)
    with unfinished_file(path) as building:
        connection = sqlite3.connect(building, isolation_level=None)
        try:
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            _upgrade(connection, 0)
        finally:
            connection.close()
        building.chmod(_OWNER_ONLY)  # positions, decisions and names of people: backups get the same rights
        building.replace(path)
    sync(path.parent)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        _check(connection, path)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.DatabaseError as error:
        connection.close()
        if "locked" in str(error):
            raise _busy(path) from error
        raise _damaged(path, str(error)) from error
    except RegisterError:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is not a whole register of a version that is known; bring an older one up to date."""
    if path.stat().st_size == 0:
        raise _damaged(path, "the file is empty")
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise RegisterError(
            "this file is not a register of geopipe", str(path), "Check the name and the folder."
        )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(SCRIPTS):
        raise RegisterError(
            f"this register was written by a newer geopipe (version {version} of its tables)",
            str(path),
            "Install that geopipe; nothing was changed.",
        )
    _upgrade(connection, version)


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables from a version up to date, in one step: wholly or not at all."""
    if version == len(SCRIPTS):
        return
    scripts = "".join(SCRIPTS[version:])
    connection.executescript(f"BEGIN IMMEDIATE; {scripts} PRAGMA user_version = {len(SCRIPTS)}; COMMIT;")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Write wholly or not at all; within another transaction, as a part of it.

    Raises
    ------
    BusyError
        When another run is writing.
    OutputError
        When the disk is full.
    RegisterError
        When the file refuses.
    """
    if connection.in_transaction:
        yield
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        if connection.in_transaction:  # else it was taken back
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if "locked" in str(error):
            raise _busy(path) from error
        if "full" in str(error):  # what SQLite says of a disk
            raise OutputError(f"the register cannot be written ({error})", str(path), _NO_ROOM) from error
        raise RegisterError(f"the register cannot be written ({error})", str(path)) from error
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _damaged(path: Path, why: str) -> RegisterError:
    return RegisterError(
        f"the register is damaged ({why})", str(path), f"{how_to_restore(path)} Nothing was changed."
    )


def _busy(path: Path) -> BusyError:
    return BusyError("another run is writing the register", str(path), "Wait until it has finished.")
