"""The register as it was before a run: rows are only added, so it is what came first in that of now.

It is cut out of a copy. What an office did in its own copy counts from when it was merged, so events are cut
by their numbers; what has no such number goes with the run, the event or the receipt that it belongs to, else
by the time at which it was written down.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from geopipe.errors import RegisterError
from geopipe.io.ledgers.registerfile import FRAMES
from geopipe.io.ledgers.registerfile import NAME as REGISTER
from geopipe.io.whole import make_folder
from geopipe.register.register import Register

# What is taken out of the copy, in this order; `:run` and `:at` are the run's number and beginning.
_LATER = (
    "events WHERE number >= :event",
    "finding_events WHERE number >= :finding_event",
    "decisions WHERE event_id NOT IN (SELECT event_id FROM events)",
    "positions WHERE event_id NOT IN (SELECT event_id FROM events)",
    "sightings WHERE run >= :run",
    "findings WHERE run >= :run",
    "cases WHERE run >= :run",
    "case_numbers WHERE given_at >= :at OR case_id NOT IN (SELECT case_id FROM cases)",
    "publications WHERE run >= :run",
    "runs WHERE number >= :run",
    "policies WHERE recorded_at >= :at AND policy_hash NOT IN (SELECT policy_hash FROM runs)",
    "versions WHERE version NOT IN (SELECT a_version FROM sightings UNION SELECT b_version FROM sightings)",
    "given_up WHERE at >= :at",
    "papers WHERE recorded_at >= :at AND reference_id NOT IN (SELECT reference_id FROM given_up "
    "UNION SELECT reference_id FROM decisions WHERE reference_id IS NOT NULL)",
    "facts WHERE number > 1 AND recorded_at >= :at",
    "nil_reports WHERE recorded_at >= :at",
    "reported_figures WHERE recorded_at >= :at",
    "published_quarters WHERE at >= :at",
    "receipts WHERE received_at >= :at",
    "drawn WHERE receipt NOT IN (SELECT number FROM receipts)",
    "members WHERE receipt NOT IN (SELECT number FROM receipts)",
    "readings WHERE receipt NOT IN (SELECT number FROM receipts)",
    "deliveries WHERE receipt NOT IN (SELECT number FROM receipts)",
    "holdings WHERE key NOT IN (SELECT key FROM readings)",
    "counts WHERE key NOT IN (SELECT key FROM readings)",
)


def register_before(register: Register, number: int, workspace: Path) -> None:
    """Put the register as it was before a run into a new workspace.

    Parameters
    ----------
    register : Register
        As it is now; it is not changed.
    number : int
        Of the run.
    workspace : Path

    Raises
    ------
    RegisterError
        When what is left is no whole register.
    """
    if number == 1 and not register.ask("SELECT 1 FROM nil_reports"):
        return  # the first run makes it
    make_folder(workspace, is_confidential=True)
    path = workspace / REGISTER
    with closing(sqlite3.connect(path)) as connection:
        register.pour_into(connection)
        _cut(connection, _beginning_of(register, number))
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise RegisterError(
                f"what stood in the register before run {number} cannot be told", str(register.path),
                "geopipe register check says more.",
            )  # fmt: skip
        names = {f"{key}.arrow" for (key,) in connection.execute("SELECT key FROM readings")}
        carried = connection.execute("SELECT number FROM receipts WHERE carried_sha256 IS NOT NULL")
        names |= {f"carried-{receipt}.arrow" for (receipt,) in carried}
        drawn = connection.execute("SELECT receipt FROM drawn")
        names |= {f"unresolved-{receipt}.arrow" for (receipt,) in drawn}
    _bring(sorted(names), register.path.parent / FRAMES, workspace / FRAMES)


def _beginning_of(register: Register, number: int) -> dict[str, str | int]:
    """Return where a run begins: its time, and the first event of cases and of findings that came with it."""
    (at,) = register.ask("SELECT started_at FROM runs WHERE number = ?", number)[0]
    told: dict[str, str | int] = {"run": number, "at": at}
    for name, table in (("event", "events"), ("finding_event", "finding_events")):
        # A run without any event: from the first thing on that somebody did after it began.
        question = f"SELECT min(number) FROM {table} WHERE run >= ? OR (run IS NULL AND at >= ?)"  # noqa: S608
        first = register.ask(question, number, at)[0][0]
        last = register.ask(f"SELECT coalesce(max(number), 0) + 1 FROM {table}")[0][0]  # noqa: S608
        told[name] = last if first is None else first
    return told


def _cut(connection: sqlite3.Connection, beginning: dict[str, str | int]) -> None:
    """Take out of a copy what came later; the rules that refuse this are put back."""
    rules = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in rules:
        connection.execute(f'DROP TRIGGER "{name}"')
    for later in _LATER:
        connection.execute(f"DELETE FROM {later}", beginning)  # noqa: S608
    for _, rule in rules:
        connection.execute(rule)
    connection.commit()


def _bring(names: list[str], source: Path, target: Path) -> None:
    """Bring the records of earlier deliveries; files are shared where the disk allows it."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (source / name).is_file():
            continue  # the run says which delivery is missing
        # They are never written in place, so a second name is as good as a copy.
        try:
            os.link(source / name, target / name)
        except OSError:
            shutil.copyfile(source / name, target / name)
