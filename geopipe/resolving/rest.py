"""What counts as nothing when written rings are compared: strips that rounding leaves along a border."""

from __future__ import annotations

import numpy as np
import shapely

from geopipe.geometry import width_m
from geopipe.register.corners import polygonal

# Ten times what rounding to 1e-9 degrees moves a point: a strip narrower than that is a common border.
REST_M = 1e-3


def is_wide(ground: shapely.Geometry) -> bool:
    """Say whether some part of the ground is wider than what rounding leaves."""
    parts = np.array(shapely.get_parts(polygonal(ground)), dtype=object)
    return bool((width_m(parts[~shapely.is_empty(parts)]) > REST_M).any())
