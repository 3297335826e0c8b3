"""A disk that is full at any moment: a sentence says so, exit code 2, and what was there before stays."""

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter

import pytest
from conftest import hashes
from dying import Runs
from outputs import ONLY_NEW, OUTPUTS, make_ready

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and mounts of POSIX are used")
DONE, PARTIAL, USAGE, REGISTER = 0, 4, 2, 6
ROOM = 64 * 1024 * 1024
# What a run keeps to be faster, and may forget.
AGAIN = ("work/prepared", "work/pairs", "work/returns", "work/backups")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    ready = Runs(tmp_path_factory.mktemp("temporary"))
    yield ready
    ready.close()


@pytest.fixture(scope="module")
def ready(tmp_path_factory, runs):
    """What every command finds, with what it wrote earlier."""
    folder = make_ready(tmp_path_factory.mktemp("ready"))
    for name, words in OUTPUTS.items():
        if name not in (*ONLY_NEW, "run"):
            code, said = runs.command(*words, folder=folder)
            assert code in (DONE, PARTIAL), (name, said)
    return folder


class Disk:
    """A small file system of its own, mounted for each trial."""

    def __init__(self, place):
        self.place = place
        place.mkdir()

    def __enter__(self):
        self._mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.place], check=True)

    def _mount(self, *words):
        subprocess.run(["mount", *words, self.place], check=True, capture_output=True)

    def used(self):
        told = os.statvfs(self.place)
        return (told.f_blocks - told.f_bfree) * told.f_frsize

    def leave(self, size):
        """Let the disk have room for so many bytes in all."""
        pages = size // 4096 * 4096  # the system would round up
        self._mount("-o", f"remount,size={max(pages, self.used())}")

    def most_used(self, work):
        """Do something, and return what it returns and how many bytes were in use at most."""
        most, stop = [self.used()], threading.Event()

        def watch():
            while not stop.wait(0.0005):
                most[0] = max(most[0], self.used())

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            answer = work()
        finally:
            stop.set()
            watching.join()
        return answer, max(most[0], self.used())


@pytest.fixture
def disk(tmp_path):
    small = Disk(tmp_path / "disk")
    try:
        with small:
            pass
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system can only be mounted by root")
    return small


def kept(folder):
    """What must stay as it is: everything but what a run may forget and make again."""
    again = (*AGAIN, "work/config.json", "work/.lock", "tmp/")
    return {name: digest for name, digest in hashes(folder).items() if not name.startswith(again)}


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def left_over(folder, before):
    """What is there beside what was there, other than whole deliveries that may be read again."""
    new = names(folder) - before
    return sorted(name for name in new if not name.startswith(AGAIN))


def said_clearly(said):
    """One sentence of what lacks room, perhaps after warnings; no fault of geopipe's own."""
    *warnings, last = said.splitlines()
    return (
        all(line.startswith("WARNING ") for line in warnings)
        and last.startswith("geopipe: ")
        and any(word in last.lower() for word in ("no space", "disk", "too large", "full"))
    )


def try_once(runs, folder, name, limit=None):
    """Call a command that lacks room; return its exit code, or what is wrong."""
    before, there = kept(folder), names(folder)
    temporary = folder / "tmp"
    code, said = runs.command(*OUTPUTS[name], folder=folder, temporary=temporary, limit=limit)
    if code in (DONE, PARTIAL):
        return code
    wrong = []
    # SQLite knows a full disk, but not a file that may not grow: that may be a disk that is broken.
    if code != USAGE and not (code == REGISTER and limit is not None and "disk I/O error" in said):
        wrong.append(f"exit {code}")
    if not said_clearly(said):
        wrong.append(f"said {said!r}")
    if (now := kept(folder)) != before:
        wrong.append(
            f"changed {sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))}"
        )
    elif left := left_over(folder, there):
        wrong.append(f"left {left}")
    return wrong or code


def fresh(ready, folder):
    shutil.copytree(ready, folder, dirs_exist_ok=True)
    (folder / "tmp").mkdir()
    return folder


def tried(name, outcomes):
    """Print how often a command ended how, and fail where one of the trials went wrong."""
    wrong = [(part, item) for part, item in outcomes if isinstance(item, list)]
    counted = Counter("wrong" if isinstance(item, list) else f"exit {item}" for _, item in outcomes)
    print(f"\n{name}: {len(outcomes)} full disks: {dict(counted)}")
    assert not wrong, "\n".join(f"{name} at {part:.0%}: {item}" for part, item in wrong)
    return counted


def on_a_full_disk(ready, runs, disk, name, parts):
    with disk:
        folder = fresh(ready, disk.place)
        start = disk.used()
        call = functools.partial(runs.command, *OUTPUTS[name], folder=folder, temporary=folder / "tmp")
        (code, said), most = disk.most_used(call)
        assert code in (DONE, PARTIAL), said
    outcomes = []
    for part in parts:
        with disk:
            folder = fresh(ready, disk.place)
            disk.leave(start + int(part * (most - start)))
            outcomes.append((part, try_once(runs, folder, name)))
    return tried(name, outcomes)


def under_a_limit(ready, runs, tmp_path, name, parts):
    """No file may be larger than a part of the largest that the command writes."""
    folder = fresh(ready, tmp_path / "undisturbed")
    before = hashes(folder)
    code, said = runs.command(*OUTPUTS[name], folder=folder, temporary=folder / "tmp")
    assert code in (DONE, PARTIAL), said
    written = [item for item, digest in hashes(folder).items() if before.get(item) != digest]
    written += [p.relative_to(folder).as_posix() for p in folder.rglob("*") if _is_of(p, folder, name)]
    most = max((folder / item).stat().st_size for item in written if (folder / item).is_file())
    outcomes = []
    for number, part in enumerate(parts):
        folder = fresh(ready, tmp_path / f"{number}")
        outcomes.append((part, try_once(runs, folder, name, limit=int(part * most))))
        shutil.rmtree(folder)
    return tried(name, outcomes)


def _is_of(path, folder, name):
    """Whether a file lies where the command writes."""
    place = next((folder / word for word in OUTPUTS[name] if word.startswith("made/")), None)
    return place is not None and path.is_file() and path.is_relative_to(place)


# And almost all of it: what a head promises, the end must keep.
EVERY_20TH = [*(part / 100 for part in range(5, 100, 5)), 0.9999]


@pytest.mark.parametrize("name", ["run", "workbook", "convert kml", "register backup"])
def test_a_disk_that_is_full_half_way(ready, runs, disk, name):
    assert on_a_full_disk(ready, runs, disk, name, [0.5])["exit 2"] == 1


@pytest.mark.parametrize("name", ["run", "cases export"])
def test_a_file_that_is_too_large_half_way(ready, runs, tmp_path, name):
    assert under_a_limit(ready, runs, tmp_path, name, [0.5])["exit 2"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUTS)
def test_full_at_every_twentieth_of_an_output(ready, runs, disk, name):
    assert on_a_full_disk(ready, runs, disk, name, EVERY_20TH)["exit 2"] >= 15


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUTS)
def test_too_large_at_every_twentieth_of_the_largest_file(ready, runs, tmp_path, name):
    assert under_a_limit(ready, runs, tmp_path, name, EVERY_20TH)["exit 2"] >= 15
