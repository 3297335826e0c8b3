"""geopipe doctor: what it looks at, what it says, and that it changes nothing."""

import datetime as dt
import json
import os
import re
import shutil
import sqlite3
import tempfile
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest
from conftest import REPOSITORY, call, hashes
from nightly_fixtures import Desk, copied

from geopipe.doctor import installation, machine
from geopipe.doctor.check import Level
from geopipe.doctor.doctor import examine, exit_code
from geopipe.doctor.installation import KNOWN_RESULTS, LIBRARIES, foreign, libraries, projection
from geopipe.doctor.machine import clock, is_open_to_all, kept_runs, rights, space, writing
from geopipe.doctor.nightlies import lock, schedule
from geopipe.io.lock import OWNER, this_process
from geopipe.io.store import hold

NOW = dt.datetime(2026, 1, 1, 2, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def after_one_night(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("doctor") / "desk")
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01)
    desk.put("uxo", "UXO.geojson", 0.001)
    desk.night()
    return desk


@pytest.fixture
def desk(after_one_night, tmp_path):
    return copied(after_one_night, tmp_path / "desk")


def found_in(place, now=NOW):
    return {item.name: item for item in examine(place, now)}


def test_a_workspace_that_is_well_is_called_so_and_is_not_changed(desk):
    before = hashes(desk.root)
    found = found_in(desk.root / "nightly.yaml")
    assert [item for item in found.values() if item.level is Level.FAIL] == []
    assert {"python", "libraries", "projection", "reader", "workspace", "register", "inbox", "clock"} <= set(
        found
    )
    assert exit_code(list(found.values())) == 0
    assert hashes(desk.root) == before


def test_it_says_one_line_each_with_the_remedy(desk):
    shutil.rmtree(desk.root / "inbox")
    ran = call("doctor", desk.root / "nightly.yaml")
    lines = ran.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("FAIL  inbox"))
    assert "cannot be looked at" in lines[at]
    assert "Is the drive there" in lines[at + 1]
    assert ran.code == 2
    assert lines[-1].startswith("1 failed")


def test_without_a_place_the_machine_is_looked_at():
    told = json.loads(call("doctor", "--json").out)
    assert told["exit_code"] == 0
    assert "register" not in {item["name"] for item in told["checks"]}


def test_a_damaged_register_is_exit_code_6_and_names_the_newest_backup(desk):
    desk.night()  # the second night backs up what the first one wrote
    register = desk.root / "work" / "register.sqlite"
    with register.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff" * 9000)
    found = found_in(desk.root / "work")
    assert found["register"].level is Level.FAIL
    assert "register-2026-01-02.sqlite" in found["register"].remedy
    assert exit_code(list(found.values())) == 6


def test_a_lost_register_is_not_taken_for_none(desk):
    (desk.root / "work" / "register.sqlite").unlink()
    assert found_in(desk.root / "work")["register"].level is Level.FAIL


def test_an_older_register_is_not_brought_up_to_date_here(desk):
    path = desk.root / "work" / "register.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1")
    before = path.read_bytes()
    assert found_in(desk.root / "work")["register"].level is Level.WARN
    assert path.read_bytes() == before


def test_a_register_in_which_a_run_died_writing_is_left_to_the_next_run(desk):
    (desk.root / "work" / "register.sqlite-journal").write_bytes(b"x")
    assert "ended while it wrote" in found_in(desk.root / "work")["register"].said


def test_a_published_file_that_was_changed_is_found(desk):
    (path,) = (desk.root / "out" / "runs").glob("run-*/geopipe.gpkg")
    path.write_bytes(path.read_bytes() + b"x")
    found = found_in(desk.root / "nightly.yaml")
    assert found["map"].level is Level.FAIL


def test_a_clock_before_the_last_run_fails():
    assert clock(NOW, NOW - dt.timedelta(hours=1)).level is Level.OK
    assert clock(NOW, NOW + dt.timedelta(hours=1)).level is Level.FAIL


def test_the_last_run_is_known_from_the_map_and_from_the_nights(desk):
    before = NOW - dt.timedelta(days=1)
    assert found_in(desk.root / "nightly.yaml", before)["clock"].level is Level.FAIL
    shutil.rmtree(desk.root / "out" / "nights")
    assert found_in(desk.root / "nightly.yaml", before)["clock"].level is Level.FAIL


def test_a_known_point_that_comes_out_2_mm_away_fails():
    assert projection().level is Level.OK
    east, north = KNOWN_RESULTS["EPSG:4678"]
    assert projection({"EPSG:4678": (east + 0.002, north)}).level is Level.FAIL


def test_other_versions_are_a_warning_missing_ones_a_failure():
    pinned = dict.fromkeys(LIBRARIES, "1.0")
    assert libraries(pinned, pinned).level is Level.OK
    other = libraries(pinned, {**pinned, "shapely": "2.0"})
    assert (other.level, "shapely 2.0 (tested with 1.0)" in other.said) == (Level.WARN, True)
    assert libraries({}, pinned).level is Level.WARN
    assert libraries(pinned, {"numpy": "1.0"}).level is Level.FAIL


def test_all_that_geopipe_needs_is_among_the_libraries_and_is_pinned():
    told = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    everywhere = [text for text in told["project"]["dependencies"] if ";" not in text]
    needed = {re.split(r"[><=\[ ]", text)[0].lower() for text in everywhere}
    assert set(LIBRARIES) == needed
    assert set(LIBRARIES) <= set(installation._pinned())


def test_settings_of_other_programs_are_said_and_harmless():
    told = foreign({"PROJ_LIB": "/elsewhere", "GDAL_DATA": "/elsewhere", "PATH": "/bin"})
    assert told.level is Level.OK
    assert told.said.endswith("GDAL_DATA, PROJ_LIB")


def test_a_folder_in_which_nothing_is_kept_fails_and_is_left_empty(tmp_path, monkeypatch):
    def refuse(_path):
        raise OSError(5, "Input/output error")

    assert writing("output", tmp_path).level is Level.OK
    monkeypatch.setattr("geopipe.io.geopackage.sync", refuse)
    found = writing("output", tmp_path)
    assert (found.level, "forced onto the disk" in found.said) == (Level.FAIL, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    assert writing("output", tmp_path / "new" / "out").level is Level.OK
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("free", "level"),
    [(10**12, Level.OK), (5 * 10**9, Level.WARN), (1.9 * 10**9, Level.FAIL), (10**8, Level.FAIL)],
)
def test_free_space_is_held_against_the_last_run(tmp_path, monkeypatch, free, level):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _path: usage(10**13, 0, free))
    assert space("space", tmp_path, 10**9).level is level


@pytest.mark.skipif(os.name == "nt", reason="rights are kept elsewhere there")
@pytest.mark.parametrize(
    ("count", "keep_days", "level", "said"),
    [
        (1, None, Level.OK, "1 run in"),
        (60, None, Level.WARN, "60 runs in"),
        (60, None, Level.WARN, "(60 bytes); none is ever removed"),
        (60, 30, Level.OK, "old ones go after 30 days"),
    ],
)
def test_runs_that_nothing_removes_are_counted(tmp_path, count, keep_days, level, said):
    for number in range(count):
        (tmp_path / "runs" / f"run-{number}").mkdir(parents=True)
        (tmp_path / "runs" / f"run-{number}" / "geopipe.gpkg").write_bytes(b"x")
    found = kept_runs(tmp_path, keep_days)
    assert found.level is level
    assert said in found.said


def test_confidential_files_that_everybody_can_read_are_told():
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        file = work / "register.sqlite"
        file.touch()
        file.chmod(0o644)
        work.chmod(0o755)
        told = rights(work, [file], [])
        assert (told.level, told.remedy) == (Level.WARN, f"chmod o-rwx '{work}'")
        assert "chmod 600" in rights(work, [], [file]).remedy
        file.chmod(0o640)
        assert not is_open_to_all(file)
        file.chmod(0o644)
        work.chmod(0o750)
        assert not is_open_to_all(file)
        assert rights(work, [file], []).level is Level.OK


def test_who_holds_the_workspace_is_said(desk):
    work = desk.root / "work"
    assert lock(work, NOW).said == "nobody is at work"
    with hold(work):
        now = dt.datetime.now(dt.UTC)
        assert "is at work" in lock(work, now).said
        assert lock(work, now + dt.timedelta(hours=13)).level is Level.WARN
        assert found_in(work)["register"].said == "a run is at work: not looked at now"
    dead = this_process(NOW).__dict__ | {"pid": 2**22 + 1, "started": "never"}
    (work / OWNER).write_text(json.dumps(dead), encoding="utf-8")
    told = lock(work, NOW)
    assert (told.level, "has died" in told.said) == (Level.WARN, True)


@pytest.mark.parametrize(
    ("outcome", "hours", "held", "level"),
    [
        ("done", 35, False, Level.OK),
        ("done", 37, False, Level.WARN),
        ("failed", 1, False, Level.WARN),
        ("not_all_read", 1, False, Level.WARN),
        ("running", 1, False, Level.WARN),
        ("running", 1, True, Level.OK),
    ],
)
def test_the_last_night_is_looked_at(tmp_path, outcome, hours, held, level):
    started = (NOW - dt.timedelta(hours=hours)).isoformat()
    (found,) = schedule([{"night": "x", "started_at": started, "outcome": outcome}], NOW, tmp_path, held)
    assert found.level is level


def test_an_old_backup_of_a_register_that_changed_since_is_a_warning(desk):
    desk.night()
    later = dt.datetime.now(dt.UTC)
    assert found_in(desk.root / "work", later)["backup"].level is Level.WARN
    (backup,) = (desk.root / "work" / "backups").iterdir()
    backup.rename(backup.with_name(f"register-{later.date()}.sqlite"))
    assert found_in(desk.root / "work", later)["backup"].level is Level.OK
    ahead = found_in(desk.root / "work", later - dt.timedelta(days=1))["backup"]
    assert ahead.level is Level.WARN
    assert f"register-{later.date()}.sqlite is dated in the future" in ahead.said


def test_what_lies_wrong_in_the_inbox_is_a_warning(desk):
    (desk.root / "inbox" / "stray.geojson").write_text("{}", encoding="utf-8")
    assert "lies in no operator's folder" in found_in(desk.root / "nightly.yaml")["inbox"].said


def test_deliveries_that_are_gone_are_named(desk):
    path = desk.root / "run.yaml"
    path.write_text("deliveries: [{path: nowhere.shp}]\nworkspace: work\noutput: out\n", encoding="utf-8")
    found = found_in(path)["deliveries"]
    assert (found.level, "nowhere.shp" in found.said) == (Level.WARN, True)


def test_a_configuration_that_is_not_understood_fails(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("deliverys: []\n", encoding="utf-8")
    found = found_in(path)
    assert found["configuration"].level is Level.FAIL
    assert "line 1" in found["configuration"].said
