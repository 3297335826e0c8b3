"""Map one delivered layer to FEATURES: which column is what, whose record it is, what kind of ground."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.catalogue import severity_of
from geopipe.config import DeliveryOptions, Vocabulary
from geopipe.coordinates.corrections import LINE_AS_AREA, parse_correction
from geopipe.crs import crs_name
from geopipe.identity import geometry_hashes, join_ids, json_rows, version_hashes
from geopipe.io.confirmations import Confirmation
from geopipe.io.delivery import RawLayer
from geopipe.profiles import OperatorProfile
from geopipe.recognition import find_column, fold_tight, lookup, map_values, word_in_name
from geopipe.schema import FEATURES, FINDINGS, Frame, findings_about, make_frame, no_geometry
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Status
from geopipe.values import as_area_m2, as_date, as_depth_cm, as_number, as_text

_DATES = ("date_started", "date_surveyed", "date_completed", "date_of_information", "date_found")
_TEXTS = (
    "land_use", "province_stated", "district_stated", "village_stated", "point_type", "device_category",
    "method", "attachments",
)  # fmt: skip
_REGISTERS = {
    **dict.fromkeys(HAZARD_KINDS, "hazard"),
    **dict.fromkeys(RELEASED_KINDS, "land_release"),
    Kind.SURVEY_BOX: "survey",
    Kind.TASK: "task",
    Kind.UNKNOWN: "unknown",
}
# What the reader adds to the columns of a file.
_OF_THE_READER = ("row", "geometry", "geometry_problem")
# A column whose values repeat this much is no identity, whatever its name says.
_LEAST_DISTINCT_SHARE = 0.5


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
    _column: str = ""

    @property
    def place(self) -> str:
        """The layer's name for people: the file alone where the layer has the file's name."""
        name = self.layer.name
        return self.file if not name or name in self.file else f"{self.file}, layer {name}"

    @property
    def names(self) -> list[str]:
        """Names of the delivered columns."""
        return [name for name in self.layer.table.column_names if name not in _OF_THE_READER]

    def unknown_field(self) -> str:
        """Return the sentence about a column that was asked for and is not there, '' if all are."""
        for option in ("operator_field", "kind_field", "id_field"):
            wanted = getattr(self.options, option)
            if wanted is not None and find_column(self.names, [wanted]) is None:
                flag = "--" + option.replace("_", "-")
                known = ", ".join(self.names) or "(the file has no columns)"
                return f"{self.place}: there is no column {wanted!r}. Give {flag} one of: {known}."
        return ""

    def features(self) -> Frame:
        """Return the FEATURES rows of the layer; geometries are still WKB, as delivered."""
        table = self.layer.table
        columns = self._columns()
        crs = self._crs()
        operator, kind = self._operators(columns), self._kinds(columns)
        register = self._registers(kind)
        self._choose_id(columns, register)
        wkb = table["geometry"].combine_chunks().cast(pa.large_binary())
        geometry_hash = geometry_hashes(wkb, crs)
        given_id = self._source_ids(columns)
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
            "status": self._statuses(columns),
            "attributes": attributes,
            "source_geometry": wkb,
            "source_crs": crs,
            **self._confirmed(crs),
            "role": self.options.role,
        }
        if "geometry_problem" in table.column_names:
            values["geometry_problem"] = table["geometry_problem"]
        values |= {name: as_text(table[columns[name]]) for name in _TEXTS if name in columns}
        values |= self._of_the_reader(columns)
        values |= self._figures(columns)
        frame = make_frame(FEATURES, values, no_geometry(table.num_rows))
        self._tell_of_spaces(columns, frame)
        return frame

    def _columns(self) -> dict[str, str]:
        """Return canonical column -> delivered column: as the user said, else as recognised."""
        said = {
            "operator": self.options.operator_field,
            "kind": self.options.kind_field,
        }
        found = {}
        for canonical, aliases in self.vocabulary.columns.items():
            wanted = said.get(canonical)
            column = find_column(self.names, [wanted] if wanted else aliases)
            if column is not None:
                found[canonical] = column
        return found

    def _crs(self) -> str:
        if self.layer.crs_wkt or not self.options.assume_crs:
            return self.layer.crs_wkt or ""
        crs = self.options.assume_crs
        self.assumptions.append(f"{self.place}: coordinate system {crs_name(crs)}, as you said")
        return crs

    def _confirmed(self, crs: str) -> dict[str, Any]:
        """Return per record the corrections that a person has confirmed, and the CRS that they lead to."""
        rows = self.layer.table["row"].to_numpy()
        corrections = np.full(len(rows), None, dtype=object)
        effective = np.full(len(rows), crs, dtype=object)
        if self.options.lines_are_areas:
            corrections[:] = str(LINE_AS_AREA)
        for event in self.confirmed:
            if event.layer not in (None, self.layer.name):
                continue
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
                f"{self.place}: {event.correction} for {int(hit.sum()):,} records, as {event.by} "
                f"confirmed on {event.on}" + (f" ({event.reference})" if event.reference else "")
            )
        return {"crs": pa.array(effective, pa.string()).dictionary_encode(), "correction": corrections}

    def _registers(self, kind: pa.Array) -> pa.Array:
        """Return the register that each record belongs to: as the profile says, else by its kind."""
        if self.profile.register_name:
            return self._all(self.profile.register_name)
        return map_values(kind, _REGISTERS.__getitem__, pa.string())

    def _of_the_reader(self, columns: dict[str, str]) -> dict[str, pa.Array]:
        """Return what was noticed while points were put together, and the GUID in one form."""
        values = {}
        if "guid" in columns:
            values["guid"] = map_values(as_text(self.layer.table[columns["guid"]]), _guid_of, pa.string())
        if "closure_error_m" in self.names:
            values["closure_error_m"] = as_number(self.layer.table["closure_error_m"])
        if "point_numbers_note" in self.names:
            values["points_note"] = as_text(self.layer.table["point_numbers_note"])
        return values

    def _tell_of_spaces(self, columns: dict[str, str], records: Frame) -> None:
        """Tell of ids with spaces around them: another system takes them for other ids."""
        column = self.layer.table[columns["source_id"]] if "source_id" in columns else None
        if column is None or not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return
        spaced = pc.not_equal(column, pc.utf8_trim_whitespace(column)).combine_chunks().fill_null(False)
        told = records.take(spaced.to_numpy(zero_copy_only=False).astype(bool))
        sentence = "The id has spaces before or behind it; they were left out"
        self.findings.append(findings_about(told, "ID_TRIMMED", severity_of("ID_TRIMMED"), sentence))

    def _operators(self, columns: dict[str, str]) -> pa.Array:
        """Return each record's operator: as told, from its column, else from a file's or folder's name."""
        known = lookup(self.vocabulary.operators)
        if self.options.operator:
            return self._all(known.get(fold_tight(self.options.operator), self.options.operator))
        in_file = word_in_name(self.file, known)
        bearer = "folder" if self.folder and not in_file else "file"
        recognised = in_file or word_in_name(self.folder, known)
        fallback = recognised or self.folder or self.file.rsplit("/", 1)[-1].split(".", 1)[0]
        if "operator" in columns:
            values = as_text(self.layer.table[columns["operator"]])
            named = map_values(values, lambda text: known.get(fold_tight(text), text), pa.string())
            if named.null_count:
                self.assumptions.append(
                    f"{self.place}: {named.null_count} records without operator are {fallback}'s"
                )
            return pc.fill_null(named, fallback)
        source = f"a word in the {bearer}'s name" if recognised else f"the {bearer}'s name"
        self.assumptions.append(f"{self.place}: operator {fallback} ({source})")
        return self._all(fallback)

    def _kinds(self, columns: dict[str, str]) -> pa.Array:
        """Return each record's kind: as told, from its column, else from a word in a name."""
        if self.options.kind:
            return self._all(str(self.options.kind))
        known = lookup(self.vocabulary.kinds)
        words = (
            word_in_name(name, known, self.vocabulary.kinds_not_in_names, self.vocabulary.kinds_in_doubt)
            for name in (self.layer.name, self.file)
        )
        from_name = next((word for word in words if word), None)
        if "kind" in columns:
            values = as_text(self.layer.table[columns["kind"]])
            kinds = map_values(values, lambda text: known.get(fold_tight(text)), pa.string())
            # A column none of whose values is a kind is about something else; one odd value is unknown.
            if kinds.null_count < len(kinds):
                return self._kinds_of_column(values, kinds, from_name or str(Kind.UNKNOWN))
        if from_name:
            self.assumptions.append(f"{self.place}: all {from_name} (a word in the name)")
        else:
            self.assumptions.append(f"{self.place}: kind UNKNOWN; say it with --kind or --kind-field")
        return self._all(from_name or str(Kind.UNKNOWN))

    def _kinds_of_column(self, values: pa.Array, kinds: pa.Array, where_empty: str) -> pa.Array:
        """Fill what a kind column left open: unknown where it is odd, the name's word where it is empty."""
        odd = kinds.null_count - values.null_count
        if odd:  # the values themselves are not shown: free text may name people
            self.assumptions.append(
                f"{self.place}: kind UNKNOWN for {odd} records whose value is not a known kind"
            )
        return pc.if_else(pc.is_valid(values), pc.fill_null(kinds, str(Kind.UNKNOWN)), where_empty)

    def _statuses(self, columns: dict[str, str]) -> pa.Array | str:
        unknown = Status.UNKNOWN.value
        if "status" not in columns:
            return unknown
        known = lookup(self.vocabulary.statuses)
        values = as_text(self.layer.table[columns["status"]])
        return map_values(
            pc.fill_null(values, ""), lambda text: known.get(fold_tight(text), unknown), pa.string()
        )

    def _choose_id(self, columns: dict[str, str], register: pa.Array) -> None:
        """Choose the id column by what most records are: HAZARD_ID in a clearance file is not its own id."""
        if self.options.id_field:
            columns["source_id"] = find_column(self.names, [self.options.id_field]) or ""
            return
        counts = Counter(register.to_pylist())
        most = max(sorted(counts), key=counts.__getitem__, default="")  # of equals the first by name
        ids = self.vocabulary.ids
        column = find_column(self.names, [*ids["always"], *ids.get(most, ()), *ids["otherwise"]])
        if column is not None:
            columns["source_id"] = column
            self.assumptions.append(f"{self.place}: own ids from column {column}")

    def _source_ids(self, columns: dict[str, str]) -> pa.Array:
        """Return the operator's own ids, null where it gave none."""
        rows = self.layer.table.num_rows
        if "source_id" not in columns:
            self.assumptions.append(f"{self.place}: no id column; records are known by their geometry")
            return pa.nulls(rows, pa.string())
        ids = as_text(self.layer.table[columns["source_id"]])
        given = len(ids) - ids.null_count
        distinct = len(pc.unique(ids.drop_null()))
        if self.options.id_field is None and distinct < _LEAST_DISTINCT_SHARE * given:
            self.assumptions.append(
                f"{self.place}: column {columns['source_id']} repeats too much to be an id, not used"
            )
            return pa.nulls(rows, pa.string())
        return map_values(ids, self.profile.ids.apply, pa.string())

    def _attributes(self) -> tuple[pa.Array, pa.Array]:
        """Return all delivered columns as JSON, and those that belong to the content of a version."""
        volatile = {fold_tight(name) for name in self.vocabulary.volatile_columns}
        lasting = [name for name in self.names if fold_tight(name) not in volatile]
        everything = json_rows(self.layer.table.select(self.names))
        if len(lasting) == len(self.names):
            return everything, everything
        return everything, json_rows(self.layer.table.select(lasting))

    def _figures(self, columns: dict[str, str]) -> dict[str, pa.Array]:
        """Read dates and figures; what cannot be read is null and told once per column."""
        numbers = self.profile.numbers
        readers: list[tuple[str, Callable[[Any], pa.Array], str]] = [
            (name, self._dates, name) for name in _DATES
        ]
        readers += [
            ("clearance_depth_cm", as_depth_cm(numbers), "clearance_depth_cm"),
            ("found_depth_cm", as_depth_cm(numbers), "found_depth_cm"),
            ("area_stated_m2", as_area_m2(1.0, numbers), "area_stated_m2"),
        ]
        if "area_stated_m2" not in columns:
            readers.append(("area_stated_ha", as_area_m2(10_000.0, numbers), "area_stated_m2"))
        values = {}
        for name, read, target in readers:
            if name not in columns:
                continue
            column = self.layer.table[columns[name]]
            self._column = columns[name]
            values[target] = read(column)
            lost = values[target].null_count - as_text(column).null_count
            if lost > 0:
                self.findings.append(self._unreadable(columns[name], name, lost))
        return values

    def _dates(self, column: Any) -> pa.Array:
        dates = as_date(column, self.vocabulary.plausible_years, self.profile.dates)
        self.assumptions += [f"{self.place}: column {self._column}: {note}" for note in dates.notes]
        return dates.values

    def _unreadable(self, column: str, name: str, lost: int) -> Frame:
        told = {
            "code": "VALUE_UNREADABLE",
            "severity": severity_of("VALUE_UNREADABLE"),
            "file": self.file,
            "layer": self.layer.name,
            "sentence": f"{lost} values of column {column} could not be read as {name}",
            "measure": float(lost),
            "unit": "records",
        }
        return make_frame(FINDINGS, told, no_geometry(1))

    def _all(self, value: str) -> pa.Array:
        return pa.repeat(pa.scalar(value, pa.string()), self.layer.table.num_rows)


def _guid_of(text: str) -> str:
    """Return a GUID in small letters without braces, as IMSMA exports write it in several ways."""
    return text.strip("{}").lower()
