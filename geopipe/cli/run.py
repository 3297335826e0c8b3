"""`geopipe run`: all stages, as a configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_result

if TYPE_CHECKING:
    from geopipe.config import Config


@click.command("run")
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option(
    "--nightly",
    is_flag=True,
    help="Take what lies in the inbox first, and write a digest for the morning (part `nightly` of CONFIG).",
)
@options.executor_option
@options.no_qgis_option
@options.fail_on_option
@options.json_option
@options.quiet_option
def run_command(
    config_file: Path, nightly: bool, executor: str | None, no_qgis: bool, fail_on: str | None, as_json: bool,
    quiet: bool,
) -> int:  # fmt: skip
    """Run all stages as a configuration file says, and publish a new run.

    Each run is a folder of its own under OUTPUT/runs; OUTPUT/CURRENT names the newest. A run over
    unchanged input gives the same folder and changes nothing.

    \b
    Examples:
      geopipe run configs/demo.yaml
      geopipe run nightly.yaml --nightly --quiet
    """
    from geopipe.config import load_config
    from geopipe.running import run_and_keep

    config = load_config(config_file)
    if not (config.workspace / "last_run.json").exists():  # else there may be nothing to read
        options.start_readers(config.workers)
    if executor:
        config = config.model_copy(update={"executor": executor})
    config = options.with_qgis(config, no_qgis)
    if nightly:
        return _run_night(config, fail_on, as_json=as_json, quiet=quiet)
    with progress(quiet or as_json) as show:
        result = run_and_keep(config, show)
    if config.keep_days is not None:
        _remove_old(config)
    show_result(result, quiet=quiet, as_json=as_json, config=config)
    return result.exit_code(fail_on)


def _remove_old(config: Config) -> None:
    """Remove the runs that `keep_days` lets go; a run that began meanwhile does it, too."""
    import datetime as dt

    from geopipe.errors import BusyError
    from geopipe.nightly.retention import prune_after_run

    try:
        removed = prune_after_run(config, dt.datetime.now(dt.UTC))
    except BusyError:
        return
    if removed.runs:
        click.echo(f"old runs removed (keep_days): {len(removed.runs)}", err=True)


def _run_night(config: Config, fail_on: str | None, *, as_json: bool, quiet: bool) -> int:
    """Run a night, and show its digest."""
    from geopipe.nightly.night import run_night
    from geopipe.nightly.telling import as_text

    with progress(quiet or as_json) as show:
        told = run_night(config, fail_on=fail_on, progress=show)
    if as_json:
        click.echo((told.folder / "digest.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        click.echo(as_text(told.digest), nl=False)
        click.echo(f"{told.folder / 'digest.html'}", err=True)
    return told.exit_code
