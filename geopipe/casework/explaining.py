"""A case in short sentences: how the two records lie, what came first, what is proposed and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from geopipe.casework.casefile import if_nothing
from geopipe.casework.facts import answers, date_of, width_of
from geopipe.casework.proposal import Proposal
from geopipe.casework.words import ANSWERS, CHOICES, STATUSES, sentence_of
from geopipe.register.case import Case, Side
from geopipe.register.table import place_of
from geopipe.terms import RELEASED_KINDS

_RELATIONS = {
    "equal": "Both are exactly the same ground.",
    "near_equal": "Both are nearly the same ground.",
    "contains": "B lies wholly inside A.",
    "within": "A lies wholly inside B.",
    "partial": "They share a part of their ground; each has ground of its own.",
}
_KINDS = {
    "SHA": "a suspected hazardous area (SHA)", "CHA": "a confirmed hazardous area (CHA)",
    "CLEARED": "cleared land", "REDUCED": "reduced land", "CANCELLED": "cancelled land",
    "SURVEY_BOX": "a survey box", "TASK": "a task", "UNKNOWN": "of unknown kind",
}  # fmt: skip


def explain(case: Case, proposal: Proposal, sentences: Mapping[str, str]) -> Iterator[str]:
    """Yield the sentences that explain a case.

    Parameters
    ----------
    case : Case
    proposal : Proposal
    sentences : mapping
        What each finding means, from the policy.
    """
    columns = case.sighting.columns
    place = place_of(case, "province") or "a place that is not known"
    yield f"Case {case.name} is in {place}. Its status is: {STATUSES[case.status]}."
    yield f"{sentence_of(columns['finding'], sentences)}: this is of severity {columns['severity']}."
    yield from _records(case)
    yield from _ground(case)
    yield from _order(case)
    yield from _positions(case)
    yield f"Proposal: {CHOICES[proposal.choice]}."
    yield from map(str, proposal.reasons)
    if case.decision:
        kind = "confirmed" if case.decision.confirmed else "provisional: the signed minutes are missing"
        yield f"Decided was: {CHOICES[case.decision.choice]} ({kind})."
    else:
        yield "Nothing is decided yet. If nothing is decided:"
        yield from if_nothing(case)


def _records(case: Case) -> Iterator[str]:
    for name, side in (("A", case.sighting.a), ("B", case.sighting.b)):
        yield f"{name} is {_KINDS[side.columns['kind']]} of {side.name}{_day(side)}."


def _day(side: Side) -> str:
    day = date_of(side.columns)
    what = "completed" if side.columns["kind"] in RELEASED_KINDS else "surveyed"
    return f", {what} on {day}" if day else f"; nobody says when it was {what}"


def _ground(case: Case) -> Iterator[str]:
    columns = case.sighting.columns
    if not case.present:
        yield "The overlap is not in the data now. When it was last seen:"
    yield _RELATIONS[columns["relation"]]
    width_m = width_of(case)
    width = f"; at most {width_m:,.2f} m wide" if width_m is not None else ""
    a, b = columns["a_share"], columns["b_share"]
    yield f"They share {columns['area_m2']:,.2f} m2: {a:.1%} of A and {b:.1%} of B{width}."
    if columns["confidence"] == "uncertain":
        yield "This area is uncertain."


def _order(case: Case) -> Iterator[str]:
    order = case.sighting.columns["time_order"]
    first = {"a_first": "A was first, B came later.", "b_first": "B was first, A came later."}.get(order)
    yield first or "Which of them came first is not known."


def _positions(case: Case) -> Iterator[str]:
    said = answers(case)
    for operator in dict.fromkeys(case.operators):
        if operator in said:
            position, _ = said[operator]
            comment = f" ({position.comment})" if position.comment else ""
            yield f"{operator} says: {ANSWERS[position.answer]}{comment}."
        else:
            yield f"{operator} has not answered."
