"""What becomes of damaged files: each format, cut at many places and with single bits turned over.

A file may be refused, quarantined, or read with a word on what is wrong. Where its count is exact it never
loses records in silence. Changed values in silence are counted honestly: most formats carry no checksum.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from reading_fixtures import read, shapefile_parts, write, zipped
from test_lao_text import esri, geoparquet, gpx, imsma, table_of, workbook

from geopipe.io import formats
from geopipe.io.delivery import RawDelivery
from geopipe.terms import CountMethod

RECORDS = 60
FAILURES = {"READER_FAILED", "READER_CRASHED", "TIME_LIMIT"}
OUTCOMES = (
    "refused",
    "quarantined",
    "told",
    "told, fewer records",
    "unharmed",
    "SILENT CHANGE",
    "SILENT LOSS",
    "FAILED",
)
# A file is damaged at this many places by each of the two ways; the slow test does it at more.
EACH, EACH_SLOWLY = 25, 200


def polygons() -> list[shapely.Polygon]:
    made = np.random.default_rng(1)
    centres = made.uniform((102, 17), (104, 19), (RECORDS, 2))
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return [shapely.Polygon(centre + circle * made.uniform(0.001, 0.01)) for centre in centres]


def data() -> pa.Table:
    columns: dict[str, Any] = {
        "id": [f"CHA-{number:05d}" for number in range(RECORDS)],
        "kind": ["CHA", "SHA", "cleared"] * (RECORDS // 3),
        "area_m2": [1000.5 + number for number in range(RECORDS)],
        "village": ["ບ້ານໂພນສະຫວັນ"] * RECORDS,
    }
    return pa.table(columns | {"geometry": pa.array(shapely.to_wkb(polygons()), pa.binary())})


def gdal(driver: str, **more: Any) -> Callable[[Path], Path]:
    return lambda path: write(path, driver, data=data(), **more)


def zipped_shapefile(path: Path) -> Path:
    inside = gdal("ESRI Shapefile", encoding="UTF-8")(path.parent / "inside.shp")
    zipped(path, shapefile_parts(inside, "areas"))
    for part in path.parent.glob("inside.*"):
        part.unlink()
    return path


@pytest.fixture(autouse=True)
def larger_fixtures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the makers of the Lao texts write this file's records."""
    import test_lao_text

    monkeypatch.setattr(test_lao_text, "VALUES", [f"ບ້ານ {number}" for number in range(RECORDS)])
    monkeypatch.setattr(test_lao_text, "squares", lambda _count: polygons())
    monkeypatch.setattr(test_lao_text, "data", data)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "areas.shp": gdal("ESRI Shapefile", encoding="UTF-8"),
    "areas.zip": zipped_shapefile,
    "areas.gpkg": gdal("GPKG"),
    "areas.gdb": gdal("OpenFileGDB", geometry_type="MultiPolygon"),
    "areas.fgb": gdal("FlatGeobuf"),
    "areas.geojson": gdal("GeoJSON"),
    "areas.geojsonl": gdal("GeoJSONSeq"),
    "areas.kml": gdal("LIBKML"),
    "areas.csv": table_of("utf-8"),
    "areas.parquet": geoparquet,
    "esri.json": lambda path: esri(path, False),
    "areas.gpx": gpx,
    "geospatialinfo.csv": imsma,
}
if hasattr(formats.Format, "WORKBOOK"):
    MAKERS["areas.xlsx"] = workbook


def rows_of(delivery: RawDelivery) -> list[tuple[str, tuple[Any, ...]]]:
    """Return every record of a delivery with all its values, sorted."""
    return sorted(
        (f"{layer.name} {layer.crs_name}", tuple(map(str, row.values())))
        for layer in delivery.layers
        for row in layer.table.drop_columns(["row"]).to_pylist()
    )


def told(delivery: RawDelivery) -> Counter[str]:
    """Return what a delivery says about itself: notes, reasons, and records without a place."""
    words = Counter(note.code for layer in delivery.layers for note in layer.notes)
    for layer in delivery.layers:
        words["null geometry"] += layer.table["geometry"].null_count
        if "geometry_problem" in layer.table.column_names:
            words["trouble"] += len(layer.table) - layer.table["geometry_problem"].null_count
    return words


def outcome(delivery: RawDelivery, before: RawDelivery) -> str:
    """Return what became of a damaged file, as one of OUTCOMES."""
    problems = [delivery.problem, *(layer.problem for layer in delivery.layers)]
    if any(problem and problem.code in FAILURES for problem in problems):
        return "FAILED"
    if delivery.problem:
        return "refused"
    if any(problems):
        return "quarantined"
    now, then = rows_of(delivery), rows_of(before)
    is_told = bool(told(delivery) - told(before))
    if len(now) != len(then):
        return "told, fewer records" if is_told else "SILENT LOSS"
    if is_told:
        return "told"
    return "unharmed" if now == then else "SILENT CHANGE"


def files_of(path: Path) -> list[Path]:
    """Return every file that belongs to a delivery."""
    if path.is_dir():
        return sorted(part for part in path.iterdir() if part.stat().st_size)
    if path.name == "geospatialinfo.csv":
        return sorted(path.parent.glob("*.csv"))
    return sorted(path.parent.glob(f"{path.stem}.*"))


def damaged(path: Path, how: str, chance: random.Random) -> str:
    """Cut a delivery or turn one bit of it over, at a place where each byte has the same chance."""
    files = files_of(path)
    (part,) = chance.choices(files, [file.stat().st_size for file in files])
    content = bytearray(part.read_bytes())
    at = chance.randrange(len(content))
    if how == "cut":
        del content[at:]
    else:
        content[at] ^= 1 << chance.randrange(8)
    part.write_bytes(content)
    return f"{part.name} at byte {at:,}"


def table_of_damage(folder: Path, name: str, each: int) -> tuple[Counter[str], list[str], set[CountMethod]]:
    """Return how many damaged copies of one format ended how, and the place of each silent one."""
    original = folder / "original"
    original.mkdir()
    path = MAKERS[name](original / name)
    before = read(path)
    shutil.rmtree(path.parent / ".work")
    assert before.problem is None, before.problem
    assert [layer.problem for layer in before.layers] == [None] * len(before.layers)
    counts: Counter[str] = Counter()
    silent = []
    chance = random.Random(f"damage of {name}")
    for how in ("cut", "bit"):
        for number in range(each):
            copy = folder / f"{how}{number}"
            shutil.copytree(original, copy)
            place = damaged(copy / path.relative_to(original), how, chance)
            result = outcome(read(copy / path.relative_to(original)), before)
            counts[result] += 1
            if result.isupper():
                silent.append(f"{name}, {how}, {place}: {result}")
            shutil.rmtree(copy)
    return counts, silent, {layer.count_method for layer in before.layers}


REPORT: dict[str, tuple[Counter[str], set[CountMethod]]] = {}


def check(folder: Path, name: str, each: int) -> None:
    counts, silent, methods = table_of_damage(folder, name, each)
    REPORT[name] = counts, methods
    print("\n" + "\n".join(silent))
    assert sum(counts.values()) == 2 * each
    assert counts["FAILED"] == 0, silent
    if methods == {CountMethod.EXACT}:
        assert counts["SILENT LOSS"] == 0, silent


@pytest.mark.parametrize("name", MAKERS)
def test_damage_is_never_a_silent_loss_where_the_count_is_exact(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, EACH)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_damage_at_many_places(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, EACH_SLOWLY)


def test_the_table_of_damage_is_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not REPORT:
        pytest.skip("the table needs the tests before it")
    head = ["file", "count", *OUTCOMES]
    rows = [
        [name, "/".join(sorted(map(str, methods))), *(str(counts[word]) for word in OUTCOMES)]
        for name, (counts, methods) in REPORT.items()
    ]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]
    ]
    path = tmp_path_factory.getbasetemp() / "damage.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n" + path.read_text("utf-8"), path)
    assert len(rows) >= 9 or len(REPORT) < len(MAKERS)
