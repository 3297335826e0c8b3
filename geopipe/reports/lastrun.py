"""The run that a register knows last: what is shown of a result with its decisions must be of that run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.register.register import Register


@dataclass(frozen=True)
class LastRun:
    """When the last run of a register began, and the day that it took for today."""

    started_at: dt.datetime
    day: dt.date


def last_run(register: Register, run: Path) -> LastRun:
    """Return the last run of a register, which has left its result in the folder `run`.

    Raises
    ------
    ConfigError
        When that folder is of another run: its records would be shown with decisions about others.
    """
    last = register.runs()[-1]
    if run.resolve().name != last["folder"]:
        raise ConfigError(
            f"the last run of the register is {last['folder']}, and this is another result", str(run),
            "Name the output folder of that run, or do geopipe run again.",
        )  # fmt: skip
    return LastRun(dt.datetime.fromisoformat(last["started_at"]), dt.date.fromisoformat(last["day"]))


def missing_deliveries(register: Register, day: dt.date, expected: Sequence[str]) -> tuple[str, ...] | None:
    """Return who of those expected delivered nothing for the quarter of a day; None: nobody is expected."""
    quarter = f"{day.year}-Q{(day.month + 2) // 3}"
    return tuple(register.ledger.missing(expected, quarter)) if expected else None
