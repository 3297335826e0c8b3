"""Ground counted once: how much land is claimed by one record, by two, by three and more.

Reported hectares add up records; ground covered does not. For each group of
records that hang together the land is cut into faces along all their borders,
and every face is counted with the number of records that claim it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.engine.components import component_labels
from geopipe.engine.measure import Measured
from geopipe.geometry import GRID_M, overlaid
from geopipe.schema import COVERAGE, Frame, Geometries, Indices, Mask, make_frame, no_geometry
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind

# Ground of these classes is counted: each kind alone, hazard together, released land together.
CLASSES: dict[str, frozenset[Kind]] = {
    "CHA": frozenset({Kind.CHA}),
    "SHA": frozenset({Kind.SHA}),
    "hazard": HAZARD_KINDS,
    "CLEARED": frozenset({Kind.CLEARED}),
    "REDUCED": frozenset({Kind.REDUCED}),
    "CANCELLED": frozenset({Kind.CANCELLED}),
    "released": RELEASED_KINDS,
}
_CLOSES_SHARE = 1e-9


def coverage(areas: Frame, ground: Measured) -> Frame:
    """Return the ground of each class by the number of records that claim it.

    Parameters
    ----------
    areas : Frame
        Valid polygons in an equal-area CRS (m).
    ground : Measured
        All pairs of `areas` that share ground.

    Returns
    -------
    Frame
        COVERAGE rows: `ground_m2` claimed by exactly `claims` records. The sum of
        claims times ground is the reported area, the sum of ground is the land covered.
    """
    area_m2 = shapely.area(areas.geometry)
    by_kinds: dict[bytes, dict[int, list[float]]] = {}
    rows = []
    for name, kinds in CLASSES.items():
        member = areas.flags("kind", sorted(kinds))
        if not member.any():
            continue
        key = member.tobytes()  # one kind alone in its class: the same ground under two names
        if key not in by_kinds:
            by_kinds[key] = _claims(areas.geometry, area_m2, member, ground)
        rows += [(name, claims, parts) for claims, parts in sorted(by_kinds[key].items())]
    return _counted(rows)


def added_up(parts: Frame) -> Frame:
    """Return the ground of several parts of the records together, as if they had been counted at once.

    What rounding took is in the sums now, and `rest_m2` is zero.
    """
    found: dict[tuple[str, int], list[float]] = {}
    for row in parts.table.to_pylist():
        found.setdefault((row["ground"], row["claims"]), []).extend((row["ground_m2"], row["rest_m2"]))
    names = list(CLASSES)
    order = sorted(found, key=lambda key: (names.index(key[0]), key[1]))
    rows = [(ground, claims, found[ground, claims]) for ground, claims in order]
    whole = _counted([row for row in rows if fsum(row[2]) > 0])
    return whole.with_columns({"rest_m2": np.zeros(len(whole))})


def _counted(rows: Sequence[tuple[str, int, list[float]]]) -> Frame:
    """Return COVERAGE of ground (class, claims, areas that add up to it)."""
    totals_m2 = [fsum(parts) for _, _, parts in rows]
    columns = {
        "ground": pa.array([ground for ground, _, _ in rows], pa.string()),
        "claims": pa.array([claims for _, claims, _ in rows], pa.int64()),
        "ground_m2": np.array(totals_m2, dtype=float),
        "rest_m2": np.array(
            [fsum([*parts, -total]) for (_, _, parts), total in zip(rows, totals_m2, strict=True)],
            dtype=float,
        ),
    }
    return make_frame(COVERAGE, columns, no_geometry(len(rows)))


def _claims(
    geometry: Geometries, area_m2: NDArray[np.float64], member: Mask, ground: Measured
) -> dict[int, list[float]]:
    """Return claims -> areas (m2) that add up to the ground, for the records of one class."""
    inside = member[ground.left] & member[ground.right]
    left, right = ground.left[inside], ground.right[inside]
    shared_m2 = ground.area_m2[inside]
    partners = np.bincount(np.concatenate([left, right]), minlength=len(geometry))
    # A pair whose two records overlap nobody else needs no cutting: its shared ground is known.
    plain = (partners[left] == 1) & (partners[right] == 1)
    alone = member & (partners == 0)
    in_plain = np.concatenate([left[plain], right[plain]])
    once = [area_m2[alone], area_m2[in_plain], -2 * shared_m2[plain]]
    found: dict[int, list[float]] = {1: np.concatenate(once).tolist(), 2: shared_m2[plain].tolist()}
    for group in _groups(len(geometry), left[~plain], right[~plain]):
        for claims, m2 in _faces(geometry[group]).items():
            found.setdefault(claims, []).append(m2)
    # Equal areas leave a hair less than nothing when what they share is taken off: it belongs to the sum.
    return {claims: parts for claims, parts in found.items() if fsum(parts) != 0}


def _groups(size: int, left: Indices, right: Indices) -> list[Indices]:
    """Return the rows of each group that hangs together, groups and rows in order."""
    label = component_labels(size, left, right)
    rows = np.unique(np.concatenate([left, right]))
    order = rows[np.argsort(label[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(label[order])) + 1
    return [group for group in np.split(order, edges) if len(group)]


def _faces(polygons: Geometries) -> dict[int, float]:
    """Cut overlapping polygons into faces; return claims -> m2.

    If the faces do not add up to the polygons (borders that nearly coincide), the cut is made
    again on a grid of a micrometre; if they still do not, the ground covered is the union, claimed
    as evenly as whole numbers of records allow: what is reported and what is covered hold exactly.
    """
    reported_m2 = fsum(shapely.area(polygons))
    borders = shapely.boundary(polygons)
    for cut in (
        lambda: overlaid(shapely.union_all, borders),
        lambda: shapely.union_all(borders, grid_size=GRID_M),
    ):
        claims, face_m2 = _cut(polygons, cut())
        if abs(fsum(claims * face_m2) - reported_m2) <= _CLOSES_SHARE * reported_m2:
            return {int(k): fsum(face_m2[claims == k]) for k in np.unique(claims) if k > 0}
    covered_m2 = overlaid(shapely.union_all, polygons).area
    return _evenly(reported_m2, covered_m2)


def _evenly(reported_m2: float, covered_m2: float) -> dict[int, float]:
    """Return claims -> m2 for ground of which only the reported and the covered area are known."""
    claims = max(1, int(reported_m2 // covered_m2))
    more_m2 = max(0.0, reported_m2 - claims * covered_m2)
    return {claims: covered_m2 - more_m2, claims + 1: more_m2}


def _cut(polygons: Geometries, lines: shapely.Geometry) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each face between the lines how many polygons claim it, and its area in m2."""
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside = shapely.point_on_surface(faces)
    hit, _ = shapely.STRtree(polygons).query(inside, predicate="within")
    return np.bincount(hit, minlength=len(faces)), shapely.area(faces)
