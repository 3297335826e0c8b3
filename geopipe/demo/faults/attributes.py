"""Faults of attributes: fields, areas, dates, depths, ids, text; and unusual writing to be read right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np

from geopipe.demo.places import STATUS_LAO

from .fault import Fault, Plant, Planting, areas, each, harmless
from .ground import area_m2, star
from .sheet import Need, Record, Shape, is_degrees
from .structure import rebuild

_EXCEL_DAY_ZERO = dt.date(1899, 12, 30)
_EPOCH = dt.date(1970, 1, 1)
_DATES = {"surv_date": "date_surveyed", "info_date": "date_of_information"}
_GENERIC: dict[str, Any] = {}
_ALIASES = (
    ("UXO Lao", ("UXOL", "uxo lao", "UXO-Lao")),
    ("MAG", ("Mines Advisory Group", "mag")),
    ("NPA", ("Norwegian People's Aid", "NPA")),
    ("HI", ("Humanity & Inclusion", "Handicap International")),
    ("Unit 58", ("Army 58", "ກອງ 58")),
    ("HALO", ("The HALO Trust",)),
)
_KINDS = (
    ("SHA", ("Suspected Hazardous Area", "suspected", "ເຂດສົງໄສ")),
    ("CHA", ("Confirmed Hazardous Area", "confirmed", "ເຂດຢັ້ງຢືນ")),
)
_STATUSES = (
    ("open", ("Open", "Active", STATUS_LAO[0])),
    ("worked_on", ("Worked on", "in progress", STATUS_LAO[1])),
    ("closed", ("Closed", STATUS_LAO[2])),
)


def with_value(**values: Any) -> Plant:
    """Return a planting that sets columns of some records."""

    def change(made: Planting, row: int) -> None:
        made.sheet.records[row].values.update(values)

    return each(change)


def _fields_missing(made: Planting) -> list[int]:
    rows = made.some(4)
    for number, row in enumerate(rows):
        made.sheet.records[row].values["status" if number % 2 else "surv_date"] = None
    return rows


def _status_not_delivered(made: Planting) -> list[int]:
    for record in made.sheet.records:
        del record.values["status"]
    return made.all_records


def scaled_area(factor: float) -> Plant:
    """Return a planting that states areas that are wrong by a factor."""

    def change(made: Planting, row: int) -> None:
        values = made.sheet.records[row].values
        values["area_m2"] = values["area_m2"] * factor

    return each(change)


def _m2_as_hectares(made: Planting) -> list[int]:
    rows = made.some(3)
    for row, record in enumerate(made.sheet.records):
        area = record.values.pop("area_m2")
        record.values["area_ha"] = float(area) if row in rows else area / 10_000
    return rows


def _huge(made: Planting, row: int) -> None:
    plot = made.ground.take_wide()
    half = np.array([1850.0, 1700.0])
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.1, 0.9], [0.1, 1.05], [-1.0, 1.0]]) * half
    rebuild(made, row, plot.middle + corners, plot.province, plot.district)


def _tiny(made: Planting, row: int) -> None:
    plot = made.sheet.records[row].plot
    ring = star(made.rng, plot.middle, 0.9, 1.0)
    rebuild(made, row, ring, plot.province, plot.district)
    made.sheet.records[row].values["area_m2"] = round(area_m2(ring), 2)


def _out_of_order(made: Planting, row: int) -> None:
    values = made.sheet.records[row].values
    values["start_date"] = values["comp_date"] + dt.timedelta(days=200)


def written_dates(write: Callable[[dt.date], Any]) -> Plant:
    """Return a planting that writes all dates in another way, which must be read right."""

    def plant(made: Planting) -> list[int]:
        for column, canonical in _DATES.items():
            days = [record.values[column] for record in made.sheet.records]
            made.truth[canonical] = [day.isoformat() for day in days]
            made.sheet.put(column, [write(day) for day in days])
        return []

    return plant


def _excel(day: dt.date) -> int:
    return (day - _EXCEL_DAY_ZERO).days


def _milliseconds(day: dt.date) -> int:
    """Return the milliseconds of midnight in Laos: the evening before in UTC."""
    return ((day - _EPOCH).days * 24 - 7) * 3_600_000


def _buddhist(day: dt.date) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year + 543}"


def _day_first(day: dt.date) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def _spaced_id(made: Planting, row: int) -> None:
    values = made.sheet.records[row].values
    values["hazard_id"] = f" {values['hazard_id']} "


def _same_id(made: Planting) -> list[int]:
    """Give one id and the same dates to two areas, so that nobody knows which is the newer one."""
    first, second = made.some(2)
    records = made.sheet.records
    for column in ("hazard_id", *_DATES):
        records[second].values[column] = records[first].values[column]
    return [first, second]


def _same_id_of_points(made: Planting) -> list[int]:
    """Give one id to two points; it is the second of which it is said."""
    first, second = made.some(2)
    records = made.sheet.records
    records[second].values["point_id"] = records[first].values["point_id"]
    return [second]


def _same_shape(made: Planting) -> list[int]:
    """Move the shape of one record to the places of others; the first of them is not the copy."""
    rows = made.some(3)
    decimals = 6 if is_degrees(made.sheet.crs) else 2
    model = np.round(made.sheet.records[rows[0]].ring, decimals)
    for row in rows:
        record = made.sheet.records[row]
        shift = np.round(record.ring.mean(axis=0) - model.mean(axis=0), decimals)
        record.with_ring(np.round(model + shift, decimals))
        record.values["area_m2"] = made.sheet.records[rows[0]].values["area_m2"]
    return rows[1:]


def _attachments(made: Planting) -> list[int]:
    """Name a report for each record; those of a few did not come along."""
    missing = made.some()
    own = next(iter(made.sheet.records[0].values))
    for row, record in enumerate(made.sheet.records):
        name = f"{record.values[own]}.pdf"
        record.values["pdf_file"] = name
        if row not in missing:
            made.beside[name] = b"%PDF-1.4\n%%EOF\n"
    return missing


def _whole_file(made: Planting) -> list[int]:
    return made.all_records


def _more_on_server(made: Planting) -> list[int]:
    made.sheet.flags["exceededTransferLimit"] = True
    return made.all_records


def _mojibake(made: Planting, row: int) -> None:
    made.sheet.records[row].values["village"] = "ບ້ານໂພນສະຫວັນ".encode().decode("latin-1")


def _labels(made: Planting) -> list[int]:
    """Write operators, kinds and statuses in all their ways, English and Lao."""
    for column, canonical, words in (
        ("operator", "operator", _ALIASES), ("kind", "kind", _KINDS), ("status", "status", _STATUSES),
    ):  # fmt: skip
        labels = [(meaning, label) for meaning, spellings in words for label in spellings]
        picked = [labels[row % len(labels)] for row in made.all_records]
        made.truth[canonical] = [meaning for meaning, _ in picked]
        made.sheet.put(column, [label for _, label in picked])
    return []


def _stretched(made: Planting, row: int) -> None:
    made.sheet.records[row].stretch_m = 14.0


def _number_missing(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    record.numbers = [*range(1, 4), *range(5, len(record.ring) + 2)]


def _number_repeated(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    record.numbers = [1, 2, 3, 3, *range(5, len(record.ring) + 1)]


def _scattered(made: Planting) -> list[int]:
    made.sheet.scattered = True
    return []


def ids(records: list[Record]) -> list[str]:
    """Return the own ids of records, without spaces around them."""
    return [str(next(iter(record.values.values()))).strip() for record in records]


_CLEARED = "CLEARED"
FAULTS = (
    Fault("field_missing", "FIELD_MISSING", _fields_missing),
    Fault("status_not_delivered", "FIELD_NOT_DELIVERED", _status_not_delivered, about="file"),
    Fault("area_unreadable", "VALUE_UNREADABLE", with_value(area_m2="about 2 fields"), about="file"),
    Fault("depth_missing", "DEPTH_MISSING", with_value(depth_cm=None), kind=_CLEARED),
    Fault("hectares_as_m2", "AREA_DIFFERS", scaled_area(1e-4), remedy="in hectares", options=_GENERIC),
    Fault("km2_as_m2", "AREA_DIFFERS", scaled_area(1e-6), remedy="in square kilometres", options=_GENERIC),
    Fault("area_times_100", "AREA_DIFFERS", scaled_area(100), remedy="multiplied by 100", options=_GENERIC),
    Fault("m2_as_hectares", "AREA_DIFFERS", _m2_as_hectares, remedy="multiplied by 10,000", options=_GENERIC),
    Fault("point_for_thousands", "AREA_DIFFERS", scaled_area(1e-3), remedy="thousands", options=_GENERIC),
    Fault("area_huge", "AREA_IMPLAUSIBLE", each(_huge, 2)),
    Fault("area_tiny", "AREA_IMPLAUSIBLE", each(_tiny), areas(Need.FINE), options=_GENERIC),
    Fault("date_in_future", "DATE_IN_FUTURE",
          with_value(surv_date=dt.date(2039, 5, 1), info_date=dt.date(2039, 6, 1))),
    Fault("dates_out_of_order", "DATES_OUT_OF_ORDER", each(_out_of_order), kind=_CLEARED),
    Fault("depth_implausible", "DEPTH_IMPLAUSIBLE", with_value(depth_cm=2500), kind=_CLEARED),
    Fault("found_depth_missing", "FOUND_DEPTH_MISSING", with_value(uxo_depth=None), frozenset({Need.POINTS}),
          about="file", shape=Shape.POINT),
    Fault("excel_day_numbers", "", written_dates(_excel)),
    Fault("milliseconds", "", written_dates(_milliseconds)),
    Fault("buddhist_years", "", written_dates(_buddhist), options=_GENERIC),
    Fault("day_first", "", written_dates(_day_first)),
    Fault("id_with_spaces", "ID_TRIMMED", each(_spaced_id), areas(Need.SPACES)),
    Fault("same_id_twice", "VERSION_CONFLICT", _same_id, areas(Need.SAME_ID)),
    Fault("same_id_of_points", "DUPLICATE_ID", _same_id_of_points, frozenset({Need.POINTS}),
          shape=Shape.POINT),
    Fault("same_shape_twice", "SHAPE_REUSED", _same_shape, areas(Need.FINE)),
    Fault("attachment_missing", "ATTACHMENT_MISSING", _attachments),
    Fault("exactly_2000", "ROW_LIMIT", _whole_file, areas(Need.ONE_TABLE), about="file", size=2000),
    Fault("more_on_server", "TRANSFER_LIMIT", _more_on_server, areas(Need.SERVER_FLAG), about="file"),
    Fault("text_lost", "TEXT_GARBLED", with_value(village="????? ??????"), about="file"),
    Fault("text_mojibake", "TEXT_GARBLED", each(_mojibake), about="file"),
    Fault("labels", "", harmless(_labels), options=_GENERIC),
    Fault("closure_error", "CLOSURE_ERROR", each(_stretched), areas(Need.LEGS)),
    Fault("point_number_missing", "POINT_NUMBERS", each(_number_missing), areas(Need.POINT_NUMBERS)),
    Fault("point_number_repeated", "POINT_NUMBERS", each(_number_repeated), areas(Need.POINT_NUMBERS)),
    Fault("polygons_interrupted", "", harmless(_scattered), areas(Need.POINT_NUMBERS)),
)  # fmt: skip
