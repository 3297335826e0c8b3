"""Return to sender: what each sender gets back, with its fault, the place of it, and what to do.

Built afresh for each sender from its own records only. Of a partner's record nothing is shown but
its operator and its id; what is for the authority alone is left out; so are delivered columns other
than the record's own id, because they may name people.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.catalogue import Catalogue, Language
from geopipe.reports.returned.fault_places import OUTLINES, fault_points, outlines
from geopipe.reports.returned.items import ASKED, for_senders, own_pairs, refused, whole_files
from geopipe.reports.returned.senders import FileCount, Senders, file_counts
from geopipe.reports.rowkeys import RowKeys
from geopipe.schema import Frame, Mask, State, concat, make_frame
from geopipe.terms import Severity

LANGUAGES: tuple[Language, ...] = ("en", "lo")
RETURNED, QUESTIONED, WHOLE_FILE = "returned", "questioned", "file"
# An id that stands in where the operator gave none: it means nothing to the operator.
_STAND_IN = r"^geometry-[0-9a-f]{16}$"
# Sentences for whoever runs geopipe (an option to add, a sender to ask): a sender can do nothing with them.
_NOT_FOR_SENDERS = re.compile(r"[^.]*(?: --[a-z]|\bask the sender\b|\bAsk )[^.]*\.\s*")

# One line for each fault. `outcome` is returned, questioned or file; `wrong_*` and `do_*` come from
# the catalogue, `details` is the finding's own sentence; the geometry is the point of the fault
# (WGS 84 lon/lat), which `longitude` and `latitude` repeat with 7 decimals (1 cm).
ROWS = pa.schema(
    [
        *[(name, pa.string()) for name in ("sender", "outcome", "own_id", "file", "layer")],
        ("row", pa.int64()),
        *[(name, pa.string()) for name in ("kind", "code", "severity")],
        *[(f"{part}_{language}", pa.string()) for language in LANGUAGES for part in ("wrong", "do")],
        ("details", pa.string()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
        ("figure", pa.float64()),
        ("unit", pa.string()),
    ]
)


@dataclass(frozen=True)
class Earlier:
    """What went back to a sender after an earlier delivery; `questioned` is None where nobody counted it."""

    received: dt.date
    returned: int
    questioned: int | None = None


@dataclass(frozen=True)
class Return:
    """What goes back to one sender.

    `rows` (ROWS) is sorted, the gravest first; `outlines` (OUTLINES) are in WGS 84; `codes` counts
    the rows and `notes` what is only to be known; `cutoff` is the newest date of information.
    """

    sender: str
    rows: Frame
    outlines: Frame
    files: tuple[FileCount, ...]
    codes: tuple[tuple[str, str, int], ...]
    notes: tuple[tuple[str, int], ...]
    cutoff: dt.date | None
    earlier: tuple[Earlier, ...]

    @property
    def returned(self) -> int:
        """Records that could not be used."""
        return sum(file.returned for file in self.files)

    @property
    def questioned(self) -> int:
        """Records that are used, or set aside, but about which something is asked."""
        return sum(file.questioned for file in self.files)


def collect_returns(
    state: State, catalogue: Catalogue, trend: Mapping[str, Sequence[Earlier]] | None = None
) -> list[Return]:
    """Return what goes back to each sender, in order of their names; none where nothing goes back.

    Parameters
    ----------
    state : State
        After `reproject` or a later stage.
    catalogue : Catalogue
        Severity, audience, meaning and remedy of each code.
    trend : mapping of sender to its earlier deliveries, oldest first
        From a ledger; without it a delivery is the first one seen.
    """
    senders = Senders(state.deliveries)
    told = for_senders(state.findings, catalogue)
    asked = told.take(told.flags("severity", ASKED))
    parts = {
        RETURNED: [refused(state, catalogue)],
        QUESTIONED: [asked, own_pairs(state, catalogue, senders)],
        WHOLE_FILE: [whole_files(state, catalogue, senders)],
    }
    # Records of earlier deliveries stay on the map; files of the same name have other rows there.
    state = replace(state, features=state.own_features)
    items = concat([frame for frames in parts.values() for frame in frames])
    outcome = np.repeat(list(parts), [sum(map(len, frames)) for frames in parts.values()])
    owner, keys = senders.of(items), RowKeys(state)
    outcome[np.isin(keys.of(items), keys.of(state.rejected))] = RETURNED  # whatever else is said of them
    rows = _rows(state, items, outcome, owner, senders, catalogue, keys)
    order = _order(rows)
    items, rows, owner = items.take(order), rows.take(order), owner[order]
    key = keys.of(items)
    counts = file_counts(state, senders, items, owner, key, rows.flags("outcome", [RETURNED]))
    drawn, drawn_owner = _outlines(state, rows, owner, key, keys)
    notes = told.take(told.flags("severity", [Severity.NOTE.value]))
    note_owner = senders.of(notes)
    cutoffs = _cutoffs(state, senders)
    result = []
    for sender in sorted(set(owner.tolist())):
        own = owner == sender
        own_rows = rows.take(own)
        result.append(
            Return(
                sender=sender,
                rows=own_rows,
                outlines=drawn.take(drawn_owner == sender),
                files=tuple(counts.get(sender, ())),  # of records that came in earlier deliveries only
                codes=_codes(own_rows),
                notes=_notes(notes.take(note_owner == sender)),
                cutoff=cutoffs.get(sender),
                earlier=tuple((trend or {}).get(sender, ())),
            )
        )
    return result


def _rows(
    state: State,
    items: Frame,
    outcome: NDArray[Any],
    owner: NDArray[np.object_],
    senders: Senders,
    catalogue: Catalogue,
    keys: RowKeys,
) -> Frame:
    """Write each line as its sender will read it."""
    foreign = _names_a_partner(items, owner)
    points = fault_points(state, items, ~foreign, keys)
    codes = items.table["code"].combine_chunks().dictionary_encode()
    texts = {}
    for language in LANGUAGES:
        for part, text in (("wrong", catalogue.meaning), ("do", catalogue.remedy)):
            words = [text(code, language) for code in codes.dictionary.to_pylist()]
            texts[f"{part}_{language}"] = pa.array(words, pa.string()).take(codes.indices)
    own_id = items.table["source_id"].combine_chunks()
    stand_in = pc.fill_null(pc.match_substring_regex(own_id, _STAND_IN), False)
    columns = {
        "sender": owner,
        "outcome": outcome.astype(object),
        "own_id": pc.if_else(stand_in, None, own_id),
        "file": senders.shown_in(items),
        **{name: items.table[name] for name in ("layer", "row", "kind", "code", "severity")},
        **texts,
        "details": _details(items, foreign, senders),
        "longitude": np.round(points.longitude, 7),
        "latitude": np.round(points.latitude, 7),
        # A figure about a pair may be a figure of the partner's.
        "figure": pc.if_else(pa.array(foreign), None, items.table["measure"]),
        "unit": pc.if_else(pa.array(foreign), None, items.table["unit"]),
    }
    return make_frame(ROWS, columns, points.geometry)


def _names_a_partner(items: Frame, owner: NDArray[np.object_]) -> Mask:
    """Return which lines are about a record of another operator as well."""
    others = items.table["other_id"].to_pylist()
    return np.array(
        [
            other is not None and not other.startswith(f"{mine.replace(':', '-')}:")
            for other, mine in zip(others, owner, strict=True)
        ],
        dtype=bool,
    )


def _details(items: Frame, foreign: Mask, senders: Senders) -> list[str]:
    """Return each line's own sentence; where a partner's record is concerned only whose and which."""
    sentences = items.table["sentence"].to_pylist()
    files, others = items.table["file"].to_pylist(), items.table["other_id"].to_pylist()
    for row in np.flatnonzero(foreign):
        operator, _, own_id = others[row].split(":", 2)
        sentences[row] = f"Together with record {own_id} of {operator}"
    return [
        _for_the_sender(senders.without_folders(sentence or "", file))
        for sentence, file in zip(sentences, files, strict=True)
    ]


def _for_the_sender(text: str) -> str:
    """Leave out the sentences that are for whoever runs geopipe."""
    if " --" in text or "ask " in text or "Ask " in text:  # the pattern is slow on long texts
        text = _NOT_FOR_SENDERS.sub("", text)
    return text.strip()


def _order(rows: Frame) -> NDArray[np.intp]:
    """Return the order in which a sender reads: the gravest first, then as its records stand in its files."""
    levels = pa.array([level.value for level in Severity], pa.string())
    rank = pc.index_in(rows.table["severity"].combine_chunks(), levels)
    names = ["sender", "rank", "file", "layer", "row", "code", "own_id", "details", "figure"]
    table = rows.table.whole().append_column("rank", rank)
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in names])
    return np.asarray(order.to_numpy(), dtype=np.intp)


def _outlines(
    state: State, rows: Frame, owner: NDArray[np.object_], key: NDArray[np.int64], keys: RowKeys
) -> tuple[Frame, NDArray[np.object_]]:
    """Return the outlines of the records behind the lines, each with all its codes, and whose they are."""
    shown, record = outlines(state, key, keys)
    first: dict[int, int] = {}
    codes: dict[int, list[str]] = {}
    for position, (number, code) in enumerate(zip(key.tolist(), rows.table["code"].to_pylist(), strict=True)):
        first.setdefault(number, position)
        codes.setdefault(number, []).append(code)
    at = np.array([first[number] for number in record.tolist()], dtype=np.intp)
    picked = rows.take(at)
    columns = {
        **{name: picked.table[name] for name in ("own_id", "file", "layer", "row", "kind", "outcome")},
        "codes": [", ".join(dict.fromkeys(codes[number])) for number in record.tolist()],
        "shown_in": shown.table["shown_in"],
    }
    return make_frame(OUTLINES, columns, shown.geometry), owner[at]


def _codes(rows: Frame) -> tuple[tuple[str, str, int], ...]:
    """Return code, severity and number of lines, in the order of the lines: the gravest first."""
    counts = Counter(zip(*(rows.table[name].to_pylist() for name in ("code", "severity")), strict=True))
    levels = [level.value for level in Severity]
    ranked = sorted(counts.items(), key=lambda item: (levels.index(item[0][1]), -item[1], item[0][0]))
    return tuple((code, severity, count) for (code, severity), count in ranked)


def _notes(notes: Frame) -> tuple[tuple[str, int], ...]:
    counts = Counter(notes.table["code"].to_pylist())
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _cutoffs(state: State, senders: Senders) -> dict[str, dt.date]:
    """Return the newest date of information of each sender's records."""
    newest: dict[str, dt.date] = {}
    for frame in (state.features, state.reference):
        groups = (
            frame.table.select(["operator", "file", "date_of_information"])
            .whole()
            .group_by(["operator", "file"])
        )
        for row in groups.aggregate([("date_of_information", "max")]).to_pylist():
            date, sender = row["date_of_information_max"], senders.one(row["operator"], row["file"])
            if date is not None:
                newest[sender] = max(date, newest.get(sender, date))
    return newest
