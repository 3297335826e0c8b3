"""From what may be drawn: completed areas, each with the ground that is its own and nobody's before it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import fsum
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.errors import ConfigError
from geopipe.geometry import mean_width_m, overlaid, polygon_parts
from geopipe.sampling.plan import Plan
from geopipe.schema import Frame, Geometries, Indices

# Ground narrower than this is where two borders touch, as everywhere in geopipe.
_TOUCHING_M = 1e-6
_ID_COLUMNS = ("record_id", "source_id", "row_id")


@dataclass(frozen=True)
class Exclusion:
    """A completed record that cannot be drawn, and why."""

    record_id: str
    row_id: str
    operator: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class Population:
    """The areas that may be drawn, in the order of their keys.

    `areas` are rows of the layer `areas`, their geometry the ground that each has alone (working CRS, m);
    `whole` is the polygon of the record. `key` names an area whatever the order in which rows came.
    """

    areas: Frame
    whole: Geometries
    key: tuple[str, ...]
    excluded: tuple[Exclusion, ...]
    not_in_period: int
    notes: tuple[str, ...]

    @property
    def ground_m2(self) -> NDArray[np.float64]:
        """Ground (m2) of each area, counted once."""
        return np.asarray(shapely.area(self.areas.geometry))

    @property
    def total_m2(self) -> float:
        """Ground (m2) of all areas together."""
        return fsum(self.ground_m2)

    @property
    def digest(self) -> str:
        """Hash of the row ids and their ground: another population has another one."""
        lines = zip(self.areas.numpy("row_id"), self.ground_m2.tolist(), strict=True)
        return sha256("\n".join(sorted(f"{row} {m2!r}" for row, m2 in lines)).encode()).hexdigest()


def population_of(areas: Frame, overlaps: Frame, plan: Plan) -> Population:
    """Return what may be drawn of a published result.

    Ground counts for the record completed first among all records of the plan's kinds, also those of
    another period or named in `exclude`: what was completed before stays completed before.

    Parameters
    ----------
    areas, overlaps : Frame
        Layers of the result, in its working CRS (m).
    plan : Plan

    Raises
    ------
    ConfigError
        When no area is left.
    """
    own_kind = areas.flags("kind", [str(kind) for kind in plan.kinds])
    completed = areas.take(own_kind & ~areas.flags("role", ["reference"]))
    days = completed.table["date_completed"].to_pylist()
    is_undated = np.array([day is None for day in days], dtype=bool)
    excluded = [] if plan.undated else [
        _excluded(completed, row, "no_completion_date", "The record has no completion date.")
        for row in np.flatnonzero(is_undated).tolist()
    ]  # fmt: skip
    owners = completed if plan.undated else completed.take(~is_undated)
    owners = owners.take(_in_order(owners))
    before = _earlier(owners, overlaps)
    ground = own_ground(owners.geometry, before)
    inside = _in_period(owners, plan)
    excluded += _left_out(owners, ground, before, inside, plan)
    out = {item.row_id for item in excluded}
    rows = np.array(
        [r for r, name in enumerate(owners.numpy("row_id")) if inside[r] and name not in out], dtype=np.intp
    )
    if not len(rows):
        raise _nothing(len(completed), int((~inside).sum()), excluded)
    kept = owners.take(rows)
    return Population(
        areas=kept.with_geometry(ground[rows]),
        whole=kept.geometry,
        key=_keys(kept),
        excluded=tuple(sorted(excluded, key=lambda item: (item.reason, item.record_id, item.row_id))),
        not_in_period=int((~inside).sum()),
        notes=tuple(
            f"--exclude: no completed area has the id {name!r}." for name in _unknown(owners, plan.exclude)
        ),
    )


def _left_out(
    owners: Frame,
    ground: Geometries,
    before: dict[int, list[int]],
    inside: NDArray[np.bool_],
    plan: Plan,
) -> list[Exclusion]:
    """Return the records of the period that have no ground of their own, are named, or have too little."""
    empty, named = shapely.is_empty(ground), _named(owners, plan.exclude)
    ground_m2 = shapely.area(ground)
    found = []
    for row in np.flatnonzero(inside & (empty | named | (ground_m2 < plan.least_m2))).tolist():
        if empty[row]:
            found.append(_covered(owners, row, before[row]))
        elif named[row]:
            found.append(_excluded(owners, row, "named", "Named to be left out of this draw."))
        else:
            sentence = f"Its own ground is {ground_m2[row]:,.2f} m2, below {plan.least_m2:,.10g} m2."
            found.append(_excluded(owners, row, "too_small", sentence))
    return found


def _nothing(completed: int, not_in_period: int, excluded: list[Exclusion]) -> ConfigError:
    reasons = ", ".join(sorted({item.reason for item in excluded}))
    return ConfigError(
        f"there is nothing to draw from: {completed:,} areas of these kinds, {not_in_period:,} outside the "
        f"period, {len(excluded):,} excluded{f' ({reasons})' if reasons else ''}",
        remedy="See --kind, --completed-from and --undated.",
    )


def own_ground(polygons: Geometries, before: dict[int, list[int]]) -> Geometries:
    """Return of each polygon the ground that none of those before it has; empty where nothing is left.

    Parameters
    ----------
    polygons : array of Polygon or MultiPolygon, valid, in m
    before : dict
        Row -> rows that come before it and share ground with it.
    """
    ground = np.array(polygons, dtype=object)
    for row, earlier in before.items():
        taken = overlaid(shapely.union_all, polygons[earlier])
        ground[row] = without_touches(overlaid(shapely.difference, polygons[row], taken))
    return ground


def without_touches(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return only the polygons of a geometry that are wider than a touching border."""
    parts = shapely.get_parts(polygon_parts(np.array([geometry], dtype=object))[0])
    wide = mean_width_m(shapely.area(parts), shapely.length(parts)) >= _TOUCHING_M
    kept: list[Any] = parts[wide].tolist()
    return kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)


def _in_order(areas: Frame) -> Indices:
    """Return rows in the order in which they were completed; those without a date last."""
    days = [day or dt.date.max for day in areas.table["date_completed"].to_pylist()]
    keys = zip(days, *(areas.numpy(name) for name in ("record_id", "version_id", "row_id")), strict=True)
    return np.array([row for _, row in sorted((key, row) for row, key in enumerate(keys))], dtype=np.intp)


def _earlier(owners: Frame, overlaps: Frame) -> dict[int, list[int]]:
    """Return for each row the rows before it with which it shares ground."""
    row_of = {name: row for row, name in enumerate(owners.numpy("row_id"))}
    before: dict[int, set[int]] = {}
    pairs = zip(overlaps.numpy("left_row_id"), overlaps.numpy("right_row_id"), strict=True)
    for left, right in pairs:
        if left in row_of and right in row_of:
            first, second = sorted((row_of[left], row_of[right]))
            before.setdefault(second, set()).add(first)
    return {row: sorted(before[row]) for row in sorted(before)}


def _in_period(owners: Frame, plan: Plan) -> NDArray[np.bool_]:
    """Return which records were completed in the plan's period; one without a date is in no period."""
    first, last = plan.completed_from, plan.completed_to
    if first is None and last is None:
        return np.ones(len(owners), dtype=bool)
    days = owners.table["date_completed"].to_pylist()
    low, high = first or dt.date.min, last or dt.date.max
    return np.array([day is not None and low <= day <= high for day in days], dtype=bool)


def _covered(owners: Frame, row: int, earlier: list[int]) -> Exclusion:
    names = owners.numpy("record_id")
    shown = ", ".join(names[other] for other in earlier[:5])
    more = f" and {len(earlier) - 5} more" if len(earlier) > 5 else ""
    return _excluded(owners, row, "wholly_covered", f"All its ground was completed before by {shown}{more}.")


def _excluded(areas: Frame, row: int, reason: str, sentence: str) -> Exclusion:
    own = areas.table.slice(row, 1).to_pylist()[0]
    return Exclusion(own["record_id"], own["row_id"], own["operator"] or "", reason, sentence)


def _named(owners: Frame, ids: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which records are named by one of these ids."""
    found = np.zeros(len(owners), dtype=bool)
    for column in _ID_COLUMNS:
        found |= owners.flags(column, ids)
    return found


def _unknown(owners: Frame, ids: tuple[str, ...]) -> list[str]:
    """Return the ids that name no record."""
    known = {name for column in _ID_COLUMNS for name in owners.numpy(column)}
    return sorted(set(ids) - known)


def _keys(areas: Frame) -> tuple[str, ...]:
    """Return a name for each area that does not depend on its row; equal ones are numbered."""
    seen: dict[str, int] = {}
    keys = []
    for record, version in zip(areas.numpy("record_id"), areas.numpy("version_id"), strict=True):
        name = f"{record}|{version}"
        seen[name] = seen.get(name, 0) + 1
        keys.append(f"{name}|{seen[name]}")
    return tuple(keys)


def as_plain(excluded: tuple[Exclusion, ...]) -> list[dict[str, str]]:
    """Return exclusions as plain values."""
    return [asdict(item) for item in excluded]
