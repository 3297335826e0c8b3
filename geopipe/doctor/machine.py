"""Can this machine be worked on: writing, locking, space, rights, the clock."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from geopipe.doctor.check import Check, fail, good, warn

# A run needs room for its own folder, and while it works for about as much again in the temporary folder.
_RUNS_NEEDED, _RUNS_WANTED = 2, 10
_LEAST_BYTES = 200_000_000
# More than that, made by hand, and somebody wonders where the disk has gone.
_MANY_RUNS = 50


def writing(name: str, folder: Path) -> Check:
    """Write, force onto the disk, rename and lock a file in a folder, and remove it again.

    Parameters
    ----------
    name : str
    folder : Path
        Where it does not exist yet, nothing is made: its parent is looked at.
    """
    from filelock import FileLock, Timeout

    from geopipe.io.geopackage import sync

    if not folder.is_dir():
        parent = next((above for above in folder.parents if above.is_dir()), folder)
        if os.access(parent, os.W_OK):
            return good(name, f"{folder} is not there yet; the first run makes it")
        return fail(
            name, f"{folder} cannot be made in {parent}", "Give the account that runs geopipe the right."
        )
    step = "written"
    try:
        with tempfile.TemporaryDirectory(prefix=".geopipe-doctor-", dir=folder) as trial:
            first, second = Path(trial) / "a", Path(trial) / "b"
            first.write_bytes(b"x" * 4096)
            step = "forced onto the disk"
            sync(first)
            step = "replaced"
            second.write_bytes(b"")
            first.replace(second)
            sync(second.parent)
            if second.stat().st_size != 4096:
                raise OSError("another size")
            step = "locked"
            with FileLock(Path(trial) / "lock", timeout=0):
                pass
    except (OSError, Timeout, NotImplementedError) as error:
        said = f"a file cannot be {step} in {folder} ({getattr(error, 'strerror', None) or error})"
        return fail(name, said, "Look at the rights and the disk, or choose a folder on a local disk.")
    return good(name, f"{folder} can be written, replaced in one step, and locked")


def space(name: str, folder: Path, last_run_bytes: int) -> Check:
    """Hold the free space of a folder's disk against the size of the last run."""
    there = next((path for path in (folder, *folder.parents) if path.is_dir()), Path())
    free = shutil.disk_usage(there).free
    told = f"{in_bytes(free)} free for {folder}"
    told += f"; the last run took {in_bytes(last_run_bytes)}" if last_run_bytes else ""
    remedy = "Free some space; a lower keep_days keeps fewer old runs."
    if free < max(_RUNS_NEEDED * last_run_bytes, _LEAST_BYTES):
        return fail(name, told, remedy)
    if free < max(_RUNS_WANTED * last_run_bytes, 5 * _LEAST_BYTES):
        return warn(name, told, remedy)
    return good(name, told)


def kept_runs(output: Path, keep_days: int | None) -> Check:
    """Say how many runs are kept, how much they take, and if old ones are ever removed."""
    runs = [path for path in (output / "runs").glob("run-*") if path.is_dir()]
    count = "1 run" if len(runs) == 1 else f"{len(runs):,} runs"
    told = f"{count} in {output / 'runs'} ({in_bytes(sum(map(size_of, runs)))})"
    if keep_days is not None:
        return good("kept", f"{told}; old ones go after {keep_days} days")
    told = f"{told}; none is ever removed"
    if len(runs) <= _MANY_RUNS:
        return good("kept", told)
    remedy = (
        "`keep_days: 30` in the configuration removes old ones; what people met over or decided on stays."
    )
    return warn("kept", told, remedy)


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def in_bytes(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("bytes", "kB") or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def rights(workspace: Path, inside: Iterable[Path], secrets: Iterable[Path]) -> Check:
    """Say which confidential files everybody on this machine can read.

    Parameters
    ----------
    workspace : Path
    inside : iterable of Path
        What in it is confidential; closing the workspace is enough.
    secrets : iterable of Path
        Files that hold passwords, wherever they lie.
    """
    if os.name == "nt":
        return good("rights", "not looked at on Windows: who may open the workspace is set in its properties")
    there = [path for path in inside if path.exists() and is_open_to_all(path)]
    open_ones = [path for path in secrets if path.exists() and is_open_to_all(path)]
    if not there and not open_ones:
        return good("rights", "nobody else on this machine can read confidential files")
    remedies = [f"chmod o-rwx '{workspace}'"] if there else []
    remedies += [f"chmod 600 '{path}'" for path in open_ones]
    named = ", ".join(str(path) for path in (*open_ones, *there))
    return warn("rights", f"everybody on this machine can read {named}", " && ".join(remedies))


def is_open_to_all(path: Path) -> bool:
    """Say whether those who are neither owner nor in the group can come to a file or folder and read it."""
    path = path.resolve()
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(above.stat().st_mode & stat.S_IXOTH for above in path.parents)


def clock(now: dt.datetime, last: dt.datetime | None) -> Check:
    """Say whether the clock may be right: never earlier than the last run."""
    told = f"the clock shows {now.astimezone():%Y-%m-%d %H:%M %Z}"
    if last is not None and last > now + dt.timedelta(minutes=1):
        said = f"{told}, but a run began at {last.astimezone():%Y-%m-%d %H:%M %Z}"
        return fail("clock", said, "Set the clock: days of decisions and deliveries come from it.")
    return good("clock", told)
