"""`geopipe minutes`: after a meeting, its decisions and actions, and a letter for each operator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import workspace_option


@click.command("minutes")
@click.option("--meeting", metavar="NAME", required=True, help="The meeting, as the decisions name it.")
@workspace_option
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              default=Path("minutes"), show_default=True, help="Folder for the workbooks.")  # fmt: skip
@click.option("--lang", metavar="LANG", default="en", show_default=True, help="en, lo or both.")
@options.json_option
def minutes_command(meeting: str, workspace: Path, output: Path, lang: str, as_json: bool) -> None:
    """Write what a meeting has decided: decisions and actions for its minutes, a letter for each operator.

    A letter holds the operator's own records; of the other record it has operator and id.

    \b
    Example:
      geopipe minutes --meeting "TWG 4/2026" -w work -o minutes --lang both
    """
    from geopipe.cli.show import say_beside
    from geopipe.io.whole import write_whole
    from geopipe.languages.texts import load_texts
    from geopipe.outputs.pack.decided import decided_by
    from geopipe.outputs.pack.minutes import letters, minutes_workbook
    from geopipe.register.register import Register
    from geopipe.reports.returned.files import file_stems

    texts = load_texts(lang)
    with Register.existing(workspace) as register:
        decided = decided_by(register, register.cases(), meeting)
    made = {"minutes": minutes_workbook(decided, texts)}
    written = letters(decided, texts)
    made |= {f"letter-{stem}": written[operator] for operator, stem in file_stems(list(written)).items()}
    files = [
        write_whole(output / f"{name}.xlsx", _writing(content), is_confidential=name != "minutes")
        for name, content in made.items()
    ]
    for name, file in zip(made, files, strict=True):
        say_beside(output / f"{name}.xlsx", file)
    if as_json:
        answer({"decisions": len(decided), "files": [str(file) for file in files]})
        return
    word = "decision" if len(decided) == 1 else "decisions"
    click.echo(f"{output}: {len(decided):,} {word}, {len(files) - 1} letters")


def _writing(content: bytes) -> Callable[[Path], object]:
    return lambda place: place.write_bytes(content)
