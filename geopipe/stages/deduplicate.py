"""Deduplicate: one version of each record, one record of each ground, per operator; never across operators.

Nothing is set aside if that would shrink hazard or grow released land: an older
or nearly equal hazard only if the one kept covers it, a released record only
if it covers the one kept. Otherwise both stay and a finding says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.config import Policy
from geopipe.geometry import canonical, overlaid, polygon_parts
from geopipe.schema import (
    DUPLICATES,
    Frame,
    Indices,
    Mask,
    State,
    findings_about,
    make_frame,
    origin,
)
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Outcome, Severity


@dataclass
class _Work:
    """The areas by row_id, who is still in, and what was decided about the rest."""

    areas: Frame
    policy: Policy
    hazard: Mask
    released: Mask
    alive: Mask
    set_aside: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def releases(self) -> tuple[shapely.STRtree, Indices]:
        """A tree of the released areas, and the rows that they stand in."""
        rows = np.flatnonzero(self.released)
        return shapely.STRtree(self.areas.geometry[rows]), rows

    @cached_property
    def completed(self) -> NDArray[np.datetime64]:
        """Completion date of each row."""
        return self.areas.numpy("date_completed").astype("datetime64[D]")

    def drop(
        self, row: int, survivor: int, outcome: Outcome, how: str, sentence: str, iou: float = 1.0
    ) -> None:
        """Set a row aside in favour of a survivor, with measure and reason."""
        self.alive[row] = False
        uncovered = overlaid(shapely.difference, self.areas.geometry[row], self.areas.geometry[survivor])
        self.set_aside.append(
            {
                "row": row, "survivor": survivor, "outcome": str(outcome), "how": how,
                "sentence": sentence, "iou": iou, "uncovered_m2": float(uncovered.area),
            }
        )  # fmt: skip

    def find(self, row: int, code: str, severity: Severity, sentence: str, other: int,
             ground: shapely.Geometry | None = None) -> None:  # fmt: skip
        """Tell of a row that stays, with the ground in question."""
        place = self.areas.geometry[row] if ground is None else ground
        self.findings.append(
            {
                "row": row, "other": other, "code": code, "severity": str(severity),
                "sentence": sentence, "ground": place,
            }
        )  # fmt: skip

    def may_replace(self, survivor: int, row: int) -> bool:
        """Say whether keeping only `survivor` neither shrinks hazard nor grows released land."""
        kept, other = self.areas.geometry[[survivor, row]]
        tolerance = self.policy.cover_tolerance_m
        kept_covers = bool(shapely.covers(shapely.buffer(kept, tolerance), other))
        if self.hazard[row]:
            return kept_covers
        other_covers = bool(shapely.covers(shapely.buffer(other, tolerance), kept))
        return other_covers if self.released[row] else kept_covers and other_covers


def deduplicate(state: State, policy: Policy) -> State:
    """Set aside duplicates and older versions among the records of each operator.

    Parameters
    ----------
    state : State
        Valid polygons in the working CRS (m).
    policy : Policy
        `near_equal_iou` and `cover_tolerance_m`.

    Returns
    -------
    State
        `features` sorted by `row_id`; each record set aside is a row of `duplicates` that
        names its survivor, the measure and the reason.
    """
    areas = state.features.take(pc.sort_indices(state.features.table["row_id"]).to_numpy().astype(np.intp))
    work = _Work(
        areas, policy,
        areas.flags("kind", sorted(HAZARD_KINDS)), areas.flags("kind", sorted(RELEASED_KINDS)),
        np.ones(len(areas), dtype=bool),
    )  # fmt: skip
    _same_content(work)
    _versions(work)
    _equal_ground(work)
    _nearly_equal_ground(work)
    done = replace(state, features=areas.take(work.alive))
    return done.adding(duplicates=[_duplicates(work)], findings=[_findings(work)])


def _groups(keys: NDArray[Any], rows: Indices) -> list[Indices]:
    """Return the rows that share a key, in order of rows, for keys that occur more than once."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts[inverse] > 1)
    order = shared[np.argsort(inverse[shared], kind="stable")]
    edges = np.flatnonzero(np.diff(inverse[order])) + 1
    return [rows[group] for group in np.split(order, edges)] if len(order) else []


def _codes(areas: Frame, name: str) -> NDArray[np.int64]:
    """Return small integers for the different values of a string column."""
    encoded = areas.table[name].combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _same_content(work: _Work) -> None:
    """Set aside rows that repeat another one: same record, attributes, geometry and CRS."""
    for first, *others in _groups(_codes(work.areas, "version_id"), np.arange(len(work.areas))):
        for row in others:
            work.drop(row, first, Outcome.DUPLICATE, "same_content", "The same record was delivered twice")


def _versions(work: _Work) -> None:
    """Keep the newest version of each record, unless that would shrink hazard or grow released land."""
    delivered = work.areas.table["id_is_delivered"].to_numpy() & work.alive
    dates = work.areas.numpy("date_of_information").astype("datetime64[D]")
    rows = np.flatnonzero(delivered)
    for group in _groups(_codes(work.areas, "record_id")[rows], rows):
        dated = group[~np.isnat(dates[group])]
        newest = dated[dates[dated] == dates[dated].max()] if len(dated) else dated
        unordered = [*newest, *group[np.isnat(dates[group])]]
        if len(unordered) > 1:
            for row in unordered:
                other = unordered[0] if row != unordered[0] else unordered[1]
                work.find(
                    row, "VERSION_CONFLICT", Severity.CHECK,
                    "Two versions differ and no date of information says which is newer; both are kept",
                    other,
                )  # fmt: skip
        for row in (row for row in dated if row not in newest):
            _supersede(work, int(row), int(newest[0]), dates)


def _supersede(work: _Work, row: int, newest: int, dates: NDArray[np.datetime64]) -> None:
    """Set an older version aside, or tell why it must stay."""
    old, new = work.areas.geometry[[row, newest]]
    common_m2 = overlaid(shapely.intersection, old, new).area
    iou = common_m2 / (old.area + new.area - common_m2)
    when = f"of {dates[row]}; the version of {dates[newest]} is newer"
    if work.may_replace(newest, row):
        work.drop(row, newest, Outcome.SUPERSEDED, "older_version", f"Version {when}", iou)
    elif common_m2 == 0:
        work.find(
            row, "ID_REUSED", Severity.CHECK, "The same id stands on other ground; both are kept", newest
        )
    elif work.hazard[row]:
        lost = overlaid(shapely.difference, old, new)
        if _released_since(work, lost, dates[row]):
            sentence = f"Version {when} and smaller, and released land explains what was given up"
            work.drop(row, newest, Outcome.SUPERSEDED, "older_version", sentence, iou)
        else:
            sentence = (
                f"The newer version ({dates[newest]}) gives up {lost.area:,.1f} m2 of hazard; both are kept"
            )
            work.find(row, "HAZARD_SMALLER", Severity.ALARM, sentence, newest, lost)
    elif work.released[row]:
        gained = overlaid(shapely.difference, new, old)
        sentence = (
            f"The newer version ({dates[newest]}) adds {gained.area:,.1f} m2 of released land; both are kept"
        )
        work.find(row, "RELEASED_LARGER", Severity.ALARM, sentence, newest, gained)
    else:
        work.find(
            row,
            "VERSION_CONFLICT",
            Severity.CHECK,
            "The newer version lies differently; both are kept",
            newest,
        )


def _released_since(work: _Work, ground: shapely.Geometry, date: np.datetime64) -> bool:
    """Say whether land released on or after a date covers this ground."""
    tree, rows = work.releases
    near = rows[tree.query(ground, predicate="intersects")]
    since = near[work.alive[near] & (work.completed[near] >= date)]
    covered = shapely.buffer(
        overlaid(shapely.union_all, work.areas.geometry[since]), work.policy.cover_tolerance_m
    )
    return bool(shapely.covers(covered, ground))


def _equal_ground(work: _Work) -> None:
    """Set aside records of one operator and kind on exactly the same ground under other ids."""
    rows = np.flatnonzero(work.alive)
    bounds = shapely.bounds(work.areas.geometry[rows])
    who = np.column_stack([_codes(work.areas, name)[rows] for name in ("operator", "kind")]).astype(float)
    keys = np.ascontiguousarray(np.column_stack([bounds, who])).view(np.dtype((np.void, 48))).ravel()
    candidates = _groups(keys, rows)
    if not candidates:
        return
    suspects = np.concatenate(candidates)
    ground = shapely.to_wkb(canonical(work.areas.geometry[suspects]))
    label = dict(zip(suspects.tolist(), ground, strict=True))
    record = work.areas.numpy("record_id")
    delivered = work.areas.numpy("id_is_delivered")
    for group in candidates:
        for equal in _groups(np.array([label[row] for row in group], dtype=object), group):
            first, *others = sorted(equal, key=lambda row: _survival_order(work, int(row)))
            for row in others:
                # Versions of one record have been judged already, and stay where their order is unknown.
                if not (record[row] == record[first] and delivered[row]):
                    sentence = "Exactly the same ground as another record of the same operator"
                    work.drop(int(row), int(first), Outcome.DUPLICATE, "equal", sentence)


def _survival_order(work: _Work, row: int) -> tuple[float, int]:
    """Sort equal records: first the one whose date raises every alarm that any of them would raise.

    That is the latest survey of a hazard and the earliest completion of a release; then the lowest row_id.
    """
    return (_alarm_date(work, row), row)


def _alarm_date(work: _Work, row: int) -> float:
    name, sign = ("date_surveyed", -1) if work.hazard[row] else ("date_completed", 1)
    value = work.areas.table[name][row].as_py()
    return float("inf") if value is None else float(sign * value.toordinal())


def _nearly_equal_ground(work: _Work) -> None:
    """Set aside near copies by the covering rule, each measured against its survivor, never along a chain."""
    rows = np.flatnonzero(work.alive)
    pairs, iou = _near_pairs(work, rows)
    if len(pairs) == 0:
        return
    area_m2 = shapely.area(work.areas.geometry)
    record, delivered = work.areas.numpy("record_id"), work.areas.numpy("id_is_delivered")
    # The larger hazard and the smaller released area are tried first as the one to keep.
    preference = np.where(work.released, area_m2, -area_m2)
    partners: dict[int, list[tuple[int, float]]] = {}
    for (left, right), likeness in zip(pairs.tolist(), iou.tolist(), strict=True):
        partners.setdefault(left, []).append((right, likeness))
        partners.setdefault(right, []).append((left, likeness))
    for survivor in sorted(partners, key=lambda row: (preference[row], row)):
        for row, likeness in sorted(partners[survivor]):
            if not (work.alive[survivor] and work.alive[row]) or (
                record[row] == record[survivor] and delivered[row]
            ):
                continue
            keeps_alarms = _alarm_date(work, survivor) <= _alarm_date(work, row)
            if keeps_alarms and work.may_replace(survivor, row):
                sentence = f"Nearly the same ground ({likeness:.1%}) as another record of the same operator"
                work.drop(row, survivor, Outcome.DUPLICATE, "near_equal", sentence, likeness)
    for left, right in pairs.tolist():
        if work.alive[left] and work.alive[right] and record[left] != record[right]:
            sentence = (
                "Nearly the same ground as another record of the same operator, neither may replace the other"
            )
            work.find(left, "NEAR_DUPLICATE", Severity.CHECK, sentence, right)


def _near_pairs(work: _Work, rows: Indices) -> tuple[Indices, NDArray[np.float64]]:
    """Return pairs (n, 2) of one operator and kind that are alike enough, and their likeness (IoU)."""
    geometry = work.areas.geometry[rows]
    least = work.policy.near_equal_iou
    left, right = shapely.STRtree(geometry).query(geometry)
    operator, kind = _codes(work.areas, "operator")[rows], _codes(work.areas, "kind")[rows]
    keep = (left < right) & (operator[left] == operator[right]) & (kind[left] == kind[right])
    left, right = left[keep], right[keep]
    area_m2 = shapely.area(geometry)
    alike = np.minimum(area_m2[left], area_m2[right]) >= least * np.maximum(area_m2[left], area_m2[right])
    left, right = left[alike], right[alike]
    common_m2 = shapely.area(overlaid(shapely.intersection, geometry[left], geometry[right]))
    iou = common_m2 / (area_m2[left] + area_m2[right] - common_m2)
    near = iou >= least
    return rows[np.column_stack([left[near], right[near]])], iou[near]


def _duplicates(work: _Work) -> Frame:
    """Write down every record that was set aside."""
    rows = np.array([item["row"] for item in work.set_aside], dtype=np.intp)
    kept = np.array([item["survivor"] for item in work.set_aside], dtype=np.intp)
    aside, survivors = work.areas.take(rows), work.areas.take(kept)
    columns = {
        **origin(aside),
        "record_id": aside.table["record_id"],
        "row_id": aside.table["row_id"],
        "of_record_id": survivors.table["record_id"],
        "of_row_id": survivors.table["row_id"],
    }
    columns |= {
        name: [item[name] for item in work.set_aside]
        for name in ("outcome", "how", "sentence", "iou", "uncovered_m2")
    }
    return make_frame(DUPLICATES, columns, polygon_parts(aside.geometry))


def _findings(work: _Work) -> Frame:
    """Write down every question that was left open, with the ground it is about."""
    rows, others = (
        np.array([item[name] for item in work.findings], dtype=np.intp) for name in ("row", "other")
    )
    ground = np.empty(len(rows), dtype=object)
    ground[:] = [item["ground"] for item in work.findings]
    code, severity, sentence = (
        [item[name] for item in work.findings] for name in ("code", "severity", "sentence")
    )
    return findings_about(
        work.areas.take(rows), code, severity, sentence, geometry=ground,
        other_id=work.areas.table["record_id"].take(others), measure=shapely.area(ground), unit="m2",
    )  # fmt: skip
