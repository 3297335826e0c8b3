"""Several runs, people who decide, and readers at the same time: one run wins, no decision is lost."""

import mmap
import random
import shutil
import sqlite3
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from conftest import call
from dying import Runs
from test_register_survives import contents
from test_reuse import configured, current, result_of, write_inbox

from geopipe.register.register import Register
from geopipe.reports.publish import read_summary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
DONE, BUSY = 0, 75
MOST = 8
OPERATORS = ("UXO Lao", "MAG", "NPA", "HALO")


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Processes that are ready to run geopipe, as many as are asked for."""
    ready = []

    def at_once(works):
        while len(ready) < len(works):
            ready.append(Runs(tmp_path_factory.mktemp("temporary")))
        return list(pool.map(lambda work, process: work(process), works, ready[: len(works)]))

    with ThreadPoolExecutor(MOST) as pool:
        yield at_once
    for process in ready:
        process.close()


@pytest.fixture(scope="module")
def nights(tmp_path_factory, processes):
    """A workspace before and after an undisturbed night."""
    first = tmp_path_factory.mktemp("nights") / "first"
    write_inbox(first)
    path = configured(first)
    assert call("run", path, "--quiet").code == DONE
    write_inbox(first, changed=3)
    after = shutil.copytree(first, first.with_name("after"))
    assert processes([lambda process: process.run(after / "nightly.yaml")]) == [DONE]
    return first, after


def run_in(folder):
    return lambda process: process.command("run", "nightly.yaml", "--quiet", folder=folder)[0]


def runs_at_once(nights, processes, folder, rounds, seed, most=MOST):
    """Two to `most` runs at once, again and again; return how often they ended how."""
    first, after = nights
    whole, codes, chance = contents(after), Counter(), random.Random(seed)
    for number in range(rounds):
        place = shutil.copytree(first, folder / f"{number}")
        ended = processes([run_in(place)] * chance.randint(2, most))
        assert set(ended) <= {DONE, BUSY}, ended
        assert DONE in ended
        assert contents(place) == whole
        assert result_of(place) == result_of(after)
        codes.update(ended)
        shutil.rmtree(place)
    print(f"\n{rounds} times several runs at once: {codes[DONE]} done, {codes[BUSY]} told to wait")
    return codes


def test_of_several_runs_one_does_the_work(nights, processes, tmp_path):
    assert runs_at_once(nights, processes, tmp_path, 4, seed=1, most=4)[DONE] >= 4


@pytest.mark.slow
def test_a_hundred_times_several_runs(nights, processes, tmp_path):
    assert runs_at_once(nights, processes, tmp_path, 100, seed=2)[BUSY] > 0


def position_of(folder, case, operator, comment):
    return lambda process: process.command(
        "cases", "position", case, "-w", "work", "--operator", operator, "--answer", "agree",
        "--name", "Kham", "--comment", comment, "--by", "Bounmy", folder=folder,
    )[0]  # fmt: skip


def decision_of(folder, case, note):
    return lambda process: process.command(
        "cases", "decide", case, "-w", "work", "--choice", "both_valid", "--level", "TWG",
        "--meeting", "TWG 4/2026", "--note", note, "--by", "Bounmy", folder=folder,
    )[0]  # fmt: skip


def said_in(folder):
    """Notes of all decisions, and comments of all positions, that the register holds."""
    with closing(sqlite3.connect(folder / "work" / "register.sqlite")) as connection:
        rows = connection.execute("SELECT note FROM decisions UNION ALL SELECT comment FROM positions")
        return Counter(text for (text,) in rows)


def people_at_once(nights, processes, folder, rounds, seed, people=MOST - 1):
    """A run, and people who decide or take a position, some on the same case."""
    first, after = nights
    chance, told = random.Random(seed), Counter()
    for number in range(rounds):
        place = shutil.copytree(first, folder / f"{number}")
        with Register.existing(place / "work") as register:
            cases = register.cases()
        works, texts = [run_in(place)], []
        for person in range(people):
            case, text = chance.choice(cases[:10]), f"said by {person}"
            texts.append(text)
            if person % 2:
                works.append(decision_of(place, case.case_id, text))
            else:
                operator = chance.choice((case.sighting.a.operator, case.sighting.b.operator))
                works.append(position_of(place, case.case_id, operator, text))
        ran, *acts = processes(works)
        assert ran == DONE
        assert set(acts) <= {DONE, BUSY}, acts
        done = Counter(text for text, code in zip(texts, acts, strict=True) if code == DONE)
        assert said_in(place) == done
        told.update(acts)
        assert call("register", "check", place / "work").code == DONE
        assert result_of(place)[1]["balance"] == result_of(after)[1]["balance"]
        shutil.rmtree(place)
    print(f"\n{rounds} runs with people: {told[DONE]} acts kept, {told[BUSY]} told to wait, 0 lost")
    return told


def test_what_people_say_during_a_run_is_kept(nights, processes, tmp_path):
    assert people_at_once(nights, processes, tmp_path, 4, seed=3, people=3)[DONE] >= 4


@pytest.mark.slow
def test_what_people_say_during_a_hundred_runs_is_kept(nights, processes, tmp_path):
    assert people_at_once(nights, processes, tmp_path, 100, seed=4)[DONE] >= 600


def as_qgis_opens(path):
    """Open for writing, as QGIS does: it asks for a write-ahead log beside the file."""
    connection = sqlite3.connect(path, isolation_level=None)
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM areas").fetchone()
    return connection


def in_a_transaction(path):
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM areas").fetchone()
    return connection


def areas_of(connection):
    return connection.execute("SELECT row_id, operator FROM areas ORDER BY row_id").fetchall()


@pytest.mark.parametrize("opened", [in_a_transaction, as_qgis_opens])
@pytest.mark.parametrize("changed", [3, None])
def test_a_reader_does_not_stop_a_run_and_sees_one_result(nights, tmp_path, processes, opened, changed):
    """Whether other deliveries came, or the same ones: what a program holds open stays as it was for it."""
    first, after = nights
    folder = shutil.copytree(first, tmp_path / "night")
    write_inbox(folder, changed)
    held = current(folder)
    summary = (held / "summary.json").open(encoding="utf-8")
    with (
        summary,
        closing(opened(held / "geopipe.gpkg")) as reader,
        (held / "geopipe.gpkg").open("rb") as file,
    ):
        before = areas_of(reader), (held / "summary.json").read_text(encoding="utf-8")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            content = bytes(mapped)
            assert processes([run_in(folder)]) == [DONE]
            assert bytes(mapped) == content
        assert (areas_of(reader), summary.read()) == before
    read_summary(current(folder))
    if changed:
        assert result_of(folder) == result_of(after)
        assert contents(folder) == contents(after)
