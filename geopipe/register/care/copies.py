"""Copies of the register for offices: of all of it, or of the cases of one province.

A copy remembers whose it is and where it started. What people add to it goes back with `merging`; the numbers
that it gives to new cases are provisional, with the office's code.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.errors import ConfigError, OutputError, RegisterError
from geopipe.io.geopackage import sync
from geopipe.io.ledgers import registerfile
from geopipe.io.ledgers.backups import write_backup
from geopipe.register.care.facts import (
    BASE,
    COPY,
    IDENTITY,
    OFFICE,
    PROVINCE,
    ROLE,
    fact,
    last_event,
    state_fact,
)
from geopipe.register.register import Register
from geopipe.unfinished import unfinished_folder

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,5}")
# What belongs to cases, and the question that finds it; `{}` stands for the case ids. All else stays at home.
_OF_CASES = (
    ("policies", "SELECT * FROM policies"),
    ("runs", "SELECT * FROM runs"),
    ("cases", "SELECT * FROM cases WHERE case_id IN ({})"),
    ("case_numbers", "SELECT * FROM case_numbers WHERE case_id IN ({})"),
    (
        "versions",
        "SELECT * FROM versions WHERE version IN (SELECT a_version FROM sightings WHERE case_id IN ({}) "
        "UNION SELECT b_version FROM sightings WHERE case_id IN ({}))",
    ),
    ("sightings", "SELECT * FROM sightings WHERE case_id IN ({})"),
    ("events", "SELECT * FROM events WHERE case_id IN ({})"),
    (
        "papers",
        "SELECT * FROM papers WHERE reference_id IN "
        "(SELECT reference_id FROM decisions WHERE case_id IN ({}))",
    ),
    ("decisions", "SELECT * FROM decisions WHERE case_id IN ({})"),
    ("positions", "SELECT * FROM positions WHERE case_id IN ({}) ORDER BY rowid"),
)  # fmt: skip
_IN_PROVINCE = (
    "SELECT DISTINCT s.case_id FROM sightings s JOIN versions v ON v.version IN (s.a_version, s.b_version) "
    "WHERE json_extract(v.columns, '$.province_code') = ? ORDER BY s.case_id"
)


@dataclass(frozen=True)
class Office:
    """Who takes a copy: the office's code (capital letters and digits), a person, and when."""

    code: str
    by: str
    at: dt.datetime

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise ConfigError(
                f"{self.code!r} is no code of an office", remedy="Use 2 to 6 capital letters or digits: PSV."
            )
        if not self.by.strip():
            raise ConfigError("nobody's name is given", remedy="Say who takes the copy: --by NAME.")


def checkout(register: Register, target: Path, office: Office) -> int:
    """Write a copy of a whole register; return how many cases it has.

    Parameters
    ----------
    register : Register
        The master.
    target : Path
        A new folder becomes a workspace, with the records of the deliveries: geopipe can run in it. A file
        (its name ends with .sqlite) holds the register alone.
    office : Office
    """
    _require_master(register)
    file = _file_of(target)
    cases = _written(register, file, office, {}, lambda building: write_backup(register, building))
    frames = register.path.parent / registerfile.FRAMES
    if file != target and frames.is_dir():
        try:
            shutil.copytree(frames, target / registerfile.FRAMES)
        except (OSError, shutil.Error) as error:
            file.unlink()
            raise OutputError(f"the copy could not be written ({error})", str(target)) from error
    return cases


def extract(register: Register, target: Path, office: Office, province_code: str) -> int:
    """Write a copy with the cases of one province, and nothing of others; return how many cases it has.

    A case belongs to a province if one of its records was ever seen there.
    """
    _require_master(register)
    ids = [case_id for (case_id,) in register.ask(_IN_PROVINCE, province_code)]
    if not ids:
        raise ConfigError("no case of the register lies in this province", province_code)
    said = {PROVINCE: province_code}
    file = _file_of(target)
    return _written(register, file, office, said, lambda building: _make_part(register, building, ids))


def _file_of(target: Path) -> Path:
    """Return the file of a new copy: `target` itself, or in a new folder of that name."""
    if not target.suffix and target.exists():
        raise OutputError("there is a folder of this name already", str(target), "Choose another name.")
    return target if target.suffix else target / registerfile.NAME


def _make_part(register: Register, path: Path, ids: Sequence[str]) -> None:
    """Make a register with some cases of another one; numbers of rows stay as they are."""
    Register.open(path).close()
    chosen = ", ".join(f"'{case_id}'" for case_id in ids)
    with closing(sqlite3.connect(path)) as connection:
        # The new file has an identity of its own already: it is that of the master that counts.
        (identity,) = register.ask("SELECT * FROM facts WHERE name = ? ORDER BY number LIMIT 1", IDENTITY)
        _insert(connection, "facts", [(None, *identity[1:])])
        for table, question in _OF_CASES:
            _insert(connection, table, register.ask(question.replace("{}", chosen)))
        connection.commit()


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608


def _written(
    register: Register, target: Path, office: Office, said: dict[str, str], make: Callable[[Path], None]
) -> int:
    """Make a copy beside its place, let it say whose it is, and move it there whole."""
    if target.exists():
        raise OutputError("there is a file of this name already", str(target), "Choose another name.")
    facts = {**said, ROLE: COPY, OFFICE: office.code, BASE: str(last_event(register)), "taken_by": office.by}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(target.parent) as folder:
            building = folder / target.name
            make(building)
            with Register.existing(building) as copy:
                with copy.transaction():
                    for name, value in facts.items():
                        state_fact(copy, name, value, office.at)
                (cases,) = copy.ask("SELECT count(*) FROM cases")[0]
            sync(building)
            building.replace(target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise OutputError(
            f"the copy could not be written ({error})", str(target), "Is the disk full?"
        ) from error
    return int(cases)


def _require_master(register: Register) -> None:
    if fact(register, ROLE) == COPY:
        raise RegisterError(
            f"this register is itself the copy of an office ({fact(register, OFFICE)})", str(register.path),
            "Copies are taken from the national register.",
        )  # fmt: skip
