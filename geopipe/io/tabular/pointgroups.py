"""Which rows of a list of turning points make one record.

Which points are on the ring is decided by PointType, *unverified* against a real export: start, turning,
intermediate and corner points are; reference points, benchmarks, landmarks, datum and evidence points
are not (a traverse may begin at a benchmark off the ring): each of those is a single point, and can be
the start of a distance and bearing. A type that is not known is on the ring, and is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geopipe.io.delivery import Problem
from geopipe.io.tabular.grid import Grid
from geopipe.io.tabular.headers import OWN_IDS
from geopipe.io.tabular.places import cells_of

TURNS = {"start", "turning", "intermediate", "corner", "vertex", "tp", "ip", "sp"}
ON_THE_RING = TURNS | {"boundary", "perimeter"}
PLACES_BESIDE = {"reference", "benchmark", "bm", "rp", "landmark", "lm", "datum", "control"}
FINDS_BESIDE = {"evidence", "accident", "victim", "found", "device"}
BESIDE_THE_RING = PLACES_BESIDE | FINDS_BESIDE
SINGLE = -1


@dataclass(frozen=True)
class Groups:
    """The record of each row.

    Parameters
    ----------
    of_row : int array, shape (n,)
        Number of the polygon, ``SINGLE`` for rows that are a record of their own.
    polygons, singles : int
        How many there are, counted in another way than `of_row` was made.
    notes : tuple of Problem
    """

    of_row: NDArray[np.intp]
    polygons: int
    singles: int
    notes: tuple[Problem, ...]


def groups_of(grid: Grid) -> Groups:
    """Return which rows belong together: those of one PolyID, under one own id of the operator."""
    columns = grid.header.point_columns()
    poly = cells_of(grid.columns[columns["poly_id"]])
    position = grid.header.position(OWN_IDS)
    if position == columns["poly_id"]:
        position = None
    own = None if position is None else cells_of(grid.columns[position])
    kinds = cells_of(grid.columns[columns["type"]]) if "type" in columns else None
    keys, is_double = _keys(poly, own)
    beside, notes = _beside(kinds, len(grid), grid.label)
    if is_double and position is not None:
        names = f"{grid.names[position].strip()} and {grid.names[columns['poly_id']].strip()}"
        sentence = f"{grid.label}: {names} together name a polygon: the second repeats under the first."
        notes.append(Problem("POLYGONS_NAMED_BY_TWO", sentence))
    polygons, singles = _counted_again(poly, own if is_double else None, kinds)
    return Groups(np.where(beside, SINGLE, keys), polygons, singles, tuple(notes))


def _keys(poly: pa.Array, own: pa.Array | None) -> tuple[NDArray[np.intp], bool]:
    """Return the polygon of each row as a number, and whether own id and PolyID only name it together.

    Numbering often restarts under each hazard: PolyID 1 of one hazard is not PolyID 1 of the next.
    """
    keys = _numbered(poly)
    if own is None:
        return keys, False
    owners = _filled_down(_numbered(own), keys)
    both = keys.astype(np.int64) * (owners.max(initial=0) + 2) + owners + 1
    if len(np.unique(both[keys >= 0])) == len(np.unique(keys[keys >= 0])):
        return keys, False
    together = np.unique(both, return_inverse=True)[1]
    return np.where(keys >= 0, together, SINGLE), True


def _numbered(cells: pa.Array) -> NDArray[np.intp]:
    """Return equal texts as equal numbers, -1 for empty ones."""
    indices = cells.dictionary_encode().indices.fill_null(SINGLE)
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.intp)


def _filled_down(own: NDArray[np.intp], poly: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return own ids where an empty cell takes the one above, as long as PolyID stays the same."""
    if not len(own):
        return own
    starts = np.r_[True, poly[1:] != poly[:-1]]
    known = np.where((own >= 0) | starts, np.arange(len(own)), 0)
    return own[np.maximum.accumulate(known)]


def _words(kind: str) -> set[str]:
    return set(re.split(r"[\W_\d]+", kind.casefold()))


def _is_single(kind: str) -> bool:
    """Tell whether a type means a point off the ring."""
    return not _words(kind) & ON_THE_RING and bool(_words(kind) & BESIDE_THE_RING)


def _beside(kinds: pa.Array | None, count: int, label: str) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Return the rows whose type says that they are not on the ring."""
    if kinds is None:
        return np.zeros(count, dtype=bool), []
    encoded = kinds.dictionary_encode()
    types = encoded.dictionary.to_pylist()
    beside = [_is_single(kind) for kind in types]
    unknown = [kind for kind in types if not _words(kind) & (ON_THE_RING | BESIDE_THE_RING)]
    notes = []
    if unknown:
        shown = ", ".join(f'"{kind[:40]}"' for kind in unknown[:5])
        sentence = f"{label}: points of type {shown} are taken as points of the ring. Please confirm."
        notes.append(Problem("POINT_TYPE_UNKNOWN", sentence))
    indices = encoded.indices.fill_null(len(types)).to_numpy(zero_copy_only=False)
    return np.array([*beside, False])[indices], notes


def _counted_again(poly: pa.Array, own: pa.Array | None, kinds: pa.Array | None) -> tuple[int, int]:
    """Count polygons and single points row by row, sharing nothing with the reading above."""
    seen: set[tuple[str, str | None]] = set()
    singles, above, owner = 0, None, None
    owners = own.to_pylist() if own is not None else [None] * len(poly)
    types = kinds.to_pylist() if kinds is not None else [None] * len(poly)
    is_single = {kind: bool(kind) and _is_single(kind) for kind in set(types)}
    for polygon, given, kind in zip(poly.to_pylist(), owners, types, strict=True):
        owner = given if given is not None or polygon != above else owner
        above = polygon
        if polygon is None or is_single[kind]:
            singles += 1
        else:
            seen.add((polygon, owner))
    return len(seen), singles
