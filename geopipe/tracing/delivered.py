"""A record as it was delivered: in which files, in which rows, how it was read, what changed each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.crs import crs_name
from geopipe.errors import GeopipeError
from geopipe.io.ledgers.frames_kept import kept_columns
from geopipe.io.ledgers.ledger import Ledger
from geopipe.nightly.filing import RECEIVED, place_of
from geopipe.register.register import Register
from geopipe.register.rows import plain

NAMES = ("record_id", "source_id", "guid", "row_id", "version_id")
# What is told of a row; columns that may name people, and free text, are not among them.
_TOLD = (
    "layer", "row", "row_id", "record_id", "version_id", "geometry_hash", "operator", "register", "role",
    "kind", "source_id", "id_is_delivered", "guid", "status", "date_started", "date_surveyed",
    "date_completed", "date_of_information", "clearance_depth_cm", "land_use", "province_stated",
    "district_stated", "village_stated", "province_located", "district_located", "area_stated_m2", "area_m2",
    "point_count", "geometry_problem", "closure_error_m", "points_note", "source_crs", "crs", "correction",
)  # fmt: skip
# What may change between two deliveries without the record being another one.
_COMPARED = tuple(
    name
    for name in _TOLD
    if name not in ("layer", "row", "row_id", "version_id", "geometry_hash", "source_crs", "crs", "area_m2",
                    "point_count", "record_id")
)  # fmt: skip
_READINGS = (
    "SELECT r.key, r.content_hash, d.file, t.number, t.received_at, t.run, r.operator, r.role, r.mode, "
    "r.period FROM readings r JOIN deliveries d USING (content_hash) JOIN receipts t ON t.number = r.receipt "
    "ORDER BY r.number"
)
_NAMES_OF_READING = (
    "key", "sha256", "file", "receipt", "received_at", "first_run", "operator", "role", "mode", "period",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """One reading of a delivered file: what the ledger says of it, and its records."""

    told: Mapping[str, Any]
    path: Path

    def names(self) -> pa.Table:
        """Return all by which its records can be called."""
        return kept_columns(self.path, NAMES)

    def rows(self, record_id: str) -> list[Row]:
        """Return the rows of one record as plain values."""
        table = kept_columns(self.path, (*_TOLD, "file"))
        mine = table.filter(pc.equal(table["record_id"], record_id))
        return [{name: plain(value) for name, value in row.items()} for row in mine.to_pylist()]


def readings(register: Register) -> list[Reading]:
    """Return every reading of every delivery, in the order in which they came."""
    ledger: Ledger = register.ledger
    return [
        Reading(dict(zip(_NAMES_OF_READING, row, strict=True)), ledger.frame_path(row[0]))
        for row in register.ask(_READINGS)
    ]


def deliveries_of(
    record_id: str, known: Sequence[Reading], summaries: Mapping[str, Mapping[str, Any]], workspace: Path
) -> list[Row]:
    """Return how a record was delivered each time, the first time first.

    Parameters
    ----------
    record_id : str
    known : sequence of Reading
    summaries : mapping of run folder to its summary
        They say how coordinates were transformed.
    workspace : Path
        Filed deliveries lie in it.
    """
    told: list[Row] = []
    last: Row | None = None
    for reading in known:
        rows = reading.rows(record_id)
        if not rows:
            continue
        summary = summaries.get(str(reading.told["first_run"]), {})
        told.append(
            {
                **{name: value for name, value in reading.told.items() if name != "key"},
                "filed": _filed(workspace, str(reading.told["sha256"])),
                "rows": [_row(row, summary, str(reading.told["sha256"])) for row in rows],
                "change": _change(last, rows[0]),
                "is_read_again": any(item["sha256"] == reading.told["sha256"] for item in told),
            }
        )
        last = rows[0]
    return told


def _filed(workspace: Path, sha256: str) -> str:
    """Return where a delivery lies under its hash, '' where it does not."""
    place = place_of(workspace / RECEIVED, sha256)
    names = sorted(path for path in place.iterdir() if path.name[0] != ".") if place.is_dir() else []
    return names[0].relative_to(workspace).as_posix() if names else ""


def _row(row: Row, summary: Mapping[str, Any], sha256: str) -> Row:
    stated, read_as = (_name(row[name]) for name in ("source_crs", "crs"))
    mine: Mapping[str, Any] = next(
        (item for item in summary.get("deliveries", ()) if item["sha256"] == sha256), {}
    )
    operation = next((item for item in mine.get("operations", ()) if item["source"] == read_as), None)
    return {
        **{name: row[name] for name in ("file", *_TOLD) if name not in ("source_crs", "crs")},
        "stated_crs": stated,
        "read_as_crs": read_as,
        "operation": operation,
    }


def _name(crs: str | None) -> str:
    try:
        return crs_name(crs) if crs else ""
    except GeopipeError:
        return str(crs)


def _change(before: Row | None, now: Row) -> Row:
    """Say what a delivery changed about a record, against the one before that held it."""
    if before is None:
        return {"what": "first", "columns": [], "geometry": False}
    columns = [name for name in _COMPARED if before[name] != now[name]]
    geometry = before["geometry_hash"] != now["geometry_hash"]
    is_same = not columns and not geometry and before["version_id"] == now["version_id"]
    return {"what": "unchanged" if is_same else "changed", "columns": columns, "geometry": geometry}


def names_in(known: Sequence[Reading]) -> Iterator[pa.Table]:
    """Yield the names of all records, file by file, each reading once."""
    for path in dict.fromkeys(reading.path for reading in known):
        yield kept_columns(path, (*NAMES, "operator", "kind"))
