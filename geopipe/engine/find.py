"""Find the pairs of areas that share ground: candidates, what is known of them, and measuring the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geopipe.engine.candidates import all_pairs
from geopipe.engine.known import Known, KnownPairs, pair_keys
from geopipe.engine.measure import Measured, measure
from geopipe.schema import Geometries, Indices


@dataclass(frozen=True)
class Engine:
    """How pairs are found.

    Parameters
    ----------
    known : KnownPairs, optional
        What an earlier run has measured; it changes nothing of what is found.
    """

    known: KnownPairs | None = None

    def pairs(self, geometry: Geometries, rank: Indices, narrow_m: float) -> Measured:
        """Return all pairs that share ground, sorted by their rows.

        Parameters
        ----------
        geometry : array of valid polygons, equal-area CRS in metres
        rank : array of int
            The area of lower rank is the left one of a pair; all are different.
        narrow_m : float
            See :func:`geopipe.engine.measure.measure`.
        """
        one, other = all_pairs(geometry)
        swap = rank[one] > rank[other]
        left, right = np.where(swap, other, one), np.where(swap, one, other)
        if self.known is None:
            return measure(geometry, left, right, narrow_m).in_order()
        known = Known(self.known, pair_keys(geometry, left, right), left, right)
        new = measure(geometry, left[known.is_new], right[known.is_new], narrow_m)
        return known.complete(new).in_order()
