"""Why something is proposed: a code with its figures and names, said in the language of the reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from geopipe.languages.texts import Texts, load_texts, message

REASONS: Mapping[str, str] = {
    "thin": message(
        "The overlap is narrower than surveys are accurate ({accuracy_m} m): it may be one border that was "
        "measured twice."
    ),
    "uncertain": message("The measured area is uncertain; see finding OVERLAP_UNCERTAIN."),
    "gone": message(
        "The overlap is not in the data now: ask the operators who changed it, and on what evidence."
    ),
    "look": message("By the records alone no choice is safe: the ground must be looked at."),
    "alarm": message("One record says hazard, the other says released, and the hazard may be real."),
    "until_then": message(
        "Until then the ground counts as hazard, and nobody should be told that it is released."
    ),
    "own_files": message(
        "By the records alone nobody can say which is right: the operators must look at their own files."
    ),
    "direct_evidence": message("{confirmed} has direct evidence (CHA), {suspected} only suspicion (SHA)."),
    "cleared_deeper": message(
        "{later} cleared the ground again, to {depth_cm} cm instead of {first_depth_cm} cm."
    ),
    "both_true": message("Both are true; the ground is counted once."),
    "not_cleared": message("{cleared} was cleared; {weaker} was released without clearance."),
    "first": message("{first} was first ({first_day}), {later} came later ({later_day})."),
    "only_first": message("Only {record} can give up ground."),
    "order_not_known": message("Which record came first is not known."),
    "same_day": message("Both have the same date ({day})."),
    "smaller_share": message("{record} gives up the smaller share of its ground."),
    "whole": message("{record} lies wholly on that ground: nothing of it would be left."),
    "stays_hazard": message("The ground stays on the map as hazard: {record} covers it."),
    "stays_released": message("The ground stays released, and is counted once: {record} covers it."),
    "same_ground": message("Both records of {operator} are the same ground and the same kind."),
    "one_is_enough": message("One of them is enough."),
    "its_own": message("Both records are {operator}'s own: only it knows which one counts."),
    "no_date": message("The order in time is not known: {record} has no date of survey or completion."),
    "no_dates": message("The order in time is not known: no record has a date of survey or completion."),
    "ask_which_first": message("Both have the same date ({day}): ask which was done first."),
    "status": message(
        "{record} is open, but all of it was released later: ask if the status is still right."
    ),
    "no_boundary": message("No boundary changes."),
    "smaller_depth": message(
        "The land was released to a smaller depth only: hazard below it does not contradict this."
    ),
    "hazard_above": message("The hazard stays on the map above the released land."),
    "same_box": message(
        "Two operators surveyed the same box: they must compare their results. No hectares depend on it."
    ),
    "versions": message("Both are versions of one record of {operator}: ask which one is in force."),
}


@dataclass(frozen=True)
class Reason:
    """One reason. Whoever may not know all of the other's record gets those that are shareable."""

    code: str
    values: Mapping[str, str | float | dt.date] = field(default_factory=dict)
    is_shareable: bool = True

    def told(self, texts: Texts) -> str:
        """Return the reason as a sentence."""
        return texts(REASONS[self.code], **{name: _said(value, texts) for name, value in self.values.items()})

    def in_each(self, texts: Texts) -> str:
        """Return the sentence in each language, one after the other."""
        return texts.separator.join(dict.fromkeys(self.told(one) for one in texts.each))

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.told(load_texts())


def _said(value: str | float | dt.date, texts: Texts) -> str:
    if isinstance(value, dt.date):
        return texts.date(value)
    if isinstance(value, str):
        return value
    return texts.number(value, 0 if value == int(value) else 1)
