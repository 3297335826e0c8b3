"""Write deliveries as text: GeoJSON, Esri JSON, KML and GPX."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from .geometry import esri, geojson, polygons
from .layers import pack
from .sheet import Record, Shape, Sheet

_KML = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
_GPX = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator="demonstration" xmlns="http://www.topografix.com/GPX/1/1">\n'
)
_EPOCH = dt.date(1970, 1, 1)
_ESRI_TYPES = {
    int: "esriFieldTypeInteger", float: "esriFieldTypeDouble", dt.date: "esriFieldTypeDate"
}  # fmt: skip


def plain(value: Any) -> Any:
    """Return a value as JSON and XML hold it: dates in ISO."""
    return value.isoformat() if isinstance(value, dt.date) else value


def _features(sheet: Sheet) -> list[str]:
    features = []
    for record in sheet.records:
        properties = {name: plain(value) for name, value in record.values.items()}
        shape = geojson(record, sheet.shape)
        feature = {"type": "Feature", "properties": properties, "geometry": shape}
        features.append(json.dumps(feature, ensure_ascii=False))
    return features


def write_geojson(sheet: Sheet, path: Path) -> list[int]:
    """Write GeoJSON; return the number of each record as readers count them."""
    body = ",\n".join(_features(sheet))
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n', encoding="utf-8")
    return _in_order(sheet)


def write_geojson_lines(sheet: Sheet, path: Path) -> list[int]:
    """Write one GeoJSON feature in each line."""
    path.write_text("\n".join(_features(sheet)) + "\n", encoding="utf-8")
    return _in_order(sheet)


def write_esri_json(sheet: Sheet, path: Path) -> list[int]:
    """Write an Esri feature set: dates in milliseconds since 1970."""
    columns = sheet.columns()
    fields = [{"name": name, "type": _esri_type(values)} for name, values in columns.items()]
    features = [
        {
            "attributes": {name: _esri_value(value) for name, value in record.values.items()},
            "geometry": esri(record, sheet.shape),
        }
        for record in sheet.records
    ]
    width = max((ring.shape[1] for r in sheet.records for part in r.parts for ring in part), default=2)
    about: dict[str, Any] = {
        "objectIdFieldName": "",
        "geometryType": "esriGeometryPoint" if sheet.shape is Shape.POINT else "esriGeometryPolygon",
        **({"spatialReference": {"wkid": int(sheet.stated_crs.split(":")[1])}} if sheet.stated_crs else {}),
        **({"hasZ": True} if width > 2 else {}),
        **({"hasM": True} if width > 3 else {}),
        **sheet.flags,
    }
    text = json.dumps({**about, "fields": fields, "features": features}, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return _in_order(sheet)


def _esri_type(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    return _ESRI_TYPES.get(kinds.pop(), "esriFieldTypeString") if len(kinds) == 1 else "esriFieldTypeString"


def _esri_value(value: Any) -> Any:
    # Noon in Laos: the day is the same in UTC and there.
    return ((value - _EPOCH).days * 24 + 5) * 3_600_000 if isinstance(value, dt.date) else value


def write_kml(sheet: Sheet, path: Path) -> list[int]:
    """Write KML."""
    path.write_text(_kml_text(sheet, path.stem), encoding="utf-8", newline="\n")
    return _in_order(sheet)


def write_kmz(sheet: Sheet, path: Path) -> list[int]:
    """Write KML inside a zip."""
    pack(path, [("doc.kml", _kml_text(sheet, path.stem).encode())])
    return _in_order(sheet)


def _kml_text(sheet: Sheet, layer: str) -> str:
    names = sheet.columns()
    fields = "".join(f'<SimpleField name="{name}" type="string"/>' for name in names)
    marks = "".join(_placemark(record, sheet.shape) for record in sheet.records)
    schema = f'<Schema name="s" id="s">{fields}</Schema>\n'
    return f"{_KML}{schema}<Folder><name>{escape(layer)}</name>\n{marks}</Folder>\n</Document></kml>\n"


def _placemark(record: Record, shape: Shape) -> str:
    values = {name: plain(value) for name, value in record.values.items() if value is not None}
    data = "".join(
        f'<SimpleData name="{name}">{escape(str(value))}</SimpleData>' for name, value in values.items()
    )
    return (
        f'<Placemark><ExtendedData><SchemaData schemaUrl="#s">{data}</SchemaData></ExtendedData>'
        f"{_kml_geometry(record, shape)}</Placemark>\n"
    )


def _kml_geometry(record: Record, shape: Shape) -> str:
    if record.is_null:
        return ""
    if shape is Shape.POINT:
        return f"<Point>{_coordinates(record.ring.tolist())}</Point>"
    shapes = []
    for rings in polygons(record):
        outer, *holes = [f"<LinearRing>{_coordinates(ring)}</LinearRing>" for ring in rings]
        inner = "".join(f"<innerBoundaryIs>{hole}</innerBoundaryIs>" for hole in holes)
        shapes.append(f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{inner}</Polygon>")
    text = shapes[0] if len(shapes) == 1 else f"<MultiGeometry>{''.join(shapes)}</MultiGeometry>"
    if not record.bad_number:
        return text
    head, _, rest = text.partition("<coordinates>")
    return f"{head}<coordinates>{record.bad_number},{rest.partition(',')[2]}"


def _coordinates(positions: list[list[float]]) -> str:
    return f"<coordinates>{' '.join(','.join(map(repr, p)) for p in positions)}</coordinates>"


def write_gpx(sheet: Sheet, path: Path) -> list[int]:
    """Write tracks around areas, as a GPS receiver records them; attributes as extensions."""
    tracks = "".join(_track(record) for record in sheet.records)
    path.write_text(f"{_GPX}{tracks}</gpx>\n", encoding="utf-8", newline="\n")
    return _in_order(sheet)


def _track(record: Record) -> str:
    values = {name: plain(value) for name, value in record.values.items() if value is not None}
    data = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())
    points = "".join(f'<trkpt lat="{y!r}" lon="{x!r}"/>' for x, y in record.ring[:, :2].tolist())
    return f"<trk><extensions>{data}</extensions><trkseg>{points}</trkseg></trk>\n"


def _in_order(sheet: Sheet) -> list[int]:
    return list(range(1, len(sheet.records) + 1))
