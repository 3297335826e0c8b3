"""The words of enumerations as people read them; `Texts` translates them."""

from __future__ import annotations

from collections.abc import Mapping

from geopipe.terms import Confidence, Kind, Outcome, Relation, Severity, Status

KINDS: Mapping[str, str] = {
    Kind.SHA: "suspected hazardous area (SHA)",
    Kind.CHA: "confirmed hazardous area (CHA)",
    Kind.CLEARED: "cleared",
    Kind.REDUCED: "reduced",
    Kind.CANCELLED: "cancelled",
    Kind.SURVEY_BOX: "survey box",
    Kind.TASK: "task",
    Kind.UNKNOWN: "kind not known",
}
STATUSES: Mapping[str, str] = {
    Status.OPEN: "open",
    Status.WORKED_ON: "worked on",
    Status.CLOSED: "closed",
    Status.UNKNOWN: "status not known",
}
SEVERITIES: Mapping[str, str] = {
    Severity.ALARM: "alarm",
    Severity.CONFLICT: "conflict",
    Severity.CHECK: "to check",
    Severity.NOTE: "note",
}
RELATIONS: Mapping[str, str] = {
    Relation.EQUAL: "the same ground",
    Relation.NEAR_EQUAL: "nearly the same ground",
    Relation.CONTAINS: "B lies inside A",
    Relation.WITHIN: "A lies inside B",
    Relation.PARTIAL: "they share a part",
}
CONFIDENCES: Mapping[str, str] = {
    Confidence.EXACT: "exact",
    Confidence.CHECKED: "checked",
    Confidence.UNCERTAIN: "uncertain",
}
OUTCOMES: Mapping[str, str] = {
    Outcome.KEPT: "kept",
    Outcome.KEPT_AS_REFERENCE: "kept as reference",
    Outcome.DUPLICATE: "duplicate",
    Outcome.SUPERSEDED: "older version",
    Outcome.REJECTED: "returned for correction",
}
TIME_ORDERS: Mapping[str, str] = {
    "a_first": "A was first",
    "b_first": "B was first",
    "unknown": "order not known",
}
GROUNDS: Mapping[str, str] = {
    "hazard": "SHA and CHA together",
    "released": "all released land together",
}
# Alarms by the code of their finding, shorter than the catalogue of findings says them.
ALARMS: Mapping[str, str] = {
    "HAZARD_SMALLER": "Newer version makes hazard smaller",
    "RELEASED_LARGER": "Newer version makes released land larger",
    "FIND_ON_RELEASED_LAND": "Found on land after its release",
}
