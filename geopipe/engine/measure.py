"""Measure pairs of areas: their shared ground, and what depends on nothing but the two polygons."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.geometry import mean_width_m, width_m
from geopipe.overlay import shared_ground
from geopipe.schema import Geometries, Indices, Mask

# A border that runs within a micrometre of another one touches it: coordinates of turning points
# delivered in different CRSs agree to some nanometres, PROJ's round trips to 12 nm.
TOUCH_M = 1e-6


@dataclass(frozen=True)
class Measured:
    """Pairs (row numbers) that share ground, with polygons, m2 and m in the working CRS.

    `width_m` is NaN where the shared ground is so wide that nobody asks (see :func:`measure`).
    """

    left: Indices
    right: Indices
    geometry: Geometries
    area_m2: NDArray[np.float64]
    perimeter_m: NDArray[np.float64]
    width_m: NDArray[np.float64]
    confidence: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: Mask | Indices) -> Measured:
        """Return the pairs of a mask or of positions, in that order."""
        return Measured(*(getattr(self, item.name)[which] for item in fields(self)))

    def in_order(self) -> Measured:
        """Return the pairs sorted by left and right row: who measured them shows nowhere."""
        return self.take(np.lexsort((self.right, self.left)))


def joined(parts: list[Measured]) -> Measured:
    """Return the pairs of several parts, one after the other."""
    if not parts:
        none = np.empty(0)
        rows, things = none.astype(np.intp), none.astype(object)
        return Measured(rows, rows, things, none, none, none, things)
    return Measured(
        *(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Measured))
    )


def measure(geometry: Geometries, left: Indices, right: Indices, narrow_m: float) -> Measured:
    """Measure candidate pairs; those that share no ground are left out.

    Parameters
    ----------
    geometry : array of valid polygons, equal-area CRS in metres
    left, right : arrays of row numbers
    narrow_m : float
        The width of the largest circle that fits is measured where the mean width is below this: it takes
        longer than everything else.
    """
    ground = shared_ground(geometry, left, right, TOUCH_M)
    perimeter_m = shapely.length(ground.geometry)
    narrow = mean_width_m(ground.area_m2, perimeter_m) < narrow_m
    widths_m = np.full(len(ground.left), np.nan)
    widths_m[narrow] = width_m(ground.geometry[narrow])
    return Measured(
        ground.left, ground.right, ground.geometry, ground.area_m2, perimeter_m, widths_m, ground.confidence
    )
