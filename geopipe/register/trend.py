"""Error data from night to night: what is outstanding of each operator, what was opened and corrected."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geopipe.io.ledgers.opened import Opened
from geopipe.register.finding import OUTSTANDING, FindingStatus

_OPENED = (FindingStatus.BACKLOG.value, FindingStatus.NEW.value, FindingStatus.REOPENED.value)
_OUTSTANDING = (
    "SELECT f.operator, e.status, count(*) FROM findings f JOIN finding_events e USING (finding_id) "
    "WHERE e.number IN (SELECT max(number) FROM finding_events WHERE day <= ? GROUP BY finding_id) "
    "GROUP BY f.operator, e.status"
)
_SINCE = (
    "SELECT f.operator, e.status, count(*) FROM findings f JOIN finding_events e USING (finding_id) "
    "WHERE e.number > ? GROUP BY f.operator, e.status"
)


def trend(register: Opened, since_event: int, day: dt.date, days: int = 7) -> list[dict[str, Any]]:
    """Return for each operator what is outstanding, and what was some days ago; the most first.

    Parameters
    ----------
    register : Opened
    since_event : int
        Number of the last event of a finding that was told before.
    day : date
        The day that counts as today.
    days : int
        How far to look back for `before`; None is told where nothing was registered by then.
    """
    now = _outstanding(register, day)
    earlier = day - dt.timedelta(days=days)
    (was_known,) = register.ask("SELECT count(*) FROM runs WHERE day <= ?", earlier.isoformat())[0]
    before = _outstanding(register, earlier) if was_known else None
    moved: dict[str, dict[str, int]] = {}
    for operator, status, count in register.ask(_SINCE, since_event):
        name = "opened" if status in _OPENED else status
        told = moved.setdefault(operator, {})
        told[name] = told.get(name, 0) + count
    operators = {*now, *(before or {}), *moved}
    rows = [
        {
            "operator": operator,
            "outstanding": now.get(operator, 0),
            "before": None if before is None else before.get(operator, 0),
            "opened": moved.get(operator, {}).get("opened", 0),
            "corrected": moved.get(operator, {}).get(FindingStatus.CORRECTED.value, 0),
        }
        for operator in operators
    ]
    return sorted(rows, key=lambda row: (-int(row["outstanding"] or 0), str(row["operator"])))


def _outstanding(register: Opened, day: dt.date) -> dict[str, int]:
    """Return how many findings of each operator were outstanding at the end of a day."""
    found: dict[str, int] = {}
    for operator, status, count in register.ask(_OUTSTANDING, day.isoformat()):
        if FindingStatus(status) in OUTSTANDING:
            found[operator] = found.get(operator, 0) + count
    return found
