"""Make the nights: let things happen, write what arrives, and write down what is true."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geopipe.demo.places import EQUAL_AREA_CRS
from geopipe.errors import ConfigError, OutputError

from .files import cut_off, write_configuration, write_registers
from .meetings import meet
from .schedule import Schedule, is_pure_reissue, is_unchanged
from .start import first_world
from .world import REGISTERS, World, pairs_of

LEAST_SIZE = 200
TRUTH_FILE = "nights.json"
FIRST_DAY = np.datetime64("2026-01-01")


def make_night_demo(folder: Path, *, nights: int, size: int = 600, seed: int = 42) -> dict[str, Any]:
    """Write `night-01`, `night-02`, ... and `nights.json` into a new or empty folder.

    Parameters
    ----------
    folder : Path
        Where the nights go; it is made if it does not exist.
    nights : int
        How many nights. Fewer nights are the first ones of more nights.
    size : int
        Number of records in all registers of the first night, about.
    seed : int
        Source of chance: the same size and seed give the same files.

    Returns
    -------
    dict
        The content of `nights.json`. Areas are in m2 in the equal-area CRS that it names. `grounds` says of
        each piece of ground whose record it is, from which it came by a split or merge, and its polygon
        (WKB, hexadecimal) from each night on which it was drawn again. Each of `nights` says what happened,
        which ground is behind which id in the files that can be read, which pairs share ground, and what
        a meeting decided afterwards.

    Raises
    ------
    ConfigError
        If there are too few nights or records, or `seed` is negative.
    OutputError
        If the folder cannot be written, or is not empty.
    """
    _require_possible(nights, size, seed)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError("the folder is not empty", str(folder), "Name a new folder for the nights.")
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
    except OSError as error:
        raise OutputError(f"the folder cannot be made ({error.strerror})", str(folder)) from error
    try:
        truth = _nights(building, nights, size, seed)
        text = json.dumps(truth, ensure_ascii=False, separators=(",", ":"))
        (building / TRUTH_FILE).write_text(text + "\n", encoding="utf-8", newline="\n")
        for path in sorted(building.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return truth


def _require_possible(nights: int, size: int, seed: int) -> None:
    if nights < 1:
        raise ConfigError("there must be a night at least", "nights", "Ask for 1 or more.")
    if size < LEAST_SIZE:
        raise ConfigError("the nights need more records", "size", f"Ask for {LEAST_SIZE} or more.")
    if seed < 0:
        raise ConfigError("the seed is negative", "seed", "Give 0 or a whole number above it.")


def _nights(folder: Path, nights: int, size: int, seed: int) -> dict[str, Any]:
    """Write all nights into the folder and return the truth about them."""
    chance = [np.random.default_rng(part) for part in np.random.SeedSequence([size, seed, 8]).spawn(3)]
    world = first_world(chance[0], size)
    world.rng = chance[1]
    schedule = Schedule(chance[2], max(1, round(size / 300)))
    grounds: dict[str, dict[str, Any]] = {}
    told = []
    for night in range(1, nights + 1):
        told.append(_night(folder / f"night-{night:02d}", world, schedule, night))
        _remember(grounds, world)
    return {
        "size": size,
        "seed": seed,
        "crs": EQUAL_AREA_CRS,
        "files": {register.file: [register.operator, register.name] for register in REGISTERS},
        "grounds": grounds,
        "nights": told,
    }


def _night(folder: Path, world: World, schedule: Schedule, night: int) -> dict[str, Any]:
    """Let one night happen and write what arrives; return the truth about it."""
    day = FIRST_DAY + (night - 1)
    world.night, world.day = night, int(day.astype(int))
    world.touched, world.happened = set(), []
    missing, cut = schedule.absences(night)
    absent = {row for row, register in enumerate(REGISTERS) if register.operator == missing}
    world.closed = absent if cut is None else absent | {cut}
    before = {ground: area.source_id for ground, area in world.areas.items()}
    schedule.tonight(world)
    folder.mkdir()
    write_registers(folder, [area for area in world.areas.values() if area.register not in absent])
    if cut is not None:
        cut_off(folder / REGISTERS[cut].file)
    write_configuration(folder, str(day))
    arrived = world.arriving()
    return {
        "night": night,
        "day": str(day),
        "folder": folder.name,
        "pure_reissue": is_pure_reissue(night),
        "unchanged": is_unchanged(night),
        "missing": missing,
        "unreadable": REGISTERS[cut].file if cut is not None else None,
        "happened": world.happened,
        "new_ids": {
            ground: [before[ground], area.source_id]
            for ground, area in world.areas.items()
            if before.get(ground, area.source_id) != area.source_id
        },
        "records": {area.ground_id: area.source_id for area in arrived},
        "pairs": [
            {"grounds": [*pair.grounds], "area_m2": pair.shared_m2, "expected_release": pair.expected_release}
            for pair in pairs_of(arrived)
        ],
        "decisions": meet(world),
    }


def _remember(grounds: dict[str, dict[str, Any]], world: World) -> None:
    """Write down the polygons that are new or were drawn again tonight."""
    for ground, area in sorted(world.areas.items()):
        register = REGISTERS[area.register]
        told = grounds.setdefault(
            ground,
            {
                "operator": register.operator,
                "register": register.name,
                "kind": str(register.says),
                "file": register.file,
                "parents": [*world.parents[ground]],
                "polygons": {},
            },
        )
        drawn = shapely.to_wkb(area.polygon, hex=True)
        if not told["polygons"] or [*told["polygons"].values()][-1] != drawn:
            told["polygons"][str(world.night)] = drawn
