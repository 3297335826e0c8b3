"""Which of the files in the inbox are taken tonight, and which wait, and for how long already."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.io.store import write_text
from geopipe.nightly.inbox import Look, Unit

GROWING = "it was still changing"
_NAME = "inbox.json"


@dataclass(frozen=True)
class Waiting:
    """A unit that is not taken, why, and since when it lies there."""

    unit: Unit
    why: str
    since: dt.datetime

    def days(self, now: dt.datetime) -> int:
        """Return for how many whole days it has been waiting; a clock that was set back counts as none."""
        return max(0, (now - self.since).days)


@dataclass(frozen=True)
class Chosen:
    """What the inbox holds tonight: `ready` to be taken, `waiting`, and what is strange about it."""

    ready: tuple[Unit, ...]
    waiting: tuple[Waiting, ...]
    look: Look


class Memory:
    """What earlier looks have seen: of each unit its state, since when, and since when it is there."""

    def __init__(self, workspace: Path) -> None:
        self._path = workspace / _NAME
        self._known: dict[str, dict[str, str]] = {}
        try:
            told: Any = json.loads(self._path.read_text(encoding="utf-8"))
            self._known = {str(key): dict(value) for key, value in told.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            pass  # it only costs another look

    def saw(self, units: Sequence[Unit], now: dt.datetime) -> None:
        """Remember a look."""
        known = {}
        for unit in units:
            before = self._known.get(str(unit.main), {})
            same = before.get("state") == unit.state
            known[str(unit.main)] = {
                "state": unit.state,
                "same_since": _not_after(now, before.get("same_since") if same else None),
                "there_since": _not_after(now, before.get("there_since")),
            }
        self._known = known

    def is_settled(self, unit: Unit, now: dt.datetime, seconds: float) -> bool:
        """Say whether a unit has not changed for so long."""
        age = now - dt.datetime.fromisoformat(self._known[str(unit.main)]["same_since"])
        return age.total_seconds() >= seconds

    def there_since(self, unit: Unit) -> dt.datetime:
        """Return when a unit was seen first."""
        return dt.datetime.fromisoformat(self._known[str(unit.main)]["there_since"])

    def save(self) -> None:
        """Keep what was seen for the next night."""
        write_text(self._path, json.dumps(self._known, ensure_ascii=False, indent=1) + "\n")


def _not_after(now: dt.datetime, told: str | None) -> str:
    """Return a time that was written down; now, where there is none or a clock that ran ahead wrote it."""
    with contextlib.suppress(TypeError, ValueError):
        if told and dt.datetime.fromisoformat(told) <= now:
            return told
    return now.isoformat()


def choose(
    looking: Callable[[], Look],
    memory: Memory,
    settle_seconds: float,
    clock: Callable[[], dt.datetime],
    pause: Callable[[float], None],
) -> Chosen:
    """Look at the inbox, twice where something has changed since the last look, and say what is complete.

    Parameters
    ----------
    looking : callable
        Gives a look at the inbox.
    memory : Memory
        Of earlier looks; it is brought up to date, not saved.
    settle_seconds : float
        How long a file must not have changed.
    clock, pause : callable
        Tell the time, and wait so many seconds.
    """
    seen, now = looking(), clock()
    memory.saw(seen.units, now)
    if any(not unit.wait and not memory.is_settled(unit, now, settle_seconds) for unit in seen.units):
        pause(settle_seconds)
        seen, now = looking(), clock()
        memory.saw(seen.units, now)
    whys: Mapping[str, str] = {
        str(unit.main): unit.wait or ("" if memory.is_settled(unit, now, settle_seconds) else GROWING)
        for unit in seen.units
    }
    ready = tuple(unit for unit in seen.units if not whys[str(unit.main)])
    waiting = tuple(
        Waiting(unit, why, memory.there_since(unit)) for unit in seen.units if (why := whys[str(unit.main)])
    )
    return Chosen(ready, waiting, seen)
