"""What one operator may see: the one allow-list from which every file for an operator is built.

An operator sees its own records. Of the other record of an overlap it sees `OF_PARTNER`, and its outline
near the overlap. What is not named here is in no file for an operator: files are written anew from what is
allowed, nothing is ever copied and then removed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from geopipe.catalogue import Catalogue
from geopipe.geometry import overlaid

# Whose the other record of an overlap is, and what orders it: nothing more.
OF_PARTNER = ("operator", "record_id", "kind", "status", "date")
# How far around an overlap an operator sees the outline of the other's record.
NEAR_M = 100.0
_LINES = (1, 5)
_FOLDERS = re.compile(r"^.*[\\/](?=[^\\/])")


@dataclass(frozen=True)
class Own:
    """A layer of which an operator sees its own rows: the columns that it sees of them."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """A layer of two records each: an operator sees the rows about one of its own.

    `sides` are what the columns of either record begin with; `of_side` are shown of both, `only_own` of its
    own record only; `together` say nothing of the other record alone.
    """

    sides: tuple[str, str]
    of_side: tuple[str, ...]
    together: tuple[str, ...]
    only_own: Mapping[str, tuple[str, ...]]


_ORIGIN = ("file", "layer", "row")
_PLACES = (
    "province_stated", "district_stated", "village_stated", "province_code", "province_located",
    "district_located",
)  # fmt: skip
_POINTS = (
    "record_id", "source_id", "operator", "kind", "point_type", "date_found", "status", *_PLACES,
    "found_depth_cm", *_ORIGIN, "source_crs",
)  # fmt: skip
# Layers that are not named, and columns that are not named, are not for operators. Own sentences of findings
# may name folders and records of others: what the code means stands in their place.
LAYERS: Mapping[str, Own | Pairs] = {
    "areas": Own((
        "record_id", "source_id", "operator", "register", "kind", "status", "date_surveyed", "date_completed",
        "date_of_information", "land_use", "clearance_depth_cm", *_PLACES, "area_stated_m2", "area_m2",
        "edge_uncertainty_m2", "correction", *_ORIGIN, "source_crs",
    )),
    "overlaps": Pairs(
        ("left", "right"), ("id", "operator", "kind", "date"),
        ("same_operator", "finding", "severity", "counted", "time_order", "area_m2", "width_m",
         "mean_width_m", "parts", "confidence"),
        {"left": ("left_share",), "right": ("right_share",)},
    ),
    "cases": Pairs(
        ("a", "b"), ("id", "operator", "kind", "status", "date"),
        ("case_id", "number", "status", "present", "first_seen", "last_seen", "finding", "severity",
         "counted", "time_order", "area_m2", "width_m", "mean_width_m", "parts", "confidence", "decision",
         "decision_confirmed", "reference", "due"),
        {"a": ("a_share",), "b": ("b_share",)},
    ),
    "handover": Pairs(
        ("hazard", "release"), ("id", "operator", "kind", "date"), ("finding", "shared_m2", "hazard_status"),
        {"hazard": ("hazard_released_share", "released_share_together", "hazard_remaining_m2"),
         "release": ()},
    ),
    "gaps": Own((
        "hazard_id", "operator", "kind", "status", "province", "width_m", "mean_width_m", "length_m",
        "area_m2", "neighbours", "neighbour_count", "time_order",
    )),
    "remaining": Own((
        "hazard_id", "operator", "kind", "status", "date_surveyed", "province", "area_m2", "released_m2",
        "released_share", "remaining_m2", "parts", "confidence",
    )),
    "duplicates": Own((
        *_ORIGIN, "operator", "kind", "source_id", "outcome", "record_id", "of_record_id", "how", "iou",
        "uncovered_m2",
    )),
    "findings": Own((
        "code", "severity", *_ORIGIN, "operator", "kind", "source_id", "record_id", "other_id", "sentence",
        "measure", "unit",
    )),
    "rejected": Own((*_ORIGIN, "operator", "kind", "source_id", "reason", "sentence")),
    "hazard_unresolved": Own((
        *_ORIGIN, "operator", "kind", "source_id", "record_id", "reason", "sentence", "position", "vanished",
    )),
    "points": Own(_POINTS),
    "lines": Own(_POINTS),
    "changes": Own((
        "change", "operator", "register", "kind", "previous_id", "current_id", "attributes_changed",
        "lost_m2", "gained_m2",
    )),
    "copies": Own((
        "outcome", "matched_by", "set_aside", "operator", "register", "kind", "operator_id", "national_id",
        "difference_m2",
    )),
}  # fmt: skip


def is_told(code: str, catalogue: Catalogue) -> bool:
    """Say whether operators are told what a code says; the rest is for the authority only."""
    return catalogue.audience(code) != "authority"


def file_name(file: str | None) -> str:
    """Return the name of a file without the folders of whoever runs geopipe."""
    return _FOLDERS.sub("", file or "")


def outline_near(record: shapely.Geometry, overlap: shapely.Geometry) -> shapely.Geometry:
    """Return the outline of a record within 100 m of an overlap (both in an equal-area CRS, metres).

    It is empty where the overlap lies deeper in the record.
    """
    near = overlaid(shapely.intersection, shapely.boundary(record), shapely.buffer(overlap, NEAR_M))
    parts = shapely.get_parts(shapely.get_parts(near))
    lines = parts[np.isin(shapely.get_type_id(parts), _LINES) & ~shapely.is_empty(parts)]
    return shapely.MultiLineString(list(lines))
