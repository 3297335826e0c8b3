"""The colours of the map, each defined once: IMSMA's for hazard, hatching for what needs a decision."""

from __future__ import annotations

from dataclasses import dataclass

from geopipe.terms import CaseStatus, Kind, Severity

# IMSMA fills hazard half transparent, so that what lies beneath is seen.
HALF = 128
HAZARD_RED = "#FF0000"


@dataclass(frozen=True)
class Fill:
    """How areas of a kind are drawn; `level` orders them: a higher one is drawn later, and so above."""

    colour: str
    opacity: int
    outline: str
    dash: str = "solid"
    level: int = 0


# Hazard has the highest levels of all: on no map may released land hide it. Borders have the colour of the
# fill: on a map of the whole country they are all that is seen.
KIND_FILLS = {
    Kind.CHA: Fill(HAZARD_RED, HALF, HAZARD_RED, level=5),
    Kind.SHA: Fill("#F4A718", HALF, "#F4A718", level=4),
    Kind.UNKNOWN: Fill("#9A7FA8", HALF, "#A80000", "dash", level=3),
    Kind.CLEARED: Fill("#38A800", HALF, "#38A800", level=1),
    Kind.REDUCED: Fill("#8CC152", HALF, "#8CC152", level=1),
    Kind.CANCELLED: Fill("#C9DDA0", HALF, "#A9C37A", level=1),
    Kind.SURVEY_BOX: Fill("#FFFFFF", 0, "#6E6E6E", "dot"),
    Kind.TASK: Fill("#FFFFFF", 0, "#2B5FA5", "dash"),
}
# A kind that nobody has named may be a hazard.
OTHER_KIND = KIND_FILLS[Kind.UNKNOWN]

SEVERITY_COLOURS = {
    Severity.ALARM: "#7A0177",
    Severity.CONFLICT: "#0B3C8C",
    Severity.CHECK: "#00707A",
    Severity.NOTE: "#6E6E6E",
}
STATUS_COLOURS = {
    CaseStatus.BACKLOG: "#5A5A5A",
    CaseStatus.NEW: "#0B3C8C",
    CaseStatus.SENT: "#1F78B4",
    CaseStatus.ON_AGENDA: "#6A3D9A",
    CaseStatus.DEFERRED: "#8C7A3B",
    CaseStatus.DECIDED: "#00707A",
    CaseStatus.CORRECTED: "#4C8C2B",
    CaseStatus.FINISHED: "#A0A0A0",
    CaseStatus.EXCEPTION: "#A0A0A0",
    CaseStatus.CORRECTED_DIFFERENTLY: "#B15928",
    CaseStatus.NEEDS_REVIEW: "#7A0177",
    CaseStatus.NOT_OBSERVED: "#8C8C8C",
    CaseStatus.CHANGED_WITHOUT_DECISION: "#7A0177",
    CaseStatus.SPLIT: "#A0A0A0",
    CaseStatus.MERGED: "#A0A0A0",
}
# Angles (degrees) of hatching: findings that lie on each other stay apart.
HATCH_ANGLES = (45, 135, 0, 90, 22, 68, 112, 158)


def rgba(colour: str, opacity: int = 255) -> str:
    """Return a colour as QGIS writes it: red, green, blue, opacity."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{opacity}"
