"""Ground counted once: how much land is claimed by one record, by two, by three and more.

Reported hectares add up records; ground covered does not. For each group of
records that hang together the land is cut into faces along all their borders,
and every face is counted with the number of records that claim it. Who they are
is known as well: statistics give each face to one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Faces:
    """Ground cut along the borders of the records that claim it, in an equal-area CRS.

    `m2` has one area per face. `face` and `row` have one entry per claim: this record claims this face.
    """

    m2: NDArray[np.float64]
    face: Indices
    row: Indices

    @property
    def claims(self) -> Indices:
        """How many records claim each face; at least one."""
        return np.bincount(self.face, minlength=len(self.m2))


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
    faces = faces_of(geometry, area_m2, member, ground.left, ground.right, ground.area_m2)
    found = {int(claims): faces.m2[faces.claims == claims].tolist() for claims in np.unique(faces.claims)}
    # Equal areas leave a hair less than nothing when what they share is taken off: it belongs to the sum.
    return {claims: parts for claims, parts in found.items() if fsum(parts) != 0}


def faces_of(
    geometry: Geometries,
    area_m2: NDArray[np.float64],
    member: Mask,
    left: Indices,
    right: Indices,
    shared_m2: NDArray[np.float64],
) -> Faces:
    """Cut the ground of some records into faces along all their borders.

    Parameters
    ----------
    geometry : array of valid polygons
        In an equal-area CRS (m), one per record.
    area_m2 : array of float
        Area of each polygon.
    member : mask
        The records that are meant.
    left, right, shared_m2 : arrays
        All pairs of records that share ground, and how much.
    """
    inside = member[left] & member[right]
    left, right, shared_m2 = left[inside], right[inside], shared_m2[inside]
    partners = np.bincount(np.concatenate([left, right]), minlength=len(geometry))
    # A pair whose two records overlap nobody else needs no cutting: its shared ground is known.
    plain = (partners[left] == 1) & (partners[right] == 1)
    a, b, both_m2 = left[plain], right[plain], shared_m2[plain]
    pairs = np.arange(len(a))
    parts = [
        _each_alone(np.flatnonzero(member & (partners == 0)), area_m2),
        Faces(area_m2[a] - both_m2, pairs, a),
        Faces(area_m2[b] - both_m2, pairs, b),
        Faces(both_m2, np.concatenate([pairs, pairs]), np.concatenate([a, b])),
    ]
    for group in _groups(len(geometry), left[~plain], right[~plain]):
        cut = _faces(geometry[group])
        parts.append(Faces(cut.m2, cut.face, group[cut.row]))
    before = np.cumsum([0, *(len(part.m2) for part in parts[:-1])])
    return Faces(
        np.concatenate([part.m2 for part in parts]),
        np.concatenate([part.face + start for part, start in zip(parts, before, strict=True)]),
        np.concatenate([part.row for part in parts]),
    )


def _each_alone(rows: Indices, area_m2: NDArray[np.float64]) -> Faces:
    """Return one face for each record that shares no ground."""
    return Faces(area_m2[rows], np.arange(len(rows)), rows)


def _groups(size: int, left: Indices, right: Indices) -> list[Indices]:
    """Return the rows of each group that hangs together, groups and rows in order."""
    label = component_labels(size, left, right)
    rows = np.unique(np.concatenate([left, right]))
    order = rows[np.argsort(label[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(label[order])) + 1
    return [group for group in np.split(order, edges) if len(group)]


def _faces(polygons: Geometries) -> Faces:
    """Cut overlapping polygons into faces; rows are those of `polygons`.

    If the faces do not add up to the polygons (borders that nearly coincide), the cut is made
    again on a grid of a micrometre; if they still do not, the ground covered is the union, claimed
    as evenly as whole numbers of records allow, by the largest: what is reported and what is covered
    hold exactly.
    """
    polygon_m2 = shapely.area(polygons)
    reported_m2 = fsum(polygon_m2)
    borders = shapely.boundary(polygons)
    for cut in (
        lambda: overlaid(shapely.union_all, borders),
        lambda: shapely.union_all(borders, grid_size=GRID_M),
    ):
        faces = _cut(polygons, cut())
        if abs(fsum(faces.claims * faces.m2) - reported_m2) <= _CLOSES_SHARE * reported_m2:
            return faces
    covered_m2 = overlaid(shapely.union_all, polygons).area
    evenly = _evenly(reported_m2, covered_m2)
    largest_first = np.argsort(-polygon_m2, kind="stable")
    claimed_by = [largest_first[:claims] for claims in evenly]
    return Faces(
        np.array(list(evenly.values())),
        np.repeat(np.arange(len(evenly)), [len(rows) for rows in claimed_by]),
        np.concatenate(claimed_by),
    )


def _evenly(reported_m2: float, covered_m2: float) -> dict[int, float]:
    """Return claims -> m2 for ground of which only the reported and the covered area are known."""
    claims = max(1, int(reported_m2 // covered_m2))
    more_m2 = max(0.0, reported_m2 - claims * covered_m2)
    return {claims: covered_m2 - more_m2, claims + 1: more_m2}


def _cut(polygons: Geometries, lines: shapely.Geometry) -> Faces:
    """Return the faces between the lines that polygons claim; holes between them are no ground of theirs."""
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside = shapely.point_on_surface(faces)
    face, row = shapely.STRtree(polygons).query(inside, predicate="within")
    order = np.lexsort((row, face))
    claimed, face = np.unique(face[order], return_inverse=True)
    return Faces(shapely.area(faces)[claimed], face, row[order])
