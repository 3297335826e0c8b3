"""Hazard that could only be drawn, and is delivered no longer: it stays drawn until something explains it.

Of such a record there is no ground to compare, so less explains its absence than that of an area: only that
it was read again, that hazard of its operator covers it now, or a decision. A release alone does not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe.catalogue import severity_of
from geopipe.crs import WGS84, choose_operation, transform
from geopipe.geometry import overlaid
from geopipe.lineages.reading import Reading
from geopipe.schema import FINDINGS, Frame, Geometries, Mask, State, boxes_of, concat, make_frame, origin
from geopipe.terms import HAZARD_KINDS, POSSIBLE_HAZARD_KINDS, Status

HAZARD_CODE, UNKNOWN_CODE = "DRAWN_HAZARD_VANISHED", "DRAWN_UNKNOWN_VANISHED"
_VANISHED = (
    "This record could not be used ({}), and it is not in the new delivery: what can be drawn of it stays on "
    "the map until it is read again, or a decision"
)
_GIVEN_UP = "This record could not be used ({}); it is drawn no longer, as it was decided"
_TAKEN_OVER = "This record could not be used ({}); another hazard record of its operator covers it now"


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
    state = replace(state, unresolved_before=before.take(np.zeros(0, dtype=np.intp)))
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
    alarm = stays & gone & ~beside
    told = [
        absent.told(HAZARD_CODE, alarm & is_hazard, _VANISHED),
        absent.told(UNKNOWN_CODE, alarm & ~is_hazard, _VANISHED),
        absent.told("HAZARD_GIVEN_UP_BY_DECISION", decided & ~was_read, _GIVEN_UP),
        absent.told("HAZARD_TAKEN_OVER", covered & ~was_read, _TAKEN_OVER),
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
    own = ~state.unresolved.flags("row_id", state.unresolved_kept.values("row_id"))
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

    @property
    def _row_ids(self) -> list[str]:
        return list(self.before.table["row_id"].to_pylist())

    @cached_property
    def ground(self) -> Geometries:
        """What was drawn, in the working CRS (m)."""
        to_working = choose_operation(WGS84, self.state.working_crs)[0]
        return transform(self.before.geometry, to_working)

    def was_read(self) -> Mask:
        """Say which records this run has read again, and either uses or draws anew."""
        same_bytes = self._is_among(self.state.features) | self._is_among(self.state.unresolved)
        return same_bytes | self._all_of_this_id() | self._drawn_alike()

    def _is_among(self, frame: Frame) -> Mask:
        rows = pc.is_in(self.before.table["row_id"], frame.table["row_id"].combine_chunks())
        return np.asarray(rows.to_numpy(), dtype=bool)

    def _all_of_this_id(self) -> Mask:
        """Say of which records as many of their id were read now as the delivery before held of it.

        Several records may have one id: that one of them is there says nothing of the others.
        """
        had: dict[tuple[str, tuple[str, str]], set[str]] = {}
        for frame in (self.state.previous, self.before):
            for row_id, of_id in self._of_these_ids(frame).items():
                had.setdefault((row_id.partition(":")[0], of_id), set()).add(row_id)
        read = self._of_these_ids(self.areas) | self._of_these_ids(self.state.unresolved)
        now = Counter(read.values())
        return np.array(
            [
                bool(of_id[0]) and now[of_id] >= len(had[row_id.partition(":")[0], of_id])
                for row_id, of_id in zip(self._row_ids, _ids(self.before), strict=True)
            ],
            dtype=bool,
        )

    def _of_these_ids(self, frame: Frame) -> dict[str, tuple[str, str]]:
        """Return id and role by row; a record that is drawn in several places is one."""
        rows = frame.take(frame.flags("record_id", self.before.values("record_id")))
        return dict(zip(rows.table["row_id"].to_pylist(), _ids(rows), strict=True))

    def _drawn_alike(self) -> Mask:
        """Say which records this run draws at the same place for the same operator."""
        now = self.state.unresolved
        drawn = set(zip(_owners(now), shapely.to_wkb(now.geometry).tolist(), strict=True))
        mine = zip(_owners(self.before), shapely.to_wkb(self.before.geometry).tolist(), strict=True)
        return self._whole(np.array([one in drawn for one in mine], dtype=bool))

    def is_covered(self) -> Mask:
        """Say which records lie, in one of their places, under open hazard areas of their operator."""
        closed = self.areas.flags("status", [Status.CLOSED])
        areas = self.areas.take(self.areas.flags("kind", sorted(HAZARD_KINDS)) & ~closed)
        near, rows = shapely.STRtree(self.ground).query(shapely.box(*boxes_of(areas).T))
        mine, other = _owners(self.before), _owners(areas)
        same = np.array([mine[row] == other[area] for row, area in zip(rows, near, strict=True)], dtype=bool)
        near, rows = near[same], rows[same]
        covered = np.zeros(len(self.before), dtype=bool)
        for row in np.unique(rows):
            cover = overlaid(shapely.union_all, areas.take(near[rows == row]).geometry)
            covered[row] = shapely.covers(shapely.buffer(cover, self.tolerance_m), self.ground[row])
        return self._whole(covered)

    def is_given_up(self) -> Mask:
        """Say which records people have decided to give up."""
        decided = set(self.state.given_up.values("version_id"))
        names = self.before.table["version_id"].to_pylist()
        return np.array([key_of_drawn(name) in decided for name in names], dtype=bool)

    def has_an_area(self) -> Mask:
        """Say which records were kept as areas as well: these have alarms of their own."""
        return self._is_among(self.state.previous) | self._is_among(self.state.carried_before)

    def told(self, code: str, which: Mask, sentence: str) -> Frame:
        """Return one finding for each record, with what was drawn of it; `sentence` takes the reason."""
        rows = np.flatnonzero(which)
        _, first = np.unique(self.before.take(rows).numpy("row_id").astype(str), return_index=True)
        rows = rows[np.sort(first)]
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
        return self.before.flags("row_id", self.before.take(places).values("row_id"))


def _ids(frame: Frame) -> list[tuple[str, str]]:
    """Return id and role of each record, '' where it has none."""
    return _texts(frame, "record_id", "role")


def _owners(frame: Frame) -> list[tuple[str, str]]:
    """Return operator and role of each record."""
    return _texts(frame, "operator", "role")


def _texts(frame: Frame, one: str, other: str) -> list[tuple[str, str]]:
    columns = (pc.fill_null(frame.table[name].cast(pa.string()), "") for name in (one, other))
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


def _as_shown(kept: Frame) -> Frame:
    """Return rows without row numbers: today's file of the same name has other rows there."""
    absent = np.where(vanished(kept), "Not in the new delivery of its operator. ", "")
    sentences = absent.astype(object) + "As it was delivered before: " + kept.numpy("sentence")
    return kept.with_columns({"row": pa.nulls(len(kept), pa.int64()), "sentence": sentences})
