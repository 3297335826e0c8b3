"""Measure a command from outside: the time and memory of its whole process tree.

This module and whoever imports it must stay small and import none of the libraries that are measured: on
Linux a child inherits the greatest memory that its parent ever had (`ru_maxrss` survives `exec`).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import psutil

POLL_S = 0.1
MIB = 2**20


@dataclass(frozen=True)
class Measured:
    """One run of a command: seconds of wall, seconds of CPU (user and system), greatest memory in MiB.

    Memory is the greater of two: what the tree held together at one of the looks, ten in a second
    (proportional set size: shared pages count once), and what its largest process ever held by itself.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float


class CommandError(Exception):
    """A command that is measured has failed."""


def measure(
    command: Sequence[str], environment: Mapping[str, str] | None = None, good: Collection[int] = (0,)
) -> Measured:
    """Run a command and measure it.

    Raises
    ------
    CommandError
        When it ends with an exit code that is not `good`; with the end of what it said.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        watcher = _Watcher(process.pid)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.ended.set()
        watcher.join()
        if process.returncode not in good:
            said.seek(0)
            end = said.read().decode(errors="replace")[-2000:]
            raise CommandError(f"{' '.join(command)} ended with {process.returncode}\n{end}")
    largest = usage.ru_maxrss * (1024 if os.uname().sysname == "Linux" else 1)
    return Measured(wall_s, usage.ru_utime + usage.ru_stime, max(watcher.peak, largest) / MIB)


class _Watcher(threading.Thread):
    """Looks at the memory of a process and its children until they have ended."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(POLL_S):
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            self.peak = max(self.peak, sum(map(_held, tree)))


def _held(process: psutil.Process) -> int:
    """Return the bytes of one process; none if it has just ended."""
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.uss))
