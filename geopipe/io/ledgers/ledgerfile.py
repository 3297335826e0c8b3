"""The ledger's file: made, opened, checked and brought up to date; damaged or newer ones are refused."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geopipe.errors import BusyError, ConfigError, RegisterError

NAME = "ledger.sqlite"
FRAMES = "deliveries"
# Marks the file as geopipe's ("gpLD").
_APPLICATION = 0x67704C44
_TABLES_V1 = """
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL, received_at TEXT NOT NULL, carried_sha256 TEXT
);
CREATE TABLE deliveries (
    content_hash TEXT PRIMARY KEY, receipt INTEGER NOT NULL REFERENCES receipts, file TEXT NOT NULL
);
CREATE TABLE readings (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES deliveries, receipt INTEGER NOT NULL REFERENCES receipts,
    operator TEXT NOT NULL, role TEXT NOT NULL, mode TEXT NOT NULL, period TEXT NOT NULL,
    period_from TEXT, period_to TEXT, records_in INTEGER NOT NULL, records_kept INTEGER NOT NULL,
    records_returned INTEGER NOT NULL, frame_sha256 TEXT NOT NULL
);
CREATE TABLE holdings (
    key TEXT NOT NULL, operator TEXT NOT NULL, register TEXT NOT NULL,
    role TEXT NOT NULL, records INTEGER NOT NULL, PRIMARY KEY (key, operator, register, role)
);
CREATE TABLE counts (
    key TEXT NOT NULL, operator TEXT NOT NULL, records_kept INTEGER NOT NULL,
    records_returned INTEGER NOT NULL, PRIMARY KEY (key, operator)
);
CREATE TABLE members (
    receipt INTEGER NOT NULL REFERENCES receipts, content_hash TEXT NOT NULL REFERENCES deliveries,
    PRIMARY KEY (receipt, content_hash)
);
CREATE TABLE nil_reports (
    operator TEXT NOT NULL, period TEXT NOT NULL, reported_by TEXT NOT NULL, reference TEXT NOT NULL,
    recorded_at TEXT NOT NULL, PRIMARY KEY (operator, period)
);
"""
_APPEND_ONLY = """
CREATE TRIGGER {table}_keeps_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


def _append_only(*tables: str) -> str:
    """Return the triggers that refuse to change or remove a row."""
    return "".join(
        _APPEND_ONLY.format(table=table, verb=verb) for table in tables for verb in ("UPDATE", "DELETE")
    )


# Script n brings a ledger of version n to version n + 1; a new one runs through all of them.
SCRIPTS = (
    _TABLES_V1
    + _append_only("receipts", "deliveries", "readings", "holdings", "counts", "members", "nil_reports"),
)


def refuse_ledger(workspace: Path) -> None:
    """Refuse to work by single stages on the workspace of `geopipe run`.

    The stages alone do not ask the ledger: hazard that vanished would be missing from their result.

    Raises
    ------
    ConfigError
        When the workspace holds a ledger.
    """
    if (workspace / NAME).exists():
        raise ConfigError(
            "this workspace belongs to geopipe run and its ledger", str(workspace),
            "Use another one with -w for single stages.",
        )  # fmt: skip


def place_of(path: Path) -> Path:
    """Return the ledger's file for a path that names it or the folder in which it lies."""
    return path / NAME if path.is_dir() or not path.suffix else path


def open_existing(path: Path) -> sqlite3.Connection:
    """Open a ledger that is there.

    Raises
    ------
    RegisterError
        When there is none, or what is there is damaged, foreign, or of a newer geopipe.
    """
    if not path.is_file():
        raise RegisterError(
            "there is no ledger", str(path), "A run with a ledger makes one; check the folder."
        )
    return _opened(path)


def open_or_make(path: Path) -> sqlite3.Connection:
    """Open a ledger, or make one where there was none; a lost one is not taken for a new one."""
    if not path.exists():
        kept = path.parent / FRAMES
        if kept.is_dir() and any(kept.iterdir()):
            raise RegisterError(
                f"the ledger is missing, but the deliveries that it knew are there ({kept})",
                str(path),
                "Restore it from your backup. Only to begin anew, move that folder away.",
            )
        _make(path)
    return _opened(path)


def _make(path: Path) -> None:
    """Make an empty ledger beside its place and move it there whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    building.unlink(missing_ok=True)
    connection = sqlite3.connect(building, isolation_level=None)
    try:
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        _upgrade(connection, 0)
    finally:
        connection.close()
    building.replace(path)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10
    )
    try:
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
    """Refuse what is not a whole ledger of a version that is known; bring an older one up to date."""
    if path.stat().st_size == 0:
        raise _damaged(path, "the file is empty")
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise RegisterError(
            "this file is not a ledger of geopipe", str(path), "Check the name and the folder."
        )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(SCRIPTS):
        raise RegisterError(
            f"this ledger was written by a newer geopipe (version {version} of its tables)",
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
    """Write wholly or not at all.

    Raises
    ------
    BusyError
        When another run is writing.
    RegisterError
        When the file refuses.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if "locked" in str(error):
            raise _busy(path) from error
        raise RegisterError(f"the ledger cannot be written ({error})", str(path)) from error
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _damaged(path: Path, why: str) -> RegisterError:
    return RegisterError(
        f"the ledger is damaged ({why})", str(path), "Restore it from your backup; nothing was changed."
    )


def _busy(path: Path) -> BusyError:
    return BusyError("another run is writing the ledger", str(path), "Wait until it has finished.")
