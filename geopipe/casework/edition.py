"""The rows of a sheet about cases: one edition for those who decide, and one for each operator.

An operator's edition is built from an allow-list: its own records; of the other record operator, id, kind,
status and date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geopipe.casework.choosing import by_urgency
from geopipe.casework.facts import answers, date_of, is_open, width_of
from geopipe.casework.proposal import propose
from geopipe.casework.sheetcolumns import DECIMALS, edition_for, seal
from geopipe.casework.words import ANSWERS, CHOICES, STATUSES, sentence_of, tidy
from geopipe.errors import ConfigError
from geopipe.policies import Policy
from geopipe.register.case import Case
from geopipe.register.table import place_of
from geopipe.reports.returned.styles import plain
from geopipe.settings import did_you_mean


@dataclass(frozen=True)
class Edition:
    """Rows about open cases, for those who decide (`operator` None) or for one operator."""

    operator: str | None
    rows: tuple[dict[str, Any], ...]
    cases: tuple[Case, ...]
    levels: tuple[str, ...]

    @property
    def name(self) -> str:
        """For whom it is."""
        return edition_for(self.operator)


def edition_of(cases: Sequence[Case], policy: Policy, key: bytes, operator: str | None = None) -> Edition:
    """Return the edition of all open cases, or of those of one operator.

    Raises
    ------
    ConfigError
        When no case is about this operator.
    """
    known = sorted({name for case in cases for name in case.operators})
    if operator is not None and operator not in known:
        raise ConfigError(f"no case is about {operator!r}{did_you_mean(operator, tuple(known))}")
    chosen = [
        case for case in by_urgency(cases)
        if is_open(case) and (operator is None or operator in case.operators)
    ]  # fmt: skip
    rows = tuple(_sealed(_row(case, policy, operator), case, key, operator) for case in chosen)
    return Edition(operator, rows, tuple(chosen), tuple(policy.levels))


def _sealed(row: dict[str, Any], case: Case, key: bytes, operator: str | None) -> dict[str, Any]:
    row |= {
        "case_id": case.case_id,
        "revision": case.events[-1].number,
        "edition": edition_for(operator),
    }
    return row | {"seal": seal(key, row)}


def _row(case: Case, policy: Policy, operator: str | None) -> dict[str, Any]:
    """Return what is fixed in a row."""
    seen, proposal = case.sighting, propose(case, policy)
    is_national = operator is None
    said = answers(case).values() if is_national else ()
    row = {
        "number": case.name,
        "status": STATUSES[case.status],
        "severity": seen.columns["severity"],
        "question": sentence_of(seen.columns["finding"], policy.sentences),
        **_side(case, "a", operator),
        **_side(case, "b", operator),
        "area_m2": seen.columns["area_m2"],
        "width_m": width_of(case),
        "province": _place(case, "province", operator),
        "district": _place(case, "district", operator),
        "first_seen": case.first_seen,
        "proposal": CHOICES[proposal.choice],
        "reasons": " ".join(map(str, proposal.reasons if is_national else proposal.shareable)),
        "positions": "; ".join(f"{p.operator}: {ANSWERS[p.answer]}" for p, _ in said),
        "decided": CHOICES[case.decision.choice] if case.decision else None,
    }
    return {name: _cell(name, value) for name, value in row.items()}


def _side(case: Case, name: str, operator: str | None) -> dict[str, Any]:
    """Return what a row says of one record; how much of it overlaps would tell how large it is."""
    side = case.sighting.a if name == "a" else case.sighting.b
    columns = side.columns
    day = date_of(columns)
    share = case.sighting.columns[f"{name}_share"]
    is_shown = operator is None or columns["operator"] == operator
    return {
        f"{name}_operator": columns["operator"],
        f"{name}_record": columns["source_id"] or columns["record_id"],
        f"{name}_kind": columns["kind"],
        f"{name}_status": columns["status"],
        f"{name}_date": day and dt.date.fromisoformat(day),
        f"{name}_percent": 100 * share if is_shown and share is not None else None,
    }


def _place(case: Case, level: str, operator: str | None) -> str | None:
    """Return where a case lies; for an operator only by its own record."""
    if operator is None:
        return place_of(case, level)
    sides = (side.columns for side in (case.sighting.a, case.sighting.b))
    own = next(columns for columns in sides if columns["operator"] == operator)
    place: str | None = own[f"{level}_located"] or own[f"{level}_stated"]
    return place


def _cell(name: str, value: Any) -> Any:
    """Return a value as a cell holds it."""
    if isinstance(value, float):
        return round(value, DECIMALS[name])
    return plain(tidy(value)) or None if isinstance(value, str) else value
