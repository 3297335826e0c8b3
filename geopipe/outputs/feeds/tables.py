"""The rows of the tables, as plain values; only columns of the allow-list are asked for."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geopipe.casework.words import tidy
from geopipe.outputs.feeds.about import short_notice
from geopipe.outputs.feeds.columns import Column, Type, tables
from geopipe.outputs.feeds.material import Material
from geopipe.outputs.feeds.placing import located, place_of, place_rows, points_in
from geopipe.periods import parse_period
from geopipe.reports.returned.styles import plain
from geopipe.schema import Frame, Geometries
from geopipe.statistics.clearance import FIGURES
from geopipe.statistics.labels import SHARED, UNKNOWN
from geopipe.statistics.rows import M2_PER_HA, Row
from geopipe.terms import SETTLED_STATUSES

Values = dict[str, Any]
# A square millimetre: sums over a country stay within 1e-9 of the statistics.
_DECIMALS, _HA_DECIMALS = 6, 10
_KEYS = ("operator", "province", "district", "quarter")


@dataclass(frozen=True)
class Filled:
    """A table with its rows; geometry in the working CRS (m), where it has a map."""

    name: str
    rows: list[Values]
    geometry: Geometries | None = None


def fill(material: Material) -> list[Filled]:
    """Return all tables, each with exactly its columns."""
    constant = {
        "run": material.run,
        "data_cut_off": material.cut_off,
        "notice": short_notice(material),
    }
    return [_with_columns(filled, constant) for filled in _filled(material)]


def _filled(material: Material) -> Iterable[Filled]:
    yield Filled("who_what_where_when", _activities(material))
    yield Filled("totals", _totals(material))
    yield Filled("clearance", _clearance(material))
    yield Filled("deliveries", _deliveries(material))
    yield Filled("areas", _areas(material), material.areas.geometry)
    yield Filled("hazard_unresolved", _unresolved(material), material.unresolved.geometry)
    yield Filled("overlaps", _overlaps(material), material.overlaps.geometry)
    yield Filled("cases", _cases(material), material.cases.geometry)
    yield Filled("places", [dict(row) for row in place_rows()])


def _with_columns(filled: Filled, constant: Values) -> Filled:
    """Return a table with its columns in their order, and values as every format can hold them."""
    columns = tables()[filled.name].columns
    rows = [
        {column.name: _value((row | constant)[column.name], column) for column in columns}
        for row in filled.rows
    ]
    return Filled(filled.name, rows, filled.geometry)


def _value(value: Any, column: Column) -> Any:
    """Return a value as plain text, number or ISO day; None for nothing."""
    if value is None or value != value:  # noqa: PLR0124 (nan is nothing)
        return None
    if column.type is Type.NUMBER:
        # Adding nothing makes zero of minus zero.
        return round(float(value), _HA_DECIMALS if column.unit == "ha" else _DECIMALS) + 0.0
    if column.type is Type.DATE:
        return value.isoformat()
    return plain(tidy(value)) or None if column.type is Type.TEXT else value


def _shown(rows: Iterable[Row], operator: str | None, at: int = 0) -> list[Row]:
    """Return the rows of hectares that an edition shows."""
    return [row for row in rows if operator in (None, row.labels[at])]


def _activities(material: Material) -> list[Values]:
    rows = _shown(material.hectares.rows(_KEYS), material.operator)
    return [{**_labels(material, row), "kind": row.ground, **_hectares(row)} for row in rows]


def _totals(material: Material) -> list[Values]:
    if material.operator is None:
        rows = [row for row in material.hectares.rows(()) if row.ground in _kinds(material)]
    else:
        rows = _shown(material.hectares.rows(("operator",)), material.operator)
    return [{"kind": row.ground, **_hectares(row)} for row in rows]


def _kinds(material: Material) -> set[str]:
    return {ground.name for ground in material.hectares.grounds if ground.is_one_kind}


def _clearance(material: Material) -> list[Values]:
    rows = (row for row in material.hectares.rows(_KEYS) if row.clearance)
    return [
        {
            **_labels(material, row),
            **_both_units("covered", row.covered_m2),
            **{key: m2 for name in FIGURES for key, m2 in _both_units(name, row.clearance[name]).items()},
            "is_provisional": row.is_provisional,
        }
        for row in _shown(rows, material.operator)
    ]


def _both_units(name: str, m2: float) -> Values:
    name = name.removesuffix("_m2")
    return {f"{name}_m2": m2, f"{name}_ha": m2 / M2_PER_HA}


def _labels(material: Material, row: Row) -> Values:
    """Return who, where and when of a row."""
    operator, province, district, quarter = row.labels
    names = tuple(None if name == UNKNOWN else name for name in (province, district))
    period = None if quarter == UNKNOWN else parse_period(quarter)
    return {
        "operator": operator,
        "is_shared": operator == SHARED,
        **place_of(material.province_codes.get(names[0] or ""), *names),
        "year": period and period.first.year,
        "quarter": period and period.name,
        "quarter_start": period and period.first,
        "quarter_end": period and period.last,
    }


def _hectares(row: Row) -> Values:
    figures = {
        "reported": row.reported_m2, "with_others": row.moved_m2, "undecided": row.undecided_m2,
        "agreed": row.agreed_m2, "counted_twice": row.undecided_m2 + row.agreed_m2, "covered": row.covered_m2,
    }  # fmt: skip
    both = {key: value for name, m2 in figures.items() for key, value in _both_units(name, m2).items()}
    return {"records": row.records, **both, "is_provisional": row.is_provisional}


def _deliveries(material: Material) -> list[Values]:
    counts: dict[str | None, Counter[str]] = {}
    for operator, outcome in material.ended:
        counts.setdefault(operator, Counter())[outcome] += 1
    newest = _newest(material)
    rows = [
        _delivery(operator, counts[operator], newest) for operator in sorted(counts, key=lambda o: o or "")
    ]
    return [*rows, *(_delivery(name, Counter(), newest, "missing") for name in material.missing or ())]


def _delivery(
    operator: str | None, count: Counter[str], newest: Mapping[str, dt.date], state: str = ""
) -> Values:
    outcomes = ("kept", "reference", "duplicates", "older_versions", "returned")
    records_in = sum(count[name] for name in outcomes)
    return {
        "operator": operator or UNKNOWN,
        "state": state or ("received" if records_in else "not_read"),
        "records_in": records_in,
        **{name: count[name] for name in outcomes},
        "newest_date": newest.get(operator or ""),
    }


def _newest(material: Material) -> dict[str, dt.date]:
    """Return the latest date of each operator that is not after the run."""
    names = ["operator", "date_surveyed", "date_completed", "date_of_information"]
    found: dict[str, dt.date] = {}
    for row in material.areas.table.select(names).to_pylist():
        days = [row[name] for name in names[1:] if row[name] and row[name] <= material.run_day]
        if days:
            found[row["operator"]] = max(found.get(row["operator"], dt.date.min), *days)
    return found


def _areas(material: Material) -> list[Values]:
    asked = [
        "record_id", "source_id", "operator", "kind", "status", "role", "date_surveyed", "date_completed",
        "date_of_information", "clearance_depth_cm", "province_code", "province_located", "district_located",
        "area_m2",
    ]  # fmt: skip
    return [
        {
            **row,
            "own_id": row["source_id"],
            **place_of(row["province_code"], row["province_located"], row["district_located"]),
            **point,
            **_both_units("area", row["area_m2"]),
        }
        for row, point in zip(
            material.areas.table.select(asked).to_pylist(), _points(material, material.areas), strict=True
        )
    ]


def _points(material: Material, frame: Frame) -> list[Values]:
    return [{"longitude": x, "latitude": y} for x, y in points_in(frame.geometry, material.crs_wkt).tolist()]


def _where(material: Material, frame: Frame) -> list[Values]:
    """Return where the ground of each row lies: no record is asked for it."""
    points = points_in(frame.geometry, material.crs_wkt)
    return [
        {"longitude": x, "latitude": y, **place}
        for (x, y), place in zip(points.tolist(), located(points), strict=True)
    ]


def _unresolved(material: Material) -> list[Values]:
    columns = ["source_id", "operator", "kind", "reason", "vanished"]
    rows = material.unresolved.table.select(columns).to_pylist()
    where = _where(material, material.unresolved)
    return [{**row, "own_id": row["source_id"], **place} for row, place in zip(rows, where, strict=True)]


def _overlaps(material: Material) -> list[Values]:
    side = {"record_id": "id", "operator": "operator", "kind": "kind", "date": "date", "share": "share"}
    names = {f"{ab}_{name}": f"{lr}_{column}" for ab, lr in (("a", "left"), ("b", "right"))
             for name, column in side.items()}  # fmt: skip
    orders = {"left_first": "a_first", "right_first": "b_first"}
    return _pairs(
        material,
        material.overlaps,
        names,
        lambda row: {"time_order": orders.get(row["time_order"], row["time_order"])},
    )


def _cases(material: Material) -> list[Values]:
    names = {f"{ab}_record_id": f"{ab}_id" for ab in ("a", "b")}
    return _pairs(
        material,
        material.cases,
        names,
        lambda row: {
            "is_open": row["status"] not in SETTLED_STATUSES,
            "decision": row["decision"] if row["decision_confirmed"] else None,
        },
    )


def _pairs(
    material: Material, frame: Frame, names: Mapping[str, str], more: Callable[[Values], Values]
) -> list[Values]:
    """Return rows about two records; how large the other operator's record is, is not said in an edition."""
    rows = []
    for row, place in zip(frame.table.whole().to_pylist(), _where(material, frame), strict=True):
        told = {**row, **{name: row[column] for name, column in names.items()}, **more(row), **place}
        for side in ("a", "b"):
            if material.operator not in (None, told[f"{side}_operator"]):
                told |= {f"{side}_share": None, "relation": None}
        rows.append({**told, **_both_units("area", row["area_m2"])})
    return rows
