"""Confirmed decisions carried out on a copy: what each operator is asked to change, and what is refused."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest
import shapely
from conftest import call, read_layer, square, write_geojson
from decided import MINUTES, decided
from make import LAOS, area, box, hazard, placed, polygon, released
from python_calamine import CalamineWorkbook

from geopipe.crs import choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.resolving.proof import prove
from geopipe.resolving.requests import TEMPLATE
from geopipe.resolving.write import try_requests, write_requests
from geopipe.terms import CaseStatus

UTM, LONLAT = "EPSG:32648", "EPSG:4326"
A, B = box(0, 0, 100, 100), box(60, 20, 160, 80)
LINE = shapely.LineString([(500_080, 1_999_990), (500_081, 2_000_110)])
SHRINKS = {"shrinks_hazard": True}


def in_crs(ground, crs):
    return transform(np.array([ground], dtype=object), choose_operation(LAOS, crs)[0])[0]


def on_map(*records):
    """Areas as the last run left them; each was delivered in its own CRS."""
    given = [
        dataclasses.replace(record, ground=in_crs(record.ground, record.crs or UTM)) for record in records
    ]
    return placed(*given, crs=UTM).features


def row_of(features, own_id):
    return features.table["source_id"].to_pylist().index(own_id)


def two(a=None, b=None):
    """Two hazards of two operators that overlap; A in UTM, B in lon/lat."""
    return on_map(a or hazard(A, "MAG", "M-1"), b or hazard(B, "Unit 58", "U-1", crs=LONLAT))


def case(features, choice, a="M-1", b="U-1", **more):
    return decided(features, row_of(features, a), row_of(features, b), choice, **more)


def rows_of(path, sheet):
    heads, *lines = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    return [dict(zip(heads, line, strict=True)) for line in lines]


def written(features, output, *cases):
    return write_requests(features, cases, LAOS, output)


def test_the_operator_who_corrects_gets_the_whole_ring_and_nobody_else_gets_anything(tmp_path):
    done = written(two(), tmp_path, case(two(), "a_corrects"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MAG"]
    points = rows_of(tmp_path / "MAG" / "change-request.xlsx", "Points")
    assert tuple(points[0]) == TEMPLATE
    assert [point["PointNo"] for point in points] == list(range(1, 9))
    assert {point["PolyID"] for point in points} == {"M-1"}
    assert str(done.proof).startswith("1 decided overlaps gone; 0 new overlaps; 0 gaps")
    assert done.is_complete


def test_kept_points_are_the_operators_own_bit_for_bit(tmp_path):
    features = two()
    written(features, tmp_path, case(features, "a_corrects"))
    delivered = {tuple(p) for p in shapely.get_coordinates(in_crs(A, UTM)).tolist()}
    points = rows_of(tmp_path / "MAG" / "change-request.xlsx", "Old and new points")
    kept = {(p["Own X"], p["Own Y"]) for p in points if p["Point"] == "kept"}
    assert kept == delivered  # the overlap took no corner of A
    (new,) = read_layer(tmp_path / "MAG" / "outlines.gpkg", "new_outline")
    assert delivered <= {tuple(p) for p in shapely.get_coordinates(new["geometry"]).tolist()}


def test_kept_points_in_lonlat_stand_in_the_template_bit_for_bit(tmp_path):
    features = two()
    written(features, tmp_path, case(features, "b_corrects"))
    delivered = {tuple(p) for p in shapely.get_coordinates(in_crs(B, LONLAT)).tolist()}
    points = rows_of(tmp_path / "Unit_58" / "change-request.xlsx", "Points")
    kept = {(p["Xcoord"], p["Ycoord"]) for p in points if p["PointDesc"] == "kept"}
    assert len(kept) == 2
    assert kept <= delivered


def test_points_that_go_are_named_with_their_old_number(tmp_path):
    features = two()
    written(features, tmp_path, case(features, "b_corrects"))
    points = rows_of(tmp_path / "Unit_58" / "change-request.xlsx", "Old and new points")
    gone = [p for p in points if p["Point"] == "removed"]
    ring = shapely.get_coordinates(in_crs(B, LONLAT))
    assert len(gone) == 2
    for point in gone:
        assert (point["Own X"], point["Own Y"]) == tuple(ring[int(point["Old PointNo"]) - 1])


def test_the_ring_begins_where_the_operator_began_and_runs_as_it_ran(tmp_path):
    features = two(b=hazard(box(60, -20, 160, 20), "Unit 58", "U-1"))  # covers a corner of A
    written(features, tmp_path, case(features, "a_corrects"))
    points = rows_of(tmp_path / "MAG" / "change-request.xlsx", "Old and new points")
    old = [p["Old PointNo"] for p in points if p["Point"] == "kept"]
    assert points[0]["Point"] == "kept"
    assert old == sorted(old)


def test_a_corner_of_the_neighbour_is_the_neighbours_number(tmp_path):
    features = two()
    written(features, tmp_path, case(features, "a_corrects"))
    points = rows_of(tmp_path / "MAG" / "change-request.xlsx", "Points")
    theirs = {(p["Xcoord"], p["Ycoord"]) for p in points if "U-1" in p["PointDesc"]}
    delivered = {tuple(p) for p in shapely.get_coordinates(in_crs(B, LONLAT)).tolist()}
    assert len(theirs) == 2
    assert theirs <= delivered


def test_a_split_gives_both_operators_the_same_numbers_along_the_line(tmp_path):
    features = two()
    done = written(features, tmp_path, case(features, "split_on_line", line=LINE))
    rings = [
        {(p["Xcoord"], p["Ycoord"]) for p in rows_of(tmp_path / name / "change-request.xlsx", "Points")}
        for name in ("MAG", "Unit_58")
    ]
    assert len(rings[0] & rings[1]) == 2  # where the line enters and leaves the shared ground
    assert done.proof.holds


def test_written_rings_are_the_decided_ground_again(tmp_path):
    features = two()
    done = written(features, tmp_path, case(features, "a_corrects"))
    (new,) = read_layer(tmp_path / "MAG" / "outlines.gpkg", "new_outline")
    assert shapely.area(in_crs(A - B, UTM) ^ new["geometry"]) < 0.02
    assert done.proof.greatest_rest_m2 < 0.02


def test_a_near_duplicate_that_corrects_is_asked_whether_it_should_be_withdrawn(tmp_path):
    features = two(b=hazard(box(-1, -1, 99, 101), "Unit 58", "U-1"))
    done = written(features, tmp_path, case(features, "a_corrects"))
    (record,) = done.requests["MAG"].records
    assert record.question == "Only 1.0% of the record is left: was a withdrawal meant?"
    book = CalamineWorkbook.from_path(tmp_path / "MAG" / "change-request.xlsx")
    assert record.question in repr(book.get_sheet_by_name("Read me").to_python())


def test_a_record_inside_the_other_that_corrects_is_withdrawn(tmp_path):
    features = two(b=hazard(box(-10, -10, 110, 110), "Unit 58", "U-1"))
    done = written(features, tmp_path, case(features, "a_corrects"))
    (record,) = done.requests["MAG"].records
    assert record.rings == ()
    assert record.tasks[0].what == "Withdraw this record: all of it lies in Unit 58 U-1"
    assert done.proof.holds


def test_holes_stand_on_a_sheet_of_their_own(tmp_path):
    inside = hazard(box(30, 30, 50, 50), "Unit 58", "U-1")
    features = two(b=inside)
    written(features, tmp_path, case(features, "a_corrects"))
    book = tmp_path / "MAG" / "change-request.xlsx"
    assert len(rows_of(book, "Points")) == 4
    assert {p["PolyID"] for p in rows_of(book, "Holes")} == {"M-1-H1"}
    text = " ".join(
        str(line[0]) for line in CalamineWorkbook.from_path(book).get_sheet_by_name("Read me").to_python()
    )
    assert "Never import them as polygons" in text
    assert "Use Replace, not Combine" in text


def test_parts_have_a_polyid_each(tmp_path):
    features = two(b=hazard(box(40, -10, 60, 110), "Unit 58", "U-1"))
    done = written(features, tmp_path, case(features, "a_corrects"))
    points = rows_of(tmp_path / "MAG" / "change-request.xlsx", "Points")
    assert [p["PolyID"] for p in points if p["PointNo"] == 1] == ["M-1-P1", "M-1-P2"]
    assert done.proof.holds


def test_a_neck_that_rounding_would_close_makes_two_parts(tmp_path):
    notched = polygon((0, 0), (100, 0), (100, 100), (60, 100), (50, 40.0001), (40, 100), (0, 100))
    below = polygon((-10, -10), (110, -10), (110, 40), (50, 40), (-10, 40))
    features = two(hazard(notched, "MAG", "M-1"), hazard(below, "Unit 58", "U-1"))
    done = written(features, tmp_path, case(features, "a_corrects"))
    points = rows_of(tmp_path / "MAG" / "change-request.xlsx", "Points")
    assert {point["PolyID"] for point in points} == {"M-1-P1", "M-1-P2"}
    assert done.proof.holds


def test_several_decisions_about_one_record_compose(tmp_path):
    features = on_map(
        hazard(A, "MAG", "M-1"), hazard(B, "Unit 58", "U-1"), hazard(box(-50, 30, 20, 60), "NPA", "N-1")
    )
    first, second = (
        case(features, "a_corrects"), case(features, "a_corrects", b="N-1", number=2),
    )  # fmt: skip
    done = written(features, tmp_path, second, first)
    (new,) = read_layer(tmp_path / "MAG" / "outlines.gpkg", "new_outline")
    assert shapely.area(new["geometry"]) == pytest.approx(10_000 - 2_400 - 600, rel=1e-3)
    assert done.proof.gone == 2


def test_a_record_that_was_withdrawn_is_decided_on_no_more(tmp_path):
    features = on_map(
        hazard(A, "MAG", "M-1"), hazard(B, "Unit 58", "U-1"), hazard(box(-50, 30, 20, 60), "NPA", "N-1")
    )
    merged = case(features, "merge_into_b")
    late = case(features, "a_corrects", b="N-1", number=2)
    done = written(features, tmp_path, merged, late)
    assert [item.reasons for item in done.resolution.not_applied] == [
        ("MAG M-1 is withdrawn by another decision.",)
    ]
    assert not done.is_complete


def test_a_decision_that_would_bring_back_a_decided_overlap_waits():
    features = on_map(
        hazard(A, "MAG", "M-1"), hazard(B, "Unit 58", "U-1"), hazard(box(90, 50, 120, 70), "NPA", "N-1")
    )
    first = case(features, "b_corrects", a="M-1", b="U-1")
    second = case(features, "merge_into_a", a="U-1", b="N-1", number=2)
    done = try_requests(features, [first, second], LAOS)
    assert [item.case.name for item in done.resolution.not_applied] == ["OC-00002"]
    assert "bring back the overlap of OC-00001" in done.resolution.not_applied[0].reasons[0]
    assert done.proof.holds


def test_what_a_merged_record_overlapped_before_is_no_new_overlap(tmp_path):
    features = on_map(
        hazard(A, "MAG", "M-1"), hazard(B, "Unit 58", "U-1"), hazard(box(150, 30, 200, 60), "NPA", "N-1")
    )
    done = written(features, tmp_path, case(features, "merge_into_a"))
    assert done.proof.holds


def test_hazard_is_not_given_up_for_released_land_unless_the_minutes_say_so(tmp_path):
    features = two(b=released(B, "Unit 58", "U-1"))
    refused = try_requests(features, [case(features, "a_corrects")], LAOS)
    assert refused.resolution.after == {}
    assert "no longer be shown as hazard" in refused.resolution.not_applied[0].reasons[0]
    known = try_requests(features, [case(features, "a_corrects", **SHRINKS)], LAOS)
    assert len(known.resolution.applied) == 1


def test_a_flag_without_a_reference_allows_nothing():
    features = two(b=released(B, "Unit 58", "U-1"))
    done = try_requests(features, [case(features, "a_corrects", reference=None, **SHRINKS)], LAOS)
    assert len(done.resolution.not_applied) == 1


def test_leave_to_shrink_hazard_is_no_leave_to_grow_released_land():
    features = two(a=released(A, "MAG", "M-1"), b=released(B, "Unit 58", "U-1", kind="CANCELLED"))
    assert (
        len(try_requests(features, [case(features, "merge_into_a", **SHRINKS)], LAOS).resolution.applied) == 0
    )
    leave = {"grows_released": True}
    assert (
        len(try_requests(features, [case(features, "merge_into_a", **leave)], LAOS).resolution.applied) == 1
    )


@pytest.mark.parametrize(
    "change",
    [
        {"confirmed": False},
        {"choice": "accept"},
        {"choice": "field_survey"},
        {"status": CaseStatus.FINISHED},
    ],
)
def test_only_confirmed_decisions_that_change_something_are_carried_out(change):
    features = two()
    done = try_requests(features, [case(features, **{"choice": "a_corrects", **change})], LAOS)
    assert done.resolution.before == {}
    assert done.resolution.not_applied == []


@pytest.mark.parametrize("status", [CaseStatus.NEEDS_REVIEW, CaseStatus.CORRECTED_DIFFERENTLY])
def test_a_decision_about_ground_that_moved_waits(status):
    features = two()
    done = try_requests(features, [case(features, "a_corrects", status=status)], LAOS)
    assert len(done.resolution.not_applied) == 1
    assert done.resolution.before == {}


def test_a_record_that_is_another_version_now_is_left_alone():
    features, later = two(), two(a=hazard(box(0, 0, 90, 100), "MAG", "M-1"))
    done = try_requests(later, [case(features, "a_corrects")], LAOS)
    assert "does not hold both records" in done.resolution.not_applied[0].reasons[0]


def test_a_line_that_divides_nothing_is_told():
    features = two()
    far = shapely.LineString([(501_000, 2_000_000), (501_000, 2_000_100)])
    done = try_requests(features, [case(features, "split_on_line", line=far)], LAOS)
    assert "does not divide the overlap" in done.resolution.not_applied[0].reasons[0]


def test_dependent_fields_say_old_new_and_who_must_decide(tmp_path):
    features = two(a=hazard(A, "MAG", "M-1", stated_m2=10_500.0, informed=dt.date(2024, 5, 1)))
    written(features, tmp_path, case(features, "a_corrects"))
    fields = {row["Field"]: row for row in rows_of(tmp_path / "MAG" / "change-request.xlsx", "Fields")}
    stated = fields["Area as stated, m2"]
    assert (stated["Old value"], stated["New value"]) == (10_500.0, 7_600.0)
    assert fields["Date of information"]["Old value"] == dt.date(2024, 5, 1)
    assert "Unit 58 U-1" in fields["Links"]["New value"]
    assert all(row["Who must decide"] for row in fields.values())


def test_of_the_partner_only_id_kind_status_and_date_are_told(tmp_path):
    secret = area(
        B,
        "CHA",
        "Unit 58",
        "U-1",
        surveyed=dt.date(2023, 2, 1),
        stated_m2=4_321.0,
        attributes='{"donor": "X"}',
    )
    features = on_map(hazard(A, "MAG", "M-1"), secret, hazard(box(300, 0, 400, 100), "Unit 58", "U-9"))
    written(features, tmp_path, case(features, "a_corrects"))
    book = CalamineWorkbook.from_path(tmp_path / "MAG" / "change-request.xlsx")
    text = repr([book.get_sheet_by_name(name).to_python() for name in book.sheet_names])
    assert "Unit 58 U-1" in text
    assert "2023, 2, 1" in text
    for hidden in ("U-9", "4321", "donor"):
        assert hidden not in text


def test_an_id_is_never_a_formula(tmp_path):
    features = on_map(hazard(A, "MAG", "=1+1"), hazard(B, "Unit 58", "U-1"))
    written(features, tmp_path, case(features, "a_corrects", a="=1+1"))
    assert rows_of(tmp_path / "MAG" / "change-request.xlsx", "Points")[0]["PolyID"] == "=1+1"


def test_the_same_decisions_give_the_same_bytes(tmp_path):
    features = two()
    for name in ("one", "two"):
        written(features, tmp_path / name, case(features, "split_on_line", line=LINE))
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_requests_that_went_out_are_not_written_over(tmp_path):
    features = two()
    written(features, tmp_path, case(features, "a_corrects"))
    with pytest.raises(ConfigError, match="not empty"):
        written(features, tmp_path, case(features, "b_corrects"))


def test_a_dry_run_finds_the_same_and_writes_nothing(tmp_path):
    features = two()
    tried = try_requests(features, [case(features, "a_corrects")], LAOS)
    assert tried.proof == written(features, tmp_path, case(features, "a_corrects")).proof
    assert tried.files == {}


def test_ground_that_was_given_to_a_record_withdrawn_later_is_no_gap():
    features = on_map(
        hazard(A, "MAG", "M-1"), hazard(B, "Unit 58", "U-1"), hazard(box(150, 30, 200, 60), "NPA", "N-1")
    )
    gives = case(features, "a_corrects")
    withdrawn = case(features, "withdraw_a", a="U-1", b="N-1", number=2, **SHRINKS)
    done = try_requests(features, [gives, withdrawn], LAOS)
    assert len(done.resolution.applied) == 2
    assert done.proof.gaps == ()


@pytest.fixture
def workspace(two_files, tmp_path):
    """Return a workspace in which operator B corrects, by signed minutes, and how to run it again."""
    config, work = tmp_path / "config.yaml", tmp_path / "work"
    deliveries = "".join(f"  - path: {path.as_posix()}\n" for path in two_files)
    config.write_text(
        f"deliveries:\n{deliveries}workspace: {work.as_posix()}\noutput: {work.as_posix()}/out\n"
    )
    minutes = tmp_path / "minutes.pdf"
    minutes.write_bytes(b"signed")

    def run():
        assert call("run", config, "--quiet").code == 0

    run()
    (number,) = [row["number"] for row in json.loads(call("cases", "list", "--json", "-w", work).out)["rows"]]
    given = ("--level", "TWG", "--meeting", "TWG 3/2026", "--minutes", minutes, "--by", "Bounmy")
    assert call("cases", "decide", number, "-w", work, "--choice", "b_corrects", *given).code == 0
    return work, run


def test_the_command_writes_requests_and_prints_the_proof(workspace, tmp_path):
    done = call("resolve", workspace[0], "-o", tmp_path / "send")
    assert done.code == 0
    assert "1 decided overlaps gone; 0 new overlaps; 0 gaps; greatest rest 0.0" in done.out
    (folder,) = (tmp_path / "send").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["change-request.xlsx", "outlines.gpkg"]


def test_the_command_says_what_it_did_not_carry_out(workspace, two_files, tmp_path):
    work, run = workspace
    write_geojson(two_files[0], [({"hazard_id": "U-1"}, square(east_by=0.0003))])
    write_geojson(two_files[1], [({"hazard_id": "M-1"}, square(east_by=0.0012))])
    run()
    done = call("resolve", work, "-o", tmp_path / "send", "--dry-run")
    assert done.code == 4
    assert "NOT carried out: 1 decisions" in done.out
    assert "look at the case again" in done.out
    assert not (tmp_path / "send").exists()


def test_two_hundred_mixed_decisions_about_a_demo_leave_nothing_over(compared_of, tmp_path):
    state = compared_of(2_000, 7, True).state
    pairs = state.overlaps.take(~state.overlaps.numpy("same_operator").astype(bool)).table.to_pylist()
    rows = {name: row for row, name in enumerate(state.features.table["row_id"].to_pylist())}
    choices = ("a_corrects", "b_corrects", "merge_into_a", "merge_into_b", "withdraw_a", "split_on_line")
    leave = {"shrinks_hazard": True, "grows_released": True}
    cases = []
    for number, pair in enumerate(pairs[:200]):
        a, b = (rows[pair[f"{side}_row_id"]] for side in ("left", "right"))
        line = across(state.features, rows, pair)
        choice, crs = choices[number % 6], state.working_crs
        cases.append(decided(state.features, a, b, choice, number, crs, line=line, **leave))
    done = write_requests(state.features, cases, state.working_crs, tmp_path)
    assert len(done.resolution.applied) + len(done.resolution.not_applied) == 200
    assert len(done.resolution.applied) > 150
    assert done.proof.gone == done.proof.decided
    assert done.proof.holds


def across(features, rows, pair):
    """A line through the middle of an overlap, across its longer side."""
    one, other = (features.geometry[rows[pair[f"{side}_row_id"]]] for side in ("left", "right"))
    west, south, east, north = (one & other).bounds
    x, y = (west + east) / 2, (south + north) / 2
    if east - west > north - south:
        return shapely.LineString([(x, south - 10), (x + 0.1, north + 10)])
    return shapely.LineString([(west - 10, y), (east + 10, y + 0.1)])


@pytest.fixture
def carried_out():
    """Features, and what was made of a decision about them."""
    features = on_map(
        hazard(A, "MAG", "M-1"), hazard(B, "Unit 58", "U-1"), hazard(box(0, 100, 100, 150), "NPA", "N-1")
    )
    resolution = try_requests(features, [case(features, "a_corrects")], LAOS).resolution
    return features, resolution, row_of(features, "M-1")


def proof_of(carried_out, ground):
    features, resolution, row = carried_out
    return prove(features, resolution, {row: ground}, {})


def test_the_proof_holds_for_what_was_decided(carried_out):
    assert proof_of(carried_out, A - B).holds


def test_the_proof_sees_an_overlap_that_stays(carried_out):
    proof = proof_of(carried_out, A - box(60.5, 20, 160, 80))
    assert (proof.gone, len(proof.remaining)) == (0, 1)
    assert proof.greatest_rest_m2 == pytest.approx(30, rel=1e-3)


def test_the_proof_sees_an_overlap_with_a_third_record(carried_out):
    assert len(proof_of(carried_out, (A - B) | box(0, 99, 10, 101)).new) == 1


def test_the_proof_sees_a_gap_between_the_two(carried_out):
    assert proof_of(carried_out, A - box(59.5, 20, 160, 80)).gaps == ("OC-00001",)


def test_the_proof_sees_a_ring_that_crosses_itself(carried_out):
    x, y = 500_000, 2_000_000
    bow = shapely.Polygon([(x, y), (x + 100, y + 20), (x + 100, y), (x, y + 100)])
    assert len(proof_of(carried_out, bow).invalid) == 1


def test_references_of_decisions_are_told(tmp_path):
    features = two()
    written(features, tmp_path, case(features, "a_corrects"))
    book = CalamineWorkbook.from_path(tmp_path / "MAG" / "change-request.xlsx")
    assert MINUTES.text in repr(book.get_sheet_by_name("Read me").to_python())
