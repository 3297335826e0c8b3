"""Lists of turning points: one polygon id is one record, and no point is lost without a word."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from reading_fixtures import read

from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.io.tabular.statedcrs import crs_of_text

UTM_48N = "WGS_1984_UTM_Zone_48N"
TEMPLATE = [
    "ProjName",
    "PolyID",
    "PointNo",
    "PointID",
    "PointType",
    "Xcoord",
    "Ycoord",
    "Distance",
    "Bearing",
    "FrPointID",
    "PointDesc",
]
SQUARE = [(234500, 2145600), (234600, 2145600), (234600, 2145700), (234500, 2145700)]


def point(poly: object = 1, number: object = "", x: object = "", y: object = "", **more: object) -> dict:
    return {"ProjName": UTM_48N, "PolyID": poly, "PointNo": number, "Xcoord": x, "Ycoord": y} | more


def ring(poly: object = 1, corners: list[tuple[float, float]] = SQUARE, **more: object) -> list[dict]:
    return [point(poly, number, x, y, **more) for number, (x, y) in enumerate(corners, start=1)]


def deliver(folder: Path, points: list[dict], names: list[str] | None = None) -> RawDelivery:
    path = folder / "points.csv"
    extra = [name for row in points for name in row if name not in TEMPLATE]
    names = names or [*TEMPLATE, *dict.fromkeys(extra)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(points)
    return read(path)


def layers(folder: Path, points: list[dict], names: list[str] | None = None) -> tuple[RawLayer, ...]:
    delivery = deliver(folder, points, names)
    assert delivery.problem is None, delivery.problem
    for layer in delivery.layers:
        assert layer.problem is None, layer.problem
        assert layer.table.num_rows == layer.records_counted
    return delivery.layers


def shapes(layer: RawLayer) -> list[shapely.Geometry | None]:
    with np.errstate(invalid="ignore"):  # a place that is kept open is NaN
        return list(shapely.from_wkb(np.array(layer.table["geometry"].to_pylist(), dtype=object)))


def codes(layer: RawLayer) -> list[str]:
    return [note.code for note in layer.notes]


def sentence(layer: RawLayer, code: str) -> str:
    return next(note.sentence for note in layer.notes if note.code == code)


def test_one_polygon_id_is_one_record_in_the_stated_system(tmp_path: Path) -> None:
    shifted = [(x + 1000, y) for x, y in SQUARE[:3]]
    (layer,) = layers(tmp_path, ring("A", district="Paek") + ring("B", shifted, district="Kham"))
    assert (layer.crs_name, layer.geometry_type, layer.notes) == ("EPSG:32648", "Polygon", ())
    assert layer.count_method == "weak"
    assert layer.table["row"].to_pylist() == [1, 5]
    assert layer.table["PolyID"].to_pylist() == ["A", "B"]
    assert layer.table["district"].to_pylist() == ["Paek", "Kham"]
    first, second = shapes(layer)
    assert list(first.exterior.coords) == [*SQUARE, SQUARE[0]]  # the list is open, the ring is closed
    assert list(second.exterior.coords) == [*shifted, shifted[0]]


def test_a_list_that_repeats_its_first_point_is_not_closed_again(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, ring(corners=[*SQUARE, SQUARE[0]]))
    assert list(shapes(layer)[0].exterior.coords) == [*SQUARE, SQUARE[0]]


def test_what_the_points_say_stays_as_a_list(tmp_path: Path) -> None:
    points = ring(PointDesc="")
    points[1]["PointDesc"] = 'big "tree"'
    points[2]["operator"] = "MAG"  # said once, as in merged cells
    (layer,) = layers(tmp_path, points)
    assert json.loads(layer.table["PointDesc"][0].as_py()) == ["", 'big "tree"', "", ""]
    assert json.loads(layer.table["Xcoord"][0].as_py()) == ["234500", "234600", "234600", "234500"]
    assert layer.table["Bearing"].to_pylist() == [None]
    assert layer.table["operator"].to_pylist() == ["MAG"]


def test_a_column_that_differs_in_one_record_is_a_list_only_there(tmp_path: Path) -> None:
    points = ring("A", status="open") + ring("B", status="closed")
    points[1]["status"] = "closed"
    (layer,) = layers(tmp_path, points)
    assert layer.table["status"].to_pylist() == ['["open", "closed", "open", "open"]', "closed"]


def test_points_are_put_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    points = ring()
    (layer,) = layers(tmp_path, [points[at] for at in (2, 0, 3, 1)])
    assert list(shapes(layer)[0].exterior.coords) == [*SQUARE, SQUARE[0]]
    assert layer.table["row"].to_pylist() == [1]
    assert "point_numbers_note" not in layer.table.column_names


def test_points_that_do_not_stand_together_are_put_together_and_told(tmp_path: Path) -> None:
    mixed = [row for pair in zip(ring("A"), ring("B"), strict=True) for row in pair]
    (layer,) = layers(tmp_path, mixed)
    assert [shape.area for shape in shapes(layer)] == [10_000, 10_000]
    assert layer.table["row"].to_pylist() == [1, 2]
    assert codes(layer) == ["POINTS_SCATTERED"]
    assert "2 polygons" in sentence(layer, "POINTS_SCATTERED")


def test_a_landmark_between_the_points_does_not_scatter_them(tmp_path: Path) -> None:
    points = ring()
    points.insert(2, point(1, "", 234000, 2145000, PointType="Landmark"))
    assert "POINTS_SCATTERED" not in codes(layers(tmp_path, points)[0])


def test_numbering_that_begins_again_is_a_second_part_never_a_hole(tmp_path: Path) -> None:
    inside = [(234540, 2145640), (234560, 2145640), (234560, 2145660)]
    (layer,) = layers(tmp_path, ring(1) + ring(1, inside))
    (shape,) = shapes(layer)
    assert (shape.geom_type, layer.geometry_type) == ("MultiPolygon", "MultiPolygon")
    assert [len(part.interiors) for part in shape.geoms] == [0, 0]
    assert [part.area for part in shape.geoms] == [10_000, 200]
    assert "POLYGON_IN_PARTS" in codes(layer)


def test_parts_and_single_rings_stand_in_one_table(tmp_path: Path) -> None:
    away = [(x + 500, y) for x, y in SQUARE]
    (layer,) = layers(tmp_path, ring("A") + ring("B") + ring("B", away) + ring("C"))
    assert [shape.area for shape in shapes(layer)] == [10_000, 20_000, 10_000]
    assert [shape.geom_type for shape in shapes(layer)] == ["Polygon", "MultiPolygon", "Polygon"]


@pytest.mark.parametrize(
    ("numbers", "note"),
    [
        ([1, 2, 3, 5], "PointNo 4 is missing"),
        ([2, 3, 6, 7], "PointNo 1, 4, 5 are missing"),
        ([1, 2, 2, 3], "numbers repeat: 2; their order in the table is kept"),
        ([1, 2, "", 4], "1 points have no number: their order in the table is kept"),
        ([1, 2, "x", 4], "1 points have no number: their order in the table is kept"),
        ([1, 2, 3, 4], None),
        (["TP 1", "TP 2", "TP 3", "TP 4"], None),
    ],
)
def test_odd_numbers_keep_the_polygon_and_are_told(tmp_path: Path, numbers: list, note: str | None) -> None:
    points = [row | {"PointNo": number} for row, number in zip(ring(), numbers, strict=True)]
    (layer,) = layers(tmp_path, points)
    assert list(shapes(layer)[0].exterior.coords) == [*SQUARE, SQUARE[0]]
    assert ("POINT_NUMBERS_ODD" in codes(layer)) == (note is not None)
    assert (layer.table["point_numbers_note"].to_pylist() if note else [None]) == [note]


def test_a_vertex_that_cannot_be_read_is_never_dropped(tmp_path: Path) -> None:
    points = ring("A") + ring("B")
    points[1]["Xcoord"] = "23x600"
    points[6]["Ycoord"] = ""
    (layer,) = layers(tmp_path, points)
    problems = layer.table["geometry_problem"].to_pylist()
    assert problems[0].startswith('PointNo 2: coordinates "23x600", "2145600" could not be read')
    assert problems[1].startswith('PointNo 3: coordinates "234600", "" could not be read')
    for shape in shapes(layer):  # the place of the lost vertex is kept open: no polygon without it
        assert len(shape.exterior.coords) == 5
        assert np.isnan(shapely.get_coordinates(shape)).any(axis=1).sum() == 1


def test_a_vertex_without_coordinates_is_told(tmp_path: Path) -> None:
    points = ring()
    points[2] |= {"Xcoord": "", "Ycoord": ""}
    points[3] |= {"Xcoord": "", "Ycoord": ""}
    (layer,) = layers(tmp_path, points)
    assert layer.table["geometry_problem"].to_pylist() == [
        "PointNo 3: it has no coordinates, and 1 more points"
    ]


def test_a_polygon_without_one_coordinate_has_no_geometry(tmp_path: Path) -> None:
    points = [row | {"Xcoord": "", "Ycoord": ""} for row in ring("A")] + ring("B")
    (layer,) = layers(tmp_path, points)
    assert layer.table["geometry"].is_null().to_pylist() == [True, False]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_points_are_handed_on_as_they_are(tmp_path: Path, count: int) -> None:
    (layer,) = layers(tmp_path, ring(corners=SQUARE[:count]))
    wkb = layer.table["geometry"][0].as_py()
    assert len(wkb) == 1 + 4 + 4 + 4 + 16 * count


def test_single_points_stand_in_a_layer_of_their_own(tmp_path: Path) -> None:
    points = [
        point(1, "", 234000, 2145000, PointType="Reference point", PointID="RP"),
        *ring(1, PointType="Turning point"),
        point("", "", 234100, 2145000, PointType="Evidence point"),
        point(1, "", 234200, 2145000, PointType="Landmark"),
    ]
    points[1]["PointType"] = "Start point"
    areas, singles = layers(tmp_path, points)
    assert [shape.area for shape in shapes(areas)] == [10_000]
    assert (singles.name, singles.geometry_type) == ("points (single points)", "Point")
    assert singles.table["row"].to_pylist() == [1, 6, 7]
    assert [shape.x for shape in shapes(singles)] == [234000, 234100, 234200]


def test_without_polygon_ids_every_row_is_a_point_and_high_numbers_are_told(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, ring(""))
    assert (layer.name, layer.table.num_rows, layer.geometry_type) == ("points", 4, "Point")
    assert sentence(layer, "POINTS_WITHOUT_POLYGON").startswith("points.csv: 3 rows")


def test_points_of_unknown_type_are_on_the_ring_and_told(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, ring(PointType="ຈຸດ"))
    assert shapes(layer)[0].area == 10_000
    assert '"ຈຸດ"' in sentence(layer, "POINT_TYPE_UNKNOWN")


def test_polygon_numbers_that_begin_again_under_each_hazard_are_not_one_polygon(tmp_path: Path) -> None:
    away = [(x + 5000, y) for x, y in SQUARE]
    points = ring(1, hazard_id="H-1") + ring(1, away, hazard_id="H-2")
    points[1]["hazard_id"] = ""  # not repeated in every line
    (layer,) = layers(tmp_path, points)
    assert [shape.area for shape in shapes(layer)] == [10_000, 10_000]
    assert layer.table["hazard_id"].to_pylist() == ["H-1", "H-2"]
    assert codes(layer) == ["POLYGONS_NAMED_BY_TWO"]


def test_two_polygon_ids_under_one_hazard_are_two_records(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, ring(1, hazard_id="H-1") + ring(2, hazard_id="H-1"))
    assert layer.table.num_rows == 2


@pytest.mark.parametrize(
    "names",
    [
        {"Xcoord": "longitude", "Ycoord": "latitude"},
        {"Xcoord": "Lon", "Ycoord": "Lat", "PolyID": "Polygon_ID", "PointNo": "Point No."},
        {"Xcoord": "X_COORD", "Ycoord": "Y_COORD", "PolyID": "POLYID", "PointNo": "point number"},
    ],
)
def test_other_names_for_the_columns(tmp_path: Path, names: dict[str, str]) -> None:
    corners = [(103.1, 19.1), (103.2, 19.1), (103.2, 19.2)]
    rows = [
        {names.get(name, name): value for name, value in row.items() if name != "ProjName"}
        for row in ring(1, corners)
    ]
    (layer,) = layers(tmp_path, rows, list(rows[0]))
    assert shapes(layer)[0].area == pytest.approx(0.005)
    assert layer.crs_wkt is None  # nobody said which degrees


def test_degrees_minutes_seconds_and_decimals_in_one_ring(tmp_path: Path) -> None:
    corners = [("103°06'00\"E", "19°06'00\"N"), (103.2, 19.1), ("103,2", "19,2")]
    rows = [row | {"ProjName": ""} for row in ring(1, corners)]
    (layer,) = layers(tmp_path, rows)
    assert layer.crs_name == "EPSG:4326"
    assert shapes(layer)[0].area == pytest.approx(0.005)
    assert any("comma" in note.sentence for note in layer.notes)


def test_mgrs_in_one_column(tmp_path: Path) -> None:
    cells = ["48QUE1000010000", "48QUE 20000 10000", "48Q UE 20000 20000"]
    rows = [{"PolyID": 1, "PointNo": at, "MGRS": cell} for at, cell in enumerate(cells, start=1)]
    (layer,) = layers(tmp_path, rows, ["PolyID", "PointNo", "MGRS"])
    area_m2, _ = pyproj.Geod(ellps="WGS84").geometry_area_perimeter(shapes(layer)[0])
    assert abs(area_m2) == pytest.approx(50_000_000, rel=0.002)
    assert layer.crs_name == "EPSG:4326"
    assert json.loads(layer.table["MGRS"][0].as_py()) == cells


def test_points_in_two_systems_make_no_polygon(tmp_path: Path) -> None:
    points = ring()
    points[2]["ProjName"] = "WGS 84 / UTM zone 47N"
    (layer,) = layers(tmp_path, points)
    assert layer.table["geometry_problem"][0].as_py().startswith("PointNo 3: it is in EPSG:32647")
    assert np.isnan(shapely.get_coordinates(shapes(layer)[0])).any()


def test_each_system_is_a_layer_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    points = ring("A") + [row | {"ProjName": "UTM 47N"} for row in ring("B")] + ring("C")
    first, second = layers(tmp_path, points)
    assert [first.crs_name, second.crs_name] == ["EPSG:32647", "EPSG:32648"]
    assert [first.table["row"].to_pylist(), second.table["row"].to_pylist()] == [[5], [1, 9]]


def test_an_unknown_projname_is_told_and_states_nothing(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, [row | {"ProjName": "Xieng Khouang project"} for row in ring()])
    assert layer.crs_wkt is None
    assert '"Xieng Khouang project"' in sentence(layer, "CRS_UNREADABLE")


@pytest.mark.parametrize(
    ("name", "corners", "what"),
    [
        (UTM_48N, [(103.1, 19.1), (103.2, 19.1), (103.2, 19.2)], "look like degrees"),
        ("WGS84", SQUARE, "look like metres"),
    ],
)
def test_a_projname_that_the_numbers_contradict_is_told(
    tmp_path: Path, name: str, corners: list, what: str
) -> None:
    (layer,) = layers(tmp_path, [row | {"ProjName": name} for row in ring(1, corners)])
    assert what in sentence(layer, "CRS_IMPLAUSIBLE")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("32648", "EPSG:32648"),
        ("epsg:32647", "EPSG:32647"),
        ("urn:ogc:def:crs:EPSG::32648", "EPSG:32648"),
        ("WGS_1984_UTM_Zone_48N", "EPSG:32648"),
        ("WGS 84 / UTM zone 48N", "EPSG:32648"),
        ("UTM 48 N", "EPSG:32648"),
        ("utm zone 48Q", "EPSG:32648"),
        ("UTM 36 South", "EPSG:32736"),
        ("GCS_WGS_1984", "EPSG:4326"),
        ("WGS84", "EPSG:4326"),
        ("Lao_1997", "EPSG:4678"),
        ("Indian_1960_UTM_Zone_48N", "EPSG:3148"),
        ("UTM48", None),
        ("UTM 61N", None),
        ("Laos", None),
        ("WGS", None),
    ],
)
def test_names_of_coordinate_systems(text: str, code: str | None) -> None:
    assert crs_of_text(text) == code


def leg(number: object, distance: object, bearing: object, origin: str = "", **more: object) -> dict:
    return point(1, number, Distance=distance, Bearing=bearing, FrPointID=origin, **more)


def test_points_by_distance_and_bearing_on_the_grid(tmp_path: Path) -> None:
    points = [point(1, 1, 234500, 2145600), leg(2, 100, 90), leg(3, "100 m", "0°00'00\""), leg(4, 100, 270)]
    (layer,) = layers(tmp_path, points)
    expected = shapely.Polygon(SQUARE)
    assert shapely.hausdorff_distance(shapes(layer)[0], expected) < 1e-6
    assert "closure_error_m" not in layer.table.column_names
    assert "3 points" in sentence(layer, "POINTS_BY_BEARING")


def test_a_leg_starts_at_the_point_it_names_also_off_the_ring(tmp_path: Path) -> None:
    points = [
        point(1, "", 234500, 2145500, PointType="Benchmark", PointID="BM"),
        leg(1, 100, 0, "BM", PointID="A"),
        leg(2, 100, 90, "A", PointID="B"),
        leg(3, math.hypot(100, 100), 45, "A", PointID="C"),
    ]
    areas, singles = layers(tmp_path, points)
    corners = [(234500, 2145600), (234600, 2145600), (234600, 2145700)]
    assert shapely.hausdorff_distance(shapes(areas)[0], shapely.Polygon(corners)) < 1e-6
    assert singles.table["PointID"].to_pylist() == ["BM"]


def test_a_leg_is_in_the_system_of_the_point_where_it_starts(tmp_path: Path) -> None:
    points = [point(1, 1, 234500, 2145600), leg(2, 100, 90), leg(3, 100, 0)]
    points[1]["ProjName"] = points[2]["ProjName"] = ""
    (layer,) = layers(tmp_path, points)
    assert (layer.crs_name, shapes(layer)[0].area) == ("EPSG:32648", pytest.approx(5000))


def test_in_degrees_a_leg_is_walked_on_the_ellipsoid(tmp_path: Path) -> None:
    points = [point(1, 1, 103.2, 19.5), leg(2, 1000, 90), leg(3, 1000, 180)]
    (layer,) = layers(tmp_path, [row | {"ProjName": "WGS84"} for row in points])
    corners = np.array(shapes(layer)[0].exterior.coords)
    _, _, metres = pyproj.Geod(ellps="WGS84").inv(*corners[0], *corners[1])
    assert metres == pytest.approx(1000, abs=1e-6)
    assert corners[1][0] > 103.2


@pytest.mark.parametrize("closing", ["by id", "by number", "beside the first point"])
def test_the_closure_error_is_stated_and_nothing_is_adjusted(tmp_path: Path, closing: str) -> None:
    points = [
        point(1, 1, 234500, 2145600, PointID="A"),
        leg(2, 100, 90, PointID="B"),
        leg(3, 100, 0, PointID="C"),
        leg(4, 100, 270, PointID="D"),
    ]
    if closing == "by id":
        points.append(leg(5, 98, 180, "D", PointID="A"))
    elif closing == "by number":
        points.append(leg(1, 98, 180))
    else:
        points[0] |= {"Distance": 98, "Bearing": 180, "FrPointID": "D"}
    (layer,) = layers(tmp_path, points)
    assert layer.table["closure_error_m"].to_pylist() == [pytest.approx(2.0)]
    assert "0.5% of the length" in sentence(layer, "CLOSURE_STATED")
    assert shapely.hausdorff_distance(shapes(layer)[0], shapely.Polygon(SQUARE)) < 1e-6
    assert len(shapes(layer)[0].exterior.coords) == 5


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (leg(3, "far", 0), '"far" is not a number'),
        (leg(3, -5, 0), '"-5" is not a distance'),
        (leg(3, 100, 400), '"400" is not a bearing'),
        (leg(3, 100, 0, "Z9"), '"Z9" is not one known point'),
    ],
)
def test_a_leg_that_cannot_be_walked_is_told(tmp_path: Path, row: dict, reason: str) -> None:
    points = [point(1, 1, 234500, 2145600), point(1, 2, 234600, 2145600), row, point(1, 4, 234500, 2145700)]
    (layer,) = layers(tmp_path, points)
    assert layer.table["geometry_problem"][0].as_py().startswith("PointNo 3: its distance and bearing")
    assert reason in layer.table["geometry_problem"][0].as_py()
    assert np.isnan(shapely.get_coordinates(shapes(layer)[0])).any()


def test_a_first_point_that_nothing_places_is_told(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, [leg(1, 100, 90), leg(2, 100, 0), leg(3, 100, 270)])
    assert "no point to start from" in layer.table["geometry_problem"][0].as_py()


def test_rows_that_the_reader_loses_are_found_by_the_count(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    lines = ["PolyID,PointNo,x,y"] + [f"{p},{n},{n},{n * n}" for p in (1, 2) for n in (1, 2, 3)]
    lines[2] = '1,2,2,"4'
    path.write_text("\n".join(lines) + "\n")
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "COUNT_MISMATCH"


def test_empty_rows_are_no_records(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path, [*ring("A"), dict.fromkeys(TEMPLATE, ""), *ring("B")])
    assert layer.table["row"].to_pylist() == [1, 6]
    assert codes(layer) == ["ROWS_EMPTY"]


def test_polygon_ids_without_numbers_are_single_points_with_a_hint(tmp_path: Path) -> None:
    rows = [{"PolyID": 1, "x": x, "y": y} for x, y in SQUARE]
    (layer,) = layers(tmp_path, rows, ["PolyID", "x", "y"])
    assert layer.geometry_type == "Point"
    assert "number them in a column PointNo" in sentence(layer, "POINTS_NOT_NUMBERED")
