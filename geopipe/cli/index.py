"""`geopipe index`: the index on disk that `geopipe query` asks."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_stage


@click.command("index")
@options.workspace_option
@options.json_option
@options.quiet_option
def index_command(workspace: Path, as_json: bool, quiet: bool) -> None:
    """Build the spatial index of the areas that are kept in a workspace.

    The index can be asked with `geopipe query`. It is rebuilt by itself when the areas change, and
    no other stage depends on it.

    \b
    Example:
      geopipe index -w work && geopipe query work --at 103.19,19.45
    """
    from geopipe.index import build_index
    from geopipe.io.store import load_state
    from geopipe.schema import boxes_of

    with progress(quiet or as_json) as show:
        show("index")
        state = load_state(workspace, "history")
        build_index(workspace / "index", boxes_of(state.features), state.features.numpy("row_id"))
    show_stage("index", state, quiet=quiet, as_json=as_json)
