"""The columns of sheets about cases: what is fixed, what people fill in, and what guards both.

Every row carries the case, the number of its last event, for whom the sheet was made, and a seal over all
that is fixed. The seal needs a key that only the register knows: nobody else can make a row that counts.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from geopipe.casework.words import tidy
from geopipe.io.ledgers.opened import Opened

FIXED: Mapping[str, str] = {
    "number": "Case", "status": "Status", "severity": "Severity", "question": "What it is about",
    "a_operator": "Operator A", "a_record": "Record A", "a_kind": "Kind A", "a_status": "Status A",
    "a_date": "Date A", "b_operator": "Operator B", "b_record": "Record B", "b_kind": "Kind B",
    "b_status": "Status B", "b_date": "Date B", "area_m2": "Overlap m2", "width_m": "Width m",
    "a_percent": "% of A", "b_percent": "% of B", "province": "Province", "district": "District",
    "first_seen": "First seen", "proposal": "Proposal", "reasons": "Why", "positions": "Positions",
    "decided": "Decided before",
}  # fmt: skip
DECISION: Mapping[str, str] = {
    "decision": "Decision", "level": "Level", "meeting": "Meeting", "held_on": "Held on", "item": "Item",
    "shrinks_hazard": "Less hazard is meant", "grows_released": "More released is meant",
    "responsible": "Who corrects", "due": "By when", "note": "Note",
}  # fmt: skip
ANSWER: Mapping[str, str] = {
    "answer": "Answer", "comment": "Comment", "evidence": "Evidence", "name": "Name", "said_on": "Date",
}  # fmt: skip
CONTROL: Mapping[str, str] = {
    "case_id": "case id", "revision": "revision", "edition": "edition", "seal": "seal",
}  # fmt: skip
# How many decimals a fixed figure has: it must be the same after any program has written it.
DECIMALS = {"area_m2": 2, "width_m": 3, "a_percent": 1, "b_percent": 1}
DAYS = frozenset({"a_date", "b_date", "first_seen", "held_on", "due", "said_on"})
YES = "yes"
ALL_WORDS_FOR_NO = ("", "no", "false", "0")
# Of the register's authority: the sheet in which decisions are written.
NATIONAL = "decisions"
LAYER = "cases"
_KEY = "sheet_key"


def is_answer_edition(edition: str) -> bool:
    """Say whether an edition is for an operator, who answers and does not decide."""
    return edition != NATIONAL


def edition_for(operator: str | None) -> str:
    """Return the edition of an operator, or that in which decisions are written."""
    return NATIONAL if operator is None else f"answers of {operator}"


def columns_of(edition: str) -> dict[str, str]:
    """Return all columns of an edition with their headings, in order."""
    if not is_answer_edition(edition):
        return {**FIXED, **DECISION, **CONTROL}
    # What one operator says is not for another one before both have answered.
    return {name: title for name, title in FIXED.items() if name != "positions"} | {**ANSWER, **CONTROL}


def sheet_key(register: Opened, when: dt.datetime) -> bytes:
    """Return the key for seals; the register gets one when it has none."""
    question = "SELECT value FROM facts WHERE name = ? ORDER BY number LIMIT 1"
    if not register.ask(question, _KEY):
        with register.transaction():
            if not register.ask(question, _KEY):
                register.insert("facts", None, _KEY, secrets.token_hex(32), when.isoformat())
    return bytes.fromhex(register.ask(question, _KEY)[0][0])


def seal(key: bytes, row: Mapping[str, Any]) -> str:
    """Return the seal over all that is fixed in a row."""
    fixed = {name: as_text(name, row.get(name)) for name in (*FIXED, "case_id", "revision", "edition")}
    text = json.dumps(fixed, ensure_ascii=False, sort_keys=True)
    return hmac.new(key, text.encode(), "sha256").hexdigest()[:32]


def as_text(name: str, value: Any) -> str:
    """Return a cell as the same text, whichever program has written it and however it was read."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()[:10]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.{DECIMALS.get(name, 0)}f}"
    return " ".join(tidy(value).split())
