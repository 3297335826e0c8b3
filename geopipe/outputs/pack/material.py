"""What a pack is made from: the finished run, its register, and who reads the pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geopipe.casework.agenda import Agenda, plan_meeting
from geopipe.casework.proposal import Proposal, propose
from geopipe.casework.rules import policy_in_force
from geopipe.config import load_vocabulary
from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import read_layer
from geopipe.outputs.plots.material import Material as PlotMaterial
from geopipe.outputs.plots.material import known_of, material_of
from geopipe.policies import Policy
from geopipe.recognition import point_meanings
from geopipe.register.case import Case, Decision
from geopipe.register.casefiles import decisions_of
from geopipe.register.diff.difference import difference
from geopipe.register.diff.moments import before_day, day_of, now
from geopipe.register.known import moved_to
from geopipe.register.register import Register
from geopipe.reports.lastrun import last_run, missing_deliveries
from geopipe.reports.publish import current_run, read_summary
from geopipe.schema import Frame
from geopipe.settings import did_you_mean
from geopipe.statistics.reading import Counted


@dataclass(frozen=True)
class Meeting:
    """The meeting that a pack is for. `operator` is None for those who decide."""

    name: str
    minutes: int
    day: dt.date
    operator: str | None = None


@dataclass(frozen=True)
class Ground:
    """The three polygons of a case in the working CRS of the run (m)."""

    a: shapely.Geometry
    b: shapely.Geometry
    overlap: shapely.Geometry


@dataclass(frozen=True)
class Material:
    """A finished run with its register; geometry in the equal-area `working_crs` (m).

    For an operator, `cases` and `agenda` hold its own cases only, `proposals` those of all.
    """

    meeting: Meeting
    cases: tuple[Case, ...]
    proposals: Mapping[str, Proposal]
    agenda: Agenda
    decisions: Mapping[str, Sequence[Decision]]
    policy: Policy
    run: Path
    run_day: dt.date
    summary: Mapping[str, Any]
    working_crs: str
    areas: Frame
    overlaps: Frame
    points: Frame
    unresolved: Frame
    national_ids: Mapping[str, str]
    missing: tuple[str, ...] | None
    changes: Mapping[str, Any] | None
    plots: PlotMaterial
    since: str = ""

    @cached_property
    def grounds(self) -> dict[str, Ground]:
        """The polygons of each case, in the working CRS of the run."""
        stored = [case.sighting.working_crs for case in self.cases]
        seen = [case.sighting for case in self.cases]
        grounds = np.empty((3, len(seen)), dtype=object)
        grounds[0] = [item.a.geometry for item in seen]
        grounds[1] = [item.b.geometry for item in seen]
        grounds[2] = [item.geometry for item in seen]
        moved = [moved_to(ground, stored, self.working_crs) for ground in grounds]
        rows = zip(self.cases, *moved, strict=True)
        return {case.case_id: Ground(a, b, overlap) for case, a, b, overlap in rows}

    @cached_property
    def decided(self) -> tuple[Case, ...]:
        """The cases about which something was decided; of thousands they are few."""
        return tuple(case for case in self.cases if self.decisions.get(case.case_id))

    @cached_property
    def origin(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Where each record came from: its file and its CRS, by record and version."""
        names = ("record_id", "version_id", "file", "source_crs")
        rows = zip(*(self.areas.table[name].to_pylist() for name in names), strict=True)
        return {(record, version): (file, crs) for record, version, file, crs in rows}

    @cached_property
    def near_areas(self) -> shapely.STRtree:
        """All areas, to find neighbours."""
        return shapely.STRtree(self.areas.geometry)

    @cached_property
    def near_points(self) -> shapely.STRtree:
        """All points that may be finds or evidence."""
        return shapely.STRtree(self.points.geometry)

    @cached_property
    def near_unresolved(self) -> shapely.STRtree:
        """All hazard that is only drawn."""
        return shapely.STRtree(self.unresolved.geometry)


def gather(
    meeting: Meeting, workspace: Path, result: Path, since: str = "", expected: Sequence[str] = ()
) -> Material:
    """Read what a pack needs.

    Parameters
    ----------
    meeting : Meeting
    workspace : Path
        With the register.
    result : Path
        Folder that a run has written into.
    since : str
        A day or a meeting, to tell what has changed since.
    expected : sequence of str
        Operators who should have delivered for the quarter of the run.

    Raises
    ------
    ConfigError
        When there is no such operator or meeting, or the result is not of the register's last run.
    OutputError
        When the folder holds no finished result.
    """
    run = current_run(result)
    with Register.existing(workspace) as register:
        cases = tuple(register.cases())
        _require_operator(meeting.operator, cases)
        decisions = {case.case_id: decisions_of(register, case.case_id) for case in cases if case.decision}
        known = known_of(register, cases)
        policy, day = policy_in_force(register), last_run(register, run).day
        told = _changes(register, since) if since and meeting.operator is None else None
        missing = missing_deliveries(register, day, expected)
    summary = read_summary(run)
    layers = layers_of(run / next(iter(summary["files"])))  # the map comes first
    counted = Counted(run, layers["areas"], layers["overlaps"], summary)
    proposals = {case.case_id: propose(case, policy) for case in cases}
    return Material(
        meeting=meeting, cases=_of(meeting.operator, cases), proposals=proposals,
        agenda=_agenda(meeting, cases, proposals), decisions=decisions, policy=policy, run=run,
        run_day=day, summary=summary, working_crs=summary["working_crs"], missing=missing, changes=told,
        since=since, plots=material_of(counted, known, meeting.operator), **layers,
    )  # fmt: skip


def layers_of(geopackage: Path) -> dict[str, Any]:
    """Return what pages show of the layers of a result, under the names that `Material` has for it.

    Raises
    ------
    OutputError
        When it has no areas or no overlaps.
    """
    return {
        "areas": read_layer(geopackage, "areas")[0],
        "overlaps": read_layer(geopackage, "overlaps")[0],
        "points": _finds(geopackage),
        "unresolved": optional(geopackage, "hazard_unresolved"),
        "national_ids": _national_ids(geopackage),
    }


def _changes(register: Register, since: str) -> dict[str, Any]:
    return difference(register, before_day(register, day_of(register, since)), now(register))


def _require_operator(operator: str | None, cases: Sequence[Case]) -> None:
    known = sorted({name for case in cases for name in case.operators})
    if operator is not None and operator not in known:
        raise ConfigError(f"no case is about {operator!r}{did_you_mean(operator, tuple(known))}")


def _of(operator: str | None, cases: tuple[Case, ...]) -> tuple[Case, ...]:
    return tuple(case for case in cases if operator is None or operator in case.operators)


def _agenda(meeting: Meeting, cases: tuple[Case, ...], proposals: Mapping[str, Proposal]) -> Agenda:
    """Return the agenda of the whole meeting; of an operator the part that is about its cases."""
    choices = {name: proposal.choice for name, proposal in proposals.items()}
    whole = plan_meeting(cases, choices, meeting.minutes, meeting.day)
    parts: dict[str, Any] = {
        name: _of(meeting.operator, part) for name, part in vars(whole).items() if isinstance(part, tuple)
    }
    return replace(whole, **parts)


def optional(geopackage: Path, name: str) -> Frame:
    """Return a layer, without rows where the result was made without it."""
    try:
        return read_layer(geopackage, name)[0]
    except OutputError:
        empty, _ = read_layer(geopackage, "areas")
        return empty.take(np.array([], dtype=np.intp))


def _finds(geopackage: Path) -> Frame:
    """Return the points that are not known to be harmless."""
    points = optional(geopackage, "points")
    if not len(points):
        return points
    return points.take(point_meanings(points.table["point_type"], load_vocabulary()) != "harmless")


def _national_ids(geopackage: Path) -> dict[str, str]:
    """Return the id in the national database of each record that has a copy there."""
    try:
        copies, _ = read_layer(geopackage, "copies")
    except OutputError:
        return {}
    pairs = zip(*(copies.table[name].to_pylist() for name in ("operator_id", "national_id")), strict=True)
    return {own: national for own, national in pairs if own and national}
