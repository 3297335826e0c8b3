"""What a name means: a case, a record by its own id, or by the hash of a version or a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.errors import ConfigError
from geopipe.register.naming import find_case
from geopipe.register.register import Register
from geopipe.tracing.delivered import NAMES, Reading, names_in
from geopipe.tracing.published import Published, Subject

# A beginning of a hash is enough from this length on.
_SHORTEST = 8
_FOUND = (
    "SELECT DISTINCT operator, columns ->> 'source_id' FROM findings WHERE columns ->> 'record_id' = ?1 "
    "AND columns ->> 'source_id' IS NOT NULL"
)


@dataclass(frozen=True)
class Meant:
    """Something that a name may mean: `say` names it and nothing else."""

    say: str
    told: str
    case_id: str = ""
    subject: Subject | None = None


def what_is_meant(
    register: Register, known: Sequence[Reading], runs: Sequence[Published], name: str
) -> list[Meant]:
    """Return all that a name means; what is called exactly so comes before all else.

    Parameters
    ----------
    register : Register
    known : sequence of Reading
    runs : sequence of Published
    name : str
    """
    text = name.strip()
    cases = list(_cases(register, text))
    tables = list(names_in(known))
    records = _unique(_exact(tables, text)) or _unique(_beginning(tables, text))
    if not any(item.subject and item.subject.record_id == text for item in records):
        records = _unique([*records, *_unread(runs, text)])
    return [*cases, *(records or _unique(_of_findings(register, text)))]


def _cases(register: Register, text: str) -> Iterator[Meant]:
    try:
        case_id = find_case(register, text)
    except ConfigError:
        return
    yield Meant(case_id, "an overlap case", case_id=case_id)


def _exact(tables: Iterable[pa.Table], text: str) -> Iterator[Meant]:
    for table in tables:
        for column in NAMES:
            yield from _of_rows(table.filter(pc.equal(table[column], text)), column)


def _beginning(tables: Iterable[pa.Table], text: str) -> Iterator[Meant]:
    """Yield records of which a version begins so, or whose own id is written so in other letters."""
    folded = text.casefold()
    for table in tables:
        lower = pc.utf8_lower(table["source_id"])
        yield from _of_rows(table.filter(pc.equal(lower, folded)), "source_id")
        if len(text) >= _SHORTEST:
            yield from _of_rows(table.filter(pc.starts_with(table["version_id"], folded)), "version_id")


def _of_rows(rows: pa.Table, column: str) -> Iterator[Meant]:
    for row in rows.to_pylist():
        subject = Subject(row["record_id"], row["operator"] or "", row["source_id"] or "")
        told = f"{row['operator'] or 'operator unknown'} {row['source_id'] or 'without an id'}, {row['kind']}"
        yield Meant(row["record_id"], f"{told} (by its {column.replace('_', ' ')})", subject=subject)


def _unread(runs: Sequence[Published], text: str) -> Iterator[Meant]:
    """Yield points and lines, and rows that went back: no delivery keeps them among its areas."""
    for run in reversed(runs):
        if run.layers is None:
            continue
        for layer in ("points", "lines"):
            for row in run.layers.where(layer, ("record_id", "source_id", "row_id"), text):
                subject = Subject(row["record_id"], row["operator"] or "", row["source_id"] or "")
                yield Meant(
                    row["record_id"], f"{row['operator']} {row['source_id']}, a {layer[:-1]}", subject=subject
                )
        for row in run.layers.where("rejected", ("source_id",), text):
            told = f"{row['operator'] or 'operator unknown'} {text}, returned for correction ({row['file']})"
            yield Meant(text, told, subject=Subject("", row["operator"] or "", text))


def _of_findings(register: Register, text: str) -> Iterator[Meant]:
    """Yield what only findings name: a row that went back, by the id that its record would have."""
    for operator, source_id in register.ask(_FOUND, text):
        subject = Subject("", operator, source_id or "")
        yield Meant(text, f"{operator} {source_id}, returned for correction", subject=subject)


def _unique(found: Iterable[Meant]) -> list[Meant]:
    """Return each thing once; a row that went back is part of the story of the record of its name."""
    kept: dict[tuple[str, str, str], Meant] = {}
    named: set[tuple[str, str]] = set()
    for item in found:
        assert item.subject is not None
        same = (item.subject.operator, item.subject.source_id)
        if not item.subject.record_id and same in named:
            continue
        named.add(same)
        kept.setdefault((item.subject.record_id, *(same if not item.subject.record_id else ("", ""))), item)
    return list(kept.values())
