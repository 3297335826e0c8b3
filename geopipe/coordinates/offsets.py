"""Offsets between deliveries: the same polygons drawn twice, one set displaced as a whole.

Two organisations that hold the same areas in different datums show pairs of equal shapes, all displaced
by one vector of tens or hundreds of metres. Once per pair of deliveries that is a suspected datum error.
Shapes that repeat within one delivery (survey boxes) say nothing and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.coordinates.datums import KnownShift, explaining_shifts
from geopipe.coordinates.sameshapes import Limits, Shapes, candidates, mean_points, repeated, same_shapes
from geopipe.crs import to_lonlat
from geopipe.location.distances import Floats, compass_word, displacement
from geopipe.schema import Frame, Indices, Mask


@dataclass(frozen=True)
class OffsetRules:
    """Figures of the search, in metres.

    Attributes
    ----------
    nearest_m : float
        Below this displacement two drawings of one area differ anyway.
    agree_m, drift : float
        Displacements agree that differ from their median by less than `agree_m` and, because datums
        drift apart over a country, `drift` (m per m) times the distance from the middle of all pairs.
    least_pairs, agreeing_share : int, float
        So many pairs, and this share of them, must agree.
    limits : Limits
        What counts as the same shape, and how far apart.
    """

    nearest_m: float = 2.0
    agree_m: float = 2.0
    drift: float = 2e-4
    least_pairs: int = 5
    agreeing_share: float = 0.8
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Offset:
    """One delivery is displaced against another.

    Attributes
    ----------
    delivery_a, delivery_b : str
    east_m, north_m, distance_m : float
        Where B lies, seen from A (true north).
    direction : str
        The same as a word, such as `north-west`.
    pairs : int
        Pairs of equal shapes that agree.
    in_place : int
        Pairs of equal shapes that are not displaced.
    spread_m : float
        Largest difference of one of them from the median.
    known_datum : tuple of KnownShift
        Mislabelled systems that would displace coordinates like this, the best first.
    rows_a, rows_b : arrays of int
        The records of these pairs, in the order in which they were given.
    """

    delivery_a: str
    delivery_b: str
    east_m: float
    north_m: float
    distance_m: float
    direction: str
    pairs: int
    in_place: int
    spread_m: float
    known_datum: tuple[KnownShift, ...]
    rows_a: Indices
    rows_b: Indices

    @property
    def sentence(self) -> str:
        """Tell it, for people."""
        told = (
            f"{self.pairs:,} areas of {self.delivery_b} have the shape of areas of {self.delivery_a}, but "
            f"lie {self.distance_m:,.0f} m towards the {self.direction}, each within {self.spread_m:.0f} m "
            f"of that: suspected datum error of about {self.distance_m:,.0f} m."
        )
        if self.in_place:
            told += f" Another {self.in_place:,} equal shapes are in their place."
        if self.known_datum:
            names = " or ".join(str(shift) for shift in self.known_datum[:2])
            told += f" Coordinates are displaced like this when {names} is called WGS 84, or the reverse."
        return told


def suspected_offsets(areas: Frame, working_crs: str, rules: OffsetRules = OffsetRules()) -> list[Offset]:
    """Return the pairs of deliveries in which equal shapes are displaced alike.

    Parameters
    ----------
    areas : Frame
        Polygons in the working CRS (m); only those that may be equal are decoded.
    working_crs : str
    """
    names, delivery = _numbered(areas.table["file"].combine_chunks())
    if len(names) < 2:
        return []
    pairs = _equal_shapes(areas, delivery, rules)
    away = np.hypot(*pairs.step.T) >= rules.nearest_m
    both, of_pair = np.unique(delivery[pairs.left] * len(names) + delivery[pairs.right], return_inverse=True)
    found = []
    for number, code in enumerate(both):
        here = of_pair == number
        displaced = pairs.take(here & away)
        agreeing = _agreeing(displaced, rules)
        if agreeing is not None:
            a, b = divmod(int(code), len(names))
            in_place = int((here & ~away).sum())
            found.append(_offset((names[a], names[b]), displaced.take(agreeing), in_place, working_crs))
    return found


def _numbered(deliveries: pa.Array) -> tuple[list[str], Indices]:
    """Return the different names, sorted, and the number of each record's name among them."""
    encoded = deliveries.dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)
    number = np.argsort(order.to_numpy())
    return encoded.dictionary.take(order).to_pylist(), number[encoded.indices.to_numpy()]


@dataclass(frozen=True)
class _Pairs:
    """Equal shapes of two deliveries: their records, place of the left one and step to the right (n, 2)."""

    left: Indices
    right: Indices
    place: Floats
    step: Floats

    def take(self, rows: Mask) -> _Pairs:
        return _Pairs(self.left[rows], self.right[rows], self.place[rows], self.step[rows])


def _equal_shapes(areas: Frame, delivery: Indices, rules: OffsetRules) -> _Pairs:
    """Return the pairs of equal shapes in two deliveries of which neither has a second partner there."""
    shapes = Shapes.of_records(areas)
    usable = np.flatnonzero(shapes.points > 0)
    usable = usable[~repeated(shapes.take(usable), delivery[usable], rules.limits)]
    left, right = candidates(shapes.take(usable), delivery[usable], rules.limits)
    looked_at, at = np.unique(usable[np.concatenate([left, right])], return_inverse=True)
    geometry = areas.take(looked_at).geometry
    left, right, step = same_shapes(geometry, at[: len(left)], at[len(left) :], rules.limits)
    pairs = _Pairs(looked_at[left], looked_at[right], mean_points(geometry[left]), step)
    return pairs.take(_occurs_once(left, delivery[right]) & _occurs_once(right, delivery[left]))


def _occurs_once(rows: Indices, other_delivery: Indices) -> Mask:
    """Return the pairs whose record has no second partner in the same other delivery."""
    several = other_delivery.max(initial=0) + 1
    _, kind, count = np.unique(rows * several + other_delivery, return_inverse=True, return_counts=True)
    return np.asarray(count[kind] == 1)


def _agreeing(pairs: _Pairs, rules: OffsetRules) -> Mask | None:
    """Return which steps agree with their median; None where too few do."""
    if len(pairs.left) < rules.least_pairs:
        return None
    away_m = np.hypot(*(pairs.place - np.median(pairs.place, axis=0)).T)
    apart_m = np.hypot(*(pairs.step - np.median(pairs.step, axis=0)).T)
    near = apart_m <= rules.agree_m + rules.drift * away_m
    enough = near.sum() >= rules.least_pairs and near.mean() >= rules.agreeing_share
    return near if enough else None


def _offset(names: tuple[str, str], pairs: _Pairs, in_place: int, working_crs: str) -> Offset:
    """Put an offset together, measured on the ellipsoid in the middle of its pairs."""
    step, middle = np.median(pairs.step, axis=0), np.median(pairs.place, axis=0)
    forward = to_lonlat(working_crs)
    start, end = forward.transform(*middle), forward.transform(*(middle + step))
    east_m, north_m = displacement(start, end)
    return Offset(
        delivery_a=names[0],
        delivery_b=names[1],
        east_m=east_m,
        north_m=north_m,
        distance_m=float(np.hypot(east_m, north_m)),
        direction=compass_word(east_m, north_m),
        pairs=len(pairs.left),
        in_place=in_place,
        spread_m=float(np.hypot(*(pairs.step - step).T).max()),
        known_datum=explaining_shifts(start, east_m, north_m),
        rows_a=pairs.left,
        rows_b=pairs.right,
    )
