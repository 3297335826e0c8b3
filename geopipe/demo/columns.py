"""The attribute columns of each delivery, in the words and the language of its sender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.terms import Kind

from .attributes import Attributes
from .delivery_plan import DELIVERIES
from .places import BOXES, LAND_USES, PROVINCES, STATUS_ENGLISH, STATUS_LAO, VILLAGES
from .points import NUMBER_PREFIX, POINT_TYPES, Points
from .records import KINDS, Records
from .rings import Floats, Ints

Columns = dict[str, Any]

_KIND_LABELS = {
    Kind.SHA: "Suspected Hazardous Area",
    Kind.CHA: "Confirmed Hazardous Area",
    Kind.CLEARED: "Cleared",
    Kind.REDUCED: "Reduced",
    Kind.CANCELLED: "Cancelled",
}
_RESULTS = ("No evidence found", "Evidence found, CHA created")


def chosen(words: Sequence[str], row: Ints) -> Any:
    """Return an Arrow column of the words in these rows."""
    return pa.array(words, pa.string()).take(pa.array(row))


def numbered(prefix: str, number: Ints) -> Any:
    """Return record numbers of six digits after a prefix."""
    digits = pc.utf8_lpad(pc.cast(pa.array(number), pa.string()), 6, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def dated(day: Ints) -> Any:
    """Return a column of dates; a negative day is no date."""
    return pa.array(day.astype(np.int32), pa.int32(), mask=day < 0).cast(pa.date32())


def optional(number: Ints) -> Any:
    """Return a column of whole numbers; a negative one is missing."""
    return pa.array(number.astype(np.int32), pa.int32(), mask=number < 0)


def hectares(area_m2: Floats) -> Any:
    """Return areas in ha, to the square metre."""
    return pa.array(np.round(area_m2 / 1e4, 4))


def square_metres(area_m2: Floats) -> Any:
    """Return areas in whole m²."""
    return pa.array(np.round(area_m2).astype(np.int64))


class Sheet:
    """The records of one delivery, ready to be written as columns."""

    def __init__(self, records: Records, attributes: Attributes, delivery: int) -> None:
        self.rows = records.rows_of(delivery)
        self.records = records
        self.attributes = attributes
        self.prefix = DELIVERIES[delivery].prefix

    def of(self, values: Any) -> Any:
        """Return the values of this delivery's records."""
        return values[self.rows]

    def columns(self, delivery: int) -> Columns:
        """Return the columns of this delivery under the names that its sender uses."""
        makers = (
            self.uxo_lao_hazard,
            self.uxo_lao_released,
            self.mag_hazard,
            self.mag_released,
            self.npa_hazard,
            self.npa_boxes,
            self.mag_boxes,
            self.halo,
            self.unit58_released,
            self.unit58_hazard,
        )
        return makers[delivery]()

    def number(self) -> Any:
        """Return the record numbers."""
        return numbered(self.prefix, self.of(self.attributes.number))

    def place(self, spelling: int = 0, village: int = 0) -> Columns:
        """Return province (usual, other or Lao spelling), district and village (English or Lao)."""
        return {
            "province": chosen(
                [province.spellings[spelling] for province in PROVINCES], self.of(self.attributes.province)
            ),
            "district": chosen([box.district for box in BOXES], self.of(self.attributes.district)),
            "village": chosen([names[village] for names in VILLAGES], self.of(self.attributes.village)),
        }

    def status(self, labels: Sequence[str] = STATUS_ENGLISH) -> Any:
        """Return the status in the sender's words."""
        return chosen(labels, self.of(self.attributes.status))

    def land_use(self, language: int = 0) -> Any:
        """Return the use of the land in English (0) or Lao (1)."""
        return chosen([names[language] for names in LAND_USES], self.of(self.attributes.land_use))

    def kind(self) -> Any:
        """Return the kind in words."""
        return chosen([_KIND_LABELS.get(kind, "") for kind in KINDS], self.of(self.records.kind))

    def fixed(self, word: str) -> Any:
        """Return a column that says the same in every row."""
        return chosen([word], np.zeros(len(self.rows), dtype=np.int64))

    def surveyed(self) -> Any:
        """Return the dates of survey."""
        return dated(self.of(self.records.days.surveyed))

    def completed(self) -> Any:
        """Return the dates of completion."""
        return dated(self.of(self.records.days.completed))

    def informed(self) -> Any:
        """Return the dates of information."""
        return dated(self.of(self.records.days.informed))

    def area_m2(self) -> Any:
        """Return the stated areas in m²."""
        return square_metres(self.of(self.attributes.area_m2))

    def area_ha(self) -> Any:
        """Return the stated areas in ha."""
        return hectares(self.of(self.attributes.area_m2))

    def depth(self) -> Any:
        """Return the clearance depths in cm."""
        return optional(self.of(self.attributes.depth_cm))

    def uxo_lao_hazard(self) -> Columns:
        """Shapefile with names of ten characters and Lao words."""
        dates = {"surv_date": self.surveyed(), "info_date": self.informed()}
        words = {"land_use": self.land_use(1), "area_sqm": self.area_m2(), "team": self._team()}
        return {
            "cha_id": self.number(),
            "status": self.status(STATUS_LAO),
            **dates,
            **self.place(2, 1),
            **words,
        }

    def uxo_lao_released(self) -> Columns:
        """Shapefile with names of ten characters and Lao words; the file name says the kind."""
        dates = {"comp_date": self.completed(), "info_date": self.informed()}
        words = {"land_use": self.land_use(1), "clr_dep_cm": self.depth(), "area_sqm": self.area_m2()}
        return {
            "clear_id": self.number(),
            "status": self.status(STATUS_LAO),
            **dates,
            **self.place(2, 1),
            **words,
        }

    def mag_hazard(self) -> Columns:
        """Layer of a GeoPackage with an operator column; the layer's name says the kind."""
        head = {"hazard_id": self.number(), "operator": self.fixed("MAG"), "land_status": self.status()}
        dates = {"survey_date": self.surveyed(), "date_of_information": self.informed()}
        words = {"land_use": self.land_use(), "area_ha": self.area_ha(), "team": self._team()}
        return {**head, **dates, **self.place(), **words}

    def mag_released(self) -> Columns:
        """Layer of a GeoPackage whose `release_type` says the kind."""
        head = {"completion_id": self.number(), "operator": self.fixed("MAG"), "release_type": self.kind()}
        dates = {"completion_date": self.completed(), "date_of_information": self.informed()}
        words = {"land_use": self.land_use(), "clearance_depth_cm": self.depth(), "area_ha": self.area_ha()}
        return {**head, "status": self.status(), **dates, **self.place(), **words}

    def npa_hazard(self) -> Columns:
        """GeoJSON with the operator's name in full and other spellings of the provinces."""
        head = {"imsma_id": self.number(), "organisation": self.fixed("Norwegian People's Aid")}
        dates = {"survey_date": self.surveyed(), "date_of_information": self.informed()}
        words = {"land_use": self.land_use(), "area_m2": self.area_m2()}
        return {**head, "land_status": self.status(), **dates, **self.place(1), **words}

    def npa_boxes(self) -> Columns:
        """GeoJSON of survey boxes with the result of each."""
        return {"box_id": self.number(), "organisation": self.fixed("NPA"), **self._box()}

    def mag_boxes(self) -> Columns:
        """GeoPackage of survey boxes with the result of each."""
        return {"box_id": self.number(), "operator": self.fixed("MAG"), **self._box()}

    def halo(self) -> Columns:
        """KML with hazard and released land in one file, told apart by `area_type`."""
        head = {"record_id": self.number(), "area_type": self.kind(), "status": self.status()}
        dates = {"survey_date": self.surveyed(), "completion_date": self.completed()}
        words = {"clearance_depth_cm": self.depth(), "size_ha": self.area_ha()}
        return {**head, **dates, "date_of_information": self.informed(), **self.place(1), **words}

    def unit58_released(self) -> Columns:
        """CSV with the day first in its dates, and the CRS as a number."""
        head = {"release_id": self.number(), "operator": self.fixed("Unit 58"), "release_type": self.kind()}
        dates = {
            "completion_date": pc.strftime(self.completed(), "%d/%m/%Y"),
            "report_date": pc.strftime(self.informed(), "%d/%m/%Y"),
        }
        words = {"clearance_depth_cm": self.depth(), "area_ha": self.area_ha(), "srid": self.fixed("4326")}
        return {**head, **dates, **self.place(), "land_use": self.land_use(), **words}

    def unit58_hazard(self) -> Columns:
        """Shapefile without .prj."""
        dates = {"surv_date": self.surveyed(), "info_date": self.informed()}
        head = {"cha_id": self.number(), "status": self.status()}
        return {**head, **dates, **self.place(), "area_sqm": self.area_m2()}

    def _team(self) -> Any:
        return chosen([f"Team {number}" for number in range(25)], self.of(self.attributes.team))

    def _box(self) -> Columns:
        result = chosen(_RESULTS, (self.of(self.attributes.team) < 6).astype(np.int64))
        dates = {"survey_date": self.surveyed(), "report_date": self.informed()}
        return {"result": result, **dates, **self.place(), "area_m2": self.area_m2()}


def point_columns(points: Points) -> Columns:
    """Return the columns of the points' file."""
    return {
        "point_id": numbered(NUMBER_PREFIX, np.arange(1, len(points.day) + 1)),
        "point_type": chosen(POINT_TYPES, points.type),
        "date_found": dated(points.day),
        "found_depth_cm": optional(points.depth_cm),
        "province": chosen([province.lao for province in PROVINCES], points.province),
        "district": chosen([box.district for box in BOXES], points.box),
    }
