"""What the data of a run mean for a case: its status after what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import shapely

from geopipe.policies import MovedRules
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
    """The decision in force, and the data that it asks for (None: nobody can know yet)."""

    choice: Choice
    confirmed: bool
    expected: Expected | None


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
        cause = f"Record {withdrawn} is gone" if withdrawn else "The two records share no ground any longer"
        return Verdict(gone, "vanished", f"{cause}; nobody has decided this")
    if not now.conflict:
        return Verdict(gone, "settled_by_data", "What the two records say is no conflict any longer")
    moved = _moved_sides(before, now, rules)
    if moved:
        return Verdict(gone, "moved", f"Record {' and '.join(moved)} moved before anybody decided")
    return None


def _by_decision(before: Seen, now: Seen, decided: Decided, rules: MovedRules) -> Verdict:
    # Where the overlap was gone already when this was decided, only its return is new.
    moved = _moved_sides(before, now, rules) if before.present else []
    is_other = bool(moved) or now.present != before.present
    if decided.choice in KEEPING_CHOICES:
        return _both_stay(moved, is_other, now, decided)
    if decided.choice in OPEN_CHOICES or decided.expected is None:
        if is_other:
            return Verdict(CaseStatus.NEEDS_REVIEW, "new_data", "New data have come: decide again")
        return Verdict(CaseStatus.DECIDED, "waiting", "Waiting for new data")
    if _fits(now, decided, rules):
        return _finished(decided)
    sides = (before.a, now.a, decided.expected.a), (before.b, now.b, decided.expected.b)
    if all(_is(seen, old, rules) or _is(seen, wanted, rules) for old, seen, wanted in sides):
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
    return wanted is not None and _is(now.a, wanted.a, rules) and _is(now.b, wanted.b, rules)


def _is(now: shapely.Geometry | None, wanted: shapely.Geometry | None, rules: MovedRules) -> bool:
    """Say whether a record is on the ground on which it should be, None being nowhere."""
    if now is None or wanted is None:
        return now is wanted
    return not is_moved(wanted, now, rules)


def _moved_sides(before: Seen, now: Seen, rules: MovedRules) -> list[str]:
    sides = ("A", before.a, now.a), ("B", before.b, now.b)
    return [name for name, old, new in sides if not _is(new, old, rules)]
