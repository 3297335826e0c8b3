"""Ingest: raw deliveries become FEATURES, every record with its ids, nothing else changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from geopipe.config import DeliveryOptions, Vocabulary
from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.mapping import Mapping
from geopipe.profiles import GENERIC, load_profile
from geopipe.schema import REJECTED, Delivery, Frame, LayerCount, State, make_frame, no_geometry


@dataclass
class _Made:
    """What the deliveries read so far have brought."""

    features: list[Frame] = field(default_factory=list)
    rejected: list[Frame] = field(default_factory=list)
    findings: list[Frame] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


def ingest(deliveries: Iterable[tuple[RawDelivery, DeliveryOptions]], vocabulary: Vocabulary) -> State:
    """Map deliveries to canonical columns and give every record its ids.

    Parameters
    ----------
    deliveries : iterable of (RawDelivery, DeliveryOptions)
    vocabulary : Vocabulary
        The words by which columns, kinds and operators are recognised.

    Returns
    -------
    State
        `features` holds all records with `source_geometry`, no geometry yet;
        `rejected` the counted records of files and layers that could not be used.
    """
    made = _Made()
    copies: Counter[str] = Counter()
    names: set[str] = set()
    for raw, options in deliveries:
        copies[raw.content_hash] += 1
        name = _unused_name(raw.path, names)
        names.add(name)
        # The rows of one content delivered under two names must stay apart.
        copy = "" if copies[raw.content_hash] == 1 else f"#{copies[raw.content_hash]}"
        _take(raw, name, f"{raw.content_hash[:12]}{copy}", options, vocabulary, made)
    return State(deliveries=tuple(made.deliveries)).adding(
        features=made.features, rejected=made.rejected, findings=made.findings
    )


def _unused_name(path: Path, used: set[str]) -> str:
    """Return a file's name, with as many of its folders as keep it apart from files named before."""
    for start in range(len(path.parts) - 1, -1, -1):
        name = "/".join(path.parts[start:])
        if name not in used:
            return name
    return f"{path} (again)"


def _take(
    raw: RawDelivery,
    file: str,
    delivery_key: str,
    options: DeliveryOptions,
    vocabulary: Vocabulary,
    made: _Made,
) -> None:
    """Take one delivery in: its layers' records, or the count of those that could not be used."""
    profile = load_profile(options.profile)
    known, words = profile.known(options), profile.words(vocabulary)
    problems: list[tuple[str, str]] = []
    assumptions: list[str] = []
    counts: list[LayerCount] = []
    operators: set[str] = set()
    if profile.name != GENERIC:
        assumptions.append(f"{file}: read with the operator profile {profile.name}")
    if raw.problem:
        size = raw.records_counted or 0
        problems.append((raw.problem.code, raw.problem.sentence))
        counts.append(LayerCount("", "", size, raw.records_counted, raw.count_method))
        made.rejected.append(_all_rejected(file, "", size, *problems[0]))
    for layer in raw.layers:
        mapping = Mapping(layer, file, delivery_key, known, words, profile)
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
        assumptions += [*(note.sentence for note in layer.notes), *mapping.assumptions]
        made.findings += mapping.findings
    made.deliveries.append(
        Delivery(
            file=file,
            content_hash=raw.content_hash,
            driver=raw.driver,
            layers=tuple(counts),
            problems=tuple(problems),
            assumptions=tuple(dict.fromkeys(assumptions)),
            is_reference=options.reference,
            operator=_only(operators),
            role=str(known.role),
            mode=str(known.mode),
            period=known.period or "",
        )
    )


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
