"""Numbers that people say, and how a case is found by what they type."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Collection, Mapping

from geopipe.errors import ConfigError
from geopipe.io.ledgers.opened import Opened
from geopipe.terms import Severity

_NO_PLACE = "XXX"
_SEVERITIES = [level.value for level in Severity]
SHORT_NAMES = "short_names"
_WITHOUT_NUMBER = (
    "SELECT s.case_id, s.columns ->> 'severity', s.columns ->> 'area_m2', "
    "coalesce(a.columns ->> 'province_code', b.columns ->> 'province_code') FROM sightings s "
    "JOIN (SELECT case_id, max(number) AS number FROM sightings GROUP BY case_id) USING (number) "
    "JOIN versions a ON a.version = s.a_version JOIN versions b ON b.version = s.b_version "
    "WHERE s.present = 1 AND s.case_id NOT IN (SELECT case_id FROM case_numbers)"
)
# A beginning of an id is enough from this length on.
_SHORTEST = 5


def find_case(register: Opened, name: str) -> str:
    """Return the id of the case that a number, an id or the beginning of an id means.

    Raises
    ------
    ConfigError
        When there is none, or several.
    """
    rows = register.ask("SELECT case_id FROM case_numbers WHERE upper(number) = ?", name.strip().upper())
    if not rows and len(name) >= _SHORTEST:
        prefix = name.strip().lower()
        rows = register.ask("SELECT case_id FROM cases WHERE substr(case_id, 1, ?) = ?", len(prefix), prefix)
    found = {row[0] for row in rows}
    if len(found) == 1:
        return str(found.pop())
    if found:
        raise ConfigError(f"{len(found)} cases begin so", name, "Write more of the id.")
    raise ConfigError("there is no case of this number or id", name, "geopipe cases list shows them.")


def give_numbers(
    register: Opened,
    day: dt.date,
    at: str,
    accepted: Collection[str] = (),
    only: Collection[str] | None = None,
) -> None:
    """Give a number to each case in the data that has none, the gravest and largest first.

    Only the master register gives final numbers; a copy that an office keeps gives provisional ones, which
    carry the office's code.

    Parameters
    ----------
    register : Opened
    day : date
        Its year stands in the number.
    at : str
        When this happens.
    accepted : collection of str
        Cases that a tolerance in force accepts: they get a number when they outgrow it, or enter an agenda.
    only : collection of str, optional
        No other cases than these.
    """
    found = [
        (_SEVERITIES.index(severity), -area_m2, case_id, province)
        for case_id, severity, area_m2, province in register.ask(_WITHOUT_NUMBER)
        if case_id not in accepted and (only is None or case_id in only)
    ]
    short_names = json.loads(fact(register, SHORT_NAMES) or "{}")
    office = fact(register, "office")
    taken = Counter(_prefix(row[0]) for row in register.ask("SELECT number FROM case_numbers"))
    given: list[tuple[str, str, int, str]] = []
    for _, _, case_id, code in sorted(found, key=lambda case: case[:3]):
        parts = short_names.get(code, code) if code else _NO_PLACE, office, str(day.year)
        prefix = "-".join(part for part in parts if part)
        taken[prefix] += 1
        given.append((case_id, f"{prefix}-{taken[prefix]:04d}", int(bool(office)), at))
    register.insert_all("case_numbers", given)


def keep_short_names(register: Opened, short_names: Mapping[str, str], at: str) -> None:
    """Remember the letters of each province, so that a meeting can give numbers as a run does."""
    text = json.dumps(dict(short_names), sort_keys=True)
    if text != fact(register, SHORT_NAMES):
        register.insert("facts", None, SHORT_NAMES, text, at)


def fact(register: Opened, name: str) -> str:
    """Return the last value of a fact about the register itself; '' where it has none."""
    rows = register.ask("SELECT value FROM facts WHERE name = ? ORDER BY number DESC LIMIT 1", name)
    return str(rows[0][0]) if rows else ""


def _prefix(number: str) -> str:
    return number.rsplit("-", 1)[0]
