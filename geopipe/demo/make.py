"""Make a whole demonstration: deliveries of five operators, and the truth about them."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from geopipe.errors import ConfigError, OutputError

from .attributes import describe, vary_kinds
from .points import make_points
from .records import make_records
from .truth import make_truth
from .writers import write_all

LEAST_SIZE = 150
TRUTH_FILE = "truth.json"


def make_demo(folder: Path, *, size: int = 2000, seed: int = 42) -> dict[str, Any]:
    """Write the deliveries and `truth.json` into a folder.

    The files are built beside the folder and moved into it one by one, `truth.json` last;
    foreign files in the folder stay as they are.

    Parameters
    ----------
    folder : Path
        Where the files go; it is made if it does not exist.
    size : int
        Number of polygon records over all deliveries, about.
    seed : int
        Source of chance: the same size and seed give the same files.

    Returns
    -------
    dict
        The content of `truth.json`. Areas are in m² in the equal-area CRS that it names.

    Raises
    ------
    ConfigError
        If `size` is too small for one scene of each type, or `seed` is negative.
    OutputError
        If the folder cannot be written.
    """
    if size < LEAST_SIZE:
        raise ConfigError("a demonstration needs more polygons", "size", f"Ask for {LEAST_SIZE} or more.")
    if seed < 0:
        raise ConfigError("the seed is negative", "seed", "Give 0 or a whole number above it.")
    chance = [np.random.default_rng(part) for part in np.random.SeedSequence([size, seed]).spawn(3)]
    records = make_records(chance[0], size)
    vary_kinds(chance[1], records)
    attributes = describe(chance[1], records)
    points = make_points(chance[2], records)
    truth = make_truth(records, attributes, points, size=size, seed=seed)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
    except OSError as error:
        raise OutputError(f"the folder cannot be made ({error.strerror})", str(folder)) from error
    try:
        write_all(building, records, attributes, points)
        text = json.dumps(truth, ensure_ascii=False, separators=(",", ":"))
        (building / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")
        _move_in(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return truth


def _move_in(building: Path, folder: Path) -> None:
    """Move each finished file into its place, the truth last."""
    files = sorted(building.iterdir(), key=lambda path: (path.name == TRUTH_FILE, path.name))
    for path in files:
        try:
            path.replace(folder / path.name)
        except OSError as error:
            raise OutputError(
                f"the file cannot be replaced ({error.strerror})",
                str(folder / path.name),
                "Close it where it is open, or name another folder.",
            ) from error
