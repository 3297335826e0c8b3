"""Who is measured, at what, and how each is called. One list: to measure another variant, add a line."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

GEOPIPE = str(Path(sys.executable).with_name("geopipe"))
PEERS = Path(__file__).with_name("peers")
POSTGIS = "GEOPIPE_BENCH_POSTGIS"
ASSUMED_CRS = "EPSG:32648"
LEFT_OUT = 4  # geopipe's exit code where a file was left out: the demo has one of points alone


def nothing(_work: Path) -> None:
    """Need no preparation."""


@dataclass(frozen=True)
class Contestant:
    """A command over a work folder that `prepare.py` made, and the file in which it leaves its pairs."""

    name: str
    arguments: Callable[[Path], Sequence[str]]
    pairs: str | None = None
    good: tuple[int, ...] = (0,)
    before: Callable[[Path], None] = nothing
    needs: str = ""
    """Package, or environment variable, without which it cannot run."""

    @property
    def missing(self) -> str:
        """Why it cannot run here; empty if it can."""
        if not self.needs or self.needs in os.environ or importlib.util.find_spec(self.needs.lower()):
            return ""
        return f"{self.needs} is not there"


def _peer(name: str, script: str, needs: str = "") -> Contestant:
    return Contestant(
        name,
        lambda work: [
            sys.executable,
            str(PEERS / script),
            str(work / "clean.gpkg"),
            str(work / f"{script}.gpkg"),
        ],
        pairs=f"{script}.gpkg",
        needs=needs,
    )


def _compare(name: str, source: str, *options: str, pairs: str | None = None) -> Contestant:
    """`geopipe compare` of a file or folder of the work folder."""

    def arguments(work: Path) -> list[str]:
        return [GEOPIPE, "compare", str(work / source), "-o", str(work / "compared" / name), "-q", *options]

    return Contestant(name, arguments, pairs and f"compared/{name}/{pairs}", good=(0, LEFT_OUT))


def _run(name: str, before: Callable[[Path], None]) -> Contestant:
    return Contestant(
        name,
        lambda work: [GEOPIPE, "run", str(work / "run.yaml"), "--quiet"],
        good=(0, LEFT_OUT),
        before=before,
    )


def _fresh(work: Path) -> None:
    """Nothing was ever run: the demo as it was first delivered, no workspace."""
    for folder in ("run", "inbox"):
        shutil.rmtree(work / folder, ignore_errors=True)
    shutil.copytree(work / "demo", work / "inbox")
    (work / "run.yaml").write_text(
        f"deliveries: [{{path: inbox, assume_crs: '{ASSUMED_CRS}'}}]\n"
        "workspace: run/work\noutput: run/out\ntoday: 2026-06-01\n",
        encoding="utf-8",
    )


def _deliver_again(work: Path) -> None:
    """One file came again, with one per cent of all records moved."""
    for path in (work / "changed").iterdir():
        shutil.copy(path, work / "inbox")


CLEAN_OPTIONS = ("--operator-field", "operator", "--kind-field", "kind", "--id-field", "id")
FLOOR = _peer("floor (told the pairs)", "floor.py")
SEDONADB = _peer("SedonaDB", "sedonadb_join.py", needs="sedonadb")
OVERLAPS_CLEAN = _compare(
    "geopipe compare --layers overlaps, clean file", "clean.gpkg", *CLEAN_OPTIONS, "--layers", "overlaps",
    pairs="geopipe.gpkg",
)  # fmt: skip

# The bare join: one clean file, one CRS; pairs of different operators and one kind, shared ground, area.
BARE_JOIN = (
    FLOOR,
    _peer("shapely by hand", "shapely_by_hand.py"),
    _peer("geopandas sjoin", "geopandas_sjoin.py"),
    _peer("geopandas.overlay", "geopandas_overlay.py"),
    _peer("DuckDB spatial", "duckdb_spatial.py", needs="duckdb_extension_spatial"),
    SEDONADB,
    _peer("PostGIS, load and export", "postgis_join.py", needs=POSTGIS),
    OVERLAPS_CLEAN,
)

OVERLAPS = _compare(
    "geopipe compare --layers overlaps", "demo", "--assume-crs", ASSUMED_CRS, "--layers", "overlaps"
)
EVERYTHING = _compare("geopipe compare", "demo", "--assume-crs", ASSUMED_CRS)
HELP = Contestant("geopipe --help", lambda _work: [GEOPIPE, "--help"])

# The real job: the demo as delivered: many files, formats and CRSs, invalid rings.
REAL_JOB = (
    Contestant(
        "geopandas script",
        lambda work: [
            sys.executable, "-W", "ignore", str(PEERS / "geopandas_script.py"), str(work / "demo"),
            str(work / "geopandas_script.gpkg"),
        ],
    ),
    OVERLAPS,
    EVERYTHING,
    _run("geopipe run, the first time", before=_fresh),
    _run("geopipe run, nothing changed", before=nothing),
    _run("geopipe run, 1 % changed", before=_deliver_again),
    HELP,
)  # fmt: skip
