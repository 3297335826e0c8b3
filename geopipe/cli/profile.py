"""`geopipe profile`: draft an operator profile from a delivered file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("profile")
@click.argument("path", metavar="FILE", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE.yaml", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the draft to a new file instead of the screen.",
)  # fmt: skip
def profile_command(path: Path | None, output: Path | None) -> None:
    """Draft an operator profile from FILE: columns, what they mean, coordinate system, words.

    Without FILE the ready profiles are listed. Check every line of a draft, save it, and name it with
    --profile or in the configuration.

    \b
    Examples:
      geopipe profile MAG_2026.gpkg -o mag-2026.yaml
      geopipe compare MAG_2026.gpkg uxolao.shp --profile mag-2026.yaml --profile uxo-lao
    """
    from geopipe.errors import OutputError
    from geopipe.profiles import load_profile, profile_names

    if path is None:
        for name in profile_names():
            click.echo(f"{name:<10} {load_profile(name).assumption}")
        return
    from geopipe.drafting import draft_profile

    text = draft_profile(path)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError("there is a file already", str(output), "Choose another name with -o.") from error
    except OSError as error:
        raise OutputError(f"the file cannot be written ({error})", str(output)) from error
    click.echo(f"Drafted {output}; check every line before you use it.", err=True)
