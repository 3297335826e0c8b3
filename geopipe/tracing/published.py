"""Where a record stands in the published runs: on the map, set aside, returned, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.io.layerrows import LayerRows
from geopipe.register.register import Register
from geopipe.reports.publish import GEOPACKAGE

Row = dict[str, Any]
_OF_AREA = ("row_id", "version_id", "area_m2", "file", "layer", "row", "correction")
_OF_PAIR = (
    "relation", "finding", "severity", "counted", "area_m2", "width_m", "time_order", "confidence",
    "group_id",
)  # fmt: skip
_OF_CHANGE = (
    "change", "operator", "kind", "previous_id", "current_id", "attributes_changed", "lost_m2", "gained_m2",
    "sentence",
)  # fmt: skip
_OF_DUPLICATE = (
    "outcome", "record_id", "row_id", "of_record_id", "of_row_id", "how", "iou", "uncovered_m2", "sentence",
    "file", "layer", "row",
)  # fmt: skip

_OF_RETURNED = ("reason", "sentence", "file", "layer", "row")


@dataclass(frozen=True)
class Published:
    """A run that was published; `layers` is None where its folder is there no longer."""

    number: int
    day: str
    folder: str
    summary: dict[str, Any]
    layers: LayerRows | None


@dataclass(frozen=True)
class Subject:
    """What is traced: a record, or where it never was one, a row that went back to its operator."""

    record_id: str
    operator: str
    source_id: str


def published_runs(register: Register, runs: Path) -> list[Published]:
    """Return all runs that were published, the first one first."""
    rows = register.ask(
        "SELECT number, day, folder, files, summary FROM runs JOIN publications ON run = number "
        "ORDER BY number"
    )
    return [
        Published(number, day, folder, json.loads(summary), _layers(runs / folder, json.loads(files)))
        for number, day, folder, files, summary in rows
    ]


def _layers(folder: Path, files: dict[str, str]) -> LayerRows | None:
    name = next((name for name in files if name.endswith(".gpkg")), GEOPACKAGE)
    return LayerRows(folder / name) if (folder / name).is_file() else None


def stands_in(run: Published, subject: Subject) -> list[Row] | None:
    """Return how a record stands in a run, None where the run's folder is there no longer."""
    layers = run.layers
    if layers is None:
        return None
    found: list[Row] = []
    if subject.record_id:
        for name, how in (("areas", "on the map"), ("points", "point"), ("lines", "line")):
            for row in layers.where(name, ("record_id",), subject.record_id):
                found.append(
                    {
                        "stands_as": how,
                        "is_carried_on": _is_carried_on(row["row_id"], run.summary),
                        **{key: row.get(key) for key in _OF_AREA},
                    }
                )
        for row in layers.where("duplicates", ("record_id",), subject.record_id):
            found.append({"stands_as": row["outcome"], **{key: row[key] for key in _OF_DUPLICATE}})
    for row in _of_subject(layers, "rejected", subject):
        found.append({"stands_as": "returned", **{key: row[key] for key in _OF_RETURNED}})
    for row in _of_subject(layers, "hazard_unresolved", subject):
        found.append({"stands_as": "unresolved hazard", **{key: row[key] for key in _OF_RETURNED}})
    return found


def _is_carried_on(row_id: str, summary: dict[str, Any]) -> bool:
    """Say whether a record is a last version of an earlier delivery that stays on the map."""
    read = {item["sha256"][:12] for item in summary["deliveries"]}
    return row_id.partition(":")[0] not in read


def _of_subject(layers: LayerRows, name: str, subject: Subject) -> list[Row]:
    if not subject.source_id:
        return []
    rows = layers.where(name, ("source_id",), subject.source_id)
    return [row for row in rows if (row["operator"] or "") == subject.operator]


def stands_for(run: Published, record_id: str) -> list[Row]:
    """Return the records that were set aside because a record says the same."""
    if run.layers is None:
        return []
    rows = run.layers.where("duplicates", ("of_record_id",), record_id)
    return [{key: row[key] for key in _OF_DUPLICATE} for row in rows]


def overlaps_of(run: Published, record_id: str) -> list[Row]:
    """Return the overlaps of a record in a run, as seen from it; releases of its own operator among them."""
    if run.layers is None:
        return []
    found = []
    for row in run.layers.where("overlaps", ("left_id", "right_id"), record_id):
        own, other = ("left", "right") if row["left_id"] == record_id else ("right", "left")
        found.append(
            {
                "other_id": row[f"{other}_id"],
                "other_operator": row[f"{other}_operator"],
                "other_kind": row[f"{other}_kind"],
                "share": row[f"{own}_share"],
                **{key: row[key] for key in _OF_PAIR},
                "counted": bool(row["counted"]),
            }
        )
    return found


def left_of(run: Published, record_id: str) -> list[Row]:
    """Return what releases have left of a hazard record (m2)."""
    if run.layers is None:
        return []
    names = ("area_m2", "released_m2", "remaining_m2", "releases", "releases_in_doubt")
    return [
        {key: row[key] for key in names} for row in run.layers.where("remaining", ("hazard_id",), record_id)
    ]


def changes_of(runs: Sequence[Published], record_id: str) -> list[Row]:
    """Return what deliveries changed about a record, each once, with the run that told it first."""
    found: dict[str, Row] = {}
    for run in runs:
        if run.layers is None:
            continue
        for row in run.layers.where("changes", ("previous_id", "current_id"), record_id):
            told = {key: row[key] for key in _OF_CHANGE}
            found.setdefault(json.dumps(told), {"run": run.number, "day": run.day, **told})
    return list(found.values())
