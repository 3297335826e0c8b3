"""Invented deliveries with known truth, to try geopipe on and to test it against.

`make_demo` writes what five operators might deliver about nine provinces of Laos: four
spatial formats and a CSV, three coordinate systems and one file that states none,
with overlaps, repeats, later versions and faulty records planted in known places.
No real hazard or clearance area is among them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["make_demo"]


def make_demo(folder: Path, *, size: int = 2000, seed: int = 42) -> dict[str, Any]:
    """Write the deliveries and `truth.json` into a folder: see `geopipe.demo.make.make_demo`."""
    from .make import make_demo as make

    return make(folder, size=size, seed=seed)
