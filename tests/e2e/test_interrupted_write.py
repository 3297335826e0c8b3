"""Old or new, never half: a run that is killed, interrupted or out of disk leaves one or the other."""

import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import COMMAND, UTM_48N, call, hashes, remove_after_death

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="signals and resource limits of POSIX are used"
)

KILLS = [8, pytest.param(20, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def old_result(demo_of, tmp_path_factory):
    """Return a finished result of other deliveries than those that the interrupted runs compare."""
    folder = tmp_path_factory.mktemp("old") / "out"
    assert call("compare", demo_of(300, 5)[0], "-o", folder, "-q").code == 4
    return folder


@pytest.fixture
def out(old_result, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(old_result, folder)
    return folder


def command(deliveries, out):
    return [*COMMAND, "compare", str(deliveries), "-o", str(out), "--assume-crs", UTM_48N, "-q"]


def records_in(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))["balance"]["records_in"]


def state_of(out, old, new):
    """Ask `report` what the folder holds: old, new, or unfinished, and then it must say so."""
    ran = call("report", out)
    if ran.code == 0:
        shown = next(line for line in ran.lines if line.startswith("READ"))
        assert ("old" if f"{old:,} records" in shown else "new") in ("old", "new")
        return "old" if f"{old:,} records" in shown else "new" if f"{new:,} records" in shown else "?"
    assert ran.code == 2
    assert "is not the file that the summary was written for" in ran.err or "no finished result" in ran.err
    return "unfinished"


def rubbish(out):
    results = ("geopipe.gpkg", "return", "summary.json")
    return sorted(path.name for path in out.iterdir() if path.name not in results)


@pytest.fixture(scope="module", params=KILLS)
def killed(request, demo_of, old_result, tmp_path_factory):
    """Kill some runs, half of them between start and end, half while the results are being written."""
    deliveries, truth = demo_of(600, 7)
    new = sum(item["records"] for item in truth["files"].values())
    out = tmp_path_factory.mktemp("killed") / "out"
    start = time.monotonic()
    subprocess.run(command(deliveries, out), check=False)
    whole_s = time.monotonic() - start
    chance = random.Random(20)
    seen, codes = [], []
    for number in range(request.param):
        remove_after_death(out)
        shutil.copytree(old_result, out)
        process = subprocess.Popen(command(deliveries, out), stderr=subprocess.DEVNULL)
        if number % 2:
            until = time.monotonic() + 3 * whole_s
            while time.monotonic() < until and process.poll() is None and not any(out.glob(".*")):
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.12 * whole_s))
        else:
            time.sleep(chance.uniform(number, number + 2) / request.param * whole_s)
        process.kill()
        codes.append(process.wait())
        seen.append((state_of(out, records_in(old_result), new), rubbish(out)))
    assert -signal.SIGKILL in codes
    return deliveries, out, seen


def test_killed_at_any_moment_the_folder_holds_the_old_or_the_new_result(killed):
    _, _, seen = killed
    count = Counter(state for state, _ in seen)
    print(f"\n{len(seen)} runs killed: {dict(count)}; {sum(bool(left) for _, left in seen)} left a file")
    assert set(count) <= {"old", "new", "unfinished"}
    assert count["old"] > 0
    assert count["unfinished"] <= len(seen) // 4


def test_the_next_run_finishes(killed):
    deliveries, out, _ = killed
    assert call("compare", deliveries, "-o", out, "--assume-crs", UTM_48N, "-q").code == 4
    assert call("report", out).code == 0


def test_between_the_two_replaces_the_folder_says_that_it_is_unfinished(demo_of, out):
    """The map is new and the summary old: the one moment when the folder is neither."""
    script = (
        "import os, geopipe.reports.publish as p; p.write_text = lambda *_: os._exit(9);"
        "from geopipe.cli.main import main; main()"
    )
    words = [sys.executable, "-c", script, *command(demo_of(600, 7)[0], out)[len(COMMAND) :]]
    assert subprocess.run(words, check=False).returncode == 9
    ran = call("report", out)
    assert ran.code == 2
    assert "geopipe.gpkg is not the file that the summary was written for" in ran.err
    assert "Run it again." in ran.err
    assert call("compare", demo_of(600, 7)[0], "-o", out, "-q").code == 4
    assert call("report", out).code == 0


def test_before_the_first_replace_everything_is_as_it_was(demo_of, out):
    before = hashes(out)
    script = (
        "import os, geopipe.reports.publish as p; p._move = lambda *_: os._exit(9);"
        "from geopipe.cli.main import main; main()"
    )
    words = [sys.executable, "-c", script, *command(demo_of(600, 7)[0], out)[len(COMMAND) :]]
    assert subprocess.run(words, check=False).returncode == 9
    assert {name: value for name, value in hashes(out).items() if not name.startswith(".")} == before
    assert call("report", out).code == 0
    assert rubbish(out)  # what the next test is about


def test_the_next_run_leaves_nothing_temporary(demo_of, out):
    script = (
        "import os, geopipe.reports.publish as p; p._move = lambda *_: os._exit(9);"
        "from geopipe.cli.main import main; main()"
    )
    words = [sys.executable, "-c", script, *command(demo_of(600, 7)[0], out)[len(COMMAND) :]]
    assert subprocess.run(words, check=False).returncode == 9
    assert call("compare", demo_of(600, 7)[0], "-o", out, "-q").code == 4
    assert rubbish(out) == []


def wait_for_readers(process):
    """Wait until a run is at work: it has started the processes that read its files."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for _ in range(200):
        if process.poll() is not None or (children.is_file() and children.read_text()):
            return
        time.sleep(0.05)


def test_ctrl_c_says_so_and_leaves_nothing(demo_of, out):
    before = hashes(out)
    process = subprocess.Popen(command(demo_of(1000, 42)[0], out), stderr=subprocess.PIPE, encoding="utf-8")
    wait_for_readers(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    if process.returncode == 4:
        pytest.skip("the run was quicker than the interrupt")
    assert process.returncode == 1
    assert "interrupted" in err
    assert "Traceback" not in err
    assert hashes(out) == before


def test_ctrl_c_while_a_library_is_loaded_says_so_too():
    """A compiled library that is interrupted while it starts raises ImportError from KeyboardInterrupt."""
    script = (
        "import geopipe.cli.main as m\n"
        "def load(**_):\n"
        "    try: raise KeyboardInterrupt\n"
        "    except KeyboardInterrupt as error: raise ImportError('initialization failed') from error\n"
        "m.cli.main = load\n"
        "m.main()"
    )
    ran = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, encoding="utf-8")
    assert ran.returncode == 1
    assert ran.stderr == "geopipe: interrupted; nothing half-written was left behind.\n"


def limited(size):
    """Return what makes a child's files no larger than `size` bytes, as a full disk would."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize(
    "kib",
    [
        pytest.param(1),
        32,
        128,
        400,
    ],
)
def test_a_full_disk_is_an_error_that_names_it_and_keeps_the_old_result(demo_of, out, kib):
    deliveries = demo_of(600, 7)[0]
    before = hashes(out)
    done = subprocess.run(
        command(deliveries, out),
        preexec_fn=limited(kib * 1024),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 2, done.stderr
    assert "disk" in done.stderr.lower() or "too large" in done.stderr.lower()
    assert hashes(out) == before
    assert call("report", out).code == 0


def test_a_result_that_fits_is_written_under_the_same_limit(demo_of, out):
    limit = limited(64 * 1024 * 1024)
    done = subprocess.run(
        command(demo_of(600, 7)[0], out), preexec_fn=limit, capture_output=True, check=False
    )
    assert done.returncode == 4


@pytest.mark.parametrize("kib", [2, 64])
def test_a_full_disk_under_a_workspace_is_an_error_that_names_it(demo_of, tmp_path, kib):
    work = tmp_path / "work"
    assert call("ingest", demo_of(600, 7)[0], "-w", work, "-q").code in (0, 4)
    before = hashes(work)
    words = [*COMMAND, "validate", "-w", str(work), "-q"]
    done = subprocess.run(
        words, preexec_fn=limited(kib * 1024), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert str(work) in done.stderr
    assert "Traceback" not in done.stderr
    assert hashes(work) == before


def test_a_killed_stage_leaves_the_workspace_usable(demo_of, tmp_path):
    work = tmp_path / "work"
    deliveries = demo_of(600, 7)[0]
    call("ingest", deliveries, "-w", work, "-q")
    assert call("validate", "-w", work, "-q").code == 0
    script = (
        "import os, geopipe.io.store as s; s.shutil.rmtree = lambda *_, **__: None; n=[0]\n"
        "from pathlib import Path\n"
        "original = Path.rename\n"
        "def rename(self, target):\n"
        "    n[0] += 1\n"
        "    if n[0] == 2: os._exit(9)\n"
        "    return original(self, target)\n"
        "Path.rename = rename\n"
        "from geopipe.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script, "validate", "-w", str(work), "-q"], check=False)
    assert done.returncode in (0, 9)
    # Whatever was left, either the stage is there, or the next one says which to run again.
    ran = call("reproject", "-w", work, "-q")
    if ran.code != 0:
        assert "Run `geopipe validate` first." in ran.err
        assert call("validate", "-w", work, "-q").code == 0
        assert call("reproject", "-w", work, "-q").code == 0
    assert call("validate", "-w", work, "-q").code == 0
    # The lock file stays: it is the lock itself that dies with its process.
    hidden = [path.name for path in work.iterdir() if path.name.startswith(".")]
    assert hidden == [".lock"]
