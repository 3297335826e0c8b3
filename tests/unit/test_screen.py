"""The first screen: under 25 lines of short English, safety first, nothing that reads as safe and is not."""

import copy
import json

import pytest
from conftest import call, square, write_geojson

from geopipe.reports.screen import first_screen

PARTS = [
    "NOT ALL DATA COMPARED",
    "READ",
    "SAFETY",
    "OVERLAPS",
    "VERY THIN",
    "HECTARES",
    "RETURN",
    "ASSUMED",
    "OPEN NEXT",
]


def starts(text):
    """Return the words with which lines begin, each once, in order."""
    found = [word for line in text.splitlines() for word in PARTS if line.startswith(word)]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def summary(small_result):
    return json.loads((small_result / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture
def changed(summary):
    """Return a copy of the summary that a test may change."""
    return copy.deepcopy(summary)


OUTPUTS = ["out/geopipe.gpkg", "out/summary.json"]


def test_all_nine_parts_in_the_order_of_importance(summary):
    text = first_screen(summary, OUTPUTS)
    assert starts(text) == PARTS
    assert len(text.splitlines()) < 25


def test_a_clean_result_says_nothing_of_what_is_not(tmp_path):
    whole = {"status": "open", "survey_date": "2020-01-01"}
    files = [
        write_geojson(tmp_path / "UXO_Lao_CHA.geojson", [({"hazard_id": "U-1", **whole}, square())]),
        write_geojson(tmp_path / "MAG_CHA.geojson", [({"hazard_id": "M-1", **whole}, square(east_by=0.001))]),
    ]
    ran = call("compare", *files, "-o", tmp_path / "out")
    assert starts(ran.out) == ["READ", "SAFETY", "OVERLAPS", "VERY THIN", "HECTARES", "ASSUMED", "OPEN NEXT"]
    assert "SAFETY      no alarm in the records compared; areas not shown are not thereby safe" in ran.out
    assert len(ran.lines) < 25


def test_no_overlaps_are_only_said_of_the_records_compared(tmp_path):
    one = write_geojson(tmp_path / "MAG_CHA.geojson", [({"id": "1"}, square()), ({"id": "2"}, None)])
    two = write_geojson(tmp_path / "NPA_CHA.geojson", [({"id": "1"}, square(106.0))])
    ran = call("compare", one, two, "-o", tmp_path / "out")
    assert "OVERLAPS    no overlaps between operators among 2 of 3 records" in ran.out
    said = [line for line in ran.lines if "no overlaps" in line]
    assert len(said) == 1


def test_two_files_of_one_operator_alone_are_not_said_to_be_free_of_overlaps(tmp_path):
    """Between operators there is nothing; within the operator there is, and the screen must not hide it."""
    path = write_geojson(
        tmp_path / "MAG_CHA.geojson", [({"id": "1"}, square()), ({"id": "2"}, square(east_by=0.001))]
    )
    ran = call("compare", path, "-o", tmp_path / "out")
    assert "no overlaps between operators among 2 of 2 records" in ran.out
    within = [
        line for line in ran.lines if "within" in line or "same operator" in line or "one operator" in line
    ]
    assert within, ran.out


def alarm(code, count=3):
    return {"code": code, "sentence": f"A sentence about {code}", "count": count, "area_m2": 12345.6}


def crowded(summary):
    """Everything that can happen, at once: as on a first night with ten years of data."""
    codes = [
        "hazard_on_released_land",
        "open_and_cancelled",
        "FIND_ON_RELEASED_LAND",
        "HAZARD_SMALLER",
        "RELEASED_LARGER",
    ]
    summary["alarms"] = [alarm(code) for code in codes]
    ground = summary["areas"]["CHA"]
    summary["areas"] = dict.fromkeys(
        ("CHA", "SHA", "hazard", "CLEARED", "REDUCED", "CANCELLED", "released"), ground
    )
    summary["returns"] = {f"Operator {n}": {"returned": n, "questioned": 2 * n} for n in range(1, 30)}
    summary["unresolved_hazard"] = 12
    assert len(summary["overlaps"]["between_operators"]["largest"]) == 5
    return summary


def test_it_stays_under_25_lines_whatever_happens(changed):
    text = first_screen(crowded(changed), OUTPUTS)
    assert starts(text) == PARTS
    assert len(text.splitlines()) < 25


def test_it_stays_under_25_lines_with_few_assumptions_too(changed):
    summary = crowded(changed)
    for number, delivery in enumerate(summary["deliveries"]):
        delivery["assumptions"] = [f"assumption {number}"] if number < 3 else []
    assert len(first_screen(summary, OUTPUTS).splitlines()) < 25


def test_no_alarm_is_left_out_for_want_of_room(changed):
    text = first_screen(crowded(changed), OUTPUTS)
    for item in changed["alarms"]:
        assert item["sentence"] in text


def test_left_out_files_and_records_stand_on_top(changed):
    first = first_screen(changed, OUTPUTS).splitlines()[0]
    rejected, total = changed["balance"]["rejected"], changed["balance"]["records_in"]
    assert first.startswith("NOT ALL DATA COMPARED: ")
    assert f"{rejected:,} of {total:,} records not compared" in first


def test_many_files_left_out_make_no_long_line(changed):
    for delivery in changed["deliveries"]:
        delivery["problems"] = [{"code": "FILE_DAMAGED", "sentence": "It is damaged."}]
    first = first_screen(changed, OUTPUTS).splitlines()[0]
    assert "10 of 10 files not or only partly used" in first
    assert first.count(",") < 8


def test_the_largest_overlaps_tell_who_what_where_and_how_wide(changed):
    lines = first_screen(changed, OUTPUTS).splitlines()
    largest = changed["overlaps"]["between_operators"]["largest"]
    for item in largest:
        left, right = (item[side].rsplit(":", 1)[-1] for side in ("left_id", "right_id"))
        line = next(line for line in lines if left in line and right in line)
        assert f"{item['area_m2']:,.0f} m2" in line
        assert "wide" in line
        assert item["province"] in line


def test_an_own_id_with_colons_is_shown_whole(changed):
    item = changed["overlaps"]["between_operators"]["largest"][0]
    item["left_id"] = "MAG:hazard:LA:XK:0042"
    assert "MAG LA:XK:0042 x " in first_screen(changed, OUTPUTS)


def test_an_operator_with_a_colon_in_its_name_is_shown_whole(tmp_path):
    """The name comes from a column, and people write what they like into columns."""
    records = [
        ({"id": "1", "operator": "UXO Lao: team 4"}, square()),
        ({"id": "2", "operator": "MAG"}, square(east_by=0.001)),
    ]
    path = write_geojson(tmp_path / "CHA.geojson", records)
    ran = call("compare", path, "-o", tmp_path / "out")
    assert "UXO Lao: team 4 1: " in ran.out or "UXO Lao: team 4 1 x" in ran.out


def test_the_first_screen_says_whether_a_tolerance_is_in_force(changed):
    assert "(no tolerance is in force: nothing is left out)" in first_screen(changed, OUTPUTS)
    changed["policy"] |= {"why_no_tolerance": [], "reference": "TWG 12, item 3"}
    assert "(a tolerance is in force: TWG 12, item 3)" in first_screen(changed, OUTPUTS)


def test_kinds_that_nobody_states_give_no_hectares(tmp_path):
    one = write_geojson(tmp_path / "MAG.geojson", [({"id": "1"}, square())])
    ran = call("compare", one, "-o", tmp_path / "out")
    assert "HECTARES    none: no record says that it is hazard or released land" in ran.out


def test_the_return_line_counts_what_goes_back_to_whom_and_names_the_folder(changed):
    changed["returns"] = {
        "MAG": {"returned": 0, "questioned": 3},
        "NPA": {"returned": 1200, "questioned": 7},
        "areas.shp": {"returned": 0, "questioned": 0},
    }
    changed["reasons"] = {"NULL_GEOMETRY": 1200}
    (line,) = [line for line in first_screen(changed, OUTPUTS).splitlines() if line.startswith("RETURN")]
    assert line == (
        "RETURN      NPA 1,200+7, MAG 0+3, areas.shp (a whole file or layer) "
        "(returned + questioned; files in return/): NULL_GEOMETRY 1,200"
    )


def test_nothing_is_said_of_returns_where_nothing_goes_back(changed):
    changed["returns"] = {}
    assert "RETURN" not in first_screen(changed, OUTPUTS)


def test_without_files_for_senders_it_still_says_how_many_records_are_returned_and_why(changed):
    changed["returns"] = None
    changed["returned"] = {"MAG": 3, "NPA": 1200}
    changed["reasons"] = {"NULL_GEOMETRY": 1203}
    (line,) = [line for line in first_screen(changed, OUTPUTS).splitlines() if line.startswith("RETURN")]
    assert line == (
        "RETURN      NPA 1,200, MAG 3 (no files for senders: they come with the layers findings and "
        "rejected): NULL_GEOMETRY 1,203"
    )
    changed["returned"] = {}
    assert "RETURN" not in first_screen(changed, OUTPUTS)


def test_the_file_to_open_next_comes_last(changed):
    assert first_screen(changed, OUTPUTS).splitlines()[-1] == (
        "OPEN NEXT   out/geopipe.gpkg in QGIS; figures in out/summary.json"
    )


def test_control_characters_in_names_cannot_move_the_cursor(tmp_path):
    """A record's id comes from a stranger; on a terminal it must not erase the line above."""
    evil = "1\x1b[2J\x1b[1;1Hno alarm\r"
    one = write_geojson(tmp_path / "MAG_CHA.geojson", [({"id": evil}, square())])
    two = write_geojson(tmp_path / "NPA_CHA.geojson", [({"id": "2"}, square(east_by=0.001))])
    ran = call("compare", one, two, "-o", tmp_path / "out")
    assert "\x1b" not in ran.out
    assert "\r" not in ran.out
    assert len(ran.lines) < 25
