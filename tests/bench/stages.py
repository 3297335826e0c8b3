"""One comparison of a folder, stage by stage: `python stages.py FOLDER OUTPUT [--profile]`; prints JSON.

Seconds of wall and CPU (of child processes, too), and the most memory that this process held in each stage.
"""

import argparse
import cProfile
import datetime as dt
import json
import os
import pstats
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec

TODAY = dt.date(2026, 6, 1)


@dataclass
class Clock:
    """Hears which stage begins, and books what the one before it took."""

    booked: list[dict[str, object]] = field(default_factory=list)
    stage: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def begins(self, stage: str) -> None:
        wall_s, cpu_s = time.perf_counter(), sum(os.times()[:4])
        if self.stage:
            self.booked.append(
                {
                    "stage": self.stage,
                    "wall_s": wall_s - self.wall_s,
                    "cpu_s": cpu_s - self.cpu_s,
                    "peak_mib": _peak_since() / 2**20,
                }
            )
        self.stage, self.wall_s, self.cpu_s = stage, wall_s, cpu_s
        _forget_peak()


def _forget_peak() -> None:
    """Let the kernel count the greatest memory from here on, where it can."""
    forget = Path("/proc/self/clear_refs")
    if forget.exists():
        forget.write_text("5")


def _peak_since() -> int:
    """Return the greatest memory since `_forget_peak`, bytes; where nobody counts it, the present one."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Compare once, and print what each stage took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--profile", action="store_true", help="show the 15 functions that took longest")
    told = parser.parse_args()
    delivery = DeliverySpec(path=told.folder, assume_crs="EPSG:32648")
    config = Config(deliveries=(delivery,), output=told.output, today=TODAY)
    clock = Clock()
    profile = cProfile.Profile()
    if told.profile:
        profile.enable()
    pipeline.compare(config, clock.begins)
    clock.begins("done")
    profile.disable()
    print(json.dumps(clock.booked))
    if told.profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
