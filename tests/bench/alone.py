"""Each stage by itself, over all records at once, as the single commands do: `python alone.py FOLDER`; JSON.

`geopipe compare` takes the first stages delivery by delivery, so that they cannot be told apart there. The
parts of the stage `overlaps` are told, too.
"""

import datetime as dt
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from geopipe import pipeline, steps
from geopipe.config import Config, DeliverySpec
from geopipe.policies import load_policy

PARTS = ("overlaps", "remaining", "gaps", "handover", "finds")
booked: list[dict[str, Any]] = []


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Book seconds of wall and CPU (of child processes, too)."""
    wall_s, cpu_s = time.perf_counter(), sum(os.times()[:4])
    yield
    booked.append(
        {
            "stage": stage,
            "wall_s": time.perf_counter() - wall_s,
            "cpu_s": sum(os.times()[:4]) - cpu_s,
        }
    )


def book_part(name: str) -> None:
    """Let one of the functions that the stage `overlaps` is made of be booked by itself."""
    function = getattr(steps, name)

    @wraps(function)
    def booking(*arguments: Any) -> Any:
        with timed(f"overlaps: {name}"):
            return function(*arguments)

    setattr(steps, name, booking)


def main() -> None:
    """Take all records through the stages, one after the other."""
    delivery = DeliverySpec(path=Path(sys.argv[1]), assume_crs="EPSG:32648")
    config = Config(deliveries=(delivery,), today=dt.date(2026, 6, 1))
    policy = load_policy()
    for name in PARTS:
        if hasattr(steps, name):
            book_part(name)
    with timed("read"):
        state = pipeline.read(config)
    for stage in steps.STEPS:
        with timed(stage):
            state = steps.advance(state, stage, config, policy)
    print(json.dumps(booked))


if __name__ == "__main__":
    main()
