"""How long the checks take, beside reading: `python tests/bench/checks.py [--size N] [--runs N]`."""

import argparse
import datetime as dt
import statistics
import tempfile
import time
from pathlib import Path

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec, load_policy, load_vocabulary
from geopipe.demo import make_demo
from geopipe.stages.check import check

TODAY = dt.date(2026, 6, 1)


def measure(folder: Path, runs: int) -> dict[str, list[float]]:
    """Return the seconds of reading (to canonical columns) and of the checks, run by run."""
    config = Config(deliveries=(DeliverySpec(path=folder, assume_crs="EPSG:32648"),), today=TODAY)
    policy, vocabulary = load_policy(), load_vocabulary()
    took: dict[str, list[float]] = {"read": [], "check": []}
    for _ in range(runs):
        start = time.perf_counter()
        state = pipeline.read(config)
        took["read"].append(time.perf_counter() - start)
        for stage in list(pipeline.STEPS)[: list(pipeline.STEPS).index("check")]:
            state = pipeline.advance(state, stage, config, policy)
        start = time.perf_counter()
        check(state, policy, vocabulary, TODAY)
        took["check"].append(time.perf_counter() - start)
    return took


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_demo(Path(folder), size=told.size, seed=42)
        took = measure(Path(folder), told.runs)
    read, checks = (statistics.median(took[name]) for name in ("read", "check"))
    print(f"{told.size:,} records: read {read:.2f} s, checks {checks:.2f} s, ratio {checks / read:.2f}")


if __name__ == "__main__":
    main()
