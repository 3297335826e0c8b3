"""What a page is made from: a finished result, with a register or without, whole or of one operator.

The edition of one operator is narrowed here, before anything is drawn or written: its own areas, points and
hazard that is only drawn, the overlaps and cases that it is part of. Of a partner's record the pages of the
cases tell what `outputs/pack/casepage.py` allows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from geopipe.casework.agenda import plan_meeting
from geopipe.casework.proposal import propose
from geopipe.errors import ConfigError
from geopipe.outputs.html.unregistered import cases_of_overlaps
from geopipe.outputs.pack import material as pack
from geopipe.outputs.pack.overview import own_files
from geopipe.outputs.plots.material import material_of
from geopipe.outputs.workbook.material import own_balance
from geopipe.periods import day_here
from geopipe.policies import load_policy, policy_hash
from geopipe.register.register import Register
from geopipe.reports.cutoff import latest_date
from geopipe.reports.publish import current_run, read_summary
from geopipe.schema import Frame
from geopipe.settings import did_you_mean
from geopipe.statistics.reading import Counted

# A page is of no meeting: the agenda that the pack plans is not shown.
_NO_MEETING, _NO_MINUTES = "", 1
# What of the summary an operator may read beside what is counted anew for it.
_FOR_OPERATORS = ("working_crs", "policy")


@dataclass(frozen=True)
class Material:
    """What a page shows.

    `told` is what the pages of cases are made from, in the equal-area working CRS (m); without a register
    its cases stand for the overlaps. `cut_off` is the latest date in the records. `has_tolerance` says that
    the rules of the run are at hand, so that what a tolerance would accept can be counted.
    """

    told: pack.Material
    gaps: Frame
    cut_off: dt.date | None
    has_register: bool
    has_tolerance: bool

    @property
    def operator(self) -> str | None:
        """For whom it is; None for those who decide."""
        return self.told.meeting.operator


def gather(
    result: Path, workspace: Path, operator: str | None = None, expected: Sequence[str] = ()
) -> Material:
    """Read what a page shows.

    Parameters
    ----------
    result : Path
        Folder that `geopipe run` or `geopipe compare` has written into.
    workspace : Path
        With the register, if the result is of a run with one.
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
    RegisterError
        When the run had a register, and the workspace has none.
    """
    summary = read_summary(current_run(result))
    has_register = "cases" in summary
    if has_register:
        with Register.existing(workspace) as register:
            day = dt.date.fromisoformat(register.runs()[-1]["day"])
        meeting = pack.Meeting(_NO_MEETING, _NO_MINUTES, day, operator)
        told = pack.gather(meeting, workspace, result, expected=expected)
    else:
        told = _of_comparison(current_run(result), summary, operator)
    known_rules = has_register or policy_hash(told.policy) == summary["policy"]["hash"]
    gaps = pack.optional(_geopackage(told), "gaps")
    made = Material(told, gaps, None, has_register, known_rules and operator is None)
    if operator is not None:
        made = _of_operator(made, operator)
    return replace(made, cut_off=latest_date(made.told.areas, told.run_day))


def _geopackage(told: pack.Material) -> Path:
    return told.run / str(next(iter(told.summary["files"])))  # the map comes first


def _of_comparison(run: Path, summary: dict[str, Any], operator: str | None) -> pack.Material:
    """Return the material of a result without a register: its overlaps stand where cases would."""
    day = day_here(dt.datetime.fromisoformat(summary["run"]["started_at"]))
    layers = pack.layers_of(run / next(iter(summary["files"])))
    counted = Counted(run, layers["areas"], layers["overlaps"], summary)
    policy, meeting = load_policy(), pack.Meeting(_NO_MEETING, _NO_MINUTES, day, operator)
    cases = cases_of_overlaps(layers["areas"], layers["overlaps"], summary["working_crs"], day)
    known = sorted({name for case in cases for name in case.operators})
    if operator is not None and operator not in known:
        raise ConfigError(f"no overlap is of {operator!r}{did_you_mean(operator, tuple(known))}")
    proposals = {case.case_id: propose(case, policy) for case in cases}
    return pack.Material(
        meeting=meeting, cases=tuple(case for case in cases if operator in (None, *case.operators)),
        proposals=proposals, agenda=plan_meeting((), {}, _NO_MINUTES, day), decisions={}, policy=policy,
        run=run, run_day=day, summary=summary, working_crs=summary["working_crs"], missing=None,
        changes=None, plots=material_of(counted, None, operator), **layers,
    )  # fmt: skip


def _of_operator(made: Material, operator: str) -> Material:
    """Return what one operator may see, and nothing else."""
    told = made.told
    files = own_files(told) or set()
    summary = {
        **{name: told.summary[name] for name in _FOR_OPERATORS},
        "balance": own_balance(_geopackage(told), operator),
        "deliveries": [item for item in told.summary["deliveries"] if item["file"] in files],
        "not_read": [item for item in told.summary["not_read"] if item["operator"] == operator],
    }
    overlaps = told.overlaps.take(
        told.overlaps.flags("left_operator", [operator]) | told.overlaps.flags("right_operator", [operator])
    )
    ids = {side.record_id for case in told.cases for side in (case.sighting.a, case.sighting.b)}
    own = replace(
        told, summary=summary, overlaps=overlaps,
        missing=None if told.missing is None else tuple(name for name in told.missing if name == operator),
        areas=_own(told.areas, operator), points=_own(told.points, operator),
        unresolved=_own(told.unresolved, operator),
        proposals={case.case_id: told.proposals[case.case_id] for case in told.cases},
        national_ids={name: other for name, other in told.national_ids.items() if name in ids},
    )  # fmt: skip
    return replace(made, told=own, gaps=_own_gaps(made.gaps, operator))


def _own(frame: Frame, operator: str) -> Frame:
    return frame.take(frame.flags("operator", [operator]))


def _own_gaps(gaps: Frame, operator: str) -> Frame:
    """Return the strips beside which only the operator's own releases lie: others would show by them."""
    if not len(gaps):
        return gaps
    beside = gaps.table["neighbour_operators"].to_pylist()
    alone = np.array([name == operator for name in beside], dtype=bool)
    return gaps.take(alone & gaps.flags("operator", [operator]))
