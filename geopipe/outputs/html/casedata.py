"""The cases of a page: a row of the table for each, and what opens behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from geopipe.casework.choosing import by_urgency
from geopipe.casework.facts import date_of, is_open, width_of
from geopipe.casework.words import CHOICES, STATUSES, sentence_of
from geopipe.languages.texts import Texts
from geopipe.languages.words import KINDS, SEVERITIES
from geopipe.outputs.html.interned import Interned
from geopipe.outputs.html.material import Material
from geopipe.outputs.pack import casepage
from geopipe.outputs.pack.choicetable import choices
from geopipe.register.case import Case
from geopipe.register.table import place_of
from geopipe.terms import Severity

_CM, _MM2 = 2, 2
# What each choice would do is worked out for so many cases, the gravest first: it takes 15 ms for each.
MOST_WITH_CHOICES = 300


def in_order(material: Material) -> Material:
    """Return the material with its cases in the order of the table: the gravest first."""
    return replace(material, told=replace(material.told, cases=tuple(by_urgency(material.told.cases))))


def case_rows(material: Material, texts: Texts, interned: Interned) -> dict[str, list[Any]]:
    """Return the columns of the table; texts by their number, areas in m2, widths in m."""
    rows = [_row(case, material, texts, interned) for case in material.told.cases]
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _row(case: Case, material: Material, texts: Texts, interned: Interned) -> dict[str, Any]:
    columns, policy = case.sighting.columns, material.told.policy
    width_m = width_of(case)
    row: dict[str, Any] = {
        "name": interned(case.name),
        "severity": interned(columns["severity"]),
        "about": interned(texts(sentence_of(columns["finding"], policy.sentences))),
        "finding": interned(columns["finding"]),
        "status": interned(texts(STATUSES[case.status])),
        "open": int(is_open(case)),
        "present": int(case.present),
        "m2": round(columns["area_m2"], _MM2),
        "width": None if width_m is None else round(width_m, _CM),
        **{level: interned(_place(case, level, material.operator)) for level in ("province", "district")},
        "first": interned(case.first_seen.isoformat()),
    }
    for letter, side in (("a", case.sighting.a), ("b", case.sighting.b)):
        row[f"{letter}_operator"] = interned(side.operator)
        row[f"{letter}_id"] = interned(side.source_id or side.record_id)
        row[f"{letter}_kind"] = interned(texts(KINDS[side.kind]))
        row[f"{letter}_day"] = interned(date_of(side.columns))
    return row


def _place(case: Case, level: str, operator: str | None) -> str | None:
    """Return where a case lies; for an operator only by its own record."""
    if operator is None:
        return place_of(case, level)
    own = next(side.columns for side in (case.sighting.a, case.sighting.b) if side.operator == operator)
    place: str | None = own[f"{level}_located"] or own[f"{level}_stated"]
    return place


def case_details(material: Material, texts: Texts, interned: Interned) -> dict[str, Any]:
    """Return what opens behind each case; names of facts and records stand once."""
    cases = material.told.cases
    details = [
        [*_detail(case, material, texts, interned), _choices(case, at, material, texts, interned)]
        for at, case in enumerate(cases)
    ]
    return {
        "records": interned.deep(list(_names_of_records(material, texts))),
        "choices": interned.deep(choices(cases[0], material.told, texts)["head"] if cases else []),
        "of": details,
    }


def _names_of_records(material: Material, texts: Texts) -> list[str]:
    cases = material.told.cases
    rows = casepage.records(cases[0], material.told, texts)["rows"] if cases else []
    return [row[0] for row in rows]


def _detail(case: Case, material: Material, texts: Texts, interned: Interned) -> list[Any]:
    """Return question, place, facts, records, proposal, reasons and sections of a case."""
    told = material.told
    proposal = told.proposals[case.case_id]
    reasons = proposal.reasons if material.operator is None else proposal.shareable
    records = casepage.records(case, told, texts)["rows"]
    sections = [[texts("If nothing is decided"), list(casepage.if_nothing(case, texts))]]
    if material.has_register:
        sections += [
            [texts("Positions"), list(casepage.positions(case, told, texts))],
            [
                texts("Earlier decisions on these records"),
                list(casepage.decisions(case, told, texts)) or [texts("none")],
            ],
        ]
    made: list[Any] = interned.deep([
        casepage.question(case, texts),
        casepage.place(case, told, texts),
        list(casepage.facts(case, told, texts)),
        [[row[side] for row in records] for side in (1, 2)],
        texts(CHOICES[proposal.choice]),
        [reason.in_each(texts) for reason in reasons],
        sections,
    ])  # fmt: skip
    return made


def _choices(case: Case, at: int, material: Material, texts: Texts, interned: Interned) -> list[Any]:
    """Return what each choice would do to the case at a place in the list; none for those far below."""
    if at >= MOST_WITH_CHOICES:
        return []
    rows: list[Any] = interned.deep(choices(case, material.told, texts)["rows"])
    return rows


def severities(texts: Texts) -> list[list[str]]:
    """Return codes of severities with their words, the gravest first."""
    return [[level.value, texts(SEVERITIES[level])] for level in Severity if level != Severity.NOTE]
