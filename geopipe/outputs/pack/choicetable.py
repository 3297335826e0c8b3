"""What each choice would do to both records of a case, as a table of its page."""

from __future__ import annotations

from typing import Any

from geopipe.casework.outcomes import ChoiceOutcome, outcomes
from geopipe.casework.words import CHOICES
from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.material import Material
from geopipe.register.case import Case
from geopipe.terms import KEEPING_CHOICES, Choice, Severity

# What a choice does to the other's record would tell an operator how large that record is.
_ALSO_OF_THE_OTHER = frozenset({Choice.MERGE_INTO_A, Choice.MERGE_INTO_B})
_DANGERS = {
    "shrinks_hazard": message("NO: less hazard shown"),
    "grows_released": message("NO: more land shown as released"),
}


def choices(case: Case, material: Material, texts: Texts) -> dict[str, Any]:
    """Return the table of choices: hectares that each record would lose and gain, and what is unsafe."""
    head = [texts("Choice"), "A – ha", "A + ha", "B – ha", "B + ha", texts("Safety")]
    return {"head": head, "rows": [_choice(item, case, material, texts) for item in outcomes(case)]}


def _choice(item: ChoiceOutcome, case: Case, material: Material, texts: Texts) -> list[str]:
    operator = material.meeting.operator
    values = [item.a_lost_ha, item.a_gained_ha, item.b_lost_ha, item.b_gained_ha]
    owners = [case.operators[0]] * 2 + [case.operators[1]] * 2
    values_shown = []
    for value, owner in zip(values, owners, strict=True):
        if operator is not None and (owner != operator or item.choice in _ALSO_OF_THE_OTHER):
            values_shown.append("")
        else:
            values_shown.append("?" if value is None else texts.number(value, 4) if value else "0")
    return [texts(CHOICES[item.choice]), *values_shown, _safety(item, case, texts)]


def _safety(item: ChoiceOutcome, case: Case, texts: Texts) -> str:
    """Return what a choice would do to the map of hazard."""
    if item.dangers:
        return ", ".join(dict.fromkeys(texts(_DANGERS[danger.flag]) for danger in item.dangers))
    if item.choice in KEEPING_CHOICES and case.sighting.columns["severity"] == Severity.ALARM:
        return texts("NO: the alarm stays")
    return texts("known after the work") if item.a_lost_ha is None else texts("no hazard is lost")
