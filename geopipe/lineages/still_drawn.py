"""Hazard that could only be drawn, and is delivered no longer: it stays drawn until something explains it.

Of such a record there is no ground to compare, so less explains its absence than that of an area: only that
it was read again, that hazard of its operator covers it now, or a decision. A release alone does not.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe.catalogue import severity_of
from geopipe.crs import WGS84, choose_operation, transform
from geopipe.geometry import overlaid
from geopipe.lineages.drawn_ids import (
    Owner,
    ids_of,
    keys_of,
    new_of_ids,
    of_their_ids,
    owners_by_bytes,
    owners_of,
    places_of,
)
from geopipe.lineages.reading import Reading
from geopipe.schema import FINDINGS, Frame, Geometries, Mask, State, boxes_of, concat, make_frame, origin
from geopipe.terms import HAZARD_KINDS, POSSIBLE_HAZARD_KINDS, Status

# What tells that something is drawn no longer.
LET_GO = frozenset({"HAZARD_GIVEN_UP_BY_DECISION", "HAZARD_TAKEN_OVER", "UNKNOWN_TAKEN_OVER"})
HAZARD_CODE, UNKNOWN_CODE = "DRAWN_HAZARD_VANISHED", "DRAWN_UNKNOWN_VANISHED"
_VANISHED = (
    "This record could not be used ({}), and it is not in the new delivery: what can be drawn of it stays on "
    "the map until it is read again, or a decision"
)
_GIVEN_UP = "What could only be drawn of this record ({}) is drawn no longer, as it was decided"
_TAKEN_OVER = (
    "What could only be drawn of this record ({}) is now under another hazard record of the same operator"
)


def still_drawn(state: State, tolerance_m: float) -> State:
    """Draw what earlier runs could only draw, and this run has not read again; tell what of it has vanished.

    Parameters
    ----------
    state : State
        With all areas of a run in the working CRS, before any is set aside, and with what came before it:
        `unresolved_before`, `previous`, `carried_before`, `given_up`.
    tolerance_m : float
        Rounding that is forgiven where hazard covers what was drawn.

    Returns
    -------
    State
        With `unresolved_kept`, these records among `unresolved`, and findings DRAWN_HAZARD_VANISHED (alarm)
        and DRAWN_UNKNOWN_VANISHED (check) for those that a whole register was read without.
    """
    before = state.unresolved_before
    state = replace(
        state,
        unresolved=state.unresolved.with_columns({"of_this_id": of_their_ids(state, before)}),
        unresolved_before=before.take(np.zeros(0, dtype=np.intp)),
    )
    if not len(before):
        return state
    absent = _Absent(state, before, tolerance_m)
    was_read, decided = absent.was_read(), absent.is_given_up()
    covered = ~decided & absent.is_covered()
    stays = ~was_read & ~decided & ~covered
    reading = Reading(state)
    gone = (vanished(before) | reading.is_complete(before)) & ~reading.returned(before)
    beside = absent.has_an_area()
    kept = before.with_columns({"vanished": gone & ~beside, "beside_area": beside}).take(stays)
    is_hazard = before.flags("kind", sorted(HAZARD_KINDS))
    alarm = stays & gone & ~beside & ~absent.is_drawn_by_another()
    told = [
        absent.told(HAZARD_CODE, alarm & is_hazard, _VANISHED),
        absent.told(UNKNOWN_CODE, alarm & ~is_hazard, _VANISHED),
        absent.told("HAZARD_GIVEN_UP_BY_DECISION", decided & ~was_read, _GIVEN_UP),
        absent.told("HAZARD_TAKEN_OVER", covered & ~was_read & is_hazard, _TAKEN_OVER),
        absent.told("UNKNOWN_TAKEN_OVER", covered & ~was_read & ~is_hazard, _TAKEN_OVER),
    ]
    return replace(state, unresolved_kept=kept).adding(unresolved=[_as_shown(kept)], findings=told)


def let_go_with_areas(state: State) -> State:
    """Draw no longer what was drawn beside an area of an earlier delivery that is explained, and off the map.

    Parameters
    ----------
    state : State
        After all stages: `features` hold what earlier deliveries leave on the map.
    """

    def staying(drawn: Frame) -> Frame:
        beside = np.asarray(drawn.numpy("beside_area"), dtype=bool)
        there = pc.is_in(drawn.table["row_id"], state.features.table["row_id"].combine_chunks())
        return drawn.take(~beside | there.to_numpy().astype(bool))

    return replace(
        state, unresolved=staying(state.unresolved), unresolved_kept=staying(state.unresolved_kept)
    )


def vanished(drawn: Frame) -> Mask:
    """Say of which drawn records (UNRESOLVED) it is known that a whole register was read without them."""
    return np.asarray(drawn.numpy("vanished"), dtype=bool)


def to_keep(state: State) -> Frame:
    """Return UNRESOLVED for the next run: what this run has drawn itself, and what it still draws."""
    kept = set(keys_of(state.unresolved_kept))
    own = np.array([key not in kept for key in keys_of(state.unresolved)], dtype=bool)
    return concat([state.unresolved.take(own), state.unresolved_kept])


def key_of_drawn(version_id: str) -> str:
    """Return how a decision names what was only drawn of a version: of its area it says nothing."""
    return f"drawn:{version_id}"


@dataclass(frozen=True)
class _Absent:
    """Records that were drawn before (a row for each place where one may lie), and what this run has read."""

    state: State
    before: Frame
    tolerance_m: float

    @cached_property
    def areas(self) -> Frame:
        """The areas of this run that may be hazard."""
        return self.state.features.take(self.state.features.flags("kind", sorted(POSSIBLE_HAZARD_KINDS)))

    @cached_property
    def ground(self) -> Geometries:
        """What was drawn, in the working CRS (m)."""
        to_working = choose_operation(WGS84, self.state.working_crs)[0]
        return transform(self.before.geometry, to_working)

    @cached_property
    def known(self) -> dict[str, set[Owner]]:
        """Whose each row of delivered bytes was before this run."""
        return owners_by_bytes(keys_of(self.before), self.state.previous, self.before)

    @cached_property
    def read(self) -> dict[str, set[Owner]]:
        """Whose each row of delivered bytes is in this run."""
        return owners_by_bytes(keys_of(self.before), self.state.features, self.state.unresolved)

    def was_read(self) -> Mask:
        """Say which records this run has read again, and either uses or draws anew."""
        alike = self._drawn_alike() & ~self.is_drawn_by_another()
        return self._same_bytes() | self._all_of_this_id() | self._whole(alike)

    def _same_bytes(self) -> Mask:
        """Say which records stand in bytes that were read again: as their operator's, or as another's now.

        Two operators may send the same bytes: what the other one had before says nothing of a record.
        """
        return np.array(
            [
                (operator, role) in self.read[name] or not self.read[name] <= self.known[name]
                for name, operator, role in keys_of(self.before)
            ],
            dtype=bool,
        )

    def _all_of_this_id(self) -> Mask:
        """Say of which records as many of their id came in new rows as came with them (`of_this_id`).

        Several records may have one id: that one of them is there says nothing of the others.
        """
        known = (self.state.previous, self.before)
        found = new_of_ids((self.state.unresolved, self.areas), known, self.before.values("record_id"))
        held = pc.fill_null(self.before.table["of_this_id"], 1).to_pylist()
        return np.array(
            [
                len(set(found.get(of_id, {}).values())) >= number
                for number, of_id in zip(held, ids_of(self.before), strict=True)
            ],
            dtype=bool,
        )

    def _drawn_alike(self) -> Mask:
        """Say which rows this run draws at the same place for the same operator."""
        return np.array([bool(ids) for ids in self._ids_here], dtype=bool)

    def is_drawn_by_another(self) -> Mask:
        """Say which records lie where this run draws nothing but other records that it knew before."""
        frames = (self.state.previous, self.before)
        names = sorted({name for ids in self._ids_here for name, _ in ids})
        known = {of_id for frame in frames for of_id in ids_of(frame.take(frame.flags("record_id", names)))}
        others = [
            bool(ids) and of_id not in ids and ids <= known
            for ids, of_id in zip(self._ids_here, ids_of(self.before), strict=True)
        ]
        return self._whole(np.array(others, dtype=bool))

    @cached_property
    def _ids_here(self) -> list[set[Owner]]:
        """Ids of what this run draws where each row was drawn, for the same operator."""
        now: dict[tuple[Owner, str], set[Owner]] = defaultdict(set)
        drawn = self.state.unresolved
        for owner, place, of_id in zip(owners_of(drawn), places_of(drawn), ids_of(drawn), strict=True):
            now[owner, place].add(of_id)
        return [now[one] for one in zip(owners_of(self.before), places_of(self.before), strict=True)]

    def is_covered(self) -> Mask:
        """Say which records lie, wherever they may lie, under open hazard areas of their operator."""
        closed = self.areas.flags("status", [Status.CLOSED])
        areas = self.areas.take(self.areas.flags("kind", sorted(HAZARD_KINDS)) & ~closed)
        near, rows = shapely.STRtree(self.ground).query(shapely.box(*boxes_of(areas).T))
        mine, other = owners_of(self.before), owners_of(areas)
        same = np.array([mine[row] == other[area] for row, area in zip(rows, near, strict=True)], dtype=bool)
        near, rows = near[same], rows[same]
        covered = np.zeros(len(self.before), dtype=bool)
        for row in np.unique(rows):
            cover = overlaid(shapely.union_all, areas.take(near[rows == row]).geometry)
            covered[row] = shapely.covers(shapely.buffer(cover, self.tolerance_m), self.ground[row])
        return ~self._whole(~covered)

    def is_given_up(self) -> Mask:
        """Say which records people have decided to give up."""
        decided = set(self.state.given_up.values("version_id"))
        names = self.before.table["version_id"].to_pylist()
        return np.array([key_of_drawn(name) in decided for name in names], dtype=bool)

    def has_an_area(self) -> Mask:
        """Say which records were kept as areas as well: these have alarms of their own."""
        areas = owners_by_bytes(keys_of(self.before), self.state.previous, self.state.carried_before)
        return np.array([tuple(owner) in areas[name] for name, *owner in keys_of(self.before)], dtype=bool)

    def told(self, code: str, which: Mask, sentence: str) -> Frame:
        """Return one finding for each record, with what was drawn of it; `sentence` takes the reason."""
        rows = np.flatnonzero(which)
        records = self.before.take(rows)
        first = list({key: at for at, key in reversed([*enumerate(keys_of(records))])}.values())
        rows = rows[np.sort(np.array(first, dtype=np.intp))]
        records = self.before.take(rows)
        columns = {
            **origin(records),
            "row": pa.nulls(len(rows), pa.int64()),
            "record_id": records.table["record_id"],
            "code": code,
            "severity": severity_of(code),
            "sentence": [sentence.format(reason) for reason in records.table["reason"].to_pylist()],
        }
        return make_frame(FINDINGS, columns, self.ground[rows])

    def _whole(self, places: Mask) -> Mask:
        """Say of which records one of the places is marked."""
        keys = keys_of(self.before)
        marked = {keys[row] for row in np.flatnonzero(places)}
        return np.array([key in marked for key in keys], dtype=bool)


def _as_shown(kept: Frame) -> Frame:
    """Return rows without row numbers: today's file of the same name has other rows there."""
    absent = np.where(vanished(kept), "Not in the new delivery of its operator. ", "")
    sentences = absent.astype(object) + "As it was delivered before: " + kept.numpy("sentence")
    return kept.with_columns({"row": pa.nulls(len(kept), pa.int64()), "sentence": sentences})
