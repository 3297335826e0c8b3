"""A run that dies at any moment leaves register and results as they were before or as they are after.

Never between; nothing is lost, nothing is left over, and the next run gives what an undisturbed one gives.
"""

import datetime as dt
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing

import pytest
from conftest import COMMAND, remove_after_death
from dying import DIED, Runs
from test_reuse import configured, current, result_of, write_inbox

from geopipe.config import load_config
from geopipe.io.ledgers.ledger import Ledger
from geopipe.policies import load_policy
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.reports.publish import read_summary
from geopipe.running import run_and_keep
from geopipe.terms import Choice

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX are used")
NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
# What says when, or in which run, or on which page: everything else must be the same.
_LEFT_OUT = {
    "runs": ("started_at",), "publications": ("summary",), "policies": ("recorded_at",),
    "case_numbers": ("given_at",), "events": ("at",), "finding_events": ("at",), "receipts": ("received_at",),
}  # fmt: skip


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


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    ready = Runs(tmp_path_factory.mktemp("temporary"))
    yield ready
    ready.close()


def begin(folder):
    command = [*COMMAND, "run", str(folder / "nightly.yaml"), "--quiet"]
    (folder / "tmp").mkdir(exist_ok=True)
    told = {**os.environ, "TMPDIR": str(folder / "tmp")}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=told)


def names_in(folder):
    """Every file and folder of workspace and output, hidden ones too."""
    return sorted(
        path.relative_to(folder).as_posix() for name in ("work", "out") for path in (folder / name).rglob("*")
    )


class Survivors:
    """Looks at what dead runs left, and counts what it saw."""

    def __init__(self, first, after, runs):
        self.first, self.after, self.runs = first, after, runs
        self.old, self.new, self.seen = contents(first), contents(after), Counter()
        self.shown_before, self.shown_after = result_of(first), result_of(after)

    def look(self, folder):
        """Register and result are old or new, each whole; the next run gives what it should."""
        told = contents(folder)
        assert told in (self.old, self.new)
        shown = result_of(folder)
        assert shown in (self.shown_before, self.shown_after)
        read_summary(current(folder))
        with Register.existing(folder / "work") as register:
            read_summary(folder / "out" / "runs" / register.published())
        assert not (told == self.old and shown == self.shown_after), "shown before it counted"
        self.seen[f"register {'old' if told == self.old else 'new'}, "
                  f"result {'old' if shown == self.shown_before else 'new'}"] += 1  # fmt: skip
        assert self.runs.run(folder / "nightly.yaml") == 0
        assert contents(folder) == self.new
        assert result_of(folder) == self.shown_after
        assert names_in(folder) == names_in(self.after)
        assert list(self.runs.temporary.iterdir()) == []


@pytest.fixture
def survivors(nights, runs):
    first, after, _ = nights
    looking = Survivors(first, after, runs)
    yield looking
    print(f"\n{sum(looking.seen.values())} deaths:", dict(looking.seen))


def test_the_night_changed_something(nights):
    first, after, _ = nights
    before, now = contents(first), contents(after)
    assert {"events", "sightings", "runs", "versions"} <= {name for name in now if now[name] != before[name]}
    assert now["decisions"] == before["decisions"] != []


@pytest.mark.parametrize("moment", ["record", "publish_run"])
def test_a_run_that_fails_takes_back_what_it_had_put_in_place(nights, tmp_path, monkeypatch, moment):
    folder = shutil.copytree(nights[0], tmp_path / "night")
    again = ("work/prepared", "work/pairs", "work/returns", "work/backups")
    before = {name for name in names_in(folder) if not name.startswith(again)}
    owner = {"record": Ledger, "publish_run": Register}[moment]
    work = getattr(owner, moment)

    def fails_at_the_end(*given):
        work(*given)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(owner, moment, fails_at_the_end)
    with pytest.raises(OSError, match="No space"):
        run_and_keep(load_config(folder / "nightly.yaml"))
    left = set(names_in(folder)) - before
    assert [name for name in left if not name.startswith(again)] == []
    assert contents(folder) == contents(nights[0])


def killed_at_random(nights, survivors, tmp_path, kills, seed):
    first, _, whole_s = nights
    chance, codes = random.Random(seed), []
    for number in range(kills):
        folder = shutil.copytree(first, tmp_path / f"{number}")
        process = begin(folder)
        time.sleep(chance.uniform(number, number + 1) / kills * whole_s)
        process.kill()
        codes.append(process.wait())
        survivors.look(folder)
        remove_after_death(folder)
    return codes


def test_killed_at_some_moments(nights, survivors, tmp_path):
    assert -signal.SIGKILL in killed_at_random(nights, survivors, tmp_path, 5, seed=1)


@pytest.mark.slow
def test_killed_at_60_moments(nights, survivors, tmp_path):
    codes = killed_at_random(nights, survivors, tmp_path, 60, seed=2)
    print("\nkilled at work:", codes.count(-signal.SIGKILL))
    assert codes.count(-signal.SIGKILL) > 30


def ended_at_random(first, runs, survivors, tmp_path, times, seed):
    """Ended by the system at so many moments between start and end of a run."""
    chance, codes = random.Random(seed), Counter()
    folder = shutil.copytree(first, tmp_path / "undisturbed")
    start = time.monotonic()
    assert runs.run(folder / "nightly.yaml") == 0
    whole_s = time.monotonic() - start
    while codes[-signal.SIGALRM] < times and codes.total() < 3 * times:
        folder = shutil.copytree(first, tmp_path / f"{codes.total()}")
        code = runs.run(folder / "nightly.yaml", after_s=chance.uniform(1e-6, whole_s))
        codes[code] += 1
        whole_s *= 0.98 if code == 0 else 1.005  # the machine is quicker now, or slower
        survivors.look(folder)
        remove_after_death(folder)
    print("\nexit codes:", dict(codes))
    return codes


@pytest.mark.slow
def test_ended_at_300_moments(nights, runs, survivors, tmp_path):
    codes = ended_at_random(nights[0], runs, survivors, tmp_path, 300, seed=4)
    assert set(codes) <= {0, -signal.SIGALRM}
    assert codes[-signal.SIGALRM] == 300


def dies_at(first, runs, survivors, tmp_path, calls):
    for at in calls:
        folder = shutil.copytree(first, tmp_path / f"call-{at}")
        assert runs.run(folder / "nightly.yaml", at=at) == DIED
        survivors.look(folder)
        remove_after_death(folder)


def calls_of(first, runs, tmp_path):
    calls = runs.calls(shutil.copytree(first, tmp_path / "counted") / "nightly.yaml", tmp_path)
    print(f"\n{len(calls)} calls:", dict(Counter(calls)))
    assert {"fsync", "os.rename", "open", "os.remove", "sql INSERT", "sql COMMIT"} <= set(calls)
    return range(len(calls))


def test_dead_before_some_calls(nights, runs, survivors, tmp_path):
    first = nights[0]
    dies_at(first, runs, survivors, tmp_path, calls_of(first, runs, tmp_path)[3::16])


@pytest.mark.slow
def test_dead_before_every_call(nights, runs, survivors, tmp_path):
    first = nights[0]
    dies_at(first, runs, survivors, tmp_path, calls_of(first, runs, tmp_path))


def dies_within_commits(nights, runs, survivors, tmp_path, times):
    chance = random.Random(3)
    for number in range(times):
        folder = shutil.copytree(nights[0], tmp_path / f"commit-{number}")
        assert runs.run(folder / "nightly.yaml", within_commit_s=chance.uniform(0, 0.01)) in (0, DIED)
        survivors.look(folder)
        remove_after_death(folder)


def test_dead_within_some_commits(nights, runs, survivors, tmp_path):
    dies_within_commits(nights, runs, survivors, tmp_path, 3)


@pytest.mark.slow
def test_dead_within_60_commits(nights, runs, survivors, tmp_path):
    dies_within_commits(nights, runs, survivors, tmp_path, 60)
