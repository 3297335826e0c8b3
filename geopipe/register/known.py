"""The cases that the register knows, as arrays: what a run is held against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely

from geopipe.crs import choose_operation, transform
from geopipe.io.ledgers.opened import Opened
from geopipe.register.matching import Pairs
from geopipe.register.rows import as_records, many_from_json
from geopipe.schema import Frame, Geometries, Indices, Mask
from geopipe.terms import HAZARD_KINDS, CaseStatus

_LAST_SIGHTINGS = (
    "SELECT s.case_id, s.number, s.present, s.a_version, s.b_version, s.columns FROM sightings s "
    "JOIN (SELECT case_id, max(number) AS number FROM sightings GROUP BY case_id) USING (number) "
    "ORDER BY s.case_id"
)
# Names, however many, are handed over as one text of JSON.
NAMED = "(SELECT value FROM json_each(?))"
_LAST_PRESENT = (
    f"SELECT case_id, max(number) FROM sightings WHERE case_id IN {NAMED} AND present = 1 GROUP BY case_id"  # noqa: S608
)
_EVENTS = "SELECT case_id, status, sighting FROM events ORDER BY number"

# These are held against the data in each run: people may have decided since.
_LOOKED_AT_ALWAYS = frozenset(
    {
        CaseStatus.DECIDED,
        CaseStatus.CORRECTED,
        CaseStatus.EXCEPTION,
        CaseStatus.CORRECTED_DIFFERENTLY,
        CaseStatus.NEEDS_REVIEW,
    }
)


@dataclass(frozen=True)
class Known:
    """Known cases in the order of their ids.

    `status` is that before a case was not observed, where it is not; `looked_at` is the sighting that its
    last event or its decision is about; `last_present` is the last one with shared ground. `names` are the
    versions of all records as they were last seen, `left` and `right` rows of it; what these versions hold
    is read when somebody asks.
    """

    case_ids: list[str]
    status: list[CaseStatus]
    is_observed: Mask
    present: Mask
    sighting: list[int]
    looked_at: list[int]
    last_present: Indices
    columns: list[str]
    names: list[str]
    left: Indices
    right: Indices
    versions: Versions

    def is_settled(self, case: int) -> bool:
        """Say whether only a new sighting can change the status of a case."""
        return bool(self.is_observed[case]) and self.status[case] not in _LOOKED_AT_ALWAYS

    def sides(self, case: int) -> tuple[str, str]:
        """Return the versions of both records of a case, as they were last seen."""
        return self.names[self.left[case]], self.names[self.right[case]]

    def pairs(self, cases: Indices) -> Pairs:
        """Return the records of some cases."""
        sides = np.concatenate([self.left[cases], self.right[cases]])
        rows, places = np.unique(sides, return_inverse=True)
        records = self.versions.read([self.names[row] for row in rows.tolist()])
        return Pairs(records, places[: len(cases)], places[len(cases) :])


def known_cases(register: Opened, working_crs: str) -> Known:
    """Return all cases of a register, their records in a working CRS."""
    rows = register.ask(_LAST_SIGHTINGS)
    names = sorted({name for row in rows for name in (row[3], row[4])})
    place = {name: number for number, name in enumerate(names)}
    present = {row[0]: row[1] for row in rows if row[2]}
    gone = [row[0] for row in rows if not row[2]]
    last_present = present | dict(register.ask(_LAST_PRESENT, json.dumps(gone)))
    now: dict[str, str] = {}
    before: dict[str, str] = {}
    looked_at: dict[str, int] = {}
    for case_id, status, sighting in register.ask(_EVENTS):
        now[case_id] = status
        # What people do meanwhile (a position, signed minutes) leaves a case not observed.
        if status != CaseStatus.NOT_OBSERVED:
            before[case_id] = status
        if sighting is not None:
            looked_at[case_id] = max(sighting, looked_at.get(case_id, 0))
    return Known(
        case_ids=[row[0] for row in rows],
        status=[CaseStatus(before[row[0]]) for row in rows],
        is_observed=np.array([now[row[0]] != CaseStatus.NOT_OBSERVED for row in rows], dtype=bool),
        present=np.array([row[2] for row in rows], dtype=bool),
        sighting=[row[1] for row in rows],
        looked_at=[looked_at[row[0]] for row in rows],
        last_present=np.array([last_present[row[0]] for row in rows], dtype=np.intp),
        columns=[row[5] for row in rows],
        names=names,
        left=np.array([place[row[3]] for row in rows], dtype=np.intp),
        right=np.array([place[row[4]] for row in rows], dtype=np.intp),
        versions=Versions(register, working_crs),
    )


class Versions:
    """Versions of records as a register keeps them, in a working CRS (m); what was read is remembered.

    A version's name is a hash of its content, so that what is remembered cannot grow old.
    """

    def __init__(self, register: Opened, working_crs: str) -> None:
        self._register, self._working_crs = register, working_crs
        self._read: dict[str, tuple[shapely.Geometry, str]] = {}

    def read(self, names: Sequence[str]) -> Frame:
        """Return versions as FEATURES, in the order of their names."""
        records = versions(self._register, names, self._working_crs)
        kinds = records.table["kind"].to_pylist()
        self._read |= dict(zip(names, zip(records.geometry, kinds, strict=True), strict=True))
        return records

    def version_ids(self, names: Sequence[str]) -> list[str]:
        """Return the `version_id` of some versions, in no order."""
        question = f"SELECT columns ->> 'version_id' FROM versions WHERE version IN {NAMED}"  # noqa: S608
        return [name for (name,) in self._register.ask(question, json.dumps(names))]

    def ground(self, name: str) -> shapely.Geometry:
        """Return the polygon of a version."""
        return self._one(name)[0]

    def is_hazard(self, name: str) -> bool:
        """Say whether a version is a hazard record."""
        return self._one(name)[1] in HAZARD_KINDS

    def _one(self, name: str) -> tuple[shapely.Geometry, str]:
        if name not in self._read:
            self.read([name])
        return self._read[name]


class Kept(NamedTuple):
    """A version as it is kept: `columns` is JSON, `geometry` WKB in `working_crs`."""

    working_crs: str
    columns: str
    geometry: bytes


def kept_versions(register: Opened, names: Sequence[str]) -> dict[str, Kept]:
    """Return versions of records by their names, in the order of these."""
    question = f"SELECT version, working_crs, columns, geometry FROM versions WHERE version IN {NAMED}"  # noqa: S608
    found = {row[0]: Kept(*row[1:]) for row in register.ask(question, json.dumps(names))}
    return {name: found[name] for name in names}


def versions(register: Opened, names: Sequence[str], working_crs: str) -> Frame:
    """Return versions of records as FEATURES, in the order of their names, in a working CRS."""
    kept = kept_versions(register, names)
    rows = [kept[name] for name in names]
    geometry = np.asarray(shapely.from_wkb([row.geometry for row in rows]), dtype=object).reshape(len(rows))
    return as_records(
        list(names),
        many_from_json([row.columns for row in rows]),
        moved_to(geometry, [row.working_crs for row in rows], working_crs),
    )


def moved_to(geometry: Geometries, stored: Sequence[str], working_crs: str) -> Geometries:
    """Return geometries in a working CRS that were kept in others."""
    result = geometry.copy()
    for crs in set(stored) - {working_crs}:
        which: Indices = np.flatnonzero(np.array([name == crs for name in stored]))
        transformer, _ = choose_operation(crs, working_crs)
        result[which] = transform(result[which], transformer)
    return result
