"""`geopipe status` and `geopipe nights`: how the nightly run stands, and how its nights went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

_place = click.argument(
    "place", metavar="[CONFIG|WORKSPACE]", type=click.Path(path_type=Path), default=Path("work")
)


@click.command("status")
@_place
@options.json_option
def status_command(place: Path, as_json: bool) -> None:
    """Show the last run, who is at work, what waits in the inbox, and what to do next.

    Name the configuration of the nightly run, so that the inbox can be looked at. Nothing is changed.

    \b
    Examples:
      geopipe status nightly.yaml
      geopipe status work --json
    """
    from geopipe.nightly.night import utc_now
    from geopipe.nightly.standing import config_of, status

    told = status(config_of(place), utc_now())
    if as_json:
        answer(told)
        return
    for line in _status_lines(told):
        click.echo(line)


@click.command("nights")
@_place
@click.option("--last", metavar="N", type=click.IntRange(1), default=30, show_default=True, help="How many.")
@options.json_option
def nights_command(place: Path, last: int, as_json: bool) -> None:
    """List the runs, the last one first: when, how long, how it ended, what it counted.

    \b
    Examples:
      geopipe nights nightly.yaml
      geopipe nights work --last 7 --json
    """
    from geopipe.nightly.standing import config_of, history

    told = history(config_of(place))[:last]
    if as_json:
        answer(told)
        return
    if not told:
        click.echo("Nothing has run yet.")
    for item in told:
        click.echo(_night_line(item))


def _status_lines(told: dict[str, Any]) -> Iterator[str]:
    last, box = told["last"], told["inbox"]
    if last is None:
        yield "LAST RUN  none yet"
    else:
        how = last["outcome"].replace("_", " ")
        yield f"LAST RUN  {last['night']}: {how}, {told['hours_ago']:g} hours ago{_exit(last)}"
        if last["headline"]:
            yield f"          {last['headline']}"
    lock = told["lock"]
    if lock:
        yield f"AT WORK   process {lock['pid']} of {lock['user']} on {lock['host']}, for {lock['age']}"
    elif told["dead_lock"]:
        yield f"AT WORK   nobody; {told['dead_lock']} has died"
    else:
        yield "AT WORK   nobody"
    yield f"MAP       {told['map'] or 'none yet'}"
    if box is None:
        yield "INBOX     not known from a workspace: name the configuration"
    else:
        yield from _inbox_lines(box)
    for number, line in enumerate(told["next"] or ["nothing"]):
        yield f"{'' if number else 'DO NEXT':10}{line}"


def _exit(item: dict[str, Any]) -> str:
    return "" if item["exit_code"] is None else f", exit {item['exit_code']}"


def _inbox_lines(box: dict[str, Any]) -> Iterator[str]:
    files = box["files"]
    yield f"INBOX     {box['path']}: {box['problem'] or f'{len(files)} to take or waiting'}"
    for item in files[:10]:
        yield f"          {item['file']} ({item['folder']}): {item['why']}"
    if len(files) > 10:
        yield f"          and {len(files) - 10} more"
    for sentence in [*box["strange"], *(f"the folder {name} is not there" for name in box["missing"])]:
        yield f"          {sentence}"


def _night_line(item: dict[str, Any]) -> str:
    counts = item["counts"]
    took = "" if item["seconds"] is None else f"{item['seconds']:.0f} s"
    code = "" if item["exit_code"] is None else str(item["exit_code"])
    started = str(item["started_at"])[:16].replace("T", " ")
    said = (
        f"{counts.get('received', 0)} received, {counts.get('new_alarms', 0)} new alarms, "
        f"{counts.get('opened', 0)} cases opened, {counts.get('finished', 0)} finished"
        if counts
        else ""
    )
    return f"{item['night']:14}{started}  {took:>7}  exit {code:>2}  {item['outcome']:13}{said}".rstrip()
