"""What geopipe proposes for a case, and why. People decide; a proposal is never carried out by itself.

A proposal never takes ground off the map of hazard and never shows more land as released. Where no choice is
safe by what the two records say, it is to look in the field, or to ask the operator.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from geopipe.casework.facts import closed_sides, date_of, width_of
from geopipe.casework.reasons import Reason
from geopipe.errors import ConfigError
from geopipe.policies import Policy
from geopipe.register.case import Case
from geopipe.register.outcome import dangers
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Choice, Kind, Relation, Severity

_CORRECTS = {"A": Choice.A_CORRECTS, "B": Choice.B_CORRECTS}
_WITHDRAWS = {"A": Choice.WITHDRAW_A, "B": Choice.WITHDRAW_B}
_OTHER = {"A": "B", "B": "A"}
_Why = tuple[Reason, ...]


@dataclass(frozen=True)
class Proposal:
    """A choice and the reasons for it.

    `shareable` are the reasons that an operator may read: they say nothing of the other's record but its
    operator, id, kind, status and date.
    """

    choice: Choice
    reasons: tuple[Reason, ...]

    @property
    def shareable(self) -> tuple[Reason, ...]:
        """The reasons that an operator may read."""
        return tuple(reason for reason in self.reasons if reason.is_shareable)


@dataclass(frozen=True)
class _Idea:
    """A choice that would fit, to be held against the safety rules."""

    choice: Choice
    reasons: _Why


def propose(case: Case, policy: Policy) -> Proposal:
    """Return the first choice that fits what the two records say, and is safe.

    Parameters
    ----------
    case : Case
    policy : Policy
        For how well a turning point is known.
    """
    pair = _Pair(case, policy)
    for idea in _ideas(pair):
        if pair.is_safe(idea.choice):
            return _as_proposal(pair, idea)
    return _as_proposal(pair, _last_resort(pair))


def _as_proposal(pair: _Pair, idea: _Idea) -> Proposal:
    return Proposal(idea.choice, (*idea.reasons, *pair.remarks()))


class _Pair:
    """The two records of a case, as a proposal needs them."""

    def __init__(self, case: Case, policy: Policy) -> None:
        self.case, self.policy = case, policy
        self.sides = {"A": case.sighting.a, "B": case.sighting.b}
        self.columns: dict[str, dict[str, Any]] = {name: side.columns for name, side in self.sides.items()}
        self.pair = case.sighting.columns
        self.closed = closed_sides(case)

    @property
    def kinds(self) -> tuple[Kind, Kind]:
        return Kind(self.columns["A"]["kind"]), Kind(self.columns["B"]["kind"])

    @property
    def is_one_operator(self) -> bool:
        return bool(self.columns["A"]["operator"] == self.columns["B"]["operator"])

    @property
    def first(self) -> str | None:
        """The side that is earlier in time, None where nobody knows."""
        return {"a_first": "A", "b_first": "B"}.get(self.pair["time_order"])

    @property
    def is_thin(self) -> bool:
        width_m = width_of(self.case)
        return width_m is not None and width_m < self.policy.survey_accuracy_m

    def share(self, side: str) -> float:
        """How much of a record lies in the shared ground, 0 to 1."""
        value: float | None = self.pair[f"{side.lower()}_share"]
        return value or 0.0

    def is_within(self, side: str) -> bool:
        """Say whether a record lies wholly on the ground of the other."""
        return self.pair["relation"] in (
            Relation.EQUAL,
            Relation.WITHIN if side == "A" else Relation.CONTAINS,
        )

    def name(self, side: str) -> str:
        """A record as a reason calls it."""
        return f"{side} ({self.sides[side].name})"

    def is_safe(self, choice: Choice) -> bool:
        """Say whether a choice takes no ground to the unsafe side, and can be carried out at all."""
        seen = self.case.sighting
        grounds = seen.a.geometry, seen.b.geometry
        try:
            return not dangers(choice, *self.kinds, *grounds, closed=self.closed)
        except ConfigError:
            return False

    def remarks(self) -> Iterator[Reason]:
        """What else those who decide should know."""
        if self.is_thin:
            yield Reason("thin", {"accuracy_m": self.policy.survey_accuracy_m})
        if self.pair["confidence"] == "uncertain":
            yield Reason("uncertain")


def _ideas(pair: _Pair) -> Iterator[_Idea]:
    """Yield the choices that fit what the two records say, the best first."""
    if not pair.case.present:
        yield _Idea(Choice.RETURN_TO_OPERATOR, (Reason("gone"),))
        return
    if pair.pair["severity"] == Severity.ALARM:
        return
    if (special := _OF_FINDING.get(pair.pair["finding"])) is not None:
        yield from special(pair)
        return
    a, b = pair.kinds
    if pair.is_one_operator:
        yield from _of_one_operator(pair)
    elif a in HAZARD_KINDS and b in HAZARD_KINDS:
        yield from _two_hazards(pair)
    elif a in RELEASED_KINDS and b in RELEASED_KINDS:
        yield from _two_releases(pair)


def _last_resort(pair: _Pair) -> _Idea:
    """Return what is always safe: to look, or to ask."""
    if pair.case.present and any(kind in HAZARD_KINDS for kind in pair.kinds):
        is_alarm = pair.pair["severity"] == Severity.ALARM
        why: _Why = (Reason("alarm"), Reason("until_then")) if is_alarm else (Reason("look"),)
        return _Idea(Choice.FIELD_SURVEY, why)
    return _Idea(Choice.RETURN_TO_OPERATOR, (Reason("own_files"),))


def _two_hazards(pair: _Pair) -> Iterator[_Idea]:
    """Two hazard areas of two operators: the ground stays hazard, but in one record only."""
    sides = _in_order(pair)
    kinds = dict(zip("AB", pair.kinds, strict=True))
    if len(set(kinds.values())) > 1:
        suspected = next(side for side, kind in kinds.items() if kind == Kind.SHA)
        evidence = Reason("direct_evidence", {"confirmed": _OTHER[suspected], "suspected": suspected})
        sides = [(suspected, (evidence,))]
    for side, why in sides:
        yield _gives_up(pair, side, why, "stays_hazard")


def _two_releases(pair: _Pair) -> Iterator[_Idea]:
    """Land released by two operators: it belongs to its earliest completion, unless it was done deeper."""
    if pair.first is None:
        yield _asks_for_dates(pair)
        return
    later = _OTHER[pair.first]
    a, b = pair.kinds
    if a == b == Kind.CLEARED:
        depth = {side: pair.columns[side]["clearance_depth_cm"] for side in "AB"}
        if all(depth.values()) and depth[later] > depth[pair.first]:
            depths = {"depth_cm": depth[later], "first_depth_cm": depth[pair.first]}
            again = Reason("cleared_deeper", {"later": later, **depths}, is_shareable=False)
            yield _Idea(Choice.BOTH_VALID, (again, Reason("both_true")))
            return
    if (a == Kind.CLEARED) != (b == Kind.CLEARED):
        weaker = "B" if a == Kind.CLEARED else "A"
        why: _Why = (Reason("not_cleared", {"cleared": _OTHER[weaker], "weaker": weaker}),)
        yield _gives_up(pair, weaker, why, "stays_released")
        return
    for side, why in _in_order(pair):
        yield _gives_up(pair, side, why, "stays_released")


def _in_order(pair: _Pair) -> list[tuple[str, _Why]]:
    """Return which record should give up ground, the better choice first."""
    days = {side: _day(pair, side) for side in "AB"}
    if pair.first is not None:
        later = _OTHER[pair.first]
        order = Reason("first", {
            "first": pair.first, "first_day": days[pair.first] or "?", "later": later,
            "later_day": days[later] or "?",
        })  # fmt: skip
        return [(later, (order,)), (pair.first, (order, Reason("only_first", {"record": pair.first})))]
    less, more = sorted("AB", key=pair.share)
    if pair.share(less) == pair.share(more):
        return []
    day = days["A"]
    order = Reason("same_day", {"day": day}) if day and day == days["B"] else Reason("order_not_known")
    smaller = Reason("smaller_share", {"record": less}, is_shareable=False)
    return [(less, (order, smaller)), (more, (order, Reason("only_first", {"record": more})))]


def _day(pair: _Pair, side: str) -> dt.date | None:
    day = date_of(pair.columns[side])
    return None if day is None else dt.date.fromisoformat(day)


def _gives_up(pair: _Pair, side: str, why: _Why, stays: str) -> _Idea:
    """Return that a record gives up the shared ground: all that it has, or a part."""
    other = Reason(stays, {"record": pair.name(_OTHER[side])})
    if pair.is_within(side):
        whole = Reason("whole", {"record": pair.name(side)})
        return _Idea(_WITHDRAWS[side], (*why, whole, other))
    return _Idea(_CORRECTS[side], (*why, other))


def _of_one_operator(pair: _Pair) -> Iterator[_Idea]:
    """Two records of one operator: it knows best, unless they say the same."""
    a, b = pair.kinds
    whose = {"operator": pair.columns["A"]["operator"]}
    if pair.pair["relation"] == Relation.EQUAL and a == b:
        side = _OTHER[pair.first] if pair.first else "B"
        yield _Idea(_WITHDRAWS[side], (Reason("same_ground", whose), Reason("one_is_enough")))
    yield _Idea(Choice.RETURN_TO_OPERATOR, (Reason("its_own", whose),))


def _asks_for_dates(pair: _Pair) -> _Idea:
    missing = [side for side in "AB" if date_of(pair.columns[side]) is None]
    if len(missing) == 2:
        reason = Reason("no_dates")
    elif missing:
        reason = Reason("no_date", {"record": missing[0]})
    else:
        reason = Reason("ask_which_first", {"day": _day(pair, "A") or "?"})
    return _Idea(Choice.RETURN_TO_OPERATOR, (reason,))


def _order_unknown(pair: _Pair) -> Iterator[_Idea]:
    yield _asks_for_dates(pair)


def _status_not_updated(pair: _Pair) -> Iterator[_Idea]:
    side = "A" if pair.kinds[0] in HAZARD_KINDS else "B"
    asked = Reason("status", {"record": pair.name(side)})
    yield _Idea(Choice.RETURN_TO_OPERATOR, (asked, Reason("no_boundary")))


def _deeper_hazard(_: _Pair) -> Iterator[_Idea]:
    why = (Reason("smaller_depth", is_shareable=False), Reason("hazard_above"))
    yield _Idea(Choice.BOTH_VALID, why)


def _evolution_unclear(pair: _Pair) -> Iterator[_Idea]:
    yield from _two_hazards(pair)


def _surveyed_twice(_: _Pair) -> Iterator[_Idea]:
    yield _Idea(Choice.RETURN_TO_OPERATOR, (Reason("same_box"),))


def _versions(pair: _Pair) -> Iterator[_Idea]:
    whose = {"operator": pair.columns["A"]["operator"]}
    yield _Idea(Choice.RETURN_TO_OPERATOR, (Reason("versions", whose),))


_OF_FINDING: dict[str, Callable[[_Pair], Iterator[_Idea]]] = {
    "order_unknown": _order_unknown,
    "status_not_updated": _status_not_updated,
    "hazard_below_clearance_depth": _deeper_hazard,
    "evolution_unclear": _evolution_unclear,
    "surveyed_twice": _surveyed_twice,
    "version_conflict": _versions,
}
