"""Ground of one class, cut into faces: whose each face is, and whether its overlap is decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, groupby
from math import fsum
from operator import itemgetter

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.coverage import CLASSES, Faces, faces_of
from geopipe.schema import Frame, Indices, Mask
from geopipe.statistics.labels import days_of
from geopipe.statistics.treatments import COUNTED_ONCE, UNDECIDED, Treatment, Treatments


@dataclass(frozen=True)
class Ground:
    """The land of one class (a kind, all hazard or all released land), counted once.

    `records` are rows of the areas. Each face of `faces` is credited to the record `owner`; all other claims
    to it are double-counted, and an agreed deduction where `decided`. `many_operators` marks faces that
    records of more than one operator claim. `area_m2` is the area of every row, in or out of the class.
    """

    name: str
    records: Indices
    area_m2: NDArray[np.float64]
    faces: Faces
    owner: Indices
    decided: Mask
    many_operators: Mask

    @property
    def is_one_kind(self) -> bool:
        """Whether this is one kind of land and not several together."""
        return len(CLASSES[self.name]) == 1

    @property
    def double_counted_m2(self) -> float:
        """Sum of (k - 1) times the ground that k records claim."""
        return fsum((self.faces.claims - 1) * self.faces.m2)

    @property
    def covered_m2(self) -> float:
        """The land itself, each square metre once."""
        return fsum(self.faces.m2)


def ground_of_classes(areas: Frame, overlaps: Frame, treatments: Treatments) -> Iterator[Ground]:
    """Cut the ground of each class that has records: kinds alone, hazard together, released land together.

    A face belongs to the record with the earliest date (completion of released land, survey of hazard) among
    those that claim it; a record from which a decision deducts it comes last. A record without a date comes
    after all that have one, because nothing shows that it was earlier; where no record has a date, the face
    belongs to the first by `row_id`, in the period "unknown".

    Overlaps that the policy does not count (two copies of one record, a suspected area that was confirmed)
    need no decision. All others are undecided until `treatments` says otherwise; a face that several pairs
    share is decided only if all of them are.

    Parameters
    ----------
    areas : Frame
        Valid polygons in an equal-area CRS (m).
    overlaps : Frame
        All pairs of `areas` of one class that share ground.
    treatments : mapping
        Treatment of decided pairs.
    """
    pairs = _Pairs.of(areas, overlaps, treatments)
    area_m2 = shapely.area(areas.geometry)
    rank = _rank(areas)
    operator = np.unique(areas.numpy("operator").astype(str), return_inverse=True)[1]
    known: dict[bytes, Ground] = {}
    for name, kinds in CLASSES.items():
        member = areas.flags("kind", sorted(kinds))
        if not member.any():
            continue
        same = known.get(member.tobytes())  # the only kind of its class: no second line for it
        if same is not None:
            continue
        faces = faces_of(areas.geometry, area_m2, member, pairs.left, pairs.right, pairs.shared_m2)
        owner, decided = _owners(faces, rank, pairs.treated)
        ground = Ground(
            name, np.flatnonzero(member), area_m2, faces, owner, decided, _differ(faces, operator[faces.row])
        )
        known[member.tobytes()] = ground
        yield ground


@dataclass(frozen=True)
class _Pairs:
    """Pairs of rows that share ground, and how each is treated, by (lower row, higher row)."""

    left: Indices
    right: Indices
    shared_m2: NDArray[np.float64]
    treated: Mapping[tuple[int, int], tuple[bool, int | None]]

    @classmethod
    def of(cls, areas: Frame, overlaps: Frame, treatments: Treatments) -> _Pairs:
        row = {row_id: number for number, row_id in enumerate(areas.numpy("row_id").tolist())}
        names = [overlaps.numpy(f"{side}_row_id").tolist() for side in ("left", "right")]
        left, right = (np.array([row[name] for name in side], dtype=np.intp) for side in names)
        treated: dict[tuple[int, int], tuple[bool, int | None]] = {}
        for one, other, counted in zip(*names, overlaps.numpy("counted").tolist(), strict=True):
            treatment = treatments.get(frozenset((one, other)), UNDECIDED if counted else COUNTED_ONCE)
            pair = sorted((row[one], row[other]))
            treated[pair[0], pair[1]] = treatment.is_decided, _deducted_row(treatment, row)
        return cls(left, right, overlaps.numpy("area_m2").astype(float), treated)


def _deducted_row(treatment: Treatment, row: Mapping[str, int]) -> int | None:
    return row.get(treatment.deduct_from) if treatment.deduct_from is not None else None


def _rank(areas: Frame) -> Indices:
    """Return the place of each record by its date, the unknown last, then by `row_id`."""
    days = days_of(areas)
    order = np.lexsort((areas.numpy("row_id").astype(str), days, np.isnat(days)))
    rank = np.empty(len(areas), dtype=np.intp)
    rank[order] = np.arange(len(areas))
    return rank


def _owners(
    faces: Faces, rank: Indices, treated: Mapping[tuple[int, int], tuple[bool, int | None]]
) -> tuple[Indices, Mask]:
    """Return for each face the record to which it is credited, and whether all its pairs are decided."""
    owner = np.empty(len(faces.m2), dtype=np.intp)
    owner[faces.face] = faces.row
    decided = np.ones(len(faces.m2), dtype=bool)
    # A pair that was not measured only touches: there is nothing to decide.
    nothing_to_decide = (True, None)
    for face, rows in _shared_faces(faces):
        pairs = [treated.get(pair, nothing_to_decide) for pair in combinations(rows, 2)]
        decided[face] = all(is_decided for is_decided, _ in pairs)
        deducted = {row for _, row in pairs if row is not None}
        credited = [row for row in rows if row not in deducted] or rows
        owner[face] = min(credited, key=rank.__getitem__)
    return owner, decided


def _shared_faces(faces: Faces) -> Iterator[tuple[int, list[int]]]:
    """Give each face that several records claim, with these records in ascending order."""
    shared = faces.claims[faces.face] > 1
    face, row = faces.face[shared], faces.row[shared]
    order = np.lexsort((row, face))
    claims = zip(face[order].tolist(), row[order].tolist(), strict=True)
    for one, of_face in groupby(claims, key=itemgetter(0)):
        yield one, [claiming for _, claiming in of_face]


def _differ(faces: Faces, value: Indices) -> Mask:
    """Say on which faces the claims differ in a value."""
    highest = np.full(len(faces.m2), -1)
    lowest = np.full(len(faces.m2), np.iinfo(np.int64).max)
    np.maximum.at(highest, faces.face, value)
    np.minimum.at(lowest, faces.face, value)
    return np.asarray(highest != lowest)
