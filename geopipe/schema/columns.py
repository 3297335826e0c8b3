"""The columns of every frame that flows between stages, with their units."""

from __future__ import annotations

import pyarrow as pa

# Where a record came from: the first columns of every frame that names records.
ORIGIN = [
    ("file", pa.string()),
    ("layer", pa.string()),
    ("row", pa.int64()),
    ("operator", pa.string()),
    ("kind", pa.string()),
    ("source_id", pa.string()),
]
# FEATURES and REFERENCE. Areas in m2, lengths in m; `source_geometry` is WKB as
# delivered (Z and M kept) in `source_crs`; `geometry` is in `crs` (delivered
# coordinates, perhaps corrected), from `reproject` on in the working CRS. `correction`
# says what a person has confirmed about the coordinates. `province_code` (P-code),
# `province_located` and `district_located` are where the record lies. `shape_key` (from `check` on) is equal
# for shapes that may be equal, wherever they lie; null where equal shapes mean nothing.
BOX = ("box_west_m", "box_south_m", "box_east_m", "box_north_m")
FEATURES = pa.schema(
    [
        ("row_id", pa.string()),
        ("record_id", pa.string()),
        ("version_id", pa.string()),
        ("geometry_hash", pa.string()),
        ("shape_key", pa.int64()),
        *ORIGIN,
        ("id_is_delivered", pa.bool_()),
        ("guid", pa.string()),
        ("role", pa.string()),
        ("register", pa.string()),
        ("status", pa.string()),
        ("device_category", pa.string()),
        ("method", pa.string()),
        ("date_started", pa.date32()),
        ("date_surveyed", pa.date32()),
        ("date_completed", pa.date32()),
        ("date_of_information", pa.date32()),
        ("land_use", pa.string()),
        ("clearance_depth_cm", pa.float64()),
        ("found_depth_cm", pa.float64()),
        ("attachments", pa.string()),
        ("province_stated", pa.string()),
        ("district_stated", pa.string()),
        ("village_stated", pa.string()),
        ("province_code", pa.string()),
        ("province_located", pa.string()),
        ("district_located", pa.string()),
        ("area_stated_m2", pa.float64()),
        ("area_m2", pa.float64()),
        ("edge_uncertainty_m2", pa.float64()),
        ("point_type", pa.string()),
        ("date_found", pa.date32()),
        ("geometry_problem", pa.string()),
        ("closure_error_m", pa.float64()),
        # The box of the polygon in the working CRS, and what else tells shapes apart without decoding them.
        *[(name, pa.float64()) for name in BOX],
        ("perimeter_m", pa.float64()),
        ("point_count", pa.int64()),
        ("points_note", pa.string()),
        ("attributes", pa.string()),
        ("source_geometry", pa.large_binary()),
        # A custom CRS is a WKT of a kilobyte: written once, not in every row.
        ("source_crs", pa.dictionary(pa.int32(), pa.string())),
        # The CRS in which the coordinates are read: the stated one unless a person confirmed another.
        ("crs", pa.dictionary(pa.int32(), pa.string())),
        ("correction", pa.string()),
    ]
)
# `measure` is a figure that belongs to the finding, its unit in `unit`.
FINDINGS = pa.schema(
    [
        ("code", pa.string()),
        ("severity", pa.string()),
        *ORIGIN,
        ("record_id", pa.string()),
        ("other_id", pa.string()),
        ("sentence", pa.string()),
        ("measure", pa.float64()),
        ("unit", pa.string()),
    ]
)
REJECTED = pa.schema([*ORIGIN, ("reason", pa.string()), ("sentence", pa.string())])
# Who an unresolved record is, over deliveries.
IDENTITY = ("row_id", "record_id", "version_id", "register", "role")
# `position` says how the outline was placed when its coordinates could not be taken as they stand; `vanished`
# is true where a whole register was read without the record since; `beside_area` where it is an area of an
# earlier delivery as well; `of_this_id` says how many records of its id came with it. Geometry in WGS 84
# lon/lat.
UNRESOLVED = pa.schema(
    [
        *ORIGIN,
        *[(name, pa.string()) for name in IDENTITY],
        ("reason", pa.string()),
        ("sentence", pa.string()),
        ("position", pa.string()),
        ("vanished", pa.bool_()),
        ("beside_area", pa.bool_()),
        ("of_this_id", pa.int64()),
    ]
)
# `how` is equal, near_equal, same_content or older_version; `measure` is the common ground's share (IoU).
DUPLICATES = pa.schema(
    [
        *ORIGIN,
        ("outcome", pa.string()),
        ("record_id", pa.string()),
        ("row_id", pa.string()),
        ("of_record_id", pa.string()),
        ("of_row_id", pa.string()),
        ("how", pa.string()),
        ("iou", pa.float64()),
        ("uncovered_m2", pa.float64()),
        ("sentence", pa.string()),
    ]
)
OVERLAPS = pa.schema(
    [
        *[(f"{side}_{name}", kind) for name, kind in (
            ("id", pa.string()), ("operator", pa.string()), ("kind", pa.string()),
            ("row_id", pa.string()), ("geometry_hash", pa.string()), ("date", pa.date32()),
            ("province", pa.string()),
        ) for side in ("left", "right")],
        ("same_operator", pa.bool_()),
        ("relation", pa.string()),
        ("finding", pa.string()),
        ("severity", pa.string()),
        ("counted", pa.bool_()),
        ("time_order", pa.string()),
        ("area_m2", pa.float64()),
        ("left_share", pa.float64()),
        ("right_share", pa.float64()),
        ("width_m", pa.float64()),
        ("mean_width_m", pa.float64()),
        ("parts", pa.int64()),
        ("edge_uncertainty_m2", pa.float64()),
        ("confidence", pa.string()),
        ("group_id", pa.string()),
    ]
)  # fmt: skip
# What releases have left of a hazard area; `geometry` is that ground. `releases` certainly followed its
# survey; those in doubt (order not known, or contested) leave their ground to the hazard.
REMAINING = pa.schema(
    [
        ("hazard_id", pa.string()),
        ("hazard_row_id", pa.string()),
        ("operator", pa.string()),
        ("kind", pa.string()),
        ("status", pa.string()),
        ("date_surveyed", pa.date32()),
        ("province", pa.string()),
        ("area_m2", pa.float64()),
        ("released_m2", pa.float64()),
        ("released_share", pa.float64()),
        ("remaining_m2", pa.float64()),
        ("parts", pa.int64()),
        ("releases", pa.int64()),
        ("releases_in_doubt", pa.int64()),
        ("confidence", pa.string()),
    ]
)
# Narrow strips between released land. Hazard columns are null outside every hazard area; `neighbours` are
# the releases along the strip; `time_order` is that of the hazard's survey and these releases.
GAPS = pa.schema(
    [
        ("hazard_id", pa.string()),
        ("hazard_row_id", pa.string()),
        ("operator", pa.string()),
        ("kind", pa.string()),
        ("status", pa.string()),
        ("province", pa.string()),
        ("width_m", pa.float64()),
        ("mean_width_m", pa.float64()),
        ("length_m", pa.float64()),
        ("area_m2", pa.float64()),
        ("neighbours", pa.string()),
        ("neighbour_operators", pa.string()),
        ("neighbour_count", pa.int64()),
        ("time_order", pa.string()),
    ]
)
# Ground by class and by how many records claim it: `claims` = k, `ground_m2` = area claimed exactly k times.
# `rest_m2` is what rounding took from the sum: parts of a country add up to the same as the whole.
COVERAGE = pa.schema(
    [("ground", pa.string()), ("claims", pa.int64()), ("ground_m2", pa.float64()), ("rest_m2", pa.float64())]
)

# What a delivery changed against the ones before. `geometry` is the ground that was given up or taken in,
# else the record's polygon.
CHANGES = pa.schema(
    [
        ("change", pa.string()),
        ("operator", pa.string()),
        ("register", pa.string()),
        ("role", pa.string()),
        ("kind", pa.string()),
        ("previous_id", pa.string()),
        ("current_id", pa.string()),
        ("attributes_changed", pa.string()),
        ("lost_m2", pa.float64()),
        ("gained_m2", pa.float64()),
        ("sentence", pa.string()),
    ]
)
# `outcome` is same, differs, not_in_imsma or not_delivered; `set_aside` says that the national copy stands
# no longer among the areas. `geometry` is the ground on which the copies differ, else the record's polygon.
COPIES = pa.schema(
    [
        ("outcome", pa.string()),
        ("matched_by", pa.string()),
        ("set_aside", pa.bool_()),
        ("operator", pa.string()),
        ("register", pa.string()),
        ("kind", pa.string()),
        ("operator_row_id", pa.string()),
        ("operator_id", pa.string()),
        ("national_row_id", pa.string()),
        ("national_id", pa.string()),
        ("differences", pa.string()),
        ("difference_m2", pa.float64()),
    ]
)
# Overlap cases of a register; A and B as they were when the case was opened. `geometry` is the overlap as it
# was last seen; `present` says if it is in the data now.
CASES = pa.schema(
    [
        ("case_id", pa.string()),
        ("number", pa.string()),
        ("status", pa.string()),
        ("present", pa.bool_()),
        ("first_seen", pa.date32()),
        ("last_seen", pa.date32()),
        *[(f"{side}_{name}", kind) for side in ("a", "b") for name, kind in (
            ("id", pa.string()), ("operator", pa.string()), ("kind", pa.string()), ("status", pa.string()),
            ("date", pa.date32()), ("share", pa.float64()),
        )],
        ("province", pa.string()),
        ("district", pa.string()),
        ("relation", pa.string()),
        ("finding", pa.string()),
        ("severity", pa.string()),
        ("counted", pa.bool_()),
        ("time_order", pa.string()),
        ("area_m2", pa.float64()),
        ("width_m", pa.float64()),
        ("mean_width_m", pa.float64()),
        ("parts", pa.int64()),
        ("confidence", pa.string()),
        ("decision", pa.string()),
        ("decision_confirmed", pa.bool_()),
        ("reference", pa.string()),
        ("responsible", pa.string()),
        ("due", pa.date32()),
    ]
)  # fmt: skip
# Ground that a version of a hazard record may give up because people have decided so; `reason` says where.
# `stays_hazard`: those who decided relied on another hazard record that covers this ground.
GIVEN_UP = pa.schema([("version_id", pa.string()), ("reason", pa.string()), ("stays_hazard", pa.bool_())])
