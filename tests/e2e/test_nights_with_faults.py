"""Thirty nights with runs that are killed, full disks and damaged files: nothing is lost, nothing grows.

Each night people decide, as in `test_nights`, and the register is held against the truth every morning.
"""

import json
import random
import shutil
import sys
from collections import Counter

import pytest
from conftest import call
from dying import Runs
from filelock import FileLock
from nights import Truth, Watch

from geopipe.demo.nights import make_night_demo
from geopipe.policies import load_policy
from geopipe.register.register import Register
from geopipe.reports.publish import current_run, read_summary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
DONE, USAGE, PARTIAL, REGISTER, BUSY = 0, 2, 4, 6, 75
KILLED = -14  # as the system ends it, by its timer
GROWTH = 1.5


class Faults:
    """Disturbs a night before its undisturbed run, in the way that chance has it."""

    def __init__(self, folder, runs, seed):
        self.folder, self.runs, self.chance, self.seen = folder, runs, random.Random(seed), Counter()
        self.whole_s = 1.0

    def run(self, night, **more):
        return self.runs.command("run", f"{night}/run.yaml", "--quiet", folder=self.folder, **more)

    def kill(self, night):
        code, _ = self.run(night, after_s=self.chance.uniform(0.01, self.whole_s))
        assert code in (KILLED, DONE, PARTIAL)
        return "at work" if code == KILLED else "too late"

    def fill_the_disk(self, night):
        code, said = self.run(night, limit=int(10 ** self.chance.uniform(2, 5.5)))
        assert code in (USAGE, REGISTER, DONE, PARTIAL), said
        assert "Traceback" not in said
        return "an error" if code in (USAGE, REGISTER) else "no error"

    def lock(self, night):
        with FileLock(self.folder / "work" / ".lock"):
            code, said = self.run(night)
        assert (code, "another run is at work here" in said) == (BUSY, True)
        return "told to wait"

    def half_copied(self, night):
        return self._with(night, lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]))

    def corrupted(self, night):
        def spoil(path):
            content = bytearray(path.read_bytes())
            for place in self.chance.sample(range(len(content)), min(400, len(content))):
                content[place] = self.chance.randrange(256)
            path.write_bytes(bytes(content))

        return self._with(night, spoil)

    def missing(self, night):
        return self._with(night, lambda path: path.unlink())

    def _with(self, night, spoil):
        """Run once with a file that is not as it was sent; then the right one comes."""
        folder = self.folder / night
        path = self.chance.choice(sorted(path for path in folder.iterdir() if path.suffix != ".yaml"))
        safe = self.folder / path.name
        shutil.copyfile(path, safe)
        spoil(path)
        code, said = self.run(night)
        assert code in (DONE, PARTIAL), said
        self.balance()
        safe.replace(path)
        return "left out" if code == PARTIAL else "read all the same"

    def balance(self):
        """Every record that was read is accounted for."""
        told = read_summary(current_run(self.folder / "out"))["balance"]
        parts = (told[name] for name in ("kept", "kept_as_reference", "duplicate", "superseded", "rejected"))
        assert told["records_in"] == sum(parts), told
        return told["records_in"]

    def disturb(self, night):
        """Let one or two of the faults happen."""
        every = (self.kill, self.fill_the_disk, self.lock, self.half_copied, self.corrupted, self.missing)
        for fault in self.chance.sample(every, self.chance.randint(1, 2)):
            self.seen[f"{fault.__name__.replace('_', ' ')}: {fault(night)}"] += 1


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def grown(folder, runs):
    """What a night costs; the register and its backups grow, what is kept for re-use must not."""
    return {
        "memory_kib": runs.most_kib,
        "for_reuse": sum(size_of(folder / "work" / name) for name in ("prepared", "pairs", "returns")),
        "register": (folder / "work" / "register.sqlite").stat().st_size,
        "work": size_of(folder / "work"),
        "out": size_of(folder / "out"),
    }


def nothing_left_over(folder, runs):
    assert list(runs.temporary.iterdir()) == []
    left = [path for name in ("work", "out") for path in (folder / name).rglob("*geopipe-*")]
    assert left == []
    with Register.existing(folder / "work") as register:
        named = {row["folder"] for row in register.runs()}
    assert {path.name for path in (folder / "out" / "runs").iterdir()} <= named


def disturbed(folder, runs, nights, size, seed):
    """Run all nights with faults, and a meeting after each; return who has watched, and what it cost."""
    make_night_demo(folder, nights=nights, size=size, seed=seed)
    minutes = folder.parent / "minutes.pdf"
    minutes.write_bytes(b"%PDF signed")
    truth = Truth(folder)
    watch, policy, faults = Watch(truth), load_policy(), Faults(folder, runs, seed)
    records, costs = 0, []
    for told in truth.nights:
        if told["night"] > 1:
            faults.disturb(told["folder"])
        code, said = faults.run(told["folder"])
        assert code == (PARTIAL if told["unreadable"] else DONE), said
        read = faults.balance()
        if not told["unreadable"]:
            assert read == len(told["records"])
        records += read
        nothing_left_over(folder, runs)
        assert call("register", "check", folder / "work").code == DONE
        costs.append(grown(folder, runs))
        with Register.existing(folder / "work") as register:
            cases = register.cases()
            watch.look(told["night"], cases)
            watch.meet(told["night"], register, policy, minutes)
    show(watch, faults, records, costs)
    return watch, faults, costs


def show(watch, faults, records, costs):
    print(f"\n{records:,} records of {len(costs)} nights, 0 unaccounted; faults: {dict(faults.seen)}")
    for name, count in sorted(watch.figures.items()):
        print(f"{count:8,}  {name}")
    for number in sorted({0, len(costs) // 2, len(costs) - 1}):
        print(f"night {number + 1}: {json.dumps(costs[number])}")
    print(*watch.told, sep="\n")


def does_not_grow(costs, name):
    """The last third needs no more than the first third after the first night."""
    third = max(1, len(costs) // 3)
    early, late = ([cost[name] for cost in part] for part in (costs[1 : third + 2], costs[-third:]))
    return max(late) <= GROWTH * max(early)


def test_five_nights_with_faults(tmp_path):
    runs = Runs(tmp_path / "temporary")
    watch, faults, costs = disturbed(tmp_path / "demo", runs, nights=5, size=200, seed=5)
    runs.close()
    assert dict(watch.faults) == {}
    assert watch.figures["decisions"] >= 5
    assert len(faults.seen) >= 3
    assert does_not_grow(costs, "for_reuse")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [42, 43])
def test_thirty_nights_with_faults(tmp_path, seed):
    runs = Runs(tmp_path / "temporary")
    watch, faults, costs = disturbed(tmp_path / "demo", runs, nights=30, size=400, seed=seed)
    runs.close()
    assert dict(watch.faults) == {}
    assert watch.figures["decisions"] >= 60
    assert len(faults.seen) >= 6
    assert does_not_grow(costs, "for_reuse")
    assert does_not_grow(costs, "memory_kib")
