"""A clock that goes back, files from the future, read-only folders: it is said clearly, nothing is lost."""

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
from conftest import call, hashes
from test_full_disk import Disk
from test_register_survives import contents
from test_reuse import configured, current, result_of, write_inbox

from geopipe import running
from geopipe.reports.publish import read_summary


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first") / "first"
    write_inbox(folder)
    assert call("run", configured(folder), "--quiet").code == 0
    return folder


def run(folder, day="2026-05-04"):
    return call("run", configured(folder, day), "--quiet")


def without_days(folder):
    """What the register says of cases, decisions and deliveries."""
    told = contents(folder)
    names = ("cases", "sightings", "versions", "decisions", "deliveries", "findings")
    return {name: told[name] for name in names}


def test_a_day_before_that_of_the_last_run_is_told_and_changes_nothing_else(first, tmp_path, caplog):
    back, forth = (shutil.copytree(first, tmp_path / name) for name in ("back", "forth"))
    for folder in (back, forth):
        write_inbox(folder, changed=3)
    assert run(forth).code == 0
    assert "clock" not in caplog.text
    assert run(back, "2026-05-01").code == 0
    assert "the clock went back" in caplog.text
    assert "day 2026-05-04" in caplog.text
    assert without_days(back) == without_days(forth)
    assert result_of(back)[1]["balance"] == result_of(forth)[1]["balance"]


def test_runs_and_events_keep_their_order_when_the_clock_goes_back(first, tmp_path, monkeypatch, caplog):
    class Early(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - dt.timedelta(days=400)

    folder = shutil.copytree(first, tmp_path / "night")
    write_inbox(folder, changed=3)
    monkeypatch.setattr(running.dt, "datetime", Early)
    assert run(folder).code == 0
    assert "the clock went back" in caplog.text
    monkeypatch.undo()
    with closing(sqlite3.connect(folder / "work" / "register.sqlite")) as connection:
        starts = [start for (start,) in connection.execute("SELECT started_at FROM runs ORDER BY number")]
        last = connection.execute("SELECT folder FROM publications ORDER BY run DESC LIMIT 1").fetchone()[0]
    assert starts == sorted(starts, reverse=True)
    assert current(folder).name == last
    assert call("register", "check", folder / "work").code == 0
    write_inbox(folder, changed=4)
    assert run(folder).code == 0
    read_summary(current(folder))


def test_files_from_the_future_are_known_by_what_is_in_them(first, tmp_path):
    folder = shutil.copytree(first, tmp_path / "night")
    assert run(folder).code == 0
    for path in (folder / "in").iterdir():
        os.utime(path, (4e9, 4e9))
    before = hashes(folder)
    assert run(folder).code == 0
    assert hashes(folder) == before


class ReadOnly(Disk):
    """A file system that may only be read once it is sealed."""

    def seal(self):
        self._mount("-o", "remount,ro")


@pytest.fixture
def disk(tmp_path):
    small = ReadOnly(tmp_path / "disk")
    try:
        with small:
            pass
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system can only be mounted by root")
    return small


def on_disk(folder, disk, name):
    """Let `out` or `work` of a folder lie on the disk."""
    shutil.copytree(folder / name, disk.place / name)
    shutil.rmtree(folder / name)
    (folder / name).symlink_to(disk.place / name, target_is_directory=True)


@pytest.mark.parametrize("name", ["out", "work"])
def test_a_folder_that_may_only_be_read_is_an_error_that_names_it(first, tmp_path, disk, name):
    folder = shutil.copytree(first, tmp_path / "night")
    write_inbox(folder, changed=3)
    with disk:
        on_disk(folder, disk, name)
        before = contents(folder), result_of(folder)
        disk.seal()
        ran = run(folder)
        assert ran.code == 2, ran.err
        assert "Read-only file system" in ran.err
        assert str(folder / name) in ran.err
        assert len(ran.err.splitlines()) == 1
        assert (contents(folder), result_of(folder)) == before


def test_where_nothing_has_changed_an_output_that_may_only_be_read_is_no_hindrance(first, tmp_path, disk):
    folder = shutil.copytree(first, tmp_path / "night")
    with disk:
        on_disk(folder, disk, "out")
        assert run(folder).code == 0  # once: the place of the folders belongs to what a run depends on
        disk.seal()
        assert run(folder).code == 0
