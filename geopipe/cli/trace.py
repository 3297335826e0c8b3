"""`geopipe trace`: the whole way of one record or of one case."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


@click.command("trace")
@click.argument("name", metavar="FEATURE|CASE")
@options.workspace_option
@options.json_option
def trace_command(name: str, workspace: Path, as_json: bool) -> int:
    """Show the whole way of a record or a case: files, rows, coordinates, changes, findings, cases, runs.

    FEATURE is an operator's own id, a record id, a row id, a GUID or a version. CASE is a number or an id.
    A name that may mean several things is not guessed: they are listed (exit code 2).

    \b
    Examples:
      geopipe trace UXL-CHA-000035 -w work
      geopipe trace XKH-2026-0042 --json
    """
    from geopipe.errors import ExitCode
    from geopipe.tracing.telling import trace_lines
    from geopipe.tracing.trace import trace

    told = trace(workspace, name)
    if as_json:
        answer(told)
    else:
        for line in trace_lines(told):
            click.echo(line)
    return ExitCode.USAGE if len(told["meant"]) > 1 else ExitCode.DONE
