"""What a run has read, as the register keeps it: versions of records, and what is said of their overlaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from geopipe.lineages.reading import Reading
from geopipe.register.inquestion import in_question, pairs_among
from geopipe.register.rows import pairs_as_json, records_as_rows
from geopipe.schema import Indices, State, to_wkb
from geopipe.terms import Severity


class Tonight:
    """The records that cases are about (`areas`), and their overlaps, as `pairs` of rows of these.

    Versions are named many at once, and only where a case may need them: most records are in no overlap.
    """

    def __init__(self, state: State, reading: Reading, lineage_share: float) -> None:
        self.areas = in_question(state, reading, lineage_share)
        self.overlaps, self.pairs = pairs_among(state, self.areas)
        self.is_conflict = ~self.overlaps.flags("severity", [Severity.NOTE])
        self.names: dict[int, str] = {}
        self._texts: dict[int, str] = {}
        self._wkb: dict[int, bytes] = {}

    def name(self, rows: Indices) -> None:
        """Find the names of the versions of some records; what is told of a version needs its name first."""
        new = np.setdiff1d(rows, list(self.names))
        names, texts, wkb = records_as_rows(self.areas.take(new))
        self.names.update(zip(new.tolist(), names, strict=True))
        self._texts.update(zip(new.tolist(), texts, strict=True))
        self._wkb.update(zip(new.tolist(), wkb, strict=True))

    def name_of_pairs(self, pairs: Indices) -> None:
        """Find the names of the versions of both records of some pairs."""
        self.name(np.concatenate([self.pairs.left[pairs], self.pairs.right[pairs]]))

    def version(self, row: int) -> tuple[str, bytes]:
        """Return a record's columns as JSON, and its polygon (WKB)."""
        return self._texts[row], self._wkb[row]

    def ground(self, rows: Sequence[int]) -> shapely.Geometry | None:
        """Return the ground of some records together, None of none."""
        shapes = shapely.from_wkb([self._wkb[row] for row in rows])
        return shapely.union_all(shapes) if len(shapes) > 1 else next(iter(shapes), None)

    def told(self, pairs: Indices, flipped: Sequence[bool]) -> list[str]:
        """Return what is said of some pairs as JSON, as seen from A, which is on the right if `flipped`."""
        return pairs_as_json(self.overlaps.take(pairs), flipped)

    def shared(self, pairs: Indices) -> list[bytes]:
        """Return the ground that pairs share, as WKB."""
        return list(to_wkb(self.overlaps.geometry[pairs]).to_pylist())

    def identities(self, rows: Indices) -> list[tuple[str, ...]]:
        """Return who records are as they were delivered: role, record id, geometry hash."""
        chosen = self.areas.take(rows).table
        names = ("role", "record_id", "geometry_hash")
        return list(zip(*(chosen[name].to_pylist() for name in names), strict=True))
