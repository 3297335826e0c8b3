"""The report of a benchmark as Markdown: tables, targets, agreement."""

from __future__ import annotations

import datetime as dt
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import psutil
from contestants import EVERYTHING, FLOOR, HELP, OVERLAPS, OVERLAPS_CLEAN, SEDONADB
from measure import Measured

PACKAGES = ("geopipe", "shapely", "geopandas", "pyogrio", "pyarrow", "duckdb", "sedonadb")
MEMORY_MIB = {100_000: 400, 1_000_000: 1536}


@dataclass(frozen=True)
class Bench:
    """What was measured at one size."""

    counts: dict[str, int]
    joined: dict[str, list[Measured]]
    """The bare join, round by round, by contestant."""
    done: dict[str, list[Measured]]
    """The real job."""
    stages: list[list[dict[str, Any]]]
    """One comparison stage by stage, round by round."""
    alone: list[list[dict[str, Any]]]
    """Each stage by itself, over all records at once."""
    agreement: dict[str, Any]
    left_out: dict[str, str]

    def median(self, name: str, figure: str = "wall_s") -> float | None:
        """Return the median of a figure over the rounds; None for who did not run."""
        rounds = (self.joined | self.done).get(name)
        return statistics.median(getattr(taken, figure) for taken in rounds) if rounds else None

    def by_itself(self, name: str, figure: str) -> float | None:
        """Return the median of a figure of one stage by itself."""
        return middle(self.alone, name, figure)


def middle(rounds: Sequence[Sequence[dict[str, Any]]], name: str, figure: str) -> float | None:
    """Return the median of a figure of one stage over the rounds."""
    values = [row[figure] for taken in rounds for row in taken if row["stage"] == name]
    return statistics.median(values) if values else None


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, its first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def render(benches: Sequence[Bench], rounds: int, day: dt.date, others_share: float) -> str:
    """Return the whole report; `others_share` of the CPU time meanwhile went to other programs."""
    parts = [f"# How fast: {day.isoformat()}", machine(rounds), quiet(others_share)]
    for one in benches:
        parts += section(one)
    if len(benches) > 1:
        parts.append("## Growth\n\n" + growth(benches))
    return "\n\n".join(parts) + "\n"


def machine(rounds: int) -> str:
    """Describe what it ran on."""
    memory_gib = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return (
        f"{psutil.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()}, Python "
        f"{platform.python_version()}; {versions}. Medians; rounds: {rounds}, all in turn; whole processes, "
        "start and imports included; CPU is user and system of all its processes, memory the most that they "
        "held together. The floor is told which pairs share ground: it reads, decodes, intersects and writes."
    )


def quiet(others_share: float) -> str:
    """Say how far seconds of wall can be believed."""
    if others_share < 0.05:
        return "The machine was quiet."
    return (
        f"**The machine was not quiet**: {others_share:.0%} of its CPU time went elsewhere, to other "
        "programs, a database server that was measured, or other machines on the same hardware. Believe "
        "seconds of CPU more than those of wall."
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not there"


def section(one: Bench) -> list[str]:
    """Return the tables of one size."""
    counts = one.counts
    parts = [
        f"## {counts['records']:,} records",
        f"### The bare join\n\nOne clean GeoPackage, one equal-area CRS: {counts['polygons']:,} polygons, "
        f"{counts['pairs']:,} pairs of different operators and one kind that share ground; intersections and "
        "areas into a GeoPackage.",
        contest(one, one.joined),
        "### The real job\n\nThe demo as delivered: files of several formats and CRSs, one stating none, "
        f"invalid rings, repeats; {counts['all_pairs']:,} pairs of any operators and kinds share ground.",
        contest(one, one.done),
    ]
    if one.left_out:
        parts.append("\n".join(f"- Not run: {name} ({why})." for name, why in one.left_out.items()))
    return [
        *parts,
        "### Stage by stage",
        stages("`geopipe compare`", one.stages),
        stages("each stage by itself", one.alone),
        "### Targets",
        targets(one),
        "### Agreement",
        agreement(one),
    ]


def contest(one: Bench, taken: dict[str, list[Measured]]) -> str:
    """Return one row per contestant, with its ratios to the floor."""
    floor_wall, floor_cpu = one.median(FLOOR.name), one.median(FLOOR.name, "cpu_s")
    rows = []
    for name, rounds in taken.items():
        wall, cpu = one.median(name), one.median(name, "cpu_s")
        spread = f"{min(r.wall_s for r in rounds):.2f}–{max(r.wall_s for r in rounds):.2f}"
        rows.append(
            [
                name, _number(wall), spread, _ratio(wall, floor_wall), _number(cpu), _ratio(cpu, floor_cpu),
                f"{max(r.peak_mib for r in rounds):,.0f}",
            ]
        )  # fmt: skip
    return table(["", "wall s", "from–to", "÷ floor", "CPU s", "÷ floor", "peak MiB"], rows)


def stages(what: str, rounds: Sequence[Sequence[dict[str, Any]]]) -> str:
    """Return one row per stage."""
    if not rounds:
        return "Not measured: geopipe did not run."
    figures = [name for name in ("wall_s", "cpu_s", "peak_mib") if name in rounds[0][0]]
    titles = {"wall_s": "wall s", "cpu_s": "CPU s", "peak_mib": "peak MiB of the main process"}
    rows = [
        [row["stage"], *(_number(middle(rounds, row["stage"], figure)) for figure in figures)]
        for row in rounds[0]
    ]
    return table([what, *(titles[figure] for figure in figures)], rows)


def targets(one: Bench) -> str:
    """Return what was asked for beside what was measured."""
    size = min(MEMORY_MIB, key=lambda known: abs(known - one.counts["records"]))
    asked: list[tuple[str, Callable[[str], float | None], float | None]] = [
        (
            "`--layers overlaps` on the clean file ÷ SedonaDB",
            lambda figure: _by(one.median(OVERLAPS_CLEAN.name, figure), one.median(SEDONADB.name, figure)),
            1.0,
        ),
        (
            "`--layers overlaps` on the deliveries ÷ SedonaDB",
            lambda figure: _by(one.median(OVERLAPS.name, figure), one.median(SEDONADB.name, figure)),
            1.0,
        ),
        (
            "`geopipe compare` ÷ floor",
            lambda figure: _by(one.median(EVERYTHING.name, figure), one.median(FLOOR.name, figure)),
            6.0,
        ),
        (
            "gaps ÷ overlaps",
            lambda figure: _by(
                one.by_itself("overlaps: gaps", figure), one.by_itself("overlaps: overlaps", figure)
            ),
            1.0,
        ),
        (
            "checks ÷ reading",
            lambda figure: _by(one.by_itself("check", figure), one.by_itself("read", figure)),
            None,
        ),
        ("`geopipe --help`: s", lambda figure: one.median(HELP.name, figure), 0.3),
    ]
    rows = [_target(what, value("wall_s"), value("cpu_s"), most) for what, value, most in asked]
    peak_mib = one.median(EVERYTHING.name, "peak_mib")
    rows.append(
        _target(f"`geopipe compare`: MiB (asked at {size:,} records)", peak_mib, None, MEMORY_MIB[size])
    )
    return table(["", "measured", "by CPU", "asked", "met"], rows)


def _target(what: str, measured: float | None, by_cpu: float | None, most: float | None) -> list[str]:
    met = "" if most is None or measured is None else ("yes" if measured <= most else "**no**")
    return [what, _number(measured), _number(by_cpu), "" if most is None else f"≤ {most:g}", met]


def agreement(one: Bench) -> str:
    """Say how far each engine's pairs and areas are those of geopipe."""
    if not one.agreement:
        return "Not compared: geopipe did not run."
    rows = [
        [
            name, f"{told['pairs']:,}", f"{told['in_both']:,}", _reasons(told["engine_only"]),
            _reasons(told["geopipe_only"]), f"{told['max_difference_m2']:.1e}",
        ]
        for name, told in one.agreement["peers"].items()
    ]  # fmt: skip
    head = ["", "pairs", "in both", "only there", "only in geopipe", "greatest difference m²"]
    ours = one.agreement["geopipe"]
    listed = [
        f"- {name}: pair {row['pair']}, {row['area_m2']} m², not explained"
        for name, told in one.agreement["peers"].items()
        for row in told["not_explained"]
    ]
    said = f"geopipe: {ours['pairs']:,} pairs, {ours['area_m2'] / 1e4:,.2f} ha."
    return "\n\n".join([said, table(head, rows), *(["\n".join(listed)] if listed else [])])


def _reasons(counts: dict[str, int]) -> str:
    return "; ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "0"


def growth(benches: Sequence[Bench]) -> str:
    """Return the time for each polygon and pair, and how it grows over the smallest size."""
    first = min(benches, key=lambda one: one.counts["records"])

    def each_us(one: Bench, name: str, figure: str) -> float | None:
        return _by(one.median(name, figure), 1e-6 * (one.counts["polygons"] + one.counts["all_pairs"]))

    rows = []
    for name in (OVERLAPS.name, EVERYTHING.name):
        for one in benches:
            row = [name, f"{one.counts['records']:,}"]
            for figure in ("wall_s", "cpu_s"):
                each = each_us(one, name, figure)
                row += [_number(each), _ratio(each, each_us(first, name, figure))]
            rows.append(row)
    head = ["µs for each polygon and pair", "records", "wall", "÷ smallest", "CPU", "÷ smallest"]
    return f"{table(head, rows)}\n\nAsked: at most 1.3 from 100,000 to 1,000,000."


def _by(value: float | None, by: float | None) -> float | None:
    return None if value is None or not by else value / by


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def _ratio(value: float | None, by: float | None) -> str:
    return _number(_by(value, by))
