"""Many small deliveries, each with one known fault in one format, to see that the diagnosis finds it.

`make_fault_demo` writes for each fault and each format that can carry it one delivery of some records,
in one folder for each format, deliveries without any fault among them, and `truth.json`, which says
what must be found in which records, and that nothing may be said of all others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["make_fault_demo"]


def make_fault_demo(folder: Path, *, seed: int = 42) -> dict[str, Any]:
    """Write the deliveries and `truth.json` into a folder: see `geopipe.demo.faults.make.make_fault_demo`."""
    from .make import make_fault_demo as make

    return make(folder, seed=seed)
