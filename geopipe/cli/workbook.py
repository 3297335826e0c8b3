"""`geopipe workbook`: cases and figures of a run for Excel."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import workspace_option

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("workbook")
@click.argument("result", metavar="[RESULT]", required=False, default=Path("out"),
                type=click.Path(path_type=Path, file_okay=False))  # fmt: skip
@workspace_option
@click.option("-o", "--output", metavar="FILE", type=_FILE, default=Path("geopipe.xlsx"), show_default=True,
              help="The workbook (.xlsx).")  # fmt: skip
@click.option("--lang", metavar="LANG", default="en", show_default=True,
              help="en, lo, both, or a catalogue of another language (xx.po).")  # fmt: skip
@click.option("--operator", metavar="NAME", help="Edition for one operator: its own records and cases only.")
@click.option("--expect", metavar="NAME,...", default="",
              help="Operators who should have delivered this quarter.")  # fmt: skip
@click.option("--pack", metavar="FILE", type=_FILE,
              help="What geopipe pack --json has printed: case numbers link to their pages.")  # fmt: skip
@options.json_option
def workbook_command(
    result: Path, workspace: Path, output: Path, lang: str, operator: str | None, expect: str,
    pack: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write a workbook: cases to fill in, who overlaps with whom, hectares, deliveries, findings.

    RESULT is the folder that geopipe run has written into; it must be of the register's last run.  [default:
    out]  The sheet Cases is read back by geopipe cases import.

    \b
    Examples:
      geopipe workbook -o twg.xlsx --lang both
      geopipe workbook out -w work -o MAG.xlsx --operator MAG --lang both
    """
    from geopipe.cli.show import say_beside
    from geopipe.languages.texts import load_texts
    from geopipe.outputs.workbook.book import workbook_of
    from geopipe.outputs.workbook.material import gather
    from geopipe.outputs.workbook.writing import links_to_pack, write_workbook

    texts = load_texts(lang)
    links = links_to_pack(pack, output)
    expected = [name.strip() for name in expect.split(",") if name.strip()]
    material = gather(result, workspace, operator, expected)
    data = workbook_of(material, texts, links)
    written = write_workbook(output, data, is_confidential=operator is not None)
    say_beside(output, written)
    if texts.is_draft:
        click.echo("Draft translation: the cover says so.", err=True)
    if as_json:
        answer({"file": str(written), "lang": lang, "operator": operator,
                    "cases": material.cases_open, "findings": len(material.findings),
                    "returned": len(material.returned)})  # fmt: skip
    else:
        click.echo(
            f"{written}: {material.cases_open:,} open cases, {len(material.findings):,} findings, "
            f"{len(material.returned):,} records returned"
        )
