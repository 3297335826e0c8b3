"""Findings in the register: what a run adds to them, what people do with them, and how they are read."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from geopipe.catalogue import load_catalogue
from geopipe.editions import is_told
from geopipe.errors import ConfigError
from geopipe.identity import hash_text
from geopipe.io.ledgers.opened import Opened
from geopipe.register.finding import Finding, FindingEvent, FindingStatus
from geopipe.register.findinglife import Happened, Last, absent, came_back, corrected, opened
from geopipe.register.findings import found_by
from geopipe.register.rows import as_json
from geopipe.schema import State

_LAST = (
    "SELECT finding_id, status, measure FROM finding_events WHERE number IN "
    "(SELECT max(number) FROM finding_events GROUP BY finding_id)"
)
_EVENT = (
    "SELECT finding_id, number, day, author, status, cause, measure, run FROM finding_events ORDER BY number"
)
_AT_ONCE = 500
# A beginning of an id is enough from this length on.
_SHORTEST = 5
_RUN = "geopipe"


def record_findings(register: Opened, number: int, when: str, day: dt.date, state: State) -> None:
    """Hold the faults that a run has found against the known ones, and write down what is new.

    Call this within a transaction, after the run itself was written down.

    Parameters
    ----------
    register : Opened
    number : int
        The run's.
    when : str
        When it began, in ISO form.
    day : date
        The day that it took for today.
    state : State
        After all stages.
    """
    known = {row[0]: Last(FindingStatus(row[1]), row[2]) for row in register.ask(_LAST)}
    found = found_by(state)
    new = opened(found, known, is_first=number == 1)
    for name, columns in found.rows(item.finding_id for item in new):
        said = columns.pop("code"), columns.pop("operator")
        register.insert("findings", name, number, *said, as_json(columns))
    gone = corrected(state, known, _columns_of(register, absent(found, known)))
    for item in (*new, *came_back(found, known), *gone):
        _insert(register, item, hash_text(f"finding {item.finding_id} {number}"), when, day, _RUN, number)


def _columns_of(register: Opened, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        places = ", ".join("?" * len(some))
        question = f"SELECT finding_id, code, operator, columns FROM findings WHERE finding_id IN ({places})"  # noqa: S608
        for name, code, operator, columns in register.ask(question, *some):
            found[name] = {"code": code, "operator": operator, **json.loads(columns)}
    return found


def _insert(
    register: Opened, item: Happened, event_id: str, when: str, day: dt.date, author: str, run: int | None
) -> None:
    register.insert(
        "finding_events", None, event_id, item.finding_id, when, day.isoformat(), author, item.status.value,
        item.cause, run, item.measure,
    )  # fmt: skip


def findings_of(register: Opened) -> list[Finding]:
    """Return all findings with all that happened to them, in the order in which they were opened."""
    events: dict[str, list[FindingEvent]] = defaultdict(list)
    for name, number, day, author, status, cause, measure, run in register.ask(_EVENT):
        on = dt.date.fromisoformat(day)
        events[name].append(FindingEvent(number, on, author, FindingStatus(status), cause, measure, run))
    rows = register.ask("SELECT finding_id, code, operator, columns FROM findings ORDER BY rowid")
    return [
        Finding(name, code, operator, json.loads(columns), tuple(events[name]))
        for name, code, operator, columns in rows
    ]


def find_finding(findings: Collection[Finding], name: str) -> Finding:
    """Return the finding that an id, or the beginning of one, means.

    Raises
    ------
    ConfigError
        When there is none, or several.
    """
    begin = name.strip().lower()
    found = [item for item in findings if len(begin) >= _SHORTEST and item.finding_id.startswith(begin)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"{len(found)} findings begin so", name, "Write more of the id.")
    raise ConfigError("there is no finding of this id", name, "geopipe findings list shows them.")


def accept(register: Opened, findings: Sequence[Finding], reason: str, by: str, at: dt.datetime) -> None:
    """Write down that the data may stay as they are, and why.

    Raises
    ------
    ConfigError
        When one is not outstanding, or no reason or name is given; then none is accepted.
    """
    if not reason.strip():
        raise ConfigError("a finding is only accepted with a reason", remedy="Give --reason.")
    for item in findings:
        if not item.is_outstanding:
            sentence = f"this finding is {item.status.value}"
            raise ConfigError(sentence, item.finding_id, "Only outstanding ones are accepted.")
    with register.transaction():
        _act(register, findings, FindingStatus.ACCEPTED, reason.strip(), by, at)


def send(register: Opened, findings: Iterable[Finding], by: str, at: dt.datetime) -> list[Finding]:
    """Write down that findings were sent to their operators; return those that were not sent before.

    What is for the authority only is never among them.
    """
    catalogue = load_catalogue()
    chosen = [
        item
        for item in findings
        if item.is_outstanding and item.status != FindingStatus.SENT and is_told(item.code, catalogue)
    ]
    with register.transaction():
        _act(register, chosen, FindingStatus.SENT, "", by, at)
    return chosen


def _act(
    register: Opened, findings: Iterable[Finding], status: FindingStatus, cause: str, by: str, at: dt.datetime
) -> None:
    """Append what somebody did with findings."""
    if not by.strip():
        raise ConfigError("nobody's name is given", remedy="Say who does this: --by NAME.")
    when = at.isoformat(timespec="seconds")
    for item in findings:
        event_id = hash_text(f"finding {item.finding_id} after {item.events[-1].number} {by} {when}")
        what = Happened(item.finding_id, status, cause, item.measure)
        _insert(register, what, event_id, when, at.date(), by, None)
