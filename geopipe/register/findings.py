"""What a run finds wrong, each fault under an id that survives another file name and another order of rows.

A fault is known by its code, the role of the delivery and what it is about: the record (and the other record
of a pair, either way round), else the operator's own id of a row that went back, else the operator and the
kind. Several that are equal in all of these are numbered by what they say. So a record whose id is re-issued
has its old faults corrected and new ones opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.catalogue import load_catalogue
from geopipe.identity import hashes
from geopipe.schema import Indices, State
from geopipe.terms import Severity

# Error data are what somebody has to correct or to explain; notes are not.
FOLLOWED = (Severity.ALARM, Severity.CONFLICT, Severity.CHECK)
FINDING, RETURNED, FILE = "finding", "returned", "file"
TOLD = pa.schema(
    [
        *[(name, pa.string()) for name in (
            "code", "operator", "severity", "source", "role", "kind", "file", "layer", "record_id",
            "other_id", "source_id", "sentence",
        )],
        ("measure", pa.float64()),
        ("unit", pa.string()),
    ]
)  # fmt: skip
_OPERATOR_ROLE = "operator"


@dataclass(frozen=True)
class Found:
    """All faults that a run has found: their ids, and TOLD in the same order."""

    ids: list[str]
    told: pa.Table

    @property
    def measures(self) -> dict[str, float | None]:
        """The figure of each fault."""
        return dict(zip(self.ids, self.told["measure"].to_pylist(), strict=True))

    def rows(self, ids: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
        """Return (id, columns) of some faults."""
        place = {name: row for row, name in enumerate(self.ids)}
        wanted = list(ids)
        rows = pa.array([place[name] for name in wanted], pa.int64())
        return list(zip(wanted, self.told.take(rows).to_pylist(), strict=True))


def found_by(state: State) -> Found:
    """Return what a run has found: findings, rows that went back, files and layers that were left out."""
    told = pa.concat_tables([_findings(state), _returned(state), _files(state)]).combine_chunks()
    told = told.filter(pc.is_in(told["severity"], pa.array([level.value for level in FOLLOWED])))
    if told.num_rows == 0:
        return Found([], told)
    subject = _subjects(told)
    ids = hashes(pc.binary_join_element_wise(subject, _numbers(subject, told), "\n"))
    return Found(ids.to_pylist(), told)


def role_of_files(state: State) -> dict[str, str]:
    """Return the role in which each file was delivered, those of earlier deliveries among them."""
    names = ["file", "role"]
    pairs = state.earlier.table.select(names).whole().group_by(names).aggregate([])
    earlier = {row["file"]: row["role"] for row in pairs.to_pylist() if row["role"]}
    drawn = state.unresolved_kept.table.select(names).to_pylist()
    earlier |= {row["file"]: row["role"] for row in drawn if row["role"]}
    return earlier | {delivery.file: delivery.role for delivery in state.deliveries}


def _findings(state: State) -> pa.Table:
    table = state.findings.table
    same = ("code", "operator", "severity", "kind", "file", "layer", "record_id", "other_id", "source_id",
            "sentence", "measure", "unit")  # fmt: skip
    columns: dict[str, Any] = {name: table[name] for name in same}
    return _told(state, columns, FINDING, table.num_rows)


def _returned(state: State) -> pa.Table:
    table = state.rejected.table
    same = ("operator", "kind", "file", "layer", "source_id", "sentence")
    columns: dict[str, Any] = {name: table[name] for name in same}
    reasons = table["reason"].combine_chunks().dictionary_encode()
    severities = [load_catalogue().severity(code).value for code in reasons.dictionary.to_pylist()]
    columns["code"] = table["reason"]
    columns["severity"] = pa.array(severities, pa.string()).take(reasons.indices)
    return _told(state, columns, RETURNED, table.num_rows)


def _files(state: State) -> pa.Table:
    """Return the problems of files and layers, where they do not stand on each of their rows already."""
    table = state.rejected.table
    on_rows = set(zip(table["file"].to_pylist(), table["reason"].to_pylist(), strict=True))
    rows = [
        (code, load_catalogue().severity(code).value, item.operator, item.file, sentence)
        for item in state.deliveries
        for code, sentence in item.problems
        if (item.file, code) not in on_rows
    ]
    names = ("code", "severity", "operator", "file", "sentence")
    columns = {name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)}
    return _told(state, columns, FILE, len(rows))


def _told(state: State, columns: dict[str, Any], source: str, size: int) -> pa.Table:
    """Return TOLD; an operator that no row names is the sender of its file."""
    roles = role_of_files(state)
    senders = {delivery.file: delivery.operator for delivery in state.deliveries}
    files = _flat(columns["file"]).dictionary_encode()
    names = files.dictionary.to_pylist()
    role = pa.array([roles.get(name, _OPERATOR_ROLE) for name in names], pa.string()).take(files.indices)
    sender = pa.array([senders.get(name, "") for name in names], pa.string()).take(files.indices)
    made = {
        **columns,
        "source": pa.repeat(pa.scalar(source), size),
        "role": pc.fill_null(role, _OPERATOR_ROLE),
        "operator": pc.fill_null(pc.coalesce(_flat(columns["operator"]), sender), ""),
    }
    arrays = [made[item.name] if item.name in made else pa.nulls(size, item.type) for item in TOLD]
    return pa.table(arrays, schema=TOLD)


def _subjects(told: pa.Table) -> pa.Array:
    """Return what each fault is about, as one text."""
    text = {name: pc.fill_null(_flat(told[name]), "") for name in told.column_names if name != "measure"}
    # Which of two records is named first may change with the order of rows.
    first = pc.min_element_wise(text["record_id"], text["other_id"])
    last = pc.max_element_wise(text["record_id"], text["other_id"])
    of_pair = pc.binary_join_element_wise(text["role"], text["code"], first, last, "\n")
    who = (text["role"], text["code"], text["operator"], text["kind"])
    of_row = pc.binary_join_element_wise(*who, text["source_id"], "\n")
    named = pc.is_valid(_flat(told["record_id"]))
    return pc.binary_join_element_wise(
        pc.if_else(named, "record", "row"), pc.if_else(named, of_pair, of_row), "\n"
    )


def _numbers(subject: pa.Array, told: pa.Table) -> pa.Array:
    """Number equal subjects by what is said of them, never by the place of a row."""
    names = ("sentence", "measure", "layer", "file")
    keys = pa.table({"subject": subject, **{name: told[name] for name in names}})
    order: Indices = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]).to_numpy()
    codes: NDArray[np.int64] = subject.dictionary_encode().indices.to_numpy()[order]
    place = np.arange(len(codes))
    starts = np.concatenate([[True], codes[1:] != codes[:-1]])
    number = np.empty(len(codes), dtype=np.int64)
    number[order] = place - np.maximum.accumulate(np.where(starts, place, 0))
    return pa.array(number).cast(pa.string())


def _flat(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
