"""Sensitivity for notebooks: how many overlaps lie under which limits, and which no tolerance may accept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geopipe.face.frames import dataframe
from geopipe.reports.policywords import NEVER_WORDS
from geopipe.reports.sensitivity import table
from geopipe.reports.sensitivity.text import text_of
from geopipe.reports.sensitivity.units import PAIR
from geopipe.tolerance import Never

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sensitivity:
    """What `geopipe policy sensitivity` shows. Printed, it is the same table. It changes nothing."""

    found: table.Sensitivity

    @property
    def rows(self) -> pd.DataFrame:
        """Every row: kinds, operators, basis (part, pair, site, own area), limits, counts (m2, m)."""
        return dataframe([vars(row) for row in self.found.rows])

    @property
    def counts(self) -> pd.DataFrame:
        """Pairs under each area (rows, m2) and under each width (columns, m); `any` is no limit."""
        limits = self.found.policy.sensitivity
        return self._by_limits(
            {
                _limit(width_m, "m"): [
                    self.found.row(table.ALL, table.ALL, PAIR, area_m2, width_m).count
                    for area_m2 in (*limits.areas_m2, None)
                ]
                for width_m in (*limits.widths_m, None)
            }
        )

    @property
    def never(self) -> pd.DataFrame:
        """Pairs under each area (m2) that no tolerance may accept, by reason (one pair may have several)."""
        limits = self.found.policy.sensitivity
        rows = [
            self.found.row(table.ALL, table.ALL, PAIR, area_m2, None) for area_m2 in (*limits.areas_m2, None)
        ]
        reasons = {
            NEVER_WORDS[reason]: [row.never_because.get(reason, 0) for row in rows]
            for reason in Never
            if rows[-1].never_because.get(reason)
        }
        return self._by_limits(
            {
                "overlaps": [row.count for row in rows],
                **reasons,
                "for one of the reasons": [row.never for row in rows],
                "all others": [row.count - row.never for row in rows],
            }
        )

    @property
    def rounding(self) -> pd.DataFrame:
        """What rounding of coordinates alone makes of an edge: apart (m), edge (m), area (m2)."""
        return dataframe([vars(item) for item in self.found.rounding])

    @property
    def in_force(self) -> bool:
        """Say whether the policy holds a tolerance that is signed and in force."""
        return not self.found.why_not_in_force

    def _by_limits(self, columns: dict[str, list[int]]) -> pd.DataFrame:
        import pandas as pd

        areas_m2 = (*self.found.policy.sensitivity.areas_m2, None)
        index = pd.Index([_limit(area_m2, "m2") for area_m2 in areas_m2], name="smaller than")
        return pd.DataFrame(columns, index=index)

    def __str__(self) -> str:
        return text_of(self.found)


def _limit(value: float | None, unit: str) -> str:
    return "any" if value is None else f"{value:g} {unit}"
