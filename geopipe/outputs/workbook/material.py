"""What a workbook is made from: a finished result and its register, whole or as one operator may see them.

An operator's workbook is gathered from an allow-list: its own records, findings and files; of a partner only
what the sheet of cases shows (operator, record id, kind, status, date), and how much both share.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.casework.edition import Edition, edition_of
from geopipe.casework.rules import policy_in_force
from geopipe.casework.sheetcolumns import sheet_key
from geopipe.catalogue import load_catalogue
from geopipe.editions import is_told
from geopipe.errors import OutputError
from geopipe.io.geopackage import read_table
from geopipe.policies import Policy
from geopipe.register.finding import Finding, FindingStatus
from geopipe.register.findingfiles import findings_of
from geopipe.register.register import Register
from geopipe.reports.cutoff import latest_date
from geopipe.reports.lastrun import last_run, missing_deliveries
from geopipe.reports.sensitivity.table import Sensitivity, of_result
from geopipe.schema import Frame
from geopipe.statistics.hectares import Hectares
from geopipe.statistics.reading import read_result
from geopipe.statistics.rows import Row
from geopipe.statistics.treatments import treatments_of

_LAYERS = ("areas", "points", "lines", "duplicates", "rejected")


@dataclass(frozen=True)
class Figures:
    """Hectares by operator and by province, and their totals (rows in m2)."""

    by_operator: tuple[Row, ...]
    by_province: tuple[Row, ...]
    totals: tuple[Row, ...]


@dataclass(frozen=True)
class Material:
    """What a workbook shows; `operator` is None in the one for those who decide.

    `returned` and `files` are plain rows; `cut_off` is the latest date in the records; `missing` are those
    who should have delivered and did not, None where nobody said who should have.
    """

    operator: str | None
    run: str
    run_day: dt.date
    cut_off: dt.date | None
    policy: Policy
    edition: Edition
    cases_open: int
    balance: dict[str, int]
    overlaps: Frame
    figures: Figures
    sensitivity: Sensitivity | None
    files: tuple[dict[str, Any], ...]
    missing: tuple[str, ...] | None
    findings: tuple[Finding, ...]
    returned: tuple[dict[str, Any], ...]
    not_read: tuple[str, ...]
    only_drawn: int

    @property
    def problems(self) -> int:
        """How many files were not or only partly used."""
        return sum(1 for file in self.files if file["problems"])


def gather(
    result: Path, workspace: Path, operator: str | None = None, expected: Sequence[str] = ()
) -> Material:
    """Read what a workbook shows.

    Parameters
    ----------
    result : Path
        Folder that `geopipe run` has written into.
    workspace : Path
        With the register.
    operator : str, optional
        For whom it is; None for those who decide.
    expected : sequence of str
        Operators who should have delivered for the quarter of the run.

    Raises
    ------
    ConfigError
        When no case is about the operator, or the result is not of the register's last run.
    OutputError
        When the folder holds no finished result.
    """
    counted = read_result(result)
    with Register.existing(workspace) as register:
        last = last_run(register, counted.run)
        cases, policy = register.cases(), policy_in_force(register)
        key = sheet_key(register, last.started_at)
        findings = findings_of(register)
        received = register.ledger.deliveries()
        day, missing = last.day, missing_deliveries(register, last.day, expected)
    edition = edition_of(cases, policy, key, operator)
    hectares = Hectares.of(counted, treatments_of(cases, counted.areas), policy.full_depth_cm)
    geopackage = counted.run / next(iter(counted.summary["files"]))  # the map comes first
    rejected = read_table(geopackage, "rejected")
    areas, overlaps = counted.areas, counted.overlaps
    if operator is not None:
        areas = areas.take(areas.flags("operator", [operator]))
        overlaps = overlaps.take(
            overlaps.flags("left_operator", [operator]) | overlaps.flags("right_operator", [operator])
        )
    files = _files(counted.summary["deliveries"], received, operator)
    returned = [row for row in rejected.to_pylist() if operator in (None, row["operator"])]
    return Material(
        operator=operator,
        run=counted.run.resolve().name,
        run_day=day,
        cut_off=latest_date(areas, day),
        policy=policy,
        edition=edition,
        cases_open=len(edition.cases),
        balance=counted.summary["balance"] if operator is None else own_balance(geopackage, operator),
        overlaps=overlaps,
        figures=_figures(hectares, operator),
        sensitivity=of_result(result, policy, day) if operator is None else None,
        files=files,
        missing=missing if operator is None else None,
        findings=_findings(findings, operator),
        returned=tuple(returned),
        not_read=_not_read(counted.summary["not_read"], operator),
        only_drawn=counted.summary["unresolved_hazard"] if operator is None else 0,
    )


def _not_read(files: Sequence[dict[str, str]], operator: str | None) -> tuple[str, ...]:
    """Return the earlier deliveries in force that this run has not read."""
    return tuple(file["file"] for file in files if operator in (None, file["operator"]))


def own_balance(geopackage: Path, operator: str) -> dict[str, int]:
    """Count an operator's records by what became of them."""
    own = {name: _own_records(geopackage, name, operator) for name in _LAYERS}
    counts = {"kept": own["areas"], "rejected": own["rejected"]}
    return {"records_in": sum(own.values()), **counts}


def _own_records(geopackage: Path, layer: str, operator: str) -> int:
    """Count an operator's records in a layer, none where the result was made without it."""
    try:
        return sum(name == operator for name in read_table(geopackage, layer)["operator"].to_pylist())
    except OutputError:
        return 0


def _figures(hectares: Hectares, operator: str | None) -> Figures:
    """Return rows of hectares; of one operator only those that bear its name."""
    if operator is None:
        return Figures(
            tuple(hectares.rows(("operator",))), tuple(hectares.rows(("province",))), tuple(hectares.rows(()))
        )
    by_operator = [row for row in hectares.rows(("operator",)) if row.labels == (operator,)]
    by_province = [row for row in hectares.rows(("province", "operator")) if row.labels[1] == operator]
    return Figures(tuple(by_operator), tuple(by_province), ())


def _files(
    deliveries: Sequence[dict[str, Any]], received: Sequence[dict[str, Any]], operator: str | None
) -> tuple[dict[str, Any], ...]:
    """Return each file of the run, or each that one operator sent, with when and from whom it came."""
    known = {row["content_hash"]: row for row in received}
    rows = []
    for delivery in deliveries:
        told = known.get(delivery["sha256"], {})
        if operator in (None, told.get("operator")):
            rows.append(
                {
                    **delivery,
                    "operator": told.get("operator"),
                    "received": told.get("received_at"),
                    "period": told.get("period"),
                }
            )
    return tuple(rows)


def _findings(findings: Sequence[Finding], operator: str | None) -> tuple[Finding, ...]:
    """Return what is not corrected; for an operator only its own, and nothing that is for the authority."""
    catalogue = load_catalogue()
    shown = [item for item in findings if item.status != FindingStatus.CORRECTED]
    if operator is not None:
        shown = [
            item for item in shown
            if item.operator == operator and is_told(item.code, catalogue)
        ]  # fmt: skip
    order = ["alarm", "conflict", "check", "note"]
    return tuple(
        sorted(
            shown,
            key=lambda item: (order.index(item.columns["severity"]), item.operator, item.code, item.about),
        )
    )
