"""`geopipe publish`: write what the stages made."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_result


@click.command("publish")
@options.workspace_option
@options.output_option
@options.layers_option
@options.no_qgis_option
@options.fail_on_option
@options.json_option
@options.quiet_option
def publish_command(
    workspace: Path,
    output: Path,
    layers: str | None,
    no_qgis: bool,
    fail_on: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Write the GeoPackage and the summary of a workspace whose overlaps were measured.

    \b
    Example:
      geopipe publish -w work -o out --layers areas,overlaps
    """
    import datetime as dt

    from geopipe.io.store import load_saved_config, load_state
    from geopipe.pipeline import finish

    started = dt.datetime.now(dt.UTC)
    config = options.with_qgis(options.with_layers(load_saved_config(workspace), layers), no_qgis)
    with progress(quiet or as_json) as show:
        result = finish(load_state(workspace, "overlaps"), config, output, started, show)
    show_result(result, quiet=quiet, as_json=as_json, config=config)
    return result.exit_code(fail_on)
