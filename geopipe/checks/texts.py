"""Text that was lost on its way: question marks, replacement characters, Lao read in another encoding."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.checks.telling import layers_of, rows_named, told_of_layer
from geopipe.schema import FINDINGS, Frame, concat, empty_frame

# Lao in UTF-8 is E0 BA xx and E0 BB xx. Read as Latin it shows as a-grave with a degree-like sign or a
# quote behind; read as Thai (cp874) each letter becomes two or three Thai ones that begin alike.
_SIGNS = {
    "question marks in place of letters": r"\?{3,}",
    "characters that could not be read": "\ufffd",
    "Lao text in UTF-8 that was read as Latin": "\u00e0[\u00ba\u00bb]",
    "Lao text in UTF-8 that was read as Thai": "(?:\u0e40[\u0e1a\u0e1b].){3,}",
}
_ANY = "|".join(_SIGNS.values())


def garbled_texts(records: Frame) -> Frame:
    """Tell once per layer which columns hold text that was lost (TEXT_GARBLED).

    The text itself is not repeated: free text may name people.
    """
    hit = pc.match_substring_regex(records.table["attributes"].combine_chunks(), _ANY)
    hits = records.take(np.asarray(hit.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool))
    made = [empty_frame(FINDINGS)]
    for layer in layers_of(hits):
        texts = hits.table["attributes"].take(pa.array(layer.rows)).to_pylist()
        columns: dict[tuple[str, str], list[int]] = {}
        for row, text in zip(layer.rows.tolist(), texts, strict=True):
            for found in _signs_of(text):
                columns.setdefault(found, []).append(row)
        for (column, sign), rows in columns.items():
            where = rows_named(hits, np.array(rows, dtype=np.intp))
            sentence = f"Column {column}: {sign}, {len(rows):,} values: {where}"
            made.append(told_of_layer(hits, layer, "TEXT_GARBLED", sentence, len(rows)))
    return concat(made)


def _signs_of(attributes: str) -> list[tuple[str, str]]:
    """Return (column, what is wrong) for each value of a record that was lost."""
    found = []
    for column, value in json.loads(attributes).items():
        if isinstance(value, str):
            sign = next((name for name, pattern in _SIGNS.items() if re.search(pattern, value)), None)
            if sign:
                found.append((column, sign))
    return found
