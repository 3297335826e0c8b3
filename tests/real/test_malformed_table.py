"""Every malformed file of other projects: used, returned, or refused with a sentence; and a table of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geopipe.io.delivery import Problem, RawDelivery, ReadLimits
from geopipe.io.formats import Format, format_of
from geopipe.io.sources import Source, find_sources
from geopipe.io.vector import read_sources

pytestmark = pytest.mark.real

FAILURES = {"READER_FAILED", "READER_CRASHED", "TIME_LIMIT"}
OUTCOMES = {"used", "used in part", "returned", "refused", "no record"}
# Parts of other files, and papers about the files.
NOT_FILES = {".dbf", ".shx", ".prj", ".cpg", ".gfs", ".md", ".rst", ".qmd", ".qpj", ".cst"}


def files_of(folder: Path) -> list[Path]:
    """Return every file that a sender could mean by itself, whatever its suffix."""
    inside = {path for gdb in folder.rglob("*.gdb") for path in gdb.rglob("*")}
    return sorted(
        path
        for path in folder.rglob("*")
        if (path.is_dir() and format_of(path.name) is Format.FILEGDB)
        or (path.is_file() and path not in inside and path.suffix.lower() not in NOT_FILES)
    )


def sentences(delivery: RawDelivery) -> list[Problem]:
    own = [delivery.problem] if delivery.problem else []
    return own + [layer.problem for layer in delivery.layers if layer.problem]


def outcome(delivery: RawDelivery) -> tuple[str, int, int, str]:
    """Return what became of a file, its records in all and those with a place, and the codes that say why."""
    codes = ", ".join(sorted({problem.code for problem in sentences(delivery)}))
    rows = sum(layer.table.num_rows for layer in delivery.layers)
    placed = sum(layer.table.num_rows - layer.table["geometry"].null_count for layer in delivery.layers)
    if delivery.problem or (sentences(delivery) and not rows):
        return "refused", delivery.records_counted or 0, 0, codes
    if rows == 0:
        return "no record", 0, 0, codes
    if placed == 0:
        return "returned", rows, 0, codes
    return ("used" if placed == rows and not codes else "used in part"), rows, placed, codes


@pytest.fixture(scope="module")
def malformed(real_data: Path) -> Path:
    folder = real_data / "malformed"
    if not folder.is_dir():
        pytest.skip(f"the malformed files are not here: {folder}")
    return folder


@pytest.fixture(scope="module")
def deliveries(malformed: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RawDelivery]:
    sources: list[Source] = find_sources(files_of(malformed))
    return list(read_sources(sources, tmp_path_factory.mktemp("work"), 2, ReadLimits(seconds=120)))


def test_each_file_ends_as_used_returned_or_refused_with_a_sentence(
    deliveries: list[RawDelivery], malformed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert len(deliveries) > 100
    lines = []
    for delivery in deliveries:
        word, rows, placed, codes = outcome(delivery)
        assert word in OUTCOMES
        name = delivery.path.relative_to(malformed).as_posix()
        lines.append(f"{name:75} {word:13} {rows:7,} {placed:7,}  {codes}")
        for problem in sentences(delivery):
            assert problem.code not in FAILURES, problem
            assert problem.sentence.endswith((".", "?")), problem
            assert "Traceback" not in problem.sentence
            assert "/tmp" not in problem.sentence, problem
    path = tmp_path_factory.getbasetemp() / "malformed.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n" + path.read_text("utf-8"), path)


def test_each_record_is_there_or_accounted_for(deliveries: list[RawDelivery]) -> None:
    for delivery in deliveries:
        for layer in delivery.layers:
            rows = layer.table.num_rows
            assert layer.problem is None or rows == 0
            assert layer.problem or layer.records_counted in (None, rows), (delivery.path, layer.name)
            numbers = layer.table["row"].to_numpy()
            assert (np.diff(numbers) > 0).all(), (delivery.path, layer.name)


def test_records_without_a_place_are_few_or_explained(deliveries: list[RawDelivery]) -> None:
    """A place that the file states and the reader lost would show as null without a reason."""
    lost = []
    for delivery in deliveries:
        for layer in delivery.layers:
            table = layer.table
            if delivery.path.suffix not in (".geojson", ".json") or not table.num_rows:
                continue
            text = delivery.path.read_text("utf-8", "replace")
            if '"geometry"' not in text:
                continue
            reasons = table["geometry_problem"] if "geometry_problem" in table.column_names else None
            missing = table["geometry"].null_count
            explained = 0 if reasons is None else len(reasons) - reasons.null_count
            if missing > explained + text.count("null"):
                lost.append((delivery.path.name, missing, explained))
    assert lost == []
