"""`geopipe edition`: everything that one operator gets."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import DAY, day_of, today, workspace_option


@click.command("edition")
@click.argument("result", metavar="[RESULT]", required=False, default=Path("out"),
                type=click.Path(path_type=Path, file_okay=False))  # fmt: skip
@workspace_option
@click.option("--operator", metavar="NAME", required=True, help="For whom it is.")
@click.option("-o", "--output", metavar="DIR", required=True,
              type=click.Path(path_type=Path, file_okay=False), help="Gets all files.")  # fmt: skip
@click.option("--lang", metavar="LANG", default="en", show_default=True, help="en, lo or both.")
@click.option("--format", "formats", metavar="NAME,...", default="",
              help="The map in other formats: geojson, flatgeobuf, geoparquet, shapefile, kml.")  # fmt: skip
@click.option(
    "--meeting", metavar="NAME", default="", help="The meeting, for the pack and the letter after it."
)
@click.option("--minutes-of-meeting", "minutes", metavar="N", type=click.IntRange(min=1), default=120,
              show_default=True, help="How long the meeting is.")  # fmt: skip
@click.option("--held-on", metavar="YYYY-MM-DD", type=DAY, help="Its day.  [default: today]")
@click.option("--expect", metavar="NAME,...", default="",
              help="Operators who should have delivered this quarter.")  # fmt: skip
@options.json_option
def edition_command(
    result: Path, workspace: Path, operator: str, output: Path, lang: str, formats: str, meeting: str,
    minutes: int, held_on: dt.datetime | None, expect: str, as_json: bool,
) -> None:  # fmt: skip
    """Write all files for one operator: map, workbook, pack, letter, and what goes back to it.

    They hold its own records; of a record that overlaps with one of them the operator, id, kind, status
    and date, and its outline within 100 m of the overlap; nothing else of others. RESULT is the folder that
    geopipe run has written into.  [default: out]  The files are for this operator only.

    \b
    Examples:
      geopipe edition out -w work --operator MAG -o mag --lang both
      geopipe edition out -w work --operator MAG -o mag --meeting "TWG 4/2026" --format geojson,kml
    """
    from geopipe.cli.convert import chosen_formats
    from geopipe.languages.texts import load_texts
    from geopipe.outputs.edition.makers import Order, make_edition

    order = Order(
        result, workspace, operator, output, load_texts(lang), chosen_formats(formats), meeting, minutes,
        day_of(held_on) or today(), [name.strip() for name in expect.split(",") if name.strip()],
    )  # fmt: skip
    made = make_edition(order)
    if as_json:
        files = {name: [str(path) for path in paths] for name, paths in made.files.items()}
        answer({"operator": operator, "lang": lang, "files": files, "left_out": dict(made.left_out)})
        return
    for name, paths in made.files.items():
        click.echo(f"{name:<9} {', '.join(str(path) for path in paths)}")
    for name, why in made.left_out.items():
        click.echo(f"{name:<9} not written: {why}.", err=True)
    if order.texts.is_draft:
        click.echo("Draft translation: the files say so.", err=True)
