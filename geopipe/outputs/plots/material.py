"""What plots are drawn from: a finished result and, where there is one, its register.

An operator's plots are drawn from its own records, cases and findings; of what it shares with others only how
much that is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geopipe.casework.rules import policy_in_force
from geopipe.catalogue import load_catalogue
from geopipe.errors import ConfigError
from geopipe.outputs.workbook.material import own_balance
from geopipe.periods import day_here
from geopipe.policies import DEFAULT, Policy, load_policy, policy_path
from geopipe.register.case import Case
from geopipe.register.finding import Finding
from geopipe.register.findingfiles import findings_of
from geopipe.register.register import Register
from geopipe.reports.cutoff import latest_date
from geopipe.reports.lastrun import last_run
from geopipe.reports.sensitivity.table import read_points
from geopipe.schema import Frame, Geometries, Mask
from geopipe.settings import did_you_mean, shipped_names
from geopipe.statistics.hectares import Hectares
from geopipe.statistics.reading import Counted, read_result
from geopipe.statistics.rows import Row
from geopipe.statistics.treatments import treatments_of
from geopipe.terms import Severity
from geopipe.tolerance import Sizes, acceptance, is_case

WIDEST_M = 20.0
"""Overlaps that are wider need no width: it would take long, and no tolerance is about them."""


@dataclass(frozen=True)
class Known:
    """What a register knows: its cases, findings and runs (number, day), and the policy of the last run."""

    cases: tuple[Case, ...]
    findings: tuple[Finding, ...]
    runs: tuple[tuple[int, dt.date], ...]
    policy: Policy


@dataclass(frozen=True)
class Tolerated:
    """A policy with tolerances; a draft is not in force."""

    policy: Policy
    is_draft: bool


@dataclass(frozen=True)
class Overlaps:
    """The overlaps that are questions to somebody, a row each; `width_m` is a lower bound from `WIDEST_M` on.

    `never` marks those that no tolerance may accept; it is None for an operator, who would learn from it
    where others have found something. `below_accuracy` are on average no wider than a turning point is known,
    `between` are of two operators, `only_listed` are notes.
    """

    area_m2: NDArray[np.float64]
    width_m: NDArray[np.float64]
    severity: tuple[Severity, ...]
    never: Mask | None
    below_accuracy: Mask
    between: int
    only_listed: int
    accuracy_m: float
    tolerated: tuple[Tolerated, ...]


@dataclass(frozen=True)
class Material:
    """What plots show; `operator` is None in those for the ones who decide.

    `hectares` are rows by province of each kind (m2), in an operator's edition those that bear its name.
    `cases`, `findings` and `runs` are None without a register.
    """

    operator: str | None
    run: str
    run_day: dt.date
    cut_off: dt.date | None
    kept: int
    records: int
    overlaps: Overlaps
    hectares: tuple[Row, ...]
    cases: tuple[Case, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    runs: tuple[tuple[int, dt.date], ...] | None = None


def gather(result: Path, workspace: Path | None = None, operator: str | None = None) -> Material:
    """Read what plots show.

    Parameters
    ----------
    result : Path
        Folder that `geopipe compare` or `geopipe run` has written into.
    workspace : Path, optional
        With the register of that run; without it there is nothing about time.
    operator : str, optional
        For whom the plots are; None for those who decide.

    Raises
    ------
    ConfigError
        When nothing is known of the operator, or the result is not of the register's last run.
    OutputError
        When the folder holds no finished result.
    """
    counted = read_result(result)
    if workspace is None:
        return material_of(counted, None, operator)
    with Register.existing(workspace) as register:
        last_run(register, counted.run)
        known = known_of(register, tuple(register.cases()))
    return material_of(counted, known, operator)


def known_of(register: Register, cases: Sequence[Case]) -> Known:
    """Return what a register with these cases knows."""
    runs = register.ask("SELECT number, day FROM runs ORDER BY number")
    return Known(
        tuple(cases), tuple(findings_of(register)),
        tuple((number, dt.date.fromisoformat(day)) for number, day in runs),
        policy_in_force(register),
    )  # fmt: skip


def material_of(counted: Counted, known: Known | None, operator: str | None) -> Material:
    """Return what plots show of a result that was read."""
    geopackage = counted.run / next(iter(counted.summary["files"]))  # the map comes first
    policy = known.policy if known else load_policy()
    cases = known.cases if known else ()
    if operator is not None:
        _require_operator(operator, counted, cases)
    balance = counted.summary["balance"] if operator is None else own_balance(geopackage, operator)
    began = dt.datetime.fromisoformat(counted.summary["run"]["started_at"])
    day = known.runs[-1][1] if known else day_here(began)
    own = (
        counted.areas if operator is None else counted.areas.take(counted.areas.flags("operator", [operator]))
    )
    hectares = Hectares.of(counted, treatments_of(cases, counted.areas), policy.full_depth_cm)
    return Material(
        operator=operator,
        run=counted.run.resolve().name,
        run_day=day,
        cut_off=latest_date(own, day),
        kept=balance["kept"],
        records=balance["records_in"],
        overlaps=_overlaps(counted.overlaps, read_points(geopackage), policy, day, operator),
        hectares=_hectares(hectares, operator),
        cases=_cases(cases, operator) if known else None,
        findings=_findings(known.findings, operator) if known else None,
        runs=known.runs if known else None,
    )


def _require_operator(operator: str, counted: Counted, cases: Sequence[Case]) -> None:
    names = set(counted.areas.table["operator"].to_pylist())
    known = sorted(names.union(*(case.operators for case in cases)) - {None})
    if operator not in known:
        raise ConfigError(f"nothing is known of {operator!r}{did_you_mean(operator, tuple(known))}")


def _overlaps(
    every: Frame, points: Geometries | None, policy: Policy, day: dt.date, operator: str | None
) -> Overlaps:
    """Measure the overlaps that are cases; finds within are no business of an operator's edition."""
    are_cases, own = is_case(every), _own(every, operator)
    held = acceptance(every, points, policy, day)
    shown = are_cases & own
    sizes = Sizes.of(every.take(shown), WIDEST_M)
    mean_m = every.numpy("mean_width_m").astype(float)[shown]
    return Overlaps(
        area_m2=sizes.pair_m2,
        width_m=sizes.pair_width_m,
        severity=tuple(Severity(name) for name in every.take(shown).table["severity"].to_pylist()),
        never=held.refused[shown] if operator is None else None,
        below_accuracy=mean_m <= policy.survey_accuracy_m,
        between=int((shown & ~every.numpy("same_operator").astype(bool)).sum()),
        only_listed=int((~are_cases & own).sum()),
        accuracy_m=policy.survey_accuracy_m,
        tolerated=tuple(
            Tolerated(item, bool(item.why_no_tolerance(day)))
            for item in _policies(policy, day) if item.tolerances
        ),
    )  # fmt: skip


def _own(overlaps: Frame, operator: str | None) -> Mask:
    if operator is None:
        return np.ones(len(overlaps), dtype=bool)
    left, right = (overlaps.flags(f"{side}_operator", [operator]) for side in ("left", "right"))
    return left | right


def _policies(policy: Policy, day: dt.date) -> list[Policy]:
    """Return the policy of the run; where it holds no tolerance in force, the shipped drafts after it."""
    if not policy.why_no_tolerance(day):
        return [policy]
    drafts = (load_policy(policy_path(name)) for name in shipped_names("policies") if name != DEFAULT)
    others = [draft for draft in drafts if draft.tolerances and draft.name != policy.name]
    return [policy, *others]


def _hectares(hectares: Hectares, operator: str | None) -> tuple[Row, ...]:
    if operator is None:
        return tuple(hectares.rows(("province",)))
    return tuple(row for row in hectares.rows(("province", "operator")) if row.labels[1] == operator)


def _cases(cases: Sequence[Case], operator: str | None) -> tuple[Case, ...]:
    return tuple(case for case in cases if operator is None or operator in case.operators)


def _findings(findings: Sequence[Finding], operator: str | None) -> tuple[Finding, ...]:
    """Return findings; for an operator only its own, and nothing that is for the authority."""
    catalogue = load_catalogue()
    return tuple(
        item for item in findings
        if operator is None
        or (item.operator == operator and catalogue.audience(item.code) in ("sender", "both"))
    )  # fmt: skip
