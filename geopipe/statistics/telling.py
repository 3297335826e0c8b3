"""What `geopipe stats` tells: the table with everything that belongs beside it, as text or plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from geopipe.coverage import CLASSES
from geopipe.statistics.hectares import Hectares
from geopipe.statistics.rounding import rounding_rests_ha
from geopipe.statistics.rows import as_dict
from geopipe.statistics.table import clearance_table, figures_table, rounding_line
from geopipe.statistics.targets import BY, Targets, beside_lines, beside_stated, beside_targets, target_lines

_COUNTED = frozenset().union(*CLASSES.values())


def as_text(hectares: Hectares, by: Sequence[str], targets: Targets | None, decimals: int) -> list[str]:
    """Return the lines that a person reads: what is missing first, then hectares, then their explanation."""
    rows, totals = hectares.rows(by) if by else [], hectares.rows(())
    lines = [
        *_not_all(hectares),
        "HECTARES    reported - undecided overlap - agreed deduction = reconciled: the ground covered, once",
        "",
    ]
    lines += figures_table(rows, totals, by, decimals)
    lines += ["", *_notes(hectares, by)]
    if cleared := clearance_table(rows, totals, by, decimals):
        lines += ["", "HOW CLEARED LAND WAS CLEARED (parts of the ground covered)", "", *cleared]
    if targets is not None:
        lines += _targets(hectares, targets)
    return [*lines, "", rounding_line(rounding_rests_ha(rows, totals, decimals), decimals)]


def _targets(hectares: Hectares, targets: Targets) -> list[str]:
    """Return the lines of targets and stated figures."""
    of_years = hectares.rows(BY)
    reached = target_lines(beside_targets(of_years, targets)) or ["none for the years of these data"]
    lines = [
        "",
        "TARGETS (a year; reconciled hectares of these data)",
        "",
        *reached,
        "",
        *_references(targets),
    ]
    if targets.stated:
        lines += ["", "STATED beside computed", "", *beside_lines(beside_stated(of_years, targets))]
    return lines


def as_plain(hectares: Hectares, by: Sequence[str], targets: Targets | None, decimals: int) -> dict[str, Any]:
    """Return the same as plain values, areas in m2."""
    rows, totals = hectares.rows(by) if by else [], hectares.rows(())
    rests = rounding_rests_ha(rows, totals, decimals)
    told: dict[str, Any] = {
        "run": hectares.counted.run.name,
        "records_not_compared": hectares.counted.summary["balance"]["rejected"],
        "not_counted": _not_counted(hectares),
        "by": list(by),
        "rows": [as_dict(row, by) for row in rows],
        "totals": [as_dict(row, ()) for row in totals],
        "provisional": any(row.is_provisional for row in totals),
        "rounding": [
            {"ground": ground, "column": column, "rest_ha": float(rest)}
            for (ground, column), rest in rests.items()
        ],
    }
    if targets is not None:
        of_years = hectares.rows(BY)
        for name, items in (
            ("targets", beside_targets(of_years, targets)),
            ("stated", beside_stated(of_years, targets)),
        ):
            told[name] = [{**asdict(item), "difference": item.difference} for item in items]
    return told


def _not_all(hectares: Hectares) -> list[str]:
    """Say on top what these figures do not hold."""
    summary = hectares.counted.summary
    balance = summary["balance"]
    files = sum(1 for delivery in summary["deliveries"] if delivery["problems"])
    if not balance["rejected"] and not files:
        return []
    parts = [f"{balance['rejected']:,} of {balance['records_in']:,} records are not in these figures"]
    parts += [f"files not or only partly used: {files}"] if files else []
    return [f"NOT ALL DATA COMPARED: {'; '.join(parts)}"]


def _not_counted(hectares: Hectares) -> dict[str, int]:
    """Count the records of kinds that never enter hectares."""
    kinds = Counter(hectares.areas.table["kind"].to_pylist())
    return {kind: count for kind, count in sorted(kinds.items()) if kind not in _COUNTED}


def _notes(hectares: Hectares, by: Sequence[str]) -> list[str]:
    """Explain what stands in the table."""
    lines = []
    if any(row.is_provisional for row in hectares.rows(())):
        lines.append("* provisional: part of this ground is in overlaps that nobody has decided yet.")
    if {"year", "quarter"} & set(by):
        lines.append(
            "Ground belongs to its earliest completion (hazard: survey); later records are double-counted."
        )
    if "operator" in by:
        lines.append(
            "with others: what an operator reports on ground that others report too; this ground stands "
            "in the row shared between operators, once."
        )
    missing = _not_counted(hectares)
    if missing:
        names = ", ".join(f"{count:,} {kind}" for kind, count in missing.items())
        lines.append(f"Never counted in hectares: {names}.")
    return lines


def _references(targets: Targets) -> list[str]:
    """Return where targets come from, each once, and whether somebody has checked them."""
    return list(
        dict.fromkeys(
            f"{target.plan}: {target.reference}{'' if target.verified else ' (unverified)'}"
            for target in targets.targets
        )
    )
