"""`geopipe feeds`: tables of a run for dashboards."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import workspace_option


@click.command("feeds")
@click.argument("result", metavar="[RESULT]", required=False, default=Path("out"),
                type=click.Path(path_type=Path, file_okay=False))  # fmt: skip
@workspace_option
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              default=Path("exports"), show_default=True, help="Folder for the tables.")  # fmt: skip
@click.option("--operator", metavar="NAME", help="Edition for one operator: its own records only.")
@click.option("--expect", metavar="NAME,...", default="",
              help="Operators who should have delivered this quarter.")  # fmt: skip
@options.json_option
def feeds_command(
    result: Path, workspace: Path, output: Path, operator: str | None, expect: str, as_json: bool
) -> None:
    """Write tables for a dashboard: who did what, where and when; areas, overlaps, cases.

    RESULT is the folder that geopipe run has written into; it must be of the register's last run.  [default:
    out]  Each table is there as CSV and JSON, those with a map as GeoParquet, too; DIR/dictionary.csv says
    what each column means. Show what stands in DIR/READ_FIRST.txt with the figures.

    \b
    Examples:
      geopipe feeds -o exports --expect "UXO Lao,MAG,NPA,HALO"
      geopipe feeds out -w work -o for-mag --operator MAG
    """
    from geopipe.outputs.feeds.make import write_feeds
    from geopipe.outputs.feeds.material import gather

    expected = [name.strip() for name in expect.split(",") if name.strip()]
    made = write_feeds(gather(result, workspace, operator, expected), output)
    if as_json:
        answer({"folder": str(output), **made.index})
        return
    for name, rows in made.rows.items():
        click.echo(f"{name:<20} {rows:>9,} rows")
    click.echo(f"Show what stands in {output / 'READ_FIRST.txt'} with the figures.", err=True)
