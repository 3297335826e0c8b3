"""Points: found items and evidence, most of them where they should be, some where they raise an alarm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geopipe.terms import Kind

from .delivery_plan import NO_PRJ
from .places import PROVINCE_OF_BOX
from .records import KINDS, Records
from .rings import Floats, Ints

Rng = np.random.Generator

POINT_TYPES = ("UXO found", "Evidence", "Accident")
UXO, EVIDENCE, ACCIDENT = 0, 1, 2
NUMBER_PREFIX = "UXL-PT-"


@dataclass(frozen=True)
class Points:
    """Single points in the order of their rows.

    Attributes
    ----------
    xy : ndarray, shape (n, 2)
        Equal-area CRS, m.
    type : ndarray
        Row of `POINT_TYPES`.
    day : ndarray
        When it was found, days since 1970-01-01.
    depth_cm : ndarray
        At which depth it was found, cm; -1 for evidence.
    box : ndarray
        Row of `places.BOXES`.
    record : ndarray
        Record in whose polygon it lies, -1 outside all.
    alarm, outside : ndarray of bool
        Found on cleared land after completion; evidence outside every hazard area.
    """

    xy: Floats
    type: Ints
    day: Ints
    depth_cm: Ints
    box: Ints
    record: Ints
    alarm: npt.NDArray[np.bool_]
    outside: npt.NDArray[np.bool_]

    @property
    def province(self) -> Ints:
        """Row of `places.PROVINCES` of each point."""
        return np.array(PROVINCE_OF_BOX)[self.box]


def make_points(rng: Rng, records: Records) -> Points:
    """Make the points: alarms, evidence outside, and a larger number of ordinary ones."""
    scene_name = np.array([batch.scene.name for batch in records.batches])
    record_name = scene_name[records.batch]
    bare = np.flatnonzero(scene_name[records.scene_batch] == "evidence_outside_hazard")
    alarms = np.flatnonzero(record_name == "uxo_found_on_cleared")
    confirmed = (record_name == "lone_hazard") & (records.kind == KINDS.index(Kind.CHA))
    in_hazard = _some(rng, np.flatnonzero(confirmed & (records.delivery != NO_PRJ)), 0.06)
    cleared = (record_name == "lone_released") & (records.kind == KINDS.index(Kind.CLEARED))
    during = _some(rng, np.flatnonzero(cleared), 0.03)
    record = np.concatenate((alarms, in_hazard, during, np.full(len(bare), -1)))
    scene = np.concatenate((records.scene[record[: -len(bare)]], bare))
    of_alarm = rng.choice((UXO, EVIDENCE, ACCIDENT), len(alarms), p=(0.7, 0.15, 0.15))
    days = records.days
    after = days.completed[alarms] + rng.integers(30, 700, len(alarms))
    before_survey = days.surveyed[in_hazard] - rng.integers(0, 30, len(in_hazard))
    before_completion = days.completed[during] - rng.integers(1, 60, len(during))
    any_day = rng.integers(17000, 19700, len(bare))
    kind = np.concatenate(
        (
            of_alarm,
            rng.choice((UXO, EVIDENCE), len(in_hazard)),
            np.full(len(during), UXO),
            np.full(len(bare), EVIDENCE),
        )
    )
    order = rng.permutation(len(record))
    depth = np.where(kind == UXO, rng.integers(0, 26, len(kind)), -1)
    return Points(
        xy=records.anchor[scene][order],
        type=kind[order],
        day=np.concatenate((after, before_survey, before_completion, any_day))[order],
        depth_cm=depth[order],
        box=records.scene_box[scene][order],
        record=record[order],
        alarm=(np.arange(len(record)) < len(alarms))[order],
        outside=(record < 0)[order],
    )


def _some(rng: Rng, rows: Ints, share: float) -> Ints:
    """Return a share of the rows, at least three if there are as many."""
    chosen = rng.choice(rows, min(len(rows), max(3, round(share * len(rows)))), replace=False)
    return np.sort(chosen)
