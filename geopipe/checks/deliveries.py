"""Deliveries: tables cut at a round number of rows, and attached files that did not come along."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow.compute as pc

from geopipe.catalogue import severity_of
from geopipe.checks.telling import layers_of, sentences, told, told_of_layer
from geopipe.policies import CheckRules
from geopipe.schema import FINDINGS, Delivery, Frame, concat, empty_frame, make_frame, no_geometry


def row_limits(deliveries: Sequence[Delivery], rules: CheckRules) -> Frame:
    """Tell of layers with exactly so many rows as a server cuts tables at (ROW_LIMIT)."""
    made = [empty_frame(FINDINGS)]
    for delivery in deliveries:
        from_esri = "esri" in delivery.driver.casefold()
        limits = rules.row_limits_esri if from_esri else rules.row_limits
        for layer in delivery.layers:
            if layer.records in limits:
                columns = {
                    "code": "ROW_LIMIT",
                    "severity": severity_of("ROW_LIMIT"),
                    "file": delivery.file,
                    "layer": layer.layer,
                    "operator": delivery.operator or None,
                    "sentence": f"Exactly {layer.records:,} records: the table was probably cut off there",
                    "measure": float(layer.records),
                    "unit": "records",
                }
                made.append(make_frame(FINDINGS, columns, no_geometry(1)))
    return concat(made)


def attachments(records: Frame, beside: Mapping[str, Sequence[str] | None], rules: CheckRules) -> Frame:
    """Hold the attached files that records name against the files that came with the delivery.

    Parameters
    ----------
    records : Frame
        Areas, and points and lines; `attachments` is text that names files.
    beside : mapping
        Delivered file -> names of the files beside it; None where that is not known.
    rules : CheckRules
        `attachment_suffixes`: what an attached file may be.

    Returns
    -------
    Frame
        ATTACHMENT_MISSING about records where some attached files came; ATTACHMENTS_LISTED once
        per layer where none did, or where nobody looked.
    """
    listed = records.take(np.asarray(pc.is_valid(records.table["attachments"].combine_chunks()), dtype=bool))
    suffixes = "|".join(re.escape(suffix) for suffix in rules.attachment_suffixes)
    name = re.compile(rf"[^\\/;,|\[\]\"]+\.(?:{suffixes})\b", re.IGNORECASE)
    made = [empty_frame(FINDINGS)]
    for layer in layers_of(listed):
        of_layer = listed.take(layer.rows)
        texts = of_layer.table["attachments"].to_pylist()
        named = [[match.strip() for match in name.findall(text)] for text in texts]
        total = sum(map(len, named))
        there = {present.casefold() for present in beside.get(layer.file) or ()}
        absent = [[file for file in files if file.casefold() not in there] for files in named]
        if total and sum(map(len, absent)) == total:
            sentence = f"{total:,} attached files are named, none came with the delivery; please send them"
            made.append(told_of_layer(listed, layer, "ATTACHMENTS_LISTED", sentence, total))
            continue
        some = np.array([bool(files) for files in absent], dtype=bool)
        told_names = [f"Not delivered: {', '.join(files)}" for files in absent if files]
        made.append(told(of_layer.take(some), "ATTACHMENT_MISSING", sentences(told_names)))
    return concat(made)
