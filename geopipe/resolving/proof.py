"""Hold the written rings against the decisions: overlaps that stay, that are new, and gaps are faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely

from geopipe.engine.measure import Measured, measure
from geopipe.register.corners import NOTHING, on_grid, polygonal
from geopipe.resolving.apply import Applied, Resolution
from geopipe.resolving.rest import REST_M, is_wide
from geopipe.schema import Frame, Geometries, Indices
from geopipe.terms import Choice

# The width of shared ground is measured where its mean width is below this; wider ground is no rest.
_NARROW_M = 1.0
_WITHDRAWN = frozenset({Choice.WITHDRAW_A, Choice.WITHDRAW_B})


@dataclass(frozen=True)
class Proof:
    """What is left when the written rings are read again. Areas in m2.

    `remaining` and `new` name pairs of records, `gaps` cases, `invalid` records; all of them are faults.
    """

    decided: int
    gone: int
    greatest_rest_m2: float
    remaining: tuple[str, ...]
    new: tuple[str, ...]
    gaps: tuple[str, ...]
    invalid: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Say whether everything is as decided."""
        return not (self.remaining or self.new or self.gaps or self.invalid)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the one line that a person reads."""
        return (
            f"{self.gone:,} decided overlaps gone; {len(self.new):,} new overlaps; {len(self.gaps):,} gaps; "
            f"greatest rest {self.greatest_rest_m2:.4f} m2"
        )


def prove(
    features: Frame, resolution: Resolution, written: Mapping[int, shapely.Geometry], names: Mapping[int, str]
) -> Proof:
    """Compare the map before with the map of the rings that were written and read again.

    Parameters
    ----------
    features : Frame
        All areas of the map, working CRS (m).
    resolution : Resolution
    written : mapping of row to polygon
        What was read again of the records that have new rings, working CRS (m).
    names : mapping of row to str
    """
    final = features.geometry.copy()
    for row, ground in resolution.after.items():
        final[row] = NOTHING if ground is None else written[row]
    invalid = [row for row in written if not shapely.is_valid(final[row])]
    for row in invalid:
        final[row] = polygonal(shapely.make_valid(final[row]))
    found = _around(final, np.array(sorted(resolution.after), dtype=np.intp))
    pairs = [(int(one), int(other)) for one, other in zip(found.left, found.right, strict=True)]
    wide = {pair for pair, is_wide in zip(pairs, ~(found.width_m <= REST_M), strict=True) if is_wide}
    decided = {(min(item.a, item.b), max(item.a, item.b)) for item in resolution.applied}
    rest_m2 = [m2 for pair, m2 in zip(pairs, found.area_m2.tolist(), strict=True) if pair in decided]
    shared = dict(zip(pairs, found.geometry, strict=True))
    new = [pair for pair in sorted(wide) if _is_new(shared[pair], pair, features, resolution)]

    def named(chosen: list[tuple[int, int]]) -> tuple[str, ...]:
        return tuple(f"{_name(features, names, one)} x {_name(features, names, two)}" for one, two in chosen)

    return Proof(
        decided=len(decided),
        gone=len(decided - wide),
        greatest_rest_m2=max(rest_m2, default=0.0),
        remaining=named(sorted(decided & wide)),
        new=named(new),
        gaps=_gaps(features, resolution, final),
        invalid=tuple(_name(features, names, row) for row in invalid),
    )


def _name(features: Frame, names: Mapping[int, str], row: int) -> str:
    return names.get(row) or str(features.table["record_id"][row].as_py())


def _around(final: Geometries, changed: Indices) -> Measured:
    """Return the shared ground of all pairs of which at least one record has changed."""
    tree = shapely.STRtree(final)
    at, other = tree.query(final[changed])
    ends = np.column_stack([changed[at], other])
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    return measure(final, ends[:, 0], ends[:, 1], _NARROW_M)


def _is_new(shared: shapely.Geometry, pair: tuple[int, int], features: Frame, resolution: Resolution) -> bool:
    """Say whether two records share ground that they, or those merged into them, did not share before."""
    one, other = (shapely.union_all(features.geometry[sorted(resolution.taken_up(row))]) for row in pair)
    return is_wide(on_grid(shapely.difference, shared, on_grid(shapely.intersection, one, other)))


def _gaps(features: Frame, resolution: Resolution, final: Geometries) -> tuple[str, ...]:
    """Return the cases whose ground belongs to nobody now, though nobody decided to withdraw it."""
    tree = shapely.STRtree(final)
    withdrawn = {
        row
        for item in resolution.applied
        if item.withdrawn is not None and item.decision.choice in _WITHDRAWN
        for row in resolution.taken_up(item.withdrawn)
    }
    found = []
    for item in resolution.applied:
        if item.decision.choice in _WITHDRAWN:
            continue
        before = shapely.union_all(features.geometry[[item.a, item.b]])
        near = final[np.sort(tree.query(before, predicate="intersects"))]
        given_up = features.geometry[sorted(withdrawn & _connected(resolution, item))]
        if is_wide(on_grid(shapely.difference, before, shapely.union_all([*near, *given_up]))):
            found.append(item.case.name)
    return tuple(found)


def _connected(resolution: Resolution, item: Applied) -> set[int]:
    """Return the rows to which the ground of a case may have gone by decisions."""
    rows, waiting = set[int](), [item.a, item.b]
    while waiting:
        row = waiting.pop()
        if row not in rows:
            rows.add(row)
            waiting += [end for other in resolution.decisions_on[row] for end in (other.a, other.b)]
    return rows
