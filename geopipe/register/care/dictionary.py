"""What the tables and columns of the register mean: the description that goes with an export."""

from __future__ import annotations

HOW_TO_READ = (
    "Each table is a CSV file: UTF-8, comma, first line the names of the columns, rows in the order in which "
    "they were added; nothing was ever changed or removed. An empty field means: nothing is known. Texts of "
    "several values are JSON. Times are ISO 8601 with their zone, days YYYY-MM-DD. Geometries are WKT. Those "
    "of `versions`, `sightings` and `given_up` are in metres in the equal-area CRS that `working_crs` names "
    "by its PROJ text (a sighting has that of its a_version); `line_wgs84` is in degrees, longitude first, "
    "and so is what `given_up` names drawn:VERSION, a record that could only be drawn. "
    "Areas end in _m2 or _ha, lengths in _m or _cm. minutes/ holds the signed minutes, each file named by "
    "the sha256 that `papers` states. cases.gpkg is a map of the cases as they stand at the end. `files` has "
    "the sha256 of each file."
)

TABLES = {
    "receipts": "Runs that received something new.",
    "deliveries": "Files that operators delivered, each content once.",
    "readings": "How a delivery was read: a new row if it is read in another way.",
    "holdings": "Which registers of which operators a reading holds.",
    "counts": "Records kept and returned for correction, by operator.",
    "members": "All files that were read together with those that were new.",
    "drawn": "What runs could only draw of records that may be hazard; the newest receipt holds them all.",
    "nil_reports": "Operators who said that they have nothing to report.",
    "facts": "What this register is: its identity, whose copy it is, what was merged into it.",
    "policies": "Rules by which runs were made, each content once.",
    "runs": "Runs of geopipe.",
    "publications": "What each run published.",
    "cases": "Overlaps of two records that are followed over the years.",
    "case_numbers": "Numbers of cases that people say.",
    "versions": "Records as runs have seen them, each content once.",
    "sightings": "Overlaps as runs have seen them; a new row if something is different.",
    "events": "All that happened to cases. The status of a case is that of its last event.",
    "papers": "Minutes and letters that decisions rest on.",
    "decisions": "Decisions about cases. The last one holds, unless the case was opened again since.",
    "positions": "What operators say to cases; never a decision.",
    "given_up": "Hazard ground that may leave the map because people decided so.",
    "findings": "What was found wrong in deliveries.",
    "finding_events": "All that happened to findings.",
    "reported_figures": "Figures that operators reported by month.",
    "published_quarters": "Statistics as they were published.",
}

# The same word means the same in every table, unless it stands below with its table.
_COLUMNS = {
    "number": "Counts the rows, in the order in which they were added.",
    "run": "Number of the run; empty where a person did it.",
    "at": "When.",
    "recorded_at": "When it was written down.",
    "recorded_by": "Who wrote it down.",
    "content_hash": "Hash of what was delivered, files that belong together as one.",
    "receipt": "Number of the receipt.",
    "operator": "The operator, by the name that geopipe uses.",
    "role": "operator, national_database or reference.",
    "key": "Hash of a delivery and of how it was read.",
    "kind": "Kind of land (CHA, SHA, CLEARED, ...).",
    "case_id": "Id of the case: a hash of both records as first delivered.",
    "event_id": "Id of the event.",
    "policy_hash": "Hash of the policy.",
    "working_crs": "Equal-area CRS of the geometries, PROJ text.",
    "columns": "JSON: what is known beside the geometry; areas m2, widths m, depths cm.",
    "geometry": "WKT, in the working CRS (m).",
    "author": "Who did it; geopipe for a run.",
    "status": "Status after this event.",
    "cause": "Why, for people.",
    "reference_id": "Id of the paper.",
    "finding_id": "Id of the finding.",
    "reference": "Paper that says so.",
    "period": "2026, 2026-Q1 or 2026-03; empty: not stated.",
    "records_kept": "Records that were used.",
    "records_returned": "Records that went back to the operator.",
    "sighting": "Number of the sighting: the overlap as it was looked at.",
}
_OF_TABLE = {
    "receipts": {
        "run": "Folder of the run.",
        "received_at": "When the files were read.",
        "carried_sha256": "Hash of the file of records that were carried on, though a delivery lacks them.",
    },
    "drawn": {
        "records": "Rows of records that could not be used, but may be hazard.",
        "unresolved_sha256": "Hash of the file that keeps what the run drew of them.",
    },
    "deliveries": {"file": "Name of the file when it first came."},
    "readings": {
        "mode": "snapshot: a whole register; increment: an addition to it.",
        "period_from": "First day of the period.",
        "period_to": "Last day of the period.",
        "records_in": "Records in the delivery.",
        "frame_sha256": "Hash of the file that keeps the records as they were read.",
    },
    "holdings": {"register": "hazard, released or others.", "records": "How many records."},
    "nil_reports": {"reported_by": "Who says so."},
    "facts": {"name": "What it is about.", "value": "What holds from then on."},
    "policies": {
        "name": "Name of the policy.",
        "version": "Its version.",
        "effective_from": "First day on which it holds.",
        "content": "JSON: the whole policy.",
    },
    "runs": {
        "number": "Number of the run.",
        "started_at": "When it began.",
        "day": "The day that it took for today.",
        "geopipe": "Version of geopipe.",
    },
    "publications": {
        "folder": "Folder under runs/ of the output.",
        "files": "JSON: sha256 of each file.",
        "summary": "JSON: all figures of the run; areas m2.",
    },
    "cases": {"run": "Run that opened the case."},
    "case_numbers": {
        "number": "The number.",
        "provisional": "1: given by an office in its copy; 0: final.",
        "given_at": "When.",
    },
    "versions": {"version": "Name of the record's version: hash of columns and geometry."},
    "sightings": {
        "present": "1: the records share ground; 0: no longer, and what they shared last stands here.",
        "a_version": "Record A, as it was seen.",
        "b_version": "Record B, as it was seen.",
        "geometry": "WKT: the shared ground, in the working CRS (m).",
        "working_crs": "CRS of the shared ground.",
    },
    "events": {"kind": "What happened.", "data": "JSON: details."},
    "papers": {
        "meeting": "Name of the meeting or letter.",
        "held_on": "Day of the meeting.",
        "item": "Item of the agenda.",
        "file_name": "Name of the file of the signed minutes.",
        "file_sha256": "Its sha256; empty: there are no signed minutes.",
        "minutes": "yes: the file is in minutes/.",
    },
    "decisions": {
        "decision_id": "Id of the decision.",
        "choice": "What was decided; A and B are the records of the case.",
        "confirmed": "1: by signed minutes; 0: provisional.",
        "level": "Who decided: province, TWG, NRA.",
        "line_wgs84": "WKT: the agreed line, longitude and latitude in degrees.",
        "shrinks_hazard": "1: those who decided know that hazard becomes smaller.",
        "grows_released": "1: those who decided know that released land grows.",
        "responsible": "Who carries it out.",
        "due": "By which day.",
        "note": "Remark.",
        "made_by": "Who wrote it down.",
    },
    "positions": {
        "position_id": "Id of the position.",
        "answer": "agree, disagree or field_check.",
        "comment": "What the operator says.",
        "evidence": "What it shows for it.",
        "name": "Who speaks for the operator.",
        "said_on": "On which day.",
    },
    "given_up": {
        "version_id": "Version of the record that may go.",
        "record_id": "The record.",
        "given_by": "Who wrote it down.",
    },
    "findings": {"run": "Run that found it first.", "code": "What was found; CHECKS.md explains the codes."},
    "finding_events": {"day": "The day that counts.", "measure": "How large the fault was, in its own unit."},
    "reported_figures": {
        "month": "YYYY-MM.",
        "province": "The province.",
        "area_ha": "Hectares as reported.",
        "source": "Where the figure comes from.",
    },
    "published_quarters": {
        "quarter": "YYYY-QN.",
        "row": "JSON: one row of the statistics.",
        "published_by": "Who published it.",
    },
}


def meaning(table: str, column: str) -> str:
    """Return what a column of a table means."""
    return _OF_TABLE.get(table, {}).get(column) or _COLUMNS[column]
