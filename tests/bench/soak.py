"""Night after night over many polygons of which one in a hundred moves: time, memory and disk of each run.

    python tests/bench/soak.py FOLDER --size 1000000 --nights 5

FOLDER is made and kept: `in` (the demonstration's deliveries), `work`, `out`. Prints a line per night.
"""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import zlib
from pathlib import Path

from measure import MIB, measure

COMMAND = [sys.executable, "-c", "from geopipe.cli.main import main; main()"]
SHARE = 0.01
MOVED_M = 3.0
# Files whose records move, with their layers: together nearly half of all records.
MOVING = {
    "MAG_deliveries.gpkg": ("cha", "clearance"),
    "NPA_CHA.geojson": ("NPA_CHA",),
    "UXO_Lao_CHA_2026.shp": ("UXO_Lao_CHA_2026",),
}
FIRST_DAY = dt.date(2026, 7, 1)
GOOD = (0, 4)  # a file of the demonstration states no CRS


def main() -> None:
    """Make the deliveries, then run night after night."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=1_000_000, help="polygons in all")
    parser.add_argument("--nights", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--move", type=int, metavar="NIGHT", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.move:
        print(move(told.folder / "in", told.move, told.size))
        return
    told.folder.mkdir(parents=True)
    subprocess.run(
        [*COMMAND, "demo", told.folder / "in", "--size", str(told.size), "--seed", str(told.seed), "--quiet"],
        check=True,
    )
    print(f"{told.size:,} polygons, {SHARE:.0%} of them move {MOVED_M:g} m each night")
    print(
        "night    moved   wall_s    cpu_s  peak_mib  work_mib  reuse_mib  arrived_mib  register_mib out_mib"
    )
    for night in range(1, told.nights + 1):
        print(one_night(told.folder, night, told.size), flush=True)


def one_night(folder: Path, night: int, size: int) -> str:
    """Move what moves, run, and return a line of figures."""
    moved = 0
    if night > 1:  # in a process of its own: this one must stay small
        words = [sys.executable, __file__, folder, "--move", str(night), "--size", str(size)]
        moved = int(subprocess.run(words, check=True, capture_output=True).stdout)
    day = FIRST_DAY + dt.timedelta(days=night - 1)
    (folder / "run.yaml").write_text(
        "deliveries:\n  - {path: in, mode: snapshot, assume_crs: 'EPSG:32648'}\n"
        f"workspace: work\noutput: out\ntoday: {day}\n",
        encoding="utf-8",
    )
    took = measure([*COMMAND, "run", str(folder / "run.yaml"), "--quiet"], good=GOOD)
    work = folder / "work"
    reuse = sum(mib(work / name) for name in ("prepared", "pairs", "returns"))
    return (
        f"{night:5}{moved:9,}{took.wall_s:9.1f}{took.cpu_s:9.1f}{took.peak_mib:10,.0f}{mib(work):10,.1f}"
        f"{reuse:11,.1f}{mib(work / 'deliveries'):13,.1f}"
        f"{(work / 'register.sqlite').stat().st_size / MIB:14,.1f}{mib(folder / 'out'):8,.1f}"
    )


def mib(folder: Path) -> float:
    """Return the size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MIB


def move(folder: Path, night: int, size: int) -> int:
    """Move one record in a hundred of all, chosen by night and row; return how many."""
    import pyogrio

    layers = [(folder / file, layer) for file, names in MOVING.items() for layer in names]
    read = [pyogrio.raw.read_arrow(path, layer=layer) for path, layer in layers]
    share = SHARE * size / sum(table.num_rows for _, table in read)
    moved = 0
    for (path, layer), (meta, table) in zip(layers, read, strict=True):
        changed, number = shifted(table, meta, share, night)
        first = path.suffix != ".gpkg" or layer == MOVING[path.name][0]
        if first:
            path.unlink()
        pyogrio.raw.write_arrow(
            changed, path, layer=layer, driver=meta_driver(path), geometry_name="geometry",
            geometry_type=meta["geometry_type"], crs=meta["crs"], append=not first,
            **({"layer_options": {"COORDINATE_PRECISION": "15"}} if path.suffix == ".geojson" else {}),
        )  # fmt: skip
        moved += number
    return moved


def meta_driver(path: Path) -> str:
    """Return the driver that writes a file."""
    return {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}[path.suffix]


def shifted(table: object, meta: dict[str, object], share: float, night: int) -> tuple[object, int]:
    """Return a table with some of its polygons moved a little to the east, and how many they are."""
    import numpy as np
    import pyarrow as pa
    import pyproj
    import shapely

    name = meta["geometry_name"] or "wkb_geometry"
    polygons = shapely.from_wkb(table[name].to_numpy(zero_copy_only=False))
    chosen = np.array([zlib.crc32(f"{night} {row}".encode()) < share * 2**32 for row in range(len(polygons))])
    chosen &= ~shapely.is_missing(polygons)
    step = MOVED_M / 111_000 if pyproj.CRS(meta["crs"]).is_geographic else MOVED_M
    polygons[chosen] = shapely.transform(polygons[chosen], lambda xy: xy + np.array([step, 0.0]))
    plain = table.drop_columns([name, *(n for n in ("OGC_FID", "fid") if n in table.column_names)])
    return plain.append_column("geometry", pa.array(shapely.to_wkb(polygons), pa.binary())), int(chosen.sum())


if __name__ == "__main__":
    main()
