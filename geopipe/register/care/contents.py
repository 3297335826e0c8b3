"""Whether what a register says can be true: words, geometries, hashes, and which row belongs to which."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256

import numpy as np
import shapely

from geopipe.identity import hash_text
from geopipe.io.ledgers.opened import Opened
from geopipe.terms import Answer, CaseStatus, Choice

_WORDS: tuple[tuple[str, str, str, type[StrEnum]], ...] = (
    ("events", "event_id", "status", CaseStatus),
    ("decisions", "decision_id", "choice", Choice),
    ("positions", "position_id", "answer", Answer),
)
_JSON = (
    ("policies", "policy_hash", "content"), ("publications", "run", "files"),
    ("publications", "run", "summary"), ("versions", "version", "columns"),
    ("sightings", "number", "columns"), ("events", "event_id", "data"),
    ("findings", "finding_id", "columns"), ("published_quarters", "number", "row"),
)  # fmt: skip
_SHAPES = (
    ("versions", "version", "geometry"), ("sightings", "number", "geometry"),
    ("decisions", "decision_id", "line_wgs84"),
)  # fmt: skip
# Sentence and question: each row that it returns is a fault.
_BELONGING = (
    (
        "Case {} was never seen in the data.",
        "SELECT case_id FROM cases WHERE case_id NOT IN (SELECT case_id FROM sightings)",
    ),
    (
        "Case {} has no history.",
        "SELECT case_id FROM cases WHERE case_id NOT IN (SELECT case_id FROM events)",
    ),
    (
        "Event {} looks at an overlap of another case.",
        "SELECT e.event_id FROM events e JOIN sightings s ON s.number = e.sighting "
        "WHERE s.case_id <> e.case_id",
    ),
    (
        "Decision {} looks at an overlap of another case.",
        "SELECT d.decision_id FROM decisions d JOIN sightings s ON s.number = d.sighting "
        "WHERE s.case_id <> d.case_id",
    ),
    (
        "Decision {} belongs to an event of another case.",
        "SELECT d.decision_id FROM decisions d JOIN events e USING (event_id) WHERE e.case_id <> d.case_id",
    ),
    (
        "Position {} belongs to an event of another case.",
        "SELECT p.position_id FROM positions p JOIN events e USING (event_id) WHERE e.case_id <> p.case_id",
    ),
    (
        "Event {} says that something was decided, but not what.",
        "SELECT event_id FROM events WHERE kind IN ('decided', 'confirmed') "
        "AND event_id NOT IN (SELECT event_id FROM decisions)",
    ),
    (
        "Decision {} is confirmed without signed minutes.",
        "SELECT decision_id FROM decisions LEFT JOIN papers USING (reference_id) "
        "WHERE confirmed AND coalesce(file_sha256, '') = ''",
    ),
)  # fmt: skip


def content_faults(register: Opened) -> Iterator[str]:
    """Tell what in a register cannot be true, a sentence for each fault."""
    yield from _words(register)
    yield from _json(register)
    yield from _shapes(register)
    yield from _hashes(register)
    for sentence, question in _BELONGING:
        for (name,) in register.ask(question):
            yield sentence.format(name)


def _words(register: Opened) -> Iterator[str]:
    for table, key, column, words in _WORDS:
        known = {word.value for word in words}
        for name, value in register.ask(f"SELECT {key}, {column} FROM {table}"):  # noqa: S608
            if value not in known:
                yield f"{table}, {name}: {column} {value!r} is no word of the register."


def _json(register: Opened) -> Iterator[str]:
    for table, key, column in _JSON:
        for name, text in register.ask(f"SELECT {key}, {column} FROM {table}"):  # noqa: S608
            try:
                json.loads(text)
            except (ValueError, TypeError, RecursionError):
                yield f"{table}, {name}: {column} cannot be read."


def _shapes(register: Opened) -> Iterator[str]:
    for table, key, column in _SHAPES:
        question = f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
        rows = register.ask(question)
        found = np.asarray(shapely.from_wkb([row[1] for row in rows], on_invalid="ignore"), dtype=object)
        for row in np.flatnonzero(shapely.is_missing(found)):
            yield f"{table}, {rows[row][0]}: the geometry cannot be read."


def _hashes(register: Opened) -> Iterator[str]:
    """Tell which records and minutes are not those that were written."""
    for name, text, polygon in register.ask("SELECT version, columns, geometry FROM versions"):
        if hash_text(f"{text}{bytes(polygon).hex()}") != name:
            yield f"Record version {name} is not as it was written."
    papers = register.ask("SELECT reference_id, meeting, file_sha256, minutes FROM papers")
    for name, meeting, digest, minutes in papers:
        if (sha256(minutes).hexdigest() if minutes is not None else "") != digest:
            yield f"The minutes of {meeting} ({name}) are not the file that was given."
