"""Ingest: raw deliveries become FEATURES, every record with its ids, nothing else changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.config import DeliveryOptions, Vocabulary
from geopipe.crs import crs_name
from geopipe.identity import geometry_hashes, join_ids, json_rows, version_hashes
from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.recognition import (
    as_date,
    as_number,
    as_text,
    find_column,
    fold_tight,
    lookup,
    map_values,
    word_in_name,
)
from geopipe.schema import (
    FEATURES,
    FINDINGS,
    REJECTED,
    Delivery,
    Frame,
    LayerCount,
    State,
    concat,
    make_frame,
    no_geometry,
)
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Severity

_DATES = ("date_surveyed", "date_completed", "date_of_information", "date_found")
_TEXTS = ("land_use", "province_stated", "district_stated", "village_stated", "point_type")
_REGISTERS = {
    **dict.fromkeys(HAZARD_KINDS, "hazard"),
    **dict.fromkeys(RELEASED_KINDS, "land_release"),
    Kind.SURVEY_BOX: "survey",
    Kind.TASK: "task",
    Kind.UNKNOWN: "unknown",
}
# A column whose values repeat this much is no identity, whatever its name says.
_LEAST_DISTINCT_SHARE = 0.5


@dataclass
class _Notes:
    """What was assumed and what went wrong while one delivery was read."""

    assumptions: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Frame] = field(default_factory=list)


def ingest(deliveries: Iterable[tuple[RawDelivery, DeliveryOptions]], vocabulary: Vocabulary) -> State:
    """Map deliveries to canonical columns and give every record its ids.

    Parameters
    ----------
    deliveries : iterable of (RawDelivery, DeliveryOptions)
    vocabulary : Vocabulary
        The words by which columns, kinds and operators are recognised.

    Returns
    -------
    State
        `features` holds all records with `source_geometry`, no geometry yet;
        `rejected` the counted records of files and layers that could not be used.
    """
    features, rejected, findings, done = [], [], [], []
    seen: dict[str, int] = {}
    names: dict[str, int] = {}
    for raw, options in deliveries:
        copy = seen[raw.content_hash] = seen.get(raw.content_hash, 0) + 1
        names[raw.path.name] = names.get(raw.path.name, 0) + 1
        # Two files of one name in different folders must stay apart on every list.
        file = raw.path.name if names[raw.path.name] == 1 else f"{raw.path.parent.name}/{raw.path.name}"
        delivery_key = raw.content_hash[:12] + (f"#{copy}" if copy > 1 else "")
        notes = _Notes(problems=[(raw.problem.code, raw.problem.sentence)] if raw.problem else [])
        counts = []
        if raw.problem:
            counts.append(LayerCount("", "", raw.records_counted or 0, raw.records_counted, raw.count_method))
            rejected.append(_all_rejected(file, "", raw.records_counted or 0, *notes.problems[0]))
        for layer in raw.layers:
            frame, problem = _ingest_layer(layer, file, delivery_key, options, vocabulary, notes)
            size = len(frame) if frame is not None else (layer.records_counted or layer.table.num_rows)
            counts.append(_count(layer, size))
            if frame is not None:
                features.append(frame)
            else:
                notes.problems.append(problem)
                rejected.append(_all_rejected(file, layer.name, size, *problem))
            notes.assumptions += [note.sentence for note in layer.notes]
        findings += notes.findings
        done.append(
            Delivery(
                file, raw.content_hash, raw.driver, tuple(counts), tuple(notes.problems),
                tuple(dict.fromkeys(notes.assumptions)),
            )
        )  # fmt: skip
    state = State(deliveries=tuple(done)).adding(rejected=rejected, findings=findings)
    return state if not features else State(
        deliveries=state.deliveries, features=concat(features), rejected=state.rejected, findings=state.findings
    )  # fmt: skip


def _count(layer: RawLayer, size: int) -> LayerCount:
    return LayerCount(layer.name, layer.crs_name, size, layer.records_counted, layer.count_method)


def _all_rejected(file: str, layer: str, size: int, reason: str, sentence: str) -> Frame:
    """Account for the counted records of something that could not be used."""
    rows = pa.array(np.arange(1, size + 1))
    columns = {"file": file, "layer": layer, "row": rows, "reason": reason, "sentence": sentence}
    return make_frame(REJECTED, columns, no_geometry(size))


def _ingest_layer(
    layer: RawLayer,
    file: str,
    delivery_key: str,
    options: DeliveryOptions,
    vocabulary: Vocabulary,
    notes: _Notes,
) -> tuple[Frame | None, tuple[str, str]]:
    """Map one layer; or return the (code, sentence) for which it cannot be used."""
    if layer.problem:
        return None, (layer.problem.code, layer.problem.sentence)
    names = [name for name in layer.table.column_names if name not in ("row", "geometry", "geometry_problem")]
    for option in ("operator_field", "kind_field", "id_field"):
        wanted = getattr(options, option)
        if wanted is not None and find_column(names, [wanted]) is None:
            flag = "--" + option.replace("_", "-")
            return None, (
                "FIELD_UNKNOWN",
                f"{_place(file, layer)}: there is no column {wanted!r}. "
                f"Give {flag} one of: {', '.join(names) or '(the file has no columns)'}.",
            )
    columns = {
        canonical: column
        for canonical, aliases in vocabulary.columns.items()
        if (column := find_column(names, aliases)) is not None
    }
    columns |= {
        canonical: find_column(names, [wanted])
        for canonical, wanted in (
            ("operator", options.operator_field),
            ("kind", options.kind_field),
            ("source_id", options.id_field),
        )
        if wanted is not None
    }
    return _map_columns(layer, file, delivery_key, columns, options, vocabulary, notes), ("", "")


def _map_columns(
    layer: RawLayer,
    file: str,
    delivery_key: str,
    columns: dict[str, str | None],
    options: DeliveryOptions,
    vocabulary: Vocabulary,
    notes: _Notes,
) -> Frame:
    """Build the FEATURES rows of one layer."""
    table, place = layer.table, _place(file, layer)
    crs = layer.crs_wkt or ""
    if not crs and options.assume_crs:
        crs = options.assume_crs
        notes.assumptions.append(f"{place}: coordinate system {crs_name(crs)}, as you said")
    operator = _operators(table, columns, options, vocabulary, file, place, notes)
    kind = _kinds(table, columns, options, vocabulary, (layer.name, file), place, notes)
    register = map_values(kind, _REGISTERS.__getitem__, pa.string())
    wkb = table["geometry"].combine_chunks().cast(pa.large_binary())
    geometry_hash = geometry_hashes(wkb, crs)
    source_id = _source_ids(table, columns, options, place, notes)
    ids = pc.coalesce(source_id, pc.binary_join_element_wise("geometry-", geometry_hash, ""))
    record_id = join_ids(operator, register, ids)
    volatile = {fold_tight(name) for name in vocabulary.volatile_columns}
    delivered = table.drop_columns([n for n in ("row", "geometry", "geometry_problem") if n in table.column_names])
    content = delivered.select([n for n in delivered.column_names if fold_tight(n) not in volatile])
    attributes = json_rows(delivered)
    row_prefix = f"{delivery_key}:{layer.name}:"
    values = {
        "row_id": pc.binary_join_element_wise(row_prefix, pc.utf8_lpad(table["row"].cast(pa.string()), 8, "0"), ""),
        "record_id": record_id,
        "version_id": version_hashes(geometry_hash, record_id, attributes if content.num_columns == delivered.num_columns else json_rows(content)),
        "geometry_hash": geometry_hash,
        "file": file,
        "layer": layer.name,
        "row": table["row"],
        "operator": operator,
        "kind": kind,
        "source_id": ids,
        "id_is_delivered": pc.is_valid(source_id),
        "register": register,
        "status": _statuses(table, columns, vocabulary),
        "geometry_problem": table["geometry_problem"] if "geometry_problem" in table.column_names else None,
        "attributes": attributes,
        "source_geometry": wkb,
        "source_crs": crs,
    }  # fmt: skip
    values |= {name: as_text(table[columns[name]]) for name in _TEXTS if name in columns}
    values |= _read_values(table, columns, place, notes)
    return make_frame(FEATURES, values, no_geometry(table.num_rows))


def _place(file: str, layer: RawLayer) -> str:
    """Name a layer for people: the file alone where the layer has the file's name."""
    return file if layer.name in file or not layer.name else f"{file}, layer {layer.name}"


def _operators(
    table: pa.Table, columns: dict[str, str | None], options: DeliveryOptions, vocabulary: Vocabulary,
    file: str, place: str, notes: _Notes,
) -> pa.Array:  # fmt: skip
    """Return each record's operator: as told, from its column, else from the file's name."""
    known = lookup(vocabulary.operators)
    if options.operator:
        return pa.repeat(pa.scalar(known.get(fold_tight(options.operator), options.operator)), table.num_rows)
    recognised = word_in_name(file, known)
    fallback = recognised or file.rsplit("/", 1)[-1].split(".", 1)[0]
    if "operator" in columns:
        named = map_values(
            as_text(table[columns["operator"]]), lambda text: known.get(fold_tight(text), text), pa.string()
        )
        if named.null_count:
            notes.assumptions.append(f"{place}: {named.null_count} records without operator are {fallback}'s")
        return pc.fill_null(named, fallback)
    source = "a name in the file's name" if recognised else "the file's name"
    notes.assumptions.append(f"{place}: operator {fallback} ({source})")
    return pa.repeat(pa.scalar(fallback), table.num_rows)


def _kinds(
    table: pa.Table, columns: dict[str, str | None], options: DeliveryOptions, vocabulary: Vocabulary,
    names: tuple[str, str], place: str, notes: _Notes,
) -> pa.Array:  # fmt: skip
    """Return each record's kind: as told, from its column, else from words in the layer's or file's name."""
    if options.kind:
        return pa.repeat(pa.scalar(str(options.kind)), table.num_rows)
    known = lookup(vocabulary.kinds)
    from_name = next(
        (word for name in names if (word := word_in_name(name, known, vocabulary.kinds_not_in_names))), None
    )
    if "kind" in columns:
        values = as_text(table[columns["kind"]])
        kinds = map_values(values, lambda text: known.get(fold_tight(text)), pa.string())
        unread = pc.unique(values.filter(pc.and_(pc.is_valid(values), pc.is_null(kinds)))).to_pylist()
        # A column none of whose values is a kind is about something else; a single odd value is unknown.
        if kinds.null_count < len(kinds):
            if unread:
                notes.assumptions.append(f"{place}: kind unknown for {', '.join(map(repr, unread[:5]))}")
            kinds = pc.if_else(pc.is_valid(values), pc.fill_null(kinds, str(Kind.UNKNOWN)), from_name or "UNKNOWN")
            return kinds.combine_chunks() if isinstance(kinds, pa.ChunkedArray) else kinds
    if from_name:
        notes.assumptions.append(f"{place}: all {from_name} (a word in the name)")
    else:
        notes.assumptions.append(f"{place}: kind UNKNOWN; say it with --kind or --kind-field")
    return pa.repeat(pa.scalar(from_name or str(Kind.UNKNOWN)), table.num_rows)


def _statuses(table: pa.Table, columns: dict[str, str | None], vocabulary: Vocabulary) -> pa.Array | str:
    if "status" not in columns:
        return "unknown"
    known = lookup(vocabulary.statuses)
    return map_values(as_text(table[columns["status"]]), lambda text: known.get(fold_tight(text), "unknown"), pa.string())


def _source_ids(
    table: pa.Table, columns: dict[str, str | None], options: DeliveryOptions, place: str, notes: _Notes
) -> pa.Array:
    """Return the operator's own ids, null where it gave none."""
    column = columns.get("source_id")
    if column is None:
        notes.assumptions.append(f"{place}: no id column; records are known by their geometry")
        return pa.nulls(table.num_rows, pa.string())
    ids = as_text(table[column])
    given = len(ids) - ids.null_count
    distinct = len(pc.unique(ids.drop_null()))
    if options.id_field is None and given and distinct < _LEAST_DISTINCT_SHARE * given:
        notes.assumptions.append(f"{place}: column {column} repeats too much to be an id, not used")
        return pa.nulls(table.num_rows, pa.string())
    return ids


def _read_values(
    table: pa.Table, columns: dict[str, str | None], place: str, notes: _Notes
) -> dict[str, pa.Array]:
    """Read dates and figures; what cannot be read is null and told once per column."""
    readers = [(name, as_date, name) for name in _DATES]
    readers += [("clearance_depth_cm", as_number, "clearance_depth_cm"), ("area_stated_m2", as_number, "area_stated_m2")]
    if "area_stated_m2" not in columns:
        readers.append(("area_stated_ha", _hectares, "area_stated_m2"))
    values = {}
    for name, read, target in readers:
        if name not in columns:
            continue
        column = table[columns[name]]
        values[target] = read(column)
        lost = len(as_text(column)) - as_text(column).null_count - (len(column) - values[target].null_count)
        if lost:
            sentence = f"{place}: {lost} values of column {columns[name]} could not be read as {name}"
            notes.findings.append(
                make_frame(
                    FINDINGS,
                    {"code": "VALUE_UNREADABLE", "severity": str(Severity.CHECK), "file": place,
                     "sentence": sentence, "measure": float(lost), "unit": "records"},
                    no_geometry(1),
                )
            )  # fmt: skip
    return values


def _hectares(column: pa.ChunkedArray) -> pa.Array:
    return pc.multiply(as_number(column), 10_000.0)
