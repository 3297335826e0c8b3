"""Hazard that vanishes or shrinks, and released land that grows, is an alarm until something explains it."""

import datetime as dt
from dataclasses import replace

import pytest
from make import EARLY, LATE, POLICY, area, box, hazard, make_features, released, square

from geopipe.lineages.told_changes import CHANGES
from geopipe.schema import FEATURES, REJECTED, Delivery, check, make_frame, no_geometry
from geopipe.stages.changes import changes
from geopipe.stages.deduplicate import deduplicate

MIDDLE = dt.date(2022, 3, 1)
ELSEWHERE = hazard(square(5000), id="other")
ELSEWHERE_LATER = replace(ELSEWHERE, file="later.gpkg")


def delivery(*records, mode="snapshot", operator="MAG"):
    """What the run keeps of one delivery."""
    state = make_features(*(replace(record, file="new.gpkg") for record in records))
    if not records:
        state = replace(state, deliveries=(Delivery("new.gpkg", "new", "GPKG"),))
    known = tuple(replace(item, mode=mode, operator=operator) for item in state.deliveries)
    return deduplicate(replace(state, deliveries=known), POLICY)


def before(*records):
    return make_features(*records).features


def found(previous, state, **more):
    result = changes(state, before(*previous), POLICY, **more)
    check(result.changes, CHANGES, "changes")
    check(result.carried, FEATURES, "carried")
    return result


def codes(result):
    return sorted(result.findings.table["code"].to_pylist())


def ids(frame):
    return sorted(frame.table["source_id"].to_pylist())


def only_finding(result):
    (row,) = result.findings.table.to_pylist()
    return row


# Hazard that vanished.


def test_a_hazard_that_is_not_in_a_new_snapshot_is_an_alarm_and_stays_on_the_map():
    result = found([hazard(square(), id="1"), ELSEWHERE], delivery(ELSEWHERE))
    told = only_finding(result)
    assert (told["code"], told["severity"], told["record_id"]) == ("HAZARD_VANISHED", "alarm", "MAG:hazard:1")
    assert told["measure"] == pytest.approx(10_000)
    assert (told["file"], told["row"]) == ("areas.gpkg", None)
    assert "stays on the map until a decision" in told["sentence"]
    assert ids(result.carried) == ["1"]
    assert result.carried.geometry[0].equals(square())
    assert result.changes.table["change"].to_pylist() == ["vanished"]


def test_nothing_vanishes_from_an_increment():
    result = found([hazard(square(), id="1"), ELSEWHERE], delivery(ELSEWHERE, mode="increment"))
    assert codes(result) == []
    assert len(result.carried) == 0
    assert ids(result.remaining) == ["1"]
    assert len(result.changes) == 0


def test_nothing_vanishes_when_the_operator_did_not_deliver():
    result = found([hazard(square(), "HALO", "1"), ELSEWHERE], delivery(ELSEWHERE))
    assert codes(result) == []
    assert ids(result.remaining) == ["1"]


def test_nothing_vanishes_when_a_file_of_the_operator_could_not_be_read():
    state = delivery(ELSEWHERE)
    broken = Delivery("b.gpkg", "b", "GPKG", problems=(("FILE_TRUNCATED", "cut"),), operator="MAG")
    result = found(
        [hazard(square(), id="1"), ELSEWHERE], replace(state, deliveries=(*state.deliveries, broken))
    )
    assert codes(result) == []
    assert ids(result.remaining) == ["1"]


def test_a_file_of_points_beside_it_hides_no_alarm():
    state = delivery(ELSEWHERE)
    points = Delivery("p.gpkg", "p", "GPKG", problems=(("NO_POLYGONS", "only points"),), operator="MAG")
    result = found(
        [hazard(square(), id="1"), ELSEWHERE], replace(state, deliveries=(*state.deliveries, points))
    )
    assert codes(result) == ["HAZARD_VANISHED"]


def test_a_file_whose_polygons_were_all_returned_is_not_taken_for_their_absence():
    state = delivery(ELSEWHERE)
    broken = Delivery("p.gpkg", "p", "GPKG", problems=(("NO_POLYGONS", "all returned"),), operator="MAG")
    row = {"file": "p.gpkg", "operator": "MAG", "kind": "CHA", "reason": "NULL_GEOMETRY"}
    state = replace(
        state, deliveries=(*state.deliveries, broken), rejected=make_frame(REJECTED, row, no_geometry(1))
    )
    assert codes(found([hazard(square(), id="1"), ELSEWHERE], state)) == []


def test_a_register_that_a_snapshot_leaves_out_wholly_is_asked_about_and_stays():
    result = found(
        [hazard(square(), id="1"), released(square(5000), id="R")], delivery(released(square(5000), id="R"))
    )
    told = only_finding(result)
    assert (told["code"], told["severity"], told["measure"]) == ("REGISTER_NOT_DELIVERED", "check", 1)
    assert "MAG delivered a whole register, but nothing of hazard" in told["sentence"]
    assert ids(result.remaining) == ["1"]


def test_a_vanished_hazard_that_was_released_since_is_no_alarm():
    new = delivery(ELSEWHERE, released(square(), id="R", completed=LATE))
    result = found([hazard(square(), id="1", surveyed=EARLY), ELSEWHERE], new)
    assert codes(result) == ["HAZARD_RELEASED_SINCE"]
    assert len(result.carried) == 0


@pytest.mark.parametrize(
    "release",
    [
        released(square(), id="R", completed=EARLY),
        released(square(), id="R"),
        released(box(0, 0, 99, 100), id="R", completed=LATE),
        released(square(), id="R", completed=LATE, depth=0.0),
    ],
    ids=["older", "without a date", "too small", "surface only"],
)
def test_a_release_that_does_not_explain_it_leaves_the_alarm(release):
    result = found([hazard(square(), id="1", surveyed=MIDDLE), ELSEWHERE], delivery(ELSEWHERE, release))
    assert "HAZARD_VANISHED" in codes(result)
    assert ids(result.carried) == ["1"]


def test_a_release_must_be_newer_than_the_last_information_on_the_hazard():
    old = hazard(square(), id="1", surveyed=EARLY, informed=LATE)
    result = found([old, ELSEWHERE], delivery(ELSEWHERE, released(square(), id="R", completed=MIDDLE)))
    assert codes(result) == ["HAZARD_VANISHED"]


def test_a_hazard_whose_date_is_not_known_is_explained_by_no_release():
    new = delivery(ELSEWHERE, released(square(), id="R", completed=LATE))
    assert codes(found([hazard(square(), id="1"), ELSEWHERE], new)) == ["HAZARD_VANISHED"]


def test_a_hazard_that_another_record_took_over_is_a_note():
    result = found(
        [hazard(square(), id="1"), hazard(square(100), id="2")], delivery(hazard(box(0, 0, 200, 100), id="2"))
    )
    assert codes(result) == ["HAZARD_TAKEN_OVER"]
    assert len(result.carried) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "SHA"},
        {"status": "closed"},
        {"surveyed": EARLY},
        {"operator": "HALO"},
    ],
    ids=["only suspected", "closed", "older survey", "another operator"],
)
def test_a_record_that_says_less_takes_nothing_over(other):
    cover = hazard(box(0, 0, 300, 100), **{"id": "2", "surveyed": LATE, **other})
    result = found([hazard(square(), id="1", surveyed=LATE), cover], delivery(cover, ELSEWHERE))
    assert "HAZARD_VANISHED" in codes(result)
    assert "1" in ids(result.carried)


def test_a_vanished_record_of_unknown_kind_stays_and_is_a_check():
    unknown = area(square(), "UNKNOWN", id="1")
    result = found(
        [unknown, area(square(5000), "UNKNOWN", id="2")], delivery(area(square(5000), "UNKNOWN", id="2"))
    )
    assert (only_finding(result)["code"], only_finding(result)["severity"]) == ("UNKNOWN_VANISHED", "check")
    assert ids(result.carried) == ["1"]


def test_an_alarm_is_raised_again_until_a_decision():
    first = found([hazard(square(), id="1"), ELSEWHERE], delivery(ELSEWHERE))
    again = found([ELSEWHERE_LATER], delivery(ELSEWHERE), carried_before=first.carried)
    assert codes(again) == ["HAZARD_VANISHED"]
    assert ids(again.carried) == ["1"]
    not_delivered = changes(
        delivery(hazard(square(9000), "HALO", "H")), before(ELSEWHERE_LATER), POLICY, first.carried
    )
    assert codes(not_delivered) == ["HAZARD_VANISHED"]
    assert (ids(not_delivered.carried), ids(not_delivered.remaining)) == (["1"], ["other"])


def test_a_vanished_hazard_that_is_delivered_again_is_settled():
    first = found([hazard(square(), id="1"), ELSEWHERE], delivery(ELSEWHERE))
    again = found(
        [ELSEWHERE_LATER], delivery(ELSEWHERE, hazard(square(), id="1")), carried_before=first.carried
    )
    assert codes(again) == []
    assert len(again.carried) == 0


def test_a_record_whose_new_version_was_returned_has_not_vanished():
    state = delivery(ELSEWHERE)
    row = {"file": "new.gpkg", "operator": "MAG", "kind": "CHA", "source_id": "1", "reason": "NULL_GEOMETRY"}
    state = replace(state, rejected=make_frame(REJECTED, row, no_geometry(1)))
    result = found([hazard(square(), id="1"), ELSEWHERE], state)
    assert codes(result) == ["LAST_VERSION_KEPT"]
    assert ids(result.carried) == ["1"]
    assert result.changes.table["change"].to_pylist() == ["returned"]


# Hazard that shrank.


def test_a_hazard_that_shrank_is_an_alarm_with_its_ground_and_the_old_outline_stays():
    result = found([hazard(square(), id="1")], delivery(hazard(box(0, 0, 70, 100), id="1")))
    told = only_finding(result)
    assert (told["code"], told["severity"], told["other_id"]) == ("HAZARD_SHRANK", "alarm", "MAG:hazard:1")
    assert (told["file"], told["row"]) == ("new.gpkg", 1)
    assert told["measure"] == pytest.approx(3000)
    assert result.findings.geometry[0].equals(box(70, 0, 100, 100))
    assert result.carried.geometry[0].equals(square())


def test_an_id_that_keeps_little_of_its_ground_shrank():
    result = found([hazard(square(), id="1")], delivery(hazard(square(80), id="1")))
    told = [row for row in result.findings.table.to_pylist() if row["severity"] == "alarm"]
    assert [(row["code"], row["other_id"]) for row in told] == [("HAZARD_SHRANK", "MAG:hazard:1")]
    assert told[0]["measure"] == pytest.approx(8000)
    assert "The new version (1) is smaller" in told[0]["sentence"]
    assert ids(result.carried) == ["1"]


def test_a_hazard_in_an_increment_may_not_shrink_unseen_either():
    result = found([hazard(square(), id="1")], delivery(hazard(box(0, 0, 70, 100), id="1"), mode="increment"))
    assert codes(result) == ["HAZARD_SHRANK"]
    assert (ids(result.carried), ids(result.remaining)) == (["1"], [])


def test_a_hazard_that_grew_is_no_alarm():
    result = found([hazard(square(), id="1")], delivery(hazard(square(side=120), id="1")))
    assert codes(result) == []
    assert result.changes.table["gained_m2"].to_pylist() == pytest.approx([4400])


def test_rounding_is_no_loss():
    assert codes(found([hazard(square(), id="1")], delivery(hazard(square(0.01), id="1")))) == []


def test_the_part_that_was_released_since_is_not_asked_about():
    new = delivery(hazard(box(0, 0, 50, 100), id="1"), released(box(50, 0, 80, 100), id="R", completed=LATE))
    result = found([hazard(square(), id="1", surveyed=EARLY)], new)
    told = only_finding(result)
    assert (told["code"], told["measure"]) == ("HAZARD_SHRANK", pytest.approx(2000))
    assert "5,000.0 m2 are given up, 2,000.0 m2 of them without a release" in told["sentence"]


def test_a_split_that_keeps_one_id_loses_nothing():
    new = delivery(hazard(box(0, 0, 60, 100), id="1"), hazard(box(60, 0, 100, 100), id="1b"))
    result = found([hazard(square(), id="1")], new)
    assert codes(result) == ["HAZARD_TAKEN_OVER"]
    assert sorted(result.changes.table["change"].to_pylist()) == ["added", "edited"]


def test_a_split_that_leaves_ground_out_is_an_alarm():
    new = delivery(hazard(box(0, 0, 50, 100), id="a"), hazard(box(50, 0, 90, 100), id="b"))
    result = found([hazard(square(), id="1")], new)
    assert (only_finding(result)["code"], only_finding(result)["measure"]) == (
        "HAZARD_SHRANK",
        pytest.approx(1000),
    )


def test_a_hazard_that_is_called_something_else_now_is_lost():
    new = delivery(area(square(), "TASK", id="1", register="land"), ELSEWHERE)
    result = found([hazard(square(), id="1", register="land"), ELSEWHERE], new)
    assert codes(result) == ["HAZARD_VANISHED"]
    assert ids(result.carried) == ["1"]


def test_an_id_that_stands_elsewhere_now_leaves_its_hazard_behind():
    result = found([hazard(square(), id="1")], delivery(hazard(square(900), id="1"), mode="increment"))
    assert codes(result) == ["HAZARD_VANISHED", "ID_REUSED"]
    assert ids(result.carried) == ["1"]


# Released land.


def test_released_land_that_grew_is_an_alarm():
    result = found([released(square(), id="R")], delivery(released(box(0, 0, 130, 100), id="R")))
    told = only_finding(result)
    assert (told["code"], told["severity"], told["file"]) == ("RELEASED_GREW", "alarm", "new.gpkg")
    assert told["measure"] == pytest.approx(3000)
    assert result.findings.geometry[0].equals(box(100, 0, 130, 100))
    assert len(result.carried) == 0


def test_released_land_that_was_merged_did_not_grow():
    halves = [released(box(0, 0, 50, 100), id="R"), released(box(50, 0, 100, 100), id="S")]
    assert codes(found(halves, delivery(released(square(), id="R")))) == ["RELEASED_VANISHED"]


def test_land_that_another_operator_had_released_makes_growth_no_less_an_alarm():
    old = [released(square(), id="R"), released(box(100, 0, 130, 100), "UXO", "U")]
    assert codes(found(old, delivery(released(box(0, 0, 130, 100), id="R")))) == ["RELEASED_GREW"]


def test_new_released_land_is_expected():
    assert codes(found([ELSEWHERE], delivery(ELSEWHERE, released(square(), id="R")))) == []


def test_released_land_that_is_not_delivered_any_more_is_a_check_and_not_kept():
    other = released(square(5000), id="S")
    result = found([released(square(), id="R"), other], delivery(other))
    assert (only_finding(result)["code"], only_finding(result)["severity"]) == ("RELEASED_VANISHED", "check")
    assert len(result.carried) == 0


# The table of changes.


def test_the_table_tells_each_change_once_in_the_operators_own_ids():
    old = [hazard(square(), id="1"), hazard(square(500), id="2"), hazard(square(1000), id="3", status="open")]
    new = [
        hazard(square(), id="9"),
        hazard(square(500), id="2"),
        hazard(square(1000), id="3", status="closed"),
    ]
    rows = found(old, delivery(*new)).changes.table.to_pylist()
    assert [(row["change"], row["sentence"]) for row in rows] == [
        ("attributes", "3: same ground, other attributes. status: open -> closed"),
        ("re_issued", "1 has the new id 9; same ground"),
    ]
    assert (rows[1]["previous_id"], rows[1]["current_id"]) == ("MAG:hazard:1", "MAG:hazard:9")


def test_the_first_delivery_of_an_operator_is_no_change():
    new = delivery(ELSEWHERE, hazard(square(), "HALO", "1"))
    assert len(found([ELSEWHERE], new).changes) == 0


def test_the_place_of_a_change_is_its_ground():
    result = found([hazard(square(), id="1")], delivery(hazard(box(20, 0, 130, 100), id="1")))
    assert result.changes.geometry[0].equals(box(0, 0, 20, 100).union(box(100, 0, 130, 100)))


def test_what_this_run_set_aside_itself_is_no_matter_of_change():
    old = hazard(square(), id="1", informed=EARLY, row=1)
    new = hazard(box(0, 0, 50, 100), id="1", informed=LATE, row=2)
    release = released(box(50, 0, 100, 100), id="R", completed=LATE, row=3)
    state = delivery(old, new, release)
    assert len(state.duplicates) == 1
    earlier = delivery(old).features
    assert earlier.table["row_id"].to_pylist() == state.duplicates.table["row_id"].to_pylist()
    assert codes(changes(state, earlier, POLICY)) == []
