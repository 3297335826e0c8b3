"""Read GeoJSON and GeoJSON text sequences; where the fast reader gives up, feature by feature."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io import drivers
from geopipe.io.counting import FEATURE, count_geojson, count_geometry_members, links_to_crs, sequence_texts
from geopipe.io.delivery import GEOMETRY, GEOMETRY_PROBLEM, Problem, RawLayer, RefusedError
from geopipe.io.formats import ESRI_FEATURE
from geopipe.io.frames import assemble, table_of_records
from geopipe.io.job import Job, reason_of
from geopipe.io.textgeometry import wkb_from_geojson
from geopipe.terms import CountMethod

# Values stay as the sender wrote them: "2024/01/18" is text until somebody says that it is a date.
AS_DELIVERED = {"DATE_AS_STRING": "YES", "ARRAY_AS_STRING": "YES"}
CRS84 = "EPSG:4326"


class _Unreadable:
    """Stands for a feature whose text is not JSON."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def read_geojson(job: Job) -> list[RawLayer]:
    """Return the one layer of a GeoJSON file."""
    (layer,) = _layers(job)
    return [replace(layer, crs_wkt=None)] if links_to_crs(job.path) else [layer]


def _layers(job: Job) -> list[RawLayer]:
    """Return the one layer, by whichever reader gives all of its features."""
    counted = count_geojson(job.path)
    try:
        layer = _fast(job, counted)
    except Exception as error:
        return [_exact(job, counted, error)]
    is_small = job.path.stat().st_size <= job.limits.tolerant_bytes
    if layer.table.num_rows != counted or (is_small and count_geometry_members(job.path) != counted):
        return [_recount(job, layer)]
    return [_explain(job, layer) if layer.table.column(GEOMETRY).null_count else layer]


def read_sequence(job: Job) -> list[RawLayer]:
    """Return the one layer of a GeoJSON text sequence (one feature per line)."""
    counted = sum(1 for _ in sequence_texts(job.path))
    try:
        # Weak: a sequence that is cut between two lines looks whole.
        layer = _fast(job, counted)
    except Exception as error:
        layer = RawLayer(job.name, notes=(Problem("FALLBACK_READER", reason_of(error)),))
    if layer.table.num_rows == counted and not layer.table.column(GEOMETRY).null_count and counted:
        return [layer]
    _require_small(job, counted, CountMethod.WEAK, "some lines cannot be read")
    features = [_parsed(text, number) for number, text in enumerate(sequence_texts(job.path), start=1)]
    bad = sum(isinstance(feature, _Unreadable) for feature in features)
    if layer.table.num_rows == counted and not bad:
        return [_explained(layer, features)]
    sentence = f"{job.label}: {bad:,} of {counted:,} lines are not readable JSON. Ask for a new copy."
    notes = (Problem("LINES_UNREADABLE", sentence),) if bad else ()
    read = _from_features(job, features, layer.crs_wkt or CRS84, counted, notes)
    return [replace(read, count_method=CountMethod.WEAK)]


def _fast(job: Job, counted: int) -> RawLayer:
    """Read with GDAL."""
    meta, table = drivers.read_arrow(job.path, **AS_DELIVERED)
    numbers, geometry = table.column(0), table.column(table.num_columns - 1)
    columns = table.select(range(1, table.num_columns - 1))
    # Whole-number ids of features become GDAL's record numbers: give them back where they carry meaning.
    if "id" not in columns.column_names and table.num_rows:
        ids = numbers.to_numpy()
        if (ids != range(len(ids))).any() if len(ids) else False:
            columns = columns.add_column(0, "id", numbers)
    full, notes = assemble(columns, geometry)
    return RawLayer(
        name=job.name,
        crs_wkt=meta["crs"],
        geometry_type=str(meta["geometry_type"]),
        table=full,
        records_counted=counted,
        count_method=CountMethod.WEAK,
        notes=tuple(notes),
    )


def load_json(job: Job, counted: int | None, why: str) -> Any:
    """Return the whole JSON document, or refuse the file."""
    _require_small(job, counted, CountMethod.WEAK, why)
    data = job.path.read_bytes()
    text = data.decode("utf-8-sig", "replace")
    try:
        return json.loads(text)
    except RecursionError as error:
        sentence = f"{job.label}: the file is nested too deeply to be map data. Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence), counted, CountMethod.WEAK) from error
    except ValueError as error:
        at_end = getattr(error, "pos", 0) >= len(text.rstrip()) or "Unterminated" in str(error)
        whole = data.rstrip().endswith((b"}", b"]")) and not at_end
        code, what = (
            ("FILE_UNREADABLE", "is not valid JSON") if whole else ("FILE_TRUNCATED", "ends too early")
        )
        if FEATURE.search(data) is None and ESRI_FEATURE.search(data) is None:
            counted = None
        sentence = f'{job.label}: the file {what} ("{error}"). Ask for a new copy.'
        raise RefusedError(Problem(code, sentence), counted, CountMethod.WEAK) from error


def _require_small(job: Job, counted: int | None, method: CountMethod, why: str) -> None:
    """Refuse texts that are too large to be parsed as a whole."""
    if job.path.stat().st_size > job.limits.tolerant_bytes:
        sentence = f"{job.label}: {why}, and the file is too large to look closer. Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence), counted, method)


def _features(job: Job, document: Any) -> list[Any]:
    """Return the features of a document, or refuse what is not GeoJSON."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        return list(document["features"])
    if kind == "Feature":
        return [document]
    if kind == "GeometryCollection" or (isinstance(document, dict) and "coordinates" in document):
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    sentence = f"{job.label}: the file is JSON but neither GeoJSON nor Esri JSON. Ask what this file is."
    raise RefusedError(Problem("FORMAT_UNKNOWN", sentence))


def _exact(job: Job, counted: int, error: Exception) -> RawLayer:
    """Read feature by feature after GDAL refused the file as a whole."""
    features = _features(job, load_json(job, counted, reason_of(error)))
    sentence = f"{job.label}: the fast reader failed ({reason_of(error)}); read feature by feature."
    note = (Problem("FALLBACK_READER", sentence),)
    return _from_features(job, features, CRS84, len(features), note)


def _recount(job: Job, layer: RawLayer) -> RawLayer:
    """Count exactly where text and reader disagree, and read slowly where the reader lost something."""
    features = _features(job, load_json(job, layer.records_counted, "the records cannot be counted"))
    if len(features) == layer.table.num_rows:
        counted = replace(layer, records_counted=len(features), count_method=CountMethod.EXACT)
        return _explained(counted, features)
    sentence = (
        f"{job.label}: the fast reader gave {layer.table.num_rows:,} of {len(features):,} records; "
        "read feature by feature."
    )
    note = (Problem("FALLBACK_READER", sentence),)
    return _from_features(job, features, layer.crs_wkt or CRS84, len(features), note)


def _explain(job: Job, layer: RawLayer) -> RawLayer:
    """Say why geometries are missing, where the file is small enough to look."""
    return layer if job.path.stat().st_size > job.limits.tolerant_bytes else _recount(job, layer)


def _explained(layer: RawLayer, features: list[Any]) -> RawLayer:
    """Give back each geometry that the reader dropped, or the reason why it cannot be read."""
    geometry = layer.table.column(GEOMETRY).to_pylist()
    trouble: list[str | None] = [None] * len(geometry)
    for position, (wkb, feature) in enumerate(zip(geometry, features, strict=True)):
        if wkb is None:
            geometry[position], trouble[position] = _geometry(feature)
    column = pa.array(geometry, pa.large_binary())
    table = layer.table.set_column(layer.table.column_names.index(GEOMETRY), GEOMETRY, column)
    if any(trouble):
        table = table.append_column(GEOMETRY_PROBLEM, pa.array(trouble, pa.string()))
    return replace(layer, table=table)


def _parsed(text: bytes, number: int) -> Any:
    """Return the feature of one line, or what stands for it."""
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return _Unreadable(f"line {number:,} is not readable JSON")


def _geometry(feature: Any) -> tuple[bytes | None, str | None]:
    """Return the WKB of a feature, or the reason why there is none."""
    if isinstance(feature, _Unreadable):
        return None, feature.reason
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return None, "this is not a GeoJSON feature"
    if feature.get("geometry") is None:
        return None, None
    try:
        return wkb_from_geojson(feature["geometry"]), None
    except ValueError as error:
        return None, f"the geometry could not be read: {error}"


def damaged_text(table: pa.Table, label: str) -> tuple[Problem, ...]:
    """Return a note where bytes of a text could not be read and show as a sign of their own."""
    damaged = [
        f'"{field.name}"'
        for field in table.schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        if pc.any(pc.match_substring(table[field.name], "\N{REPLACEMENT CHARACTER}")).as_py()
    ]
    if not damaged:
        return ()
    sentence = f"{label}: text in column {', '.join(damaged)} is damaged or in another encoding"
    return (Problem("TEXT_DAMAGED", f"{sentence}; unreadable bytes show as \N{REPLACEMENT CHARACTER}."),)


def _from_features(
    job: Job, features: Iterable[Any], crs: str, counted: int, notes: tuple[Problem, ...]
) -> RawLayer:
    """Return the layer of features that were parsed in Python."""
    records: list[dict[str, Any]] = []
    geometries: list[bytes | None] = []
    trouble: list[str | None] = []
    for feature in features:
        geometry, reason = _geometry(feature)
        geometries.append(geometry)
        trouble.append(reason)
        properties = feature.get("properties") if isinstance(feature, dict) else None
        record = dict(properties) if isinstance(properties, dict) else {}
        if isinstance(feature, dict) and feature.get("id") is not None and "id" not in record:
            record = {"id": feature["id"], **record}
        records.append(record)
    table = table_of_records(records, geometries, trouble)
    return RawLayer(
        name=job.name,
        crs_wkt=crs,
        table=table,
        records_counted=counted,
        count_method=CountMethod.EXACT,
        notes=(*notes, *damaged_text(table, job.label)),
    )
