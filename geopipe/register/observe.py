"""Hold a run against the register: which cases go on, which are new, what became of the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from geopipe.geometry import overlaid
from geopipe.identity import hash_text
from geopipe.lineages.reading import Reading
from geopipe.policies import Policy
from geopipe.register.corners import NOTHING
from geopipe.register.judge import Decided, Seen, Verdict, changed_ground, judge
from geopipe.register.known import Known
from geopipe.register.matching import Matching, Pairs, match
from geopipe.register.moved import lost_m2
from geopipe.register.observation import Happened, Observation, Sighted
from geopipe.register.quiet import quiet_cases
from geopipe.register.tonight import Tonight
from geopipe.schema import Indices, State
from geopipe.terms import CaseStatus

_REPLACED = frozenset({CaseStatus.SPLIT, CaseStatus.MERGED})
_OVER = _REPLACED | {CaseStatus.FINISHED}
_NONE = np.empty(0, dtype=np.intp)

# The decision in force of a case, with the data that it asks for, and the ground of both records as they
# were when the case was last looked at; in the working CRS.
History = Callable[[int], tuple[Seen, Decided | None]]


def observe(known: Known, state: State, policy: Policy, history: History, is_first: bool) -> Observation:
    """Return what a run means for the cases of the register.

    Parameters
    ----------
    known : Known
        In the working CRS of the state.
    state : State
        After all stages.
    policy : Policy
    history : callable
        For the row of a known case: what was looked at, and what was decided.
    is_first : bool
        Nothing was registered before: all that is found is backlog, not new.
    """
    return _Night(known, state, policy, history, is_first).observation()


class _Night:
    """One run against the register, case by case."""

    def __init__(self, known: Known, state: State, policy: Policy, history: History, is_first: bool) -> None:
        self.known, self.policy, self.history = known, policy, history
        self.first_status = CaseStatus.BACKLOG if is_first else CaseStatus.NEW
        self.reading = Reading(state)
        self.tonight = Tonight(state, self.reading, policy.lineage_share)
        self.current = self.tonight.pairs
        self.is_free = np.ones(len(self.current), dtype=bool)
        self.parents: dict[int, list[int]] = {}
        self.ids = _Ids(known.case_ids)
        self.case_of: dict[int, str] = {}
        self.result = Observation()

    def observation(self) -> Observation:
        """Match live cases first; then, with what is left, those that are gone, then those replaced."""
        over, replaced = (
            np.array([status in statuses for status in self.known.status], dtype=bool)
            for statuses in (_OVER, _REPLACED)
        )
        live = self.known.present & ~over
        quiet = quiet_cases(self.known, self.tonight, np.flatnonzero(live))
        for case, pair in zip(quiet.cases.tolist(), quiet.pairs.tolist(), strict=True):
            self._goes_on(case, pair)
        ending = self._follow(quiet.others, quiet.taken)
        for gone in (~live & ~replaced, replaced):
            for cases in self._heirs_first(np.flatnonzero(gone)):
                self._follow(cases)
        self._open()
        for case in ending:
            self._ends(case)
        left, right = (
            self.tonight.overlaps.table[f"{side}_row_id"].to_pylist() for side in ("left", "right")
        )
        self.result.case_of = {(left[pair], right[pair]): case for pair, case in self.case_of.items()}
        return self.result

    def _goes_on(self, case: int, pair: int) -> None:
        self.case_of[pair] = self.known.case_ids[case]
        self.is_free[pair] = False

    def _heirs_first(self, cases: Indices) -> list[Indices]:
        """Return the cases that had the overlap of their two records last, and then the others."""
        order = np.argsort(-self.known.last_present[cases], kind="stable")
        keys = np.column_stack([self.known.left[cases], self.known.right[cases]])[order]
        _, first = np.unique(np.sort(keys, axis=1), axis=0, return_index=True)
        heirs = np.sort(cases[order[first]])
        return [heirs, np.setdiff1d(cases, heirs)]

    def _follow(self, cases: Indices, taken: Indices = _NONE) -> list[int]:
        """Follow some cases among the overlaps that are free; return those that continue in none alone."""
        if not len(cases):
            return []
        free = np.flatnonzero(self.is_free)
        known = self.known.pairs(cases)
        found = match(known, self.current.take(free), self.policy.lineage_share, taken)
        for before, after in found.parents:
            self.parents.setdefault(int(free[after]), []).append(int(cases[before]))
        ended = {int(cases[before]) for before, _ in found.parents}
        unread = ~self.reading.is_complete(known.records) | self.reading.returned(known.records)
        told = self._told_of(found, free)
        heirs = self._heirs_of(known, found)
        for number, case in enumerate(cases.tolist()):
            if number in told:
                pair, flipped = int(free[found.successor[number]]), bool(found.flipped[number])
                self._continues(case, pair, flipped, told[number])
            elif case in ended:
                self._saw(case, self._followed(case, heirs[number]), self.known.columns[case], None)
            else:
                sides = unread[known.left[number]], unread[known.right[number]]
                lost = [bool(side) and not len(rows) for side, rows in zip(sides, heirs[number], strict=True)]
                self._is_gone(case, heirs[number], lost)
        return sorted(ended)

    def _told_of(self, found: Matching, free: Indices) -> dict[int, str]:
        """Return what is said of the pairs in which cases go on, by the place of the case."""
        going = np.flatnonzero(found.successor >= 0)
        pairs = free[found.successor[going]]
        self.tonight.name_of_pairs(pairs)
        told = self.tonight.told(pairs, found.flipped[going].tolist())
        return dict(zip(going.tolist(), told, strict=True))

    def _heirs_of(self, known: Pairs, found: Matching) -> dict[int, list[Indices]]:
        """Return the records in which those of the other cases go on, by the place of the case."""
        heirs = {
            number: [found.after(int(side[number])) for side in (known.left, known.right)]
            for number in np.flatnonzero(found.successor < 0).tolist()
        }
        self.tonight.name(np.concatenate([_NONE, *(rows for both in heirs.values() for rows in both)]))
        return heirs

    # What a case becomes.

    def _continues(self, case: int, pair: int, flipped: bool, told: str) -> None:
        self._goes_on(case, pair)
        sides = self.current.left[pair], self.current.right[pair]
        a, b = (int(row) for row in (sides[::-1] if flipped else sides))
        is_new = self._saw(case, (self._version(a), self._version(b)), told, pair)
        if is_new or not self.known.is_settled(case):
            grounds = self.tonight.ground([a]), self.tonight.ground([b])
            now = Seen(*grounds, True, bool(self.tonight.is_conflict[pair]))
            self._judged(case, now)

    def _is_gone(self, case: int, after: Sequence[Indices], lost: Sequence[bool]) -> None:
        """Follow the two records of an overlap that is not there, or say that nobody can know."""
        versions = self._followed(case, after)
        if any(lost):
            self._keep_up(case, versions)
            self._not_observed(case, lost)
            return
        is_new = self._saw(case, versions, self.known.columns[case], None)
        if is_new or not self.known.is_settled(case):
            a, b = (self.tonight.ground(rows.tolist()) for rows in after)
            self._judged(case, Seen(a, b, present=False))

    def _followed(self, case: int, after: Sequence[Indices]) -> tuple[str, str]:
        """Return the versions of both records that go on, the last ones where none does or several do."""
        a, b = (
            self._version(int(rows[0])) if len(rows) == 1 else last
            for rows, last in zip(after, self.known.sides(case), strict=True)
        )
        return a, b

    def _not_observed(self, case: int, lost: Sequence[bool]) -> None:
        if not self.known.is_observed[case] or not self.known.present[case]:
            return
        who = " and ".join(name for name, is_lost in zip("AB", lost, strict=True) if is_lost)
        cause = f"Record {who} was not read in this run, and nobody knows if it still exists"
        data = {"before": self.known.status[case].value}
        self._event(case, Verdict(CaseStatus.NOT_OBSERVED, "not_observed", cause), data, is_about_now=False)

    def _ends(self, case: int) -> None:
        """A case that became several, or a part of one, is over; the others are linked to it."""
        children = sorted(pair for pair, parents in self.parents.items() if case in parents)
        several = len(children) > 1
        status = CaseStatus.SPLIT if several else CaseStatus.MERGED
        cause = "The overlap became several" if several else "This overlap and others became one"
        data = {"children": sorted({self.case_of[pair] for pair in children})}
        self._event(case, Verdict(status, status.value, cause), data)

    def _judged(self, case: int, now: Seen) -> None:
        """Record what follows from the data; a case that was not observed stands where it stood before."""
        status = self.known.status[case]
        before, decided = self.history(case)
        decided = decided and self._beside_others(case, before, decided)
        found = judge(status, bool(self.known.present[case]), before, now, decided, self.policy.moved)
        if found is not None:
            self._event(case, found, self._hazard_lost(case, before, now))
        elif not self.known.is_observed[case]:
            seen = Verdict(status, "observed", "Both records were read again")
            self._event(case, seen, {}, is_about_now=False)

    def _beside_others(self, case: int, before: Seen, decided: Decided) -> Decided:
        """Add what decisions of other cases change of the two records."""
        left, right = self.known.left, self.known.right
        changed: list[shapely.Geometry] = []
        for row in (left[case], right[case]):
            others = np.flatnonzero((left == row) | (right == row))
            changes = [
                changed_ground(*self.history(int(other)))[int(left[other] != row)]
                for other in others[others != case]
            ]
            changed.append(overlaid(shapely.union_all, np.array([NOTHING, *changes], dtype=object)))
        own = changed_ground(before, decided)
        a, b = (overlaid(shapely.difference, *both) for both in zip(changed, own, strict=True))
        return replace(decided, others=(changed[0], changed[1]), beside=(a, b))

    def _hazard_lost(self, case: int, before: Seen, now: Seen) -> dict[str, Any]:
        """Return the hazard ground that each record has given up since it was looked at."""
        a, b = self.known.sides(case)
        sides = ("a", a, before.a, now.a), ("b", b, before.b, now.b)
        return {
            f"{name}_hazard_lost_m2": round(lost_m2(old, new), 6)
            for name, version, old, new in sides
            if old is not None and self.known.versions.is_hazard(version)
        }

    # New cases.

    def _open(self) -> None:
        """Open a case for each conflict that continues none, and for what became of one that ended."""
        free = np.flatnonzero(self.is_free)
        is_open = [bool(self.tonight.is_conflict[pair]) or pair in self.parents for pair in free.tolist()]
        pairs = free[np.array(is_open, dtype=bool)]
        left, right = self.current.left[pairs], self.current.right[pairs]
        self.tonight.name_of_pairs(pairs)
        told, grounds = self.tonight.told(pairs, [False] * len(pairs)), self.tonight.shared(pairs)
        sides = zip(self.tonight.identities(left), self.tonight.identities(right), strict=True)
        rows = zip(left.tolist(), right.tolist(), strict=True)
        for pair, ids, (a, b), text, wkb in zip(pairs.tolist(), sides, rows, told, grounds, strict=True):
            case_id = self.ids.new(ids)
            self.case_of[pair] = case_id
            self.result.opened.append(case_id)
            versions = self._version(a), self._version(b)
            self.result.sightings.append(Sighted(case_id, True, *versions, text, wkb))
            self.result.happened.append(self._birth(case_id, pair))

    def _birth(self, case_id: str, pair: int) -> Happened:
        rows = self.parents.get(pair, [])
        if not rows:
            found = str(self.tonight.overlaps.table["finding"][pair].as_py())
            return Happened(case_id, Verdict(self.first_status, "opened", found), {})
        parents = [self.known.case_ids[row] for row in rows]
        decided = any(self.history(row)[1] is not None for row in rows)
        status = CaseStatus.NEEDS_REVIEW if decided else CaseStatus.NEW
        cause = f"{'Split' if len(parents) == 1 else 'Merged'} from {', '.join(parents)}"
        return Happened(case_id, Verdict(status, "opened", cause), {"parents": parents})

    # What is written.

    def _version(self, row: int) -> str:
        """Return the name of a record's version, which is to be kept."""
        name = self.tonight.names[row]
        self.result.versions.setdefault(name, self.tonight.version(row))
        return name

    def _event(self, case: int, what: Verdict, data: dict[str, Any], is_about_now: bool = True) -> None:
        self.result.happened.append(Happened(self.known.case_ids[case], what, data, is_about_now))

    def _saw(self, case: int, versions: tuple[str, str], columns: str, pair: int | None) -> bool:
        """Remember a sighting unless it is what was seen last; say whether it is new."""
        known = bool(self.known.present[case]), self.known.sides(case), self.known.columns[case]
        is_new = (pair is not None, versions, columns) != known
        if is_new:
            self._see(self.known.case_ids[case], versions, columns, pair)
        return is_new

    def _keep_up(self, case: int, versions: tuple[str, str]) -> None:
        """Follow the record that was read, where the other one was not; the overlap stands as it was seen."""
        if versions != self.known.sides(case):
            told = self.known.case_ids[case], bool(self.known.present[case])
            self.result.sightings.append(Sighted(*told, *versions, self.known.columns[case], None))

    def _see(self, case_id: str, versions: tuple[str, str], columns: str, pair: int | None) -> None:
        wkb = None if pair is None else self.tonight.shared(np.array([pair]))[0]
        self.result.sightings.append(Sighted(case_id, pair is not None, *versions, columns, wkb))


class _Ids:
    """Ids of new cases: a hash of both records as they were delivered, and never one that is taken."""

    def __init__(self, taken: Sequence[str]) -> None:
        self._taken = set(taken)

    def new(self, sides: Sequence[Sequence[str]]) -> str:
        """Return an id for a pair of records (role, record id, geometry hash)."""
        turn = 0
        while (name := f"c{hash_text(json.dumps([sides, turn]))}") in self._taken:
            turn += 1
        self._taken.add(name)
        return name
