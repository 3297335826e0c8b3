"""Files of which nothing can be compared: each is told once, with the reasons for its records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from geopipe.schema import Delivery, State


def told_of_unused(state: State) -> tuple[Delivery, ...]:
    """Return the deliveries; one that has no polygon left, and no problem told yet, gets NO_POLYGONS.

    Parameters
    ----------
    state : State
        What a stage leaves: `features`, `reference` and `rejected` of all deliveries.
    """
    polygons = Counter(state.features.table["file"].to_pylist())
    others = Counter(state.reference.table["file"].to_pylist())
    refused = (state.rejected.table[name].to_pylist() for name in ("file", "reason"))
    reasons: dict[str, Counter[str]] = {}
    for file, reason in zip(*refused, strict=True):
        reasons.setdefault(file, Counter())[reason] += 1
    return tuple(
        delivery
        if delivery.problems or polygons[delivery.file] or delivery.is_reference
        else _told(delivery, reasons.get(delivery.file, Counter()), others[delivery.file])
        for delivery in state.deliveries
    )


def _told(delivery: Delivery, reasons: Counter[str], kept: int) -> Delivery:
    """Add the sentence to one delivery."""
    why = ", ".join(f"{code} {count:,}" for code, count in sorted(reasons.items()))
    sentence = (
        f"{delivery.file}: no polygon in it could be used"
        + (f" ({why})" if why else "")
        + (f"; {kept} points or lines are kept as reference" if kept else "")
        + ". If it should hold areas, ask the sender for them."
    )
    return replace(delivery, problems=(("NO_POLYGONS", sentence),))
