"""`geopipe sample`: from a result to a sheet, and from the filled sheet to a share with its interval."""

import datetime as dt
import json
import os
import stat
import zipfile

import pyogrio
import pytest
import python_calamine as calamine
import shapely
import xlsxwriter
from conftest import call, hashes, read_layer

ANSWER = {"Inspected on": dt.date(2026, 3, 1), "Inspector": "Bounmy", "Result": "pass"}


def draw(result, folder, *more):
    return call("sample", "draw", result, "-o", folder, "--seed", 7, *more)


@pytest.fixture
def sample(small_result, tmp_path):
    """Return the folder of a sample of ten areas with two boxes in each."""
    folder = tmp_path / "qm ຕົວຢ່າງ"
    ran = draw(small_result, folder, "--count", 10, "--boxes", 2, "--box-size-m", 10)
    assert ran.code == 0, ran.err
    return folder


def cells(path, sheet="Inspection"):
    return calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()


def fill(folder, answers, target, change=None):
    """Write the sheet of a sample again with answers by line (from 0), as somebody who fills it in."""
    rows = cells(folder / "sheet.xlsx")
    header = rows[1]
    for line, answer in answers.items():
        for title, value in answer.items():
            rows[2 + line][header.index(title)] = value
    if change:
        change(header, rows)
    with xlsxwriter.Workbook(target, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet("Inspection")
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if value != "":
                    sheet.write(at, column, value)
    return target


def read(folder, sheet, *more):
    ran = call("sample", "results", folder, sheet, "--json", *more)
    assert ran.code in (0, 4), ran.err
    return ran.code, json.loads(ran.out)


# --- drawing


def test_a_draw_writes_sheet_map_gpx_layers_and_record(sample):
    assert sorted(path.name for path in sample.iterdir()) == [
        "map.html", "sample.gpkg", "sample.gpx", "sample.json", "sheet.xlsx",
    ]  # fmt: skip
    record = json.loads((sample / "sample.json").read_text(encoding="utf-8"))
    assert len(record["areas"]) == 10
    assert record["files"] == {
        name: digest for name, digest in hashes(sample).items() if name != "sample.json"
    }


def test_the_same_result_and_seed_give_the_same_bytes(small_result, tmp_path):
    asked = ("--share", 5, "--stratify", "operator,size", "--boxes", 3, "--box-size-m", 15)
    for name in ("one", "other"):
        assert draw(small_result, tmp_path / name, *asked).code == 0
    assert hashes(tmp_path / "one") == hashes(tmp_path / "other")
    with zipfile.ZipFile(tmp_path / "one" / "sheet.xlsx") as sheet:
        assert b"2000-01-01" in sheet.read("docProps/core.xml")


def test_every_paper_says_that_it_is_not_for_operators(sample):
    secret = "not for operators before the inspection"
    for name in ("map.html", "sample.gpx", "sample.json"):
        assert secret in (sample / name).read_text(encoding="utf-8")
    for sheet in ("Sample", "Inspection", "Corners"):
        assert any(secret in str(cell) for row in cells(sample / "sheet.xlsx", sheet)[:2] for cell in row)
    for layer, _ in pyogrio.list_layers(sample / "sample.gpkg"):
        assert all(secret in row["note"] for row in read_layer(sample / "sample.gpkg", layer))


def test_every_page_of_the_map_says_what_it_does_not_show(sample):
    pages = (sample / "map.html").read_text(encoding="utf-8").split("<section>")[1:]
    assert len(pages) == 11
    for page in pages:
        assert "Areas not shown are not thereby safe." in page
        assert "latest date in the records" in page
        assert "NOT ALL DATA" in page


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_the_owner_can_read_a_sample(sample, tmp_path):
    call("sample", "results", sample, fill(sample, {0: ANSWER}, tmp_path / "f.xlsx"))
    files = [path for path in sample.iterdir() if not path.name.startswith(".")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert "results.json" in {path.name for path in files}


def test_sheet_and_layers_hold_the_same_boxes(sample):
    header, *rows = cells(sample / "sheet.xlsx")[1:]
    boxes = read_layer(sample / "sample.gpkg", "boxes")
    assert [row[0] for row in rows] == [box["id"] for box in boxes]
    m2 = header.index("Ground to inspect (m2)")
    assert [row[m2] for row in rows] == pytest.approx([box["geometry"].area for box in boxes], abs=0.01)
    areas = read_layer(sample / "sample.gpkg", "areas_drawn")
    ground = {area["id"]: area["geometry"] for area in areas}
    assert all(ground[box["area_id"]].buffer(1e-6).contains(box["geometry"]) for box in boxes)
    shared = [shapely.intersection(a, b).area for a in ground.values() for b in ground.values() if a is not b]
    assert max(shared) < 1e-6


def test_the_gpx_is_read_back_by_geopipe(sample, tmp_path):
    """Points and lines have no kind of their own: nobody takes the sample for areas."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "sample.gpx").write_bytes((sample / "sample.gpx").read_bytes())
    call("compare", inbox, "-o", tmp_path / "back", "--quiet")
    rows = cells(sample / "sheet.xlsx")[2:]
    assert len(read_layer(tmp_path / "back" / "geopipe.gpkg", "points")) == len(rows)
    assert len(read_layer(tmp_path / "back" / "geopipe.gpkg", "lines")) == len(rows)


def test_a_sample_is_never_overwritten(small_result, sample):
    before = hashes(sample)
    ran = draw(small_result, sample, "--count", 3)
    assert ran.code == 2
    assert "nothing is overwritten" in ran.err
    assert hashes(sample) == before


def test_a_sample_does_not_lie_in_the_result_that_is_handed_on(small_result):
    ran = draw(small_result, small_result / "qm", "--count", 3)
    assert ran.code == 2
    assert not (small_result / "qm").exists()


def test_nothing_is_drawn_without_saying_how_much(small_result, tmp_path):
    ran = draw(small_result, tmp_path / "qm")
    assert ran.code == 2
    assert "--count N or --share PERCENT" in ran.err
    assert not (tmp_path / "qm").exists()


def test_team_is_refused_with_a_sentence(small_result, tmp_path):
    ran = draw(small_result, tmp_path / "qm", "--count", 3, "--stratify", "team")
    assert ran.code == 2
    assert "no team is among the published columns" in ran.err


def test_more_than_there_are_draws_all_and_says_so(small_result, tmp_path):
    ran = draw(small_result, tmp_path / "qm", "--count", 100000)
    assert ran.code == 0
    assert "all of them are" in ran.out


def test_areas_of_an_earlier_sample_are_left_out(small_result, sample, tmp_path):
    ran = draw(small_result, tmp_path / "second", "--count", 10, "--exclude", sample, "--json")
    second = json.loads(ran.out)
    first = json.loads((sample / "sample.json").read_text(encoding="utf-8"))
    drawn = [{area["record_id"] for area in record["areas"]} for record in (first, second)]
    assert not drawn[0] & drawn[1]
    assert {item["record_id"] for item in second["excluded"] if item["reason"] == "named"} == drawn[0]


def test_the_ground_of_all_areas_is_that_which_the_result_counts_once(small_result, tmp_path):
    record = json.loads(draw(small_result, tmp_path / "qm", "--count", 1, "--json").out)
    summary = json.loads((small_result / "summary.json").read_text(encoding="utf-8"))
    covered_m2 = summary["areas"]["CLEARED"]["covered_m2"]
    assert record["population"]["ground_m2"] == pytest.approx(covered_m2, rel=1e-9)


# --- reading back


def test_answers_are_taken_and_make_a_share_with_its_interval(sample, tmp_path):
    bad = ANSWER | {
        "Result": "Non-Conformity ",
        "Devices found (number)": 2,
        "Depth of deepest device (cm)": 12.5,
    }
    answers = dict.fromkeys(range(10), ANSWER) | {3: bad, 4: ANSWER | {"Result": "not accessible"}}
    code, said = read(sample, fill(sample, answers, tmp_path / "f.xlsx"), "--by", "Noy")
    assert code == 0
    assert said["taken"] == 10
    summary = said["summary"]
    assert (summary["drawn"], summary["inspected"], summary["not_accessible"]) == (20, 9, 1)
    assert (summary["non_conformities"], summary["not_answered"], summary["devices_found"]) == (1, 10, 2)
    assert summary["interval"] == pytest.approx([0.0028, 0.4825], abs=1e-4)
    assert summary["areas"]["inspected"] == 5
    assert summary["areas"]["non_conformities"] == 1
    assert "11.11%" in call("sample", "results", sample).out
    event = json.loads((sample / "results.json").read_text(encoding="utf-8"))["events"][0]
    assert event["by"] == "Noy"
    first = next(iter(event["answers"].values()))
    assert first["inspected_on"] == "2026-03-01"


def test_an_empty_sheet_says_nothing(sample):
    code, said = read(sample, sample / "sheet.xlsx")
    assert code == 0
    assert (said["taken"], said["unchanged"], said["summary"]["not_answered"]) == (0, 0, 20)


def test_another_answer_for_the_same_box_is_a_conflict_until_it_is_said_to_replace(sample, tmp_path):
    read(sample, fill(sample, {0: ANSWER, 1: ANSWER}, tmp_path / "one.xlsx"))
    other = fill(sample, {0: ANSWER | {"Result": "not accessible"}, 1: ANSWER}, tmp_path / "other.xlsx")
    code, said = read(sample, other)
    assert code == 4
    assert (said["taken"], said["unchanged"]) == (0, 1)
    assert "result was pass, now not accessible" in said["problems"][0]["sentence"]
    assert said["summary"]["not_accessible"] == 0
    code, said = read(sample, other, "--replace")
    assert code == 0
    assert (said["taken"], said["replaced"], said["unchanged"]) == (1, 1, 1)
    assert said["summary"]["not_accessible"] == 1
    events = json.loads((sample / "results.json").read_text(encoding="utf-8"))["events"]
    assert [len(event["answers"]) for event in events] == [2, 0, 1]
    assert {answer["result"] for answer in events[0]["answers"].values()} == {"pass"}


def test_an_answer_that_is_gone_from_a_later_sheet_stays(sample, tmp_path):
    read(sample, fill(sample, {0: ANSWER}, tmp_path / "one.xlsx"))
    _, said = read(sample, fill(sample, {1: ANSWER}, tmp_path / "other.xlsx"))
    assert said["summary"]["inspected"] == 2


def test_a_dry_run_changes_nothing(sample, tmp_path):
    _, said = read(sample, fill(sample, {0: ANSWER}, tmp_path / "f.xlsx"), "--dry-run")
    assert said["taken"] == 1
    assert not (sample / "results.json").exists()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"Result": "ok"}, "'ok' is not a result. Choose one of: pass, non-conformity, not accessible."),
        ({"Inspected on": "soon"}, "'soon' is not a date"),
        ({"Inspected on": dt.date(2999, 1, 1)}, "in the future"),
        ({"Inspected on": dt.date(1990, 1, 1)}, "before the completion"),
        ({"Inspector": ""}, "Not filled in: Inspector."),
        ({"Result": ""}, "Not filled in: Result."),
        ({"Devices found (number)": 1}, "1 devices were found, but the result is pass."),
        ({"Devices found (number)": -1}, "is not a whole number of 0 or more"),
        ({"Devices found (number)": 1.5}, "is not a whole number of 0 or more"),
        ({"Devices found (number)": "two"}, "is not a whole number of 0 or more"),
        ({"Depth of deepest device (cm)": 5}, "no device was found"),
        ({"Comment": "x" * 2001}, "longer than 2,000"),
        ({"Operator": "Somebody else"}, "Changed since the draw: Operator. Perhaps the sheet was sorted."),
        ({"Centre longitude (WGS 84)": 104.0}, "Changed since the draw: Centre longitude (WGS 84)."),
        ({"Completed on": dt.date(1999, 1, 1)}, "Changed since the draw: Completed on."),
        ({"Id": "QM-00000000-A001"}, "This id is not in the sample."),
    ],
)
def test_a_doubtful_line_is_listed_and_not_taken(sample, tmp_path, answer, sentence):
    filled = fill(sample, {0: ANSWER | answer, 1: ANSWER}, tmp_path / "f.xlsx")
    code, said = read(sample, filled)
    assert code == 4
    assert said["taken"] == 1
    assert sentence in said["problems"][0]["sentence"]
    assert said["problems"][0]["line"] == 3


def test_a_sheet_of_which_one_column_was_sorted_is_not_taken(sample, tmp_path):
    def sort_ids(header, rows):
        names = [row[0] for row in rows[2:]]
        for row, name in zip(rows[2:], reversed(names), strict=True):
            row[0] = name

    code, said = read(sample, fill(sample, dict.fromkeys(range(20), ANSWER), tmp_path / "f.xlsx", sort_ids))
    assert code == 4
    assert said["taken"] == 0
    assert len(said["problems"]) == 20


def test_a_sheet_whose_lines_and_columns_were_moved_whole_is_taken(sample, tmp_path):
    def move(header, rows):
        rows[2:] = rows[:1:-1]
        for row in rows[1:]:
            row[:] = [*row[::-1], ""]
        header[-1] = "Remarks of the office"

    code, said = read(sample, fill(sample, {0: ANSWER, 7: ANSWER}, tmp_path / "f.xlsx", move))
    assert (code, said["taken"]) == (0, 2)


def test_a_line_that_stands_twice_is_not_taken(sample, tmp_path):
    def repeat(header, rows):
        rows.append(list(rows[2]))

    code, said = read(sample, fill(sample, {0: ANSWER, 1: ANSWER}, tmp_path / "f.xlsx", repeat))
    assert code == 4
    assert said["taken"] == 1
    assert [problem["line"] for problem in said["problems"]] == [3, 23]


def test_dates_written_as_text_are_understood(sample, tmp_path):
    _, said = read(sample, fill(sample, {0: ANSWER | {"Inspected on": "2026-03-01"}}, tmp_path / "f.xlsx"))
    assert said["taken"] == 1


def test_a_file_that_is_no_such_sheet_is_refused(sample, tmp_path):
    foreign = tmp_path / "foreign.xlsx"
    with xlsxwriter.Workbook(foreign) as book:
        book.add_worksheet("Inspection").write(0, 0, "Name")
    text = tmp_path / "text.xlsx"
    text.write_text("not a workbook", encoding="utf-8")
    for file in (foreign, text, tmp_path / "absent.xlsx"):
        ran = call("sample", "results", sample, file)
        assert ran.code == 3, ran.err
        assert file.name in ran.err
    assert not (sample / "results.json").exists()


def test_a_folder_without_a_sample_is_refused(tmp_path):
    ran = call("sample", "results", tmp_path)
    assert ran.code == 2
    assert "no sample" in ran.err


@pytest.mark.parametrize("damage", ["", "{}", '{"sample": "QM-00000000", "events": []}', '{"events": 3}'])
def test_damaged_results_are_refused_and_never_taken_for_empty(sample, tmp_path, damage):
    (sample / "results.json").write_text(damage, encoding="utf-8")
    for more in ((), (fill(sample, {0: ANSWER}, tmp_path / "f.xlsx"),)):
        assert call("sample", "results", sample, *more).code == 2
    assert (sample / "results.json").read_text(encoding="utf-8") == damage


def test_strata_have_shares_of_their_own(small_result, tmp_path):
    folder = tmp_path / "qm"
    draw(small_result, folder, "--count", 8, "--stratify", "operator")
    answers = dict.fromkeys(range(8), ANSWER)
    _, said = read(folder, fill(folder, answers, tmp_path / "f.xlsx"))
    assert sum(stratum["inspected"] for stratum in said["summary"]["strata"]) == 8
    assert len(said["summary"]["strata"]) > 1
    assert "areas" not in said["summary"]
