"""From deliveries to the files that go back: written, replaced, taken away, and never those of others."""

import json
import shutil
import subprocess
import sys
import time
import zipfile

import pytest
from conftest import COMMAND, UTM_48N, call, hashes, read_layer, square, write_geojson
from python_calamine import CalamineWorkbook

from geopipe.reports import publish as publishing

WHOLE = {"status": "open", "survey_date": "2020-01-01"}
PERSONAL = {"surveyor": "Somchai-Personal", "contact": "020-555-0199", "remarks": "owner-is-Bounmy"}


def deliver(folder, *, mag_is_clean=False):
    """Two operators with a fault each; free text that must stay here."""
    second = square(east_by=0.01) if mag_is_clean else None
    write_geojson(
        folder / "UXO_Lao_CHA.geojson",
        [({"hazard_id": "UXL-1", **WHOLE, **PERSONAL}, square()), ({"hazard_id": "UXL-2", **WHOLE}, None)],
    )
    write_geojson(
        folder / "MAG_CHA.geojson",
        [
            ({"hazard_id": "MAG-1", **WHOLE, **PERSONAL}, square(east_by=0.001)),
            ({"hazard_id": "MAG-2", **WHOLE, **PERSONAL}, second),
        ],
    )
    return folder


def compare(folder, out, *more):
    ran = call("compare", folder, "-o", out, *more)
    assert ran.code == 0, ran.err
    return ran


def summary_of(out):
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def records(path):
    return CalamineWorkbook.from_path(path).get_sheet_by_name("Records").to_python()[1:]


@pytest.fixture
def made(tmp_path):
    """Return the folder of deliveries and the folder of their result."""
    compare(deliver(tmp_path / "in"), tmp_path / "out")
    return tmp_path / "in", tmp_path / "out"


BOTH = ["MAG.gpkg", "MAG.xlsx", "UXO_Lao.gpkg", "UXO_Lao.xlsx"]


def test_compare_writes_the_files_and_the_summary_vouches_for_them(made):
    out = made[1]
    assert names(out / "return") == BOTH
    summary = summary_of(out)
    found = hashes(out)
    assert summary["files"] == {
        name: found[name] for name in ("geopipe.gpkg", *(f"return/{n}" for n in BOTH))
    }
    assert summary["returns"]["UXO Lao"] == {
        "returned": 1, "questioned": 0, "file": "return/UXO_Lao.xlsx", "geopackage": "return/UXO_Lao.gpkg",
    }  # fmt: skip
    assert call("report", out).code == 0
    assert any("RETURN      MAG 1+0, UXO Lao 1+0" in line for line in call("report", out).lines)
    assert names(out) == ["geopipe.gpkg", "return", "summary.json"]


def test_each_file_holds_its_senders_records_alone(made):
    for path in (made[1] / "return").iterdir():
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as archive:
                data = b"".join(archive.read(name) for name in archive.namelist())
        else:
            data = path.read_bytes()
        own, other = (b"MAG-2", b"UXL-") if path.stem == "MAG" else (b"UXL-2", b"MAG")
        assert own in data
        for text in (other, b"Somchai", b"555-0199", b"Bounmy", str(made[0].parent).encode()):
            assert text not in data, (path.name, text)


def test_a_damaged_return_file_makes_the_result_unfinished(made):
    (made[1] / "return" / "MAG.xlsx").write_bytes(b"cut")
    ran = call("report", made[1])
    assert ran.code == 2
    assert "return/MAG.xlsx is not the file that the summary was written for" in ran.err


def test_twice_the_same_deliveries_give_the_same_bytes(made):
    before = hashes(made[1] / "return")
    time.sleep(1.1)  # another second on the clock
    compare(*made)
    assert hashes(made[1] / "return") == before


def test_what_no_longer_goes_back_is_taken_away_so_that_nobody_sends_it(made):
    (made[1] / "return" / "my notes.txt").write_text("mine")
    compare(deliver(made[0], mag_is_clean=True), made[1])
    assert names(made[1] / "return") == ["UXO_Lao.gpkg", "UXO_Lao.xlsx", "my notes.txt"]
    assert list(summary_of(made[1])["returns"]) == ["UXO Lao"]


def test_without_anything_to_return_there_is_no_folder(made):
    shutil.rmtree(made[0])
    write_geojson(made[0] / "MAG_CHA.geojson", [({"hazard_id": "MAG-1", **WHOLE}, square())])
    ran = compare(*made)
    assert names(made[1]) == ["geopipe.gpkg", "summary.json"]
    assert "RETURN" not in ran.out


@pytest.mark.parametrize("mag_is_clean", [False, True])
def test_a_file_that_somebody_has_filled_in_is_kept_under_a_dated_name(made, mag_is_clean):
    answered = made[1] / "return" / "MAG.xlsx"
    answered.write_bytes(answered.read_bytes() + b"an answer")
    filled = answered.read_bytes()
    compare(deliver(made[0], mag_is_clean=mag_is_clean), made[1])
    (kept,) = (made[1] / "return").glob("MAG-kept-2*.xlsx")
    assert kept.read_bytes() == filled
    assert answered.exists() != mag_is_clean
    assert call("report", made[1]).code == 0


def test_a_workbook_that_is_open_in_excel_gets_a_dated_name_beside_it(made, monkeypatch):
    original = publishing.Path.replace

    def refuse(self, target):
        if target.name == "MAG.xlsx":
            raise PermissionError(13, "The process cannot access the file", str(target))
        return original(self, target)

    monkeypatch.setattr(publishing.Path, "replace", refuse)
    old = (made[1] / "return" / "MAG.xlsx").read_bytes()
    write_geojson(made[0] / "MAG_more.geojson", [({"hazard_id": "MAG-3", **WHOLE}, None)])
    compare_code = call("compare", made[0], "-o", made[1]).code
    assert compare_code == 4  # a file without any polygon
    summary = summary_of(made[1])
    dated = summary["returns"]["MAG"]["file"]
    assert dated.startswith("return/MAG-2")
    assert {row[1] for row in records(made[1] / dated)} >= {"MAG-2", "MAG-3"}
    assert (made[1] / "return" / "MAG.xlsx").read_bytes() == old
    assert call("report", made[1]).code == 0


def test_return_files_are_never_read_as_deliveries(tmp_path):
    """People keep the results in the folder of the deliveries."""
    deliver(tmp_path)
    compare(tmp_path, tmp_path)
    first = summary_of(tmp_path)
    compare(tmp_path, tmp_path)
    assert summary_of(tmp_path)["balance"] == first["balance"]


def test_killed_between_the_files_and_the_summary_the_folder_says_so_and_the_next_run_mends_it(made):
    deliver(made[0], mag_is_clean=True)
    script = (
        "import os, geopipe.reports.publish as p; p.write_text = lambda *_: os._exit(9);"
        "from geopipe.cli.main import main; main()"
    )
    words = [sys.executable, "-c", script, "compare", str(made[0]), "-o", str(made[1]), "-q"]
    assert subprocess.run(words, check=False).returncode == 9
    assert call("report", made[1]).code == 2
    compare(*made)
    assert call("report", made[1]).code == 0
    assert names(made[1] / "return") == ["UXO_Lao.gpkg", "UXO_Lao.xlsx"]


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits of POSIX are used")
def test_a_full_disk_leaves_the_old_files(made):
    import resource

    before = hashes(made[1])
    deliver(made[0], mag_is_clean=True)
    words = [*COMMAND, "compare", str(made[0]), "-o", str(made[1]), "-q"]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))  # noqa: E731
    done = subprocess.run(words, preexec_fn=limit, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert hashes(made[1]) == before


# --- run and returns ------------------------------------------------------------------------------


def test_a_result_of_other_layers_comes_without_files_for_senders_and_says_so(made):
    deliveries, out = made
    ran = compare(deliveries, out, "--layers", "overlaps,areas")
    assert names(out) == ["geopipe.gpkg", "summary.json"]
    assert summary_of(out)["returns"] is None
    assert summary_of(out)["balance"]["rejected"] == 2
    assert "RETURN      MAG 1, UXO Lao 1 (no files for senders" in ran.out
    assert "NOT ALL DATA COMPARED: 2 of 4 records not compared" in ran.out
    told = call("returns", out, "-o", out / "to-send")
    assert told.code == 2
    assert "Run it again without --layers" in told.err


@pytest.mark.parametrize("layer", ["findings", "rejected"])
def test_a_result_of_what_goes_back_comes_with_the_files_for_senders(made, layer):
    deliveries, out = made
    compare(deliveries, out, "--layers", layer)
    assert names(out / "return") == BOTH


@pytest.fixture
def ran(tmp_path):
    """Return the folder of a configuration that has run once, and its run."""
    deliver(tmp_path / "in")
    config = tmp_path / "nightly.yaml"
    config.write_text(
        f"deliveries:\n  - path: {tmp_path / 'in'}\n"
        f"workspace: {tmp_path / 'work'}\noutput: {tmp_path / 'out'}\n"
    )
    assert call("run", config, "-q").code == 0
    return tmp_path


def run_of(folder):
    return folder / "out" / (folder / "out" / "CURRENT").read_text(encoding="utf-8").strip()


def test_run_writes_them_into_its_own_folder_and_a_second_run_changes_nothing(ran):
    assert names(run_of(ran) / "return") == BOTH
    before = hashes(ran / "out")
    assert call("run", ran / "nightly.yaml", "-q").code == 0
    assert hashes(ran / "out") == before


def test_a_run_whose_return_file_was_damaged_is_made_anew(ran):
    whole = hashes(run_of(ran) / "return")
    (run_of(ran) / "return" / "MAG.gpkg").unlink()
    assert call("run", ran / "nightly.yaml", "-q").code == 0
    assert hashes(run_of(ran) / "return") == whole


def test_what_an_interrupted_run_left_does_not_get_into_the_next_one(ran):
    left = ran / "out" / "runs" / ".building" / "return"
    left.mkdir(parents=True)
    (left / "HALO.xlsx").write_bytes(b"of another day")
    whole, run = hashes(run_of(ran) / "return"), run_of(ran)
    shutil.rmtree(run)
    assert call("run", ran / "nightly.yaml", "-q").code == 0
    assert run_of(ran) == run
    assert hashes(run / "return") == whole


@pytest.mark.parametrize("place", ["out", "work"])
def test_returns_writes_the_same_files_from_a_result_and_from_a_workspace(ran, place):
    told = call("returns", ran / place, "-o", ran / "to-send")
    assert told.code == 0
    assert hashes(ran / "to-send") == hashes(run_of(ran) / "return")
    assert f"UXO Lao: 1 returned, 0 questioned, {ran / 'to-send' / 'UXO_Lao.xlsx'}" in told.out


def test_returns_for_one_operator_under_any_spelling(ran):
    told = call("returns", ran / "out", "-o", ran / "to-send", "--operator", "uxo lao", "--json")
    assert names(ran / "to-send") == ["UXO_Lao.gpkg", "UXO_Lao.xlsx"]
    assert list(json.loads(told.out)["senders"]) == ["UXO Lao"]


def test_an_operator_to_whom_nothing_goes_back_is_named_with_the_nearest_one(ran):
    told = call("returns", ran / "out", "-o", ran / "to-send", "--operator", "MAC")
    assert told.code == 2
    assert "nothing goes back to 'MAC'; did you mean 'MAG'?" in told.err
    assert names(ran / "to-send") == []


def test_one_language_can_be_made_from_a_workspace_but_not_from_a_finished_result(ran):
    assert call("returns", ran / "work", "-o", ran / "lo", "--lang", "lo").code == 0
    assert "ລາຍການບໍ່ມີຮູບ" in str(records(ran / "lo" / "MAG.xlsx"))
    assert "The record has no geometry.'" not in str(records(ran / "lo" / "MAG.xlsx")[0][:10])
    told = call("returns", ran / "out", "-o", ran / "lo", "--lang", "lo")
    assert told.code == 2
    assert "name the workspace of the run" in told.err


def test_a_workspace_needs_reproject_first(tmp_path):
    deliver(tmp_path / "in")
    call("ingest", tmp_path / "in", "-w", tmp_path / "work", "-q")
    told = call("returns", tmp_path / "work", "-o", tmp_path / "to-send")
    assert told.code == 2
    call("validate", "-w", tmp_path / "work", "-q")
    call("reproject", "-w", tmp_path / "work", "-q")
    assert call("returns", tmp_path / "work", "-o", tmp_path / "to-send").code == 0
    assert names(tmp_path / "to-send") == BOTH


def test_a_damaged_result_is_not_sent(ran):
    (run_of(ran) / "return" / "MAG.xlsx").write_bytes(b"cut")
    assert call("returns", ran / "out", "-o", ran / "to-send").code == 2
    assert names(ran / "to-send") == []


# --- the demo -------------------------------------------------------------------------------------


def test_in_the_demo_every_refused_record_goes_back_once_and_only_to_its_sender(small_result):
    rejected = read_layer(small_result / "geopipe.gpkg", "rejected")
    summary = summary_of(small_result)
    listed = {}
    for sender, item in summary["returns"].items():
        rows = records(small_result / item["file"])
        listed[sender] = {(row[2], row[3], row[4]) for row in rows if row[5] == "returned"}
        assert item["returned"] == len(listed[sender])
        points = read_layer(small_result / item["geopackage"], "returned")
        assert [point["code"] for point in points] == [row[7] for row in rows]
        prefix = {"UXO Lao": "UXL", "Unit 58": "U58"}.get(sender, sender)
        assert all(row[1].startswith(prefix) for row in rows if row[1])
    wanted = {}
    for row in rejected:
        wanted.setdefault(row["operator"] or row["file"], set()).add((row["file"], row["layer"], row["row"]))
    assert {sender: places for sender, places in listed.items() if places} == wanted


def test_in_the_demo_faults_lie_where_they_are_said_to_be(small_result):
    """A point of a record that was kept lies on or at its outline."""
    for item in summary_of(small_result)["returns"].values():
        path = small_result / item["geopackage"]
        shapes = {}
        for row in read_layer(path, "records"):
            shapes.setdefault((row["file"], row["layer"], row["row"]), []).append(row["geometry"])
        for row in read_layer(path, "returned"):
            place = (row["file"], row["layer"], row["row"])
            if row["geometry"] is not None and place in shapes:
                distance_deg = min(shape.distance(row["geometry"]) for shape in shapes[place])
                assert distance_deg < 2e-6, row


def test_the_demo_twice_gives_the_same_bytes(small_demo, small_result, tmp_path):
    assert call("compare", small_demo, "-o", tmp_path, "--assume-crs", UTM_48N, "-q").code == 4
    assert hashes(tmp_path / "return") == hashes(small_result / "return")
