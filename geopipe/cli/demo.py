"""`geopipe demo`: deliveries with known truth, to try everything on."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


@click.command("demo")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--size",
    metavar="N",
    type=click.IntRange(200, 2_000_000),
    help="About how many polygons in all deliveries together.  [default: 2000, a night 600]",
)
@click.option(
    "--seed", metavar="S", type=int, default=42, show_default=True, help="The same seed makes the same files."
)
@click.option(
    "--faults",
    is_flag=True,
    help="Instead many small deliveries: each known fault in each format that can hold it.",
)
@click.option(
    "--nights",
    metavar="N",
    type=click.IntRange(1, 366),
    help="Instead N nights of whole registers: ids change, areas are redrawn, split, withdrawn and more.",
)
@options.json_option
@options.quiet_option
def demo_command(
    folder: Path, size: int | None, seed: int, faults: bool, nights: int | None, as_json: bool, quiet: bool
) -> None:
    """Make demo deliveries of five operators in DIR, with the truth about them in DIR/truth.json.

    With --faults DIR must be new or empty; it gets one folder for each format. With --nights, too; it gets
    one folder for each night, each with its run.yaml, and the truth in DIR/nights.json.

    \b
    Examples:
      geopipe demo demo
      geopipe demo big --size 100000 --seed 7
      geopipe demo faults --faults
      geopipe demo nights --nights 30
    """  # fmt: skip
    if faults and nights:
        raise click.UsageError("--faults and --nights are two different demonstrations: give one of them.")
    if faults:
        _make_faults(folder, seed, as_json, quiet)
    elif nights:
        _make_nights(folder, nights, size or 600, seed, as_json, quiet)
    else:
        _make_deliveries(folder, size or 2000, seed, as_json, quiet)


def _make_faults(folder: Path, seed: int, as_json: bool, quiet: bool) -> None:
    """Make deliveries with one fault each."""
    from geopipe.demo.faults import make_fault_demo

    truth = make_fault_demo(folder, seed=seed)
    if as_json:
        counts = {item["file"]: item["records"] for item in truth["deliveries"]}
        told = {"files": counts, "not_possible": truth["not_possible"]}
        answer(told, "demo-faults")
    elif not quiet:
        formats = len({item["format"] for item in truth["deliveries"]})
        click.echo(f"{len(truth['deliveries']):,} deliveries in {formats} formats in {folder}")
        click.echo(f"Now try: geopipe compare {shlex.quote(str(folder / 'geojson'))} -o out")


def _make_nights(folder: Path, nights: int, size: int, seed: int, as_json: bool, quiet: bool) -> None:
    """Make registers that are delivered night after night."""
    from geopipe.demo.nights import make_night_demo

    truth = make_night_demo(folder, nights=nights, size=size, seed=seed)
    if as_json:
        names = ("night", "day", "folder", "pure_reissue", "unchanged", "missing", "unreadable")
        told = [
            {**{name: night[name] for name in names}, "records": len(night["records"])}
            for night in truth["nights"]
        ]
        answer(told, "demo-nights")
    elif not quiet:
        first = truth["nights"][0]
        records, pairs = len(first["records"]), len(first["pairs"])
        click.echo(f"{nights} nights in {folder}; the first has {records:,} records and {pairs:,} overlaps")
        click.echo(
            f"Now try, night after night: geopipe run {shlex.quote(str(folder / 'night-01' / 'run.yaml'))}"
        )


def _make_deliveries(folder: Path, size: int, seed: int, as_json: bool, quiet: bool) -> None:
    """Make the deliveries that are compared with each other."""
    from geopipe.demo import make_demo

    truth = make_demo(folder, size=size, seed=seed)
    if as_json:
        answer({"files": truth["files"], "records": truth["records"]})
    elif not quiet:
        records = sum(item["records"] for item in truth["files"].values())
        click.echo(f"{len(truth['files'])} deliveries with {records:,} records in {folder}")
        click.echo(f"Now try: geopipe compare {shlex.quote(str(folder))} -o out")
