"""Areas: the stated one against the polygon's, and areas that are hard to believe."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geopipe.checks.telling import sentences, told
from geopipe.policies import CheckRules
from geopipe.schema import FINDINGS, Frame, concat, empty_frame


def stated_areas(areas: Frame, rules: CheckRules) -> Frame:
    """Compare stated with computed area; name the likely unit where the factor shows one (AREA_DIFFERS)."""
    stated, computed = areas.numpy("area_stated_m2").astype(float), areas.numpy("area_m2").astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = stated / computed
        differs = np.isfinite(factor) & (np.abs(factor - 1) > rules.stated_area_tolerance_share)
    likely = _likely_units(factor[differs], rules)
    texts = [
        f"The record states {value:,.1f} m2, its polygon has {true_m2:,.1f} m2{unit}"
        for value, true_m2, unit in zip(stated[differs], computed[differs], likely, strict=True)
    ]
    return told(
        areas.take(differs), "AREA_DIFFERS", sentences(texts), measure=(stated - computed)[differs], unit="m2"
    )


def _likely_units(factor: NDArray[np.float64], rules: CheckRules) -> list[str]:
    """Return `; the figure is most likely in hectares` where the factor is near that of a unit."""
    names = list(rules.unit_factors)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(factor[:, None] / np.array([rules.unit_factors[name] for name in names]) - 1)
    if not names or not len(factor):
        return [""] * len(factor)
    nearest = off.argmin(axis=1)
    near = off[np.arange(len(factor)), nearest] < rules.unit_margin_share
    return [
        f"; the figure is most likely in {names[unit]}" if fits else ""
        for unit, fits in zip(nearest, near, strict=True)
    ]


def implausible_areas(areas: Frame, rules: CheckRules) -> Frame:
    """Tell of areas beyond the limits of their kind (AREA_IMPLAUSIBLE)."""
    area_m2 = areas.numpy("area_m2").astype(float)
    made = [empty_frame(FINDINGS)]
    for kind, limits in rules.area_limits.items():
        of_kind = areas.flags("kind", [kind])
        small, large = (
            np.flatnonzero(of_kind & beyond)
            for beyond in (area_m2 < limits.least_m2, area_m2 > limits.most_m2)
        )
        texts = [
            *(f"{value:,.3g} m2 is less than {limits.least_m2:,.0f} m2 ({kind})" for value in area_m2[small]),
            *(f"{_ha(value)} ha is more than {_ha(limits.most_m2)} ha ({kind})" for value in area_m2[large]),
        ]
        made.append(_implausible(areas, np.concatenate([small, large]), texts))
    return concat(made)


def unusual_areas(areas: Frame, rules: CheckRules) -> Frame:
    """Tell of areas within the limits of their kind, but far beyond the operator's own (AREA_IMPLAUSIBLE)."""
    area_m2 = areas.numpy("area_m2").astype(float)
    made = [empty_frame(FINDINGS)]
    for kind, limits in rules.area_limits.items():
        rows = np.flatnonzero(areas.flags("kind", [kind]))
        m2 = area_m2[rows]
        usual = _usual_m2(areas, rows, m2, rules)
        odd = (m2 <= limits.most_m2) & (m2 > rules.area_outlier_factor * usual)
        texts = [
            f"{_ha(value)} ha; 99 of 100 {kind} records of this operator have less than {_ha(of)} ha"
            for value, of in zip(m2[odd], usual[odd], strict=True)
        ]
        made.append(_implausible(areas, rows[odd], texts))
    return concat(made)


def _implausible(areas: Frame, rows: NDArray[np.intp], texts: list[str]) -> Frame:
    records = areas.take(rows)
    measure = records.numpy("area_m2").astype(float)
    return told(records, "AREA_IMPLAUSIBLE", sentences(texts), measure=measure, unit="m2")


def _usual_m2(
    areas: Frame, rows: NDArray[np.intp], m2: NDArray[np.float64], rules: CheckRules
) -> NDArray[np.float64]:
    """Return for each record the 99th percentile of its operator; infinite where too few records tell it."""
    operator = areas.table["operator"].combine_chunks().take(pa.array(rows)).dictionary_encode()
    code = operator.indices.fill_null(-1).to_numpy()
    usual = np.full(len(rows), np.inf)
    for number in np.unique(code):
        own = code == number
        if own.sum() >= rules.area_outlier_from_records:
            usual[own] = np.percentile(m2[own], 99)
    return usual


def _ha(m2: float) -> str:
    hectares = m2 / 10_000
    return f"{hectares:,.0f}" if hectares >= 100 else f"{hectares:,.2f}"
