"""What every paper of a sample says, and the words of the sheet."""

from __future__ import annotations

from enum import StrEnum

CONFIDENTIAL = "For the authority only: not for operators before the inspection."
NOT_SAFE = "Areas not shown are not thereby safe."
STAY_INSIDE = "Points and outlines lie on the released ground; do not leave it between them."
RULE = (
    "Ground that several records cover belongs to the one completed first (same day: first by record id). "
    "Records without a completion date, where they are taken at all, come after all others."
)


class Result(StrEnum):
    """What an inspector found."""

    PASS = "pass"  # noqa: S105
    NON_CONFORMITY = "non-conformity"
    NOT_ACCESSIBLE = "not accessible"


# Name of each column of the sheet -> its heading. What was drawn, then what the inspector writes.
FIXED = {
    "id": "Id",
    "operator": "Operator",
    "own_id": "Operator's own id",
    "record_id": "Record id",
    "kind": "Kind",
    "completed_on": "Completed on",
    "depth_cm": "Clearance depth (cm)",
    "province": "Province",
    "district": "District",
    "longitude": "Centre longitude (WGS 84)",
    "latitude": "Centre latitude (WGS 84)",
    "box_side_m": "Box side (m)",
    "ground_m2": "Ground to inspect (m2)",
    "warning": "Warning",
}
ANSWERS = {
    "inspected_on": "Inspected on",
    "inspector": "Inspector",
    "result": "Result",
    "devices_found": "Devices found (number)",
    "device_depth_cm": "Depth of deepest device (cm)",
    "comment": "Comment",
}
COVER, INSPECTION, CORNERS = "Sample", "Inspection", "Corners"
