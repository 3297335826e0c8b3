"""`geopipe findings` and `geopipe stats errors`, as a technician types them."""

import csv
import json

import pytest
from conftest import call, square, write_geojson

GOOD = square()
BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[103.1, 19.4], [103.11, 19.41], [103.11, 19.4], [103.1, 19.41], [103.1, 19.4]]],
}


@pytest.fixture
def workspace(tmp_path):
    """A register after a night on which a hazard area of MAG was a bow-tie, and a row had no geometry."""
    (tmp_path / "run.yaml").write_text(
        "deliveries: [{path: MAG_CHA.geojson}]\nworkspace: work\noutput: out\n", encoding="utf-8"
    )
    night(tmp_path, BOW_TIE, None)
    return tmp_path / "work"


def night(folder, first, second):
    records = [
        ({"hazard_id": name}, ground) for name, ground in (("M-1", first), ("M-2", second), ("M-3", GOOD))
    ]
    write_geojson(folder / "MAG_CHA.geojson", records)
    ran = call("run", folder / "run.yaml", "-q")
    assert ran.code in (0, 4), ran.err


def listed(workspace, *options):
    ran = call("findings", "list", "-w", workspace, "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["rows"]


def statuses(workspace):
    return {
        (item["source_id"], item["code"]): item["status"] for item in listed(workspace, "--status", "all")
    }


def errors(workspace, *options):
    ran = call("stats", "errors", "-w", workspace, "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["rows"]


def test_a_fault_that_the_operator_corrects_is_corrected_by_the_next_run(workspace, tmp_path):
    first = statuses(workspace)
    assert {first["M-1", "INVALID_POLYGON"], first["M-2", "NULL_GEOMETRY"]} == {"backlog"}
    night(tmp_path, square(east_by=0.05), None)
    after = statuses(workspace)
    assert after["M-1", "INVALID_POLYGON"] == "corrected"
    assert after["M-2", "NULL_GEOMETRY"] == "backlog"
    night(tmp_path, BOW_TIE, square(east_by=0.1))
    again = statuses(workspace)
    assert again["M-1", "INVALID_POLYGON"] == "reopened"
    assert again["M-2", "NULL_GEOMETRY"] == "corrected"


def test_the_list_names_the_record_and_says_how_many_there_are(workspace):
    ran = call("findings", "list", "-w", workspace, "--operator", "mag", "--code", "NULL_GEOMETRY")
    assert ran.first_line.endswith("MAG          NULL_GEOMETRY: M-2")
    known = len(listed(workspace, "--status", "all"))
    assert ran.lines[-1] == f"1 of {known} findings"


def test_accepting_needs_a_reason_and_takes_a_finding_from_the_outstanding_ones(workspace):
    (found,) = listed(workspace, "--code", "NULL_GEOMETRY")
    name = found["finding_id"][:8]
    ran = call("findings", "accept", name, "-w", workspace, "--reason", "", "--by", "Bounmy")
    assert (ran.code, "reason" in ran.err) == (2, True)
    ran = call("findings", "accept", name, "-w", workspace, "--reason", "old paper", "--by", "Bounmy")
    assert (ran.code, "accepted by Bounmy" in ran.out) == (0, True)
    assert "NULL_GEOMETRY" not in {item["code"] for item in listed(workspace)}
    (found,) = listed(workspace, "--code", "NULL_GEOMETRY", "--status", "accepted")
    assert (found["events"][-1]["cause"], found["events"][-1]["author"]) == ("old paper", "Bounmy")


def test_what_was_sent_is_still_outstanding(workspace):
    outstanding = len(listed(workspace))
    ran = call("findings", "send", "-w", workspace, "--operator", "MAG", "--by", "Bounmy")
    assert f"MAG: {outstanding} findings" in ran.out
    assert len(listed(workspace)) == outstanding
    assert {item["status"] for item in listed(workspace)} == {"sent"}


def test_error_data_are_counted_per_operator_and_code(workspace, tmp_path):
    night(tmp_path, BOW_TIE, square(east_by=0.1))
    rows = {row["code"]: row for row in errors(workspace)}
    row = rows["NULL_GEOMETRY"]
    assert (row["operator"], row["backlog"], row["corrected"], row["outstanding"]) == ("MAG", 1, 1, 0)
    assert (row["oldest"], rows["INVALID_POLYGON"]["oldest_days"]) == (None, 0)
    assert errors(workspace, "--quarter", "2019-Q1") == []
    table = tmp_path / "errors.csv"
    ran = call("stats", "errors", "-w", workspace, "--by", "operator,quarter", "--csv", table)
    with table.open(encoding="utf-8-sig", newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert int(line["outstanding"]) == sum(row["outstanding"] for row in rows.values())
    assert ran.lines[-1].split()[-1] == line["outstanding"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("findings", "list", "--operator", "MGA"), "did you mean 'MAG'"),
        (("findings", "list", "--code", "NULL_GEOMETRI"), "did you mean 'NULL_GEOMETRY'"),
        (("findings", "accept", "0123456789", "--reason", "x", "--by", "B"), "no finding of this id"),
        (("stats", "errors", "--by", "province"), "Known are operator, code, quarter"),
        (("stats", "errors", "--quarter", "spring"), "not a period"),
    ],
)
def test_wrong_words_are_answered_with_a_sentence(workspace, words, said):
    ran = call(*words, "-w", workspace)
    assert (ran.code, said in ran.err) == (2, True), ran.err
