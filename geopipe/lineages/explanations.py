"""What explains that ground is hazard no longer: a release since, or another hazard record now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.geometry import overlaid, polygon_parts
from geopipe.policies import Policy
from geopipe.schema import Frame, Indices, Mask
from geopipe.standing import is_shallow
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Status

_OPENNESS = {Status.CLOSED: 0, Status.UNKNOWN: 1, Status.WORKED_ON: 2, Status.OPEN: 2}


@dataclass(frozen=True)
class Claims:
    """What records say of their ground, as arrays of one length."""

    operator: NDArray[np.object_]
    confirmed: Mask
    openness: NDArray[np.int64]
    surveyed: NDArray[np.datetime64]
    completed: NDArray[np.datetime64]
    informed: NDArray[np.datetime64]

    @classmethod
    def of(cls, records: Frame) -> Claims:
        """Read the claims of FEATURES."""
        openness = {status.value: figure for status, figure in _OPENNESS.items()}
        days = [
            np.asarray(records.numpy(name).astype("datetime64[D]"))
            for name in ("date_surveyed", "date_completed", "date_of_information")
        ]
        return cls(
            records.numpy("operator"),
            records.flags("kind", [Kind.CHA]),
            np.array([openness[value] for value in records.numpy("status")], dtype=np.int64),
            *days,
        )


@dataclass(frozen=True)
class Explained:
    """Lost hazard ground: was some released since, and what nothing explains (None if all is explained)."""

    released: bool
    unexplained: Any


@dataclass(frozen=True)
class Explanations:
    """The kept records of a run, asked about ground that lost its hazard status.

    Parameters
    ----------
    kept : Frame
        FEATURES in the working CRS (m).
    policy : Policy
        `cover_tolerance_m` is the rounding that is forgiven; a clearance that is known to be
        shallower than `full_depth_cm` explains nothing.
    today : date, optional
        A release that is dated later has not happened, and explains nothing.
    """

    kept: Frame
    policy: Policy
    today: dt.date | None = None

    def of(self, ground: Any, before: Claims, rows: Indices) -> Explained:
        """Say what explains the loss of ground that some hazard records of one operator covered.

        A release explains it if it was completed on or after the day of the newest of these records, and
        another hazard record of the same operator if it raises every alarm that these would raise.
        """
        releases = self._releases(ground, before, rows)
        left = self._without(ground, releases)
        if left is not None:
            left = self._without(left, self._successors(left, before, rows))
        return Explained(len(releases) > 0, left)

    @cached_property
    def _claims(self) -> Claims:
        return Claims.of(self.kept)

    @cached_property
    def _release_rows(self) -> tuple[shapely.STRtree, Indices]:
        released = self.kept.flags("kind", sorted(RELEASED_KINDS))
        shallow = is_shallow(self.kept.numpy("clearance_depth_cm").astype(float), self.policy)
        if self.today is not None:
            released &= ~(self._claims.completed > np.datetime64(self.today))
        rows = np.flatnonzero(released & ~shallow)
        return shapely.STRtree(self.kept.geometry[rows]), rows

    @cached_property
    def _hazard_rows(self) -> tuple[shapely.STRtree, Indices]:
        rows = np.flatnonzero(self.kept.flags("kind", sorted(HAZARD_KINDS)))
        return shapely.STRtree(self.kept.geometry[rows]), rows

    def _releases(self, ground: Any, before: Claims, rows: Indices) -> Indices:
        """Return the released records near the ground that are not older than what they release."""
        tree, released = self._release_rows
        near = released[tree.query(ground, predicate="intersects")]
        since = _newest(np.concatenate([before.informed[rows], before.surveyed[rows]]))
        return near[self._claims.completed[near] >= since]

    def _successors(self, ground: Any, before: Claims, rows: Indices) -> Indices:
        """Return the hazard records near the ground that say no less than the ones before said."""
        tree, hazard = self._hazard_rows
        near = hazard[tree.query(ground, predicate="intersects")]
        now = self._claims
        fits = now.operator[near] == before.operator[rows[0]]
        fits &= now.confirmed[near] | ~before.confirmed[rows].any()
        fits &= now.openness[near] >= before.openness[rows].max()
        surveyed = _newest(before.surveyed[rows])
        if not np.isnat(surveyed):
            fits &= now.surveyed[near] >= surveyed
        return np.asarray(near[fits])

    def _without(self, ground: Any, rows: Indices) -> Any:
        """Return what of the ground some records do not cover, beyond rounding; None where they cover all."""
        if len(rows) == 0:
            return ground
        cover = overlaid(shapely.union_all, self.kept.geometry[rows])
        if shapely.covers(shapely.buffer(cover, self.policy.cover_tolerance_m), ground):
            return None
        return polygon_parts(np.array([overlaid(shapely.difference, ground, cover)], dtype=object))[0]


def _newest(days: NDArray[np.datetime64]) -> np.datetime64:
    """Return the newest day; NaT where none is known."""
    stated = days[~np.isnat(days)]
    return stated.max() if len(stated) else np.datetime64("NaT", "D")
