"""`geopipe returns`: the files that go back to the senders."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


@click.command("returns")
@click.argument("place", metavar="RUN|WORKSPACE", type=click.Path(path_type=Path))
@options.output_option
@click.option("--operator", metavar="NAME", help="Only the files of this sender.")
@click.option(
    "--lang", "languages", multiple=True, type=click.Choice(["en", "lo"]),
    help="Language, perhaps several times; only for a workspace.  [default: both]",
)  # fmt: skip
@options.json_option
@options.quiet_option
def returns_command(
    place: Path, output: Path, operator: str | None, languages: tuple[str, ...], as_json: bool, quiet: bool
) -> None:
    """Write the files that go back to the senders: a workbook and a GeoPackage for each of them.

    They list every record that was returned or questioned, what is wrong with it and what to do, in
    English and Lao. RUN is a folder that compare, publish or run has written: its files are copied.
    From a WORKSPACE they are made anew.

    \b
    Examples:
      geopipe returns out -o to-send --operator "UXO Lao"
      geopipe returns work -o to-send --lang en
    """
    from geopipe.returning import write_return_files
    from geopipe.steps import STAGES

    written = write_return_files(place, output, STAGES, operator, languages)
    if as_json:
        answer({"senders": written})
    elif not quiet:
        for sender, item in written.items():
            click.echo(
                f"{sender}: {item['returned']:,} returned, {item['questioned']:,} questioned, "
                f"{item['file']} and its GeoPackage"
            )
        if not written:
            click.echo("Nothing goes back to any sender.")
