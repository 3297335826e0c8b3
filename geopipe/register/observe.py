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
from geopipe.register.inquestion import in_question, pairs_among
from geopipe.register.judge import Decided, Seen, Verdict, changed_ground, judge
from geopipe.register.known import Known
from geopipe.register.matching import match
from geopipe.register.moved import lost_m2
from geopipe.register.observation import Happened, Observation, Sighted
from geopipe.register.rows import PAIR_COLUMNS, as_json, pair_columns, records_as_rows
from geopipe.schema import Indices, State, to_wkb
from geopipe.terms import HAZARD_KINDS, CaseStatus, Severity

_REPLACED = frozenset({CaseStatus.SPLIT, CaseStatus.MERGED})
_OVER = _REPLACED | {CaseStatus.FINISHED}
# These are held against the data in each run: people may have decided since.
_LOOKED_AT_ALWAYS = frozenset(
    {
        CaseStatus.DECIDED,
        CaseStatus.CORRECTED,
        CaseStatus.EXCEPTION,
        CaseStatus.CORRECTED_DIFFERENTLY,
        CaseStatus.NEEDS_REVIEW,
    }
)


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
        self.known, self.state, self.policy, self.history = known, state, policy, history
        self.first_status = CaseStatus.BACKLOG if is_first else CaseStatus.NEW
        self.reading = Reading(state)
        self.areas = in_question(state, self.reading, policy.lineage_share)
        self.overlaps, self.current = pairs_among(state, self.areas)
        self.told = self.overlaps.table.select([*PAIR_COLUMNS, "left_share", "right_share"]).to_pylist()
        self.is_conflict = ~self.overlaps.flags("severity", [Severity.NOTE])
        rows = np.unique(np.concatenate([self.current.left, self.current.right]))
        self.rows = records_as_rows(self.areas, rows)
        self.last = known.pairs.records.table["row_id"].to_pylist()
        self.was_hazard = known.pairs.records.flags("kind", sorted(HAZARD_KINDS))
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
        ending = self._follow(np.flatnonzero(live))
        for gone in (~live & ~replaced, replaced):
            for cases in self._heirs_first(np.flatnonzero(gone)):
                self._follow(cases)
        self._open()
        for case in ending:
            self._ends(case)
        left, right = (self.overlaps.table[f"{side}_row_id"].to_pylist() for side in ("left", "right"))
        self.result.case_of = {(left[pair], right[pair]): case for pair, case in self.case_of.items()}
        return self.result

    def _heirs_first(self, cases: Indices) -> list[Indices]:
        """Return the cases that had the overlap of their two records last, and then the others."""
        pairs, order = self.known.pairs, np.argsort(-self.known.last_present[cases], kind="stable")
        keys = np.column_stack([pairs.left[cases], pairs.right[cases]])[order]
        _, first = np.unique(np.sort(keys, axis=1), axis=0, return_index=True)
        heirs = np.sort(cases[order[first]])
        return [heirs, np.setdiff1d(cases, heirs)]

    def _follow(self, cases: Indices) -> list[int]:
        """Follow some cases among the overlaps that are free; return those that continue in none alone."""
        free = np.flatnonzero([pair not in self.case_of for pair in range(len(self.current))])
        known = self.known.pairs.take(cases).alone()
        found = match(known, self.current.take(free), self.policy.lineage_share)
        for before, after in found.parents:
            self.parents.setdefault(int(free[after]), []).append(int(cases[before]))
        ended = sorted({int(cases[before]) for before, _ in found.parents})
        unread = ~self.reading.is_complete(known.records) | self.reading.returned(known.records)
        for number, case in enumerate(cases.tolist()):
            if (successor := found.successor[number]) >= 0:
                pair = int(free[successor])
                self.case_of[pair] = self.known.case_ids[case]
                self._continues(case, pair, bool(found.flipped[number]))
                continue
            sides = int(known.left[number]), int(known.right[number])
            heirs = [found.after(side) for side in sides]
            lost = [bool(unread[side]) and not len(rows) for side, rows in zip(sides, heirs, strict=True)]
            if case in ended:
                self._saw(case, self._followed(case, heirs), self.known.columns[case], None)
            else:
                self._is_gone(case, heirs, lost)
        return ended

    # What a case becomes.

    def _continues(self, case: int, pair: int, flipped: bool) -> None:
        sides = self.current.left[pair], self.current.right[pair]
        a, b = (int(row) for row in (sides[::-1] if flipped else sides))
        versions = self._version(a), self._version(b)
        is_new = self._saw(case, versions, as_json(pair_columns(self.told[pair], flipped)), pair)
        now = Seen(self.areas.geometry[a], self.areas.geometry[b], True, bool(self.is_conflict[pair]))
        self._judged(case, now, is_new)

    def _is_gone(self, case: int, after: Sequence[Indices], lost: Sequence[bool]) -> None:
        """Follow the two records of an overlap that is not there, or say that nobody can know."""
        versions = self._followed(case, after)
        if any(lost):
            self._keep_up(case, versions)
            self._not_observed(case, lost)
            return
        is_new = self._saw(case, versions, self.known.columns[case], None)
        ground = [self._ground(rows) for rows in after]
        self._judged(case, Seen(ground[0], ground[1], present=False), is_new)

    def _followed(self, case: int, after: Sequence[Indices]) -> tuple[str, str]:
        """Return the versions of both records that go on, the last ones where none does or several do."""
        a, b = (
            self._version(int(rows[0])) if len(rows) == 1 else last
            for rows, last in zip(after, self._last(case), strict=True)
        )
        return a, b

    def _ground(self, rows: Indices) -> shapely.Geometry | None:
        if len(rows) < 2:
            return self.areas.geometry[rows[0]] if len(rows) else None
        return shapely.union_all(self.areas.geometry[rows])

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

    def _judged(self, case: int, now: Seen, is_new: bool) -> None:
        """Record what follows from the data; a case that was not observed stands where it stood before."""
        status, observed = self.known.status[case], bool(self.known.is_observed[case])
        if observed and not is_new and status not in _LOOKED_AT_ALWAYS:
            return
        before, decided = self.history(case)
        decided = decided and self._beside_others(case, before, decided)
        found = judge(status, bool(self.known.present[case]), before, now, decided, self.policy.moved)
        if found is not None:
            self._event(case, found, self._hazard_lost(case, before, now))
        elif not observed:
            seen = Verdict(status, "observed", "Both records were read again")
            self._event(case, seen, {}, is_about_now=False)

    def _beside_others(self, case: int, before: Seen, decided: Decided) -> Decided:
        """Add what decisions of other cases change of the two records."""
        pairs = self.known.pairs
        changed: list[shapely.Geometry] = []
        for row in (pairs.left[case], pairs.right[case]):
            others = np.flatnonzero((pairs.left == row) | (pairs.right == row))
            changes = [
                changed_ground(*self.history(int(other)))[int(pairs.left[other] != row)]
                for other in others[others != case]
            ]
            changed.append(overlaid(shapely.union_all, np.array([NOTHING, *changes], dtype=object)))
        own = changed_ground(before, decided)
        a, b = (overlaid(shapely.difference, *both) for both in zip(changed, own, strict=True))
        return replace(decided, others=(changed[0], changed[1]), beside=(a, b))

    def _hazard_lost(self, case: int, before: Seen, now: Seen) -> dict[str, Any]:
        """Return the hazard ground that each record has given up since it was looked at."""
        pairs = self.known.pairs
        sides = ("a", pairs.left, before.a, now.a), ("b", pairs.right, before.b, now.b)
        return {
            f"{name}_hazard_lost_m2": round(lost_m2(old, new), 6)
            for name, rows, old, new in sides
            if old is not None and self.was_hazard[rows[case]]
        }

    # New cases.

    def _open(self) -> None:
        """Open a case for each conflict that continues none, and for what became of one that ended."""
        for pair in range(len(self.current)):
            if pair in self.case_of or not (self.is_conflict[pair] or pair in self.parents):
                continue
            sides = int(self.current.left[pair]), int(self.current.right[pair])
            case_id = self.ids.new([self._identity(row) for row in sides])
            self.case_of[pair] = case_id
            self.result.opened.append(case_id)
            versions = self._version(sides[0]), self._version(sides[1])
            self._see(case_id, versions, as_json(pair_columns(self.told[pair], False)), pair)
            self.result.happened.append(self._birth(case_id, pair))

    def _birth(self, case_id: str, pair: int) -> Happened:
        rows = self.parents.get(pair, [])
        if not rows:
            found = str(self.overlaps.table["finding"][pair].as_py())
            return Happened(case_id, Verdict(self.first_status, "opened", found), {})
        parents = [self.known.case_ids[row] for row in rows]
        decided = any(self.history(row)[1] is not None for row in rows)
        status = CaseStatus.NEEDS_REVIEW if decided else CaseStatus.NEW
        cause = f"{'Split' if len(parents) == 1 else 'Merged'} from {', '.join(parents)}"
        return Happened(case_id, Verdict(status, "opened", cause), {"parents": parents})

    def _identity(self, row: int) -> list[str]:
        columns = json.loads(self.rows[row][1])
        return [columns["role"], columns["record_id"], columns["geometry_hash"]]

    # What is written.

    def _version(self, row: int) -> str:
        """Return the name of a record's version, which is to be kept."""
        if row not in self.rows:
            self.rows |= records_as_rows(self.areas, np.array([row]))
        name, text, wkb = self.rows[row]
        self.result.versions.setdefault(name, (text, wkb))
        return name

    def _last(self, case: int) -> tuple[str, str]:
        return self.last[self.known.pairs.left[case]], self.last[self.known.pairs.right[case]]

    def _event(self, case: int, what: Verdict, data: dict[str, Any], is_about_now: bool = True) -> None:
        self.result.happened.append(Happened(self.known.case_ids[case], what, data, is_about_now))

    def _saw(self, case: int, versions: tuple[str, str], columns: str, pair: int | None) -> bool:
        """Remember a sighting unless it is what was seen last; say whether it is new."""
        known = bool(self.known.present[case]), self._last(case), self.known.columns[case]
        is_new = (pair is not None, versions, columns) != known
        if is_new:
            self._see(self.known.case_ids[case], versions, columns, pair)
        return is_new

    def _keep_up(self, case: int, versions: tuple[str, str]) -> None:
        """Follow the record that was read, where the other one was not; the overlap stands as it was seen."""
        if versions != self._last(case):
            told = self.known.case_ids[case], bool(self.known.present[case])
            self.result.sightings.append(Sighted(*told, *versions, self.known.columns[case], None))

    def _see(self, case_id: str, versions: tuple[str, str], columns: str, pair: int | None) -> None:
        ground = None if pair is None else self.overlaps.geometry[[pair]]
        wkb = None if ground is None else to_wkb(ground)[0].as_py()
        self.result.sightings.append(Sighted(case_id, pair is not None, *versions, columns, wkb))


class _Ids:
    """Ids of new cases: a hash of both records as they were delivered, and never one that is taken."""

    def __init__(self, taken: Sequence[str]) -> None:
        self._taken = set(taken)

    def new(self, sides: list[list[str]]) -> str:
        """Return an id for a pair of records (role, record id, geometry hash)."""
        turn = 0
        while (name := f"c{hash_text(json.dumps([sides, turn]))}") in self._taken:
            turn += 1
        self._taken.add(name)
        return name
