"""Measure geopipe and its peers on the same work, in one run, in turn: `make bench SIZE=100000 ROUNDS=3`.

The peers do the bare join on one clean file; geopipe does that, too, and the real job on files as they are
delivered. Prints the report and keeps it as `results/YYYY-MM-DD.md`. These are no tests: nothing fails
because a machine is slow; but an engine that fails, and pairs that nobody can explain, are told.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil
from contestants import BARE_JOIN, EVERYTHING, OVERLAPS_CLEAN, REAL_JOB, Contestant
from measure import CommandError, Measured, measure
from report import Bench, render

HERE = Path(__file__).parent


def say(sentence: str) -> None:
    """Tell whoever waits what is going on."""
    print(sentence, file=sys.stderr, flush=True)


def answer(script: str, *arguments: str) -> str:
    """Run a script of this folder in a process of its own and return what it printed."""
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout


def take_turns(
    contestants: Sequence[Contestant], work: Path, rounds: int, left_out: dict[str, str]
) -> dict[str, list[Measured]]:
    """Measure all, one after the other, `rounds` times; who fails is put among those left out, and why."""
    took: dict[str, list[Measured]] = {}
    for number in range(1, rounds + 1):
        for contestant in contestants:
            if contestant.name in left_out:
                continue
            contestant.before(work)
            clear(work, contestant)
            try:
                measured = measure(contestant.arguments(work), good=contestant.good)
            except CommandError as error:
                say(f"{contestant.name}: {error}")
                left_out[contestant.name] = str(error).strip().splitlines()[-1]
                took.pop(contestant.name, None)
                continue
            took.setdefault(contestant.name, []).append(measured)
            say(f"  {number}/{rounds} {contestant.name}: {measured.wall_s:.2f} s")
    return took


def clear(work: Path, contestant: Contestant) -> None:
    """Take away what an earlier round has written: nobody may append to it, or find it there."""
    shutil.rmtree(work / "compared" / contestant.name, ignore_errors=True)
    if contestant.pairs:
        (work / contestant.pairs).unlink(missing_ok=True)


def agreement(work: Path, took: dict[str, list[Measured]]) -> dict:
    """Hold the pairs of every engine that ran against geopipe's."""
    if OVERLAPS_CLEAN.name not in took:
        return {}
    ran = [c for c in BARE_JOIN if c.name in took and c is not OVERLAPS_CLEAN]
    ordered = [OVERLAPS_CLEAN, *ran]
    return json.loads(answer("agree.py", str(work), *(f"{c.name}={c.pairs}" for c in ordered)))


def bench(size: int, rounds: int, work: Path, profile: bool) -> Bench:
    """Prepare, measure, compare."""
    if not (work / "counts.json").exists():
        say(f"preparing {size:,} records")
        answer("prepare.py", str(work), "--size", str(size))
    counts = json.loads((work / "counts.json").read_text())
    left_out = {c.name: c.missing for c in (*BARE_JOIN, *REAL_JOB) if c.missing}
    say("the bare join")
    joined = take_turns(BARE_JOIN, work, rounds, left_out)
    say("the real job")
    done = take_turns(REAL_JOB, work, rounds, left_out)
    say("stage by stage")
    ran = EVERYTHING.name in done
    stages = stage_by_stage(work, rounds, profile) if ran else []
    alone = [json.loads(answer("alone.py", str(work / "demo"))) for _ in range(rounds if ran else 0)]
    return Bench(counts, joined, done, stages, alone, agreement(work, joined), left_out)


def stage_by_stage(work: Path, rounds: int, profile: bool) -> list[list[dict]]:
    """Return what each stage of a comparison took, round by round."""
    again = (str(work / "demo"), str(work / "stages"))
    stages = [json.loads(answer("stages.py", *again)) for _ in range(rounds)]
    if profile:
        answer("stages.py", *again, "--profile")
    return stages


def spent() -> tuple[float, float]:
    """Return seconds of CPU so far: of the whole machine, and of this process and its children."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0), sum(os.times()[:4])


def main() -> None:
    """Measure each size, print the report and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--size", type=int, nargs="+", default=[100_000], help="records of the demo; several may be given"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="show where the time of each comparison goes")
    parser.add_argument(
        "--work", type=Path, help="keep the prepared files here, one folder for each size, and use them again"
    )
    parser.add_argument(
        "--report",
        type=Path,
        default=HERE / "results" / f"{dt.date.today().isoformat()}.md",
        help="file to keep the report in",
    )
    told = parser.parse_args()
    measured: list[Bench] = []
    before = spent()
    with ExitStack() as stack:
        work = told.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geopipe-bench-")))
        for size in told.size:
            folder = work / str(size)
            folder.mkdir(parents=True, exist_ok=True)
            measured.append(bench(size, told.rounds, folder.resolve(), told.profile))
    busy_s, own_s = (now - then for now, then in zip(spent(), before, strict=True))
    text = render(measured, told.rounds, dt.date.today(), others_share=max(0.0, 1 - own_s / busy_s))
    print(text)
    told.report.parent.mkdir(exist_ok=True)
    told.report.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
