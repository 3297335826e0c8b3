"""What the feeds are made from: a finished result and its register, whole or of one operator only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from geopipe.casework.rules import policy_in_force
from geopipe.errors import ConfigError
from geopipe.io.geopackage import read_layer, read_table
from geopipe.outputs.feeds.placing import placed
from geopipe.register.register import Register
from geopipe.register.table import case_table
from geopipe.reports.cutoff import latest_date
from geopipe.reports.lastrun import last_run, missing_deliveries
from geopipe.schema import Frame
from geopipe.settings import did_you_mean
from geopipe.statistics.hectares import Hectares
from geopipe.statistics.reading import Counted, read_result
from geopipe.statistics.treatments import treatments_of
from geopipe.terms import Outcome

# The operator of a record, and what became of it.
Ended: TypeAlias = tuple[str | None, str]
# A row id begins with so much of the hash of its delivery.
HASH_LETTERS = 12


@dataclass(frozen=True)
class Material:
    """A result as the feeds show it; `operator` is None in the edition for the authority.

    Geometries are in the working CRS (m), which `crs_wkt` is. `hectares` knows only official names of places.
    `missing` are those who should have delivered and did not, None where nobody said who should have.
    """

    operator: str | None
    run: str
    run_day: dt.date
    cut_off: dt.date | None
    crs_wkt: str
    summary: dict[str, Any]
    hectares: Hectares
    areas: Frame
    overlaps: Frame
    cases: Frame
    unresolved: Frame
    ended: tuple[Ended, ...]
    missing: tuple[str, ...] | None

    @cached_property
    def province_codes(self) -> dict[str, str]:
        """The P-code of each province that a record lies in, by its name."""
        table = self.hectares.areas.table
        pairs = zip(table["province_located"].to_pylist(), table["province_code"].to_pylist(), strict=True)
        return {name: code for name, code in sorted({*pairs}, key=str) if name and code}


def gather(
    result: Path, workspace: Path, operator: str | None = None, expected: Sequence[str] = ()
) -> Material:
    """Read what the feeds show.

    Parameters
    ----------
    result : Path
        Folder that `geopipe run` has written into.
    workspace : Path
        With the register, which knows what was decided.
    operator : str, optional
        For whom the edition is: its own records, and overlaps with them.
    expected : sequence of str
        Operators who should have delivered for the quarter of the run.

    Raises
    ------
    ConfigError
        When the operator has no records, or the result is not of the register's last run.
    OutputError
        When the folder holds no finished result.
    """
    counted = read_result(result)
    counted = replace(counted, areas=placed(counted.areas))
    with Register.existing(workspace) as register:
        day = last_run(register, counted.run).day
        followed = register.cases()
        treatments = treatments_of(followed, counted.areas)
        full_depth_cm = policy_in_force(register).full_depth_cm
        missing = missing_deliveries(register, day, expected)
    geopackage = counted.run / next(iter(counted.summary["files"]))  # the map comes first
    unresolved, crs_wkt = read_layer(geopackage, "hazard_unresolved")
    # Not the layer: decisions are made between runs, and the hectares take them at once.
    cases = case_table(sorted(followed, key=lambda case: case.name), counted.summary["working_crs"])
    ended = _ended(counted, geopackage)
    _require_known(operator, ended)
    areas = _own(counted.areas, operator, "operator")
    return Material(
        operator=operator,
        run=counted.run.resolve().name,
        run_day=day,
        cut_off=latest_date(areas, day),
        crs_wkt=crs_wkt,
        summary=counted.summary,
        hectares=Hectares.of(counted, treatments, full_depth_cm),
        areas=areas,
        overlaps=_own(counted.overlaps, operator, "left_operator", "right_operator"),
        cases=_own(cases, operator, "a_operator", "b_operator"),
        unresolved=_own(unresolved, operator, "operator"),
        ended=tuple(row for row in ended if operator in (None, row[0])),
        missing=missing if operator is None else None,
    )


def _require_known(operator: str | None, ended: Sequence[Ended]) -> None:
    known = sorted({name for name, _ in ended if name})
    if operator is not None and operator not in known:
        raise ConfigError(f"no record is of {operator!r}{did_you_mean(operator, tuple(known))}")


def _own(frame: Frame, operator: str | None, *columns: str) -> Frame:
    """Return the rows in which an operator is named; all, where there is none."""
    if operator is None:
        return frame
    return frame.take(np.logical_or.reduce([frame.flags(name, [operator]) for name in columns]))


def _ended(counted: Counted, geopackage: Path) -> list[Ended]:
    """Return for each record its operator and what became of it."""
    received = {delivery["sha256"][:HASH_LETTERS] for delivery in counted.summary["deliveries"]}
    areas = counted.areas.table.select(["operator", "row_id"]).to_pylist()
    ended: list[Ended] = [
        (row["operator"], "kept" if row["row_id"][:HASH_LETTERS] in received else "earlier") for row in areas
    ]
    for layer, outcome in (("points", "reference"), ("lines", "reference"), ("rejected", "returned")):
        ended += [(operator, outcome) for operator in read_table(geopackage, layer)["operator"].to_pylist()]
    aside = read_table(geopackage, "duplicates").select(["operator", "outcome"]).to_pylist()
    names = {Outcome.DUPLICATE: "duplicates", Outcome.SUPERSEDED: "older_versions"}
    return [*ended, *((row["operator"], names[row["outcome"]]) for row in aside)]
