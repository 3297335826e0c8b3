"""Return to sender: each gets back its own records, what is wrong with them, where, and what to do."""

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pytest
import shapely
from make import LATE, ORIGIN, area, box, hazard, make_features, placed, square, through
from return_fixtures import (
    CATALOGUE,
    CROSSED,
    LONLAT,
    asked,
    lines,
    lonlat_of,
    refused,
    returns_of,
    two_operators,
)

from geopipe.crs import choose_operation
from geopipe.reports.returned.files import summarise_returns
from geopipe.schema import Delivery, LayerCount, findings_about, no_geometry, rejected_of
from geopipe.terms import CountMethod

# --- what goes back, and to whom ------------------------------------------------------------------


def test_nothing_goes_back_where_nothing_is_wrong():
    assert returns_of(two_operators()) == {}


def test_a_refused_record_goes_back_with_reason_and_remedy_in_both_languages():
    (line,) = lines(returns_of(refused(two_operators(), 1))["MAG"])
    assert (line["outcome"], line["own_id"], line["file"], line["row"]) == ("returned", "M-2", "mag.gpkg", 2)
    assert line["code"] == "TOO_FEW_POINTS"
    assert line["details"] == "It has two points."
    for language in ("en", "lo"):
        assert line[f"wrong_{language}"] == CATALOGUE.meaning("TOO_FEW_POINTS", language)
        assert line[f"do_{language}"] == CATALOGUE.remedy("TOO_FEW_POINTS", language)
    assert re.search("[ກ-ໝ]", line["wrong_lo"])


@pytest.mark.parametrize("severity", ["alarm", "conflict", "check"])
def test_a_question_goes_to_the_sender(severity):
    back = returns_of(asked(two_operators(), 2, severity=severity))
    assert lines(back["NPA"], "own_id", "outcome", "severity") == [("N-1", "questioned", severity)]
    assert list(back) == ["NPA"]


def test_a_note_alone_sends_nothing_back():
    assert returns_of(asked(two_operators(), 0, "REPAIRED", "note")) == {}


def test_notes_beside_a_question_are_only_counted():
    state = asked(asked(asked(two_operators(), 0), 0, "REPAIRED", "note"), 1, "REPAIRED", "note")
    back = returns_of(state)["MAG"]
    assert lines(back, "code") == [("LONG_EDGE",)]
    assert back.notes == (("REPAIRED", 2),)


def test_what_is_for_the_authority_alone_never_goes_to_the_sender():
    assert CATALOGUE.audience("SHAPE_REUSED") == "authority"
    state = asked(asked(two_operators(), 0, "SHAPE_REUSED"), 0, "SHAPE_REUSED", "note")
    assert returns_of(state) == {}
    assert lines(returns_of(asked(state, 0))["MAG"], "code") == [("LONG_EDGE",)]
    assert returns_of(asked(state, 0))["MAG"].notes == ()


def test_records_of_an_unknown_operator_go_back_by_file():
    state = two_operators()
    named = {d.file: replace(d, operator="") for d in state.deliveries}
    state = replace(state, deliveries=tuple(named.values()))
    lost = rejected_of(state.features.take(np.array([0, 1])), "FILE_UNREADABLE", "It cannot be read.")
    back = returns_of(state.adding(rejected=[lost.with_columns({"operator": None, "source_id": None})]))
    assert list(back) == ["mag.gpkg"]
    assert lines(back["mag.gpkg"], "row", "own_id") == [(1, None), (2, None)]


def test_records_without_operator_in_a_file_of_one_operator_are_that_operators():
    state = two_operators()
    state = replace(state, deliveries=tuple(replace(d, operator="MAG") for d in state.deliveries))
    lost = rejected_of(state.features.take(np.array([0])), "GEOMETRY_UNREADABLE", "No.")
    assert list(returns_of(state.adding(rejected=[lost.with_columns({"operator": ""})]))) == ["MAG"]


def test_a_problem_of_a_whole_file_is_told_once_and_not_again_where_its_records_tell_it():
    state = two_operators()
    problem = ("FILE_DAMAGED", "mag.gpkg: the file is cut. Ask for a new copy.")
    told = replace(
        state, deliveries=(replace(state.deliveries[0], problems=(problem,)), *state.deliveries[1:])
    )
    back = returns_of(told)["mag.gpkg"]
    assert lines(back, "outcome", "code", "row") == [("file", "FILE_DAMAGED", None)]
    assert (back.returned, back.questioned) == (0, 0)
    lost = rejected_of(state.features.take(np.array([0])), "FILE_DAMAGED", problem[1])
    again = returns_of(told.adding(rejected=[lost.with_columns({"operator": None})]))["mag.gpkg"]
    assert lines(again, "outcome", "row") == [("returned", 1)]


def test_sentences_for_whoever_runs_geopipe_are_left_out():
    state = two_operators()
    sentence = (
        "mag.gpkg: the file states no coordinate system. EPSG:32648 puts it near 103.19 E, 19.46 N. "
        "If you are sure, add --assume-crs EPSG:32648."
    )
    problem = ("CRS_MISSING", sentence)
    told = replace(state, deliveries=(replace(state.deliveries[0], problems=(problem,)),))
    ((details,),) = lines(returns_of(told)["mag.gpkg"], "details")
    assert details == (
        "mag.gpkg: the file states no coordinate system. EPSG:32648 puts it near 103.19 E, 19.46 N."
    )


def test_an_id_that_only_stands_in_is_not_shown_as_the_operators_own():
    state = make_features(hazard(square(), "MAG", file="mag.gpkg"))
    assert state.features.table["source_id"][0].as_py().startswith("geometry-")
    assert lines(returns_of(asked(state, 0))["MAG"], "own_id", "row") == [(None, 1)]


def test_the_gravest_stands_first_then_the_order_of_the_file():
    state = asked(asked(asked(two_operators(), 1), 0), 1, "HAZARD_SMALLER", "alarm")
    assert lines(returns_of(state)["MAG"], "severity", "row") == [("alarm", 2), ("check", 1), ("check", 2)]


def test_everything_that_is_said_of_a_refused_record_counts_as_returned():
    state = two_operators()
    state = refused(asked(state, 1, "INVALID_POLYGON"), 1)
    back = returns_of(state)["MAG"]
    assert {outcome for (outcome,) in lines(back, "outcome")} == {"returned"}
    assert (back.returned, back.questioned) == (1, 0)


def test_an_operators_own_overlaps_that_are_asked_about_go_back_to_it_those_with_others_do_not():
    state = through(
        hazard(LONLAT[0], "MAG", "M-1"),
        hazard(shapely.box(105.0, 17.5, 105.0005, 17.501), "MAG", "M-2"),
        hazard(shapely.box(105.0007, 17.5, 105.002, 17.501), "NPA", "N-1"),
    )
    assert len(state.overlaps) == 2
    back = returns_of(state)
    assert list(back) == ["MAG"]
    ((code, own, details, longitude),) = lines(back["MAG"], "code", "own_id", "details", "longitude")
    assert code == "double_registration_same_operator"
    assert own == "M-1"
    assert details.endswith("with your record M-2 (50.0% of this one, 100.0% of the other)")
    assert 105.0 < longitude < 105.0005


def test_an_own_record_without_id_is_named_by_file_and_number():
    state = through(hazard(LONLAT[0], "MAG"), hazard(shapely.box(105.0, 17.5, 105.0005, 17.501), "MAG"))
    ((details,),) = lines(returns_of(state)["MAG"], "details")
    assert re.search(r"with your record number [12] of areas\.gpkg \(", details)


# --- nothing of others ----------------------------------------------------------------------------


def test_of_a_partners_record_only_operator_and_id_are_shown():
    """The find is the sender's, the ground and the figure belong to somebody else."""
    state = two_operators()
    told = asked(
        state, 0, "FIND_DATE_UNKNOWN", sentence="Found on land that N-1 cleared to 25 cm in Ban Secret",
        other_id="NPA:hazard:N-1", measure=np.array([25.0]), unit="cm", geometry=state.features.geometry[[2]],
    )  # fmt: skip
    (line,) = lines(returns_of(told)["MAG"])
    assert line["details"] == "Together with record N-1 of NPA"
    assert (line["figure"], line["unit"]) == (None, None)
    point = lonlat_of(state.features.geometry[0].centroid)
    assert (line["longitude"], line["latitude"]) == pytest.approx((point.x, point.y), abs=1e-6)


def test_a_second_record_of_ones_own_is_told_as_it_is():
    told = asked(two_operators(), 0, sentence="Like M-2", other_id="MAG:hazard:M-2", measure=np.array([5.0]))
    assert lines(returns_of(told)["MAG"], "details", "figure") == [("Like M-2", 5.0)]


def test_an_operators_name_that_begins_like_anothers_is_another():
    state = asked(two_operators(), 0, sentence="A secret", other_id="MAG Vietnam:hazard:V-1")
    assert lines(returns_of(state)["MAG"], "details") == [("Together with record V-1 of MAG Vietnam",)]


def test_folders_of_whoever_runs_geopipe_are_not_shown():
    state = make_features(hazard(square(), file="/home/somebody/inbox/areas.gpkg"))
    state = asked(state, 0, sentence="/home/somebody/inbox/areas.gpkg: row 1 is odd")
    back = returns_of(state)["MAG"]
    assert lines(back, "file", "details") == [("areas.gpkg", "areas.gpkg: row 1 is odd")]
    assert back.files[0].file == "areas.gpkg"


def test_two_files_of_one_name_are_told_apart_by_their_hash():
    state = make_features(hazard(square(), file="old/a.gpkg"), hazard(square(300), file="new/a.gpkg"))
    deliveries = [replace(d, content_hash=d.file[0] * 64) for d in state.deliveries]
    state = asked(asked(replace(state, deliveries=tuple(deliveries)), 0), 1)
    assert sorted(lines(returns_of(state)["MAG"], "file")) == [
        ("a.gpkg (nnnnnnnnnnnn)",), ("a.gpkg (oooooooooooo)",),
    ]  # fmt: skip


def test_an_area_of_an_earlier_delivery_is_not_mixed_up_with_todays_row_of_the_same_number():
    """The file has the same name every quarter; an earlier area that vanished from it stays on the map."""
    state = make_features(hazard(square(), "MAG", "OLD", row=1), hazard(square(5000), "MAG", "NEW", row=1))
    row_ids = ["earlier:1", "now:1"]
    state = replace(state, features=state.features.with_columns({"row_id": row_ids}))
    earlier = state.features.take(np.array([0]))
    told = findings_about(
        earlier.with_columns({"row": [None]}), "HAZARD_VANISHED", "alarm", "Gone", geometry=earlier.geometry
    )
    state = replace(asked(state, 1), earlier=earlier, deliveries=state.deliveries[:1])
    back = returns_of(state.adding(findings=[told]))["MAG"]
    old, new = lines(back, "own_id", "row", "longitude")
    assert old == ("OLD", None, pytest.approx(lonlat_of(square().centroid).x, abs=1e-6))
    assert new == ("NEW", 1, pytest.approx(lonlat_of(square(5000).centroid).x, abs=1e-6))
    assert back.outlines.table["own_id"].to_pylist() == ["NEW"]
    (count,) = back.files
    assert (count.received, count.kept, count.questioned) == (1, 1, 1)


def test_an_overlap_with_an_own_area_of_an_earlier_delivery_names_no_row_of_today():
    state = through(
        hazard(LONLAT[0], "MAG", "A-OLD", row=1),
        hazard(shapely.box(105.0, 17.5, 105.0005, 17.501), "MAG", "B-NEW", row=2),
    )
    assert lines(returns_of(state)["MAG"], "own_id", "row") == [("A-OLD", 1)]
    state = replace(state, earlier=state.features.take(state.features.flags("source_id", ["A-OLD"])))
    assert lines(returns_of(state)["MAG"], "own_id", "row") == [("A-OLD", None)]


# --- where the fault is ---------------------------------------------------------------------------


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32648"])
def test_the_point_of_a_crossing_is_where_the_border_crosses_itself(crs):
    ring = np.array(CROSSED)
    if crs != "EPSG:4326":
        ring = np.column_stack(choose_operation("EPSG:4326", crs)[0].transform(*ring.T))
    back = returns_of(placed(hazard(shapely.Polygon(ring), "MAG", "M-1"), crs=crs))["MAG"]
    points = {row["code"]: (row["longitude"], row["latitude"]) for row in lines(back)}
    assert points["INVALID_POLYGON"] == pytest.approx((105.0005, 17.5005), abs=2e-7)


def test_a_crossing_is_found_in_a_ring_that_was_not_closed_too():
    ring = np.array(CROSSED)
    wkb = shapely.to_wkb(shapely.Polygon(ring))
    unclosed = wkb[:9] + (4).to_bytes(4, "little") + wkb[13:-16]
    back = returns_of(placed(hazard(unclosed, "MAG", "M-1")))["MAG"]
    assert (105.0005, 17.5005) in [
        (round(x, 4), round(y, 4)) for x, y in lines(back, "longitude", "latitude")
    ]


def test_a_finding_with_ground_of_its_own_is_shown_there():
    state = two_operators()
    spot = np.array([box(10, 10, 12, 12)], dtype=object)
    line = lines(returns_of(asked(state, 0, geometry=spot))["MAG"])[0]
    point = lonlat_of(shapely.Point(ORIGIN[0] + 11, ORIGIN[1] + 11))
    assert (line["longitude"], line["latitude"]) == pytest.approx((point.x, point.y), abs=2e-5)
    assert line["longitude"] == round(line["longitude"], 7)


def test_a_finding_without_ground_is_shown_on_its_record_wherever_that_ended():
    state = placed(hazard(LONLAT[0], "MAG", "M-1"), area(shapely.Point(105.5, 17.6), "UNKNOWN", "MAG", "P-1"))
    point = findings_about(state.reference, "FIND_DATE_UNKNOWN", "check", "?", geometry=no_geometry(1))
    record = findings_about(state.features, "LONG_EDGE", "check", "?", geometry=no_geometry(1))
    found = lines(
        returns_of(state.adding(findings=[point, record]))["MAG"], "own_id", "longitude", "latitude"
    )
    assert found[0] == ("M-1", pytest.approx(105.0005, abs=1e-6), pytest.approx(17.5005, abs=1e-6))
    assert found[1] == ("P-1", pytest.approx(105.5, abs=1e-7), pytest.approx(17.6, abs=1e-7))


def test_a_hazard_that_could_only_be_drawn_is_shown_where_it_was_drawn():
    flat = shapely.Polygon([(105, 17.5), (105.001, 17.5), (105.002, 17.5)])
    back = returns_of(placed(hazard(flat, "MAG", "M-1")))["MAG"]
    ((longitude, latitude),) = lines(back, "longitude", "latitude")
    assert 105 <= longitude <= 105.002
    assert latitude == 17.5
    assert back.outlines.table["shown_in"].to_pylist() == ["WGS 84, placed as stated"]


def test_where_a_file_states_no_crs_no_point_is_invented_but_each_possible_place_is_drawn():
    utm = shapely.box(300_000, 2_000_000, 300_100, 2_000_100)
    back = returns_of(placed(hazard(utm, "MAG", "M-1", crs=""), hazard(LONLAT[0], "NPA", "N-1")))["MAG"]
    assert ("returned", None, None) in lines(back, "outcome", "longitude", "latitude")
    places = back.outlines.table["shown_in"].to_pylist()
    assert len(places) >= 2
    assert all("as if in EPSG:326" in place for place in places)


def test_a_record_without_geometry_has_no_place():
    back = returns_of(placed(hazard(None, "MAG", "M-1"), hazard(LONLAT[0], "NPA", "N-1")))["MAG"]
    assert lines(back, "code", "longitude") == [("NULL_GEOMETRY", None)]
    assert len(back.outlines) == 0


def test_outlines_delivered_in_wgs84_are_unchanged_bit_for_bit():
    ring = [(105.000000123456789, 17.5), (105.1 / 3 * 3, 17.5), (105.05, 17.512345678901234)]
    shape = shapely.Polygon(ring)
    state = placed(hazard(shape, "MAG", "M-1"), hazard(shapely.Polygon(CROSSED), "MAG", "M-2"))
    back = returns_of(asked(state, 0))["MAG"]
    shown = dict(zip(back.outlines.table["own_id"].to_pylist(), back.outlines.geometry, strict=True))
    assert shapely.to_wkb(shown["M-1"]) == shapely.to_wkb(shape)
    assert shapely.to_wkb(shown["M-2"]) == shapely.to_wkb(shapely.Polygon(CROSSED))
    assert set(back.outlines.table["shown_in"].to_pylist()) == {"WGS 84, coordinates as delivered"}


def test_outlines_delivered_otherwise_say_that_they_are_transformed():
    utm = shapely.box(300_000, 2_000_000, 300_100, 2_000_100)
    back = returns_of(asked(placed(hazard(utm, "MAG", "M-1"), crs="EPSG:32648"), 0))["MAG"]
    assert back.outlines.table["shown_in"].to_pylist() == ["WGS 84, transformed from EPSG:32648"]
    assert 103 < back.outlines.geometry[0].centroid.x < 103.2


def test_corrected_coordinates_are_shown_as_they_were_compared():
    state = placed(hazard(LONLAT[0], "MAG", "M-1"))
    turned = shapely.to_wkb(shapely.Polygon(np.array(CROSSED)[:, ::-1]))
    features = state.features.with_columns({"correction": ["swap_axes"], "source_geometry": [turned]})
    back = returns_of(asked(replace(state, features=features), 0, "INVALID_POLYGON"))["MAG"]
    assert back.outlines.geometry[0].equals_exact(LONLAT[0], 1e-9, normalize=True)
    assert (
        back.outlines.table["shown_in"][0]
        .as_py()
        .endswith("with the confirmed correction of the coordinates")
    )
    assert lines(back, "longitude")[0][0] == pytest.approx(105.0005, abs=1e-6)


def test_a_record_has_one_outline_with_all_its_codes():
    state = asked(asked(asked(two_operators(), 0), 0, "SPIKE"), 0, "SPIKE")
    back = returns_of(state)["MAG"]
    assert back.outlines.table["codes"].to_pylist() == ["LONG_EDGE, SPIKE"]
    assert len(back.rows) == 3


# --- counts ---------------------------------------------------------------------------------------


def test_counts_per_file_add_up_to_what_was_received():
    state = through(
        hazard(LONLAT[3], "MAG", "M-1", file="a.gpkg"),
        hazard(LONLAT[3], "MAG", "M-1", file="a.gpkg"),  # the same record again
        hazard(None, "MAG", "M-2", file="a.gpkg"),
        area(shapely.Point(105.5, 17.5), "CHA", "MAG", "P-1", file="b.gpkg"),
        hazard(shapely.Polygon(CROSSED), "MAG", "M-3", file="b.gpkg"),
        hazard(LONLAT[5], "NPA", "N-1", file="b.gpkg"),
    )
    back = returns_of(state)["MAG"]
    counts = {file.file: file for file in back.files}
    parts = ("kept", "kept_as_reference", "duplicate", "superseded", "returned")
    for count in counts.values():
        assert count.received == sum(getattr(count, part) for part in parts)
    counted = (*parts, "questioned")
    assert [getattr(counts["a.gpkg"], name) for name in counted] == [1, 0, 1, 0, 1, 0]
    assert [getattr(counts["b.gpkg"], name) for name in counted] == [1, 1, 0, 0, 0, 1]
    assert summarise_returns([back]) == {
        "MAG": {"returned": 1, "questioned": 1, "file": "return/MAG.xlsx", "geopackage": "return/MAG.gpkg"}
    }


def test_the_cut_off_is_the_newest_date_of_information_of_the_senders_records():
    state = make_features(
        hazard(square(), "MAG", "1", informed=dt.date(2024, 1, 5)),
        hazard(square(300), "MAG", "2", informed=dt.date(2025, 2, 6)),
        hazard(square(600), "NPA", "3", informed=LATE.replace(year=2026)),
    )
    assert returns_of(asked(state, 0))["MAG"].cutoff == dt.date(2025, 2, 6)
    assert returns_of(asked(two_operators(), 0))["MAG"].cutoff is None


def test_the_order_of_records_changes_nothing():
    def told(order):
        records = [hazard(square(300 * i), "MAG", f"M-{i}", row=i + 1) for i in range(4)]
        state = make_features(*(records[i] for i in order))
        questions = [asked(state, n).findings for n in range(4)]
        return returns_of(state.adding(findings=questions))["MAG"]

    one, two = told([0, 1, 2, 3]), told([2, 0, 3, 1])
    assert one.rows.table.whole().equals(two.rows.table.whole())
    assert one.outlines.table.whole().equals(two.outlines.table.whole())


# --- what else happens ----------------------------------------------------------------------------


def test_records_of_files_that_are_not_in_this_run_are_named_without_folders():
    """A record carried over from an earlier delivery has no delivery here."""
    state = replace(asked(make_features(hazard(square(), file="old/x.gpkg")), 0), deliveries=())
    assert lines(returns_of(state)["MAG"], "file") == [("x.gpkg",)]


def test_a_delivery_of_which_nothing_could_be_counted_goes_back_too():
    broken = Delivery(
        "bad.gpkg", "ab" * 32, "GPKG", (LayerCount("", "", 0, None, CountMethod.NONE),),
        (("FILE_DAMAGED", "bad.gpkg: the file is damaged. Ask for a new copy."),),
    )  # fmt: skip
    back = returns_of(replace(two_operators(), deliveries=(broken,)))
    assert lines(back["bad.gpkg"], "code", "details") == [("FILE_DAMAGED", "bad.gpkg: the file is damaged.")]
