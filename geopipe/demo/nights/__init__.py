"""The same operators deliver night after night, and every night something happens to ids and polygons.

`make_night_demo` writes one folder of whole registers for each night, with a configuration that `geopipe run`
takes, and `nights.json`: which record is which piece of ground behind its id, what happened to it, what a
meeting decided, and which pairs of ground overlap.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["make_night_demo"]


def make_night_demo(folder: Path, *, nights: int, size: int = 600, seed: int = 42) -> dict[str, Any]:
    """Write the nights and `nights.json` into a folder: see `geopipe.demo.nights.make.make_night_demo`."""
    from .make import make_night_demo as make

    return make(folder, nights=nights, size=size, seed=seed)
