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


class CaseStatus(StrEnum):
    """Where an overlap case stands; what moves it is an event."""

    BACKLOG = "backlog"
    NEW = "new"
    SENT = "sent"
    ON_AGENDA = "on_agenda"
    DEFERRED = "deferred"
    DECIDED = "decided"
    CORRECTED = "corrected"
    FINISHED = "finished"
    EXCEPTION = "accepted_exception"
    CORRECTED_DIFFERENTLY = "corrected_differently"
    NEEDS_REVIEW = "needs_review"
    NOT_OBSERVED = "not_observed"
    CHANGED_WITHOUT_DECISION = "changed_without_decision"
    SPLIT = "split"
    MERGED = "merged"


# Nobody needs to look at these unless the data change again.
SETTLED_STATUSES = frozenset({CaseStatus.FINISHED, CaseStatus.EXCEPTION, CaseStatus.SPLIT, CaseStatus.MERGED})


class Choice(StrEnum):
    """What was decided about an overlap of record A and record B."""

    ACCEPT = "accept"
    A_CORRECTS = "a_corrects"
    B_CORRECTS = "b_corrects"
    SPLIT_ON_LINE = "split_on_line"
    MERGE_INTO_A = "merge_into_a"
    MERGE_INTO_B = "merge_into_b"
    WITHDRAW_A = "withdraw_a"
    WITHDRAW_B = "withdraw_b"
    BOTH_VALID = "both_valid"
    FIELD_SURVEY = "field_survey"
    RETURN_TO_OPERATOR = "return_to_operator"


# Both records stay as they are.
KEEPING_CHOICES = frozenset({Choice.ACCEPT, Choice.BOTH_VALID})
# What the data will look like is known only after somebody has worked on them.
OPEN_CHOICES = frozenset({Choice.FIELD_SURVEY, Choice.RETURN_TO_OPERATOR})


class Answer(StrEnum):
    """What an operator says to the proposal of a case: its position, never a decision."""

    AGREE = "agree"
    DISAGREE = "disagree"
    FIELD_CHECK = "field_check"
