"""`geopipe report`: show the first screen of a finished result again."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.show import show_problems


@click.command("report")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@options.json_option
def report_command(folder: Path, as_json: bool) -> None:
    """Show the first screen of a finished result, after checking that its files are whole.

    RUN is a folder that compare, publish or run has written.

    \b
    Example:
      geopipe report out
    """
    from geopipe.reports.publish import current_run, read_summary
    from geopipe.reports.screen import first_screen

    run = current_run(folder)
    summary = read_summary(run)
    if as_json:
        answer(summary, "summary")
        return
    show_problems(summary)
    first = next(iter(summary["files"]))
    click.echo(first_screen(summary, [str(run / first), str(run / "summary.json")]))
