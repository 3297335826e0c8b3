"""Strata: areas told apart by what is known of them, and how many are drawn of each."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from geopipe.sampling.chance import Floats
from geopipe.sampling.plan import Plan, RiskWeights
from geopipe.sampling.population import Population

Stratum = tuple[str, ...]
_COLUMNS = {
    "operator": "operator",
    "province": "province_located",
    "kind": "kind",
    "land_use": "land_use",
    "status": "status",
}
_UNKNOWN = "not known"


def size_limits_m2(population: Population, plan: Plan) -> tuple[float, ...]:
    """Return the limits (m2) between classes of size: the plan's, else such that three classes are equal."""
    if plan.size_limits_m2:
        return plan.size_limits_m2
    ground = np.sort(population.ground_m2)
    return tuple(float(ground[math.ceil(len(ground) * part / 3) - 1]) for part in (1, 2))


def labels(population: Population, name: str, plan: Plan) -> list[str]:
    """Return what each area is by one feature (operator, province, size, ...), as text."""
    areas = population.areas
    if name == "size":
        return _sizes(population.ground_m2, size_limits_m2(population, plan))
    if name == "year":
        days = areas.table["date_completed"].to_pylist()
        return [str(day.year) if day else _UNKNOWN for day in days]
    if name == "district":
        pairs = zip(areas.numpy("province_located"), areas.numpy("district_located"), strict=True)
        return [f"{province or _UNKNOWN} / {district or _UNKNOWN}" for province, district in pairs]
    return [value or _UNKNOWN for value in areas.table[_COLUMNS[name]].to_pylist()]


def _sizes(ground_m2: Floats, limits_m2: Sequence[float]) -> list[str]:
    limits = list(dict.fromkeys(limits_m2))
    names = [f"up to {limit:,.10g} m2" for limit in limits] + [f"over {limits[-1]:,.10g} m2"]
    return [names[place] for place in np.searchsorted(limits, ground_m2, side="left")]


def strata_of(population: Population, plan: Plan) -> dict[Stratum, list[int]]:
    """Return the rows of each stratum, strata in order; all in one where nothing tells them apart."""
    columns = [labels(population, name, plan) for name in plan.stratify]
    found: dict[Stratum, list[int]] = {}
    for row in range(len(population.areas)):
        found.setdefault(tuple(column[row] for column in columns), []).append(row)
    return {stratum: found[stratum] for stratum in sorted(found)}


def weights_of(population: Population, plan: Plan, risk: RiskWeights) -> tuple[Floats, list[str]]:
    """Return the weight of each area, and a note for each listed value that no area has."""
    weight = np.ones(len(population.areas))
    notes = []
    for column, table in risk.weights.items():
        values = labels(population, column, plan)
        weight *= np.array([table.get(value, risk.others) for value in values])
        missing = sorted(set(table) - set(values))
        notes += [f"Risk weights: no area has {column} {value!r}." for value in missing]
    return weight * population.ground_m2 if risk.times_area else weight, notes


def allocate(sizes: Mapping[Stratum, int], plan: Plan) -> dict[Stratum, int]:
    """Return how many areas to draw of each stratum.

    A share is taken of each stratum, rounded up. A count is divided in proportion to the number of areas (the
    method of Webster), after one for each stratum where the count allows; never more than there are.
    """
    if plan.share_percent is not None:
        share = Fraction(str(plan.share_percent)) / 100
        return {stratum: math.ceil(size * share) for stratum, size in sizes.items()}
    count = min(plan.count or 0, sum(sizes.values()))
    least = 1 if count >= len(sizes) else 0
    given = dict.fromkeys(sizes, least)
    waiting = [(-size / (2 * least + 1), stratum) for stratum, size in sizes.items() if size > least]
    heapq.heapify(waiting)
    for _ in range(count - least * len(sizes)):
        _, stratum = heapq.heappop(waiting)
        given[stratum] += 1
        if given[stratum] < sizes[stratum]:
            heapq.heappush(waiting, (-sizes[stratum] / (2 * given[stratum] + 1), stratum))
    return given
