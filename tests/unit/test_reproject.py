"""One working CRS, true areas, shared borders that stay shared, and one repair that is told."""

import itertools

import numpy as np
import pyproj
import pytest
import shapely
from make import (
    LAOS,
    POLICY,
    area,
    codes,
    config,
    delivered,
    findings,
    hazard,
    kept_ids,
    pairs,
    placed,
    polygon,
    reasons,
    released,
    square,
    through,
)

from geopipe.crs import Cells, choose_working_crs
from geopipe.errors import ConfigError
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate

HOLE_OVER_SHELL = [(0, 0), (100, 0), (100, 100), (0, 100)], [(50, 40), (120, 40), (120, 70), (50, 70)]
GEOD = pyproj.Geod(ellps="WGS84")


def in_crs(shape, crs):
    """The same turning points as another CRS writes them."""
    change = pyproj.Transformer.from_crs(LAOS, crs, always_xy=True)
    return shapely.transform(shape, lambda points: np.column_stack(change.transform(*points.T)))


def crossing():
    shell, hole = (np.array(ring, float) + np.array([500_000.0, 2_000_000]) for ring in HOLE_OVER_SHELL)
    return shapely.Polygon(shell, [hole])


def test_a_bow_tie_keeps_both_halves():
    # segmentize, and buffer(0), would silently keep 25 of these 50 m2.
    tie = polygon((0, 0), (10, 10), (10, 0), (0, 10), (0, 0))
    for kind in ("CHA", "CLEARED", "UNKNOWN"):
        state = placed(area(tie, kind, id="1"), crs=LAOS)
        assert state.features.geometry[0].is_valid
        assert state.features.table["area_m2"].to_pylist() == [pytest.approx(50)]


def test_a_bow_tie_is_told_with_its_area_before_and_after_and_hazard_is_drawn_as_delivered():
    tie = polygon((0, 0), (10, 10), (10, 0), (0, 10), (0, 0))
    state = placed(hazard(tie, id="1"), crs=LAOS)
    (told,) = findings(state, "REPAIRED_AREA_CHANGED")
    assert told["sentence"] == "Mended: area 0.0 m2 before, 50.0 m2 after"
    assert told["measure"] == pytest.approx(50)
    assert told["severity"] == "check"
    assert state.unresolved.table["reason"].to_pylist() == ["REPAIRED_AREA_CHANGED"]


def test_hazard_takes_the_union_of_the_readings_and_released_land_only_what_is_common():
    shape = crossing()
    state = placed(hazard(shape, id="h"), released(shape, id="r"), area(shape, "UNKNOWN", id="u"), crs=LAOS)
    by_id = dict(zip(state.features.table["source_id"].to_pylist(), state.features.geometry, strict=True))
    readings = [shapely.make_valid(shape, method=how) for how in ("linework", "structure")]
    union, common = shapely.union_all(readings), shapely.intersection_all(readings)
    assert union.area - common.area > 100
    assert by_id["h"].equals(union)
    assert by_id["u"].equals(union)
    assert by_id["r"].equals(common)


@pytest.mark.parametrize("kind", ["CHA", "SHA", "CLEARED", "REDUCED", "CANCELLED", "UNKNOWN", "TASK"])
def test_a_repair_that_can_be_read_in_two_ways_is_told_with_both_and_asks_for_confirmation(kind):
    state = placed(area(crossing(), kind, id="1"), crs=LAOS)
    (told,) = findings(state, "REPAIR_AMBIGUOUS")
    assert told["severity"] == "check"
    assert "before" in told["sentence"]
    assert "after" in told["sentence"]
    assert told["sentence"].endswith("please confirm")
    assert len(state.unresolved) == (kind in ("CHA", "SHA"))


def test_a_spike_is_mended_with_a_note_only():
    spike = polygon((0, 0), (100, 0), (100, 50), (150, 50), (100, 50), (100, 100), (0, 100))
    state = placed(hazard(spike, id="1"), crs=LAOS)
    assert state.features.table["area_m2"].to_pylist() == [pytest.approx(10_000)]
    (told,) = findings(state, "REPAIRED")
    assert told["severity"] == "note"
    assert len(state.unresolved) == 0


def test_a_polygon_of_which_nothing_is_left_goes_back_and_hazard_stays_drawn():
    there_and_back = polygon((0, 0), (50, 0), (100, 0), (50, 0))
    state = placed(hazard(there_and_back, id="1"), hazard(square(), id="2"), crs=LAOS)
    assert kept_ids(state) == ["2"]
    assert reasons(state) == ["ZERO_AREA"]
    assert state.unresolved.table["source_id"].to_pylist() == ["1"]


def test_a_sliver_that_folds_onto_itself_only_in_the_working_crs_is_accounted_for():
    flat = shapely.Polygon([(104, 18), (104.1, 18.1), (104.2, 18.2)])
    state = placed(hazard(flat, id="1"), hazard(shapely.box(104, 18, 104.001, 18.001), id="2"))
    assert len(state.features) + len(state.rejected) == 2


def test_valid_polygons_are_not_touched_by_repair():
    state = placed(hazard(square(), id="1"), crs=LAOS)
    assert codes(state) == []
    assert state.features.geometry[0].equals_exact(square(), tolerance=1e-6)


@pytest.mark.parametrize("side_deg", [0.0003, 0.001, 0.01])
@pytest.mark.parametrize(
    "corner", [(100.2, 20.1), (102.0, 17.9), (104.0, 14.0), (107.5, 15.0), (102.2, 22.4)]
)
@pytest.mark.parametrize("working_crs", [LAOS, None])
def test_areas_are_those_on_the_ellipsoid(corner, side_deg, working_crs):
    x, y = corner
    ring = [(x, y), (x + side_deg, y + side_deg / 3), (x + side_deg, y + side_deg), (x, y + side_deg / 2)]
    state = placed(hazard(shapely.Polygon(ring), id="1"), working_crs=working_crs)
    true_m2 = abs(GEOD.geometry_area_perimeter(shapely.Polygon(ring))[0])
    assert state.features.table["area_m2"][0].as_py() == pytest.approx(true_m2, rel=1e-5)


def test_the_same_turning_points_delivered_in_three_crs_are_the_same_ground():
    shapes = [
        square(side=1000),
        polygon((-90_000, 50), (-88_500, 900), (-90_400, 2500)),
        square(200_000, -9000, 3000),
    ]
    for shape in shapes:
        states = [placed(hazard(in_crs(shape, crs), id="1"), crs=crs)
                  for crs in ("EPSG:32648", "EPSG:32647", "EPSG:4326")]  # fmt: skip
        areas = [state.features.table["area_m2"][0].as_py() for state in states]
        assert max(areas) - min(areas) < 1e-4
        for one, other in itertools.combinations(states, 2):
            differ = shapely.symmetric_difference(one.features.geometry[0], other.features.geometry[0])
            assert differ.area < 1e-4


def test_neighbours_delivered_in_three_crs_share_their_border_and_overlap_nowhere():
    tilted = [(0, 0), (1000, 130), (870, 1130), (-130, 1000)]
    step = np.array([1000, 130])
    records = []
    for n, crs in enumerate(("EPSG:32648", "EPSG:32647", "EPSG:4326")):
        shape = polygon(*(np.array(tilted) + n * step))
        records.append(hazard(in_crs(shape, crs), ("MAG", "HALO", "NPA")[n], str(n), crs=crs))
    state = through(*records)
    assert len(state.features) == 3
    assert state.overlaps.numpy("area_m2").sum() < 1e-4
    assert sum(state.coverage.numpy("ground_m2")) > 0
    assert len(pairs(state)) == 0


def test_the_operations_used_are_recorded_with_each_delivery():
    state = placed(
        hazard(shapely.box(104, 18, 104.01, 18.01), id="1", file="new.gpkg"),
        hazard(in_crs(square(), "EPSG:3148"), id="2", file="old.shp", crs="EPSG:3148"),
        hazard(shapely.Point(104, 18), id="3", file="points.csv"),
    )
    used = {delivery.file: delivery.operations for delivery in state.deliveries}
    assert [o["source"] for o in used["new.gpkg"]] == ["EPSG:4326"]
    assert [o["source"] for o in used["old.shp"]] == ["EPSG:3148"]
    assert used["old.shp"][0]["accuracy_m"] == 44
    assert [o["source"] for o in used["points.csv"]] == ["EPSG:4326"]


def test_a_war_era_datum_is_shifted_by_hundreds_of_metres():
    lonlat = shapely.box(104, 18, 104.001, 18.001)
    plain = placed(hazard(lonlat, id="1")).features.geometry[0]
    shifted = placed(hazard(lonlat, id="1"), crs="EPSG:4131").features.geometry[0]
    assert 300 < plain.centroid.distance(shifted.centroid) < 600


def test_a_datum_with_a_ballpark_operation_only_is_refused_and_hazard_stays_drawn():
    lonlat = shapely.box(104, 18, 104.001, 18.001)
    state = placed(hazard(lonlat, id="1", crs="EPSG:4052"), hazard(lonlat, id="2"))
    assert kept_ids(state) == ["2"]
    (row,) = state.rejected.table.to_pylist()
    assert row["reason"] == "CRS_INACCURATE"
    assert "no accurate coordinate operation" in row["sentence"]
    assert state.unresolved.table["source_id"].to_pylist() == ["1"]


@pytest.mark.parametrize(
    ("shape", "crs"),
    [
        (shapely.box(2_000_000, 500_000, 2_000_100, 500_100), "EPSG:32648"),  # exchanged
        (shapely.box(500_000, -9e6, 500_100, -8.9e6), "EPSG:32648"),
        (shapely.box(9e6, 2e6, 9.1e6, 2.1e6), "EPSG:32647"),
        pytest.param(  # degrees called metres
            shapely.box(104, 18, 104.1, 18.1), "EPSG:32648"
        ),
        (shapely.box(1e20, 1e20, 1.1e20, 1.1e20), "EPSG:32648"),
    ],
)
def test_coordinates_far_outside_their_crs_go_back(shape, crs):
    state = placed(hazard(shape, id="1"), hazard(in_crs(square(), crs), id="2"), crs=crs)
    assert kept_ids(state) == ["2"]
    assert reasons(state) == ["COORDINATES_OUTSIDE_CRS"]


def test_the_area_of_interest_sends_back_what_lies_wholly_outside():
    aoi = (103.0, 17.0, 105.0, 19.0)
    state = placed(
        hazard(shapely.box(104, 18, 104.1, 18.1), id="in"),
        hazard(shapely.box(104.9, 18, 105.1, 18.1), id="across"),
        hazard(shapely.box(105.5, 18, 105.6, 18.1), id="out"),
        hazard(shapely.Point(110, 18), id="point"),
        area_of_interest=aoi,
    )
    assert kept_ids(state) == ["across", "in"]
    assert reasons(state) == ["OUTSIDE_AREA_OF_INTEREST"] * 2


def test_the_working_crs_is_chosen_from_the_records_that_are_in_range():
    records = [hazard(shapely.box(x, 18, x + 0.01, 18.01), id=f"{x}") for x in (103, 104, 105)]
    stray = hazard(shapely.box(2_000_000, 500_000, 2_000_100, 500_100), id="stray", crs="EPSG:32648")
    state = placed(*records, stray, working_crs=None)
    assert state.working_crs == choose_working_crs(Cells.of(np.array([104.0]), np.array([18.0])))


def test_with_nothing_to_measure_the_working_crs_is_that_of_laos():
    state = placed(working_crs=None)
    assert state.working_crs == choose_working_crs(Cells.of(np.array([104.0]), np.array([18.0])))


def test_a_working_crs_with_false_areas_is_refused():
    state = validate(delivered(hazard(shapely.box(104, 18, 104.1, 18.1), id="1")))
    with pytest.raises(ConfigError, match="equal-area"):
        reproject(state, config(working_crs="EPSG:32648"), POLICY)


def test_only_long_edges_carry_an_uncertainty():
    state = placed(hazard(square(side=290), id="1"), hazard(square(20_000, side=1000), id="2"), crs=LAOS)
    uncertain = dict(zip(state.features.table["source_id"].to_pylist(),
                         state.features.numpy("edge_uncertainty_m2"), strict=True))  # fmt: skip
    assert uncertain["1"] == 0
    assert uncertain["2"] == pytest.approx(4.25, rel=0.05)


def test_points_are_moved_like_areas():
    state = placed(hazard(square(), id="1", crs=LAOS), hazard(shapely.Point(104, 18), id="2"))
    assert state.features.geometry[0].buffer(1e-3).contains(state.reference.geometry[0])


def test_the_delivered_geometry_stays_bit_for_bit():
    shape = shapely.force_3d(in_crs(square(), "EPSG:32648"), 312.123456789)
    state = placed(hazard(shape, id="1"), crs="EPSG:32648")
    assert state.features.table["source_geometry"][0].as_py() == shapely.to_wkb(shape)
    assert state.features.table["source_crs"][0].as_py() == "EPSG:32648"


def test_a_hazard_exchanged_by_its_zone_is_not_stretched():
    # Southern 48N coordinates read as 47N land in range; areas stay right, only the place is wrong.
    shape = in_crs(square(), "EPSG:32648")
    state = placed(hazard(shape, id="1"), crs="EPSG:32647")
    assert state.features.table["area_m2"][0].as_py() == pytest.approx(10_000, rel=0.03)


def test_a_file_whose_every_record_is_refused_is_told_with_the_reason():
    """Beside good files it must not look as if all had been compared."""
    state = placed(
        hazard(shapely.box(104, 18, 104.1, 18.1), file="good.gpkg"),
        hazard(shapely.box(2_000_000, 500_000, 2_000_100, 500_100), file="turned.shp", crs="EPSG:32648"),
    )
    problems = {delivery.file: delivery.problems for delivery in state.deliveries}
    assert problems["good.gpkg"] == ()
    ((code, sentence),) = problems["turned.shp"]
    assert code == "NO_POLYGONS"
    assert sentence.startswith("turned.shp: no polygon in it could be used (COORDINATES_OUTSIDE_CRS 1)")
