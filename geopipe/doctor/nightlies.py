"""How the nightly run stands: its lock, its inbox, its last night."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geopipe.config import Config
from geopipe.doctor.check import Check, fail, good, warn
from geopipe.io.lock import OWNER, Owner, holder_of, owner_of
from geopipe.nightly.inbox import look

_LATE_HOURS = 36
_LONG_HOURS = 12


def lock(workspace: Path, now: dt.datetime) -> Check:
    """Say who holds the workspace."""
    owner, living = owner_of(workspace), holder_of(workspace)
    if owner is None:
        return good("lock", "nobody is at work")
    if living is None:
        return warn("lock", f"{owner.told(now)} has died", "Nothing to do: the next run takes its lock over.")
    return _living(living, workspace, now)


def _living(owner: Owner, workspace: Path, now: dt.datetime) -> Check:
    hours = (now - dt.datetime.fromisoformat(owner.since)).total_seconds() / 3600
    if hours > _LONG_HOURS:
        remedy = f"If it has certainly ended, remove {workspace / OWNER}."
        return warn("lock", f"{owner.told(now)} is still at work", remedy)
    return good("lock", f"{owner.told(now)} is at work")


def inbox(config: Config) -> Check:
    """Look at the inbox, without taking anything."""
    assert config.nightly is not None
    spec = config.nightly
    try:
        seen = look(spec.inbox, tuple(spec.operators))
    except OSError as error:
        said = f"{spec.inbox} cannot be looked at ({error.strerror or error})"
        return fail("inbox", said, "Is the drive there, and may this account read it?")
    closed = [name for name in spec.operators if _is_closed(spec.inbox / name)]
    if closed:
        said = f"files in {', '.join(closed)} cannot be removed once they are filed"
        return warn("inbox", said, "Give the account that runs geopipe the right to write there.")
    if seen.strange:
        more = f" (and {len(seen.strange) - 1} more)" if len(seen.strange) > 1 else ""
        return warn("inbox", f"{seen.strange[0].rstrip('.')}{more}", "Somebody must sort the inbox.")
    if seen.missing:
        remedy = "Make the folders, or take them out of the configuration."
        return warn("inbox", f"these folders are not there: {', '.join(seen.missing)}", remedy)
    return good("inbox", f"{spec.inbox} can be read; {len(seen.units)} to take or waiting")


def _is_closed(folder: Path) -> bool:
    return folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def schedule(nights: list[dict[str, Any]], now: dt.datetime, output: Path, is_held: bool) -> Iterator[Check]:
    """Say when the last night was, and how it ended.

    Parameters
    ----------
    nights : list of dict
        The manifests that are kept, the last one last.
    now : datetime
    output : Path
    is_held : bool
        A run is at work now.
    """
    if not nights:
        yield good("schedule", "no nightly run yet")
        return
    last = nights[-1]
    hours = (now - dt.datetime.fromisoformat(last["started_at"])).total_seconds() / 3600
    told = f"the last night was {last['night']}, {hours:.0f} hours ago"
    digest = f"Read {output / 'digest.html'}."
    if hours > _LATE_HOURS:
        yield warn("schedule", told, "Is the timer on? geopipe run CONFIG --nightly starts one by hand.")
    elif last["outcome"] == "running" and not is_held:
        yield warn("schedule", f"{told}; it did not end by itself", "Start it again, and look why.")
    elif last["outcome"] == "failed":
        yield warn("schedule", f"{told}; it failed", digest)
    elif last["outcome"] == "not_all_read":
        yield warn("schedule", f"{told}; not everything was read", digest)
    else:
        yield good("schedule", told)
