"""From confirmed decisions to the files of each operator: written, read again and held to the decisions."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geopipe.errors import ConfigError, OutputError
from geopipe.register.case import Case
from geopipe.reports.publish import place_returns
from geopipe.reports.returned.files import file_stems
from geopipe.resolving.apply import Resolution, resolve
from geopipe.resolving.outlines import write_outlines
from geopipe.resolving.ownpoints import OwnPoints, own_points
from geopipe.resolving.proof import Proof, prove
from geopipe.resolving.requests import Request, requests_of
from geopipe.resolving.reread import reread
from geopipe.resolving.rings import redraw
from geopipe.resolving.workbook import write_workbook
from geopipe.schema import Frame
from geopipe.unfinished import remove_left, unfinished_folder

WORKBOOK = "change-request.xlsx"


@dataclass(frozen=True)
class Resolved:
    """What was made of the decisions; `files` by operator are empty where nothing was written."""

    resolution: Resolution
    proof: Proof
    requests: Mapping[str, Request]
    files: Mapping[str, tuple[Path, ...]]

    @property
    def is_complete(self) -> bool:
        """Say whether every decision was carried out, and the written rings are as decided."""
        return self.proof.holds and not self.resolution.not_applied

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "applied": len(self.resolution.applied),
            "not_applied": [
                {"case": item.case.name, "reasons": list(item.reasons)}
                for item in self.resolution.not_applied
            ],
            "records_changed": sum(ground is not None for ground in self.resolution.after.values()),
            "records_withdrawn": sum(ground is None for ground in self.resolution.after.values()),
            "proof": self.proof.as_dict(),
            "operators": {
                operator: {
                    "records": len(request.records),
                    "questions": {r.own_id: r.question for r in request.records if r.question},
                    "files": [str(f) for f in self.files.get(operator, ())],
                }
                for operator, request in self.requests.items()
            },
        }


def write_requests(features: Frame, cases: Sequence[Case], working_crs: str, output: Path) -> Resolved:
    """Write the change requests of all operators into a new folder, a folder for each.

    Raises
    ------
    ConfigError
        When the folder holds something: requests that went out must stay as they were.
    OutputError
        When it cannot be written, or a written ring is not whole.
    """
    remove_left(output)
    if output.is_dir() and any(output.iterdir()):
        raise ConfigError("the folder is not empty", str(output), "Give a new one with -o.")
    try:
        output.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(output) as name:
            made = _made(features, cases, working_crs, name)
            now = dt.datetime.now(dt.UTC)
            placed = {}
            for operator, paths in made.files.items():
                folder = output / paths[0].parent.name
                folder.mkdir()
                placed[operator] = tuple(place_returns(paths, folder, now, {}).values())
    except OSError as error:
        remedy = "Choose another with -o."
        raise OutputError(f"the folder cannot be written ({error})", str(output), remedy) from error
    finally:
        with contextlib.suppress(OSError):
            output.rmdir()  # only an empty folder goes
    return Resolved(made.resolution, made.proof, made.requests, placed)


def try_requests(features: Frame, cases: Sequence[Case], working_crs: str) -> Resolved:
    """Do all that :func:`write_requests` does, reading the files again included, and leave nothing behind."""
    with unfinished_folder() as name:
        made = _made(features, cases, working_crs, name)
    return Resolved(made.resolution, made.proof, made.requests, {})


def _made(features: Frame, cases: Sequence[Case], working_crs: str, folder: Path) -> Resolved:
    resolution = resolve(features, cases, working_crs)
    rows = sorted({row for item in resolution.applied for row in (item.a, item.b)})
    known = own_points(features, np.array(rows, dtype=np.intp), working_crs)
    requests = _requests(resolution, features, rows, known)
    names = _names(resolution)
    stems = file_stems(list(requests))
    files: dict[str, tuple[Path, ...]] = {}
    written: dict[int, shapely.Geometry] = {}
    for operator, request in requests.items():
        own = folder / stems[operator]
        own.mkdir()
        write_workbook(own / WORKBOOK, request, known, names)
        written |= reread(own / WORKBOOK, request, working_crs)
        files[operator] = (own / WORKBOOK, *write_outlines(own, request, working_crs))
    return Resolved(resolution, prove(features, resolution, written, names), requests, files)


def _requests(
    resolution: Resolution, features: Frame, rows: list[int], known: OwnPoints
) -> dict[str, Request]:
    crs = features.take(np.array(rows, dtype=np.intp)).table["crs"].to_pylist()
    remaining = {row: ground for row, ground in resolution.after.items() if ground is not None}
    redrawn = redraw(remaining, dict(zip(rows, crs, strict=True)), known, resolution.working_crs)
    return requests_of(resolution, features, redrawn)


def _names(resolution: Resolution) -> dict[int, str]:
    """Return operator and own id of every record that was decided on."""
    names = {}
    for item in resolution.applied:
        names[item.a], names[item.b] = item.case.sighting.a.name, item.case.sighting.b.name
    return names
