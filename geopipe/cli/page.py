"""`geopipe page`: the report as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import workspace_option


@click.command("page")
@click.argument("result", metavar="[RESULT]", required=False, default=Path("out"),
                type=click.Path(path_type=Path, file_okay=False))  # fmt: skip
@workspace_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              default=Path("report.html"), show_default=True, help="The page (.html).")  # fmt: skip
@click.option("--lang", metavar="LANG", default="en", show_default=True,
              help="en, lo, both, or a catalogue of another language (xx.po).")  # fmt: skip
@click.option("--operator", metavar="NAME", help="Edition for one operator: its own records and cases only.")
@click.option("--expect", metavar="NAME,...", default="",
              help="Operators who should have delivered this quarter.")  # fmt: skip
@options.json_option
def page_command(
    result: Path, workspace: Path, output: Path, lang: str, operator: str | None, expect: str, as_json: bool
) -> None:
    """Write the report as one HTML file: summary, map, list of cases, figures.

    RESULT is the folder that geopipe run or geopipe compare has written into. The file opens in any browser,
    also from a USB stick, and asks no network for anything. Only its owner may read it.

    \b
    Examples:
      geopipe page out -w work -o report.html --lang both
      geopipe page out -w work -o MAG.html --operator MAG
    """
    from geopipe.cli.show import say_beside
    from geopipe.errors import ConfigError
    from geopipe.io.whole import write_whole
    from geopipe.languages.texts import load_texts
    from geopipe.outputs.html.charts import charts_of
    from geopipe.outputs.html.material import gather
    from geopipe.outputs.html.page import page_of

    if output.suffix.lower() not in (".html", ".htm"):
        raise ConfigError("the file must end in .html", str(output), "Choose another with -o.")
    texts = load_texts(lang)
    expected = [name.strip() for name in expect.split(",") if name.strip()]
    material = gather(result, workspace, operator, expected)
    charts = charts_of(material, texts)
    if charts is None:
        click.echo("Charts are left out: they need typst (pip install geopipe[pdf]).", err=True)
    data = page_of(material, texts, charts)
    written = write_whole(output, lambda place: place.write_bytes(data), is_confidential=True)
    say_beside(output, written)
    if texts.is_draft:
        click.echo("Draft translation: the page says so.", err=True)
    what = "cases" if material.has_register else "overlaps"
    if as_json:
        answer({
            "file": str(written), "lang": lang, "operator": operator, "listed": what,
            "count": len(material.told.cases), "areas": len(material.told.areas), "bytes": len(data),
        })  # fmt: skip
    else:
        click.echo(f"{written}: {len(material.told.cases):,} {what}, {len(data) / 1e6:.1f} MB")
