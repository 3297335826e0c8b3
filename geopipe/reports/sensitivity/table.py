"""The table of sensitivity: how many overlaps lie under which limits, and which no tolerance may accept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np

from geopipe.config import load_vocabulary
from geopipe.errors import OutputError
from geopipe.io.geopackage import read_layer
from geopipe.policies import Policy, policy_hash
from geopipe.reports.publish import current_run, read_summary
from geopipe.reports.sensitivity.accuracy import Rounding, latitude_deg, rounding
from geopipe.reports.sensitivity.units import OWN_AREA, Units, units_of
from geopipe.schema import Frame, Geometries, Mask
from geopipe.tolerance import Never, acceptance, is_case, points_that_may_be_finds

ALL = "all"


@dataclass(frozen=True)
class Row:
    """How many things of one basis lie under an area and a width; None is no limit.

    `kinds` is a pair such as CHA x CLEARED, or all; `never` counts those that no tolerance may accept, and
    `never_because` says why (one may have several reasons). `below_accuracy` are no wider on average than
    the survey accuracy: their area is at most that accuracy times the shared border. An overlap is in the
    `area_m2` of both its sites.
    """

    kinds: str
    operators: str
    basis: str
    below_m2: float | None
    below_m: float | None
    count: int
    area_m2: float
    never: int
    never_because: dict[str, int]
    below_accuracy: int | None


@dataclass(frozen=True)
class Sensitivity:
    """What `geopipe policy sensitivity` shows."""

    rows: tuple[Row, ...]
    policy: Policy
    why_not_in_force: tuple[str, ...]
    cases: int
    area_m2: float
    notes: int
    balance: dict[str, int]
    points: int | None
    would_accept: int
    would_accept_m2: float
    rounding: tuple[Rounding, ...]

    def row(
        self, kinds: str, operators: str, basis: str, below_m2: float | None, below_m: float | None
    ) -> Row:
        """Return one row."""
        wanted = (kinds, operators, basis, below_m2, below_m)
        return next(
            row for row in self.rows
            if (row.kinds, row.operators, row.basis, row.below_m2, row.below_m) == wanted
        )  # fmt: skip

    @property
    def groups(self) -> list[tuple[str, str]]:
        """The pairs of kinds and operators that have rows, in order."""
        return list(dict.fromkeys((row.kinds, row.operators) for row in self.rows))

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values (areas in m2, lengths in m)."""
        policy = self.policy
        return {
            "cases": self.cases,
            "area_m2": self.area_m2,
            "notes_left_out": self.notes,
            "balance": self.balance,
            "points_looked_at": self.points,
            "policy": {
                "name": policy.name, "version": policy.version, "hash": policy_hash(policy),
                "in_force": not self.why_not_in_force, "why_not_in_force": list(self.why_not_in_force),
                "reference": policy.reference, "signed_by": policy.signed_by,
                "effective_from": str(policy.effective_from) if policy.effective_from else None,
                "would_accept": self.would_accept, "would_accept_m2": self.would_accept_m2,
            },
            "survey_accuracy_m": policy.survey_accuracy_m,
            "rounding": [vars(item) for item in self.rounding],
            "rows": [vars(row) for row in self.rows],
        }  # fmt: skip


def of_result(folder: Path, policy: Policy, today: dt.date) -> Sensitivity:
    """Return the sensitivity of a published result.

    Parameters
    ----------
    folder : Path
        A published folder, or one whose CURRENT names one.
    policy : Policy
        Its limits (key `sensitivity`), accuracy and tolerances.
    today : date

    Raises
    ------
    OutputError
        When the folder holds no result, or the result no overlaps.
    """
    run = current_run(folder)
    summary = read_summary(run)
    geopackage = run / next(iter(summary["files"]))  # the map comes first
    overlaps, crs = read_layer(geopackage, "overlaps")
    found = sensitivity(overlaps, read_points(geopackage), policy, today)
    measured = rounding(policy.sensitivity, latitude_deg(overlaps.geometry, crs))
    return replace(
        found,
        balance=summary["balance"],
        rounding=tuple(item.counted_in(overlaps.take(is_case(overlaps))) for item in measured),
    )


def read_points(geopackage: Path) -> Geometries | None:
    """Return the points of a result that may be finds; None where the result was made without points."""
    try:
        points, _ = read_layer(geopackage, "points")
    except OutputError:
        return None
    return points_that_may_be_finds(points, load_vocabulary())


def sensitivity(
    overlaps: Frame, points: Geometries | None, policy: Policy, today: dt.date | None
) -> Sensitivity:
    """Hold all overlaps of a run against every limit of a policy.

    Parameters
    ----------
    overlaps : Frame
        In an equal-area CRS (m).
    points : array of points or None
        See :func:`geopipe.tolerance.acceptance`.
    policy : Policy
    today : date or None
    """
    limits = policy.sensitivity
    are_cases = is_case(overlaps)
    cases = overlaps.take(are_cases)
    held = acceptance(cases, points, policy, today)
    area_m2 = cases.numpy("area_m2").astype(float)
    every = units_of(cases, held.never, limits.widths_m[-1])
    return Sensitivity(
        rows=tuple(
            row
            for kinds, operators, pairs in _groups(cases)
            for units in every
            for row in _rows(kinds, operators, units, pairs, policy)
        ),
        policy=policy,
        why_not_in_force=held.why_not_in_force,
        cases=len(cases),
        area_m2=fsum(area_m2),
        notes=int((~are_cases).sum()),
        balance={},
        points=None if points is None else len(points),
        would_accept=int(held.would_be.sum()),
        would_accept_m2=fsum(area_m2[held.would_be]),
        rounding=(),
    )


def _groups(cases: Frame) -> Iterator[tuple[str, str, Mask]]:
    """Give the names and the overlaps of all, and of each pair of kinds, of other and of same operators."""
    same = cases.numpy("same_operator").astype(bool)
    sides = np.sort([cases.numpy(f"{side}_kind").astype(str) for side in ("left", "right")], axis=0)
    kinds = np.char.add(np.char.add(sides[0], " x "), sides[1])
    yield ALL, ALL, np.ones(len(cases), dtype=bool)
    for operators, mask in (("other", ~same), ("same", same)):
        if mask.any():
            yield ALL, operators, mask
    for name in np.unique(kinds):
        for operators, mask in (("other", ~same), ("same", same)):
            if (mask & (kinds == name)).any():
                yield str(name), operators, mask & (kinds == name)


def _rows(kinds: str, operators: str, units: Units, pairs: Mask, policy: Policy) -> Iterator[Row]:
    """Count the things that have one of some overlaps, under every area and every width."""
    chosen = units.of(pairs)
    area_m2, width_m, border_m = (values[chosen] for values in (units.area_m2, units.width_m, units.border_m))
    never = {reason: mask[chosen] for reason, mask in units.never.items()}
    refused = np.logical_or.reduce(list(never.values()))
    has_width = units.basis != OWN_AREA
    below_accuracy = area_m2 <= policy.survey_accuracy_m * border_m
    widths_m: Sequence[float | None] = (None, *policy.sensitivity.widths_m) if has_width else (None,)
    for below_m2 in (None, *policy.sensitivity.areas_m2):
        for below_m in widths_m:
            under = np.ones(len(chosen), dtype=bool) if below_m2 is None else area_m2 < below_m2
            if below_m is not None:
                under &= width_m < below_m
            because = {str(Never(reason)): int((mask & under).sum()) for reason, mask in never.items()}
            yield Row(
                kinds, operators, units.basis, below_m2, below_m, int(under.sum()), fsum(area_m2[under]),
                int((refused & under).sum()), {reason: count for reason, count in because.items() if count},
                int((below_accuracy & under).sum()) if has_width else None,
            )  # fmt: skip
