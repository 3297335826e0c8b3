"""How much memory a process uses, and how much one file may: asked of the system, without another library."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# A reader process that finds no memory ends with this code, to be told from a crash.
OUT_OF_MEMORY = 86
_LEAST = 2 << 30
# What the limits of this process were before they were set for a file.
_BEFORE: dict[int, tuple[int, int]] = {}


def default_limit() -> int:
    """Return what one file may use where nobody says it (bytes): half of this computer's memory."""
    return max(_LEAST, _physical_bytes() // 2)


def _physical_bytes() -> int:
    """Return the memory of this computer, 0 where the system does not say."""
    if os.name == "nt":
        return _of_windows()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def limit_own_memory(most: int | None) -> None:
    """Let allocations of this process fail beyond a limit (bytes); let no crash write its memory to disk."""
    if os.name == "nt":
        return  # the parent looks on
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if most is not None:
        _limit(resource.RLIMIT_DATA, most)


def limit_own_time(seconds: float) -> None:
    """Let the system end this process after some more time at work: its parent may not live to do that."""
    if os.name == "nt":
        return
    import resource

    used = time.process_time()
    # Several threads use several seconds in one.
    _limit(resource.RLIMIT_CPU, int(used + seconds * (os.cpu_count() or 1)) + 1)


def lift_own_limits() -> None:
    """Take back what was limited for a file: this process has other work now."""
    if _BEFORE:
        import resource

        for what, limits in _BEFORE.items():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(what, limits)
        _BEFORE.clear()


def _limit(what: int, most: int) -> None:
    """Set a limit of this process, and remember what it was before the first file."""
    import resource

    before = resource.getrlimit(what)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, before[1]))
        _BEFORE.setdefault(what, before)


def own_bytes(process: subprocess.Popen[bytes]) -> int:
    """Return the memory that only this process uses (bytes), 0 where the system does not say."""
    if os.name == "nt":
        return _of_process(process)
    if sys.platform != "linux":
        return 0
    try:
        pages = Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0  # it has just ended
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


class _Status(ctypes.Structure):
    """MEMORYSTATUSEX of Windows."""

    _fields_ = (
        ("length", ctypes.c_ulong),
        ("load", ctypes.c_ulong),
        ("physical", ctypes.c_ulonglong),
        ("others", ctypes.c_ulonglong * 6),
    )


class _Counters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS_EX of Windows."""

    _fields_ = (
        ("length", ctypes.c_ulong),
        ("faults", ctypes.c_ulong),
        ("others", ctypes.c_size_t * 8),
        ("private", ctypes.c_size_t),
    )


def _windows_library() -> Any:
    return getattr(ctypes, "windll").kernel32  # noqa: B009  not there on other systems


def _of_windows() -> int:
    status = _Status(length=ctypes.sizeof(_Status))
    found = _windows_library().GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.physical) if found else 0


def _of_process(process: subprocess.Popen[bytes]) -> int:
    counters = _Counters(length=ctypes.sizeof(_Counters))
    handle = ctypes.c_void_p(int(getattr(process, "_handle")))  # noqa: B009
    found = _windows_library().K32GetProcessMemoryInfo(handle, ctypes.byref(counters), counters.length)
    return int(counters.private) if found else 0
