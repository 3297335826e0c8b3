"""What statistics need of a finished result: its areas, its overlaps, and what was left out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.io.geopackage import read_layer
from geopipe.reports.publish import current_run, read_summary
from geopipe.schema import Frame


@dataclass(frozen=True)
class Counted:
    """The areas and overlaps of a result, in its equal-area working CRS (m), and its summary."""

    run: Path
    areas: Frame
    overlaps: Frame
    summary: dict[str, Any]


def read_result(folder: Path) -> Counted:
    """Read a folder that compare or run has written, or one whose CURRENT names the newest run.

    Raises
    ------
    OutputError
        When the folder holds no finished result, or one without the layers `areas` and `overlaps`.
    """
    run = current_run(folder)
    summary = read_summary(run)
    geopackage = run / next(iter(summary["files"]))  # the map comes first
    areas, _ = read_layer(geopackage, "areas")
    overlaps, _ = read_layer(geopackage, "overlaps")
    return Counted(run, areas, overlaps, summary)
