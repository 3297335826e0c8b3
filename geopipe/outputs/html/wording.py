"""What the script of a page says, in English: the key of the message catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from geopipe.languages.texts import message

NOT_SAFE = message("Areas not shown are not thereby safe.")
SIMPLIFIED = message(
    "Outlines are simplified for show by up to {area} m (overlaps {overlap} m) and rounded to 1e-7 degrees. "
    "All figures are measured from the full outlines."
)
BORDERS = message("Borders are generalised and show the way only. Source: {source}.")
NO_SCRIPT = message("The map and the list of cases need JavaScript, which is switched off in this browser.")

SAID: Mapping[str, str] = {
    "shown": message("{shown} of {all} shown"),
    "more": message("Show more"),
    "all": message("all"),
    "allOpen": message("all open"),
    "noHit": message("No case fits what you are looking for."),
    "close": message("Close"),
    "onMap": message("Show on the map"),
    "next": message("Next"),
    "previous": message("Previous"),
    "recordA": message("record A"),
    "recordB": message("record B"),
    "overlap": message("overlap"),
    "proposal": message("Proposal"),
    "choices": message("What each choice would do"),
    "noChoices": message(
        "Not worked out here for so many cases: see the meeting pack, or geopipe cases explain."
    ),
    "facts": message("What was measured"),
    "records": message("Both records"),
    "unresolved": message("hazard whose place or shape is in doubt"),
    "gap": message("Gaps between released land"),
    "point": message("find, accident or evidence"),
    "notPrinted": message("{number} more cases are not printed: filter the list, or use the meeting pack."),
    "mapFailed": message("The map cannot be drawn in this browser."),
}
# The columns of the list of cases.
COLUMNS = (
    ("name", message("Case")), ("severity", message("Severity")), ("about", message("What it is about")),
    ("status", message("Status")), ("a", message("Record A")), ("b", message("Record B")),
    ("m2", message("Overlap m2")), ("width", message("Largest width m")), ("province", message("Province")),
    ("district", message("District")), ("first", message("First seen")),
)  # fmt: skip
