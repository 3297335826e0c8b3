"""The cases that the register knows, as arrays: what a run is held against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geopipe.crs import choose_operation, transform
from geopipe.io.ledgers.opened import Opened
from geopipe.register.matching import Pairs
from geopipe.register.rows import as_records
from geopipe.schema import Frame, Geometries, Indices, Mask
from geopipe.terms import CaseStatus

_LAST_SIGHTINGS = (
    "SELECT s.case_id, s.number, s.present, s.a_version, s.b_version, s.columns FROM sightings s "
    "JOIN (SELECT case_id, max(number) AS number FROM sightings GROUP BY case_id) USING (number) "
    "ORDER BY s.case_id"
)
_LAST_EVENTS = (
    "SELECT e.case_id, e.status FROM events e "
    "JOIN (SELECT case_id, max(number) AS number FROM events {which} GROUP BY case_id) USING (number)"
)
_LAST_PRESENT = "SELECT case_id, max(number) FROM sightings WHERE present = 1 GROUP BY case_id"
_LOOKED_AT = "SELECT case_id, max(sighting) FROM events WHERE sighting IS NOT NULL GROUP BY case_id"


@dataclass(frozen=True)
class Known:
    """Known cases in the order of their ids; `pairs` are their records as they were last seen.

    `status` is that before a case was not observed, where it is not; `looked_at` is the sighting that its
    last event or its decision is about; `last_present` is the last one with shared ground.
    """

    case_ids: list[str]
    status: list[CaseStatus]
    is_observed: Mask
    present: Mask
    sighting: list[int]
    looked_at: list[int]
    last_present: Indices
    columns: list[str]
    pairs: Pairs

    def __len__(self) -> int:
        return len(self.case_ids)


def known_cases(register: Opened, working_crs: str) -> Known:
    """Return all cases of a register, their records in a working CRS."""
    rows = register.ask(_LAST_SIGHTINGS)
    names = sorted({name for row in rows for name in (row[3], row[4])})
    place = {name: number for number, name in enumerate(names)}
    left, right = (np.array([place[row[side]] for row in rows], dtype=np.intp) for side in (3, 4))
    now = dict(register.ask(_LAST_EVENTS.format(which="")))
    # What people do meanwhile (a position, signed minutes) leaves a case not observed.
    before = dict(register.ask(_LAST_EVENTS.format(which="WHERE status <> ?"), CaseStatus.NOT_OBSERVED.value))
    looked_at: dict[str, int] = dict(register.ask(_LOOKED_AT))
    last_present: dict[str, int] = dict(register.ask(_LAST_PRESENT))
    return Known(
        case_ids=[row[0] for row in rows],
        status=[CaseStatus(before[row[0]]) for row in rows],
        is_observed=np.array([now[row[0]] != CaseStatus.NOT_OBSERVED for row in rows], dtype=bool),
        present=np.array([row[2] for row in rows], dtype=bool),
        sighting=[row[1] for row in rows],
        looked_at=[looked_at[row[0]] for row in rows],
        last_present=np.array([last_present[row[0]] for row in rows], dtype=np.intp),
        columns=[row[5] for row in rows],
        pairs=Pairs(versions(register, names, working_crs), left, right),
    )


def versions(register: Opened, names: Sequence[str], working_crs: str) -> Frame:
    """Return versions of records as FEATURES, in the order of their names, in a working CRS."""
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        places = ", ".join("?" * len(some))
        question = "SELECT version, working_crs, columns, geometry FROM versions "
        for row in register.ask(f"{question} WHERE version IN ({places})", *some):
            found[row[0]] = row
    rows = [found[name] for name in names]
    geometry = np.asarray(shapely.from_wkb([row[3] for row in rows]), dtype=object).reshape(len(rows))
    return as_records(
        list(names),
        [json.loads(row[2]) for row in rows],
        moved_to(geometry, [row[1] for row in rows], working_crs),
    )


def moved_to(geometry: Geometries, stored: Sequence[str], working_crs: str) -> Geometries:
    """Return geometries in a working CRS that were kept in others."""
    result = geometry.copy()
    for crs in set(stored) - {working_crs}:
        which: Indices = np.flatnonzero(np.array([name == crs for name in stored]))
        transformer, _ = choose_operation(crs, working_crs)
        result[which] = transform(result[which], transformer)
    return result
