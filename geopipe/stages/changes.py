"""Changes: what a delivery changed against the one before, and which of it is an alarm.

Absence is only inferred from what was read: a record has vanished when a whole register (a snapshot) was
read without it. Then, and when a hazard became smaller, its last version stays on the map until a decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.geometry import overlaid
from geopipe.lineages.changed_ground import covered, difference, ground_by_event
from geopipe.lineages.explanations import Claims, Explanations
from geopipe.lineages.given_up import GivenUp
from geopipe.lineages.lineage import Lineage, trace
from geopipe.lineages.matching import common_codes
from geopipe.lineages.reading import Reading
from geopipe.lineages.told_changes import (
    LostGround,
    change_rows,
    lost_findings,
    lost_sentence,
    of_earlier_delivery,
)
from geopipe.policies import Policy
from geopipe.schema import (
    FEATURES,
    FINDINGS,
    Frame,
    Indices,
    Mask,
    State,
    concat,
    empty_frame,
    findings_about,
)
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Severity

_IN_PLACE = ("unchanged", "attributes", "re_issued")
_GONE = ("vanished", "id_reused")
# Of ground that is lost wholly, rounding may leave a trace.
_ALL = 1 - 1e-9


@dataclass(frozen=True)
class Changes:
    """What changed, what must be asked, and which records of earlier deliveries stay on the map.

    `carried` are last versions of hazard (and of unknown kind) that vanished, shrank, or whose new version
    was returned; `remaining` are records of earlier deliveries that this run did not read and that no
    snapshot replaces. Neither are input records of this run.
    """

    changes: Frame
    findings: Frame
    carried: Frame
    remaining: Frame
    lineage: Lineage


def changes(
    state: State,
    previous: Frame,
    policy: Policy,
    carried_before: Frame | None = None,
    lineage_share: float = 0.5,
) -> Changes:
    """Hold the kept records of a run against those of the deliveries before.

    Parameters
    ----------
    state : State
        After `deduplicate`; `deliveries` say which files are snapshots.
    previous : Frame
        FEATURES that were active before, deduplicated likewise, in the working CRS of the state.
    policy : Policy
    carried_before : Frame, optional
        Last versions that an earlier run has carried and no decision has released yet.
    lineage_share : float
        See :func:`geopipe.lineages.lineage.trace`.

    Returns
    -------
    Changes
        Findings HAZARD_VANISHED, HAZARD_SHRANK, RELEASED_GREW (alarms), UNKNOWN_VANISHED, UNKNOWN_SHRANK,
        RELEASED_VANISHED, LAST_VERSION_KEPT, ID_REUSED, REGISTER_NOT_DELIVERED (checks),
        HAZARD_RELEASED_SINCE, HAZARD_TAKEN_OVER and HAZARD_GIVEN_UP_BY_DECISION (notes).
    """
    pending = empty_frame(FEATURES) if carried_before is None else carried_before
    earlier = concat([previous, pending.take(~pending.is_among("row_id", previous))])
    # What this run has read itself, and set aside by its own rules, is no matter of absence.
    earlier = earlier.take(~earlier.is_among("row_id", state.duplicates))
    lineage = trace(earlier, state.features, lineage_share)
    was_pending = lineage.previous.is_among("row_id", pending)
    return _Judgement(state, lineage, policy, was_pending).changes()


@dataclass
class _Judgement:
    """The events of a lineage, and what follows from each."""

    state: State
    lineage: Lineage
    policy: Policy
    was_pending: Mask
    findings: list[Frame] = field(default_factory=list)
    carried: list[Indices] = field(default_factory=list)
    told: list[LostGround] = field(default_factory=list)

    def __post_init__(self) -> None:
        lineage, self.reading = self.lineage, Reading(self.state)
        self.old, self.new = lineage.previous, lineage.current
        self.event = lineage.previous_event
        self.explanations = Explanations(self.new, self.policy, self.state.today)
        self.claims = Claims.of(self.old)
        self.new_ids = self.new.numpy("source_id")
        self.old_codes, codes = common_codes(self.old, self.new, "record_id", "role")
        held = np.flatnonzero(np.isin(codes, self.old_codes[self._is_gone()]))
        held = held[np.argsort(codes[held], kind="stable")]
        values, starts = np.unique(codes[held], return_index=True)
        self.rows_by_code = dict(zip(values.tolist(), np.split(held, starts[1:]), strict=False))
        self.returned = self.reading.returned(self.old) & self._is_gone()
        self.waiting = ~self._inferred()
        staying = np.flatnonzero(self.waiting | self.returned)
        tolerance_m = self.policy.cover_tolerance_m
        self.given_up = GivenUp(self.state.given_up, self.old, self.new, staying, tolerance_m)

    def _is_gone(self) -> Mask:
        """Say of which previous records no current one is the continuation."""
        return np.asarray(np.isin(self.lineage.change, _GONE)[self.event])

    def _inferred(self) -> Mask:
        """Say of which previous records this run has read enough to know that they changed or vanished."""
        change = self.lineage.change
        in_place = np.isin(change, ("unchanged", "attributes"))
        # A new id for what says the same of the same ground: the record itself was read.
        in_place |= (change == "re_issued") & (self.lineage.attributes_changed == "")
        in_place = in_place[self.event]
        id_read = np.isin(*common_codes(self.old, self.new, "record_id", "role"))
        return in_place | id_read | self.was_pending | self.returned | self.reading.is_complete(self.old)

    def changes(self) -> Changes:
        """Judge hazard, land of unknown kind and released land, and collect what was found."""
        self._lost(sorted(HAZARD_KINDS), sorted(HAZARD_KINDS), "HAZARD", Severity.ALARM)
        self._lost([Kind.UNKNOWN], list(Kind), "UNKNOWN", Severity.CHECK)
        self._returned()
        self._released()
        self._reused_ids()
        self.findings += [
            lost_findings(self.old, self.new, self.told),
            self.reading.registers_not_delivered(self.old),
        ]
        carried = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *self.carried]))
        remaining = np.setdiff1d(np.flatnonzero(self.waiting), carried)
        return Changes(
            changes=change_rows(self.lineage, self._listed(), self.returned),
            findings=concat([empty_frame(FINDINGS), *self.findings]),
            carried=self.old.take(carried),
            remaining=self.old.take(remaining),
            lineage=self.lineage,
        )

    def _listed(self) -> Mask:
        """Say which events are changes: not what stays as it was, nor the first delivery of an operator."""
        change = self.lineage.change
        listed = change != "unchanged"
        waits = np.ones(len(change), dtype=bool)
        waits[self.event[~self.waiting]] = False
        listed &= ~((change == "vanished") & waits)
        known = np.isin(*common_codes(self.new, self.old, "operator", "role"))
        listed[self.lineage.current_event[~known]] = False
        return np.asarray(listed)

    def _suspects(self, rows: Mask, counterparts: list[str]) -> Iterator[tuple[int, Any, Any]]:
        """Yield (event, ground before, ground lost) where records now do not cover those before.

        Only records of the kinds `counterparts` can cover them.
        """
        size, after_event = len(self.lineage), self.lineage.current_event
        still = self.new.flags("kind", counterparts)
        moved = ~np.isin(self.lineage.change, _IN_PLACE)
        moved[after_event[~still]] = True
        chosen = np.zeros(size, dtype=bool)
        chosen[self.event[rows]] = True
        chosen &= moved
        before = ground_by_event(self.old, self.event, rows & chosen[self.event], size)
        after = ground_by_event(self.new, after_event, still & chosen[after_event], size)
        events = np.flatnonzero(chosen)
        for event in events[np.isin(self.lineage.change[events], _GONE)]:
            rows_now = self._heirs(int(event))
            if len(rows_now := rows_now[still[rows_now]]):
                after[event] = overlaid(shapely.union_all, self.new.geometry[rows_now])
        events = events[~covered(before[events], after[events], self.policy.cover_tolerance_m)]
        there = ~shapely.is_missing(after[events])
        lost = before[events].copy()
        lost[there] = difference(lost[there], after[events][there])
        yield from zip(events.tolist(), before[events], lost, strict=True)

    def _lost(self, kinds: list[str], counterparts: list[str], what: str, severity: Severity) -> None:
        """Tell of ground that hazard (or unknown) records gave up; carry the old version unless explained."""
        rows = self.old.flags("kind", kinds) & ~self.waiting & ~self.returned
        for event, before, ground in self._suspects(rows, counterparts):
            mine = self.lineage.previous_rows(event)
            mine = mine[rows[mine]]
            explained = self.explanations.of(ground, self.claims, mine)
            lost_m2 = shapely.area(ground)
            gone = lost_m2 >= shapely.area(before) * _ALL
            heirs = self._heirs(event)
            left, reasons = self.given_up.left_of(explained.unexplained, mine)
            if left is not None:
                self.carried.append(mine)
                code = f"{what}_VANISHED" if gone else f"{what}_SHRANK"
                level, place = severity, left
                now = "" if gone else ", ".join(self.new_ids[heirs])
                sentence = lost_sentence(lost_m2, shapely.area(place), now)
            elif reasons:
                code, level, place = "HAZARD_GIVEN_UP_BY_DECISION", Severity.NOTE, ground
                sentence = f"{lost_m2:,.1f} m2 are hazard no longer: decided by {'; '.join(reasons)}"
            elif explained.released:
                code, level, place = f"{what}_RELEASED_SINCE", Severity.NOTE, ground
                sentence = f"{lost_m2:,.1f} m2 are hazard no longer: released since"
            else:
                code, level, place = f"{what}_TAKEN_OVER", Severity.NOTE, ground
                sentence = f"{lost_m2:,.1f} m2 are now under another hazard record of the same operator"
            self.told.append(
                LostGround(int(mine[0]), heirs[:0] if gone else heirs, code, level, sentence, place)
            )

    def _heirs(self, event: int) -> Indices:
        """Return the current records that continue an event; where none does, those that hold its id now."""
        rows = self.lineage.current_rows(event)
        if len(rows):
            return rows
        ids = self.old_codes[self.lineage.previous_rows(event)]
        return np.concatenate([self.rows_by_code.get(code, rows) for code in ids.tolist()])

    def _returned(self) -> None:
        """Keep the last good version of hazard whose new version went back to the sender."""
        possible = self.old.flags("kind", [*sorted(HAZARD_KINDS), Kind.UNKNOWN])
        rows = np.flatnonzero(self.returned & possible)
        sentence = "The new version of this record was returned for correction; the last good one stays"
        self.carried.append(rows)
        self.findings.append(
            findings_about(
                of_earlier_delivery(self.old.take(rows)), "LAST_VERSION_KEPT", Severity.CHECK, sentence
            )
        )

    def _released(self) -> None:
        """Tell of released land that grew, and of released land that is no longer delivered."""
        size, after_event = len(self.lineage), self.lineage.current_event
        gone, stays = (np.isin(self.lineage.change, names) for names in (_GONE, _IN_PLACE))
        was, is_now = (side.flags("kind", sorted(RELEASED_KINDS)) for side in (self.old, self.new))
        was &= ~self.waiting & ~self.returned
        chosen = np.zeros(size, dtype=bool)
        chosen[self.event[was]] = True
        chosen &= ~gone & ~stays
        before = ground_by_event(self.old, self.event, was & chosen[self.event], size)
        after = ground_by_event(self.new, after_event, is_now & chosen[after_event], size)
        events = np.flatnonzero(chosen & ~shapely.is_missing(after))
        events = events[~covered(after[events], before[events], self.policy.cover_tolerance_m)]
        for event, gained in zip(events, difference(after[events], before[events]), strict=True):
            self._grew(int(event), gained)
        rows = np.flatnonzero(was & gone[self.event])
        sentence = "This released land is not in the new delivery of its operator"
        self.findings.append(
            findings_about(
                of_earlier_delivery(self.old.take(rows)), "RELEASED_VANISHED", Severity.CHECK, sentence
            )
        )

    def _grew(self, event: int, gained: Any) -> None:
        """Tell of released land that grew, unless the operator had released that ground before."""
        records = self.new.take(self.lineage.current_rows(event)[:1])
        tree, released = self._released_before
        own = released[np.sort(tree.query(gained, predicate="intersects"))]
        own = own[self.old.take(own).flags("operator", records.values("operator"))]
        cover = shapely.buffer(shapely.union_all(self.old.geometry[own]), self.policy.cover_tolerance_m)
        if shapely.covers(cover, gained):
            return
        sentence = f"The new version adds {shapely.area(gained):,.1f} m2 of released land"
        self.findings.append(
            findings_about(
                records, "RELEASED_GREW", Severity.ALARM, sentence, geometry=np.array([gained], dtype=object),
                measure=np.array([shapely.area(gained)]), unit="m2",
                other_id=self.old.table["record_id"].take(pa.array(self.lineage.previous_rows(event)[:1])),
            )
        )  # fmt: skip

    @cached_property
    def _released_before(self) -> tuple[shapely.STRtree, Indices]:
        """A tree of the released land before, and its rows."""
        rows = np.flatnonzero(self.old.flags("kind", sorted(RELEASED_KINDS)))
        return shapely.STRtree(self.old.geometry[rows]), rows

    def _reused_ids(self) -> None:
        """Tell of ids that stood elsewhere before."""
        before, after = common_codes(self.old, self.new, "record_id", "role")
        span = len(self.lineage) + 1
        continued = np.isin(after * span + self.lineage.current_event, before * span + self.event)
        continued &= (self.lineage.change != "id_reused")[self.lineage.current_event]
        delivered = self.new.numpy("id_is_delivered").astype(bool)
        rows = np.flatnonzero(delivered & np.isin(after, before) & ~continued)
        records = self.new.take(rows)
        sentence = "This id stood elsewhere, or mostly elsewhere, in the delivery before"
        self.findings.append(
            findings_about(
                records, "ID_REUSED", Severity.CHECK, sentence, other_id=records.table["record_id"]
            )
        )
