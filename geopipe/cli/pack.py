"""`geopipe pack`: the meeting pack as a PDF."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import DAY, day_of, today, workspace_option


@click.command("pack")
@click.argument("result", metavar="[RESULT]", type=click.Path(path_type=Path), default=Path("out"))
@workspace_option
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              default=Path("pack.pdf"), show_default=True, help="The PDF.")  # fmt: skip
@click.option("--minutes-of-meeting", "minutes", metavar="N", type=click.IntRange(min=1), required=True,
              help="How long the meeting is.")  # fmt: skip
@click.option("--meeting", metavar="NAME", required=True, help="The meeting.")
@click.option("--held-on", metavar="YYYY-MM-DD", type=DAY, help="Its day.  [default: today]")
@click.option(
    "--since",
    metavar="DAY|MEETING",
    default="",
    help="Show what has changed since then (not in an operator's edition).",
)
@click.option(
    "--expect", metavar="NAME,...", default="", help="Operators who should have delivered this quarter."
)
@click.option("--lang", metavar="LANG", default="en", show_default=True, help="en, lo or both.")
@click.option("--operator", metavar="NAME", help="Edition for one operator: its own records and cases only.")
@click.option("--all-pages", is_flag=True, help="A page for every open case, not only for those to discuss.")
@options.json_option
def pack_command(
    result: Path, workspace: Path, output: Path, minutes: int, meeting: str, held_on: dt.datetime | None,
    since: str, expect: str, lang: str, operator: str | None, all_pages: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write the pack for a meeting: figures, agenda, one page per case to discuss, consent list, decisions.

    RESULT is the folder that geopipe run has written into; it must be of the register's last run. The
    same result, register and day give the same bytes. --json prints the page of each case.

    \b
    Examples:
      geopipe pack --minutes-of-meeting 120 --meeting "TWG 4/2026" --held-on 2026-12-03
      geopipe pack out -w work --minutes-of-meeting 120 --meeting "TWG 4/2026" --lang both
      geopipe pack --minutes-of-meeting 120 --meeting "TWG 4/2026" --operator MAG -o MAG.pdf
    """
    from geopipe.cli.show import say_beside
    from geopipe.errors import OutputError
    from geopipe.io.whole import write_whole
    from geopipe.languages.texts import load_texts
    from geopipe.outputs.pack.make import make_pack
    from geopipe.outputs.pack.material import Meeting, gather

    if not output.absolute().parent.is_dir():
        what = "the file cannot be written (its folder does not exist)"
        raise OutputError(what, str(output), "Choose another place with -o.")
    texts = load_texts(lang)
    expected = [name.strip() for name in expect.split(",") if name.strip()]
    held = Meeting(meeting, minutes, day_of(held_on) or today(), operator)
    made = make_pack(gather(held, workspace, result, since, expected), texts, all_pages)
    written = write_whole(
        output, lambda place: place.write_bytes(made.pdf), is_confidential=operator is not None
    )
    say_beside(output, written)
    if as_json:
        answer({"file": str(written), "lang": lang, "operator": operator, "pages": made.pages})
        return
    click.echo(f"{written}: {len(made.pages):,} cases with a page of their own")
    if texts.is_draft:
        click.echo("Draft translation: the pages say so.", err=True)
