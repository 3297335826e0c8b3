"""Build the shapes of an IMSMA NG export: each from its own points, in the order of their numbers."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.io.delivery import Problem
from geopipe.io.imsmatables import COLUMNS, ENUM, MAIN, NgTable, fold, guids
from geopipe.io.job import Job

# Kinds of points that are no corner of a polygon even where they stand among its points (*unverified*).
SINGLE_POINTS = (
    "referencepoint",
    "reference",
    "landmark",
    "benchmark",
    "datum",
    "datumpoint",
    "evidencepoint",
    "evidence",
)
WHOLE_NUMBER = r"^\s*\d{1,15}(\.0+)?\s*$"
DECIMAL = r"^\s*-?\d+(\.\d+)?\s*$"


@dataclass
class Shapes:
    """The shapes of an export, by the position of their GUID in `known`.

    `kind` is polygon, line, point or '' where it is not known; `wkb` the shape as delivered; `trouble` why
    it cannot be used. `single` holds the rows of geopoint that are places of their own.
    """

    known: pa.Array
    kind: list[str]
    wkb: list[bytes | None]
    trouble: list[str | None]
    single: NDArray[np.int64]
    owner: NDArray[np.int64]
    notes: list[Problem] = field(default_factory=list)


def shapes_of(job: Job, tables: dict[str, NgTable]) -> Shapes:
    """Put the points of each shape in the order of their numbers and write its WKB."""
    info, points = tables[MAIN], tables["geopoint"]
    known = pc.unique(guids(info.column("guid")).drop_null())
    kind = _kinds(info, known, tables)
    parent = pc.fill_null(pc.index_in(guids(points.column("info")), known), -1).to_numpy().astype(np.int64)
    lonlat = np.column_stack([decimals(points.column(name)) for name in ("longitude", "latitude")])
    number = decimals(points.column("number"), WHOLE_NUMBER)
    is_own = np.isin(parent, [at for at, word in enumerate(kind) if word == "point"]) | (parent < 0)
    apart, notes = _apart(job, points, tables)
    single = np.flatnonzero(is_own | apart)
    order = np.lexsort((number, parent))
    order = order[~(is_own | apart)[order]]
    made = Shapes(known, kind, [None] * len(known), [None] * len(known), single, parent, notes)
    starts = np.searchsorted(parent[order], np.arange(len(known) + 1))
    lonlat, number = lonlat[order], number[order]
    clean = _clean(parent[order], lonlat, number, starts) & (np.array(kind, dtype=object) == "polygon")
    _write_rings(np.flatnonzero(clean), lonlat, starts, made)
    for at in np.flatnonzero(~clean):
        own = slice(starts[at], starts[at + 1])  # empty for a point: its places are records themselves
        made.wkb[at], made.trouble[at] = _shape(kind[at], lonlat[own], number[own])
    lost = int((parent < 0).sum())
    if lost:
        sentence = (
            f"{job.label}: {lost:,} points belong to no shape of the table {MAIN}; they are read as points."
        )
        made.notes.append(Problem("POINTS_WITHOUT_SHAPE", f"{sentence} Ask for a complete export."))
    return made


def decimals(column: pa.Array, pattern: str = DECIMAL) -> NDArray[np.float64]:
    """Return plain numbers; NaN for every other text."""
    plain = pc.if_else(pc.match_substring_regex(column, pattern), pc.utf8_trim_whitespace(column), None)
    return np.asarray(pc.fill_null(plain.cast(pa.float64()), float("nan")).to_numpy(zero_copy_only=False))


def _resolved(column: pa.Array, tables: dict[str, NgTable]) -> list[str]:
    """Return the values of a column as folded words; codes by the table of enumerations if it is there."""
    words: dict[str, str] = {}
    if ENUM in tables:
        keys, values = (
            guids(tables[ENUM].column("guid")).to_pylist(),
            tables[ENUM].column("value").to_pylist(),
        )
        words = {key: value for key, value in zip(keys, values, strict=True) if key}
    unique = {
        text: fold(words.get(text, text) or "") for text in pc.unique(guids(column)).to_pylist() if text
    }
    return [unique.get(text, "") for text in guids(column).to_pylist()]


def _kinds(info: NgTable, known: pa.Array, tables: dict[str, NgTable]) -> list[str]:
    """Return polygon, line, point or '' for each shape; refuse an export whose shapes are all unknown."""
    column = info.column("shape")
    found: dict[str, str] = {}
    for guid, word in zip(guids(info.column("guid")).to_pylist(), _resolved(column, tables), strict=True):
        kind = next((kind for kind in ("polygon", "line", "point") if kind in word), "")
        if guid and found.setdefault(guid, kind) != kind:
            found[guid] = ""
    if found and not any(found.values()):
        info.refuse(f"does not say which shapes are polygons (its shapes are codes; add the table {ENUM})")
    return [found[guid] for guid in known.to_pylist()]


def _apart(job: Job, points: NgTable, tables: dict[str, NgTable]) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Return which points are single ones by their type, and what was taken for granted."""
    apart = np.zeros(points.table.num_rows, dtype=bool)
    column = points.find(COLUMNS["geopoint"]["type"])
    if column is None:
        return apart, []
    apart = np.isin(np.array(_resolved(column, tables), dtype=object), SINGLE_POINTS)
    if not apart.any():
        return apart, []
    sentence = (
        f"{job.label}: {int(apart.sum()):,} points are landmarks, reference or datum points by their type."
    )
    return apart, [
        Problem("POINTS_APART", f"{sentence} They are read as points, not as corners of polygons.")
    ]


def _clean(
    owner: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    number: NDArray[np.float64],
    starts: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return which shapes have three points or more, each with a place and a number of its own."""
    clean: NDArray[np.bool_] = np.diff(starts) >= 3
    clean[owner[np.isnan(lonlat).any(axis=1) | np.isnan(number)]] = False
    clean[owner[1:][(owner[1:] == owner[:-1]) & (number[1:] == number[:-1])]] = False
    return clean


def _write_rings(
    which: NDArray[np.intp], lonlat: NDArray[np.float64], starts: NDArray[np.int64], made: Shapes
) -> None:
    """Write clean polygons. Rings of IMSMA are unclosed by nature: they are closed here."""
    first, behind = starts[:-1][which], starts[1:][which]
    is_open = (lonlat[first] != lonlat[behind - 1]).any(axis=1)
    data = np.insert(lonlat, behind[is_open], lonlat[first[is_open]], axis=0).astype("<f8").tobytes()
    shift = np.cumsum(is_open) - is_open
    for at, begin, count in zip(which, first + shift, behind - first + is_open, strict=True):
        body = data[int(begin) * 16 : int(begin + count) * 16]
        made.wkb[at] = struct.pack("<BIII", 1, 3, 1, int(count)) + body


def _shape(
    kind: str, lonlat: NDArray[np.float64], number: NDArray[np.float64]
) -> tuple[bytes | None, str | None]:
    """Return the WKB of one shape, its points in the order of their numbers, and what is wrong with it."""
    if len(lonlat) == 0:
        return None, "the shape has no points in the table geopoint"
    if not kind:
        return None, "it is not said whether the shape is a polygon"
    if np.isnan(number).any():
        return None, "a point of the shape has no number, so their order is not known"
    repeated = number[1:][number[1:] == number[:-1]]
    if len(repeated):
        return (
            None,
            f"point number {repeated[0]:.0f} of the shape stands there twice, so their order is not known",
        )
    trouble = None
    bad = np.isnan(lonlat).any(axis=1)
    if bad.any():
        trouble = f"point number {number[bad][0]:.0f} of the shape has no readable latitude and longitude"
    if kind == "line":
        return struct.pack("<BII", 1, 2, len(lonlat)) + lonlat.astype("<f8").tobytes(), trouble
    # Rings of IMSMA are unclosed by nature; rings of one or two points stay so, to be judged later.
    if len(lonlat) >= 3 and not (lonlat[0] == lonlat[-1]).all():
        lonlat = np.vstack([lonlat, lonlat[:1]])
    return struct.pack("<BIII", 1, 3, 1, len(lonlat)) + lonlat.astype("<f8").tobytes(), trouble
