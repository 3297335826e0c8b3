"""Deduplicate: one version of each record, one record of each ground, per operator; never across operators.

Who may be set aside is decided in `geopipe.standing`. Released land is settled before hazard,
because a newer, smaller version of a hazard may be explained by land that is really released.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.geometry import canonical, overlaid
from geopipe.policies import Policy
from geopipe.schema import Frame, Indices, Mask, State
from geopipe.standing import Standing
from geopipe.terms import Outcome


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
        `features` sorted by `row_id`; each record set aside is a row of `duplicates` that names the
        kept record that stands for it, the measure and the reason.
    """
    areas = state.features.sorted_by("row_id")
    by_role = _by_role(areas)
    settled = [_settled(areas.take(rows), state, policy) for rows in by_role]
    kept = np.zeros(len(areas), dtype=bool)
    for rows, standing in zip(by_role, settled, strict=True):
        kept[rows] = standing.alive
    return replace(state, features=areas.take(kept)).adding(
        duplicates=[standing.duplicates() for standing in settled],
        findings=[standing.findings() for standing in settled],
    )


def _by_role(areas: Frame) -> list[Indices]:
    """Return the rows of each role: copies of the operator and of the national database are two truths."""
    roles = pc.fill_null(areas.table["role"].combine_chunks(), "").dictionary_encode().indices.to_numpy()
    return [np.flatnonzero(roles == role) for role in range(int(roles.max(initial=0)) + 1)]


def _settled(areas: Frame, state: State, policy: Policy) -> Standing:
    """Set aside duplicates and older versions of one role; what stands for others already stays."""
    standing = Standing(areas, policy, state.today)
    standing.stands_for_others |= areas.is_among("row_id", state.duplicates, "of_row_id")
    _same_content(standing)
    for member in (~standing.hazard, standing.hazard):
        _versions(standing, member)
        _equal_ground(standing, member)
        _nearly_equal_ground(standing, member)
    return standing


def _groups(keys: NDArray[Any], rows: Indices) -> list[Indices]:
    """Return the rows that share a key, in order of rows, for keys that occur more than once."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts[inverse] > 1)
    order = shared[np.argsort(inverse[shared], kind="stable")]
    edges = np.flatnonzero(np.diff(inverse[order])) + 1
    return [rows[group] for group in np.split(order, edges)] if len(order) else []


def _codes(areas: Frame, name: str) -> NDArray[np.int64]:
    """Return small integers for the different values of a string column."""
    column = areas.table[name].combine_chunks()
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _same_content(standing: Standing) -> None:
    """Set aside rows that repeat another one: same record, attributes, geometry and CRS, read alike.

    The same bytes that were read as another kind, or at another place, are another statement.
    """
    areas = standing.areas
    read = [_codes(areas, name) for name in ("version_id", "kind", "crs", "correction")]
    same = np.unique(np.column_stack(read), axis=0, return_inverse=True)[1].ravel()
    for first, *others in _groups(same, np.arange(len(areas))):
        for row in others:
            sentence = "The same record was delivered twice"
            standing.set_aside(row, first, Outcome.DUPLICATE, "same_content", sentence)


def _versions(standing: Standing, member: Mask) -> None:
    """Keep the newest version of each record, unless that would shrink hazard or grow released land."""
    delivered = standing.areas.table["id_is_delivered"].to_numpy()
    dates = standing.areas.numpy("date_of_information").astype("datetime64[D]")
    rows = np.flatnonzero(delivered & standing.alive & member)
    older: list[tuple[int, int]] = []
    for group in _groups(_codes(standing.areas, "record_id")[rows], rows):
        dated = group[~np.isnat(dates[group])]
        newest = dated[dates[dated] == dates[dated].max()] if len(dated) else dated
        _tell_of_unordered(standing, [*newest, *group[np.isnat(dates[group])]])
        older += [(int(row), int(newest[0])) for row in dated if row not in newest]
    pairs = np.array(older, dtype=np.intp).reshape(-1, 2)
    allowed = standing.may_replace(pairs[:, 1], pairs[:, 0])
    for (row, newest_row), fits in zip(older, allowed, strict=True):
        if fits:
            when = f"of {dates[row]}; the version of {dates[newest_row]} is newer"
            standing.set_aside(row, newest_row, Outcome.SUPERSEDED, "older_version", f"Version {when}")
        else:
            _stay(standing, row, newest_row, dates)


def _tell_of_unordered(standing: Standing, versions: list[Any]) -> None:
    """Tell of versions of one record that no date puts in order; all of them stay."""
    for row in versions if len(versions) > 1 else []:
        other = versions[0] if row != versions[0] else versions[1]
        sentence = "Two versions differ and no date of information says which is newer; both are kept"
        standing.tell(int(row), "VERSION_CONFLICT", sentence, int(other))


def _stay(standing: Standing, row: int, newest: int, dates: NDArray[np.datetime64]) -> None:
    """Tell why an older version stays beside the newest one, or find that released land explains it."""
    old, new = standing.areas.geometry[[row, newest]]
    lost, gained = overlaid(shapely.difference, old, new), overlaid(shapely.difference, new, old)
    if lost.area >= old.area:
        sentence = "The same id stands on other ground; both are kept"
        standing.tell(row, "ID_REUSED", sentence, newest)
    elif standing.hazard[row] and _released_since(standing, lost, dates[row]):
        sentence = f"Version of {dates[row]}; what the version of {dates[newest]} gives up was released"
        standing.set_aside(row, newest, Outcome.SUPERSEDED, "older_version", sentence)
    elif standing.hazard[row]:
        sentence = (
            f"The newer version ({dates[newest]}) gives up {lost.area:,.1f} m2 of hazard; both are kept"
        )
        standing.tell(row, "HAZARD_SMALLER", sentence, newest, lost)
    elif standing.released[row]:
        sentence = (
            f"The newer version ({dates[newest]}) adds {gained.area:,.1f} m2 of released land; both are kept"
        )
        standing.tell(row, "RELEASED_LARGER", sentence, newest, gained)
    else:
        sentence = "The newer version lies differently; both are kept"
        standing.tell(row, "VERSION_CONFLICT", sentence, newest)


def _released_since(standing: Standing, ground: shapely.Geometry, date: np.datetime64) -> bool:
    """Say whether land that is kept, and was released on or after a date, covers this ground."""
    tree, rows, completed = standing.kept_releases
    hit = tree.query(ground, predicate="intersects")
    since = completed[hit] >= date
    if standing.today is not None:  # a release of the future has not happened
        since &= completed[hit] <= np.datetime64(standing.today)
    near = standing.areas.geometry[rows[hit[since]]]
    covered = shapely.buffer(overlaid(shapely.union_all, near), standing.policy.cover_tolerance_m)
    return bool(shapely.covers(covered, ground))


def _equal_ground(standing: Standing, member: Mask) -> None:
    """Set aside records of one operator and kind on exactly the same ground under other ids."""
    areas, rows = standing.areas, np.flatnonzero(standing.alive & member)
    who = np.column_stack([_codes(areas, name)[rows] for name in ("operator", "kind")]).astype(float)
    keys = np.ascontiguousarray(np.column_stack([shapely.bounds(areas.geometry[rows]), who]))
    candidates = _groups(keys.view(np.dtype((np.void, keys.itemsize * keys.shape[1]))).ravel(), rows)
    if not candidates:
        return
    suspects = np.concatenate(candidates)
    ground = dict(zip(suspects.tolist(), shapely.to_wkb(canonical(areas.geometry[suspects])), strict=True))
    for group in candidates:
        for equal in _groups(np.array([ground[row] for row in group.tolist()], dtype=object), group):
            _settle_equal(standing, sorted(equal.tolist(), key=standing.first_choice))


def _settle_equal(standing: Standing, rows: list[int]) -> None:
    """Keep of equal records those that are needed so that no alarm is silenced."""
    kept: list[int] = []
    for row in rows:
        survivor = next(
            (k for k in kept if standing.raises_as_much(k, row) and not _versions_of_one(standing, k, row)),
            None,
        )
        if survivor is not None:
            sentence = "Exactly the same ground as another record of the same operator"
            standing.set_aside(row, survivor, Outcome.DUPLICATE, "equal", sentence)
            continue
        if kept and not _versions_of_one(standing, kept[0], row):
            sentence = (
                "Exactly the same ground as another record, but date, status or depth differ; both are kept"
            )
            standing.tell(row, "SAME_GROUND", sentence, kept[0])
        kept.append(row)


def _versions_of_one(standing: Standing, left: int, right: int) -> bool:
    """Say whether two rows are versions of one record: these were judged by their dates already."""
    ids, delivered = standing.areas.table["record_id"], standing.areas.table["id_is_delivered"]
    return bool(delivered[left].as_py() and ids[left] == ids[right])


def _nearly_equal_ground(standing: Standing, member: Mask) -> None:
    """Set aside near copies by the covering rule, each measured against its survivor, never along a chain.

    A record that stands for others is not set aside itself: what it covers, its own survivor may not.
    """
    rows = np.flatnonzero(standing.alive & member)
    left, right, iou = _near_pairs(standing, rows)
    if len(left) == 0:
        return
    # Each pair both ways: (survivor, row, may the survivor replace the row, likeness).
    survivors, others = np.concatenate([left, right]), np.concatenate([right, left])
    allowed = standing.may_replace(survivors, others)
    likeness = np.concatenate([iou, iou])
    # The larger hazard and the smaller released area are tried first as the one to keep.
    area_m2 = shapely.area(standing.areas.geometry)
    preference = np.where(standing.released, area_m2, -area_m2)
    for pair in np.lexsort((others, survivors, preference[survivors])):
        survivor, row = int(survivors[pair]), int(others[pair])
        free = standing.alive[survivor] and standing.alive[row] and not standing.stands_for_others[row]
        if free and allowed[pair] and standing.raises_as_much(survivor, row):
            sentence = f"Nearly the same ground ({likeness[pair]:.1%}) as another record of the same operator"
            standing.set_aside(row, survivor, Outcome.DUPLICATE, "near_equal", sentence)
    _tell_of_near(standing, left, right)


def _tell_of_near(standing: Standing, left: Indices, right: Indices) -> None:
    """Tell once of each record that stays although another one that stays is nearly the same."""
    told: set[int] = set()
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        if standing.alive[one] and standing.alive[other] and one not in told:
            told.add(one)
            sentence = (
                "Nearly the same ground as another record of the same operator, neither may replace the other"
            )
            standing.tell(one, "NEAR_DUPLICATE", sentence, other)


def _near_pairs(standing: Standing, rows: Indices) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """Return pairs of one operator and kind, but of two records, that are alike enough, and their IoU."""
    areas, least = standing.areas, standing.policy.near_equal_iou
    geometry, area_m2 = areas.geometry[rows], shapely.area(areas.geometry[rows])
    left, right = shapely.STRtree(geometry).query(geometry)
    keep = left < right
    for name in ("operator", "kind"):
        code = _codes(areas, name)[rows]
        keep &= code[left] == code[right]
    left, right = left[keep], right[keep]
    record, delivered = _codes(areas, "record_id")[rows], areas.numpy("id_is_delivered")[rows].astype(bool)
    ground = _codes(areas, "geometry_hash")[rows]
    smaller, larger = np.minimum(area_m2[left], area_m2[right]), np.maximum(area_m2[left], area_m2[right])
    # Versions of one record, and equal ground, have been settled before.
    settled = ((record[left] == record[right]) & delivered[left]) | (ground[left] == ground[right])
    alike = (smaller >= least * larger) & ~settled
    left, right = left[alike], right[alike]
    common_m2 = shapely.area(overlaid(shapely.intersection, geometry[left], geometry[right]))
    iou = common_m2 / (area_m2[left] + area_m2[right] - common_m2)
    near = iou >= least
    return rows[left[near]], rows[right[near]], iou[near]
