"""When a fault that a run does not find any more may be called corrected: only by what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geopipe.lineages.reading import SNAPSHOT, Reading, left_out
from geopipe.lineages.still_drawn import HAZARD_CODE, LET_GO, UNKNOWN_CODE
from geopipe.register.findings import RETURNED, role_of_files
from geopipe.schema import FEATURES, Frame, State, make_frame, no_geometry
from geopipe.terms import POSSIBLE_HAZARD_KINDS

# What a delivery changed against the one before it is told once: the next delivery only repeats it.
_TOLD_ONCE = frozenset({"RELEASED_GREW", "ID_REUSED", "REGISTER_NOT_DELIVERED"})
# That a later whole register does not hold the record either makes nothing good.
_UNTIL_IT_IS_BACK = frozenset({"RELEASED_VANISHED"})
_READ = "the record was read again without it"
_WHOLE = "the whole register was read without it"
_OTHER_REASON = "the record goes back for another reason now"
_FILE = "the file was read again without it"
_LET_GO = "it was decided, or another hazard record covers it"


class Absence:
    """What may be inferred from faults that are absent from a run.

    A fault is gone if each of its records was read and judged again, or the whole register was read; a fault
    of a file or layer if that file or layer of its operator was read again, or all that the operator has. A
    record that went back was not judged, and a file that could not be read was not read. What could only be
    drawn, and still is, is not gone; where people let it go, or hazard covers it, it is. What was told of a
    change between two deliveries stays until somebody has looked at it.

    Parameters
    ----------
    state : State
        After all stages.
    absent : sequence of mappings
        TOLD columns of the faults that the run does not have.
    """

    def __init__(self, state: State, absent: Sequence[Mapping[str, Any]]) -> None:
        self._roles = role_of_files(state)
        ids = {row[name] for row in absent for name in ("record_id", "other_id") if row[name]}
        own_ids = {row["source_id"] for row in absent if row["source_id"]}
        frames = (state.own_features, state.reference, state.duplicates)
        self._read: set[tuple[str, ...]] = set()
        self._rows: set[tuple[str, ...]] = set()
        for frame in frames:
            self._read |= set(self._pick(frame, "record_id", ids))
            self._rows |= set(self._pick(frame, "source_id", own_ids, "operator", "kind"))
        back = state.rejected
        self._back_rows = set(self._pick(back, "source_id", own_ids, "operator", "kind"))
        self._drawn = set(_rows(state.unresolved_kept, "role", "source_id", "operator", "kind"))
        let_go = state.findings.take(state.findings.flags("code", sorted(LET_GO)))
        self._let_go = set(_rows(let_go, "source_id", "operator", "kind"))
        self._let_go_ids = let_go.values("record_id")
        named = {name.split(":", 2)[2] for name in ids}
        self._back = {(_safe(row[2]), row[1]) for row in self._pick(back, "source_id", named, "operator")}
        unread = {item.file for item in left_out(state)}
        self._files = {item.file for item in state.deliveries if item.file not in unread}
        own = state.own_features
        layers = _different(own.take(own.flags("file", sorted(self._files))), "operator", "layer")
        self._layers = set(layers)
        snapshots = own.take(
            own.flags("file", [item.file for item in state.deliveries if item.mode == SNAPSHOT])
        )
        registers = _different(snapshots, "operator", "register", "role", "kind")
        complete = Reading(state).is_complete(_as_frame(registers))
        self._whole = {names for names, whole in zip(registers, complete, strict=True) if whole}
        self._whole_registers = {(_safe(who), register) for who, register, _, _ in self._whole}

    def _pick(self, frame: Frame, name: str, values: set[str], *more: str) -> list[tuple[str, ...]]:
        """Return (role, value, ...) of the rows that hold one of the values."""
        chosen = frame.take(frame.flags(name, sorted(values)))
        columns = [chosen.table[column].to_pylist() for column in ("file", name, *more)]
        return [(self._roles.get(file, ""), *rest) for file, *rest in zip(*columns, strict=True)]

    def cause(self, told: Mapping[str, Any]) -> str:
        """Return why a fault is gone, '' where nobody can know."""
        if told["code"] in _TOLD_ONCE:
            return ""
        if told["code"] in (HAZARD_CODE, UNKNOWN_CODE) and told["record_id"] in self._let_go_ids:
            return _LET_GO
        if told["record_id"]:
            cause = self._of_records(told)
            return "" if told["code"] in _UNTIL_IT_IS_BACK and cause != _READ else cause
        if told["source"] == RETURNED and told["source_id"]:
            return self._of_row(told)
        return self._of_file(told)

    def _of_records(self, told: Mapping[str, Any]) -> str:
        ids = [told["record_id"]] + ([told["other_id"]] if told["other_id"] else [])
        again = []
        for name in ids:
            operator, register, own_id = name.split(":", 2)
            if (operator, own_id) in self._back:
                return ""
            # The other record of a pair may be of another role: a copy in the national database.
            roles = set(self._roles.values()) if name != told["record_id"] else {told["role"]}
            again.append(any((role, name) in self._read for role in roles))
            if not again[-1] and (operator, register) not in self._whole_registers:
                return ""
        return _READ if all(again) else _WHOLE

    def _of_row(self, told: Mapping[str, Any]) -> str:
        row = (told["role"], told["source_id"], told["operator"], told["kind"])
        if row in self._drawn and row not in self._back_rows:
            return ""  # another record of this id may be good
        if row in self._rows:
            return _READ
        if row in self._back_rows:
            return _OTHER_REASON
        if told["kind"] in POSSIBLE_HAZARD_KINDS:
            # To leave out a hazard record that could not be used mends nothing.
            return _LET_GO if row[1:] in self._let_go else ""
        return _WHOLE if self._is_whole(told) else ""

    def _of_file(self, told: Mapping[str, Any]) -> str:
        if told["file"] in self._files or (told["operator"], told["layer"]) in self._layers:
            return _FILE
        return _WHOLE if self._is_whole(told) else ""

    def _is_whole(self, told: Mapping[str, Any]) -> bool:
        """Say whether all records of a kind (where it is not known: any) of an operator were read."""
        wanted = (told["operator"], told["role"], told["kind"])
        return any(
            (operator, role, kind if wanted[2] else wanted[2]) == wanted
            for operator, _, role, kind in self._whole
        )


def _rows(frame: Frame, *names: str) -> list[tuple[str, ...]]:
    return list(zip(*(frame.table[name].to_pylist() for name in names), strict=True))


def _safe(operator: str | None) -> str:
    """Return an operator's name as it stands in record ids."""
    return (operator or "").replace(":", "-")


def _different(frame: Frame, *names: str) -> list[tuple[str, ...]]:
    """Return the different combinations of some string columns."""
    groups = frame.table.select(list(names)).whole().group_by(list(names)).aggregate([])
    return [tuple(row[name] for name in names) for row in groups.to_pylist()]


def _as_frame(registers: Sequence[tuple[str, ...]]) -> Frame:
    columns = {
        name: np.array([row[at] for row in registers], dtype=object)
        for at, name in enumerate(("operator", "register", "role"))
    }
    return make_frame(FEATURES, columns, no_geometry(len(registers)))
