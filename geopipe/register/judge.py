"""What the data of a run mean for a case: its status after what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import shapely

from geopipe.geometry import overlaid
from geopipe.policies import MovedRules
from geopipe.register.corners import NOTHING
from geopipe.register.moved import is_moved
from geopipe.register.outcome import Expected
from geopipe.terms import KEEPING_CHOICES, OPEN_CHOICES, CaseStatus, Choice

# With these a decision holds, and the data are compared with it.
_DECIDED = frozenset(
    {CaseStatus.DECIDED, CaseStatus.CORRECTED, CaseStatus.EXCEPTION, CaseStatus.CORRECTED_DIFFERENTLY}
)
# With these nobody expected to see the overlap again.
_OVER = frozenset({CaseStatus.FINISHED, CaseStatus.SPLIT, CaseStatus.MERGED})
# What happened, where nothing has happened since the decision.
_AS_BEFORE = frozenset({"waiting", "kept"})


Grounds: TypeAlias = tuple[shapely.Geometry, shapely.Geometry]


@dataclass(frozen=True)
class Seen:
    """The ground of both records in the data, None where a record is gone; `present` says that they overlap.

    `conflict` is False where they overlap but say nothing against each other any longer.
    """

    a: shapely.Geometry | None
    b: shapely.Geometry | None
    present: bool
    conflict: bool = True


@dataclass(frozen=True)
class Decided:
    """The decision in force, and the data that it asks for (None: nobody can know yet).

    `others` is the ground of A and of B that decisions of other cases change; `beside` is what of it this
    one leaves alone: whether that has been done is asked there.
    """

    choice: Choice
    confirmed: bool
    expected: Expected | None
    others: Grounds = (NOTHING, NOTHING)
    beside: Grounds = (NOTHING, NOTHING)


@dataclass(frozen=True)
class Verdict:
    """The status of a case after a run, what happened, and why, for people."""

    status: CaseStatus
    kind: str
    cause: str


def judge(
    status: CaseStatus,
    was_present: bool,
    before: Seen,
    now: Seen,
    decided: Decided | None,
    rules: MovedRules,
) -> Verdict | None:
    """Return the status that follows from the data, None where nothing happened.

    Parameters
    ----------
    status : CaseStatus
        Before this run; where the case was not observed, what it was before that.
    was_present : bool
        Whether the overlap was seen when the case was last observed.
    before : Seen
        The overlap as people, or the last event, looked at it: never just last night's.
    now : Seen
        As it is in the data.
    decided : Decided, optional
        None where no decision is in force.
    rules : MovedRules
    """
    if decided is not None and status in _DECIDED:
        return _changed(status, _by_decision(before, now, decided, rules))
    if decided is not None and status == CaseStatus.NEEDS_REVIEW:
        fits = _fits(now, decided, rules) if decided.choice not in KEEPING_CHOICES else False
        return _finished(decided) if fits else None
    if status == CaseStatus.FINISHED and decided is not None and _fits(now, decided, rules):
        return None  # what rounding leaves over comes and goes
    if status in _OVER or (status == CaseStatus.CHANGED_WITHOUT_DECISION and not was_present):
        # A thin strip may be left of an overlap that is finished: then it need not have been gone.
        return _returned(status, was_present and status != CaseStatus.FINISHED, now, decided)
    if decided is not None:
        found = _by_decision(before, now, decided, rules)
        return None if found.kind in _AS_BEFORE else found  # decided, and on its way to a meeting again
    return _undecided(before, now, rules)


def _changed(status: CaseStatus, verdict: Verdict) -> Verdict | None:
    return None if verdict.status == status else verdict


def _returned(status: CaseStatus, was_present: bool, now: Seen, decided: Decided | None) -> Verdict | None:
    """An overlap that was gone, and is there again, opens its case again."""
    if was_present or not (now.present and now.conflict):
        return None
    ended = status in (CaseStatus.SPLIT, CaseStatus.MERGED)
    cause = "The records are as they were before" if ended else "The overlap is in the data again"
    return Verdict(CaseStatus.NEEDS_REVIEW if decided else CaseStatus.NEW, "returned", cause)


def _undecided(before: Seen, now: Seen, rules: MovedRules) -> Verdict | None:
    gone = CaseStatus.CHANGED_WITHOUT_DECISION
    if not now.present:
        withdrawn = " and ".join(name for name, side in (("A", now.a), ("B", now.b)) if side is None)
        cause = f"Record {withdrawn} is gone" if withdrawn else _why_no_overlap(now)
        return Verdict(gone, "vanished", f"{cause}; nobody has decided this")
    if not now.conflict:
        return Verdict(gone, "settled_by_data", "What the two records say is no conflict any longer")
    moved = _moved_sides(before, now, rules)
    if moved:
        return Verdict(gone, "moved", f"Record {' and '.join(moved)} moved before anybody decided")
    return None


def _why_no_overlap(now: Seen) -> str:
    if now.a is not None and now.b is not None and shapely.equals_exact(now.a, now.b, 0.0):
        return "The two records became one"
    return "The two records share no ground any longer"


def _by_decision(before: Seen, now: Seen, decided: Decided, rules: MovedRules) -> Verdict:
    # Where the overlap was gone already when this was decided, only its return is new.
    moved = _moved_sides(before, now, rules, decided) if before.present else []
    is_other = bool(moved) or now.present != before.present
    if decided.choice in KEEPING_CHOICES:
        return _both_stay(moved, is_other, now, decided)
    if decided.choice in OPEN_CHOICES or decided.expected is None:
        if is_other:
            return Verdict(CaseStatus.NEEDS_REVIEW, "new_data", "New data have come: decide again")
        return Verdict(CaseStatus.DECIDED, "waiting", "Waiting for new data")
    if _fits(now, decided, rules):
        return _finished(decided)
    sides = (
        (before.a, now.a, decided.expected.a, decided.others[0], decided.beside[0]),
        (before.b, now.b, decided.expected.b, decided.others[1], decided.beside[1]),
    )
    if all(
        _is(seen, old, rules, others) or _is(seen, to, rules, beside)
        for old, seen, to, others, beside in sides
    ):
        return Verdict(CaseStatus.DECIDED, "waiting", "The correction is not in the data yet")
    cause = "The new data are neither as before nor as decided"
    return Verdict(CaseStatus.CORRECTED_DIFFERENTLY, "corrected_differently", cause)


def _both_stay(moved: list[str], is_other: bool, now: Seen, decided: Decided) -> Verdict:
    if is_other:
        back = f"Record {' and '.join(moved)} moved" if moved else "The overlap is there again"
        what = back if now.present else "The overlap is gone"
        return Verdict(CaseStatus.NEEDS_REVIEW, "moved", f"{what} since it was decided that both stay")
    kept = CaseStatus.EXCEPTION if decided.confirmed else CaseStatus.DECIDED
    return Verdict(kept, "kept", "Both records are as decided")


def _finished(decided: Decided) -> Verdict:
    if decided.confirmed:
        return Verdict(CaseStatus.FINISHED, "finished", "The data are as decided")
    cause = "The data are as decided; the signed minutes are missing"
    return Verdict(CaseStatus.CORRECTED, "corrected", cause)


def _fits(now: Seen, decided: Decided, rules: MovedRules) -> bool:
    wanted = decided.expected
    return (
        wanted is not None
        and _is(now.a, wanted.a, rules, decided.beside[0])
        and _is(now.b, wanted.b, rules, decided.beside[1])
    )


def _is(
    now: shapely.Geometry | None,
    wanted: shapely.Geometry | None,
    rules: MovedRules,
    apart: shapely.Geometry = NOTHING,
) -> bool:
    """Say whether a record is on the ground on which it should be, None being nowhere."""
    if not shapely.is_empty(apart):
        now, wanted = (overlaid(shapely.difference, side or NOTHING, apart) for side in (now, wanted))
    if now is None or wanted is None:
        return now is wanted
    return not is_moved(wanted, now, rules)


def _moved_sides(before: Seen, now: Seen, rules: MovedRules, decided: Decided | None = None) -> list[str]:
    others = decided.others if decided else (NOTHING, NOTHING)
    sides = ("A", before.a, now.a, others[0]), ("B", before.b, now.b, others[1])
    return [name for name, old, new, apart in sides if not _is(new, old, rules, apart)]


def changed_ground(before: Seen, decided: Decided | None) -> Grounds:
    """Return the ground of A and of B that a decision changes."""
    if decided is None or decided.expected is None:
        return NOTHING, NOTHING
    sides = (before.a, decided.expected.a), (before.b, decided.expected.b)
    a, b = (overlaid(shapely.symmetric_difference, old or NOTHING, to or NOTHING) for old, to in sides)
    return a, b
