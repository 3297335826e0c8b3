"""Esri JSON (IMSMA Core): rings as delivered, dates as moments, records that a server kept back are told."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from reading_fixtures import LAO, cut, read

from geopipe.io.counting import count_esri_features, feature_lists
from geopipe.io.delivery import RawLayer
from geopipe.io.sources import find_sources
from geopipe.terms import CountMethod
from geopipe.wkb import read_leniently


def ring(west: float, south: float, side: float, clockwise: bool = True) -> list[list[float]]:
    points = [
        [west, south],
        [west, south + side],
        [west + side, south + side],
        [west + side, south],
        [west, south],
    ]
    return points if clockwise else points[::-1]


def record(number: int, geometry: object = ..., **attributes: object) -> dict:
    shape = {"rings": [ring(102 + number / 10, 18, 0.05)]} if geometry is ... else geometry
    return {"attributes": {"imsma_id": f"hazard_poly_{number}", **attributes}, "geometry": shape}


def feature_set(features: list, **more: object) -> dict:
    return {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": 4326, "latestWkid": 4326},
        "features": features,
        **more,
    }


def saved(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return path


def layer_of(path: Path, document: object) -> RawLayer:
    delivery = read(saved(path, document))
    assert delivery.problem is None, delivery.problem
    assert delivery.driver == "Esri JSON"
    (layer,) = delivery.layers
    assert layer.problem is None, layer.problem
    assert layer.table.num_rows == layer.records_counted
    return layer


def shapes(layer: RawLayer) -> list[shapely.Geometry | None]:
    with np.errstate(invalid="ignore"):  # a missing coordinate is NaN
        return list(shapely.from_wkb(layer.table["geometry"].to_pylist(), on_invalid="ignore"))


def notes(layer: RawLayer) -> list[str]:
    return [note.code for note in layer.notes]


@pytest.mark.parametrize("name", ["download.json", "download.geojson"])
def test_a_download_comes_in_whole(tmp_path: Path, name: str) -> None:
    layer = layer_of(tmp_path / name, feature_set([record(i, village=LAO) for i in range(5)]))
    assert layer.table["imsma_id"].to_pylist() == [f"hazard_poly_{i}" for i in range(5)]
    assert set(layer.table["village"].to_pylist()) == {LAO}
    assert [shape.bounds[0] for shape in shapes(layer)] == [102 + i / 10 for i in range(5)]
    assert (layer.crs_name, layer.geometry_type, layer.notes) == ("EPSG:4326", "Polygon", ())
    assert layer.count_method is CountMethod.WEAK


@pytest.mark.parametrize("clean_path", [True, False])
def test_a_hole_goes_to_the_outer_ring_around_it(tmp_path: Path, clean_path: bool) -> None:
    big, hole, island = ring(0, 0, 10), ring(2, 2, 6, clockwise=False), ring(4, 4, 2)
    second = ring(20, 0, 10)
    rings = [hole, second, big, island]
    features = [record(0, {"rings": rings}), *([] if clean_path else [record(1, {"x": 1, "y": 2})])]
    layer = layer_of(tmp_path / "a.json", feature_set(features))
    shape = shapes(layer)[0]
    assert shape.is_valid
    assert shape.area == 100 - 36 + 4 + 100
    assert sorted(len(part.interiors) for part in shape.geoms) == [0, 0, 1]
    assert layer.notes == ()


def test_a_hole_inside_an_island_belongs_to_the_island(tmp_path: Path) -> None:
    rings = [ring(0, 0, 20), ring(2, 2, 16, False), ring(4, 4, 12), ring(6, 6, 8, False)]
    (shape,) = shapes(layer_of(tmp_path / "a.json", feature_set([record(0, {"rings": rings})])))
    assert shape.area == 400 - 256 + 144 - 64
    assert shape.is_valid


@pytest.mark.parametrize(
    "rings",
    [
        [ring(0, 0, 10, False)],
        [ring(0, 0, 10, False), ring(20, 0, 10, False)],
        [ring(0, 0, 10), ring(20, 0, 10, False)],
        [ring(0, 0, 10), ring(5, 5, 10, False)],
    ],
)
def test_no_ground_is_lost_to_the_direction_of_a_ring(tmp_path: Path, rings: list) -> None:
    layer = layer_of(tmp_path / "a.json", feature_set([record(0, {"rings": rings})]))
    parts = shapely.get_parts(shapes(layer)[0])
    assert len(parts) == len(rings)
    assert [part.area for part in parts] == [100] * len(rings)
    assert notes(layer) == ["RINGS_TURNED"]


def test_rings_stay_as_delivered(tmp_path: Path) -> None:
    unclosed, two = ring(102, 18, 1)[:4], ring(102, 18, 1)[:2]
    geometries = [{"rings": [unclosed]}, {"rings": [two]}, {"rings": []}, None]
    layer = layer_of(
        tmp_path / "a.json", feature_set([record(i, shape) for i, shape in enumerate(geometries)])
    )
    data = layer.table["geometry"].to_pylist()
    assert len(data[0]) == 1 + 4 + 4 + 4 + 4 * 16
    assert read_leniently(data[0]).geometry.area == 1
    assert read_leniently(data[1]).problem == "TOO_FEW_POINTS"
    assert shapely.from_wkb(data[2]).is_empty
    assert data[3] is None


def test_a_bow_tie_is_ground_whatever_its_sum(tmp_path: Path) -> None:
    tie = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]
    layer = layer_of(tmp_path / "a.json", feature_set([record(0, {"rings": [tie, ring(20, 0, 5)]})]))
    assert len(shapely.get_parts(shapes(layer)[0])) == 2


@pytest.mark.parametrize("missing", ["NaN", None])
def test_a_point_without_number_is_told_and_its_ring_kept(tmp_path: Path, missing: object) -> None:
    broken = ring(102, 18, 1)
    broken[2][0] = missing
    layer = layer_of(tmp_path / "a.json", feature_set([record(0), record(1, {"rings": [broken]})]))
    reasons = layer.table["geometry_problem"].to_pylist()
    assert reasons[0] is None
    assert "missing or is not a number" in reasons[1]
    assert np.isnan(shapely.get_coordinates(shapes(layer)[1])).sum() == 1


@pytest.mark.parametrize(
    ("geometry", "word"),
    [
        ({"curveRings": [[[0, 0], {"c": [[1, 1], [2, 0]]}]]}, "curve"),
        ({"rings": [[["east", 18], [103, 18]]]}, "not a coordinate"),
        ({"rings": [[102, 18]]}, "not a pair"),
        ({"rings": 5}, "not a list"),
        ("POLYGON", "not an object"),
        ({"ring": []}, "none of its members"),
    ],
)
def test_a_geometry_that_cannot_be_read_spoils_one_record_only(
    tmp_path: Path, geometry: object, word: str
) -> None:
    layer = layer_of(tmp_path / "a.json", feature_set([record(0), record(1, geometry), record(2)]))
    reasons = layer.table["geometry_problem"].to_pylist()
    assert word in reasons[1]
    assert reasons[::2] == [None, None]
    assert layer.table["geometry"].is_null().to_pylist() == [False, True, False]


@pytest.mark.parametrize(
    ("flags", "size", "letters"),
    [({"hasZ": True}, 3, "Z"), ({"hasM": True}, 3, "M"), ({"hasZ": True, "hasM": True}, 4, "ZM")],
)
def test_z_and_m_are_kept(tmp_path: Path, flags: dict, size: int, letters: str) -> None:
    points = [[*point, 7.0, 8.0][:size] for point in ring(102, 18, 1)]
    (shape,) = shapes(layer_of(tmp_path / "a.json", feature_set([record(0, {"rings": [points]})], **flags)))
    assert (shape.has_z, shape.has_m) == ("Z" in letters, "M" in letters)


@pytest.mark.parametrize(
    ("geometry", "wkt"),
    [
        ({"x": 102, "y": 18}, "POINT (102 18)"),
        ({"points": [[102, 18], [103, 18]]}, "MULTIPOINT ((102 18), (103 18))"),
        ({"paths": [[[0, 0], [1, 1]]]}, "LINESTRING (0 0, 1 1)"),
        ({"paths": [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]}, "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"),
        ({"xmin": 0, "ymin": 0, "xmax": 2, "ymax": 1}, "POLYGON ((0 0, 0 1, 2 1, 2 0, 0 0))"),
        ({"x": "NaN", "y": "NaN"}, None),
    ],
)
def test_points_and_lines(tmp_path: Path, geometry: dict, wkt: str | None) -> None:
    (shape,) = shapes(layer_of(tmp_path / "a.json", feature_set([record(0, geometry)])))
    assert (shape and shape.wkt) == wkt


def test_dates_are_moments_in_utc_to_the_millisecond(tmp_path: Path) -> None:
    fields = [
        {"name": "imsma_id", "type": "esriFieldTypeString"},
        {"name": "surveyed", "type": "esriFieldTypeDate"},
        {"name": "odd", "type": "esriFieldTypeDate"},
        {"name": "area", "type": "esriFieldTypeDouble"},
        {"name": "count", "type": "esriFieldTypeInteger"},
    ]
    features = [
        record(0, surveyed=1705536000001, odd="18/01/2024", area=5, count=3),
        record(1, surveyed=None, odd=10**18, area=2.5, count="many"),
        record(2, surveyed=-86400000.0, extra={"a": [1]}),
    ]
    layer = layer_of(tmp_path / "a.json", feature_set(features, fields=fields))
    table = layer.table
    assert table["surveyed"].type == pa.timestamp("ms", "UTC")
    assert table["surveyed"].cast(pa.int64()).to_pylist() == [1705536000001, None, -86400000]
    assert table["surveyed"][2].as_py().date() == dt.date(1969, 12, 31)
    assert table["odd"].to_pylist() == ["18/01/2024", str(10**18), None]
    assert table["area"].to_pylist() == [5.0, 2.5, None]
    assert table["count"].to_pylist() == ["3", "many", None]
    assert table["extra"].to_pylist() == [None, None, '{"a": [1]}']
    assert notes(layer) == ["DATES_UNREADABLE"]


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ({"wkid": 102100, "latestWkid": 3857}, "EPSG:3857"),
        ({"wkid": 102113}, "EPSG:3857"),
        ({"wkid": 32648}, "EPSG:32648"),
        ({"wkid": 102025}, "ESRI:102025"),
        (
            {
                "wkt": 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",'
                'SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
            },
            "EPSG:4326",
        ),
        (None, ""),
        ({}, ""),
    ],
)
def test_the_coordinate_system_is_the_stated_one_or_none(
    tmp_path: Path, reference: object, name: str
) -> None:
    layer = layer_of(tmp_path / "a.json", feature_set([record(0)], spatialReference=reference))
    assert layer.crs_name == name
    assert (layer.crs_wkt is None) == (name == "")


def test_a_geometry_in_another_system_than_its_layer_is_not_placed(tmp_path: Path) -> None:
    other = {"rings": [ring(500000, 2000000, 100)], "spatialReference": {"wkid": 32648}}
    layer = layer_of(tmp_path / "a.json", feature_set([record(0), record(1, other)]))
    assert layer.table["geometry"].is_null().to_pylist() == [False, True]
    assert "EPSG:32648" in layer.table["geometry_problem"][1].as_py()


@pytest.mark.parametrize(
    "where", [{"exceededTransferLimit": True}, {"properties": {"exceededTransferLimit": True}}]
)
def test_a_server_that_kept_records_back_is_told_of(tmp_path: Path, where: dict) -> None:
    layer = layer_of(tmp_path / "a.json", feature_set([record(i) for i in range(3)], **where))
    assert notes(layer) == ["TRANSFER_LIMIT"]
    assert "more records exist" in layer.notes[0].sentence


@pytest.mark.parametrize("shape", ["layers", "list", "named", "collection"])
def test_several_feature_sets_are_several_layers(tmp_path: Path, shape: str) -> None:
    first, second = feature_set([record(0), record(1)]), feature_set([record(i) for i in range(3)])
    first["name"], second["name"] = "hazard", "land release"
    definition = {"geometryType": "esriGeometryPolygon", "name": "land release"}
    document = {
        "layers": {"layers": [first, second]},
        "list": [first, second],
        "named": {"hazard": first, "land release": second},
        "collection": {
            "featureCollection": {
                "layers": [
                    first,
                    {"layerDefinition": definition, "featureSet": {"features": second["features"]}},
                ]
            }
        },
    }[shape]
    delivery = read(saved(tmp_path / "a.json", document))
    assert [(each.name, each.table.num_rows, each.records_counted) for each in delivery.layers] == [
        ("hazard", 2, 2),
        ("land release", 3, 3),
    ]
    assert {each.count_method for each in delivery.layers} == {CountMethod.EXACT}


def test_a_table_beside_a_layer_is_a_note_and_alone_it_is_refused(tmp_path: Path) -> None:
    bare = {"objectIdFieldName": "OBJECTID", "features": [{"attributes": {"OBJECTID": 1}}]}
    delivery = read(saved(tmp_path / "a.json", [feature_set([record(0)]), bare]))
    assert [note.code for note in delivery.layers[0].notes] == ["LAYER_NOT_SPATIAL"]
    assert len(delivery.layers) == 1
    refused = read(saved(tmp_path / "b.json", bare))
    assert refused.problem is not None
    assert (refused.problem.code, refused.records_counted) == ("NO_GEOMETRY", 1)


def test_an_empty_answer_is_an_empty_layer(tmp_path: Path) -> None:
    layer = layer_of(tmp_path / "a.json", feature_set([]))
    assert (layer.table.num_rows, layer.records_counted) == (0, 0)


def test_the_count_does_not_come_from_the_parser(tmp_path: Path) -> None:
    features = [record(i, text='"attributes": {', note={"attributes": {"a": 1}}) for i in range(3)]
    path = saved(
        tmp_path / "a.json", [feature_set(features), {"features": [], "x": [1, 2]}, feature_set([record(1)])]
    )
    assert count_esri_features(path) == 7
    assert feature_lists(path) == [3, 0, 1]
    layer = layer_of(tmp_path / "b.json", feature_set(features))
    assert (layer.records_counted, layer.count_method) == (3, CountMethod.EXACT)


def test_records_without_attributes_are_told(tmp_path: Path) -> None:
    layer = layer_of(tmp_path / "a.json", feature_set([record(0), {"geometry": {"rings": [ring(0, 0, 1)]}}]))
    assert notes(layer) == ["ATTRIBUTES_MISSING"]


def test_a_cut_download_is_refused_and_counted(tmp_path: Path) -> None:
    path = cut(saved(tmp_path / "a.json", feature_set([record(i) for i in range(100)])), 0.5)
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "FILE_TRUNCATED"
    assert 40 < (delivery.records_counted or 0) < 60


def test_geojson_with_a_column_called_attributes_stays_geojson(tmp_path: Path) -> None:
    square = json.loads(shapely.to_geojson(shapely.box(102, 18, 103, 19)))
    feature = {"properties": {"id": "1", "attributes": {"x": 1}}, "geometry": square, "type": "Feature"}
    delivery = read(saved(tmp_path / "a.json", {"features": [feature], "type": "FeatureCollection"}))
    assert delivery.problem is None, delivery.problem
    assert delivery.layers[0].table["id"].to_pylist() == ["1"]
    assert delivery.layers[0].table["geometry"].null_count == 0


def test_a_folder_shows_feature_sets_and_hides_other_json(tmp_path: Path) -> None:
    saved(tmp_path / "survey.json", feature_set([record(0)]))
    saved(tmp_path / "settings.json", {"features": ["dark mode"], "type": "settings"})
    assert [source.path.name for source in find_sources([tmp_path])] == ["survey.json"]


def test_the_clean_path_and_the_careful_one_write_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    features = []
    for number in range(200):
        count = int(random.integers(1, 4))
        rings = [
            ring(float(x), float(y), 1.0, bool(turn))
            for x, y, turn in zip(
                *random.uniform(0, 3, (2, count)), random.integers(0, 2, count), strict=True
            )
        ]
        features.append(record(number, {"rings": rings}))
    plain = layer_of(tmp_path / "a.json", feature_set(features)).table["geometry"].to_pylist()
    careful = layer_of(tmp_path / "b.json", feature_set([*features, record(201, {"x": 1, "y": 2})]))
    assert careful.table["geometry"].to_pylist()[:-1] == plain
