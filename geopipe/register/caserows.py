"""Cases column by column: many are drawn and listed without an object for each record and each event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from geopipe.register.case import Case, Standing
from geopipe.schema import Geometries

# What a table of cases says of each of the two records, from `RECORD_COLUMNS`.
SIDE_COLUMNS = (
    "record_id", "operator", "kind", "status", "date_surveyed", "date_completed", "province_located",
    "province_stated", "district_located", "district_stated",
)  # fmt: skip

Columns: TypeAlias = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class CaseRows:
    """Cases as columns of one length.

    `seen` are the columns of the last sighting of each, a mapping for each; `a` and `b` are `SIDE_COLUMNS` of
    its records. `geometry` is the ground that was shared last, each in its `working_crs` (m).
    """

    standing: Sequence[Standing]
    seen: Sequence[Mapping[str, Any]]
    a: Columns
    b: Columns
    geometry: Geometries
    working_crs: Sequence[str]


def rows_of(cases: Sequence[Case]) -> CaseRows:
    """Return cases as columns, in the order given."""
    geometry = np.empty(len(cases), dtype=object)
    geometry[:] = [case.sighting.geometry for case in cases]
    return CaseRows(
        standing=cases,
        seen=[case.sighting.columns for case in cases],
        a={name: [case.sighting.a.columns[name] for case in cases] for name in SIDE_COLUMNS},
        b={name: [case.sighting.b.columns[name] for case in cases] for name in SIDE_COLUMNS},
        geometry=geometry,
        working_crs=[case.sighting.working_crs for case in cases],
    )
