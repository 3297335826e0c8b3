"""What a limit may be about: the parts of overlaps, pairs of records, or sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.schema import Frame, Indices, Mask
from geopipe.tolerance import Never, Sizes

Figures = NDArray[np.float64]
PART, PAIR, SITE, OWN_AREA = "part", "pair", "site", "site_own_area"
# Sides of a square are no border that was drawn twice, but of a strip, half of the perimeter is.
_SHARED_BORDER = 0.5


@dataclass(frozen=True)
class Units:
    """Things of one sort, each with what a limit is held against.

    `area_m2` and `width_m` are of the shared ground (of the site itself for `site_own_area`, which has no
    width); `border_m` is half of its perimeter: how long the border is that two records share there.
    `unit` and `pair` say which overlaps each thing has.
    """

    basis: str
    area_m2: Figures
    width_m: Figures
    border_m: Figures
    never: Mapping[Never, Mask]
    unit: Indices
    pair: Indices

    def of(self, pairs: Mask) -> Indices:
        """Return the things that have one of these overlaps, each once."""
        return np.unique(self.unit[pairs[self.pair]])


def units_of(cases: Frame, never: Mapping[Never, Mask], up_to_m: float) -> Sequence[Units]:
    """Return parts, pairs, sites with all their overlaps, and sites by their own area.

    Parameters
    ----------
    cases : Frame
        Overlaps that are cases, in an equal-area CRS (m).
    never : mapping of reason to mask
        Overlaps that no tolerance may accept.
    up_to_m : float
        The largest width that is asked for; above it a width is only known to be larger.
    """
    sizes = Sizes.of(cases, up_to_m)
    rows = np.arange(len(cases))
    part_border_m = _SHARED_BORDER * shapely.length(sizes.parts)
    border_m = _sums(part_border_m, sizes.pair, len(cases))
    site, pair = np.concatenate(sizes.sites), np.tile(rows, 2)
    sites = len(sizes.site_m2)
    of_site = {reason: _any(mask[pair], site, sites) for reason, mask in never.items()}
    return (
        Units(PART, shapely.area(sizes.parts), sizes.part_width_m, part_border_m,
              {reason: mask[sizes.pair] for reason, mask in never.items()},
              np.arange(len(sizes.parts)), sizes.pair),
        Units(PAIR, sizes.pair_m2, sizes.pair_width_m, border_m, never, rows, rows),
        Units(SITE, sizes.site_m2, sizes.site_width_m, _sums(border_m[pair], site, sites),
              of_site, site, pair),
        Units(OWN_AREA, _own_area_m2(cases, site, sites), np.full(sites, np.nan), np.full(sites, np.nan),
              of_site, site, pair),
    )  # fmt: skip


def _sums(values: Figures, of: Indices, size: int) -> Figures:
    """Add up for each thing what its overlaps have."""
    return np.bincount(of, values, size).astype(np.float64)


def _any(mask: Mask, of: Indices, size: int) -> Mask:
    """Say for each thing whether one of its overlaps has a mark."""
    marked = np.zeros(size, dtype=bool)
    marked[of[mask]] = True
    return marked


def _own_area_m2(cases: Frame, site: Indices, sites: int) -> Figures:
    """Return the area of each record, of which the share of the overlap is known."""
    own = np.zeros(sites)
    area_m2 = cases.numpy("area_m2").astype(float)
    shares = np.concatenate([cases.numpy(f"{side}_share").astype(float) for side in ("left", "right")])
    own[site] = np.tile(area_m2, 2) / shares
    return own
