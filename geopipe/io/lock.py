"""The lock of a workspace: who holds it, since when, and what becomes of it when the holder dies.

The system's lock dies with the process that holds it. Beside it stands who holds it, for people, and for
shared folders whose locks do not reach other machines.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from geopipe.errors import BusyError
from geopipe.unfinished import started_at

LOCK, OWNER = ".lock", ".lock-owner.json"


@dataclass(frozen=True)
class Owner:
    """A process that holds a workspace.

    `started` is when the process began, in ticks since the machine was switched on, with the machine's boot:
    ids of processes are used again. It is empty where the system does not say.
    """

    pid: int
    host: str
    user: str
    since: str
    started: str

    def age(self, now: dt.datetime) -> str:
        """Return for how long it has been holding, in words."""
        return in_words((now - dt.datetime.fromisoformat(self.since)).total_seconds())

    def told(self, now: dt.datetime) -> str:
        """Return who it is, and since when."""
        return f"process {self.pid} of {self.user} on {self.host}, for {self.age(now)} (since {self.since})"


@contextmanager
def holding(workspace: Path, now: dt.datetime | None = None) -> Iterator[Owner | None]:
    """Hold a workspace that exists for one run; give the dead owner whose lock was taken over, else None.

    Raises
    ------
    BusyError
        When another run holds it, or may hold it from another machine.
    OSError
        When the workspace cannot be written.
    """
    from filelock import FileLock, Timeout

    now = now or dt.datetime.now(dt.UTC)
    lock = FileLock(workspace / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _busy(workspace, owner_of(workspace), now) from error
    try:
        left = owner_of(workspace)
        if left is not None:
            if not is_dead(left):
                raise _busy(workspace, left, now)
            logging.getLogger(__name__).warning(
                "WARNING the last run here did not end by itself: %s. Its lock is taken over.", left.told(now)
            )
        try:
            (workspace / OWNER).write_text(json.dumps(asdict(this_process(now))), encoding="utf-8")
            yield left
        finally:
            with suppress(OSError):
                (workspace / OWNER).unlink()
    finally:
        lock.release()


def owner_of(workspace: Path) -> Owner | None:
    """Return who has written down that it holds a workspace, None where nobody has."""
    try:
        told = json.loads((workspace / OWNER).read_text(encoding="utf-8"))
        owner = Owner(**told)
        dt.datetime.fromisoformat(owner.since)
    except (OSError, ValueError, TypeError):
        return None
    return owner


def holder_of(workspace: Path) -> Owner | None:
    """Return the living owner of a workspace, None where nobody is at work."""
    owner = owner_of(workspace)
    return None if owner is None or is_dead(owner) else owner


def is_dead(owner: Owner) -> bool:
    """Say whether an owner has certainly died; of another machine nobody knows."""
    if owner.host != socket.gethostname():
        return False
    began = started_at(owner.pid)
    return began is None or (owner.started != "" and owner.started != _since_boot(began))


def this_process(now: dt.datetime) -> Owner:
    """Return this process as an owner."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "somebody"
    since = now.isoformat(timespec="seconds")
    return Owner(os.getpid(), socket.gethostname(), user, since, _since_boot(started_at(os.getpid())))


def _since_boot(started: str | None) -> str:
    """Return when a process began, and since which start of the machine that counts, where it is told."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {started or ''}".strip()


def in_words(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 120:
        return f"{max(0, round(seconds))} seconds"
    for unit, length, next_one in (("minutes", 60, 120), ("hours", 3600, 48), ("days", 86400, 10**9)):
        if seconds < next_one * length:
            return f"{int(seconds // length)} {unit}"
    return "years"


def _busy(workspace: Path, owner: Owner | None, now: dt.datetime) -> BusyError:
    """Say who holds a workspace, and what to do."""
    if owner is None:
        return BusyError("another run is at work here", str(workspace), "Wait until it has finished.")
    what = f"another run is at work here: {owner.told(now)}"
    if owner.host == socket.gethostname():
        return BusyError(what, str(workspace), "Wait until it has finished.")
    remedy = f"Nobody here can see if it still lives. If it has ended, remove {workspace / OWNER}."
    return BusyError(what, str(workspace), remedy)
