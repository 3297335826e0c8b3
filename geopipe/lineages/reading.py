"""What a run has read: of which registers it knows everything, and which records went back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.lineages.matching import common_codes
from geopipe.schema import FINDINGS, Delivery, Frame, Mask, State, make_frame, no_geometry
from geopipe.terms import Severity

SNAPSHOT = "snapshot"
_NO_POLYGONS = "NO_POLYGONS"


class Reading:
    """What may be inferred from the absence of a record in a run.

    A register of an operator was read completely when a snapshot of it was delivered and nothing of that
    operator's deliveries was left out.

    Parameters
    ----------
    state : State
        With its deliveries, their kept records and what was returned.
    """

    def __init__(self, state: State) -> None:
        self.features = state.own_features
        self.rejected = state.rejected
        self._snapshots = [item.file for item in state.deliveries if item.mode == SNAPSHOT]
        unread = left_out(state)
        of_these = state.rejected.flags("file", [item.file for item in unread])
        of_these_kept = self.features.flags("file", [item.file for item in unread])
        # A file of which nothing could be read, and nobody knows whose it is, may be anybody's.
        self._anybody = any(not item.operator and not self._is_known(item) for item in unread)
        self._incomplete = {
            *(item.operator for item in unread if item.operator),
            *state.rejected.take(of_these).values("operator"),
            *self.features.take(of_these_kept).values("operator"),
        }

    def _is_known(self, delivery: Delivery) -> bool:
        """Say whether some record of a delivery names its operator."""
        frames = (self.features, self.rejected)
        return any(frame.take(frame.flags("file", [delivery.file])).values("operator") for frame in frames)

    def is_complete(self, records: Frame) -> Mask:
        """Say of which records (of any run) this run has read the whole register."""
        if self._anybody:
            return np.zeros(len(records), dtype=bool)
        whole = self.features.take(
            self.features.flags("file", self._snapshots)
            & ~self.features.flags("operator", sorted(self._incomplete))
        )
        return np.isin(*common_codes(records, whole, "operator", "register", "role"))

    def in_snapshot(self, records: Frame) -> Mask:
        """Say of which records (of any run) a snapshot of the register was read, if perhaps not all of it."""
        whole = self.features.take(self.features.flags("file", self._snapshots))
        return np.isin(*common_codes(records, whole, "operator", "register", "role"))

    def returned(self, records: Frame) -> Mask:
        """Say of which records a version with the same id of the operator's own went back to its sender."""
        known = pc.is_valid(self.rejected.table["source_id"]).to_numpy().astype(bool)
        return np.isin(*common_codes(records, self.rejected.take(known), "operator", "source_id"))

    def registers_not_delivered(self, previous: Frame) -> Frame:
        """Tell of registers of which a snapshot of their operator does not hold a single record."""
        here = np.isin(*common_codes(previous, self.features, "operator", "register", "role"))
        whole = self.features.take(self.features.flags("file", self._snapshots))
        operator_here = np.isin(*common_codes(previous, whole, "operator", "role"))
        missing = previous.take(operator_here & ~here)
        return findings_by_register(
            missing, "REGISTER_NOT_DELIVERED", Severity.CHECK,
            "{operator} delivered a whole register, but nothing of {register}: "
            "the {count:,} records of its last delivery stay. Is the file complete?",
        )  # fmt: skip


def findings_by_register(records: Frame, code: str, severity: Severity, sentence: str) -> Frame:
    """Return one finding for each operator and register of some records.

    Parameters
    ----------
    records : Frame
    code : str
    severity : Severity
    sentence : str
        With `{operator}`, `{register}` and `{count}`, the number of the records.
    """
    groups = (
        records.table.select(["operator", "register", "row_id"])
        .whole()
        .group_by(["operator", "register"], use_threads=False)
    )
    counts = groups.aggregate([("row_id", "count")])
    sentences = [
        sentence.format(operator=row["operator"], register=row["register"], count=row["row_id_count"])
        for row in counts.to_pylist()
    ]
    columns = {
        "code": code,
        "severity": severity.value,
        "operator": counts["operator"],
        "sentence": pa.array(sentences, pa.string()),
        "measure": counts["row_id_count"].cast(pa.float64()),
        "unit": "records",
    }
    return make_frame(FINDINGS, columns, no_geometry(len(sentences)))


def left_out(state: State) -> list[Delivery]:
    """Return the deliveries of which something could not be compared.

    A file that holds only points or lines, all of them kept as reference, was read whole.
    """
    refused = set(state.rejected.values("file"))
    return [
        item
        for item in state.deliveries
        if any(code != _NO_POLYGONS or item.file in refused for code, _ in item.problems)
    ]
