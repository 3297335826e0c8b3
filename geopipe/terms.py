"""The words of the field: enumerations shared by every room of the house."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a record says about its ground (IMSMA and IMAS vocabulary)."""

    SHA = "SHA"
    CHA = "CHA"
    CLEARED = "CLEARED"
    REDUCED = "REDUCED"
    CANCELLED = "CANCELLED"
    SURVEY_BOX = "SURVEY_BOX"
    TASK = "TASK"
    UNKNOWN = "UNKNOWN"


HAZARD_KINDS = frozenset({Kind.SHA, Kind.CHA})
RELEASED_KINDS = frozenset({Kind.CLEARED, Kind.REDUCED, Kind.CANCELLED})
# Kinds whose records must never leave a blank on the map: an UNKNOWN record may be a hazard.
POSSIBLE_HAZARD_KINDS = HAZARD_KINDS | {Kind.UNKNOWN}


class Status(StrEnum):
    """IMSMA base terms of land status, plus what was not said."""

    OPEN = "open"
    WORKED_ON = "worked_on"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What became of an input record: each ends as exactly one of these."""

    KEPT = "kept"
    KEPT_AS_REFERENCE = "kept_as_reference"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


class Relation(StrEnum):
    """How two polygons lie to each other; geometry only."""

    EQUAL = "equal"
    NEAR_EQUAL = "near_equal"
    CONTAINS = "contains"
    WITHIN = "within"
    PARTIAL = "partial"


class Confidence(StrEnum):
    """How well the area of an overlap is established."""

    EXACT = "exact"
    CHECKED = "checked"
    UNCERTAIN = "uncertain"


class Severity(StrEnum):
    """How much a finding matters; alarms first."""

    ALARM = "alarm"
    CONFLICT = "conflict"
    CHECK = "check"
    NOTE = "note"


class CountMethod(StrEnum):
    """How well the number of records was checked without the reader."""

    EXACT = "exact"
    WEAK = "weak"
    NONE = "none"
