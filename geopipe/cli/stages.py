"""The stages after reading, each as a command over a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_stage


def _advance(stage: str, workspace: Path, as_json: bool, quiet: bool) -> None:
    """Run one stage on what the one before left, and say what came of it."""
    from geopipe.io.ledgers.registerfile import refuse_register
    from geopipe.io.store import hold, load_saved_config, load_state, save_state
    from geopipe.policies import load_policy
    from geopipe.steps import STAGES, advance

    refuse_register(workspace)
    config = load_saved_config(workspace)
    with progress(quiet or as_json) as show, hold(workspace):
        before = load_state(workspace, STAGES[STAGES.index(stage) - 1])
        show(stage)
        state = advance(before, stage, config, load_policy(config.policy))
        save_state(workspace, stage, state, STAGES)
    show_stage(stage, state, quiet=quiet, as_json=as_json)


@click.command("validate")
@options.workspace_option
@options.json_option
@options.quiet_option
def validate_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Check every record's structure in its delivered coordinates.

    What cannot be used is returned with a reason; a hazard record stays visible all the same.

    \b
    Example:
      geopipe ingest inbox/ -w work && geopipe validate -w work
    """
    _advance("validate", workspace, as_json, quiet)


@click.command("reproject")
@options.workspace_option
@options.json_option
@options.quiet_option
def reproject_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Bring all records into one equal-area coordinate system and mend invalid polygons.

    Only turning points are transformed. Every mend is listed with the area before and after.

    \b
    Example:
      geopipe reproject -w work
    """
    _advance("reproject", workspace, as_json, quiet)


@click.command("locate")
@options.workspace_option
@options.json_option
@options.quiet_option
def locate_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Find the province and district of each record, and hold them against what it states.

    \b
    Example:
      geopipe locate -w work
    """
    _advance("locate", workspace, as_json, quiet)


@click.command("check")
@options.workspace_option
@options.json_option
@options.quiet_option
def check_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Look for what cannot be, or is left out, in single records, layers and files.

    No record is changed. `geopipe checks` explains every code.

    \b
    Example:
      geopipe check -w work
    """
    _advance("check", workspace, as_json, quiet)


@click.command("deduplicate")
@options.workspace_option
@options.json_option
@options.quiet_option
def deduplicate_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Set aside duplicates and older versions within each operator's records.

    Never across operators, and never if hazard would shrink or released land grow.

    \b
    Example:
      geopipe deduplicate -w work
    """
    _advance("deduplicate", workspace, as_json, quiet)


@click.command("history")
@options.workspace_option
@options.json_option
@options.quiet_option
def history_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Hold the records against earlier deliveries and against the national database.

    Earlier deliveries are known to `geopipe run` only, from its ledger. Hazard that vanished or shrank
    stays on the map with an alarm. Copies of one record in the national database are never overlaps.

    \b
    Example:
      geopipe history -w work
    """
    _advance("history", workspace, as_json, quiet)


@click.command("overlaps")
@options.workspace_option
@options.json_option
@options.quiet_option
def overlaps_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Measure every pair of areas that share ground and name it by the policy's table.

    \b
    Example:
      geopipe overlaps -w work
    """
    _advance("overlaps", workspace, as_json, quiet)
