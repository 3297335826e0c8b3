"""A hazard record that could only be drawn stays on the map, night after night, until signed minutes."""

import json

import pytest
from conftest import call, read_layer, square, write_geojson
from nightly_fixtures import Desk

HALF = {"type": "Polygon", "coordinates": [[[105.01, 17.5], [105.012, 17.502]]]}
OTHER_HALF = {"type": "Polygon", "coordinates": [[[105.03, 17.5], [105.032, 17.502]]]}


def put(folder, name, **shapes):
    return write_geojson(folder / name, [({"hazard_id": own_id}, shape) for own_id, shape in shapes.items()])


def put_rows(desk, name, *rows):
    """Put a file of MAG in which ids may repeat."""
    records = [({"hazard_id": own_id}, shape) for own_id, shape in rows]
    return write_geojson(desk.root / "inbox" / "mag" / name, records)


@pytest.fixture
def desk(tmp_path):
    """A desk after a night in which one record of MAG could only be drawn."""
    desk = Desk(tmp_path / "desk")
    put(desk.root / "inbox" / "mag", "MAG_CHA.geojson", good=square(), half=HALF)
    assert desk.night().result.summary["unresolved_hazard"] == 1
    return desk


def drawn(desk):
    current = desk.root / "out" / (desk.root / "out" / "CURRENT").read_text().strip()
    return {row["source_id"]: row for row in read_layer(current / "geopipe.gpkg", "hazard_unresolved")}


def test_it_is_a_new_alarm_in_the_morning_and_stays_drawn(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    told = desk.night()
    assert told.digest.counts["new_alarms"] == 1
    text = " ".join(desk.digest().split())
    assert (
        "A hazard record that was returned for correction is not delivered any more. "
        "It stays drawn on the map: 1: MAG half"
    ) in text
    assert (told.result.summary["unresolved_hazard"], told.result.summary["drawn_of_earlier"]) == (1, 1)
    assert drawn(desk)["half"]["vanished"]
    put(desk.root / "inbox" / "mag", "MAG_CHA_3.geojson", good=square(), new=square(east_by=0.05))
    again = desk.night()
    assert (again.digest.counts["new_alarms"], again.digest.counts["standing_alarms"]) == (0, 1)
    assert set(drawn(desk)) == {"half"}


def test_a_dashboard_can_tell_it_from_what_the_newest_delivery_holds(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square(), new=OTHER_HALF)
    desk.night()
    call("feeds", desk.root / "out", "-w", desk.root / "work", "-o", desk.root / "feeds")
    told = json.loads((desk.root / "feeds" / "hazard_unresolved.json").read_text(encoding="utf-8"))
    assert {row["own_id"]: row["vanished"] for row in told["rows"]} == {"half": True, "new": False}


def test_its_finding_is_not_called_corrected_because_it_is_left_out(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    listed = json.loads(call("findings", "list", "-w", desk.root / "work", "--json").out)["rows"]
    returned = [item for item in listed if item["code"] == "TOO_FEW_POINTS"]
    assert [item["status"] for item in returned] == ["backlog"]


def status_of(desk):
    """The status of each finding, by code."""
    told = call("findings", "list", "-w", desk.root / "work", "--status", "all", "--json").out
    rows = json.loads(told)["rows"]
    return {row["code"]: row["status"] for row in rows}


def test_a_good_record_of_the_same_id_does_not_correct_its_finding(tmp_path):
    desk = Desk(tmp_path / "desk")
    put_rows(desk, "MAG_CHA.geojson", ("good", square()), ("half", HALF), ("half", square(east_by=0.05)))
    desk.night()
    put_rows(desk, "MAG_CHA_2.geojson", ("good", square()), ("half", square(east_by=0.05)))
    desk.night()
    assert set(drawn(desk)) == {"half"}
    assert status_of(desk)["TOO_FEW_POINTS"] == "backlog"


def test_where_it_was_let_go_its_findings_are_over(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    (desk.root / "twg.pdf").write_bytes(b"signed")
    minutes = ("--meeting", "TWG 2026-02", "--minutes", desk.root / "twg.pdf", "--by", "Bounmy")
    call("hazard", "release", "half", "-w", desk.root / "work", "--cause", "a slip of the pen", *minutes)
    desk.night()
    assert status_of(desk)["TOO_FEW_POINTS"] == status_of(desk)["DRAWN_HAZARD_VANISHED"] == "corrected"
    told = call("trace", "MAG:hazard:half", "-w", desk.root / "work").out
    assert "corrected (it was decided, or another hazard record covers it)" in told
    assert "row None" not in told


def test_a_trace_says_that_it_is_of_an_earlier_delivery(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    told = " ".join(call("trace", "half", "-w", desk.root / "work").out.split())
    assert (
        "unresolved hazard: TOO_FEW_POINTS (MAG_CHA.geojson, layer MAG_CHA, of an earlier delivery)" in told
    )


def test_in_the_national_database_its_alarm_keeps_the_role(tmp_path):
    desk = Desk(tmp_path / "desk")
    config = desk.root / "nightly.yaml"
    text = config.read_text().replace("mag: {operator: MAG,", "mag: {operator: MAG, role: national_database,")
    config.write_text(text)
    put(desk.root / "inbox" / "mag", "MAG_CHA.geojson", good=square(), half=HALF)
    desk.night()
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    rows = json.loads(call("findings", "list", "-w", desk.root / "work", "--json").out)["rows"]
    assert {row["code"]: row["role"] for row in rows}["DRAWN_HAZARD_VANISHED"] == "national_database"


def test_it_leaves_the_map_by_signed_minutes_and_that_is_told(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    work = desk.root / "work"
    assert "only drawn" in call("hazard", "list", "-w", work).out
    assert [
        row["record_id"] for row in json.loads(call("hazard", "list", "-w", work, "--json").out)["rows"]
    ] == ["MAG:hazard:half"]
    (desk.root / "twg.pdf").write_bytes(b"signed")
    minutes = ("--meeting", "TWG 2026-02", "--minutes", desk.root / "twg.pdf", "--by", "Bounmy")
    done = call("hazard", "release", "half", "-w", work, "--cause", "a slip of the pen", *minutes)
    assert "1 version(s) will leave the map with the next run" in done.out
    told = desk.night()
    assert drawn(desk) == {}
    assert told.result.summary["findings"]["HAZARD_GIVEN_UP_BY_DECISION"] == 1
    assert call("register", "check", work).code == 0
    assert json.loads(call("hazard", "list", "-w", work, "--json").out)["rows"] == []


def test_a_good_record_of_this_id_ends_it(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    put(desk.root / "inbox" / "mag", "MAG_CHA_3.geojson", good=square(), half=square(east_by=0.01))
    told = desk.night()
    assert (drawn(desk), told.result.summary["drawn_of_earlier"]) == ({}, 0)
    assert "DRAWN_HAZARD_VANISHED" not in told.result.summary["findings"]


def test_a_night_without_anything_new_says_the_same(desk):
    put(desk.root / "inbox" / "mag", "MAG_CHA_2.geojson", good=square())
    desk.night()
    before = drawn(desk)
    desk.night()
    assert drawn(desk) == before
