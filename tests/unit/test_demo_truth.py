"""The truth of the demonstration, checked against the delivered files without its own code."""

import csv
import json
from collections import Counter
from datetime import date, datetime
from itertools import combinations

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from geopipe.demo import make_demo

EQUAL_AREA = (
    "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +x_0=500000 +y_0=2000000 +datum=WGS84 +units=m"
)
SIZE = 1500

# file, layer: column of the number, operator, CRS, kind (or the column that tells it)
LAYERS = {
    ("UXO_Lao_CHA_2026.shp", ""): ("cha_id", "UXO Lao", 32648, "CHA"),
    ("UXO_Lao_clearance_2026.zip", ""): ("clear_id", "UXO Lao", 32648, "CLEARED"),
    ("MAG_deliveries.gpkg", "cha"): ("hazard_id", "MAG", 32647, "CHA"),
    ("MAG_deliveries.gpkg", "clearance"): ("completion_id", "MAG", 32647, "release_type"),
    ("NPA_CHA.geojson", ""): ("imsma_id", "NPA", 4326, "CHA"),
    ("NPA_survey_boxes.geojson", ""): ("box_id", "NPA", 4326, "SURVEY_BOX"),
    ("MAG_survey_boxes.gpkg", "survey_boxes"): ("box_id", "MAG", 32648, "SURVEY_BOX"),
    ("HALO_areas.kml", ""): ("record_id", "HALO", 4326, "area_type"),
    ("Unit58_clearance.csv", ""): ("release_id", "Unit 58", 4326, "release_type"),
    ("Unit58_CHA_no_prj.shp", ""): ("cha_id", "Unit 58", 32648, "CHA"),
}
KIND_WORDS = {
    "Suspected Hazardous Area": "SHA",
    "Confirmed Hazardous Area": "CHA",
    "Cleared": "CLEARED",
    "Reduced": "REDUCED",
    "Cancelled": "CANCELLED",
}


def read_rows(folder, file, layer):
    """Return the attributes as lists, and the geometries as shapely reads them (None where it cannot)."""
    path = folder / file
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        wkt = [text or None for text in columns["wkt"]]
        return columns, shapely.from_wkt(wkt, on_invalid="ignore")
    meta, _, wkb, fields = pyogrio.raw.read(path, layer=layer or None)
    columns = dict(zip(meta["fields"], fields, strict=True))
    return columns, shapely.from_wkb(wkb, on_invalid="ignore")


def to_equal_area(shapes, epsg):
    change = Transformer.from_crs(epsg, EQUAL_AREA, always_xy=True)
    return shapely.transform(shapes, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))


def kept_polygons(folder, truth):
    """Return names and repaired equal-area polygons of all records that the truth does not set aside."""
    aside = {
        (entry["file"], entry.get("layer", ""), entry["row"])
        for name in ("duplicates", "superseded", "rejected")
        for entry in truth[name]
    }
    names, polygons = [], []
    for (file, layer), (id_column, operator, epsg, kind) in LAYERS.items():
        columns, shapes = read_rows(folder, file, layer)
        rows = [row for row in range(len(shapes)) if (file, layer, row) not in aside]
        valid = shapely.make_valid(to_equal_area(shapes[rows], epsg))
        for row, polygon in zip(rows, valid, strict=True):
            said = KIND_WORDS[columns[kind][row]] if kind in columns else kind
            names.append((operator, columns[id_column][row], said))
            polygons.append(polygon)
    return names, np.array(polygons)


def brute_force(names, polygons):
    """Return all pairs that share ground, as a Counter of unordered pairs, with their areas."""
    left, right = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    left, right = left[left < right], right[left < right]
    area_m2 = shapely.area(shapely.intersection(polygons[left], polygons[right]))
    found = {}
    for one, other, area in zip(left, right, area_m2, strict=True):
        if area > 1e-4:
            found.setdefault(tuple(sorted((names[one], names[other]))), []).append(area)
    return found


def told(side):
    return side["operator"], side["source_id"], side["kind"]


@pytest.fixture(scope="module", params=[7, 42])
def demo(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, make_demo(folder, size=SIZE, seed=request.param)


@pytest.fixture(scope="module")
def truth_of(demo):
    return json.loads((demo[0] / "truth.json").read_text(encoding="utf-8"))


def test_the_returned_truth_is_the_written_one(demo, truth_of):
    assert demo[1] == truth_of


def test_pairs_are_complete_and_their_areas_true(demo, truth_of):
    names, polygons = kept_polygons(demo[0], truth_of)
    found = brute_force(names, polygons)
    expected = {}
    for pair in truth_of["pairs"]:
        key = tuple(sorted((told(pair["left"]), told(pair["right"]))))
        expected.setdefault(key, []).append(pair["area_m2"])
    assert found.keys() == expected.keys()
    for key, areas in expected.items():
        assert sorted(found[key]) == pytest.approx(sorted(areas), abs=0.01)


def test_relations_are_true(demo, truth_of):
    names, polygons = kept_polygons(demo[0], truth_of)
    count = Counter(names)
    where = {name: polygon for name, polygon in zip(names, polygons, strict=True) if count[name] == 1}
    checked = Counter()
    for pair in truth_of["pairs"]:
        if not {told(pair["left"]), told(pair["right"])} <= where.keys():
            continue
        left, right = where[told(pair["left"])], where[told(pair["right"])]
        rest, other_rest = left.difference(right).area, right.difference(left).area
        likeness = left.intersection(right).area / left.union(right).area
        small = 1e-5 * max(left.area, right.area)
        relation = {
            (True, True): "equal",
            (False, True): "contains",
            (True, False): "within",
            (False, False): "partial",
        }[rest <= small, other_rest <= small]
        if relation != "equal" and likeness > 0.95:
            relation = "near_equal"
        assert pair["relation"] == relation, pair
        assert relation in ("equal", "near_equal") or likeness < 0.88
        checked[relation] += 1
    assert set(checked) == {"equal", "near_equal", "contains", "within", "partial"}


def test_every_planted_type_occurs(truth_of):
    assert min(truth_of["scenes"].values()) >= 3
    types = Counter(pair["type"] for pair in truth_of["pairs"])
    assert types["three_way"] == 3 * truth_of["scenes"]["three_way"]
    for name in ("cross_partial", "containment", "exact_duplicate_cross", "near_duplicate_cross"):
        assert types[name] == truth_of["scenes"][name]
    for name in ("expected_release", "hazard_on_released", "newer_version_shrunk", "survey_box_twice"):
        assert types[name] == truth_of["scenes"][name]
    assert not types.keys() & {"touching", "duplicate_row", "newer_version", "lone_hazard", "survey_box"}
    assert {entry["reason"] for entry in truth_of["rejected"]} == {
        "null_geometry",
        "swapped_coordinates",
        "too_few_points",
    }
    assert {entry["how"] for entry in truth_of["duplicates"]} == {
        "equal_ground",
        "repeated_row",
        "near_equal_ground",
    }


def test_very_thin_overlaps_are_on_the_side_of_5_m2_that_they_say(truth_of):
    for pair in truth_of["pairs"]:
        if pair["type"] == "cross_very_thin_under_5m2":
            assert 0.2 < pair["area_m2"] < 5
        if pair["type"] == "cross_very_thin_over_5m2":
            assert 5 < pair["area_m2"] < 100


def test_outcomes_add_up_to_all_records(truth_of):
    delivered = sum(file["records"] for file in truth_of["files"].values())
    for totals in truth_of["records"].values():
        assert sum(totals.values()) == delivered
    assumed = truth_of["records"]["with_assumed_crs"]
    assert assumed["duplicate"] == len(truth_of["duplicates"])
    assert assumed["superseded"] == len(truth_of["superseded"])
    assert assumed["rejected"] == len(truth_of["rejected"])
    polygons = delivered - truth_of["files"]["UXO_Lao_points.geojson"]["records"]
    assert polygons == pytest.approx(SIZE, rel=0.02)


def test_pairs_name_records_of_the_file_without_crs(truth_of):
    for pair in truth_of["pairs"]:
        sides = (told(pair["left"]), told(pair["right"]))
        in_it = any(side[0] == "Unit 58" and side[2] == "CHA" for side in sides)
        assert pair["needs_assumed_crs"] is in_it
        assert pair["same_operator"] is (sides[0][0] == sides[1][0])
    assert truth_of["if_assumed"]["pairs"] > 0


def test_each_record_set_aside_repeats_what_it_names(demo, truth_of):
    for entry in truth_of["duplicates"] + truth_of["superseded"]:
        of = entry["of"]
        assert entry["file"] == of["file"]
        assert entry["operator"] == of["operator"]
        id_column, _, epsg, _ = LAYERS[entry["file"], entry.get("layer", "")]
        columns, shapes = read_rows(demo[0], entry["file"], entry.get("layer", ""))
        mine, other = entry["row"], of["row"]
        assert columns[id_column][mine] == entry["source_id"]
        assert columns[id_column][other] == of["source_id"]
        aside, kept = to_equal_area(shapes[[mine, other]], epsg)
        lost = (aside - kept).area if entry["kind"] == "CHA" else (kept - aside).area
        assert lost < 1e-3
        same_row = all(repr(values[mine]) == repr(values[other]) for values in columns.values())
        assert same_row == (entry["how"] == "repeated_row")
        assert (entry["source_id"] == of["source_id"]) == (entry["how"] in ("repeated_row", "newer_version"))


def test_touching_neighbours_share_border_points_but_no_ground(demo, truth_of):
    names, polygons = kept_polygons(demo[0], truth_of)
    where = dict(zip(names, polygons, strict=True))
    assert len(truth_of["touching"]) == truth_of["scenes"]["touching"]
    for pair in truth_of["touching"]:
        left, right = where[told(pair["left"])], where[told(pair["right"])]
        assert left.intersection(right).area < 1e-4
        assert left.distance(right) < 1e-6


def test_points_lie_where_the_truth_says(demo, truth_of):
    columns, shapes = read_rows(demo[0], "UXO_Lao_points.geojson", "")
    points = to_equal_area(shapes, 4326)
    row = {number: place for place, number in enumerate(columns["point_id"])}
    names, polygons = kept_polygons(demo[0], truth_of)
    completed = completion_dates(demo[0])
    where = {name: place for place, name in enumerate(names)}
    alarms = {entry["source_id"]: told(entry["on"]) for entry in truth_of["points_on_released"]}
    assert len(alarms) >= 3
    for number, name in alarms.items():
        assert polygons[where[name]].contains(points[row[number]])
    outside = set(truth_of["points_outside_hazard"])
    found = {}
    for place, polygon in zip(*shapely.STRtree(polygons).query(points, predicate="intersects"), strict=True):
        found.setdefault(columns["point_id"][place], []).append(names[polygon])
    assert not outside & found.keys()
    assert outside | found.keys() == set(row)
    for number, around in found.items():
        day = columns["date_found"][row[number]].astype("datetime64[D]").astype(date)
        late = [name for name in around if name[2] == "CLEARED" and completed[name[1]] < day]
        assert late == ([alarms[number]] if number in alarms else [])


def completion_dates(folder):
    """Return the completion date of every released record by its number."""
    dates = {}
    for file, layer, id_column, column in (
        ("UXO_Lao_clearance_2026.zip", "", "clear_id", "comp_date"),
        ("MAG_deliveries.gpkg", "clearance", "completion_id", "completion_date"),
        ("HALO_areas.kml", "", "record_id", "completion_date"),
        ("Unit58_clearance.csv", "", "release_id", "completion_date"),
    ):
        columns, _ = read_rows(folder, file, layer)
        for number, value in zip(columns[id_column], columns[column], strict=True):
            if isinstance(value, np.datetime64):
                dates[number] = value.astype("datetime64[D]").astype(date)
            elif value and "/" in value:
                dates[number] = datetime.strptime(value, "%d/%m/%Y").date()
            elif value:
                dates[number] = date.fromisoformat(value)
    return dates


def test_survey_and_completion_are_in_the_order_that_the_finding_needs(demo, truth_of):
    completed, surveyed = completion_dates(demo[0]), {}
    for (file, layer), (id_column, _, _, kind) in LAYERS.items():
        columns, _ = read_rows(demo[0], file, layer)
        column = "surv_date" if "surv_date" in columns else "survey_date"
        if kind in ("CHA", "area_type"):
            values = [str(value) for value in columns[column]]
            surveyed.update(zip(columns[id_column], values, strict=True))
    for pair in truth_of["pairs"]:
        for one, other in combinations((pair["left"], pair["right"]), 2):
            if {one["kind"], other["kind"]} != {"CHA", "CLEARED"}:
                continue
            hazard, released = (one, other) if one["kind"] == "CHA" else (other, one)
            survey = date.fromisoformat(surveyed[hazard["source_id"]][:10])
            later = survey > completed[released["source_id"]]
            assert later == (pair["finding_hint"] == "hazard_on_released")
