"""Overlaps: every pair of areas that shares ground, measured, related and named by the policy's table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.catalogue import severity_of
from geopipe.coverage import coverage
from geopipe.engine.components import component_labels
from geopipe.engine.find import Engine
from geopipe.engine.measure import TOUCH_M, Measured
from geopipe.geometry import mean_width_m
from geopipe.identity import hashes
from geopipe.policies import FindingRule, Policy
from geopipe.schema import OVERLAPS, Frame, Indices, Mask, State, findings_about, make_frame
from geopipe.standing import is_shallow
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Confidence, Kind, Relation, Severity, Status

# The largest inscribed circle is worth its time only on overlaps up to this many policy widths.
_WIDTHS_MEASURED = 5


def overlaps(state: State, policy: Policy, engine: Engine = Engine()) -> State:  # noqa: B008  frozen
    """Find every pair of areas that share ground, across operators and within each.

    Parameters
    ----------
    state : State
        Valid areas in an equal-area working CRS (m), sorted by `row_id`.
    policy : Policy
        The table of findings and the figures beside it.
    engine : Engine
        Who measures, and what is known already.

    Returns
    -------
    State
        `overlaps` sorted by `left_id`, `right_id` with intersection polygons; `coverage` with the
        ground of each kind by the number of records that claim it.
    """
    areas = state.features
    narrow_m = _WIDTHS_MEASURED * policy.very_thin.width_m
    ground = engine.pairs(areas.geometry, _rank(areas.table["record_id"]), narrow_m)
    pairs = _Pairs(areas, ground, policy, _copies(state))
    # Two versions may share an id, rows are different always.
    frame = pairs.frame().sorted_by("left_id", "right_id", "left_row_id", "right_row_id")
    return replace(state, overlaps=frame, coverage=coverage(areas, ground)).adding(
        findings=[_uncertain(areas, ground)]
    )


def _uncertain(areas: Frame, ground: Measured) -> Frame:
    """Tell of pairs of which no two engines say the same; they name the left record."""
    rows = np.flatnonzero(ground.confidence == Confidence.UNCERTAIN.value)
    code = "OVERLAP_UNCERTAIN"
    return findings_about(
        areas.take(ground.left[rows]),
        code,
        severity_of(code),
        "Engines differ on the shared ground; the largest result is shown",
        geometry=ground.geometry[rows],
        other_id=areas.table["record_id"].take(pa.array(ground.right[rows])),
        measure=ground.area_m2[rows],
        unit="m2",
    )


def _copies(state: State) -> frozenset[tuple[str, str]]:
    """Return the pairs of rows, both ways, that are the operator's and the national copy of one record."""
    told = state.copies.table.select(["operator_row_id", "national_row_id"]).to_pydict()
    pairs = [pair for pair in zip(*told.values(), strict=True) if None not in pair]
    return frozenset([*pairs, *((other, one) for one, other in pairs)])


def _rank(ids: pa.ChunkedArray) -> Indices:
    """Return the place of each area by its `record_id`, then by row."""
    rank = np.empty(len(ids), dtype=np.intp)
    rank[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
    return rank


@dataclass(frozen=True)
class _Pairs:
    """Pairs that share ground, and everything the policy's table asks about them."""

    areas: Frame
    ground: Measured
    policy: Policy
    copies: frozenset[tuple[str, str]] = frozenset()
    """Pairs of `row_id` that are two copies of one record."""

    def column(self, name: str) -> tuple[Any, Any]:
        """Return a column of the areas for the left and the right side."""
        column = self.areas.table[name].combine_chunks()
        return column.take(pa.array(self.ground.left)), column.take(pa.array(self.ground.right))

    def numpy(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return :meth:`column` as NumPy arrays."""
        left, right = self.column(name)
        return left.to_numpy(zero_copy_only=False), right.to_numpy(zero_copy_only=False)

    def frame(self) -> Frame:
        """Measure, relate and name the pairs."""
        ground = self.ground
        geometry, area_m2 = ground.geometry, ground.area_m2
        left_m2, right_m2 = self.numpy("area_m2")
        relation = self.relations(left_m2, right_m2)
        mean_m = mean_width_m(area_m2, ground.perimeter_m)
        same_operator = np.asarray(pc.equal(*self.column("operator")).to_numpy(zero_copy_only=False))
        verdict = _Verdicts(self, relation, same_operator)
        uncertainty = np.maximum(*self.numpy("edge_uncertainty_m2"))
        columns: dict[str, Any] = {}
        for target, source in (
            ("id", "record_id"), ("operator", "operator"), ("kind", "kind"), ("row_id", "row_id"),
            ("geometry_hash", "geometry_hash"),
        ):  # fmt: skip
            columns[f"left_{target}"], columns[f"right_{target}"] = self.column(source)
        # Where a record lies counts more than where it says that it lies.
        for side, lies, said in zip(
            ("left", "right"), self.column("province_located"), self.column("province_stated"), strict=True
        ):
            columns[f"{side}_province"] = pc.coalesce(lies, said)
        columns["left_date"], columns["right_date"] = verdict.dates
        columns |= {
            "same_operator": same_operator,
            "relation": relation,
            "finding": verdict.of("code"),
            "severity": verdict.of("severity"),
            "counted": verdict.of("counted").astype(bool),
            "time_order": verdict.order,
            "area_m2": area_m2,
            "left_share": np.minimum(area_m2 / left_m2, 1.0),
            "right_share": np.minimum(area_m2 / right_m2, 1.0),
            "width_m": ground.width_m,
            "mean_width_m": mean_m,
            "parts": shapely.get_num_geometries(geometry),
            "edge_uncertainty_m2": uncertainty,
            "confidence": ground.confidence,
            "group_id": self.groups(),
        }
        return make_frame(OVERLAPS, columns, geometry)

    def relations(self, left_m2: NDArray[np.float64], right_m2: NDArray[np.float64]) -> NDArray[np.object_]:
        """Name how the two polygons lie to each other, as seen from the left one; geometry only."""
        common_m2 = self.ground.area_m2
        perimeter_m = shapely.length(self.areas.geometry)
        # What sticks out by less than a micrometre along the border does not stick out.
        left_inside = left_m2 - common_m2 <= TOUCH_M * perimeter_m[self.ground.left]
        right_inside = right_m2 - common_m2 <= TOUCH_M * perimeter_m[self.ground.right]
        iou = common_m2 / (left_m2 + right_m2 - common_m2)
        return np.select(
            [left_inside & right_inside, iou >= self.policy.near_equal_iou, right_inside, left_inside],
            [Relation.EQUAL.value, Relation.NEAR_EQUAL.value, Relation.CONTAINS.value, Relation.WITHIN.value],
            Relation.PARTIAL.value,
        ).astype(object)

    def groups(self) -> pa.Array:
        """Return one label per overlap group: overlaps that hang together through common records."""
        label = component_labels(len(self.areas), self.ground.left, self.ground.right)
        first = label[self.ground.left]  # the lowest row of the group stands for it
        names = self.areas.table["row_id"].combine_chunks().take(pa.array(first))
        return pc.binary_join_element_wise("g", hashes(names), "-")


class _Verdicts:
    """The finding of each pair: the first rule of the policy's table that fits."""

    def __init__(self, pairs: _Pairs, relation: NDArray[np.object_], same_operator: Mask) -> None:
        self.pairs = pairs
        self.kinds = pairs.numpy("kind")
        self.same_operator = same_operator
        self.relation = relation
        self.status = pairs.numpy("status")
        self.depth_cm = pairs.numpy("clearance_depth_cm")
        self.record = pairs.numpy("record_id")
        self.when = [self._dates(side) for side in (0, 1)]
        self.rule = self._choose()

    def _dates(self, side: int) -> NDArray[np.datetime64]:
        """Return the date that orders a record: survey of a hazard, completion of a release."""
        surveyed = self.pairs.numpy("date_surveyed")[side].astype("datetime64[D]")
        completed = self.pairs.numpy("date_completed")[side].astype("datetime64[D]")
        released = np.isin(self.kinds[side], sorted(RELEASED_KINDS))
        hazard = np.isin(self.kinds[side], sorted(HAZARD_KINDS))
        return np.where(released, completed, np.where(hazard, surveyed, np.datetime64("NaT")))

    @cached_property
    def are_copies(self) -> Mask:
        """Which pairs are two copies of one record."""
        if not self.pairs.copies:
            return np.zeros(len(self.relation), dtype=bool)
        rows = zip(*self.pairs.numpy("row_id"), strict=True)
        return np.array([pair in self.pairs.copies for pair in rows], dtype=bool)

    @cached_property
    def say_the_same(self) -> Mask:
        """Which pairs are both hazard, both released, or of one kind: only these can be one thing twice."""
        both = [np.isin(self.kinds, sorted(kinds)).all(axis=0) for kinds in (HAZARD_KINDS, RELEASED_KINDS)]
        return np.asarray(both[0] | both[1] | (self.kinds[0] == self.kinds[1]), dtype=bool)

    @property
    def dates(self) -> tuple[pa.Array, pa.Array]:
        """The two dates as Arrow columns."""
        return pa.array(self.when[0], pa.date32()), pa.array(self.when[1], pa.date32())

    @property
    def order(self) -> NDArray[np.object_]:
        """`left_first`, `right_first` or `unknown`; the same day is unknown."""
        left, right = self.when
        return np.select([left < right, right < left], ["left_first", "right_first"], "unknown").astype(
            object
        )

    def of(self, name: str) -> NDArray[np.object_]:
        """Return an attribute of each pair's rule."""
        rules = [*self.pairs.policy.findings, _UNNAMED]
        values = np.array([getattr(rule, name) for rule in rules], dtype=object)
        return np.asarray([str(v) if isinstance(v, str) else v for v in values], dtype=object)[self.rule]

    def _choose(self) -> Indices:
        size = len(self.pairs.ground.left)
        chosen = np.full(size, len(self.pairs.policy.findings), dtype=np.intp)
        for number in reversed(range(len(self.pairs.policy.findings))):
            rule = self.pairs.policy.findings[number]
            chosen[self._fits(rule, 0, 1) | self._fits(rule, 1, 0)] = number
        return chosen

    def _fits(self, rule: FindingRule, a: int, b: int) -> Mask:
        """Say where a rule fits with side `a` as its `a`."""
        fits = np.isin(self.kinds[a], rule.a) & np.isin(self.kinds[b], rule.b)
        if rule.operators != "any":
            fits &= self.same_operator == (rule.operators == "same")
        first, second = self.when[a], self.when[b]
        known = first != second  # NaT differs from everything, so dates must be there as well
        known &= ~np.isnat(first) & ~np.isnat(second)
        orders = {"a_first": first < second, "b_first": second < first, "known": known, "unknown": ~known}
        if rule.order != "any":
            fits &= orders[rule.order]
        for condition in rule.when:
            fits &= self._condition(condition, a, b)
        return np.asarray(fits, dtype=bool)

    def _condition(self, condition: str, a: int, b: int) -> Mask:
        # What sticks out by no more than rounding is inside.
        perimeter_m = shapely.length(self.pairs.areas.geometry)[
            (self.pairs.ground.left, self.pairs.ground.right)[a]
        ]
        outside_m2 = self.pairs.numpy("area_m2")[a] - self.pairs.ground.area_m2
        delivered = self.pairs.numpy("id_is_delivered")[a].astype(bool)
        same_record = (self.record[a] == self.record[b]) & delivered
        with np.errstate(invalid="ignore"):
            return np.asarray(
                {
                    "a_open": self.status[a] != Status.CLOSED,
                    "a_stated_open": np.isin(self.status[a], [Status.OPEN, Status.WORKED_ON]),
                    "a_within_b": outside_m2 <= self.pairs.policy.cover_tolerance_m * perimeter_m,
                    "b_shallow": is_shallow(self.depth_cm[b].astype(float), self.pairs.policy),
                    "same_record": same_record & self.say_the_same,
                    "copies": self.are_copies & self.say_the_same,
                    "near_equal": np.isin(self.relation, [Relation.EQUAL, Relation.NEAR_EQUAL]),
                }[condition],
                dtype=bool,
            )


# A pair that no rule of a policy names is still listed.
_UNNAMED = FindingRule(
    a=tuple(Kind),
    b=tuple(Kind),
    code="unnamed",
    severity=Severity.CHECK,
    sentence="No rule of the policy names this pair",
)
