"""Which rows of two frames are about the same delivered record."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.schema import Frame, Indices, State

_MOST_ROWS = 1 << 40


class RowKeys:
    """Numbers for delivered records, so that those of two frames are matched without a loop.

    Parameters
    ----------
    state : State
    """

    def __init__(self, state: State) -> None:
        frames = (state.features, state.reference, state.duplicates, state.unresolved, state.rejected)
        known = {name: {""} for name in ("file", "layer")}
        known["file"] |= {delivery.file for delivery in state.deliveries}
        for name, values in known.items():
            values.update(*(frame.values(name) for frame in (*frames, state.findings)))
        self._files, self._layers = (pa.array(sorted(values), pa.string()) for values in known.values())

    def of(self, frame: Frame) -> NDArray[np.int64]:
        """Return the number of each row's record, -1 where it is about no single record."""
        file, layer = (
            pc.fill_null(
                pc.index_in(pc.fill_null(frame.table[name].combine_chunks(), ""), known), -1
            ).to_numpy()
            for name, known in (("file", self._files), ("layer", self._layers))
        )
        row = pc.fill_null(frame.table["row"], -1).to_numpy()
        place = file.astype(np.int64) * len(self._layers) + layer.astype(np.int64)
        return np.where((row >= 0) & (file >= 0) & (layer >= 0), place * _MOST_ROWS + row, -1)

    def find(self, wanted: NDArray[np.int64], frame: Frame) -> Indices:
        """Return the first row of a frame for each wanted number, -1 where it has none."""
        have = self.of(frame)
        if len(have) == 0:
            return np.full(len(wanted), -1, dtype=np.intp)
        order = np.argsort(have, kind="stable")
        at = np.minimum(np.searchsorted(have, wanted, sorter=order), len(have) - 1)
        found = order[at]
        return np.where((have[found] == wanted) & (wanted >= 0), found, -1)
