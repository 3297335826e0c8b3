"""The table of hectares as text for a terminal and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from geopipe.statistics.clearance import FIGURES
from geopipe.statistics.rounding import shown_ha
from geopipe.statistics.rows import M2_PER_HA, Row, as_dict

GROUND_NAMES = {"hazard": "SHA + CHA together", "released": "all released together"}
_FIGURES = {
    "reported_m2": "reported",
    "moved_m2": "with others",
    "undecided_m2": "undecided",
    "agreed_m2": "agreed",
    "reconciled_m2": "reconciled",
    "covered_m2": "covered",
}
_CLEARANCE = dict(
    zip(
        FIGURES,
        ("full depth", "surface only", "depth unknown", "again, same op.", "again, other op.", "in progress"),
        strict=True,
    )
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def figures_table(rows: Sequence[Row], totals: Sequence[Row], by: Sequence[str], decimals: int) -> list[str]:
    """Return the lines of the table: rows, then totals; hectares, provisional ones marked with a star."""
    # Reconciled is the ground covered: the same figure twice would only be asked about.
    hidden = {"covered_m2"} if "operator" in by else {"covered_m2", "moved_m2"}
    figures = [name for name in _FIGURES if name not in hidden]
    head = ["ground", *by, "records", *(_FIGURES[name] for name in figures), ""]
    body = [_cells(row, row.labels, figures, decimals) for row in rows]
    sums = [_cells(row, _total_labels(by), figures, decimals) for row in totals]
    return _aligned(head, [*body, *([[]] if body else []), *sums], 1 + len(by))


def clearance_table(
    rows: Sequence[Row], totals: Sequence[Row], by: Sequence[str], decimals: int
) -> list[str]:
    """Return the lines that say how cleared land was cleared; none where nothing was."""
    cleared = [row for row in rows if row.clearance]
    sums = [row for row in totals if row.clearance]
    head = ["ground", *by, "covered", *_CLEARANCE.values()]
    body = [
        [row.ground, *labels, *(_ha(m2, decimals) for m2 in (row.covered_m2, *row.clearance.values()))]
        for labels, row in [*((row.labels, row) for row in cleared), *((_total_labels(by), r) for r in sums)]
    ]
    return _aligned(head, body, 1 + len(by)) if body else []


def rounding_line(rests: dict[tuple[str, str], Decimal], decimals: int) -> str:
    """Say by how much rounded rows miss rounded totals, at most."""
    step = Decimal(1).scaleb(-decimals)
    if not rests:
        return f"ROUNDING    rounded to {step} ha, the rows add up to the totals exactly."
    (ground, column), rest = max(rests.items(), key=lambda item: abs(item[1]))
    where = f"{GROUND_NAMES.get(ground, ground)}, {_FIGURES[column]}"
    return f"ROUNDING    rounded to {step} ha, the rows miss the totals by up to {abs(rest)} ha ({where})."


def restated_table(quarter: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines that hold a published quarter against what is computed now (ha)."""
    changed = [row for row in rows if row["is_restated"]]
    lines = [f"RESTATED    {quarter}: {len(changed)} of {len(rows)} published or new rows have changed"]
    if not changed:
        return lines
    head = ["ground", "province", "operator", "published", "now", "restated", "why"]
    body = [
        [
            row["ground"], row["province"], row["operator"],
            *(_ha(row[side]["reconciled_m2"], 2) for side in ("published", "now", "restated")), row["why"],
        ]
        for row in changed
    ]  # fmt: skip
    return [*lines, "", *_aligned(head, body, 3)]


def as_csv(rows: Iterable[Row], totals: Iterable[Row], by: Sequence[str]) -> str:
    """Return rows and totals as CSV in ha (six decimals: 0.01 m2), readable by Excel with Lao text."""
    plain = [_in_ha(as_dict(row, by)) for row in rows]
    plain += [{**_in_ha(as_dict(row, ())), **dict.fromkeys(by, "total")} for row in totals]
    names = ["ground", *by, "records", *(_to_ha(name) for name in _FIGURES), "provisional"]
    names += [_to_ha(name) for name in FIGURES]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in plain:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return "\ufeff" + stream.getvalue()


def _to_ha(name: str) -> str:
    return name.removesuffix("_m2") + "_ha"


def _in_ha(plain: dict[str, Any]) -> dict[str, Any]:
    return {
        _to_ha(name) if name.endswith("_m2") else name: f"{value / M2_PER_HA:.6f}"
        if name.endswith("_m2")
        else value
        for name, value in plain.items()
    }


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from running delivered text as a formula; figures stay figures."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_figure(value):
        return f"'{value}"
    return value


def _is_figure(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _cells(row: Row, labels: Sequence[str], figures: Sequence[str], decimals: int) -> list[str]:
    values = (_ha(getattr(row, name), decimals) for name in figures)
    name = GROUND_NAMES.get(row.ground, row.ground)
    return [name, *labels, f"{row.records:,}", *values, "*" if row.is_provisional else ""]


def _total_labels(by: Sequence[str]) -> tuple[str, ...]:
    return ("total", *("" for _ in by[1:])) if by else ()


def _ha(m2: float, decimals: int) -> str:
    return f"{shown_ha(m2, decimals):,}"


def _aligned(head: list[str], body: list[list[str]], words: int) -> list[str]:
    """Return lines with the first columns to the left and figures to the right; an empty row is a gap."""
    width = [max(len(cells[n]) for cells in [head, *body] if cells) for n in range(len(head))]
    lines = []
    for cells in [head, *body]:
        aligned = [
            cell.ljust(width[n]) if n < words else cell.rjust(width[n]) for n, cell in enumerate(cells)
        ]
        lines.append("  ".join(aligned).rstrip())
    return lines
