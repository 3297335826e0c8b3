"""What commands show: progress and sentences on stderr, results on stdout."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli.answers import answer
from geopipe.plain import plain

if TYPE_CHECKING:
    from geopipe.config import Config, DeliverySpec
    from geopipe.pipeline import Result
    from geopipe.schema import State

_STAGES = {
    "ingest": "Reading the deliveries",
    "validate": "Checking every record",
    "reproject": "Bringing all into one coordinate system",
    "locate": "Finding provinces and districts",
    "check": "Asking what cannot be",
    "deduplicate": "Looking for duplicates and older versions",
    "history": "Comparing with earlier deliveries",
    "cases": "Following the cases",
    "index": "Building the index",
    "overlaps": "Measuring overlaps",
    "publish": "Writing the results",
}


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show the stage at work on a terminal; nothing where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _stage: None
        return
    from rich.console import Console

    with Console(stderr=True).status("Starting") as status:
        yield lambda stage: status.update(_STAGES.get(stage, stage))


def show_result(result: Result, *, quiet: bool, as_json: bool, config: Config | None = None) -> None:
    """Print problems, then the first screen or the summary."""
    show_problems(result.summary, config)
    if result.outputs:
        from geopipe.reports.publish import GEOPACKAGE

        say_beside(result.outputs[0].with_name(GEOPACKAGE), result.outputs[0])
    if as_json:
        answer(result.summary, "summary")
    elif not quiet:
        from geopipe.reports.screen import first_screen

        click.echo(first_screen(result.summary, [str(path) for path in result.outputs]))


def show_stage(stage: str, state: State, *, quiet: bool, as_json: bool) -> None:
    """Print what a stage has made, in one line or as JSON."""
    counts = {
        "areas": len(state.features),
        "points_and_lines": len(state.reference),
        "set_aside": len(state.duplicates),
        "returned": len(state.rejected),
        "findings": len(state.findings),
        "pairs": len(state.overlaps),
    }
    if as_json:
        answer({"stage": stage, **counts}, "stage")
    elif not quiet:
        parts = (f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        click.echo(f"{stage}: {', '.join(parts)}")


def show_problems(summary: dict[str, Any], config: Config | None = None) -> None:
    """Print one sentence for each file that was left out, and the whole command that would help."""
    suggestions = []
    for delivery in summary["deliveries"]:
        for proposal in delivery["proposals"]:
            click.echo(plain(f"{delivery['file']}: {proposal['sentence']}"), err=True)
            if proposal["correction"]:
                found = delivery["file"], proposal["code"], proposal["correction"]
                click.echo(f"    {confirm_command(*found, config)}", err=True)
    for delivery in summary["deliveries"]:
        for problem in delivery["problems"]:
            click.echo(plain(problem["sentence"]), err=True)
        suggestions += [delivery["suggestion"]] if delivery["suggestion"] else []
    if sys.argv[1:2] not in (["compare"], ["ingest"]):
        for suggestion in dict.fromkeys(suggestions):
            option, value = suggestion.removeprefix("--").replace("-", "_").split(" ", 1)
            click.echo(f"    In the configuration, below this delivery: {option}: {value}", err=True)
        return
    for suggestion in dict.fromkeys(suggestions):
        click.echo(f"    {shlex.join(['geopipe', *sys.argv[1:]])} {suggestion}", err=True)


def confirm_command(file: str, code: str, correction: str, config: Config | None) -> str:
    """Return the whole command that would confirm a proposal, with what the run was told of the delivery."""
    path, known = _delivered(file, config)
    words = ["geopipe", "confirm", path, "--correction", correction]
    # What only a comparison with other deliveries shows, this file alone does not.
    words += ["--rows", "all"] if code == "DATUM_SUSPECTED" else []
    for option, value in (
        ("--profile", known and known.profile),
        ("--assume-crs", known and known.assume_crs),
    ):
        words += [option, value] if value else []
    kept = config.confirmations if config else None
    if kept is not None and kept.absolute() != Path(kept.name).absolute():
        words += ["--confirmations", str(kept)]
    return f'{shlex.join(words)} --by "YOUR NAME"'


def _delivered(file: str, config: Config | None) -> tuple[str, DeliverySpec | None]:
    """Return the path of a delivered file as it can be typed, and what was said of it."""
    from geopipe.io.sources import find_sources

    parts = Path(file).parts
    for known in config.deliveries if config else ():
        for source in find_sources([known.path]):
            if source.path.parts[-len(parts) :] == parts:
                return str(source.path), known
    return file, None


def say_beside(asked: Path, written: Path) -> None:
    """Say that a file has got another name, because the earlier one is open in another program."""
    if written != asked:
        click.echo(f"{asked} is open in another program: the new one is {written.name} beside it.", err=True)
