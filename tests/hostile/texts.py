"""Texts that grow, sink or pretend: JSON, CSV, WKT, and what is shown to people."""

from __future__ import annotations

import json
from pathlib import Path

from hostile.trap import RING, WKT, Trap, add, feature, geojson, hostile, kml, placemark

TEXTS = "texts"


def _json(name: str, text: object, suffix: str = ".geojson", is_slow: bool = False) -> None:
    def make(folder: Path, trap: Trap) -> None:
        (folder / f"areas{suffix}").write_text(str(text() if callable(text) else text))

    add(TEXTS, name, make, is_slow)


def _shape(coordinates: str, kind: str = "Polygon") -> str:
    return geojson(feature("HERE")).replace('"HERE"', f'{{"type": "{kind}", "coordinates": {coordinates}}}')


def _value(value: str) -> str:
    return geojson(feature(remark="HERE")).replace('"HERE"', value)


DEEP = 100_000
_json("json_of_deep_lists", "[" * DEEP + "]" * DEEP)
_json("json_of_deep_objects", '{"a":' * DEEP + "1" + "}" * DEEP)
_json("json_value_of_deep_lists", lambda: _value("[" * DEEP + "]" * DEEP))
_json("json_coordinates_of_deep_lists", lambda: _shape("[" * DEEP + "]" * DEEP))
_json("json_line_of_deep_lists", lambda: '{"type":"Feature","properties":{"a":' + "[" * DEEP, ".geojsonl")
_json("json_open_text", '{"type":"FeatureCollection","features":[' + '\\"' * 500_000)
_json("json_esri_open_text", '{"geometryType":"esriGeometryPolygon","features":[' + '\\"' * 200_000, ".json")
_json("json_of_open_brackets", '{"features":[' + "[1" * 300_000)
_json("json_with_a_number_too_large", _value("1e400"))
_json("json_with_a_very_long_number", _value("9" * 100_000))
_json("json_with_nan", _value("NaN"))
_json("json_with_infinity", _value("-Infinity"))
_json("json_with_half_a_letter", _value('"\\ud800"'))
_json("json_with_nul", _value('"a\\u0000b"'))
_json("json_with_bytes_nul", geojson(feature()) + "\0" * 1000)
_json("json_with_a_large_text", lambda: _value(json.dumps("x" * 20_000_000)), is_slow=True)
_json("json_with_the_same_key", '{"type":"FeatureCollection","features":[],"features":[{"type":"Feature"}]}')
_json("json_of_another_type", '{"type":"FeatureCollection","features":{"type":"Feature"}}')
_json("json_null", "{}")
_json(
    "json_whose_properties_are_a_list",
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":[1],"geometry":null}]}',
)
_json("coordinates_nan", _shape("[[[NaN,17],[105,NaN],[NaN,NaN],[NaN,17]]]"))
_json("coordinates_infinite", _shape("[[[Infinity,17],[105,-Infinity],[105,17],[Infinity,17]]]"))
_json("coordinates_too_large", _shape("[[[1e400,17],[105,1e308],[-1e308,17],[1e400,17]]]"))
_json("coordinates_as_text", _shape('[[["105","17"],["105.1","17"],["105.1","17.1"],["105","17"]]]'))
_json("coordinates_of_objects", _shape('[[{"x":1},{"y":2},null,true]]'))
_json("coordinates_of_many_dimensions", lambda: _shape(json.dumps([[[*p, *range(1000)] for p in RING]])))
_json("polygon_that_makes_geos_crash", _shape(json.dumps([RING, []])))
_json("multipolygon_of_nothing", _shape("[[],[[]],[[[]]]]", "MultiPolygon"))
_json("ring_of_one_place", _shape(json.dumps([[[105, 17.5]] * 1000])))
_json(
    "ring_of_spikes",
    lambda: _shape(json.dumps([[[105 + (n % 2) * 0.01, 17 + n * 1e-7] for n in range(4001)]])),
)
_json("star_that_crosses_itself", lambda: _shape(json.dumps([_star(201)])))
_json("large_star_that_crosses_itself", lambda: _shape(json.dumps([_star(1501)])), is_slow=True)
_json("ring_of_a_million", lambda: _shape(json.dumps([_circle(1_000_000)])), is_slow=True)
_json("ring_of_a_hundred_thousand", lambda: _shape(json.dumps([_circle(100_000)])))
_json(
    "polygon_of_ten_thousand_holes",
    lambda: _shape(json.dumps([_circle(100), *([RING] * 10_000)])),
    is_slow=True,
)
_json("million_empty_features", lambda: '{"type":"FeatureCollection","features":['
      + ",".join(['{"type":"Feature","properties":null,"geometry":null}'] * 1_000_000) + "]}", is_slow=True)  # fmt: skip
_json("hundred_thousand_empty_features", lambda: '{"type":"FeatureCollection","features":['
      + ",".join(['{"type":"Feature","properties":null,"geometry":null}'] * 100_000) + "]}", is_slow=True)  # fmt: skip
_json("features_with_a_column_each", lambda: geojson(*(feature(**{f"c{n}": n}) for n in range(3000))))
_json("deep_geometry_collections", lambda: geojson(feature("HERE")).replace(
    '"HERE"', '{"type":"GeometryCollection","geometries":[' * 5000 + "]}" * 5000))  # fmt: skip


def _star(points: int) -> list[list[float]]:
    from math import cos, pi, sin

    step = 2 * pi * (points // 2) / points
    ring = [[105 + 0.01 * cos(n * step), 17.5 + 0.01 * sin(n * step)] for n in range(points)]
    return [*ring, ring[0]]


def _circle(points: int) -> list[list[float]]:
    from math import cos, pi, sin

    step = 2 * pi / points
    ring = [[105 + 0.01 * cos(n * step), 17.5 + 0.01 * sin(n * step)] for n in range(points)]
    return [*ring, ring[0]]


def _csv(name: str, data: object, is_slow: bool = False) -> None:
    def make(folder: Path, trap: Trap) -> None:
        raw = data() if callable(data) else data
        (folder / "areas.csv").write_bytes(raw if isinstance(raw, bytes) else str(raw).encode())

    add(TEXTS, name, make, is_slow)


def _rows(*shapes: str) -> str:
    return "cha_id,wkt\n" + "".join(f'X-{n},"{shape}"\n' for n, shape in enumerate(shapes))


_csv(
    "wkt_that_makes_geos_crash", _rows("POLYGON((105 17,105.1 17,105.1 17.1,105 17),EMPTY)", "POLYGON(EMPTY)")
)
_csv("wkt_of_nan", _rows("POLYGON((nan 17,105 inf,105 17.1,nan 17))", "POLYGON((1e400 1,2 2,3 3,1e400 1))"))
_csv("wkt_of_deep_collections", lambda: _rows("GEOMETRYCOLLECTION(" * 50_000 + ")" * 50_000, WKT))
_csv("wkt_of_deep_brackets", lambda: _rows("POLYGON" + "(" * 100_000, WKT))
_csv("wkt_of_a_large_number", lambda: _rows(f"POINT({'9' * 100_000} 1)", WKT))
_csv("csv_in_utf16", ('cha_id,wkt\nX-1,"' + WKT + '"\n').encode("utf-16"))
_csv("csv_in_half_utf16", ('cha_id,wkt\nX-1,"' + WKT + '"\n').encode("utf-16")[:-1])
_csv("csv_with_a_large_cell", lambda: _rows(WKT) + f'X-9,"{"x" * 5_000_000}"\n')
_csv("csv_with_an_open_quote", lambda: _rows(WKT) + 'X-8,"' + "x\n" * 50_000)
_csv("csv_of_quotes", lambda: _rows(WKT) + '"' * 300_001)
_csv(
    "csv_of_many_columns",
    lambda: ",".join(f"c{n}" for n in range(20_000)) + ",wkt\n" + "," * 20_000 + f'"{WKT}"\n',
)
_csv("csv_with_one_long_row", lambda: _rows(WKT) + "," * 200_000 + "\n")
_csv("csv_with_nul", _rows(WKT) + "X-7\0,\0\n")
_csv(
    "csv_of_degrees_without_end",
    lambda: "cha_id,lat,lon\nX-1," + "1" * 50_000 + "° ' \"," + "1 " * 50_000 + "\n",
)
_csv("csv_of_spaces", lambda: 'cha_id,wkt\nX-1,"POLYGON((' + " " * 200_000 + 'x"\n')
SHOWN = [
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "=HYPERLINK(\"http://x\",\"y\")",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'\"><svg/onload=alert(1)>",
    "\u202eevil\u202c", "\u2066\u2069\u200b\ufeff", "\x1b[31mred\x1b[0m", "#import \"/etc/passwd\"", "\\input{x}",
    "{{7*7}}", "${7*7}", "%s%s%n", "'; DROP TABLE cases; --", "../../etc/passwd", "a\nSAFETY none\nb",
]  # fmt: skip
_json("shown_texts", lambda: geojson(*(
    feature(cha_id=text, operator=text, remark=text, village=text, status=text) for text in SHOWN)))  # fmt: skip
_csv("shown_texts_in_a_table", lambda: "cha_id,operator,remark,wkt\n" + "".join(
    '"{0}","{0}","{0}","{1}"\n'.format(text.replace('"', '""'), WKT) for text in SHOWN))  # fmt: skip


@hostile(TEXTS)
def kml_of_ten_thousand_folders(folder: Path, trap: Trap) -> None:
    inside = "".join(f"<Folder><name>f{n}</name>{placemark(f'X-{n}')}</Folder>" for n in range(2_000))
    (folder / "areas.kml").write_text(kml(inside))


@hostile(TEXTS, is_slow=True)
def kml_of_very_many_folders(folder: Path, trap: Trap) -> None:
    inside = "".join(f"<Folder><name>f{n}</name>{placemark(f'X-{n}')}</Folder>" for n in range(10_000))
    (folder / "areas.kml").write_text(kml(inside))


@hostile(TEXTS)
def kml_of_false_coordinates(folder: Path, trap: Trap) -> None:
    ring = "nan,nan inf,inf 1e400,17 105;17 ,,, 105,17,abc 105,17"
    (folder / "areas.kml").write_text(kml(placemark(ring=ring) + placemark("X-2", "1" * 100_000)))
