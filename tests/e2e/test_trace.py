"""geopipe trace: the whole way of a record or a case, over several nights."""

import json
import shutil

import pytest
from conftest import call, hashes, square, write_geojson
from nightly_fixtures import Desk

from geopipe.tracing.named import Meant, _unique
from geopipe.tracing.published import Subject

OWN_ID = "mag-0"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Three nights: MAG redraws one area and leaves one out; the fault of a third goes back to it."""
    desk = Desk(tmp_path_factory.mktemp("trace") / "desk")
    box = desk.root / "inbox"
    mag = [
        ({"hazard_id": "mag-0", "status": "open", "remark": "Mr Khamla knows"}, square()),
        ({"hazard_id": "mag-2", "remark": "ask Mrs Noy"}, square(east_by=0.02)),
        ({"hazard_id": "mag-3"}, square(east_by=0.03)),
        ({"hazard_id": "mag-4"}, square(east_by=0.03)),
        ({"hazard_id": "mag-9"}, None),
    ]
    write_geojson(box / "mag" / "MAG_CHA.geojson", mag)
    desk.put("uxo", "UXO.geojson", 0.001)
    desk.night()
    redrawn = [({"hazard_id": "mag-0", "status": "suspended"}, square(east_by=0.0005)), *mag[2:]]
    write_geojson(box / "mag" / "MAG_CHA.geojson", redrawn)
    desk.night()
    desk.night()
    write_geojson(box / "uxo" / "UXO.geojson", [({"hazard_id": OWN_ID}, square(east_by=0.001))])
    desk.night()
    return desk


@pytest.fixture(scope="module")
def work(desk):
    return desk.root / "work"


def traced(name, work, code=0):
    ran = call("trace", name, "-w", work, "--json")
    assert ran.code == code
    return json.loads(ran.out)


def record_of(name, work):
    (record,) = traced(name, work)["records"]
    return record


def test_each_delivery_is_told_with_file_hash_row_and_what_changed(work):
    told = record_of("MAG:hazard:mag-0", work)["deliveries"]
    assert [item["change"]["what"] for item in told] == ["first", "changed"]
    assert (told[1]["change"]["columns"], told[1]["change"]["geometry"]) == (["status"], True)
    for item in told:
        (row,) = item["rows"]
        assert (item["file"], row["layer"], row["row"]) == ("MAG_CHA.geojson", "MAG_CHA", 1)
        assert (work / item["filed"]).is_file()
        assert item["sha256"] in item["filed"]
        assert row["row_id"].startswith(item["sha256"][:12])
        assert row["stated_crs"] == "EPSG:4326"
        assert row["operation"]["accuracy_m"] == 0
        assert row["province_located"] == "Khammouan"


def test_where_it_stands_in_each_run_is_told(work):
    runs = record_of("MAG:hazard:mag-2", work)["runs"]
    assert [run["run"] for run in runs] == [1, 2, 3]
    stands = [[(item["stands_as"], item["is_carried_on"]) for item in run["stands"]] for run in runs]
    assert stands == [[("on the map", False)], [("on the map", True)], [("on the map", True)]]


def test_changes_and_findings_have_their_life(work):
    told = record_of("MAG:hazard:mag-2", work)
    assert [(item["run"], item["change"]) for item in told["changes"]] == [(2, "vanished")]
    lives = [(item["code"], [event["status"] for event in item["events"]]) for item in told["findings"]]
    assert ("HAZARD_VANISHED", ["new"]) in lives
    assert all(codes[-1] == "corrected" for code, codes in lives if code != "HAZARD_VANISHED")


def test_a_duplicate_names_what_stands_for_it_and_the_other_way_round(work):
    kept, gone = (record_of(f"MAG:hazard:mag-{number}", work) for number in (3, 4))
    if not kept["stands_for"]:
        kept, gone = gone, kept
    (told,) = kept["stands_for"]
    assert told["record_id"] == gone["record"]["record_id"]
    (stands,) = gone["runs"][0]["stands"]
    assert (stands["stands_as"], stands["of_record_id"]) == ("duplicate", kept["record"]["record_id"])


def test_a_row_that_went_back_is_found_by_its_own_id(work):
    told = record_of("mag-9", work)
    assert (told["record"]["record_id"], told["deliveries"]) == (None, [])
    assert {item["stands_as"] for item in told["runs"][0]["stands"]} >= {"returned"}
    assert told["findings"]


def test_a_case_has_both_records_and_its_events(work):
    number = json.loads(call("cases", "list", "-w", work, "--json").out)["rows"][0]["number"]
    told = traced(number, work)
    assert told["case"]["case"] == number
    assert told["case"]["events"][0]["kind"] == "opened"
    assert {record["record"]["operator"] for record in told["records"]} == {"MAG", "UXO Lao"}
    text = call("trace", number, "-w", work).out
    assert "--- record A" in text
    assert "--- record B" in text


def test_a_record_names_its_cases_and_overlaps(work):
    told = record_of("MAG:hazard:mag-0", work)
    assert {item["other_id"] for item in told["overlaps"]} >= {"UXO Lao:hazard:mag-0"}
    assert told["cases"][0]["events"][0]["kind"] == "opened"


def test_a_name_that_means_two_records_is_not_guessed(work):
    ran = call("trace", OWN_ID, "-w", work)
    assert ran.code == 2
    assert 'geopipe trace "MAG:hazard:mag-0"' in ran.out
    assert 'geopipe trace "UXO Lao:hazard:mag-0"' in ran.out
    told = traced(OWN_ID, work, code=2)
    assert (len(told["meant"]), told["records"]) == (2, [])


def test_row_ids_versions_their_beginnings_and_other_letters_are_names_too(work):
    row = record_of("MAG:hazard:mag-2", work)["deliveries"][0]["rows"][0]
    for name in (row["row_id"], row["version_id"], row["version_id"][:8], "MAG-2"):
        assert record_of(name, work)["record"]["record_id"] == "MAG:hazard:mag-2"


def test_what_nobody_is_called_is_an_error_with_advice(work):
    ran = call("trace", "nobody", "-w", work)
    assert ran.code == 2
    assert "no record and no case is called so" in ran.err


def test_free_text_that_may_name_people_is_left_out(work):
    for name in ("MAG:hazard:mag-0", "mag-2"):
        ran = call("trace", name, "-w", work, "--json")
        assert "Khamla" not in ran.out
        assert "Noy" not in ran.out


def test_the_text_tells_the_way_in_order_and_changes_nothing(work):
    before = hashes(work)
    lines = call("trace", "MAG:hazard:mag-0", "-w", work).out.splitlines()
    labels = [line.split("  ")[0] for line in lines if line[0] != " "]
    assert labels == ["RECORD", "NOW", "DELIVERED", "CHANGED", "FINDINGS", "OVERLAPS", "CASES", "RUNS"]
    assert any("changed: status, its ground" in line for line in lines)
    assert any("the last version of an earlier delivery, carried on" in line for line in lines)
    assert lines[-1].endswith("on the map (carried on); on the map") or "on the map; on the map" in lines[-1]
    assert hashes(work) == before


def test_a_run_whose_folder_is_gone_is_said(desk, work, tmp_path):
    first = record_of("mag-2", work)["runs"][0]["folder"]
    kept = tmp_path / "kept"
    shutil.move(desk.root / "out" / "runs" / first, kept)
    try:
        told = record_of("mag-2", work)
        assert [run["is_kept"] for run in told["runs"]] == [False, True, True]
        assert "folder not kept any longer" in call("trace", "mag-2", "-w", work).out
    finally:
        shutil.move(kept, desk.root / "out" / "runs" / first)


def test_a_row_that_went_back_is_part_of_the_story_of_the_record_of_its_id():
    record = Meant("MAG:hazard:m", "", subject=Subject("MAG:hazard:m", "MAG", "m"))
    row = Meant("m", "", subject=Subject("", "MAG", "m"))
    elsewhere = Meant("m", "", subject=Subject("", "NPA", "m"))
    assert _unique([record, row, elsewhere, record]) == [record, elsewhere]
