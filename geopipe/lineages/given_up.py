"""Hazard that people decided to give up: how much of lost ground nobody has decided about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geopipe.geometry import overlaid
from geopipe.lineages.changed_ground import difference
from geopipe.schema import Frame, Indices
from geopipe.terms import HAZARD_KINDS


@dataclass(frozen=True)
class GivenUp:
    """What was decided to give up (GIVEN_UP), and the ground that it is held against, in one CRS (m).

    `old` are the records before and `new` those of this run; `staying` are the rows of `old` that are on
    the map whatever becomes of what was given up. Ground within `tolerance_m` of what may go may go too.
    """

    decided: Frame
    old: Frame
    new: Frame
    staying: Indices
    tolerance_m: float

    def left_of(self, ground: Any, rows: Indices) -> tuple[Any, list[str]]:
        """Return what of the ground nobody decided to give up, None where nothing is left, and who did.

        Each record may give up what was decided about itself; and where those who decided relied on another
        hazard record, only as far as hazard still covers that ground.
        """
        decided = self.decided.take(
            self.decided.flags("version_id", self.old.take(rows).values("version_id"))
        )
        if ground is None or not len(decided):
            return ground, []
        left = []
        for row in rows:
            may_go = decided.take(
                decided.flags("version_id", self.old.take(np.array([row])).values("version_id"))
            )
            left.append(
                self._not_given_up(overlaid(shapely.intersection, ground, self.old.geometry[row]), may_go)
            )
        rest = overlaid(shapely.union_all, np.array(left, dtype=object))
        return (None if shapely.is_empty(rest) else rest), decided.values("reason")

    def _not_given_up(self, ground: Any, may_go: Frame) -> Any:
        stays = may_go.numpy("stays_hazard").astype(bool)
        free = overlaid(shapely.union_all, may_go.geometry[~stays])
        covered = overlaid(shapely.union_all, may_go.geometry[stays])
        if not shapely.is_empty(covered):
            covered = overlaid(shapely.intersection, covered, self._hazard_on(covered))
        allowed = shapely.buffer(overlaid(shapely.union, free, covered), self.tolerance_m, join_style="mitre")
        if shapely.covers(allowed, ground):
            return shapely.Polygon()
        return difference(np.array([ground]), np.array([allowed]))[0]

    def _hazard_on(self, ground: Any) -> Any:
        """Return the open hazard on some ground that is on the map whatever becomes of what was given up."""
        found: list[Any] = []
        for areas in (self.new, self.old.take(self.staying)):
            is_open = areas.flags("kind", sorted(HAZARD_KINDS)) & ~areas.flags("status", ["closed"])
            found += list(areas.geometry[is_open & shapely.intersects(areas.geometry, ground)])
        return overlaid(shapely.union_all, np.array([shapely.Polygon(), *found], dtype=object))
