"""Draws that anybody can repeat: the only chance in them is the hash of seed and name.

A number from a hash is the same on every machine, in every version of every library, and whatever the
order of the rows; and what is added to a population later leaves the numbers of the others as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import fsum

import numpy as np
from numpy.typing import NDArray

from geopipe.schema import Indices

Floats = NDArray[np.float64]
_BITS = 53
# A chance so near to 1 is 1: sums of chances are not exact.
_ROUNDING = 1e-12


def numbers(seed: int, purpose: str, keys: Sequence[str]) -> Floats:
    """Return a number in [0, 1) for each key, evenly spread."""
    start = f"{seed}\n{purpose}\n".encode()
    digests = (blake2b(start + key.encode(), digest_size=8).digest() for key in keys)
    return np.array([(int.from_bytes(d, "big") >> (64 - _BITS)) / 2**_BITS for d in digests], dtype=float)


def draw_equal(keys: Sequence[str], count: int, seed: int, purpose: str) -> tuple[Indices, Floats]:
    """Draw so many keys without replacement, all with the same chance: those with the smallest numbers.

    Returns
    -------
    rows : array of int
        In ascending order.
    probability : array of float
        The chance of every key, drawn or not, to be drawn.
    """
    count = min(count, len(keys))
    order = np.lexsort((np.array(keys, dtype=str), numbers(seed, purpose, keys)))
    return np.sort(order[:count]), np.full(len(keys), count / len(keys) if keys else 0.0)


def draw_weighted(
    keys: Sequence[str], weights: Floats, count: int, seed: int, purpose: str
) -> tuple[Indices, Floats]:
    """Draw so many keys without replacement, each with a chance exactly in proportion to its weight.

    Systematic, in random order: the chances stand end to end on a line, and marks one apart from a random
    start choose. Where a weight is so large that its chance would pass 1, that key is always drawn and the
    rest share what is left. Keys of weight 0 are never drawn.

    Returns
    -------
    rows, probability
        As `draw_equal`.
    """
    probability = inclusion(weights, count)
    certain = probability >= 1
    rest = np.flatnonzero((probability > 0) & ~certain)
    places = min(count, int((weights > 0).sum())) - int(certain.sum())
    if places <= 0:
        return np.flatnonzero(certain), probability
    own = [keys[row] for row in rest.tolist()]
    order = rest[np.lexsort((np.array(own, dtype=str), numbers(seed, purpose, own)))]
    ends = np.cumsum(probability[order])
    ends *= places / ends[-1]
    start = numbers(seed, f"{purpose}\nstart", [""])[0]
    marks = np.minimum(start + np.arange(places), np.nextafter(places, 0))
    ends[-1] = places
    chosen = order[np.searchsorted(ends, marks, side="right")]
    return np.sort(np.concatenate([np.flatnonzero(certain), chosen])), probability


def inclusion(weights: Floats, count: int) -> Floats:
    """Return the chance of each weight to be among `count` drawn ones: in proportion, and never above 1."""
    weights = np.asarray(weights, dtype=float)
    probability = np.zeros(len(weights))
    if count >= (weights > 0).sum():
        return np.where(weights > 0, 1.0, 0.0)
    open_ = weights > 0
    while True:
        left = count - int((probability >= 1).sum())
        chance = left * weights / fsum(weights[open_])
        too_much = open_ & (chance >= 1 - _ROUNDING)
        if not too_much.any():
            return np.where(open_, chance, probability)
        probability[too_much] = 1.0
        open_ &= ~too_much
