"""Moments in the life of a register: after a run, before a day, now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geopipe.errors import ConfigError
from geopipe.io.ledgers.opened import Opened

_LAST = 2**62
# Tables of what happened, in the order in which it was written down.
_CASES, _FINDINGS = "events", "finding_events"


@dataclass(frozen=True)
class Moment:
    """After run `run` and the events of cases and findings up to the numbers `event` and `finding_event`."""

    run: int
    day: dt.date
    folder: str
    event: int
    finding_event: int

    @property
    def name(self) -> str:
        """The moment as people call it."""
        run = f"run {self.run} of {self.day.isoformat()}"
        return f"now, after {run}" if self.event == _LAST else run


def after_run(register: Opened, name: str) -> Moment:
    """Return the moment after a run that is named by its number, its folder or its day (the last of it).

    Raises
    ------
    ConfigError
        When there is no such run.
    """
    runs = _runs(register)
    text = name.strip()
    found = [row for row in runs if text in (str(row[0]), row[3]) or text == row[1].isoformat()]
    if not found and len(text) > len("run-") and text.startswith("run-"):
        found = [row for row in runs if str(row[3]).startswith(text)]
    if not found:
        known = f"The register knows runs 1 to {runs[-1][0]}, {runs[0][1]} to {runs[-1][1]}."
        raise ConfigError("there is no such run", name, known)
    return _moment(register, found[-1], found[-1][2])


def now(register: Opened) -> Moment:
    """Return this moment: after the last run and all that people have done since."""
    number, day, _, folder = _runs(register)[-1]
    return Moment(number, day, folder, _LAST, _LAST)


def as_written(register: Opened) -> Moment:
    """Return this moment with the numbers of the last events: for whoever asks again later."""
    number, day, _, folder = _runs(register)[-1]
    last = [
        int(register.ask(f"SELECT coalesce(max(number), 0) FROM {table}")[0][0])  # noqa: S608
        for table in (_CASES, _FINDINGS)
    ]
    return Moment(number, day, folder, *last)


def before_day(register: Opened, day: dt.date) -> Moment:
    """Return the moment at which a day began; on the first day of the register, after its first run.

    Raises
    ------
    ConfigError
        When nothing was registered by then.
    """
    runs = _runs(register)
    earlier = [row for row in runs if row[1] < day] or [row for row in runs[:1] if row[1] == day]
    if not earlier:
        raise ConfigError("nothing was registered by then", str(day), f"The first run was on {runs[0][1]}.")
    began = dt.datetime.combine(day, dt.time(), dt.UTC)
    return _moment(register, earlier[-1], max(began, earlier[-1][2]))


def day_of(register: Opened, text: str) -> dt.date:
    """Return the day that is written, or the day of the last meeting of that name.

    Raises
    ------
    ConfigError
        When it is neither.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        pass
    rows = register.ask("SELECT meeting, held_on FROM papers WHERE held_on IS NOT NULL")
    rows += register.ask(
        "SELECT json_extract(data, '$.meeting'), substr(at, 1, 10) FROM events WHERE kind = 'on_agenda'"
    )
    days = {(str(meeting), str(day)) for meeting, day in rows}
    wanted = text.strip().casefold()
    found = {day for meeting, day in days if wanted in (meeting.casefold(), f"{meeting} {day}".casefold())}
    if not found:
        known = ", ".join(sorted({meeting for meeting, _ in days})) or "none yet"
        raise ConfigError(
            "this is neither a day nor a meeting", text, f"Write YYYY-MM-DD. Meetings: {known}."
        )
    return dt.date.fromisoformat(max(found))


def _runs(register: Opened) -> Sequence[tuple[int, dt.date, dt.datetime, str]]:
    """Return number, day, time and folder of each run."""
    rows: list[Any] = register.ask(
        "SELECT number, day, started_at, coalesce(folder, '') FROM runs "
        "LEFT JOIN publications ON run = number ORDER BY number"
    )
    if not rows:
        raise ConfigError("nothing has run yet", str(register.path), "geopipe run makes the first run.")
    return [
        (number, dt.date.fromisoformat(day), dt.datetime.fromisoformat(at), folder)
        for number, day, at, folder in rows
    ]


def _moment(register: Opened, run: tuple[int, dt.date, dt.datetime, str], until: dt.datetime) -> Moment:
    number, day, _, folder = run
    ends = [_end(register, table, number, until) for table in (_CASES, _FINDINGS)]
    return Moment(number, day, folder, *ends)


def _end(register: Opened, table: str, run: int, until: dt.datetime) -> int:
    """Return the last event of a run, or of people before a time who came after it and before the next run.

    What an office did in its copy counts from when it was merged: the order is that of writing down.
    """
    (end,) = register.ask(f"SELECT coalesce(max(number), 0) FROM {table} WHERE run <= ?", run)[0]  # noqa: S608
    later = f"SELECT number, run, at FROM {table} WHERE number > ? ORDER BY number"  # noqa: S608
    for number, by_run, at in register.ask(later, end):
        if by_run is not None or dt.datetime.fromisoformat(at) >= until:
            break
        end = number
    return int(end)
