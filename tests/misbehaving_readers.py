"""Readers that misbehave, for tests of how deliveries are prepared; run in a reader process."""

import os
from pathlib import Path

from geopipe.io.delivery import ReadLimits
from geopipe.io.sources import Source
from geopipe.preparation.one import Prepared, Task, prepare_source


def dies_of_bad_files(source: Source, folder: Path, limits: ReadLimits, task: Task) -> Prepared:
    if "bad" in source.path.name:
        os._exit(11)
    return prepare_source(source, folder, limits, task)


def has_a_fault_over_bad_files(source: Source, folder: Path, limits: ReadLimits, task: Task) -> Prepared:
    if "bad" in source.path.name:
        raise ZeroDivisionError("areas per hectare")
    return prepare_source(source, folder, limits, task)


def takes_all_memory_for_bad_files(source: Source, folder: Path, limits: ReadLimits, task: Task) -> Prepared:
    prepared = prepare_source(source, folder, limits, task)
    if "bad" in source.path.name:
        bytearray(4 << 30)
    return prepared


def cannot_open(source: Source, folder: Path, limits: ReadLimits, task: Task) -> Prepared:
    """A drive that does not answer just now."""
    from geopipe.io import child

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    child._read = fail  # type: ignore[assignment]
    return prepare_source(source, folder, limits, task)
