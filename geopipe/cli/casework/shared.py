"""What the commands of `geopipe cases` share: options, today, and how results are printed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from geopipe.cli.answers import answer

workspace_option = click.option(
    "-w", "--workspace", metavar="DIR", type=click.Path(path_type=Path), default=Path("work"),
    show_default=True, help="Workspace of geopipe run, with its register.",
)  # fmt: skip
by_option = click.option("--by", metavar="NAME", required=True, help="Who does this.")
case_argument = click.argument("name", metavar="CASE")
cases_argument = click.argument("names", metavar="CASE ...", nargs=-1, required=True)
DAY = click.DateTime(["%Y-%m-%d"])
due_option = click.option("--due", metavar="YYYY-MM-DD", type=DAY, help="By which day.")


def now() -> dt.datetime:
    """Return the time, with its zone."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """Return the day that it is here."""
    from geopipe.periods import day_here

    return day_here(now())


def day_of(value: dt.datetime | None) -> dt.date | None:
    """Return the day that an option gives."""
    return value.date() if value else None


def say(done: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Print what was done to some cases: as JSON, or the sentence of each."""
    if as_json:
        answer(list(done))
        return
    for item in done:
        click.echo(f"{item['case']}: {item['text']}")
