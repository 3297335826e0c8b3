"""What geopipe proposes for a case, and why. People decide; a proposal is never carried out by itself.

A proposal never takes ground off the map of hazard and never shows more land as released. Where no choice is
safe by what the two records say, it is to look in the field, or to ask the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from geopipe.casework.facts import closed_sides, date_of, width_of
from geopipe.errors import ConfigError
from geopipe.policies import Policy
from geopipe.register.case import Case
from geopipe.register.outcome import dangers
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Choice, Kind, Relation, Severity

_CORRECTS = {"A": Choice.A_CORRECTS, "B": Choice.B_CORRECTS}
_WITHDRAWS = {"A": Choice.WITHDRAW_A, "B": Choice.WITHDRAW_B}
_OTHER = {"A": "B", "B": "A"}


@dataclass(frozen=True)
class Proposal:
    """A choice and the reasons for it, as sentences.

    `shareable` are the reasons that an operator may read: they say nothing of the other's record but its
    operator, id, kind, status and date.
    """

    choice: Choice
    reasons: tuple[str, ...]
    shareable: tuple[str, ...]


@dataclass(frozen=True)
class _Reason:
    text: str
    is_shareable: bool = True


@dataclass(frozen=True)
class _Idea:
    """A choice that would fit, to be held against the safety rules."""

    choice: Choice
    reasons: tuple[_Reason, ...]


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
    reasons = (*idea.reasons, *pair.remarks())
    shareable = tuple(reason.text for reason in reasons if reason.is_shareable)
    return Proposal(idea.choice, tuple(reason.text for reason in reasons), shareable)


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

    def remarks(self) -> Iterator[_Reason]:
        """What else those who decide should know."""
        if self.is_thin:
            yield _Reason(
                f"The overlap is narrower than surveys are accurate ({self.policy.survey_accuracy_m:g} m): "
                "it may be one border that was measured twice."
            )
        if self.pair["confidence"] == "uncertain":
            yield _Reason("The measured area is uncertain; see finding OVERLAP_UNCERTAIN.")


def _ideas(pair: _Pair) -> Iterator[_Idea]:
    """Yield the choices that fit what the two records say, the best first."""
    if not pair.case.present:
        text = "The overlap is not in the data now: ask the operators who changed it, and on what evidence."
        yield _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text),))
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
        why = [_Reason("By the records alone no choice is safe: the ground must be looked at.")]
        if pair.pair["severity"] == Severity.ALARM:
            text = "Until then the ground counts as hazard, and nobody should be told that it is released."
            why = [_Reason("One record says hazard, the other says released, and the hazard may be real."),
                   _Reason(text)]  # fmt: skip
        return _Idea(Choice.FIELD_SURVEY, tuple(why))
    text = "By the records alone nobody can say which is right: the operators must look at their own files."
    return _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text),))


def _two_hazards(pair: _Pair) -> Iterator[_Idea]:
    """Two hazard areas of two operators: the ground stays hazard, but in one record only."""
    sides = _in_order(pair)
    kinds = dict(zip("AB", pair.kinds, strict=True))
    if len(set(kinds.values())) > 1:
        suspected = next(side for side, kind in kinds.items() if kind == Kind.SHA)
        why = _Reason(f"{_OTHER[suspected]} has direct evidence (CHA), {suspected} only suspicion (SHA).")
        sides = [(suspected, why)]
    for side, why in sides:
        yield _gives_up(pair, side, why, "The ground stays on the map as hazard")


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
            text = (
                f"{later} cleared the ground again, to {depth[later]:g} cm instead of {depth[pair.first]:g}."
            )
            again = _Reason(text, is_shareable=False)
            yield _Idea(Choice.BOTH_VALID, (again, _Reason("Both are true; the ground is counted once.")))
            return
    if (a == Kind.CLEARED) != (b == Kind.CLEARED):
        weaker = "B" if a == Kind.CLEARED else "A"
        why = _Reason(f"{_OTHER[weaker]} was cleared; {weaker} was released without clearance.")
        yield _gives_up(pair, weaker, why, "The ground stays released, and is counted once")
        return
    for side, why in _in_order(pair):
        yield _gives_up(pair, side, why, "The ground stays released, and is counted once")


def _in_order(pair: _Pair) -> list[tuple[str, _Reason]]:
    """Return which record should give up ground, the better choice first."""
    days = {side: date_of(pair.columns[side]) for side in "AB"}
    if pair.first is not None:
        later = _OTHER[pair.first]
        text = f"{pair.first} was first ({days[pair.first]}), {later} came later ({days[later]})."
        return [
            (later, _Reason(text)),
            (pair.first, _Reason(f"{text} Only {pair.first} can give up ground.")),
        ]
    less, more = sorted("AB", key=pair.share)
    text = "Which record came first is not known"
    if days["A"] is not None and days["A"] == days["B"]:
        text = f"Both have the same date ({days['A']})"
    if pair.share(less) == pair.share(more):
        return []
    share = _Reason(f"{text}; {less} gives up the smaller share of its ground.", is_shareable=False)
    return [(less, share), (more, _Reason(f"{text}; only {more} can give up ground."))]


def _gives_up(pair: _Pair, side: str, why: _Reason, stays: str) -> _Idea:
    """Return that a record gives up the shared ground: all that it has, or a part."""
    other = _Reason(f"{stays}: {pair.name(_OTHER[side])} covers it.")
    if pair.is_within(side):
        whole = _Reason(f"{pair.name(side)} lies wholly on that ground: nothing of it would be left.")
        return _Idea(_WITHDRAWS[side], (why, whole, other))
    return _Idea(_CORRECTS[side], (why, other))


def _of_one_operator(pair: _Pair) -> Iterator[_Idea]:
    """Two records of one operator: it knows best, unless they say the same."""
    a, b = pair.kinds
    if pair.pair["relation"] == Relation.EQUAL and a == b:
        side = _OTHER[pair.first] if pair.first else "B"
        text = f"Both records of {pair.columns['A']['operator']} are the same ground and the same kind."
        yield _Idea(_WITHDRAWS[side], (_Reason(text), _Reason("One of them is enough.")))
    text = f"Both records are {pair.columns['A']['operator']}'s own: only it knows which one counts."
    yield _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text),))


def _asks_for_dates(pair: _Pair) -> _Idea:
    missing = [side for side in "AB" if date_of(pair.columns[side]) is None]
    text = f"The order in time is not known: {' and '.join(missing)} has no date of survey or completion."
    if not missing:
        text = f"Both have the same date ({date_of(pair.columns['A'])}): ask which was done first."
    return _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text),))


def _order_unknown(pair: _Pair) -> Iterator[_Idea]:
    yield _asks_for_dates(pair)


def _status_not_updated(pair: _Pair) -> Iterator[_Idea]:
    side = "A" if pair.kinds[0] in HAZARD_KINDS else "B"
    text = f"{pair.name(side)} is open, but all of it was released later: ask if the status is still right."
    yield _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text), _Reason("No boundary changes.")))


def _deeper_hazard(_: _Pair) -> Iterator[_Idea]:
    text = "The land was released to a smaller depth only: hazard below it does not contradict this."
    why = (_Reason(text, is_shareable=False), _Reason("The hazard stays on the map above the released land."))
    yield _Idea(Choice.BOTH_VALID, why)


def _evolution_unclear(pair: _Pair) -> Iterator[_Idea]:
    yield from _two_hazards(pair)


def _surveyed_twice(_: _Pair) -> Iterator[_Idea]:
    text = "Two operators surveyed the same box: they must compare their results. No hectares depend on it."
    yield _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text),))


def _versions(pair: _Pair) -> Iterator[_Idea]:
    text = f"Both are versions of one record of {pair.columns['A']['operator']}: ask which one is in force."
    yield _Idea(Choice.RETURN_TO_OPERATOR, (_Reason(text),))


_OF_FINDING: dict[str, Callable[[_Pair], Iterator[_Idea]]] = {
    "order_unknown": _order_unknown,
    "status_not_updated": _status_not_updated,
    "hazard_below_clearance_depth": _deeper_hazard,
    "evolution_unclear": _evolution_unclear,
    "surveyed_twice": _surveyed_twice,
    "version_conflict": _versions,
}
