"""`geopipe run`: all stages, as a configuration says."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_result


@click.command("run")
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@options.executor_option
@options.no_qgis_option
@options.fail_on_option
@options.json_option
@options.quiet_option
def run_command(
    config_file: Path, executor: str | None, no_qgis: bool, fail_on: str | None, as_json: bool, quiet: bool
) -> int:
    """Run all stages as a configuration file says, and publish a new run.

    Each run is a folder of its own under OUTPUT/runs; OUTPUT/CURRENT names the newest. A run over
    unchanged input gives the same folder and changes nothing.

    \b
    Examples:
      geopipe run configs/demo.yaml
      geopipe run nightly.yaml --quiet --fail-on alarm
    """
    from geopipe.config import load_config
    from geopipe.running import run_and_keep

    config = load_config(config_file)
    if not (config.workspace / "last_run.json").exists():  # else there may be nothing to read
        options.start_readers(config.workers)
    if executor:
        config = config.model_copy(update={"executor": executor})
    config = options.with_qgis(config, no_qgis)
    with progress(quiet or as_json) as show:
        result = run_and_keep(config, show)
    show_result(result, quiet=quiet, as_json=as_json, config=config)
    return result.exit_code(fail_on)
