"""`geopipe plots`: the plots of a run as SVG and PNG."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

_FOLDER = click.Path(path_type=Path, file_okay=False)
_DEFAULT_WORKSPACE = Path("work")


@click.command("plots")
@click.argument("result", metavar="[RESULT]", required=False, default=Path("out"), type=_FOLDER)
@click.option("-w", "--workspace", metavar="DIR", type=_FOLDER,
              help="Workspace of geopipe run, with its register.  [default: work, if there]")  # fmt: skip
@click.option("-o", "--output", metavar="DIR", type=_FOLDER, default=Path("plots"), show_default=True,
              help="Folder for the files.")  # fmt: skip
@click.option("--format", "formats", metavar="NAME,...", default="svg", show_default=True,
              help="svg, png, or both with a comma between them.")  # fmt: skip
@click.option("--lang", metavar="LANG", default="en", show_default=True, help="en, lo or both.")
@click.option("--operator", metavar="NAME", help="Edition for one operator: its own records and cases only.")
@options.json_option
def plots_command(
    result: Path, workspace: Path | None, output: Path, formats: str, lang: str, operator: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Draw overlaps by size, hectares by province, cases over time, and errors by quarter.

    RESULT is the folder that geopipe compare or run has written into.  [default: out]  Cases and errors need
    the register of that run. Letters become outlines: the files show the same on every machine.

    \b
    Examples:
      geopipe plots
      geopipe plots out -w work -o plots --format svg,png --lang both
      geopipe plots out -w work -o for-mag --operator MAG
    """
    from geopipe.errors import ConfigError
    from geopipe.io.ledgers.registerfile import place_of
    from geopipe.languages.texts import load_texts
    from geopipe.outputs.plots.make import NEED_REGISTER
    from geopipe.outputs.plots.material import gather
    from geopipe.outputs.plots.writing import FORMATS, write_plots

    wanted = tuple(dict.fromkeys(name.strip().lower() for name in formats.split(",") if name.strip()))
    if not wanted or not set(wanted) <= set(FORMATS):
        raise ConfigError(f"--format: {formats!r} is not understood", remedy="Known are svg and png.")
    texts = load_texts(lang)
    if workspace is None and place_of(_DEFAULT_WORKSPACE).exists():
        workspace = _DEFAULT_WORKSPACE
    written = write_plots(gather(result, workspace, operator), texts, output, wanted)
    left_out = list(NEED_REGISTER) if workspace is None else []
    if left_out:
        click.echo(f"Without a register these plots are left out: {', '.join(left_out)}. "
                   "Name the workspace of geopipe run with -w.", err=True)  # fmt: skip
    if texts.is_draft:
        click.echo("Draft translation: the plots say so.", err=True)
    if as_json:
        plots = [{"name": chart.name, "title": chart.title, "alt": chart.alt, "files": list(map(str, files))}
                 for chart, files in written]  # fmt: skip
        answer({"plots": plots, "lang": lang, "operator": operator, "left_out": left_out})
        return
    for _, files in written:
        click.echo("\n".join(map(str, files)))
