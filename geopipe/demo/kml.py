"""Write a KML file as plain text: GDAL's own writers shorten the coordinates."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape

import pyarrow as pa

from .rings import Rings

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2">
<Document id="root_doc">
"""
_AT_ONCE = 5000


def write_kml(path: Path, layer: str, columns: dict[str, Any], rings: Rings, missing: set[int]) -> None:
    """Write polygons in lon/lat with a schema of text fields.

    Parameters
    ----------
    path : Path
        File to write.
    layer : str
        Name of the folder in the KML, which readers take for the layer's name.
    columns : dict of str to Arrow array
        Attributes; the first one is the name of the placemarks.
    rings : Rings
        Turning points in EPSG:4326, longitude first, unclosed.
    missing : set of int
        Rows without geometry.
    """
    schema = layer.replace(" ", "_")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_HEAD)
        fields = "".join(f'<SimpleField name="{name}" type="string"/>' for name in columns)
        file.write(f'<Schema name="{schema}" id="{schema}">{fields}</Schema>\n')
        file.write(f"<Folder><name>{escape(layer)}</name>\n")
        closed = rings.closed()
        for first in range(0, len(rings.count), _AT_ONCE):
            part = {name: column.slice(first, _AT_ONCE) for name, column in columns.items()}
            rows = range(first, min(first + _AT_ONCE, len(rings.count)))
            polygons = ["" if row in missing else _polygon(closed, row) for row in rows]
            _write_placemarks(file, schema, part, polygons)
        file.write("</Folder>\n</Document></kml>\n")


def _write_placemarks(file: IO[str], schema: str, columns: dict[str, Any], polygons: list[str]) -> None:
    """Write a slice of the rows."""
    texts = [[_text(value) for value in column.cast(pa.string()).to_pylist()] for column in columns.values()]
    for polygon, *values in zip(polygons, *texts, strict=True):
        data = "".join(
            f'<SimpleData name="{name}">{value}</SimpleData>'
            for name, value in zip(columns, values, strict=True)
            if value
        )
        file.write(
            f"<Placemark><name>{values[0]}</name>"
            f'<ExtendedData><SchemaData schemaUrl="#{schema}">{data}</SchemaData></ExtendedData>'
            f"{polygon}</Placemark>\n"
        )


def _polygon(closed: Rings, row: int) -> str:
    """Return the polygon of a row with coordinates in full precision."""
    points = closed.xy[closed.start[row] : closed.start[row + 1]].tolist()
    coordinates = " ".join(f"{x!r},{y!r}" for x, y in points)
    return (
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{coordinates}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    )


def _text(value: str | None) -> str:
    """Return a value as escaped text, empty where there is none."""
    return "" if value is None else escape(value)
