"""Night after night only what has changed is read and measured; the result is that of a run from nothing."""

import datetime as dt
import json
import queue
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import COMMAND, call, hashes, square, without_time, write_geojson
from settling_fixtures import settled_here

from geopipe import pipeline, running, steps
from geopipe.config import load_config
from geopipe.engine import find
from geopipe.io import vector
from geopipe.io.readerprocess import Reader
from geopipe.preparation import together
from geopipe.running import run_and_keep

OPERATORS = ("UXO_Lao", "MAG", "NPA", "HALO")
AREAS = 8
# What a workspace remembers of deliveries: history, not re-use.
LEDGER = ("register.sqlite", "deliveries")


def areas_of(operator, changed=None):
    """Eight areas 1 km apart; those of different operators overlap, one of them is changed."""
    east = 0.0003 * OPERATORS.index(operator)
    sides = [0.0015 if n == changed else 0.002 for n in range(AREAS)]
    return [
        ({"id": f"{operator}-{n}"}, square(105 + n / 100, east_by=east, side=side))
        for n, side in enumerate(sides)
    ]


def write_inbox(folder, changed=None):
    for operator in OPERATORS:
        areas = areas_of(operator, changed if operator == "NPA" else None)
        write_geojson(folder / "in" / f"{operator}_CHA.geojson", areas)


def configured(folder, day="2026-05-04"):
    path = folder / "nightly.yaml"
    said = "" if day is None else f"today: {day}\n"
    path.write_text(f"deliveries:\n  - path: in\nworkers: 1\n{said}", encoding="utf-8")
    return path


def current(folder):
    return folder / "out" / (folder / "out" / "CURRENT").read_text(encoding="utf-8").strip()


def result_of(folder):
    """The map, and the summary without what differs between two runs over the same input."""
    run = current(folder)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return hashes(run)["geopipe.gpkg"], without_time(summary)


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


class Watched:
    """Which files were asked for, and how many pairs were measured, since the last look."""

    def __init__(self):
        self.files, self.pairs = [], 0

    def look(self):
        seen = sorted(self.files), self.pairs
        self.files, self.pairs = [], 0
        return seen


@pytest.fixture(scope="module")
def one_reader():
    """One reader process for all runs in this process: starting it takes longer than what it does here."""
    idle, reader = queue.LifoQueue(), Reader()
    idle.put(reader)
    yield idle
    reader.retire()


@pytest.fixture(autouse=True)
def watched(monkeypatch, one_reader):
    """Watch what the runs of a test ask the readers, and what they measure."""
    seen = Watched()
    measure = find.measure

    def ask_watched(function, requests, workdir, _workers, limits):
        seen.files += [request.source.path.name for request in requests]
        for request in requests:
            yield vector._ask_one(function, request, workdir, one_reader, limits)

    def measure_watched(geometry, left, right, *more):
        seen.pairs += len(left)
        return measure(geometry, left, right, *more)

    monkeypatch.setattr(together, "ask_readers", ask_watched)
    monkeypatch.setattr(find, "measure", measure_watched)
    monkeypatch.setattr(pipeline, "settle_in_parts", settled_here)
    return seen


def run(folder, day="2026-05-04"):
    """Run, and return the stages that were worked on."""
    stages = []
    run_and_keep(load_config(configured(folder, day)), stages.append)
    return stages


def run_from_nothing(folder, day="2026-05-04"):
    """Run with the ledger, and with nothing else that earlier runs have left."""
    for path in (folder / "work").glob("*"):
        if path.name not in LEDGER:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    run(folder, day)


ALL_FILES = sorted(f"{operator}_CHA.geojson" for operator in OPERATORS)
ALL_PAIRS = AREAS * 6  # four operators at eight places


def test_three_nights(tmp_path, watched):
    """The first, one over unchanged input, one after a correction of one record of one file."""
    nightly, afresh = tmp_path / "nightly", tmp_path / "afresh"
    for folder in (nightly, afresh):
        write_inbox(folder)

    run(nightly)
    assert watched.look() == (ALL_FILES, ALL_PAIRS)
    first, left, written = current(nightly), hashes(nightly), times(nightly / "out")
    run_from_nothing(afresh)
    assert result_of(nightly) == result_of(afresh)

    watched.look()
    assert run(nightly) == []
    assert watched.look() == ([], 0)
    assert (current(nightly), hashes(nightly), times(nightly / "out")) == (first, left, written)

    for folder in (nightly, afresh):
        write_inbox(folder, changed=3)
    run(nightly)
    assert watched.look() == (["NPA_CHA.geojson"], 4)  # three neighbours, and its own version before
    assert current(nightly) != first
    run_from_nothing(afresh)
    assert result_of(nightly) == result_of(afresh)


def test_a_new_day_runs_again_and_reads_no_file(tmp_path, watched):
    write_inbox(tmp_path)
    run(tmp_path)
    before = result_of(tmp_path)
    watched.look()
    assert "publish" in run(tmp_path, day="2026-05-05")
    assert watched.look() == ([], 0)
    assert result_of(tmp_path) == before


def test_the_clock_tells_a_new_day_where_the_configuration_says_none(tmp_path, monkeypatch):
    def clock(day):
        for module in (running, together, steps):
            monkeypatch.setattr(module, "today", lambda _config: day)

    write_inbox(tmp_path)
    clock(dt.date(2026, 5, 4))
    assert run(tmp_path, day=None)
    assert not run(tmp_path, day=None)
    clock(dt.date(2026, 5, 5))
    assert run(tmp_path, day=None)


def test_a_run_that_lost_its_result_is_made_again_from_what_is_kept(tmp_path, watched):
    write_inbox(tmp_path)
    run(tmp_path)
    before = result_of(tmp_path)
    watched.look()
    shutil.rmtree(tmp_path / "out")
    run(tmp_path)
    assert watched.look() == ([], 0)
    assert result_of(tmp_path) == before


def test_a_file_on_which_a_reader_died_is_tried_again(tmp_path, monkeypatch):
    """Too little memory or too little time may be the machine's fault of that night."""
    write_inbox(tmp_path)
    (tmp_path / "in" / "HALO_CHA.geojson").rename(tmp_path / "in" / "HALO_CHA_bad.geojson")
    monkeypatch.setattr(together, "_FUNCTION", "misbehaving_readers:dies_of_bad_files")
    run(tmp_path)
    assert result_of(tmp_path)[1]["balance"]["kept"] == 3 * AREAS
    monkeypatch.setattr(together, "_FUNCTION", "geopipe.preparation.one:prepare_source")
    run(tmp_path)
    assert result_of(tmp_path)[1]["balance"]["kept"] == 4 * AREAS


# --- killed ---------------------------------------------------------------------------------------

KILLS = 6


def received(folder):
    """What the ledger says was received, without the time of day."""
    told = json.loads(call("ledger", folder / "work", "--json").out)
    return [{**row, "received_at": None} for row in told["deliveries"]]


def begin(folder):
    """Start a run in a process of its own; return it as soon as it is at work."""
    started = folder / "work" / "config.json"
    before = started.stat().st_mtime_ns
    process = subprocess.Popen([*COMMAND, "run", str(configured(folder)), "-q"])
    while process.poll() is None and started.stat().st_mtime_ns == before:
        time.sleep(0.001)
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX are used")
def test_killed_and_started_again_a_run_gives_what_an_undisturbed_run_gives(tmp_path):
    first = tmp_path / "first"
    write_inbox(first)
    run(first)
    write_inbox(first, changed=3)
    undisturbed = shutil.copytree(first, tmp_path / "undisturbed")
    process, start = begin(undisturbed), time.monotonic()
    assert process.wait() == 0
    whole_s = time.monotonic() - start
    chance, codes = random.Random(8), []
    for number in range(KILLS):
        folder = shutil.copytree(first, tmp_path / f"{number}")
        process = begin(folder)
        time.sleep(chance.uniform(number, number + 1) / KILLS * whole_s)
        process.kill()
        codes.append(process.wait())
        run(folder)
        assert result_of(folder) == result_of(undisturbed)
        assert sorted(hashes(folder / "out")) == sorted(hashes(undisturbed / "out"))
        assert received(folder) == received(undisturbed)
    assert -signal.SIGKILL in codes
