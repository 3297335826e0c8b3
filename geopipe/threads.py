"""Run GEOS on several threads: shapely releases the interpreter lock inside its functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Below this many rows a second thread costs more than it brings.
_ROWS_WORTH_A_THREAD = 2_000


_MOST = ContextVar("most_threads", default=8)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let no second thread be used inside: the machine is shared with other workers."""
    before = _MOST.set(1)
    try:
        yield
    finally:
        _MOST.reset(before)


def threaded(function: Callable[..., Any], *arrays: NDArray[Any], **options: Any) -> NDArray[Any]:
    """Apply a vectorised function to arrays of one length, in pieces, and join the results in order.

    The result does not depend on the number of threads, because each row is computed on its own.
    """
    size = len(arrays[0])
    workers = min(os.cpu_count() or 1, _MOST.get(), max(1, size // _ROWS_WORTH_A_THREAD))
    if workers == 1:
        return np.asarray(function(*arrays, **options))
    # More pieces than workers, so that one piece of large polygons does not make the others wait.
    edges = np.linspace(0, size, workers * 4 + 1).astype(int)
    pieces = [tuple(array[start:end] for array in arrays) for start, end in pairwise(edges)]
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(lambda piece: function(*piece, **options), pieces)))
