"""The tables of a workbook: who overlaps with whom, hectares, tolerance, deliveries, findings, returns."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from math import fsum
from typing import Any

import numpy as np

from geopipe.editions import file_name
from geopipe.languages.texts import Texts, message
from geopipe.languages.words import GROUNDS, KINDS, SEVERITIES
from geopipe.outputs.meanings import Meanings
from geopipe.outputs.workbook.material import Material
from geopipe.outputs.workbook.tables import Cell, Column, Table
from geopipe.register.finding import Finding
from geopipe.reports.sensitivity.table import ALL, Sensitivity
from geopipe.reports.sensitivity.units import PAIR, PART, SITE
from geopipe.statistics.labels import SHARED, UNKNOWN
from geopipe.statistics.rows import Row

_M2_PER_HA = 10_000.0
CLEARANCE = {
    "full_depth_m2": message("Of this to full depth ha"),
    "surface_only_m2": message("Of this on the surface only ha"),
    "depth_unknown_m2": message("Of this depth not known ha"),
    "cleared_again_same_operator_m2": message("Cleared again by the same operator ha"),
    "cleared_again_other_operator_m2": message("Cleared again by another operator ha"),
    "in_progress_m2": message("Of this in progress ha"),
}
LABELS = {SHARED: message("shared between operators"), UNKNOWN: message("not known")}
FINDING_STATUSES = {
    "backlog": message("backlog"), "new": message("new"), "sent": message("sent"),
    "accepted": message("accepted with a reason"), "corrected": message("corrected"),
    "reopened": message("opened again"),
}  # fmt: skip
BASES = {
    PART: message("parts of overlaps"),
    PAIR: message("pairs of records"),
    SITE: message("sites, all their overlaps together"),
}
OPERATORS = {ALL: message("all"), "other": message("two operators"), "same": message("one operator")}


def matrix(material: Material) -> list[Table]:
    """Return who overlaps with whom: pairs, then hectares. An operator sees only its own line."""
    counted = material.overlaps.take(material.overlaps.numpy("counted").astype(bool))
    names = ("left_operator", "right_operator", "area_m2")
    shared: dict[tuple[str, str], list[float]] = defaultdict(list)
    for left, right, area_m2 in zip(*(counted.table[name].to_pylist() for name in names), strict=True):
        shared[min(left, right), max(left, right)].append(area_m2)
    operators = sorted({operator for pair in shared for operator in pair})
    rows = operators if material.operator is None else [material.operator]
    parts = (
        (message("Number of overlaps"), Cell.COUNT, len),
        (message("Hectares, pair by pair"), Cell.SMALL_HECTARES, lambda m2: fsum(m2) / _M2_PER_HA),
    )
    tables = []
    for title, cell, figure in parts:
        columns = [Column(message("Operator"), width=20), *(Column(name, cell, 13) for name in operators)]
        lines = [
            [
                row,
                *(
                    figure(shared[pair]) if (pair := _pair(row, name)) in shared else None
                    for name in operators
                ),
            ]
            for row in rows
        ]
        tables.append(Table(columns, lines, title=title))
    return tables


def _pair(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)


def hectares(rows: Sequence[Row], totals: Sequence[Row], by: str, texts: Texts) -> Table:
    """Return hectares by one label, and their totals."""
    heading = {"operator": message("Operator"), "province": message("Province")}[by]
    figures = (
        ("reported_m2", message("Reported ha")), ("moved_m2", message("With others ha")),
        ("undecided_m2", message("In undecided overlap ha")), ("agreed_m2", message("Agreed deduction ha")),
        ("reconciled_m2", message("Reconciled ha")),
    )  # fmt: skip
    names = [name for name, _ in figures if by == "operator" or name != "moved_m2"]
    columns = [
        Column(message("Ground"), width=24),
        Column(heading, width=24),
        Column(message("Records"), Cell.COUNT, 10),
        *(Column(title, Cell.HECTARES, 15) for name, title in figures if name in names),
        Column(message("Provisional?"), width=14),
        *(Column(title, Cell.HECTARES, 13) for title in CLEARANCE.values()),
    ]

    def line(row: Row, label: str) -> list[Any]:
        areas = [getattr(row, name) / _M2_PER_HA for name in names]
        provisional = texts("provisional") if row.is_provisional else None
        cleared = [row.clearance[name] / _M2_PER_HA if row.clearance else None for name in CLEARANCE]
        return [ground(row.ground, texts), label, row.records, *areas, provisional, *cleared]

    return Table(
        columns,
        [
            line(row, texts(LABELS[row.labels[0]]) if row.labels[0] in LABELS else row.labels[0])
            for row in rows
        ],
        [line(row, texts("total")) for row in totals],
    )


def ground(name: str, texts: Texts) -> str:
    """Return a class of ground as people read it."""
    return texts(GROUNDS[name] if name in GROUNDS else KINDS[name])


def tolerance(found: Sensitivity, texts: Texts) -> list[Table]:
    """Return how many overlaps lie under which area, and under which width."""
    limits = found.policy.sensitivity
    return [
        _limits(found, texts, message("Overlaps smaller than"),
                [(f"< {limit:g} m²", limit, None) for limit in limits.areas_m2]),
        _limits(found, texts, message("Overlaps narrower than"),
                [(f"< {limit:g} m", None, limit) for limit in limits.widths_m]),
    ]  # fmt: skip


def _limits(
    found: Sensitivity, texts: Texts, title: str, limits: Sequence[tuple[str, float | None, float | None]]
) -> Table:
    columns = [
        Column(message("Kinds"), width=24), Column(message("Operators"), width=24),
        Column(message("What is counted"), width=24),
        *(Column(name, Cell.COUNT, 13) for name in (message("all"), *(name for name, _, _ in limits))),
    ]  # fmt: skip
    rows = []
    for kinds, operators in found.groups:
        pair = " × ".join(texts(KINDS.get(kind, kind)) for kind in kinds.split(" x "))
        name = texts("all kinds") if kinds == ALL else pair
        for basis, basis_name in BASES.items():
            counts = [
                found.row(kinds, operators, basis, area_m2, width_m).count
                for _, area_m2, width_m in (("", None, None), *limits)
            ]
            rows.append([name, texts(OPERATORS[operators]), texts(basis_name), *counts])
    return Table(columns, rows, title=title)


def deliveries(material: Material, texts: Texts) -> Table:
    """Return the files that were read, with what became of their records; then who did not deliver."""
    counts = (
        ("records_in", message("Records received")), ("kept", message("Kept")),
        ("kept_as_reference", message("Kept as reference (points, lines)")),
        ("duplicate", message("Duplicates")), ("superseded", message("Older versions")),
        ("rejected", message("Returned for correction")),
    )  # fmt: skip
    columns = [
        Column(message("File"), width=30), Column(message("Operator"), width=18),
        Column(message("Received on"), Cell.DAY, 12), Column(message("Period"), width=12),
        *(Column(title, Cell.COUNT, 13) for _, title in counts),
        Column(message("Coordinate system"), width=22),
        Column(message("What was not read, and why"), width=60),
    ]  # fmt: skip
    if material.operator is None:
        columns.append(Column(message("Details (in English)"), width=60))
    words, rows = Meanings(texts), list[list[Any]]()
    for file in material.files:
        systems = ", ".join(dict.fromkeys(layer["crs"] or "?" for layer in file["layers"]))
        problems = "\n".join(words.meaning(problem["code"]) for problem in file["problems"])
        # The sentence of a problem is for whoever runs geopipe: it may hold names of folders and options.
        details = [] if material.operator else [" ".join(problem["sentence"] for problem in file["problems"])]
        name = file_name(file["file"]) if material.operator else file["file"]
        balance = [file["balance"][count] for count, _ in counts]
        rows.append(
            [name, file["operator"] or None, _day(file["received"]), file["period"] or None, *balance,
             systems or None, problems or None, *details]
        )  # fmt: skip
    for operator in material.missing or ():
        rows.append([texts("not delivered"), operator, *[None] * (len(columns) - 2)])
    sums = (sum(file["balance"][name] for file in material.files) for name, _ in counts)
    totals = [[texts("total"), None, None, None, *sums, *[None] * (len(columns) - 4 - len(counts))]]
    return Table(columns, rows, totals)


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text[:10]) if text else None


def findings(material: Material, texts: Texts) -> Table:
    """Return what is wrong in the data and not yet corrected; its own sentence is for the authority only."""
    columns = [
        Column(message("Severity"), width=13), Column(message("Code"), width=24),
        Column(message("Operator"), width=14), Column(message("Own id"), width=18),
        Column(message("Kind"), width=14), Column(message("File"), width=22),
        Column(message("What is wrong"), width=44), Column(message("What to do"), width=44),
        Column(message("Other record"), width=22), Column(message("Figure"), Cell.FIGURE, 12),
        Column(message("Unit"), width=7), Column(message("Status"), width=16),
        Column(message("Found on"), Cell.DAY, 12),
    ]  # fmt: skip
    if material.operator is None:
        columns.append(Column(message("Details (in English)"), width=50))
    words = Meanings(texts)
    return Table(columns, [_finding(item, material, words) for item in material.findings])


def _finding(item: Finding, material: Material, words: Meanings) -> list[Any]:
    told, texts = item.columns, words.texts
    is_national = material.operator is None
    file = told["file"] if is_national else file_name(told["file"])
    row = [
        texts(SEVERITIES[told["severity"]]), item.code, item.operator, told["source_id"] or told["record_id"],
        _kind(told["kind"], texts), file or None, words.meaning(item.code), words.remedy(item.code),
        told["other_id"] or None, _finite(item.measure), _unit(told["unit"], texts),
        texts(FINDING_STATUSES[item.status]), item.opened,
    ]  # fmt: skip
    return [*row, told["sentence"]] if is_national else row


def returned(material: Material, texts: Texts) -> Table:
    """Return the records that could not be used, and what to do."""
    columns = [
        Column(message("Operator"), width=14), Column(message("Own id"), width=18),
        Column(message("File"), width=24), Column(message("Layer"), width=18),
        Column(message("Record number"), Cell.COUNT, 10), Column(message("Kind"), width=14),
        Column(message("Code"), width=26), Column(message("What is wrong"), width=44),
        Column(message("What to do"), width=44),
    ]  # fmt: skip
    words = Meanings(texts)
    rows = [
        [
            row["operator"] or None, row["source_id"] or None, file_name(row["file"]),
            row["layer"] or None, row["row"], _kind(row["kind"], texts), row["reason"],
            words.meaning(row["reason"]), words.remedy(row["reason"]),
        ]
        for row in material.returned
    ]  # fmt: skip
    return Table(columns, rows)


def _kind(kind: str | None, texts: Texts) -> str | None:
    return texts(KINDS.get(kind, kind)) if kind else None


def _unit(unit: str | None, texts: Texts) -> str | None:
    return texts("records") if unit == "records" else unit or None


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
