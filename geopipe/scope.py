"""What a run looks for: everything, unless only layers are asked for that need less."""

from __future__ import annotations

from collections.abc import Iterable

# Each question, and the layers that show its answer.
_SHOWN_IN = {
    "checks of records": {"findings", "rejected"},
    "displaced deliveries": {"findings", "rejected"},
    "gaps": {"gaps", "findings"},
    "remaining hazard": {"remaining", "handover", "findings"},
    "finds on released land": {"findings"},
}
CHECKS, DISPLACED, GAPS, REMAINING, FINDS = _SHOWN_IN


def not_looked_for(layers: Iterable[str]) -> tuple[str, ...]:
    """Return the questions that none of these layers would answer."""
    asked = set(layers)
    return tuple(question for question, shown in _SHOWN_IN.items() if not shown & asked)
