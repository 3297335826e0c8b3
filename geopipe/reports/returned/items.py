"""What is told to senders: findings, refused records, pairs of own areas, problems of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.catalogue import Catalogue
from geopipe.editions import is_told
from geopipe.reports.returned.senders import Senders
from geopipe.schema import FINDINGS, Frame, State, make_frame, no_geometry, origin
from geopipe.terms import Severity

# Findings that ask for an answer; notes are only counted.
ASKED = (Severity.ALARM.value, Severity.CONFLICT.value, Severity.CHECK.value)


def for_senders(findings: Frame, catalogue: Catalogue) -> Frame:
    """Return the findings that senders may see."""
    told = [code for code in findings.values("code") if is_told(code, catalogue)]
    return findings.take(findings.flags("code", told))


def _severities(catalogue: Catalogue, codes: Sequence[str]) -> list[str]:
    known = {code: catalogue.severity(code).value for code in set(codes)}
    return [known[code] for code in codes]


def refused(state: State, catalogue: Catalogue) -> Frame:
    """Return the refused records as findings."""
    records = state.rejected
    codes = records.table["reason"]
    columns = {
        **origin(records),
        "code": codes,
        "severity": _severities(catalogue, codes.to_pylist()),
        "sentence": records.table["sentence"],
    }
    return make_frame(FINDINGS, columns, records.geometry)


def own_pairs(state: State, catalogue: Catalogue, senders: Senders) -> Frame:
    """Return pairs of one operator's own areas that are asked about; those of two are for the TWG."""
    same = np.asarray(state.overlaps.table["same_operator"].to_numpy(), dtype=bool)
    codes = [c for c in state.overlaps.values("finding") if is_told(c, catalogue)]
    asked = same & state.overlaps.flags("severity", ASKED) & state.overlaps.flags("finding", codes)
    pairs = state.overlaps.take(asked)
    left, right = (_record_of(state.features, pairs.table[f"{side}_row_id"]) for side in ("left", "right"))
    shares = (pairs.numpy(name).astype(float) for name in ("area_m2", "left_share", "right_share"))
    sentences = [
        f"Shares {m2:,.1f} m2 with your record {other} ({mine:.1%} of this one, {its:.1%} of the other)"
        for other, m2, mine, its in zip(_names_of(right, senders), *shares, strict=True)
    ]
    of_earlier = left.is_among("row_id", state.earlier)
    columns = {
        **origin(left),
        "row": pc.if_else(pa.array(of_earlier), None, left.table["row"]),
        "record_id": left.table["record_id"],
        "other_id": pairs.table["right_id"],
        "code": pairs.table["finding"],
        "severity": pairs.table["severity"],
        "sentence": sentences,
        "measure": pairs.table["area_m2"],
        "unit": "m2",
    }
    return make_frame(FINDINGS, columns, pairs.geometry)


def _record_of(areas: Frame, row_id: Any) -> Frame:
    rows = pc.index_in(row_id, areas.table["row_id"].combine_chunks())
    return areas.take(rows.to_numpy(zero_copy_only=False).astype(np.intp))


def _names_of(records: Frame, senders: Senders) -> list[str]:
    """Name records as their operator finds them: by its id, or by their number where it gave none."""
    names = ("source_id", "id_is_delivered", "row", "file")
    return [
        own_id if is_delivered else f"number {row} of {senders.shown(file)}"
        for own_id, is_delivered, row, file in zip(
            *(records.table[name].to_pylist() for name in names), strict=True
        )
    ]


def whole_files(state: State, catalogue: Catalogue, senders: Senders) -> Frame:
    """Return one line for each problem of a whole file that none of its records tells already."""
    told = set(zip(*(state.rejected.table[name].to_pylist() for name in ("file", "reason")), strict=True))
    problems = [
        (delivery.file, code, sentence)
        for delivery in state.deliveries
        for code, sentence in delivery.problems
        if (delivery.file, code) not in told and is_told(code, catalogue)
    ]
    files, codes, sentences = ([problem[at] for problem in problems] for at in range(3))
    columns = {
        "file": files,
        "operator": [senders.by_file[file] for file in files],
        "code": codes,
        "severity": _severities(catalogue, codes),
        "sentence": sentences,
    }
    return make_frame(FINDINGS, columns, no_geometry(len(problems)))
