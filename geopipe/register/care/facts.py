"""What a register is: whose, a master or a copy, and since when."""

from __future__ import annotations

import datetime as dt

from geopipe.io.ledgers.opened import Opened

# Same in a master and in all its copies.
IDENTITY, ROLE, OFFICE, BASE, PROVINCE = "register", "role", "office", "base", "province"
COPY = "copy"


def fact(register: Opened, name: str) -> str:
    """Return the last word on something, '' where nothing was said."""
    rows = register.ask("SELECT value FROM facts WHERE name = ? ORDER BY number DESC LIMIT 1", name)
    return str(rows[0][0]) if rows else ""


def state_fact(register: Opened, name: str, value: str, at: dt.datetime) -> None:
    """Write down a fact; call this within a transaction."""
    register.insert("facts", None, name, value, at.isoformat(timespec="seconds"))


def last_event(register: Opened) -> int:
    """Return the revision of a register: the number of its last event."""
    return int(register.ask("SELECT coalesce(max(number), 0) FROM events")[0][0])
