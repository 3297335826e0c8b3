"""Geometries that stay WKB, perhaps in a file, until somebody looks at them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.picked import take_rows


class Undecoded:
    """Little-endian ISO WKB that geopipe wrote itself, null where there is no geometry.

    Parameters
    ----------
    wkb : pyarrow.ChunkedArray
        Perhaps mapped from disk; it is never changed.
    rows : array of int, optional
        Which of them, in which order; None means all.
    """

    def __init__(self, wkb: pa.ChunkedArray, rows: NDArray[np.intp] | None = None) -> None:
        self._wkb, self._rows = wkb, rows

    def __len__(self) -> int:
        return len(self._wkb) if self._rows is None else len(self._rows)

    def take(self, indices: NDArray[np.intp]) -> Undecoded:
        """Return some of them, still undecoded."""
        return Undecoded(self._wkb, indices if self._rows is None else self._rows[indices])

    def wkb(self) -> pa.ChunkedArray:
        """Return them as they are."""
        return self._wkb if self._rows is None else take_rows(self._wkb, self._rows)

    def decoded(self) -> NDArray[np.object_]:
        """Return them as shapely geometries."""
        return np.asarray(shapely.from_wkb(self.wkb().to_numpy()), dtype=object)


def joined_shapes(parts: list[Undecoded]) -> Undecoded:
    """Return several one after the other; nothing is copied."""
    chunks = [chunk for part in parts for chunk in part._wkb.chunks]
    starts = np.cumsum([0, *(len(part._wkb) for part in parts)])
    rows = [
        (np.arange(len(part._wkb)) if part._rows is None else part._rows) + start
        for part, start in zip(parts, starts, strict=False)
    ]
    whole = all(part._rows is None for part in parts)
    return Undecoded(pa.chunked_array(chunks, pa.large_binary()), None if whole else np.concatenate(rows))
