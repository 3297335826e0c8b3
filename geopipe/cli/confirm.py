"""`geopipe confirm`: let a person confirm how the coordinates of a delivery are to be read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from geopipe.cli import options


@click.command("confirm")
@click.argument("path", metavar="FILE", required=False, type=click.Path(path_type=Path))
@click.option("--correction", metavar="TEXT", help="swap_axes, crs=EPSG:CODE, sign=x|y|xy or dms.")
@click.option("--by", metavar="NAME", help="Who confirms it.")
@click.option("--reference", metavar="TEXT", help="Minutes, letter or e-mail that says so.")
@click.option("--layer", metavar="NAME", help="Only this layer.  [default: where the evidence is]")
@click.option("--rows", metavar="N,N,...|all",
              help="Records, by their row numbers.  [default: where the evidence is]")  # fmt: skip
@click.option("--profile", metavar="NAME|FILE", help="Operator profile that the file is read with.")
@click.option("--assume-crs", metavar="EPSG:CODE", help="Coordinate system, if the file states none.")
@click.option("--every", metavar="PROFILE", help="Instead of FILE: all deliveries read with this profile.")
@click.option(
    "--until", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="With --every: last day."
)
@click.option("--revoke", is_flag=True, help="Take back what was confirmed for FILE, or for --every.")
@options.confirmations_option
def confirm_command(path: Path | None, **given: Any) -> None:
    """Confirm a correction of coordinates that the diagnosis proposes; nothing is corrected without.

    With FILE alone, what is proposed for it is shown, with the evidence and the command to type. What is
    confirmed holds for exactly these bytes; a new delivery is looked at anew. Files are never changed.

    \b
    Examples:
      geopipe confirm MAG_CHA.geojson
      geopipe confirm MAG_CHA.geojson --correction swap_axes --by "Bounmy" --reference "e-mail of 3 May"
      geopipe confirm --every hi --correction crs=EPSG:32648 --until 2026-12-31 --by "Bounmy"
      geopipe confirm MAG_CHA.geojson --revoke --by "Bounmy"
    """
    from geopipe import confirming
    from geopipe.config import Config, DeliverySpec
    from geopipe.errors import ConfigError
    from geopipe.periods import day_here

    target, today = given["confirmations"], day_here(dt.datetime.now(dt.UTC))
    if (path is None) == (given["every"] is None):
        raise ConfigError("name one file, or a profile with --every", remedy="See geopipe confirm --help.")
    config = None
    if path is not None:
        known = DeliverySpec(path=path, profile=given["profile"], assume_crs=given["assume_crs"])
        config = Config(deliveries=(known,), confirmations=target)
    if config is not None and given["correction"] is None and not given["revoke"]:
        _show(config, path)
        return
    if not given["by"]:
        raise ConfigError("a confirmation needs a name", remedy='Add --by "YOUR NAME".')
    if config is not None and given["revoke"]:
        _tell(confirming.revoke(config, target, given["by"], today), target, "Taken back")
        return
    if given["revoke"]:
        _tell(confirming.revoke_profile(given["every"], target, given["by"], today), target, "Taken back")
        return
    wish = confirming.Wish(
        given["correction"] or "", given["by"], given["layer"], _rows(given["rows"]),
        given["rows"] == "all", given["reference"],
    )  # fmt: skip
    if config is not None:
        events = confirming.confirm(config, target, wish, today)
    elif given["until"] is None:
        raise ConfigError("a confirmation for a profile needs an end", remedy="Add --until YYYY-MM-DD.")
    else:
        events = confirming.confirm_profile(given["every"], given["until"].date(), target, wish, today)
    _tell(events, target, "Confirmed")


def _rows(text: str | None) -> tuple[int, ...]:
    """Read row numbers such as 3,18,20-25."""
    if text is None or text == "all":
        return ()
    rows: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            raise click.UsageError(f"--rows {text}: write row numbers like 3,18,20-25, or all")
        rows += range(int(first), int(last or first) + 1)
    return tuple(sorted(set(rows)))


def _show(config: Any, path: Path | None) -> None:
    """Print what is proposed for a file, each with the command that would confirm it."""
    from geopipe.cli.show import confirm_command as whole_command
    from geopipe.confirming import proposals_of

    proposals = proposals_of(config)
    if not proposals:
        click.echo(f"{path}: nothing is proposed; the records lie where they say, as far as can be seen.")
    for delivery, proposal in proposals:
        click.echo(f"{delivery.file}, {proposal.code}: {proposal.sentence}")
        if proposal.correction:
            click.echo(f"    {whole_command(delivery.file, proposal.code, proposal.correction, config)}")


def _tell(events: Any, target: Path, word: str) -> None:
    for event in events:
        where = event.file or f"every delivery of profile {event.profile} until {event.until}"
        rows = "all records" if event.rows is None else f"{len(event.rows):,} record(s)"
        click.echo(f"{word}: {event.correction} for {rows} of {where} (kept in {target})")
