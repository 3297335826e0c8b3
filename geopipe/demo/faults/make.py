"""Make the deliveries of all faults in all formats, and the truth about them."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geopipe.demo.writers import fixed_gdal_settings
from geopipe.errors import ConfigError, OutputError

from . import attributes, coordinates, structure
from .fault import Fault, Planting, nothing
from .formats import FORMATS, Format
from .ground import Ground
from .sheet import Need, Shape, Sheet, make_sheet
from .versions import write_copies, write_twice

TRUTH_FILE = "truth.json"
CLEAN = (
    Fault("clean_hazard", "", nothing, frozenset(), size=24),
    Fault("clean_released", "", nothing, frozenset(), size=24, kind="CLEARED"),
)
FAULTS = (*CLEAN, *structure.FAULTS, *coordinates.FAULTS, *attributes.FAULTS)
# What lines can carry of what areas can: they have attributes, coordinates in degrees, and no ground.
FOR_LINES = ("clean_hazard", "sign_of_latitude", "sign_of_longitude", "other_province", "date_in_future",
             "text_lost", "text_mojibake", "attachment_missing")  # fmt: skip


def make_fault_demo(folder: Path, *, seed: int = 42) -> dict[str, Any]:
    """Write one delivery for each fault and each format that can carry it, and `truth.json`.

    Parameters
    ----------
    folder : Path
        Where the files go, one folder for each format; it must be new or empty.
    seed : int
        Source of chance: the same seed gives the same files.

    Returns
    -------
    dict
        The content of `truth.json`: `deliveries`, and `not_possible` with the reasons.

    Raises
    ------
    ConfigError
        If `seed` is negative.
    OutputError
        If the folder cannot be written, or is not empty.
    """
    if seed < 0:
        raise ConfigError("the seed is negative", "seed", "Give 0 or a whole number above it.")
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError("the folder is not empty", str(folder), "Name a new folder.")
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
    except OSError as error:
        raise OutputError(f"the folder cannot be made ({error.strerror})", str(folder)) from error
    try:
        truth = _build(building, seed)
        text = json.dumps(truth, ensure_ascii=False, separators=(",", ":"))
        for part in sorted(building.iterdir()):
            part.replace(folder / part.name)
        (folder / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return truth


def _build(folder: Path, seed: int) -> dict[str, Any]:
    """Write all deliveries; return the truth about them."""
    deliveries: list[dict[str, Any]] = []
    impossible: list[dict[str, str]] = []
    streams = np.random.SeedSequence(seed).spawn(len(FORMATS) + 1)
    with fixed_gdal_settings():
        for form, stream in zip(FORMATS, streams[:-1], strict=True):
            rng = np.random.default_rng(stream)
            ground = Ground(rng)
            for number, fault in enumerate(FAULTS, start=1):
                why = obstacle(form, fault)
                if why:
                    impossible.append({"format": form.name, "fault": fault.name, "why": why})
                    continue
                made = _planted(rng, ground, form, fault, number)
                deliveries += made.write(folder)
        rng = np.random.default_rng(streams[-1])
        ground = Ground(rng)
        twice, copies = write_twice(folder, rng, ground), write_copies(folder, rng, ground)
    return {
        "seed": seed,
        "deliveries": deliveries,
        "not_possible": impossible,
        "delivered_twice": twice,
        "copies": copies,
    }


def obstacle(form: Format, fault: Fault) -> str:
    """Return why a format cannot carry a fault, '' where it can."""
    needs = fault.needs
    if form.style.shape is Shape.LINE:
        needs = frozenset(needs - {Need.AREAS}) if fault.name in FOR_LINES else needs | {Need.AREAS}
    reasons = [form.cannot[need] for need in Need if need in needs and need in form.cannot]
    return reasons[0] if reasons else ""


class _Delivery:
    """One delivery, planted and ready to be written."""

    def __init__(self, form: Format, fault: Fault, made: Planting, rows: list[int]) -> None:
        self.form, self.fault, self.made, self.rows = form, fault, made, rows

    def write(self, folder: Path) -> list[dict[str, Any]]:
        """Write the files; return what is true about them."""
        entry = self._entry(folder, self.made.sheet)
        if self.made.partner is None:
            return [{**entry, "faults": self._faults()}]
        partner = self._entry(folder, self.made.partner)
        faults = [{**fault, "with": partner["operator"]} for fault in self._faults()]
        return [{**entry, "faults": faults}, {**partner, "faults": []}]

    def _entry(self, folder: Path, sheet: Sheet) -> dict[str, Any]:
        path = folder / self.form.path(sheet.stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        numbers = self.form.write(sheet, path)
        for name, content in self.made.beside.items():
            (path.parent / name).write_bytes(content)
        truth = {} if sheet is self.made.partner else self.made.truth
        return {
            "file": self.form.path(sheet.stem),
            "format": self.form.name,
            "fault": self.fault.name,
            "operator": sheet.operator,
            "options": sheet.options,
            "records": len(sheet.records),
            "rows": numbers,
            "ids": attributes.ids(sheet.records),
            **({"must_read": truth} if truth else {}),
        }

    def _faults(self) -> list[dict[str, Any]]:
        """Return what must be said of the delivery; nothing for one without fault."""
        if not self.fault.code:
            return []
        told = {"code": self.fault.code, "about": self.fault.about}
        told["remedy"] = self.made.remedy or self.fault.remedy
        return [{**told, "positions": self.rows}]


def _planted(rng: np.random.Generator, ground: Ground, form: Format, fault: Fault, number: int) -> _Delivery:
    """Make a clean delivery of a format and plant a fault in it."""
    style = form.style
    style = replace(style, crs=fault.crs or style.crs, shape=Shape(fault.shape or style.shape))
    stem = f"{style.operator.replace(' ', '_')}_{number:02d}_{fault.name}"
    sheet = make_sheet(rng, ground, stem, number, style, fault.kind, fault.size)
    sheet.options = {"profile": form.profile} if fault.options is None else dict(fault.options)
    if form.name == "imsma_ng":  # an export of the national database
        told = {"operator_field": "operator"} if fault.name == "labels" else {}
        sheet.options = {"profile": form.profile, **told}
    elif fault.options is not None and fault.name != "labels":
        sheet.options["operator"] = style.operator
    if sheet.shape is not Shape.AREA:
        sheet.options["reference"] = True
    planting = Planting(rng, ground, sheet)
    rows = fault.plant(planting)
    if planting.partner is not None and form.name == "imsma_ng":
        planting.partner.options = {"profile": form.profile}
    return _Delivery(form, fault, planting, rows)
