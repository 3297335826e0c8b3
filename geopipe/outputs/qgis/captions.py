"""What layers and columns are called on the map, in English: the key of the message catalogue."""

from __future__ import annotations

from geopipe.languages.texts import message

LAYERS = {
    "areas": message("Reported areas"),
    "overlaps": message("Overlaps"),
    "cases": message("Overlap cases"),
    "gaps": message("Gaps between released land"),
    "remaining": message("Hazard that remains"),
    "handover": message("Hazard and its releases"),
    "duplicates": message("Duplicates"),
    "findings": message("Records with findings"),
    "rejected": message("Records returned for correction"),
    "hazard_unresolved": message("Hazard whose place or outline is in doubt"),
    "points": message("Points: finds, evidence, accidents"),
    "lines": message("Lines kept as reference"),
    "changes": message("Changes since the last delivery"),
    "copies": message("Copies in the national database"),
    "partner_outlines": message("Other records, within 100 m of an overlap"),
}
AREAS = message("areas")
POINTS = message("points")
LINES = message("lines")
GROUP_SAFETY = message("Safety: look here first")
GROUP_CASES = message("Cases and overlaps")
GROUP_AREAS = message("Areas as reported")
GROUP_MORE = message("More to look at")
GROUP_TABLES = message("Tables without a map")
PROJECT = message("geopipe: hazard, released land and overlaps")
RECORD_A = message("Cases of this record (as A)")
RECORD_B = message("Cases of this record (as B)")
ALARMS = message("Open cases: alarms")
OPEN_CASES = message("Open cases")
OTHER = message("other")
SAFETY = message("Areas not shown are not thereby safe.")
NEWEST = message("Newest date in the data: {operators}.")
NO_DATE = message("no date")
UNUSED = message("Not or only partly used: {files}.")
NOT_READ = message("In force but not read now: {deliveries}.")
COMPARED = message("{compared} of {all} records were compared.")
EDITION = message("Edition for {operator}: its own records and cases only.")

COLUMNS = {
    "record_id": message("record"),
    "source_id": message("id of the operator"),
    "operator": message("operator"),
    "register": message("register"),
    "kind": message("kind of land"),
    "status": message("status"),
    "date_surveyed": message("survey date"),
    "date_completed": message("completion date"),
    "date_of_information": message("date of information"),
    "date_found": message("date of the find"),
    "land_use": message("land use"),
    "clearance_depth_cm": message("clearance depth (cm)"),
    "found_depth_cm": message("found depth (cm)"),
    "province": message("province"),
    "district": message("district"),
    "province_stated": message("province, as stated"),
    "district_stated": message("district, as stated"),
    "village_stated": message("village, as stated"),
    "province_located": message("province on the map"),
    "district_located": message("district on the map"),
    "province_code": message("province code"),
    "area_stated_m2": message("area as stated (m²)"),
    "area_m2": message("area (m²)"),
    "width_m": message("width (m)"),
    "mean_width_m": message("mean width (m)"),
    "length_m": message("length (m)"),
    "edge_uncertainty_m2": message("uncertainty of long edges (m²)"),
    "parts": message("parts"),
    "role": message("whose data"),
    "correction": message("correction of coordinates"),
    "file": message("file"),
    "layer": message("layer"),
    "row": message("record number in the file"),
    "source_crs": message("coordinate system of the file"),
    "point_type": message("type of point"),
    "number": message("case"),
    "present": message("in the data now"),
    "first_seen": message("first seen"),
    "last_seen": message("last seen"),
    "a_id": message("record A"),
    "a_operator": message("operator of record A"),
    "a_kind": message("kind of record A"),
    "a_status": message("status of record A"),
    "a_date": message("date of record A"),
    "a_share": message("share of record A"),
    "b_id": message("record B"),
    "b_operator": message("operator of record B"),
    "b_kind": message("kind of record B"),
    "b_status": message("status of record B"),
    "b_date": message("date of record B"),
    "b_share": message("share of record B"),
    "left_id": message("first record"),
    "left_operator": message("operator of the first record"),
    "left_kind": message("kind of the first record"),
    "left_date": message("date of the first record"),
    "left_share": message("share of the first record"),
    "right_id": message("second record"),
    "right_operator": message("operator of the second record"),
    "right_kind": message("kind of the second record"),
    "right_date": message("date of the second record"),
    "right_share": message("share of the second record"),
    "same_operator": message("one operator"),
    "relation": message("how they lie"),
    "finding": message("finding"),
    "code": message("finding"),
    "severity": message("severity"),
    "counted": message("counted"),
    "time_order": message("order in time"),
    "confidence": message("how sure the area is"),
    "decision": message("decision"),
    "decision_confirmed": message("minutes are signed"),
    "reference": message("reference"),
    "responsible": message("who corrects"),
    "due": message("by when"),
    "reason": message("reason"),
    "sentence": message("what was found"),
    "position": message("how it is placed"),
    "hazard_id": message("hazard record"),
    "released_m2": message("released (m²)"),
    "released_share": message("share released"),
    "remaining_m2": message("remaining (m²)"),
    "change": message("change"),
    "lost_m2": message("ground given up (m²)"),
    "gained_m2": message("ground taken in (m²)"),
    "outcome": message("outcome"),
    "neighbours": message("releases beside it"),
    "own_id": message("own record"),
    "date": message("date"),
}
