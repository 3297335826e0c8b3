"""Ingest: raw deliveries become FEATURES, every record with its ids, nothing else changed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from geopipe.catalogue import severity_of
from geopipe.config import DeliveryOptions, Vocabulary
from geopipe.io.confirmations import Confirmation, confirmed_for
from geopipe.io.delivery import Problem, RawDelivery, RawLayer
from geopipe.io.formats import DRIVERS, Format
from geopipe.mapping import Mapping
from geopipe.plain import plain
from geopipe.profiles import GENERIC, load_profile
from geopipe.recognition import fold_tight, lookup
from geopipe.schema import (
    FINDINGS,
    REJECTED,
    Delivery,
    Frame,
    LayerCount,
    State,
    joined,
    make_frame,
    no_geometry,
)
from geopipe.terms import Severity

# Notes of the reader by which a delivery is not whole, though what is in it is used.
# A layer's name stands beside every record; no software that people use lets them write a longer one.
_LONGEST_NAME = 250
_NOT_WHOLE = frozenset({"TRANSFER_LIMIT"})


@dataclass(frozen=True)
class Told:
    """What is known of a delivery beside the file itself."""

    options: DeliveryOptions
    vocabulary: Vocabulary
    confirmations: tuple[Confirmation, ...]
    today: dt.date


@dataclass
class _Made:
    """What the layers read so far have brought."""

    features: list[Frame] = field(default_factory=list)
    rejected: list[Frame] = field(default_factory=list)
    findings: list[Frame] = field(default_factory=list)


class Names:
    """Gives each delivery the name under which it is spoken of, and the key that its rows begin with."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._copies: Counter[str] = Counter()

    def of(self, path: Path, content_hash: str) -> tuple[str, str]:
        """Return name and key; the rows of one content delivered under two names stay apart."""
        name = _unused_name(path, self._names)
        self._names.add(name)
        self._copies[content_hash] += 1
        copies = self._copies[content_hash]
        return name, f"{content_hash[:12]}{'' if copies == 1 else f'#{copies}'}"


def ingest(
    deliveries: Iterable[tuple[RawDelivery, DeliveryOptions]],
    vocabulary: Vocabulary,
    confirmations: Sequence[Confirmation] = (),
    today: dt.date = dt.date.min,
) -> State:
    """Map deliveries to canonical columns and give every record its ids.

    Parameters
    ----------
    deliveries : iterable of (RawDelivery, DeliveryOptions)
    vocabulary : Vocabulary
        The words by which columns, kinds and operators are recognised.
    confirmations : sequence of Confirmation
        What people have confirmed about coordinates; those about a delivery are kept beside its records.
    today : date
        Confirmations for a profile end on a day.

    Returns
    -------
    State
        `features` holds all records with `source_geometry`, no geometry yet;
        `rejected` the counted records of files and layers that could not be used.
    """
    names = Names()
    taken = [
        take_in(
            raw, *names.of(raw.path, raw.content_hash), Told(options, vocabulary, tuple(confirmations), today)
        )
        for raw, options in deliveries
    ]
    return replace(joined(taken), today=None if today == dt.date.min else today)


def _unused_name(path: Path, used: set[str]) -> str:
    """Return a file's name, with as many of its folders as keep it apart from files named before."""
    for start in range(len(path.parts) - 1, -1, -1):
        name = plain("/".join(path.parts[start:]))
        if name not in used:
            return name
    return plain(f"{path} (again)")


def take_in(raw: RawDelivery, file: str, delivery_key: str, told: Told) -> State:
    """Take one delivery in: its layers' records, or the count of those that could not be used.

    Parameters
    ----------
    raw : RawDelivery
    file : str
        The name under which the delivery is spoken of.
    delivery_key : str
        What the `row_id` of its records begins with.
    told : Told
    """
    made = _Made()
    profile = load_profile(told.options.profile)
    known, words = profile.known(told.options), profile.words(told.vocabulary)
    events = confirmed_for(told.confirmations, raw.content_hash, profile.name, told.today)
    problems: list[tuple[str, str]] = []
    assumptions: list[str] = []
    counts: list[LayerCount] = []
    operators: set[str] = set()
    made.findings.append(_ended(told, file, profile.name))
    if profile.name != GENERIC:
        assumptions.append(f"{file}: read with the operator profile {profile.name}")
    if raw.problem:
        size = raw.records_counted or 0
        problems.append((raw.problem.code, raw.problem.sentence))
        counts.append(LayerCount("", "", size, raw.records_counted, raw.count_method))
        made.rejected.append(_all_rejected(file, "", size, *problems[0]))
    for delivered in raw.layers:
        layer = replace(delivered, name=plain(delivered.name)[:_LONGEST_NAME])
        mapping = Mapping(layer, file, delivery_key, known, words, profile, events, _folder(raw))
        problem = _problem(layer, mapping)
        if problem is None:
            counts.append(_count(layer, layer.table.num_rows))
            made.features.append(mapping.features())
            operators.update(made.features[-1].values("operator"))
        else:
            size = layer.records_counted or layer.table.num_rows
            counts.append(_count(layer, size))
            problems.append(problem)
            made.rejected.append(_all_rejected(file, layer.name, size, *problem))
        asked = [note for note in layer.notes if severity_of(note.code) != Severity.NOTE]
        made.findings += [*mapping.findings, _of_reader(file, layer.name, asked, made.features, problem)]
        problems += [(note.code, note.sentence) for note in asked if note.code in _NOT_WHOLE]
        assumptions += [note.sentence for note in layer.notes if note not in asked] + mapping.assumptions
    delivery = Delivery(
        file=file,
        content_hash=raw.content_hash,
        driver=raw.driver,
        layers=tuple(counts),
        problems=tuple(problems),
        assumptions=tuple(dict.fromkeys(assumptions)),
        is_reference=known.reference,
        operator=_only(operators) or _known_as(known.operator, words),
        role=str(known.role),
        mode=str(known.mode),
        period=known.period or "",
        files_beside=raw.files_beside,
    )
    return State(deliveries=(delivery,)).adding(
        features=made.features, rejected=made.rejected, findings=made.findings
    )


def _folder(raw: RawDelivery) -> str:
    """Return the name of the folder that was delivered, '' for a file: exports of NG name theirs alike."""
    return raw.path.absolute().parent.name if raw.driver == DRIVERS[Format.IMSMA] else ""


def _of_reader(
    file: str, layer: str, asked: Sequence[Problem], features: Sequence[Frame], problem: object
) -> Frame:
    """Return what the reader noticed, and a person must look at, as findings about a layer."""
    senders = features[-1].values("operator") if features and problem is None else []
    columns = {
        "code": [note.code for note in asked],
        "severity": [severity_of(note.code) for note in asked],
        "file": file,
        "layer": layer,
        "operator": senders[0] if len(senders) == 1 else None,
        "sentence": [note.sentence for note in asked],
    }
    return make_frame(FINDINGS, columns, no_geometry(len(asked)))


def _ended(told: Told, file: str, profile: str) -> Frame:
    """Tell of confirmations for a profile that hold no longer: the file is read as it was delivered."""
    ended = [
        event
        for event in told.confirmations
        if event.profile == profile and event.until is not None and event.until < told.today
    ]
    columns = {
        "code": "CONFIRMATION_ENDED",
        "severity": severity_of("CONFIRMATION_ENDED"),
        "file": file,
        "sentence": [
            f"{event.correction} was confirmed by {event.by} for profile {profile} until {event.until}; "
            "the file is read as it was delivered"
            for event in ended
        ],
    }
    return make_frame(FINDINGS, columns, no_geometry(len(ended)))


def _known_as(operator: str | None, words: Vocabulary) -> str:
    """Return the usual name of an operator that was said, '' where none was."""
    return lookup(words.operators).get(fold_tight(operator), operator) if operator else ""


def _only(operators: set[str]) -> str:
    """Return the one operator of a delivery, '' where it has several or none."""
    return next(iter(operators)) if len(operators) == 1 else ""


def _problem(layer: RawLayer, mapping: Mapping) -> tuple[str, str] | None:
    """Return the code and sentence for which a layer cannot be used, or None."""
    if layer.problem:
        return layer.problem.code, layer.problem.sentence
    sentence = mapping.unknown_field()
    return ("FIELD_UNKNOWN", sentence) if sentence else None


def _count(layer: RawLayer, size: int) -> LayerCount:
    return LayerCount(layer.name, layer.crs_name, size, layer.records_counted, layer.count_method)


def _all_rejected(file: str, layer: str, size: int, reason: str, sentence: str) -> Frame:
    """Account for the counted records of something that could not be used."""
    rows = pa.array(np.arange(1, size + 1))
    columns = {"file": file, "layer": layer, "row": rows, "reason": reason, "sentence": sentence}
    return make_frame(REJECTED, columns, no_geometry(size))
