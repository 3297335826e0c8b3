"""Whether a register's tables and triggers are those that geopipe makes, with the kinds of value meant."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache

from geopipe.io.ledgers.opened import Opened
from geopipe.io.ledgers.tables import SCRIPTS

_PARTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


@lru_cache(maxsize=1)
def _meant() -> dict[tuple[str, str], str]:
    """Return the SQL of each table, index and trigger as geopipe makes it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(SCRIPTS))
        return {(kind, name): sql for kind, name, sql in connection.execute(_PARTS)}


def tables() -> list[str]:
    """Return the names of all tables of a register, sorted."""
    return sorted(name for kind, name in _meant() if kind == "table")


def columns_of(register: Opened, table: str) -> list[tuple[str, str]]:
    """Return the columns of a table and their types."""
    return [(row[1], row[2]) for row in register.ask(f'PRAGMA table_info("{table}")')]


def structure_faults(register: Opened) -> Iterator[str]:
    """Tell what is missing, altered or foreign in a register's structure."""
    found = {(kind, name): sql for kind, name, sql in register.ask(_PARTS)}
    for part, sql in sorted(_meant().items()):
        kind, name = part
        why = " (rows could be changed or removed)" if kind == "trigger" else ""
        if part not in found:
            yield f"The {kind} {name} is missing{why}."
        elif found[part] != sql:
            yield f"The {kind} {name} is not as geopipe made it{why}."
    for kind, name in sorted(found.keys() - _meant().keys()):
        yield f"The {kind} {name} is not geopipe's."


def value_faults(register: Opened) -> Iterator[str]:
    """Tell values of a kind that does not belong into their column, and references that lead nowhere."""
    for table in tables():
        for name, kind in columns_of(register, table):
            allowed = {"REAL": "'real', 'integer'"}.get(kind, f"'{kind.lower()}'")
            question = f"SELECT count(*) FROM {table} WHERE typeof({name}) NOT IN ({allowed}, 'null')"  # noqa: S608
            if wrong := register.ask(question)[0][0]:
                yield f"{wrong} values of {table}.{name} are not {kind}."
    for table, row, parent, _ in register.ask("PRAGMA foreign_key_check"):
        yield f"Row {row} of {table} refers to a row of {parent} that is not there."
