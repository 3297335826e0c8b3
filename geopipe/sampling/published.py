"""The result that a sample is drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import shapely

from geopipe.errors import OutputError
from geopipe.io.geopackage import read_layer
from geopipe.reports.publish import current_run, read_summary
from geopipe.schema import Frame, Geometries, no_geometry
from geopipe.terms import HAZARD_KINDS

# Overlaps of hazard and release that an inspector need not be warned of.
_EXPECTED = ("expected_release", "status_not_updated")


@dataclass(frozen=True)
class Published:
    """The layers of a finished result that a draw looks at; all geometry in its working CRS (m).

    `findings`, `unresolved` and `points` are None where the result was made without that layer.
    """

    areas: Frame
    overlaps: Frame
    findings: Frame | None
    unresolved: Frame | None
    points: Frame | None
    crs: str
    summary: dict[str, Any]

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What every paper says about the data: their last date, the day of the result, what is missing."""
        days = [
            day
            for name in ("date_surveyed", "date_completed", "date_of_information")
            for day in self.areas.table[name].to_pylist()
            if day is not None
        ]
        balance = self.summary["balance"]
        return {
            "result_made_on": self.summary["run"]["started_at"][:10],
            "latest_date_in_records": max(days).isoformat() if days else None,
            "geopackage_sha256": next(iter(self.summary["files"].values())),
            "files": len(self.summary["deliveries"]),
            "records": balance["records_in"],
            "records_returned": balance["rejected"],
            "files_not_compared": sorted(d["file"] for d in self.summary["deliveries"] if d["problems"]),
            "working_crs": self.summary["working_crs"],
        }

    @property
    def hazard(self) -> Frame:
        """The hazard areas."""
        return self.areas.take(self.areas.flags("kind", sorted(HAZARD_KINDS)))

    @property
    def unresolved_shapes(self) -> Geometries:
        """Hazard whose record could not be used, as far as it can be drawn."""
        return no_geometry(0) if self.unresolved is None else self.unresolved.geometry

    @property
    def point_shapes(self) -> Geometries:
        """Finds, evidence and other points that were delivered."""
        return no_geometry(0) if self.points is None else self.points.geometry

    def warnings(self) -> dict[str, list[str]]:
        """Return by row id what an inspector of a released area must know before entering it."""
        found: dict[str, list[str]] = {}
        for row, pair, hazard_id, _ in self._on_hazard():
            said = f"{pair['severity'].upper()}: {pair['finding'].replace('_', ' ')} ({hazard_id})"
            found.setdefault(row, []).append(said)
        alarms = self._alarms()
        records = zip(self.areas.numpy("record_id"), self.areas.numpy("row_id"), strict=True)
        for record, row in records if alarms else ():
            found.setdefault(row, []).extend(alarms.get(record, ()))
        return {row: sorted(set(said)) for row, said in found.items()}

    def hazard_ground(self) -> dict[str, list[shapely.Geometry]]:
        """Return by row id the ground (m) that a released area shares with hazard, as `warnings` tells."""
        found: dict[str, list[shapely.Geometry]] = {}
        for row, _, _, shared in self._on_hazard():
            found.setdefault(row, []).append(shared)
        return found

    def _on_hazard(self) -> Iterator[tuple[str, dict[str, Any], str, shapely.Geometry]]:
        """Yield row id, pair, hazard's id and shared ground of areas on which hazard is not expected."""
        pairs = self.overlaps.take(~self.overlaps.flags("finding", _EXPECTED))
        for here, there in (("left", "right"), ("right", "left")):
            found = pairs.take(pairs.flags(f"{there}_kind", sorted(HAZARD_KINDS)))
            for pair, shared in zip(found.table.to_pylist(), found.geometry, strict=True):
                yield pair[f"{here}_row_id"], pair, pair[f"{there}_id"], shared

    def _alarms(self) -> dict[str, list[str]]:
        """Return by record id its alarms, without the sentences: these may hold what was delivered."""
        found: dict[str, list[str]] = {}
        if self.findings is None:
            return found
        for row in self.findings.take(self.findings.flags("severity", ["alarm"])).table.to_pylist():
            for record in filter(None, (row["record_id"], row["other_id"])):
                found.setdefault(record, []).append(f"ALARM: {row['code'].replace('_', ' ').lower()}")
        return found


def read_published(folder: Path) -> Published:
    """Read a finished result.

    Raises
    ------
    OutputError
        When the folder holds none, or it was made without the layers `areas` and `overlaps`.
    """
    run = current_run(folder)
    summary = read_summary(run)
    path = run / next(iter(summary["files"]))  # the map comes first
    areas, crs = read_layer(path, "areas")
    overlaps, _ = read_layer(path, "overlaps")
    findings, unresolved, points = (
        _layer_if_there(path, name) for name in ("findings", "hazard_unresolved", "points")
    )
    return Published(areas, overlaps, findings, unresolved, points, crs, summary)


def _layer_if_there(path: Path, name: str) -> Frame | None:
    try:
        return read_layer(path, name)[0]
    except OutputError:
        return None
