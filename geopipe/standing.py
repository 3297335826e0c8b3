"""Which record may stand for which: the rules by which nothing dangerous is ever set aside.

A record may stand for another of the same operator only if keeping it alone neither shrinks
hazard, nor grows released land, nor silences an alarm that the other would raise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.catalogue import severity_of
from geopipe.geometry import overlaid
from geopipe.policies import Policy
from geopipe.schema import DUPLICATES, Frame, Geometries, Indices, Mask, findings_about, make_frame, origin
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Outcome, Status
from geopipe.threads import threaded

# A hazard with one status must not stand for one that is more open.
_OPENNESS = {Status.OPEN: 2, Status.WORKED_ON: 2, Status.UNKNOWN: 1, Status.CLOSED: 0}


def is_shallow(depth_cm: NDArray[np.float64], policy: Policy) -> Mask:
    """Say where a clearance depth is stated and less than full; below zero nothing is stated."""
    return np.asarray((depth_cm >= 0) & (depth_cm < policy.full_depth_cm))


@dataclass
class Standing:
    """The areas of a run, who of them is still in, and who stands for whom.

    Parameters
    ----------
    areas : Frame
        Valid polygons in the working CRS (m), sorted by `row_id`.
    policy : Policy
        `cover_tolerance_m` is the rounding that the covering rule forgives.
    today : date, optional
        A release that is dated later explains nothing.
    """

    areas: Frame
    policy: Policy
    today: dt.date | None = None
    stands_by: dict[int, int] = field(default_factory=dict)
    _aside: list[dict[str, Any]] = field(default_factory=list)
    _told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hazard = self.areas.flags("kind", sorted(HAZARD_KINDS))
        self.released = self.areas.flags("kind", sorted(RELEASED_KINDS))
        self.alive: Mask = np.ones(len(self.areas), dtype=bool)
        self.stands_for_others: Mask = np.zeros(len(self.areas), dtype=bool)
        self._alarm_date = self._alarm_dates()
        openness = [_OPENNESS[Status(value)] for value in self.areas.numpy("status")]
        self._openness = np.where(self.hazard, openness, 0)
        depth_cm = self.areas.numpy("clearance_depth_cm").astype(float)
        # Only a stated shallow depth takes an alarm away; an unknown one does not.
        self._shallow = self.released & is_shallow(depth_cm, self.policy)

    def _alarm_dates(self) -> NDArray[np.float64]:
        """Return a figure per row, the smaller the more alarms its date raises; NaN where it is unknown.

        The latest survey of a hazard and the earliest completion of a release raise most.
        """
        days = {}
        for name in ("date_surveyed", "date_completed"):
            dates = self.areas.numpy(name).astype("datetime64[D]")
            days[name] = np.where(np.isnat(dates), np.nan, dates.astype("int64").astype(float))
        neither = np.zeros(len(self.areas))
        return np.where(
            self.hazard, -days["date_surveyed"], np.where(self.released, days["date_completed"], neither)
        )

    @cached_property
    def kept_releases(self) -> tuple[shapely.STRtree, Indices, NDArray[np.datetime64]]:
        """A tree of the released areas that are kept, their rows and completion dates.

        To be asked only when it is settled which releases are kept.
        """
        rows = np.flatnonzero(self.released & self.alive)
        completed = self.areas.numpy("date_completed")[rows].astype("datetime64[D]")
        return shapely.STRtree(self.areas.geometry[rows]), rows, completed

    def raises_as_much(self, survivor: int, row: int) -> bool:
        """Say whether the survivor raises every alarm that the row would raise."""
        dates = self._alarm_date[[survivor, row]]
        in_time = bool(np.isnan(dates).all() or dates[0] <= dates[1])
        as_open = bool(self._openness[survivor] >= self._openness[row])
        return in_time and as_open and not (self._shallow[survivor] and not self._shallow[row])

    def first_choice(self, row: int) -> tuple[int, bool, float, int]:
        """Sort rows so that those come first that raise most alarms; then by row."""
        date = float(np.nan_to_num(self._alarm_date[row], nan=np.inf))
        return (-int(self._openness[row]), bool(self._shallow[row]), date, row)

    def may_replace(self, survivors: Indices, rows: Indices) -> Mask:
        """Say for each pair whether keeping only the survivor keeps all hazard and adds no released land."""
        kept, other = self.areas.geometry[survivors], self.areas.geometry[rows]
        covers, covered = self._covers(kept, other), self._covers(other, kept)
        return np.where(self.hazard[rows], covers, np.where(self.released[rows], covered, covers & covered))

    def _covers(self, outer: Geometries, inner: Geometries) -> Mask:
        grown = threaded(shapely.buffer, outer, distance=self.policy.cover_tolerance_m)
        return np.asarray(threaded(shapely.covers, grown, inner), dtype=bool)

    def set_aside(self, row: int, survivor: int, outcome: Outcome, how: str, sentence: str) -> None:
        """Let a survivor stand for a row from now on."""
        self.alive[row] = False
        self.stands_for_others[survivor] = True
        self.stands_by[row] = survivor
        self._aside.append({"row": row, "outcome": str(outcome), "how": how, "sentence": sentence})

    def tell(
        self, row: int, code: str, sentence: str, other: int,
        ground: shapely.Geometry | None = None,
    ) -> None:  # fmt: skip
        """Tell of a row that stays, with the ground in question (its own where none is given)."""
        place = self.areas.geometry[row] if ground is None else ground
        self._told.append(
            {"row": row, "other": other, "code": code, "severity": severity_of(code), "sentence": sentence,
             "ground": place}
        )  # fmt: skip

    def duplicates(self) -> Frame:
        """Return every record that was set aside, with the kept one that stands for it in the end."""
        rows = np.array([item["row"] for item in self._aside], dtype=np.intp)
        kept = np.array([self._last(row) for row in rows], dtype=np.intp)
        aside, survivors = self.areas.take(rows), self.areas.take(kept)
        uncovered = overlaid(shapely.difference, aside.geometry, survivors.geometry)
        common_m2 = shapely.area(aside.geometry) - shapely.area(uncovered)
        union_m2 = shapely.area(survivors.geometry) + shapely.area(uncovered)
        columns = {
            **origin(aside),
            "record_id": aside.table["record_id"],
            "row_id": aside.table["row_id"],
            "of_record_id": survivors.table["record_id"],
            "of_row_id": survivors.table["row_id"],
            "iou": common_m2 / union_m2,
            "uncovered_m2": shapely.area(uncovered),
        }
        columns |= {name: [item[name] for item in self._aside] for name in ("outcome", "how", "sentence")}
        return make_frame(DUPLICATES, columns, aside.geometry)

    def _last(self, row: int) -> int:
        while row in self.stands_by:
            row = self.stands_by[row]
        return row

    def findings(self) -> Frame:
        """Return every question that was left open, with the ground it is about."""
        rows, others = (
            np.array([item[name] for item in self._told], dtype=np.intp) for name in ("row", "other")
        )
        ground = np.empty(len(rows), dtype=object)
        ground[:] = [item["ground"] for item in self._told]
        code, severity, sentence = (
            [item[name] for item in self._told] for name in ("code", "severity", "sentence")
        )
        return findings_about(
            self.areas.take(rows), code, severity, sentence, geometry=ground,
            other_id=self.areas.table["record_id"].take(others), measure=shapely.area(ground), unit="m2",
        )  # fmt: skip
