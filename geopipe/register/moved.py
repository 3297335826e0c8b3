"""When a polygon counts as moved: beyond rounding, and beyond what the policy allows."""

from __future__ import annotations

import numpy as np
import shapely

from geopipe.geometry import overlaid, polygon_parts, width_m
from geopipe.policies import MovedRules


def is_moved(before: shapely.Geometry, now: shapely.Geometry, rules: MovedRules) -> bool:
    """Say whether two polygons (m, one equal-area CRS) differ by more than the rules allow.

    They do where a part of their difference is wider than `width_m`, or where the whole of it is larger than
    `area_m2` and what rounding leaves along the border (`rounding_m` times its length).
    """
    if shapely.equals_exact(before, now, 0.0):
        return False
    other = overlaid(shapely.symmetric_difference, before, now)
    border_m = max(shapely.length(before), shapely.length(now))
    if shapely.area(other) > rules.area_m2 + rules.rounding_m * border_m:
        return True
    parts = shapely.get_parts(polygon_parts(np.array([other], dtype=object)))
    return bool((width_m(parts) > rules.width_m).any())


def lost_m2(before: shapely.Geometry, now: shapely.Geometry | None) -> float:
    """Return the area (m2) of the ground that a record has given up."""
    lost = before if now is None else overlaid(shapely.difference, before, now)
    return float(shapely.area(lost))
