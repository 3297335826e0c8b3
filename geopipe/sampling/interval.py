"""The exact confidence interval of a share: between which shares such a count would not be unlikely."""

from __future__ import annotations

import math
from collections.abc import Callable

CONFIDENCE = 0.95
_HALVINGS = 60


def clopper_pearson(found: int, looked_at: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a binomial share.

    At the lower end, `found` or more would be found with a chance of (1 - confidence) / 2; at the upper end,
    `found` or fewer. Nothing looked at: anything is possible.

    Parameters
    ----------
    found, looked_at : int
    confidence : float
        Between 0 and 1, for example 0.95.
    """
    if looked_at == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if found == 0 else _where(lambda p: _at_most(looked_at - found, looked_at, 1 - p) - tail)
    high = 1.0 if found == looked_at else _where(lambda p: tail - _at_most(found, looked_at, p))
    return low, high


def _where(rising: Callable[[float], float]) -> float:
    """Return where in [0, 1] a rising function passes 0."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _at_most(found: int, looked_at: int, share: float) -> float:
    """Return the chance of finding at most so many, each with this share."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return 0.0 if found < looked_at else 1.0
    log_yes, log_no = math.log(share), math.log1p(-share)
    constant = math.lgamma(looked_at + 1)
    return math.fsum(
        math.exp(
            constant
            - math.lgamma(k + 1)
            - math.lgamma(looked_at - k + 1)
            + k * log_yes
            + (looked_at - k) * log_no
        )
        for k in range(found + 1)
    )
