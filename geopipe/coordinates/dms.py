"""Degrees, minutes and seconds that were written as if they were a decimal number: 103.4530 for 103°45'30".

Such a number betrays itself: the digits behind the point never show 60 or more minutes or seconds,
which true decimal degrees do in 64 of 100 places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geopipe.coordinates.corrections import degrees_of_dms

Floats: TypeAlias = NDArray[np.float64]

# Share of decimal degrees whose third and fourth decimals are under 60.
_BY_CHANCE = 0.6
# A look at this many turning points is enough to see that most files are truly decimal.
_GLANCE = 5_000
_GLANCE_SHARE = 0.9


@dataclass(frozen=True)
class DmsEvidence:
    """How well the digits of a layer fit minutes and seconds.

    Attributes
    ----------
    cells : int
        Stretches of 0.01 degree, counted along both axes, in which turning points lie.
    fitting : int
        Those of them in which no point shows 60 or more minutes or seconds.
    distinct_seconds : int
        Different whole seconds, on the axis that has fewer.
    chance : float
        Upper bound for the probability that true decimal degrees fit as well.
    """

    cells: int
    fitting: int
    distinct_seconds: int
    chance: float


def _seconds(values: Floats) -> Floats:
    """Return the whole seconds that the digits of each value show, which may be 60 and more."""
    # To a millionth of a second: more than the digits of a float64 can spoil.
    return np.asarray(np.floor(np.round(np.abs(values) * 1e4, 6) % 100))


def dms_evidence(vertices: Floats) -> DmsEvidence | None:
    """Weigh the digits of a layer's turning points (n, 2) in degrees; None where most are plainly decimal.

    Points that lie close together share their digits, so they are no independent witnesses: what counts
    is each stretch of 0.01 degree (one minute, if they are minutes), in which all points must fit.
    """
    vertices = vertices[np.isfinite(vertices).all(axis=1)]
    glance = vertices[:: max(1, len(vertices) // _GLANCE)]
    if len(glance) == 0 or np.isfinite(degrees_of_dms(glance)).all(axis=1).mean() < _GLANCE_SHARE:
        return None
    cells = fitting = 0
    distinct = []
    for values in vertices.T:
        seconds = _seconds(values)
        fits = np.isfinite(degrees_of_dms(values))
        stretch, row = np.unique(np.floor(np.round(values * 100, 6)), return_inverse=True)
        spoiled = np.bincount(row[~fits], minlength=len(stretch)) > 0
        cells += len(stretch)
        fitting += len(stretch) - int(spoiled.sum())
        distinct.append(len(np.unique(seconds[fits])))
    return DmsEvidence(cells, fitting, min(distinct), _chance(fitting, cells))


def _chance(fitting: int, cells: int) -> float:
    """Return Chernoff's bound for at least so many fitting stretches among all, each with chance 0.6."""
    share = fitting / cells
    if share <= _BY_CHANCE:
        return 1.0
    other = (1 - share) * np.log((1 - share) / (1 - _BY_CHANCE)) if share < 1 else 0.0
    return float(np.exp(-cells * (share * np.log(share / _BY_CHANCE) + other)))
