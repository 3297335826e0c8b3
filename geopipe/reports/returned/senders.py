"""The sender of each record, by operator, else by file; and how a file is called towards its sender."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.editions import file_name
from geopipe.schema import Delivery, Frame, Mask, State
from geopipe.terms import Outcome

# So many characters of a file's sha256 are enough to tell it from the sender's other files.
HASH_SHOWN = 12
# What a received record can have become, in the order in which frames are counted.
_PARTS = ("kept", "kept_as_reference", "duplicate", "superseded", "returned")


@dataclass(frozen=True)
class FileCount:
    """What became of a sender's records in one file; kept to returned add up to received."""

    file: str
    content_hash: str
    received: int
    kept: int
    kept_as_reference: int
    duplicate: int
    superseded: int
    returned: int
    questioned: int


class Senders:
    """The sender of each record, and the names of files without the folders of whoever runs geopipe.

    Parameters
    ----------
    deliveries : iterable of Delivery
    """

    def __init__(self, deliveries: Iterable[Delivery]) -> None:
        files = list(deliveries)
        plain = Counter(file_name(delivery.file) for delivery in files)
        self._shown = {d.file: file_name(d.file) for d in files}
        for delivery in files:
            if plain[self._shown[delivery.file]] > 1:
                self._shown[delivery.file] += f" ({delivery.content_hash[:HASH_SHOWN]})"
        self.by_file = {d.file: d.operator or self._shown[d.file] for d in files}

    def shown(self, file: str | None) -> str:
        """Return a file's name without folders; the hash tells two of one name apart; '' for none."""
        return self._shown.get(file or "") or file_name(file)

    def one(self, operator: str | None, file: str | None) -> str:
        """Return the sender of the records of one operator in one file."""
        return operator or self.by_file.get(file or "") or self.shown(file)

    def of(self, frame: Frame) -> NDArray[np.object_]:
        """Return the sender of each row."""
        by_file = _each(frame, "file", lambda file: self.one(None, file))
        operator = frame.table["operator"].combine_chunks()
        known = pc.fill_null(pc.not_equal(operator, ""), False)
        senders = pc.if_else(known, operator, by_file).to_numpy(zero_copy_only=False)
        return np.asarray(senders, dtype=object)

    def shown_in(self, frame: Frame) -> pa.Array:
        """Return the name of each row's file as its sender sees it."""
        return _each(frame, "file", self.shown)

    def without_folders(self, sentence: str, file: str | None) -> str:
        """Return a sentence in which a file is called as its sender knows it."""
        if not file:
            return sentence
        return sentence.replace(file, self.shown(file)) if self.shown(file) != file else sentence


def _each(frame: Frame, name: str, value: Any) -> pa.Array:
    """Return a string column with every different value replaced."""
    encoded = frame.table[name].combine_chunks().dictionary_encode()
    return pa.array([value(item) for item in encoded.dictionary.to_pylist()], pa.string()).take(
        encoded.indices
    )


def file_counts(
    state: State,
    senders: Senders,
    items: Frame,
    owner: NDArray[np.object_],
    key: NDArray[np.int64],
    returned: Mask,
) -> dict[str, list[FileCount]]:
    """Return for each sender what became of its records, file by file.

    Parameters
    ----------
    state : State
    senders : Senders
    items : Frame
        The lines that go back.
    owner : array of str
        Sender of each line.
    key : array of int
        Number of the record of each line, -1 where it is about no single one.
    returned : mask
        Lines of records that could not be used; they are not counted as questioned, too.
    """
    outcomes = (Outcome.DUPLICATE, Outcome.SUPERSEDED)
    set_aside = [state.duplicates.take(state.duplicates.flags("outcome", [value])) for value in outcomes]
    parts = [state.features, state.reference, *set_aside, state.rejected]
    counts = [_counted(frame, senders) for frame in parts]
    questioned = _questioned(items, owner, key, returned)
    places = set().union(*counts, questioned)
    places |= {(senders.by_file[d.file], d.file) for d in state.deliveries}
    hashes = {delivery.file: delivery.content_hash for delivery in state.deliveries}
    result: dict[str, list[FileCount]] = {}
    for sender, file in sorted(places):
        parted = dict(zip(_PARTS, (counter[sender, file] for counter in counts), strict=True))
        count = FileCount(
            file=senders.shown(file),
            content_hash=hashes.get(file, ""),
            received=sum(parted.values()),
            **parted,
            questioned=questioned[sender, file],
        )
        result.setdefault(sender, []).append(count)
    return result


def _counted(frame: Frame, senders: Senders) -> Counter[tuple[str, str]]:
    """Count records by sender and file."""
    columns = frame.table.select(["operator", "file"]).whole()
    groups = columns.group_by(["operator", "file"]).aggregate([([], "count_all")])
    counts: Counter[tuple[str, str]] = Counter()
    for row in groups.to_pylist():
        counts[senders.one(row["operator"], row["file"]), row["file"]] += row["count_all"]
    return counts


def _questioned(
    items: Frame, owner: NDArray[np.object_], key: NDArray[np.int64], returned: Mask
) -> Counter[tuple[str, str]]:
    """Count, by sender and file, the different records about which something is asked."""
    asked = (key >= 0) & ~np.isin(key, key[returned])
    _, first = np.unique(key[asked], return_index=True)
    files = items.table["file"].take(pa.array(np.flatnonzero(asked)[first])).to_pylist()
    return Counter(zip(owner[asked][first].tolist(), files, strict=True))
