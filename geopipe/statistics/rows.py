"""The rows of the table of hectares: sums by label that close, row by row and in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geopipe.schema import Frame, Indices
from geopipe.statistics.clearance import FIGURES, clearance_masks
from geopipe.statistics.ground import Ground
from geopipe.statistics.labels import SHARED, labels_of
from geopipe.terms import Kind

M2_PER_HA = 10_000.0


@dataclass(frozen=True)
class Row:
    """Hectares of one class of ground under one set of labels; all figures in m2.

    `reported + moved - agreed - undecided = reconciled`, exactly; `covered` is the same ground, added up on
    its own from faces (they agree to 1e-9 of what is reported). `moved` is what the row's records claim
    together with other operators: it leaves the row of each operator and stands in the row "shared between
    operators"; it is zero where rows are not by operator. `clearance` says how cleared land was cleared
    (parts of `covered`), and is empty for all other ground. `moved_undecided_m2` is how much of what is moved
    away lies on ground that nobody has decided about: whoever sees only this row must not take it for final.
    """

    ground: str
    labels: tuple[str, ...]
    records: int
    reported_m2: float
    moved_m2: float
    undecided_m2: float
    agreed_m2: float
    reconciled_m2: float
    covered_m2: float
    clearance: dict[str, float]
    moved_undecided_m2: float = 0.0

    @property
    def is_provisional(self) -> bool:
        """Whether somebody must still decide about part of this ground."""
        return self.undecided_m2 > 0 or self.moved_undecided_m2 > 0


def rows_by(areas: Frame, grounds: Iterable[Ground], by: Sequence[str], full_depth_cm: float) -> list[Row]:
    """Return the hectares of each class of ground by labels, sorted, the class first.

    Double-counted ground stands in the row of the record to which the ground is not credited.

    Parameters
    ----------
    areas : Frame
        The areas of which `grounds` were made.
    grounds : iterable of Ground
    by : sequence of str
        Columns of `geopipe.statistics.labels.BY`; none for totals.
    full_depth_cm : float
        Land cleared to less was cleared on the surface only.
    """
    labels = labels_of(areas, by)
    shared_at = by.index("operator") if "operator" in by else None
    rows = []
    for ground in grounds:
        rows += _Sums(areas, ground, labels, shared_at).rows(full_depth_cm)
    return rows


class _Sums:
    """The figures of one class of ground, added up by label."""

    def __init__(
        self, areas: Frame, ground: Ground, labels: Sequence[tuple[str, ...]], shared_at: int | None
    ) -> None:
        self.areas = areas
        self.ground = ground
        codes: dict[tuple[str, ...], int] = {}
        code = np.zeros(len(areas), dtype=np.intp)
        code[ground.records] = [codes.setdefault(labels[row], len(codes)) for row in ground.records]
        self.code = code
        self.face_code = code[ground.owner]
        # On ground of several operators all claims stand in the shared row.
        self.claim_code = code[ground.faces.row]
        self.is_moved = np.zeros(len(ground.faces.row), dtype=bool)
        if shared_at is not None:
            for face in np.flatnonzero(ground.many_operators):
                label = list(labels[ground.owner[face]])
                label[shared_at] = SHARED
                self.face_code[face] = codes.setdefault(tuple(label), len(codes))
            self.is_moved = ground.many_operators[ground.faces.face]
        self.codes = codes

    def rows(self, full_depth_cm: float) -> list[Row]:
        """Return one row per label, those of known labels first."""
        ground, faces = self.ground, self.ground.faces
        claim_m2 = faces.m2[faces.face]
        here = np.where(self.is_moved, self.face_code[faces.face], self.claim_code)
        extra = faces.row != ground.owner[faces.face]
        agreed = extra & ground.decided[faces.face]
        undecided = extra & ~ground.decided[faces.face]
        moved = self.is_moved
        records = np.bincount(self.code[ground.records], minlength=len(self.codes))
        reported = self._sums(self.code[ground.records], ground.area_m2[ground.records])
        moved_m2 = self._sums(
            np.concatenate([self.claim_code[moved], here[moved]]),
            np.concatenate([-claim_m2[moved], claim_m2[moved]]),
        )
        agreed_m2 = self._sums(here[agreed], claim_m2[agreed])
        undecided_m2 = self._sums(here[undecided], claim_m2[undecided])
        waits = moved & ~ground.decided[faces.face]
        waiting_m2 = self._sums(self.claim_code[waits], claim_m2[waits])
        covered_m2 = self._sums(self.face_code, faces.m2)
        clearance = self._clearance(full_depth_cm)
        return [
            Row(
                ground.name, label, int(records[n]), reported[n], moved_m2[n], undecided_m2[n], agreed_m2[n],
                fsum([reported[n], moved_m2[n], -agreed_m2[n], -undecided_m2[n]]), covered_m2[n],
                {name: sums[n] for name, sums in clearance.items()}, waiting_m2[n],
            )
            for label, n in sorted(self.codes.items(), key=lambda item: _order(item[0]))
        ]  # fmt: skip

    def _clearance(self, full_depth_cm: float) -> dict[str, list[float]]:
        """Return the figures of cleared land, nothing for other ground."""
        if self.ground.name != Kind.CLEARED:
            return {}
        masks = clearance_masks(self.areas, self.ground, full_depth_cm)
        m2 = self.ground.faces.m2
        return {name: self._sums(self.face_code[masks[name]], m2[masks[name]]) for name in FIGURES}

    def _sums(self, code: Indices, m2: NDArray[np.float64]) -> list[float]:
        """Return the exact sum of each label."""
        order = np.argsort(code, kind="stable")
        edges = np.searchsorted(code[order], np.arange(1, len(self.codes)))
        return [fsum(part) for part in np.split(m2[order], edges)]


def _order(label: tuple[str, ...]) -> tuple[tuple[bool, str], ...]:
    """Sort by label, what is shared or not known last."""
    return tuple((value in (SHARED, "unknown", "not stated"), value) for value in label)


def as_dict(row: Row, by: Sequence[str]) -> dict[str, Any]:
    """Return a row as plain values, m2."""
    plain = asdict(row)
    labels, clearance = plain.pop("labels"), plain.pop("clearance")
    ground, _ = plain.pop("ground"), plain.pop("moved_undecided_m2")
    named = dict(zip(by, labels, strict=True))
    return {"ground": ground, **named, **plain, "provisional": row.is_provisional, **clearance}
