"""Map one delivered layer to FEATURES: ids and hashes, dates and figures, and what was confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.catalogue import severity_of
from geopipe.columns import Columns
from geopipe.config import DeliveryOptions, Vocabulary
from geopipe.coordinates.corrections import LINE_AS_AREA, parse_correction
from geopipe.crs import crs_name
from geopipe.identity import geometry_hashes, join_ids, json_members, json_objects, version_hashes
from geopipe.io.confirmations import Confirmation
from geopipe.io.delivery import GEOMETRY_PROBLEM, RawLayer
from geopipe.profiles import OperatorProfile
from geopipe.recognition import fold_tight, map_values
from geopipe.schema import FEATURES, FINDINGS, Frame, findings_about, make_frame, no_geometry
from geopipe.values import as_area_m2, as_date, as_depth_cm, as_number, as_text, missing

_DATES = ("date_started", "date_surveyed", "date_completed", "date_of_information", "date_found")
_TEXTS = (
    "land_use", "province_stated", "district_stated", "village_stated", "point_type", "device_category",
    "method", "attachments",
)  # fmt: skip


@dataclass
class Mapping:
    """One layer, what is known of it, and what was assumed while it was mapped.

    Parameters
    ----------
    layer : RawLayer
    file : str
        Name of its file, as people see it.
    delivery_key : str
        Hash of the delivery: the first part of every `row_id`.
    options : DeliveryOptions
        What the user said, and what the profile adds to it.
    vocabulary : Vocabulary
        Words that are recognised where the user said nothing, the profile's own first.
    profile : OperatorProfile
        How the operator writes dates, figures and ids.
    confirmed : tuple of Confirmation
        Corrections of this delivery's coordinates that a person has confirmed.
    folder : str
        Name of the folder where that is what was delivered (tables of IMSMA NG); '' for a file.
    """

    layer: RawLayer
    file: str
    delivery_key: str
    options: DeliveryOptions
    vocabulary: Vocabulary
    profile: OperatorProfile
    confirmed: tuple[Confirmation, ...] = ()
    folder: str = ""
    assumptions: list[str] = field(default_factory=list)
    findings: list[Frame] = field(default_factory=list)
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        self.columns = Columns(
            self.layer, self.file, self.options, self.vocabulary, self.profile, self.folder, self.assumptions
        )

    def unknown_field(self) -> str:
        """Return the sentence about a column that was asked for and is not there, '' if all are."""
        return self.columns.unknown_field()

    def features(self) -> Frame:
        """Return the FEATURES rows of the layer; geometries are still WKB, as delivered."""
        table, columns = self.layer.table, self.columns
        crs = self._crs()
        operator, kind = columns.operators(), columns.kinds()
        register = columns.registers(kind)
        wkb = table["geometry"].combine_chunks().cast(pa.large_binary())
        geometry_hash = geometry_hashes(wkb, crs)
        given_id = columns.source_ids(register)
        own_id = pc.coalesce(given_id, pc.binary_join_element_wise("geometry", geometry_hash, "-"))
        # An operator's name with a colon must not look like another operator's register.
        record_id = join_ids(pc.replace_substring(operator, ":", "-"), register, own_id)
        attributes, content = self._attributes()
        row = pc.utf8_lpad(table["row"].cast(pa.string()), 8, "0")
        values: dict[str, Any] = {
            "row_id": pc.binary_join_element_wise(self.delivery_key, self.layer.name, row, ":"),
            "record_id": record_id,
            "version_id": version_hashes(geometry_hash, record_id, content),
            "geometry_hash": geometry_hash,
            "file": self.file,
            "layer": self.layer.name,
            "row": table["row"],
            "operator": operator,
            "kind": kind,
            "source_id": own_id,
            "id_is_delivered": pc.is_valid(given_id),
            "register": register,
            "status": columns.statuses(),
            "attributes": attributes,
            "source_geometry": wkb,
            "source_crs": crs,
            **self._confirmed(crs),
            "role": self.options.role,
        }
        values |= {name: as_text(columns[name]) for name in _TEXTS if name in columns}
        values |= self._of_the_reader() | self._days() | self._figures()
        frame = make_frame(FEATURES, values, no_geometry(table.num_rows))
        self._tell_of_spaces(frame)
        return frame

    def _crs(self) -> str:
        if self.layer.crs_wkt or not self.options.assume_crs:
            return self.layer.crs_wkt or ""
        crs = self.options.assume_crs
        self.assumptions.append(f"{self.columns.place}: coordinate system {crs_name(crs)}, as you said")
        return crs

    def _confirmed(self, crs: str) -> dict[str, Any]:
        """Return per record the corrections that a person has confirmed, and the CRS that they lead to."""
        of_the_profile = str(LINE_AS_AREA) if self.options.lines_are_areas else None
        events = [event for event in self.confirmed if event.layer in (None, self.layer.name)]
        if not events:
            return {"crs": crs, "correction": of_the_profile}
        rows = self.layer.table["row"].to_numpy()
        corrections = np.full(len(rows), of_the_profile, dtype=object)
        effective = np.full(len(rows), crs, dtype=object)
        for event in events:
            hit = np.ones(len(rows), dtype=bool) if event.rows is None else np.isin(rows, event.rows)
            # Once is enough: applied twice, most corrections undo themselves.
            hit &= [event.correction not in (before or "").split(";") for before in corrections]
            corrections[hit] = [
                event.correction if before is None else f"{before};{event.correction}"
                for before in corrections[hit]
            ]
            for text in event.correction.split(";"):
                effective[hit] = [parse_correction(text).crs_after(before) for before in effective[hit]]
            self.assumptions.append(
                f"{self.columns.place}: {event.correction} for {int(hit.sum()):,} records, as {event.by} "
                f"confirmed on {event.on}" + (f" ({event.reference})" if event.reference else "")
            )
        return {"crs": pa.array(effective, pa.string()).dictionary_encode(), "correction": corrections}

    def _attributes(self) -> tuple[pa.Array, pa.Array]:
        """Return all delivered columns as JSON, and those that belong to the content of a version."""
        rows, names = self.layer.table.num_rows, self.columns.names
        volatile = {fold_tight(name) for name in self.vocabulary.volatile_columns}
        members = json_members(self.layer.table.select(names))
        lasting = {name: values for name, values in members.items() if fold_tight(name) not in volatile}
        everything = json_objects(members, rows)
        return everything, everything if len(lasting) == len(names) else json_objects(lasting, rows)

    def _of_the_reader(self) -> dict[str, pa.Array]:
        """Return what was noticed while the file was read, and the GUID in one form."""
        table, values = self.layer.table, {}
        if GEOMETRY_PROBLEM in table.column_names:
            values["geometry_problem"] = table[GEOMETRY_PROBLEM]
        if "guid" in self.columns:
            values["guid"] = map_values(as_text(self.columns["guid"]), _guid_of, pa.string())
        if "closure_error_m" in table.column_names:
            values["closure_error_m"] = as_number(table["closure_error_m"])
        if "point_numbers_note" in table.column_names:
            values["points_note"] = as_text(table["point_numbers_note"])
        return values

    def _days(self) -> dict[str, pa.Array]:
        """Read dates; in which unusual ways is told once per column."""
        days = {}
        for name in _DATES:
            if name in self.columns:
                read = as_date(self.columns[name], self.vocabulary.plausible_years, self.profile.dates)
                column = f"{self.columns.place}: column {self.columns.of[name]}"
                self.assumptions += [f"{column}: {note}" for note in read.notes]
                self._tell_of_lost(name, read.values)
                days[name] = read.values
        return days

    def _figures(self) -> dict[str, pa.Array]:
        """Read depths and areas; an area in hectares where there is none in square metres."""
        numbers = self.profile.numbers
        readers: list[tuple[str, Callable[[Any], pa.Array], str]] = [
            ("clearance_depth_cm", as_depth_cm(numbers), "clearance_depth_cm"),
            ("found_depth_cm", as_depth_cm(numbers), "found_depth_cm"),
            ("area_stated_m2", as_area_m2(1.0, numbers), "area_stated_m2"),
        ]
        if "area_stated_m2" not in self.columns:
            readers.append(("area_stated_ha", as_area_m2(10_000.0, numbers), "area_stated_m2"))
        figures = {}
        for name, read, target in readers:
            if name in self.columns:
                figures[target] = read(self.columns[name])
                self._tell_of_lost(name, figures[target])
        return figures

    def _tell_of_lost(self, name: str, values: pa.Array) -> None:
        """Tell how many values of a column could not be read."""
        lost = values.null_count - missing(self.columns[name])
        if lost <= 0:
            return
        told = {
            "code": "VALUE_UNREADABLE",
            "severity": severity_of("VALUE_UNREADABLE"),
            "file": self.file,
            "layer": self.layer.name,
            "sentence": f"{lost} values of column {self.columns.of[name]} could not be read as {name}",
            "measure": float(lost),
            "unit": "records",
        }
        self.findings.append(make_frame(FINDINGS, told, no_geometry(1)))

    def _tell_of_spaces(self, records: Frame) -> None:
        """Tell of ids with spaces around them: another system takes them for other ids."""
        if "source_id" not in self.columns:
            return
        column = self.columns["source_id"]
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return
        spaced = pc.not_equal(column, pc.utf8_trim_whitespace(column)).combine_chunks().fill_null(False)
        told = records.take(spaced.to_numpy(zero_copy_only=False).astype(bool))
        sentence = "The id has spaces before or behind it; they were left out"
        self.findings.append(findings_about(told, "ID_TRIMMED", severity_of("ID_TRIMMED"), sentence))


def _guid_of(text: str) -> str:
    """Return a GUID in small letters without braces, as IMSMA exports write it in several ways."""
    return text.strip("{}").lower()
