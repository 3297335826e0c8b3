"""Structure is judged in delivered coordinates, with a reason for every record that goes back."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import shapely
from make import area, codes, delivered, findings, hazard, kept_ids, reasons, released, wkb_multi, wkb_polygon

from geopipe.stages.validate import validate

HERE = Path(__file__).resolve().parent.parent
GOOD = shapely.box(104, 18, 104.001, 18.001)
NAN, INF = float("nan"), float("inf")
OPEN = [(104, 18), (104.001, 18), (104.001, 18.001), (104, 18.001)]


def checked(*records, crs="EPSG:4326"):
    return validate(delivered(*records, crs=crs))


def rejected_sentence(*records, crs="EPSG:4326"):
    (row,) = checked(*records, crs=crs).rejected.table.to_pylist()
    return row["sentence"]


def test_a_good_record_passes_as_it_is():
    state = checked(hazard(GOOD, id="1"))
    assert kept_ids(state) == ["1"]
    assert state.features.geometry[0].equals_exact(GOOD)
    assert codes(state) == []
    assert len(state.rejected) == len(state.unresolved) == 0


@pytest.mark.parametrize(
    ("ground", "reason"),
    [
        (None, "NULL_GEOMETRY"),
        (shapely.Polygon(), "EMPTY_GEOMETRY"),
        (shapely.MultiPolygon(), "EMPTY_GEOMETRY"),
        (shapely.Point(), "EMPTY_GEOMETRY"),
        (shapely.GeometryCollection(), "EMPTY_GEOMETRY"),
        (b"", "GEOMETRY_UNREADABLE"),
        (b"rubbish that is no WKB", "GEOMETRY_UNREADABLE"),
        (wkb_polygon(OPEN)[:-9], "GEOMETRY_UNREADABLE"),
        pytest.param(wkb_polygon([*OPEN, (NAN, 18), OPEN[0]]), "COORDINATES_NOT_FINITE"),
        pytest.param(wkb_polygon([*OPEN, (104, INF), OPEN[0]]), "COORDINATES_NOT_FINITE"),
        pytest.param(wkb_polygon([(NAN, NAN)] * 4), "COORDINATES_NOT_FINITE"),
        (shapely.LineString([(104, 18), (104, INF)]), "COORDINATES_NOT_FINITE"),
        (wkb_polygon([(104, 18), (104.1, 18.1)]), "TOO_FEW_POINTS"),
        (wkb_polygon([(104, 18), (104.1, 18.1), (104, 18)]), "TOO_FEW_POINTS"),
        (wkb_polygon([(104, 18)] * 5), "TOO_FEW_POINTS"),
        (shapely.Polygon([(104, 18), (104.1, 18.1), (104, 18), (104, 18)]), "TOO_FEW_POINTS"),
        (shapely.Polygon([(104, 18), (104.5, 18.5), (105, 19)]), "ZERO_AREA"),
        (shapely.box(18, 104, 18.001, 104.001), "COORDINATES_OUT_OF_RANGE"),
        (shapely.box(300_000, 2_000_000, 300_100, 2_000_100), "COORDINATES_OUT_OF_RANGE"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_every_broken_record_goes_back_with_its_reason_and_the_others_stay(ground, reason):
    state = checked(hazard(GOOD, id="good"), hazard(ground, id="bad"), released(GOOD, id="fine"))
    assert kept_ids(state) == ["fine", "good"]
    assert reasons(state) == [reason]
    (row,) = state.rejected.table.to_pylist()
    assert (row["source_id"], row["row"], row["file"]) == ("bad", 2, "areas.gpkg")
    assert row["sentence"].endswith((".", "?"))


CURVES = {
    "circular string": b"\x01" + (8).to_bytes(4, "little") + (3).to_bytes(4, "little")
    + np.array([104, 18, 104.1, 18.1, 104.2, 18], "<f8").tobytes(),
    "triangle": b"\x01" + (17).to_bytes(4, "little") + wkb_polygon([*OPEN[:3], OPEN[0]])[5:],
    "surface": wkb_multi(wkb_polygon([*OPEN, OPEN[0]]), code=12),
    "curve polygon": wkb_multi(
        b"\x01" + (8).to_bytes(4, "little") + (5).to_bytes(4, "little")
        + np.array([104, 18, 104.1, 18.1, 104.2, 18, 104.1, 17.9, 104, 18], "<f8").tobytes(),
        code=10,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "curve",
    [
        "triangle",
        "circular string",
        "surface",
        "curve polygon",
    ],
)
def test_a_curve_that_no_engine_here_can_read_goes_back_and_stops_nothing(curve):
    state = checked(hazard(GOOD, id="good"), hazard(CURVES[curve], id="curve"))
    assert len(state.features) + len(state.rejected) + len(state.reference) == 2
    assert "good" in kept_ids(state)


def test_collections_nested_without_end_go_back_and_stop_nothing():
    deep = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 5000 + b"\x01"
    state = checked(hazard(GOOD, id="good"), hazard(deep, id="bad"))
    assert kept_ids(state) == ["good"]
    assert reasons(state) == ["GEOMETRY_UNREADABLE"]


@pytest.mark.parametrize(
    "ground",
    [
        wkb_polygon(OPEN),
        wkb_polygon(OPEN, order=">"),
        wkb_polygon([(*point, 300.0) for point in OPEN], z=True),
        wkb_polygon([(*point, 1.0) for point in OPEN], m=True),
        wkb_polygon([(*point, 300.0, 1.0) for point in OPEN], z=True, m=True, ewkb=True),
        wkb_polygon(OPEN, srid=4326),
        wkb_multi(wkb_polygon(OPEN)),
    ],
)
def test_an_open_ring_is_closed_and_told(ground):
    state = checked(hazard(ground, id="1"))
    assert state.features.geometry[0].area == pytest.approx(1e-6)
    assert not shapely.has_z(state.features.geometry).any()
    assert codes(state) == ["RING_CLOSED"]
    assert state.features.table["source_geometry"].to_pylist() == [ground]


def test_heights_and_measures_are_dropped_and_stay_in_the_delivered_geometry():
    lifted = shapely.force_3d(GOOD, 312.5)
    state = checked(
        hazard(lifted, id="1"), hazard(shapely.from_wkt("POLYGON M((0 0 9,1 0 9,1 1 9,0 0 9))"), id="2")
    )
    assert not shapely.has_z(state.features.geometry).any()
    assert not shapely.has_m(state.features.geometry).any()
    source = state.features.table["source_geometry"][0].as_py()
    assert shapely.from_wkb(source).has_z


def test_points_and_lines_are_kept_as_reference():
    line = shapely.LineString([(104, 18), (104.1, 18)])
    state = checked(
        hazard(GOOD, id="a"),
        hazard(shapely.Point(104, 18), id="b"),
        hazard(shapely.MultiPoint([(104, 18)]), id="c"),
        hazard(line, id="d"),
        hazard(shapely.MultiLineString([line]), id="e"),
        hazard(shapely.GeometryCollection([shapely.Point(104, 18), line]), id="f"),
    )
    assert kept_ids(state) == ["a"]
    assert sorted(state.reference.table["source_id"].to_pylist()) == ["b", "c", "d", "e", "f"]


def test_the_polygons_of_a_mixed_collection_are_kept_and_the_rest_is_told():
    mixed = shapely.GeometryCollection([GOOD, shapely.Point(104, 18), shapely.LineString([(0, 0), (1, 1)])])
    state = checked(hazard(mixed, id="1"))
    assert state.features.geometry[0].area == pytest.approx(GOOD.area)
    assert codes(state) == ["PARTS_NOT_POLYGONS"]


def test_a_point_beside_a_multipolygon_in_a_collection_is_told_too():
    two = shapely.MultiPolygon([GOOD, shapely.box(105, 18, 105.001, 18.001)])
    state = checked(hazard(shapely.GeometryCollection([two, shapely.Point(104, 18)]), id="1"))
    assert codes(state) == ["PARTS_NOT_POLYGONS"]


def test_a_collection_of_polygons_alone_loses_nothing():
    both = shapely.GeometryCollection([GOOD, shapely.box(105, 18, 105.001, 18.001)])
    state = checked(hazard(both, id="1"))
    assert state.features.geometry[0].area == pytest.approx(2e-6)
    assert codes(state) == []


def test_overlapping_polygons_of_a_collection_are_set_side_by_side_and_not_merged():
    # Whether the common ground counts once or not at all is a question of repair, which is told.
    beside = shapely.box(104.0005, 18, 104.0015, 18.001)
    state = checked(hazard(shapely.GeometryCollection([GOOD, beside]), id="1"))
    assert state.features.geometry[0].area == pytest.approx(2e-6)
    assert codes(state) == ["INVALID_POLYGON"]


def test_an_empty_ring_is_left_out_and_told():
    state = checked(hazard(shapely.from_wkt("POLYGON((1 1,1 5,5 5,5 1,1 1),EMPTY)"), id="1"))
    assert codes(state) == ["EMPTY_RING_REMOVED"]
    assert state.features.geometry[0].area == 16


def test_a_polygon_with_an_empty_ring_does_not_kill_the_process():
    script = textwrap.dedent("""
        import shapely
        from make import hazard, through, released
        trap = shapely.from_wkt("POLYGON((1 1,1 5,5 5,5 1,1 1),EMPTY)")
        both = shapely.from_wkt("MULTIPOLYGON(((1 1,1 5,5 5,5 1,1 1),EMPTY),EMPTY)")
        near = shapely.box(4.9999999999, 1, 9, 5)
        state = through(
            hazard(trap, id="a"), hazard(both, "HALO", id="b"), released(shapely.box(2, 2, 9, 9), id="c"),
            hazard(near, "NPA", id="d"), hazard(trap.reverse(), id="e"), working_crs=None,
        )
        print(len(state.features) + len(state.duplicates), len(state.overlaps))
    """)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, cwd=HERE, check=False
    )
    assert done.returncode == 0, done.stderr
    kept, found = map(int, done.stdout.split())
    assert kept == 5
    assert found >= 3


def test_a_bow_tie_is_told_in_delivered_coordinates_and_kept():
    state = checked(hazard(shapely.from_wkt("POLYGON((0 0,10 10,10 0,0 10,0 0))"), id="1"))
    assert kept_ids(state) == ["1"]
    (told,) = findings(state, "INVALID_POLYGON")
    assert "Self-intersection at 5 5" in told["sentence"]


def test_exchanged_latitude_and_longitude_go_back_with_the_proposal():
    said = rejected_sentence(hazard(shapely.box(18, 104, 18.1, 104.1), id="1"))
    assert "longitude and latitude were exchanged" in said
    assert said.endswith("Please confirm.")


def test_metres_in_a_degree_file_go_back_with_the_likely_zone():
    said = rejected_sentence(hazard(shapely.box(800_000, 2_000_000, 800_100, 2_000_100), id="1"))
    assert "They look like metres: EPSG:32647 puts it near" in said
    assert "(in Laos)" in said


def test_numbers_that_fit_nothing_get_no_proposal():
    said = rejected_sentence(hazard(shapely.box(-9e8, -9e8, -8e8, -8e8), id="1"))
    assert said == "Coordinates are outside the degrees of the Earth."


def test_the_edge_of_the_earth_is_on_the_earth():
    state = checked(hazard(shapely.box(-180, -90, 180, 90), id="1"))
    assert kept_ids(state) == ["1"]


def test_a_file_without_crs_is_not_compared_and_the_option_to_add_is_named():
    state = checked(
        hazard(shapely.box(800_000, 2_000_000, 800_100, 2_000_100), id="1"),
        released(shapely.box(800_000, 2_000_000, 800_100, 2_000_100), id="2"),
        crs="",
    )
    assert reasons(state) == ["CRS_MISSING", "CRS_MISSING"]
    (delivery,) = state.deliveries
    assert delivery.suggestion == "--assume-crs EPSG:32647"
    ((code, sentence),) = delivery.problems
    assert code == "CRS_MISSING"
    assert "EPSG:32647 puts it near" in sentence
    assert "EPSG:32648 puts it near" in sentence
    assert sentence.endswith("add --assume-crs EPSG:32647.")


def test_a_file_without_crs_and_without_any_coordinates_still_gets_a_sentence():
    state = checked(hazard(None, id="1"), crs="")
    (delivery,) = state.deliveries
    assert delivery.suggestion == ""
    assert "add --assume-crs EPSG:CODE" in dict(delivery.problems)["CRS_MISSING"]


def test_only_the_files_without_crs_are_told_of():
    state = checked(hazard(GOOD, id="1", file="good.gpkg"), hazard(GOOD, id="2", file="bare.shp", crs=""))
    assert {d.file: [code for code, _ in d.problems] for d in state.deliveries} == {
        "good.gpkg": [],
        "bare.shp": ["CRS_MISSING"],
    }


def test_a_file_of_points_alone_is_told_to_hold_no_areas():
    state = checked(area(shapely.Point(104, 18), id="1"))
    ((code, sentence),) = state.deliveries[0].problems
    assert code == "NO_POLYGONS"
    assert "1 points or lines are kept as reference" in sentence


def test_what_the_reader_said_of_a_row_is_passed_on():
    state = delivered(hazard(None, id="1"))
    told = state.features.with_columns({"geometry_problem": ["Turning point 3 has no X"]})
    from dataclasses import replace

    (row,) = validate(replace(state, features=told)).rejected.table.to_pylist()
    assert row["reason"] == "GEOMETRY_UNREADABLE"
    assert row["sentence"] == "Turning point 3 has no X. Please correct it."


def test_nothing_at_all_is_valid():
    state = checked()
    assert len(state.features) == len(state.rejected) == 0


def test_the_given_state_is_not_changed():
    state = delivered(hazard(wkb_polygon(OPEN), id="1"), hazard(None, id="2"))
    before = state.features.geometry.copy()
    validate(state)
    assert (state.features.geometry == before).all()
    assert len(state.rejected) == 0
