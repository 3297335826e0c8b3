"""`geopipe diff`: what has changed between two runs, or since a day or a meeting."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


@click.command("diff")
@click.argument("runs", metavar="[RUN [RUN]]", nargs=-1)
@click.option(
    "--since", metavar="DAY|MEETING", help="What has changed since a day, or since a meeting began."
)
@options.workspace_option
@options.json_option
def diff_command(runs: tuple[str, ...], since: str | None, workspace: Path, as_json: bool) -> None:
    """Show what has changed: cases, deliveries, hectares, alarms.

    RUN is the number of a run, its folder or its day. With one RUN: from then until now.

    \b
    Examples:
      geopipe diff 12 15
      geopipe diff 2026-03-01 -w work
      geopipe diff --since "TWG 2026-03"
    """
    from geopipe.errors import ConfigError
    from geopipe.register.diff.difference import difference
    from geopipe.register.diff.moments import after_run, before_day, day_of, now
    from geopipe.register.diff.telling import difference_lines
    from geopipe.register.register import Register

    if bool(runs) == bool(since) or len(runs) > 2:
        raise ConfigError("name one or two runs, or --since", remedy="See geopipe diff --help.")
    with Register.existing(workspace) as register:
        before = before_day(register, day_of(register, since)) if since else after_run(register, runs[0])
        after = after_run(register, runs[1]) if len(runs) > 1 else now(register)
        if (after.run, after.event) < (before.run, before.event):
            before, after = after, before
        told = difference(register, before, after)
    if as_json:
        answer(told)
        return
    for line in difference_lines(told):
        click.echo(line)
