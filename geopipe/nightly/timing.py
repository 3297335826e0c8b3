"""How long the steps of a night, and the stages of its run, take (s)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from geopipe.pipeline import Progress


@contextmanager
def timed(timings: dict[str, float], name: str) -> Iterator[None]:
    """Measure a step of the night (s), also of one that fails."""
    began = time.monotonic()
    try:
        yield
    finally:
        timings[name] = round(time.monotonic() - began, 3)


class Stages:
    """Shows the stage at work, and measures how long each takes (s)."""

    def __init__(self, show: Progress, timings: dict[str, float]) -> None:
        self._show, self._timings = show, timings
        self._stage, self._since = "", time.monotonic()

    def __call__(self, stage: str) -> None:
        """A stage begins, '' ends the last one."""
        now = time.monotonic()
        if self._stage:
            spent = self._timings.get(self._stage, 0.0) + now - self._since
            self._timings[self._stage] = round(spent, 3)
        self._stage, self._since = stage, now
        if stage:
            self._show(stage)
