"""What a process of geopipe's own leaves out: libraries that others load in case somebody wants them."""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder

# pyarrow looks for pandas at its first array, pyogrio for both when it is loaded. They are optional for both,
# and nothing that reads, measures or writes in geopipe needs a data frame.
_DATA_FRAMES = ("pandas", "geopandas")

# Settings that libraries read when they are loaded.
LEAN_ENVIRONMENT = {
    # geopipe solves no equations: threads for them would only be started and ended.
    "OPENBLAS_NUM_THREADS": "1",
    # Arrow and the other libraries share one store of memory: what one gives back another one can use.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


def processes() -> int:
    """Return how many processes work side by side where nobody says it: one a core, up to eight."""
    return min(os.cpu_count() or 1, 8)


class _WithoutDataFrames(MetaPathFinder):
    """Says of pandas and geopandas that they are not installed."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Refuse the two; leave every other module to Python."""
        if fullname in _DATA_FRAMES:
            raise ModuleNotFoundError(f"a process of geopipe does without {fullname}", name=fullname)


def leave_out_data_frames() -> None:
    """Let importing pandas and geopandas fail in this process, which spares it a quarter of a second.

    Only for a process that runs nothing but geopipe: a reader process, or the command line. Where they are
    loaded already nothing changes.
    """
    sys.meta_path.insert(0, _WithoutDataFrames())
