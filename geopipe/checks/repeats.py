"""Repeats: ids, points and devices that were delivered more than once.

Areas that repeat are set aside or told by `deduplicate`; here stands what it does not look at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.checks.telling import named, own_ids, sentences, told
from geopipe.crs import to_lonlat, transform
from geopipe.policies import Policy
from geopipe.schema import FINDINGS, Frame, Geometries, Indices, Mask, boxes_of, concat, empty_frame

# geocheck for IMSMA NG compares coordinates rounded to this many decimals of a degree.
_DECIMALS = 6
# A little less than 0.000001 degrees on the ground: boxes that differ by more cannot round alike.
_CELL_M = 0.1
# Points that round alike are no farther apart on the ground: 0.000001 degrees, both ways.
_ROUNDED_M = 0.16


def spelled_differently(records: Frame) -> Frame:
    """Tell of ids of one register that differ only in spaces or capitals (ID_SPELLED_DIFFERENTLY).

    Parameters
    ----------
    records : Frame
        Areas, and points and lines.
    """
    given = named(records, "register").take(records.numpy("id_is_delivered").astype(bool))
    ids = given.table["source_id"].combine_chunks()
    if _as_many_spellings_as_ids(ids):
        return empty_frame(FINDINGS)
    folded = _folded(ids)
    owner = [given.table[name].combine_chunks().fill_null("") for name in ("operator", "register")]
    spelling = _codes(pc.binary_join_element_wise(*owner, ids, "\x1f"))
    meant = _codes(pc.binary_join_element_wise(*owner, folded, "\x1f"))
    first_of_meant = np.unique(meant, return_index=True)[1][meant]
    rows = np.flatnonzero(spelling != spelling[first_of_meant])
    others = first_of_meant[rows]
    texts = [
        f"Id {mine!r} differs from id {other!r} only in spaces or capitals"
        for mine, other in zip(own_ids(given, rows), own_ids(given, others), strict=True)
    ]
    return _with_others(given, rows, others, "ID_SPELLED_DIFFERENTLY", sentences(texts))


def _folded(ids: Any) -> Any:
    return pc.replace_substring_regex(pc.utf8_lower(ids), r"\s+", "")


def _as_many_spellings_as_ids(ids: Any) -> bool:
    spellings = pc.unique(ids)
    return len(pc.unique(_folded(spellings))) == len(spellings)


def repeated_points(records: Frame, found: Mask, working_crs: str) -> Frame:
    """Tell of points and lines that repeat an earlier one of the same operator.

    Parameters
    ----------
    records : Frame
        Points and lines in the working CRS.
    found : array of bool
        Which of them are found items.
    working_crs : str

    Returns
    -------
    Frame
        DUPLICATE_RECORD (same content), else DUPLICATE_DEVICE (same type, place and date), else
        DUPLICATE_POINT (same place); besides, DUPLICATE_ID for one id with different content.
    """
    if len(records) == 0:
        return empty_frame(FINDINGS)
    is_point = shapely.get_type_id(records.geometry) == shapely.GeometryType.POINT
    place = _places(records, is_point, working_crs)
    whose = _column(records, "operator")
    day = records.table["date_found"].combine_chunks().cast(pa.int32()).fill_null(-1).to_numpy()
    keys = {
        "DUPLICATE_RECORD": (_column(records, "version_id"), np.ones(len(records), dtype=bool)),
        "DUPLICATE_DEVICE": (_joined(whose, place, _column(records, "point_type"), day), is_point & found),
        "DUPLICATE_POINT": (_joined(whose, place), is_point),
    }
    made, told_of = [], np.zeros(len(records), dtype=bool)
    for code, (key, asked) in keys.items():
        rows, first = _repeats(key, asked & ~told_of)
        told_of[rows] = True
        made.append(_repeat(records, rows, first, code))
        if code == "DUPLICATE_RECORD":
            given = records.numpy("id_is_delivered").astype(bool) & ~told_of
            made.append(_repeat(records, *_repeats(_column(records, "record_id"), given), "DUPLICATE_ID"))
    return concat(made)


_WHAT = {
    "DUPLICATE_RECORD": "The same content was delivered before",
    "DUPLICATE_DEVICE": "An item of the same type, place and date was delivered before",
    "DUPLICATE_POINT": "A point with the same coordinates was delivered before",
    "DUPLICATE_ID": "The same id, with other content, was delivered before",
}


def _repeat(records: Frame, rows: Indices, first: Indices, code: str) -> Frame:
    """Tell of each later row, with file and row of the first one."""
    files = records.table["file"].take(pa.array(first)).to_pylist()
    numbers = records.table["row"].take(pa.array(first)).to_pylist()
    texts = [
        f"{_WHAT[code]}: {own}, {file}, row {number}"
        for own, file, number in zip(own_ids(records, first), files, numbers, strict=True)
    ]
    return _with_others(records, rows, first, code, sentences(texts))


def _with_others(records: Frame, rows: Indices, others: Indices, code: str, texts: pa.Array) -> Frame:
    other = records.table["record_id"].take(pa.array(others))
    return told(records.take(rows), code, texts, other_id=other)


def _repeats(key: NDArray[np.int64], asked: Mask) -> tuple[Indices, Indices]:
    """Return the rows whose key stood before, and the row where it stood first; only rows asked for."""
    rows = np.flatnonzero(asked)
    _, first, inverse = np.unique(key[rows], return_index=True, return_inverse=True)
    earlier = first[inverse]
    later = earlier != np.arange(len(rows))
    return rows[later], rows[earlier[later]]


def _places(records: Frame, is_point: Mask, working_crs: str) -> NDArray[np.int64]:
    """Return one number per place, equal where longitude and latitude round alike."""
    key = np.zeros(len(records), dtype=np.int64)
    if is_point.any():
        points = shapely.get_coordinates(records.geometry[is_point])
        lonlat = np.column_stack(to_lonlat(working_crs).transform(*points.T))
        rounded = np.round(lonlat * 10**_DECIMALS).astype(np.int64)
        key[is_point] = rounded[:, 0] * 360_000_000 + rounded[:, 1]
    return key


def _codes(column: Any) -> NDArray[np.int64]:
    encoded = column.dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(), dtype=np.int64)


def _column(records: Frame, name: str) -> NDArray[np.int64]:
    return _codes(records.table[name].combine_chunks())


def _joined(*keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return one number per different combination of keys."""
    joined = np.unique(np.column_stack(keys), axis=0, return_inverse=True)[1]
    return np.asarray(joined, dtype=np.int64).ravel()


def repeated_polygons(areas: Frame, working_crs: str, policy: Policy) -> Frame:
    """Tell of polygons of one operator and kind that are equal at 0.000001 degrees (DUPLICATE_POLYGON).

    Those with so much common ground that `deduplicate` sets them aside, or asks about them, are left
    to it: what remains is so small that rounding makes up much of it.
    """
    whose = _column(areas, "operator") * 64 + _column(areas, "kind")
    cells = np.round(boxes_of(areas) / _CELL_M).astype(np.int64)
    key = ((cells[:, 0] * 1_000_003 + cells[:, 1]) * 7_919 + cells[:, 2] + 31 * cells[:, 3]) * 64 + whose
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(count[inverse] > 1)
    small = rows[_rounding_matters(areas.take(rows).geometry, policy)]
    rows = rows[np.isin(inverse[rows], inverse[small])]
    if len(rows) == 0:
        return empty_frame(FINDINGS)
    lonlat = transform(areas.take(rows).geometry, to_lonlat(working_crs))
    rounded = shapely.transform(lonlat, lambda points: np.round(points, _DECIMALS))
    form = _codes(pa.array(shapely.to_wkb(shapely.normalize(rounded)), pa.binary()))
    later, first = _repeats(_joined(whose[rows], form), np.ones(len(rows), dtype=bool))
    later, first = rows[later], rows[first]
    record = _column(areas, "record_id")
    one, other = areas.take(later).geometry, areas.take(first).geometry
    common_m2 = shapely.area(shapely.intersection(one, other))
    union_m2 = shapely.area(one) + shapely.area(other) - common_m2
    open_ = (common_m2 < policy.near_equal_iou * union_m2) & (record[later] != record[first])
    later, first = later[open_], first[open_]
    texts = [f"The same polygon as record {own}, to 0.000001 degrees" for own in own_ids(areas, first)]
    return _with_others(areas, later, first, "DUPLICATE_POLYGON", sentences(texts))


def _rounding_matters(geometry: Geometries, policy: Policy) -> Mask:
    """Say which polygons may be unequal enough for `deduplicate`, and yet round alike.

    Each of their points moves by no more than `_ROUNDED_M`, so their common ground lacks no more than
    a strip of that width along the border, which may be longer by twice that for each point.
    """
    border_m = shapely.length(geometry) + 2 * _ROUNDED_M * shapely.get_num_coordinates(geometry)
    return np.asarray((1 - policy.near_equal_iou) * shapely.area(geometry) <= _ROUNDED_M * border_m)
