"""What is not finished: named for the process that makes it, so that what a dead one left can be removed."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

_MARK = "geopipe-"
# A process of another machine cannot be asked: what it left is taken for dead after this long.
_FOREIGN_S = 7 * 24 * 3600.0
_STILL_ACTIVE, _QUERY, _DENIED = 259, 0x1000, 5


@contextmanager
def unfinished_folder(parent: Path | None = None) -> Iterator[Path]:
    """Give a folder for what is not finished, and remove it at the end.

    What dead processes have left beside it is removed first.

    Parameters
    ----------
    parent : Path, optional
        Where the folder lies, hidden; must exist. Without one it lies among the system's temporary files.

    Raises
    ------
    OSError
        When it cannot be made.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    hidden = "" if parent is None else "."
    remove_left(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{hidden}{_MARK}{_owner()}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Windows keeps files that are open


@contextmanager
def unfinished_file(path: Path) -> Iterator[Path]:
    """Give an empty private file beside a place, to be moved there once it is whole; else it is removed.

    Raises
    ------
    OSError
        When it cannot be made.
    """
    remove_left(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{_MARK}{_owner()}-", suffix=f"-{path.name}", dir=path.parent)
    os.close(handle)
    building = Path(name)
    try:
        yield building
    finally:
        with contextlib.suppress(OSError):
            building.unlink(missing_ok=True)


def remove_left(folder: Path) -> None:
    """Remove what dead processes have left unfinished in a folder; what a living one makes stays."""
    for left in (*folder.glob(f".{_MARK}*"), *folder.glob(f"{_MARK}*")):
        if _is_left(left):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    left.unlink()


def _is_left(path: Path) -> bool:
    """Say whether something unfinished has lost its owner; a name that says none belongs to somebody else."""
    said = path.name.lstrip(".").removeprefix(_MARK).split("-")
    if len(said) < 4 or not said[1].isdigit():
        return False
    machine, process, started = said[:3]
    if machine == _machine():
        return started_at(int(process)) != started
    try:
        return time.time() - path.lstat().st_mtime > _FOREIGN_S
    except OSError:
        return False


def _owner() -> str:
    """Return what names this process: machine, number, and when it started, because numbers come again."""
    return f"{_machine()}-{os.getpid()}-{started_at(os.getpid())}"


def _machine() -> str:
    return blake2b(platform.node().encode(), digest_size=4).hexdigest()


def started_at(process: int) -> str | None:
    """Return when a process of this machine started, in the system's own way; None where there is none.

    Where the system does not tell, all that live have the same answer.
    """
    if sys.platform == "win32":
        return _started_on_windows(process)
    try:
        # The name of the program stands in brackets, and may hold anything.
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        state, started = fields[2].split()[0], fields[2].split()[19]
        return None if state in "ZX" else started
    except (OSError, IndexError):
        return _lives(process)


def _lives(process: int) -> str | None:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "0"
    return "0"


def _started_on_windows(process: int) -> str | None:
    """Ask Windows; a signal would end the process there."""
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    handle = kernel.OpenProcess(_QUERY, False, process)
    if not handle:
        denied = ctypes.get_last_error() == _DENIED  # type: ignore[attr-defined,unused-ignore]
        return "0" if denied else None
    times, code = [wintypes.FILETIME() for _ in range(4)], wintypes.DWORD()
    try:
        kernel.GetProcessTimes(wintypes.HANDLE(handle), *(ctypes.byref(item) for item in times))
        kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code))
    finally:
        kernel.CloseHandle(wintypes.HANDLE(handle))
    if code.value != _STILL_ACTIVE:
        return None
    return f"{times[0].dwHighDateTime:x}{times[0].dwLowDateTime:08x}"
