"""Read Esri JSON feature sets: downloads from IMSMA Core (ArcGIS), Survey123 and feature services.

Parsed here and not by GDAL, whose reader of this format guesses rings and drops what it cannot guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from geopipe.io.counting import count_esri_features, feature_lists
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.esrigeometry import Shapes, shapes_of
from geopipe.io.frames import assemble
from geopipe.io.geojson import damaged_text, load_json, read_geojson
from geopipe.io.job import Job
from geopipe.terms import CountMethod

# Feature sets lie at most this deep in the web maps and collections that ArcGIS writes.
MAX_DEPTH = 6
MERCATOR_NUMBERS = (102100, 102113)
# EPSG gives no numbers beyond this one; Esri's own begin above it.
LAST_EPSG = 32767
GEOMETRY_TYPES = {
    "esriGeometryPolygon": "Polygon",
    "esriGeometryEnvelope": "Polygon",
    "esriGeometryPolyline": "LineString",
    "esriGeometryPoint": "Point",
    "esriGeometryMultipoint": "MultiPoint",
}
DATE = "esriFieldTypeDate"
FIELD_TYPES = {
    "esriFieldTypeString": pa.large_string(),
    "esriFieldTypeGUID": pa.large_string(),
    "esriFieldTypeGlobalID": pa.large_string(),
    "esriFieldTypeXML": pa.large_string(),
    "esriFieldTypeOID": pa.int64(),
    "esriFieldTypeSmallInteger": pa.int64(),
    "esriFieldTypeInteger": pa.int64(),
    "esriFieldTypeBigInteger": pa.int64(),
    "esriFieldTypeSingle": pa.float64(),
    "esriFieldTypeDouble": pa.float64(),
    # Milliseconds since 1970 in UTC, whatever the time zone of the server.
    DATE: pa.timestamp("ms", "UTC"),
}
# Milliseconds of the years 1 and 9999: nothing beyond can be a date.
DATE_RANGE_MS = (-62_135_596_800_000, 253_402_300_799_999)


@dataclass(frozen=True)
class FeatureSet:
    """One layer of an Esri JSON file: its name, its features, and what it declares about them."""

    name: str
    features: list[Any]
    about: dict[str, Any]


def read_esrijson(job: Job) -> list[RawLayer]:
    """Return one layer per feature set of an Esri JSON file."""
    counted = count_esri_features(job.path)
    document = load_json(job, counted, "the records cannot be counted")
    sets = list(feature_sets(document, job.name))
    if not sets:
        return read_geojson(job)
    counts, method = [counted], CountMethod.WEAK
    if len(sets) > 1 or counted != len(sets[0].features):
        counts, method = feature_lists(job.path), CountMethod.EXACT
    if len(counts) != len(sets):
        held, read = sum(counts), sum(len(each.features) for each in sets)
        sentence = f"{job.label}: {read:,} records can be read, but the file holds {held:,}."
        problem = Problem("COUNT_MISMATCH", f"{sentence} Nothing of it is used. Ask for a new copy.")
        raise RefusedError(problem, held, method)
    layers = [
        _layer(job, each, count, method, len(sets) > 1) for each, count in zip(sets, counts, strict=True)
    ]
    return _spatial(job, layers, sets)


def feature_sets(document: Any, name: str, depth: int = 0) -> Iterator[FeatureSet]:
    """Yield the feature sets of a document in their order: one, a list of them, or a web map's collection."""
    if depth > MAX_DEPTH:
        return
    if isinstance(document, list):
        for number, item in enumerate(document, start=1):
            if isinstance(item, (dict, list)):
                yield from feature_sets(item, _own_name(item) or f"{name}_{number}", depth + 1)
    elif isinstance(document, dict) and _is_set(document):
        yield FeatureSet(_own_name(document) or name, document["features"], document)
    elif isinstance(document, dict):
        definition = document.get("layerDefinition")
        inner = document.get("featureSet")
        if isinstance(definition, dict) and isinstance(inner, dict) and _is_set(inner):
            yield FeatureSet(_own_name(definition) or name, inner["features"], {**definition, **inner})
            return
        for key, value in document.items():
            if isinstance(value, dict):
                yield from feature_sets(value, _own_name(value) or str(key), depth + 1)
            elif isinstance(value, list):
                yield from feature_sets(value, name, depth + 1)


def _is_set(document: dict[str, Any]) -> bool:
    features = document.get("features")
    if not isinstance(features, list):
        return False
    declared = any(key in document for key in ("geometryType", "fields", "objectIdFieldName"))
    return declared or any(isinstance(item, dict) and "attributes" in item for item in features)


def _own_name(item: Any) -> str:
    """Return the name that an object gives itself."""
    name = item.get("name") if isinstance(item, dict) else None
    return name.strip() if isinstance(name, str) else ""


def _spatial(job: Job, layers: list[RawLayer], sets: Sequence[FeatureSet]) -> list[RawLayer]:
    """Set tables without any geometry aside with a note; refuse a file that holds nothing else."""
    flat = [
        not each.about.get("geometryType") and layer.table.num_rows > 0 and _is_bare(each.features)
        for layer, each in zip(layers, sets, strict=True)
    ]
    if all(flat):
        sentence = f"{job.label}: the feature set holds no shapes. Ask for the layer with the areas."
        total = sum(layer.table.num_rows for layer in layers)
        raise RefusedError(Problem("NO_GEOMETRY", sentence), total, layers[0].count_method)
    kept = [layer for layer, is_flat in zip(layers, flat, strict=True) if not is_flat]
    notes = [
        Problem("LAYER_NOT_SPATIAL", f"{job.label}: table {layer.name} holds no shapes and is not used.")
        for layer, is_flat in zip(layers, flat, strict=True)
        if is_flat
    ]
    first = kept[0]
    return [replace(first, notes=(*first.notes, *notes)), *kept[1:]]


def _is_bare(features: list[Any]) -> bool:
    return not any(isinstance(item, dict) and item.get("geometry") is not None for item in features)


def _layer(job: Job, each: FeatureSet, counted: int, method: CountMethod, several: bool) -> RawLayer:
    """Return the layer of one feature set."""
    where = f"{job.label}, layer {each.name}" if several else job.label
    features = [item if isinstance(item, dict) else {} for item in each.features]
    own = [item.get("attributes") for item in features]
    records: list[dict[str, Any]] = [item if isinstance(item, dict) else {} for item in own]
    shapes = shapes_of([item.get("geometry") for item in features], _says(each, "hasZ"), _says(each, "hasM"))
    crs = _common_crs(each, features, shapes)
    notes = _notes(each, where, shapes, sum(not isinstance(item, dict) for item in own))
    names, columns, more = _columns(each.about.get("fields"), records, where)
    geometry = pa.array(shapes.wkb, pa.large_binary())
    table, further = assemble(pa.table(columns, names=names), geometry, trouble=shapes.trouble)
    return RawLayer(
        name=each.name,
        crs_wkt=crs,
        geometry_type=GEOMETRY_TYPES.get(str(each.about.get("geometryType")), "Unknown"),
        table=table,
        records_counted=counted,
        count_method=method,
        notes=(*notes, *more, *further, *damaged_text(table, where)),
    )


def _says(each: FeatureSet, word: str) -> bool:
    return each.about.get(word) is True


def _notes(each: FeatureSet, where: str, shapes: Shapes, bare: int) -> list[Problem]:
    """Return what a person must hear about a feature set that can be used."""
    notes = []
    properties = each.about.get("properties")
    holders = (each.about, properties if isinstance(properties, dict) else {})
    if any(holder.get("exceededTransferLimit") is True for holder in holders):
        sentence = f"{where}: the server says that more records exist than it sent ({len(each.features):,})."
        remedy = "The delivery is not complete. Download it in parts, or ask for a File Geodatabase."
        notes.append(Problem("TRANSFER_LIMIT", f"{sentence} {remedy}"))
    if shapes.turned:
        sentence = f"{where}: {shapes.turned:,} records have a ring drawn as a hole, but in no outer ring."
        notes.append(Problem("RINGS_TURNED", f"{sentence} Each such ring is read as ground. Check them."))
    if bare:
        sentence = f"{where}: {bare:,} records have no attributes. Ask for a new copy."
        notes.append(Problem("ATTRIBUTES_MISSING", sentence))
    return notes


def _common_crs(each: FeatureSet, features: Sequence[dict[str, Any]], shapes: Shapes) -> str | None:
    """Return the CRS of the set; a geometry that states another one gets a reason instead of a place."""
    declared = crs_of(each.about.get("spatialReference") or _extent_reference(each.about))
    stated = [
        geometry.get("spatialReference") if isinstance(geometry := item.get("geometry"), dict) else None
        for item in features
    ]
    if not any(stated):
        return declared
    own = [crs_of(reference) for reference in stated]
    common = declared or next(code for code in [*filter(None, own), None])
    for position, code in enumerate(own):
        if code is not None and code != common:
            shapes.wkb[position] = None
            shapes.trouble[position] = f"the geometry states {code}, but the layer {common}"
    return common


def _extent_reference(about: dict[str, Any]) -> Any:
    """Return the spatial reference that a layer definition states in its extent."""
    extent = about.get("extent")
    return extent.get("spatialReference") if isinstance(extent, dict) else None


def crs_of(reference: Any) -> str | None:
    """Return the CRS that an Esri spatialReference states, as an authority code or as WKT."""
    if not isinstance(reference, dict):
        return None
    for key in ("latestWkid", "wkid"):
        number = reference.get(key)
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            if number in MERCATOR_NUMBERS:
                return "EPSG:3857"
            return f"EPSG:{number}" if number <= LAST_EPSG else f"ESRI:{number}"
    text = reference.get("wkt2") or reference.get("wkt")
    return text if isinstance(text, str) and text.strip() else None


def _columns(
    fields: Any, records: Sequence[dict[str, Any]], where: str
) -> tuple[list[str], list[pa.Array], list[Problem]]:
    """Return names and columns of the attributes: those that the set declares, then all others."""
    listed = [item for item in fields if isinstance(item, dict)] if isinstance(fields, list) else []
    kinds = {str(item.get("name")): str(item.get("type")) for item in listed}
    names = dict.fromkeys(kinds)
    for record in records:
        names.update(dict.fromkeys(record))
    columns, odd = [], []
    for name in names:
        values = [_plain(record.get(name)) for record in records]
        column = _typed(values, kinds.get(name, ""))
        columns.append(column)
        if kinds.get(name) == DATE and not pa.types.is_timestamp(column.type):
            odd.append(f'"{name}"')
    notes = []
    if odd:
        sentence = f"{where}: column {', '.join(odd)} should hold dates but holds other values too."
        notes.append(Problem("DATES_UNREADABLE", f"{sentence} It is kept as delivered."))
    return list(names), columns, notes


def _plain(value: Any) -> Any:
    """Return a value as Arrow can hold it: lists and objects as JSON text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _typed(values: list[Any], kind: str) -> pa.Array:
    """Return a column in the type that its field declares, else in its own, else as text."""
    if kind == DATE:
        values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
        given = [v for v in values if v is not None]
        low, high = DATE_RANGE_MS
        if not all(isinstance(v, int) and not isinstance(v, bool) and low <= v <= high for v in given):
            kind = ""
    for wanted in (FIELD_TYPES.get(kind), None):
        try:
            return pa.array(values, wanted)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            continue
    return pa.array([None if v is None else str(v) for v in values], pa.large_string())
