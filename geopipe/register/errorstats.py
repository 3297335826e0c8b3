"""Error data over time: what was opened, corrected and is outstanding, per operator, code and quarter."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from geopipe.errors import ConfigError
from geopipe.periods import Period, parse_period
from geopipe.register.finding import OUTSTANDING, Finding, FindingStatus

BY = ("operator", "code", "quarter")
COUNTS = ("before", "backlog", "opened", "reopened", "corrected", "accepted", "outstanding")
_MOVES = {
    FindingStatus.BACKLOG: "backlog",
    FindingStatus.NEW: "opened",
    FindingStatus.REOPENED: "reopened",
    FindingStatus.CORRECTED: "corrected",
    FindingStatus.ACCEPTED: "accepted",
}


@dataclass
class Row:
    """Findings of a quarter that have the same operator, or code, or both.

    `before` + `backlog` + `opened` + `reopened` - `corrected` - `accepted` = `outstanding`. `oldest` is the
    day on which the oldest outstanding one was opened, `oldest_days` its age at the end of the quarter, or on
    the last day that is known.
    """

    labels: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    oldest: dt.date | None = None
    oldest_days: int | None = None

    def as_dict(self, by: Sequence[str]) -> dict[str, Any]:
        """Return the row as plain values."""
        oldest = self.oldest and self.oldest.isoformat()
        named = dict(zip(by, self.labels, strict=True))
        return {**named, **self.counts, "oldest": oldest, "oldest_days": self.oldest_days}


def quarter_of(day: dt.date) -> Period:
    """Return the quarter in which a day lies."""
    return parse_period(f"{day.year}-Q{(day.month + 2) // 3}")


def quarters(findings: Sequence[Finding], last_day: dt.date) -> list[Period]:
    """Return every quarter from the first finding to the last day that is known."""
    first = min((item.opened for item in findings), default=last_day)
    result = [quarter_of(first)]
    while result[-1].last < last_day:
        result.append(quarter_of(result[-1].last + dt.timedelta(days=1)))
    return result


def error_rows(
    findings: Sequence[Finding], when: Sequence[Period], by: Sequence[str], last_day: dt.date
) -> list[Row]:
    """Return one row for each combination that has any figure, sorted by its labels.

    Parameters
    ----------
    findings : sequence of Finding
    when : sequence of Period
        The quarters, or other periods, that are asked about.
    by : sequence of str
        Some of BY. Without `quarter` there must be one period only.
    last_day : date
        The last day that is known: ages are counted until then at most.
    """
    if "quarter" not in by and len(when) != 1:
        raise ConfigError(
            "figures of several quarters cannot be added up", remedy="Say --by quarter as well."
        )
    rows: dict[tuple[str, ...], Row] = {}
    for period in when:
        until = min(period.last, last_day)
        for item in findings:
            told = {"operator": item.operator, "code": item.code, "quarter": period.name}
            labels = tuple(told[name] for name in by)
            _add(rows.setdefault(labels, Row(labels)), item, period, until)
    return [rows[labels] for labels in sorted(rows) if any(rows[labels].counts.values())]


def _add(row: Row, item: Finding, period: Period, until: dt.date) -> None:
    """Count what happened to a finding in a period, and whether it is outstanding at its end."""
    is_open = was_open = False
    for day, status, moved in _moves(item):
        if day > period.last:
            break
        is_open = status in OUTSTANDING
        if day < period.first:
            was_open = is_open
        elif moved:
            row.counts[_MOVES[status]] += 1
    row.counts["before"] += was_open
    row.counts["outstanding"] += is_open
    if is_open and (row.oldest is None or item.opened < row.oldest):
        row.oldest, row.oldest_days = item.opened, (until - item.opened).days


def _moves(item: Finding) -> Iterator[tuple[dt.date, FindingStatus, bool]]:
    """Yield (day, status, whether that made it outstanding or ended it) of each event.

    What was accepted and is then corrected was not outstanding any more.
    """
    was_open = False
    for event in item.events:
        is_open = event.status in OUTSTANDING
        yield event.day, event.status, is_open != was_open
        was_open = is_open


def total(rows: Sequence[Row]) -> dict[str, int]:
    """Return the sums of rows of one quarter."""
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        for name in COUNTS:
            sums[name] += row.counts[name]
    return dict(sums)
