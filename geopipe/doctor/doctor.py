"""All that is looked at, in order, for a configuration, a workspace, or the machine alone."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from geopipe.config import Config, load_config
from geopipe.doctor.check import Check, Level, fail, good, warn
from geopipe.doctor.installation import installation
from geopipe.doctor.machine import clock, kept_runs, rights, size_of, space, writing
from geopipe.doctor.nightlies import inbox, lock, schedule
from geopipe.doctor.registers import REGISTER, registers
from geopipe.errors import ExitCode, GeopipeError
from geopipe.io.ledgers.registerfile import NAME
from geopipe.io.lock import holder_of
from geopipe.io.store import load_saved_config
from geopipe.nightly.nights import nights
from geopipe.reports.publish import current_run, read_summary


def examine(place: Path | None, now: dt.datetime) -> Iterator[Check]:
    """Yield everything that was found, one thing after the other.

    Parameters
    ----------
    place : Path or None
        A configuration file or a workspace; None where there is neither.
    now : datetime
    """
    yield from installation(os.environ)
    yield writing("temporary", Path(tempfile.gettempdir()))
    if place is None:
        yield clock(now, None)
        yield good("workspace", "none was named: geopipe doctor CONFIG looks at it, too")
        return
    try:
        config = _config_of(place)
    except GeopipeError as error:
        yield clock(now, None)
        yield fail("configuration", f"{error.where}: {error.what}", error.remedy or "Mend it.")
        return
    yield from _of_config(config, now)


def _config_of(place: Path) -> Config:
    """Return a configuration, or what a workspace keeps of it: also one that was moved."""
    if place.is_dir():
        return load_saved_config(place).model_copy(update={"workspace": place})
    return load_config(place)


def _of_config(config: Config, now: dt.datetime) -> Iterator[Check]:
    yield _deliveries(config)
    yield writing("workspace", config.workspace)
    yield writing("output", config.output)
    run, last_bytes = _published(config)
    yield from run
    for name, folder in (("space", config.output), ("space of work", config.workspace)):
        if name == "space" or not _same_disk(config.output, config.workspace):
            yield space(name, folder, last_bytes)
    yield space("space of temp", Path(tempfile.gettempdir()), last_bytes)
    yield kept_runs(config.output, config.nightly.keep_days if config.nightly else config.keep_days)
    is_held = holder_of(config.workspace) is not None
    yield lock(config.workspace, now)
    yield from registers(config.workspace, now, is_held)
    kept = nights(config.output, config.workspace)
    yield clock(now, _last_start(config, [str(item.get("started_at") or "") for item in kept]))
    yield rights(config.workspace, _confidential(config.workspace), _secrets(config))
    if config.nightly is not None:
        yield inbox(config)
    if config.nightly is not None or kept:
        yield from schedule(kept, now, config.output, is_held)


def _deliveries(config: Config) -> Check:
    gone = [str(spec.path) for spec in config.deliveries if not spec.path.exists()]
    if gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        return warn("deliveries", f"not there: {', '.join(gone[:3])}{more}", "Check the names and the drive.")
    count = len(config.deliveries)
    return good("deliveries", f"{count} named in the configuration, {'all' if count else 'none'} there"
                if count else "none named in the configuration: all come through the inbox")  # fmt: skip


def _published(config: Config) -> tuple[list[Check], int]:
    """Return what was found about the newest result, and its size in bytes."""
    folder = current_run(config.output)
    if not folder.is_dir() or folder == config.output:
        return [good("map", "none yet")], 0
    try:
        read_summary(folder)
    except GeopipeError as error:
        remedy = "Run again; geopipe register check says which files are not as they were published."
        return [fail("map", f"{error.where}: {error.what}", remedy)], 0
    return [good("map", f"{folder} is whole")], size_of(folder)


def _same_disk(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.stat().st_dev == other.stat().st_dev
    return True


def _last_start(config: Config, times: Sequence[str]) -> dt.datetime | None:
    """Return when the last run began, as its summary or its manifest says."""
    told = [dt.datetime.fromisoformat(text) for text in times if text]
    with suppress(GeopipeError, OSError, KeyError, ValueError):
        summary = read_summary(current_run(config.output))
        told.append(dt.datetime.fromisoformat(summary["run"]["started_at"]))
    return max((at if at.tzinfo else at.replace(tzinfo=dt.UTC) for at in told), default=None)


def _confidential(workspace: Path) -> Iterator[Path]:
    """Yield what in a workspace not everybody may read: names, decisions, deliveries."""
    for name in (NAME, "backups", "deliveries", "received", "prepared", "returns"):
        yield workspace / name


def _secrets(config: Config) -> Iterator[Path]:
    """Yield the files that hold passwords."""
    told = config.nightly.notify if config.nightly else None
    if told is not None and told.mail is not None and told.mail.password_file is not None:
        yield told.mail.password_file
    if told is not None and told.webhook is not None and told.webhook.url_file is not None:
        yield told.webhook.url_file


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """Return 6 where the register is damaged, else 2 where anything failed, else 0."""
    failed = {item.name for item in checks if item.level is Level.FAIL}
    if REGISTER in failed:
        return ExitCode.REGISTER
    return ExitCode.USAGE if failed else ExitCode.DONE
