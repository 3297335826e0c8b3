"""The data dictionary of the feeds, and the JSON schema of each table, made from the allow-list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geopipe.languages.texts import load_texts, message
from geopipe.outputs.feeds.columns import Column, Table, Type, tables

NAME = "dictionary"
SCHEMA = f"feed-{NAME}.v1"
COLUMNS = (
    "table", "column", "position", "files", "type", "unit", "crs", "meaning_en", "meaning_lo", "allowed",
    "can_be_empty", "table_meaning_en", "table_meaning_lo",
)  # fmt: skip
_GEOMETRY = message("The polygon as WKB; in GeoParquet only.")
_JSON_TYPES = {
    Type.TEXT: "string", Type.INTEGER: "integer", Type.NUMBER: "number", Type.BOOLEAN: "boolean",
    Type.DATE: "string",
}  # fmt: skip


def dictionary_rows(names: Sequence[str], working_crs: str) -> list[dict[str, Any]]:
    """Return a row for each column of some tables; the meaning in English, and in Lao as a draft.

    Parameters
    ----------
    names : sequence of str
        Tables that were written.
    working_crs : str
        In which geometries are, as PROJ text.
    """
    english, lao = load_texts("both").each
    geometry = Column("geometry", Type.GEOMETRY, _GEOMETRY, "m", working_crs)
    return [
        {
            "table": table.name,
            "column": column.name,
            "position": position,
            "files": _files(table, column),
            "type": column.type.value,
            "unit": column.unit or None,
            "crs": column.crs or None,
            "meaning_en": english(column.meaning),
            "meaning_lo": lao(column.meaning),
            "allowed": " | ".join(column.allowed) or None,
            "can_be_empty": not column.required,
            "table_meaning_en": english(table.meaning),
            "table_meaning_lo": lao(table.meaning),
        }
        for table in (tables()[name] for name in names)
        for position, column in enumerate([*table.columns, *([geometry] if table.is_map else [])], start=1)
    ]


def _files(table: Table, column: Column) -> str:
    """Return in which files a column stands."""
    if column.type is Type.GEOMETRY:
        return "parquet"
    return "csv, json, parquet" if table.is_map else "csv, json"


def schema_of(table: Table) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the JSON file of a table."""
    return _document(table.schema, table.meaning, {column.name: _value(column) for column in table.columns})


def dictionary_schema() -> dict[str, Any]:
    """Return the JSON schema of the dictionary itself."""
    text = {"type": ["string", "null"]}
    own = {"position": {"type": "integer", "minimum": 1}, "can_be_empty": {"type": "boolean"}}
    columns = {name: own.get(name, text) for name in COLUMNS}
    columns |= {
        name: {"type": "string"} for name in ("table", "column", "files", "type", "meaning_en", "meaning_lo")
    }
    return _document(SCHEMA, "What each column of each table means.", columns)


def _value(column: Column) -> dict[str, Any]:
    kind = _JSON_TYPES[column.type]
    said: dict[str, Any] = {"type": kind if column.required else [kind, "null"]}
    if column.type is Type.DATE:
        said["format"] = "date"
    if column.allowed:
        said["enum"] = [*column.allowed, *([] if column.required else [None])]
    return said | {"description": column.meaning}


def _document(name: str, meaning: str, columns: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a file that holds what every export carries, and rows."""
    row = {
        "type": "object",
        "properties": columns,
        "required": list(columns),
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:geopipe:schema:{name}",
        "title": meaning,
        "type": "object",
        "properties": {
            "schema": {"const": name},
            "about": {"$ref": "#/$defs/about"},
            "rows": {"type": "array", "items": row},
        },
        "required": ["schema", "about", "rows"],
        "additionalProperties": False,
        "$defs": {"about": about_schema()},
    }


def about_schema() -> dict[str, Any]:
    """Return the schema of what every export carries."""
    names = {"type": "array", "items": {"type": "string"}}
    count = {"type": "integer", "minimum": 0}
    return _object(
        run={"type": "string"},
        run_day={"type": "string", "format": "date"},
        data_cut_off={"type": ["string", "null"], "format": "date"},
        edition={"type": ["string", "null"], "description": "The one operator whose edition this is."},
        records=_object(received=count, shown=count, returned=count),
        deliveries=_object(
            received=names,
            missing={**names, "type": ["array", "null"], "description": "null: nobody said who should."},
            returned=names,
        ),
        hectares={"enum": ["provisional", "final"]},
        coordinates={"type": "string"},
        notice=_object(en=names, lo=names),
        translation={"type": ["string", "null"]},
    )


def _object(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with exactly these values."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
