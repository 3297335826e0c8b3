"""A run that dies at any moment leaves the register as it was before or as it is after, never between."""

import datetime as dt
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from conftest import COMMAND
from test_reuse import configured, result_of, write_inbox

from geopipe.config import load_config
from geopipe.policies import load_policy
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.running import run_and_keep
from geopipe.terms import Choice

NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
# What says when, or in which run, or on which page: everything else must be the same.
_LEFT_OUT = {
    "runs": ("started_at",), "publications": ("summary",), "policies": ("recorded_at",),
    "case_numbers": ("given_at",), "events": ("at",), "finding_events": ("at",), "receipts": ("received_at",),
}  # fmt: skip
_DIES_AT = """
import os, sys
from geopipe.io.ledgers.opened import Opened
from geopipe.config import load_config
from geopipe.running import run_and_keep
insert, left = Opened.insert, [int(sys.argv[2])]
def dying(self, table, *values):
    left[0] -= 1
    if left[0] < 0:
        os._exit(9)
    insert(self, table, *values)
Opened.insert = dying
from pathlib import Path
run_and_keep(load_config(Path(sys.argv[1])))
"""


def contents(folder):
    """Everything that the register says, without times."""
    with closing(sqlite3.connect(folder / "work" / "register.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        told = {}
        for (table,) in tables.fetchall():
            rows = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            kept = [i for i, name in enumerate(names) if name not in _LEFT_OUT.get(table, ())]
            told[table] = sorted(repr([row[i] for i in kept]) for row in rows)
    return told


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """A register with cases and decisions, and the same after an undisturbed night with other data."""
    folder = tmp_path_factory.mktemp("nights")
    first = folder / "first"
    write_inbox(first)
    path = configured(first)
    run_and_keep(load_config(path))
    (first / "minutes.pdf").write_bytes(b"signed")
    with Register.existing(first / "work") as register, register.transaction():
        paper = keep_paper(register, "TWG", None, "1", first / "minutes.pdf", "Bounmy", NOON)
        for case in register.cases()[::3]:
            Desk(register, "Bounmy", NOON).decide(case, Choice.BOTH_VALID, "TWG", load_policy(), paper)
    write_inbox(first, changed=3)
    after = shutil.copytree(first, folder / "after")
    start = time.monotonic()
    assert begin(after).wait() == 0
    return first, after, time.monotonic() - start


def begin(folder):
    command = [*COMMAND, "run", str(folder / "nightly.yaml"), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def survives(folder, first, after):
    """The register is before or after the run, and the next run gives what an undisturbed run gives."""
    whole = contents(after)
    assert contents(folder) in (contents(first), whole)
    assert begin(folder).wait() == 0
    assert contents(folder) == whole
    assert result_of(folder) == result_of(after)


def test_the_night_changed_something(nights):
    first, after, _ = nights
    before, now = contents(first), contents(after)
    assert {"events", "sightings", "runs", "versions"} <= {name for name in now if now[name] != before[name]}
    assert now["decisions"] == before["decisions"] != []


def killed_at_random(nights, tmp_path, kills, seed):
    first, after, whole_s = nights
    chance, codes = random.Random(seed), []
    for number in range(kills):
        folder = shutil.copytree(first, tmp_path / f"{number}")
        process = begin(folder)
        time.sleep(chance.uniform(number, number + 1) / kills * whole_s)
        process.kill()
        codes.append(process.wait())
        survives(folder, first, after)
        shutil.rmtree(folder)
    return codes


def dies_at_writes(nights, tmp_path, step):
    first, after, _ = nights
    at, code = 0, 9
    while code == 9:
        folder = shutil.copytree(first, tmp_path / f"write-{at}")
        command = [sys.executable, "-c", _DIES_AT, str(folder / "nightly.yaml"), str(at)]
        code = subprocess.run(command, capture_output=True, check=False).returncode
        assert code in (0, 9)
        survives(folder, first, after)
        shutil.rmtree(folder)
        at += step
    return at // step


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX are used")
def test_killed_at_some_moments(nights, tmp_path):
    codes = killed_at_random(nights, tmp_path, 5, seed=1)
    assert codes.count(-signal.SIGKILL) >= 3


def test_dead_at_some_writes(nights, tmp_path):
    assert dies_at_writes(nights, tmp_path, 5) >= 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX are used")
def test_killed_at_200_moments(nights, tmp_path):
    codes = killed_at_random(nights, tmp_path, 200, seed=2)
    assert codes.count(-signal.SIGKILL) > 150


@pytest.mark.slow
def test_dead_at_every_write(nights, tmp_path):
    assert dies_at_writes(nights, tmp_path, 1) > 15
