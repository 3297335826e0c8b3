"""Confirmed decisions carried out on a copy, for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geopipe.face.frames import dataframe
from geopipe.face.register import Register
from geopipe.reports.layers import working_crs_wkt
from geopipe.resolving.write import Resolved, try_requests
from geopipe.running import last_state

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

_NOTHING = shapely.Polygon()


@dataclass(frozen=True)
class Corrections:
    """What the confirmed decisions make of the records. Nothing is changed: operators correct their own."""

    resolved: Resolved

    @property
    def changes(self) -> geopandas.GeoDataFrame:
        """The records that change: before (geometry) and `after` (working CRS, m; empty where withdrawn).

        `lost_m2` and `gained_m2` say how much.
        """
        import geopandas

        done = self.resolved.resolution
        by_row = {item.row: (operator, item) for operator, request in self.resolved.requests.items()
                  for item in request.records}  # fmt: skip
        rows = [row for row in done.after if row in by_row]
        before = np.array([done.before[row] for row in rows], dtype=object)
        after = np.array([done.after[row] or _NOTHING for row in rows], dtype=object)
        return geopandas.GeoDataFrame(
            {
                "operator": [by_row[row][0] for row in rows],
                "own_id": [by_row[row][1].own_id for row in rows],
                "cases": [", ".join(item.case.name for item in done.decisions_on[row]) for row in rows],
                "lost_m2": shapely.area(shapely.difference(before, after)),
                "gained_m2": shapely.area(shapely.difference(after, before)),
                "after": geopandas.GeoSeries(after, crs=working_crs_wkt(done.working_crs)),
            },
            geometry=before,
            crs=working_crs_wkt(done.working_crs),
        )

    @property
    def not_applied(self) -> pd.DataFrame:
        """Confirmed decisions that were not carried out, and why."""
        items = self.resolved.resolution.not_applied
        rows = [{"case": item.case.name, "reasons": " ".join(item.reasons)} for item in items]
        return dataframe(rows, ("case", "reasons"))

    def __str__(self) -> str:
        done = self.resolved.resolution
        if not done.applied and not done.not_applied:
            return "No confirmed decision changes a record: there is nothing to carry out."
        return (
            f"Confirmed decisions carried out on a copy: {len(done.applied):,}; "
            f"not carried out: {len(done.not_applied):,}. "
            f"After rounding and reading again: {self.resolved.proof}."
        )


def resolve(register: Register) -> Corrections:
    """Carry out the confirmed decisions of a register on a copy of the last run's records.

    Provisional decisions have no effect. `geopipe resolve` writes the change requests for the operators.

    Parameters
    ----------
    register : Register

    Returns
    -------
    Corrections
    """
    with register.file() as file:
        cases = file.cases()
    state = last_state(register.workspace)
    return Corrections(try_requests(state.features, cases, state.working_crs))
