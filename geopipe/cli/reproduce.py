"""`geopipe reproduce`: make a published run again and say where it differs."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.show import progress


@click.command("reproduce")
@click.argument("name", metavar="RUN")
@options.workspace_option
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path), default=None,
    help="A new folder in which what was made is left.  [default: it is removed]",
)  # fmt: skip
@options.quiet_option
@options.json_option
def reproduce_command(name: str, workspace: Path, output: Path | None, quiet: bool, as_json: bool) -> int:
    """Make a published run again from the same deliveries, and compare the files.

    RUN is a night, its run.json, or a run by its number, folder or day. The workspace is not changed.
    Ends with 0 if it came out the same, 4 if it differs or not all could be compared, 2 if it cannot be done.

    \b
    Examples:
      geopipe reproduce 2026-05-04-01 -w work
      geopipe reproduce 12 -w work -o again
    """
    from geopipe.reproducing.reproduce import exit_code, reproduce
    from geopipe.reproducing.telling import reproduced_lines

    with progress(quiet or as_json) as show:
        told = reproduce(workspace, name, output, show)
    if as_json:
        answer(told)
    else:
        for line in reproduced_lines(told):
            click.echo(line)
    return exit_code(told)
