"""`geopipe ingest`: read deliveries into a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_stage


@click.command("ingest")
@options.paths_argument
@options.workspace_option
@options.delivery_options
@options.layers_option
@options.json_option
@options.quiet_option
def ingest_command(paths: tuple[Path, ...], workspace: Path, as_json: bool, quiet: bool, **given: Any) -> int:
    """Read deliveries and give every record its ids; the first of the stages.

    What is said here (--kind, --assume-crs, ...) holds for the later stages too.

    \b
    Example:
      geopipe ingest uxolao.shp mag.gpkg -w work
    """
    from geopipe.errors import ExitCode
    from geopipe.io.ledgers.registerfile import refuse_register
    from geopipe.io.store import hold, save_config, save_state
    from geopipe.pipeline import read
    from geopipe.steps import STAGES

    refuse_register(workspace)
    config = options.make_config([path.resolve() for path in paths], **given)
    with progress(quiet or as_json) as show:
        state = read(config, show)
    with hold(workspace):
        save_config(workspace, config)
        save_state(workspace, "ingest", state, STAGES)
    problems = [sentence for delivery in state.deliveries for _, sentence in delivery.problems]
    for sentence in problems:
        click.echo(sentence, err=True)
    show_stage("ingest", state, quiet=quiet, as_json=as_json)
    return ExitCode.PARTIAL if problems else ExitCode.DONE
