"""`geopipe cases export|import`: hand out sheets, and read back what people filled in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.shared import now, workspace_option
from geopipe.errors import ExitCode

if TYPE_CHECKING:
    from geopipe.casework.importing import Outcome

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("export")
@click.option("-o", "--output", metavar="FILE", type=_FILE, default=Path("cases.xlsx"), show_default=True,
              help="Workbook (.xlsx) or GeoPackage (.gpkg).")  # fmt: skip
@click.option("--operator", metavar="NAME",
              help="Copy for one operator: its own cases, with columns for its answer.")  # fmt: skip
@workspace_option
@options.json_option
def export_command(workspace: Path, output: Path, operator: str | None, as_json: bool) -> None:
    """Write a sheet of all open cases, with columns that people fill in.

    An operator's copy has only its own cases and records; of the other record it has operator, id, kind,
    status, date, and the outline within 100 m of the overlap.

    \b
    Examples:
      geopipe cases export -o meeting.xlsx
      geopipe cases export -o MAG.xlsx --operator MAG
    """
    from geopipe.casework.edition import edition_of
    from geopipe.casework.exporting import write_edition
    from geopipe.casework.rules import policy_in_force
    from geopipe.casework.sheetcolumns import sheet_key
    from geopipe.cli.show import say_beside
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        cases, policy, key = register.cases(), policy_in_force(register), sheet_key(register, now())
        working_crs = register.runs()[-1]["working_crs"]
    edition = edition_of(cases, policy, key, operator)
    written = write_edition(output, edition, working_crs)
    say_beside(output, written)
    if as_json:
        answer({"file": str(written), "edition": edition.name, "cases": len(edition.rows)})
    else:
        click.echo(f"{written}: {len(edition.rows):,} open cases ({edition.name})")


@click.command("import")
@click.argument("files", metavar="FILE ...", nargs=-1, required=True, type=_FILE)
@click.option("--by", metavar="NAME", default="", help="Who reads the sheets in.")
@click.option("--minutes", metavar="FILE", multiple=True,
              help="Signed minutes: they confirm the decisions. Several: MEETING=FILE for each.")  # fmt: skip
@click.option("--apply", "is_applied", is_flag=True, help="Write what can be taken; else only show it.")
@workspace_option
@options.json_option
def import_command(
    workspace: Path, files: Sequence[Path], by: str, minutes: Sequence[str], is_applied: bool, as_json: bool
) -> ExitCode:
    """Read filled sheets back: row by row, what would happen; with --apply it is written.

    Rows that cannot be taken are listed with the reason, and the exit code is 4. All others are written
    together. An operator's sheet becomes its position, never a decision.

    \b
    Examples:
      geopipe cases import meeting.xlsx
      geopipe cases import meeting.xlsx --minutes minutes.pdf --apply --by "Bounmy"
      geopipe cases import MAG.xlsx UXO_Lao.gpkg --apply --by "Bounmy"
    """
    from geopipe.casework.importing import as_dict, import_lines
    from geopipe.casework.papers import Papers
    from geopipe.casework.reading import read_lines
    from geopipe.errors import ConfigError
    from geopipe.register.register import Register

    if is_applied and not by.strip():
        raise ConfigError("nobody's name is given", remedy="Say who does this: --by NAME.")
    lines = [line for file in files for line in read_lines(file)]
    with Register.existing(workspace) as register:
        outcomes = import_lines(register, lines, Papers.of(minutes), by if is_applied else None, now())
    if as_json:
        answer({"applied": is_applied, "rows": [as_dict(outcome) for outcome in outcomes]})
    else:
        _tell(outcomes, is_applied)
    is_partial = any(outcome.refused for outcome in outcomes)
    return ExitCode.PARTIAL if is_partial else ExitCode.DONE


def _tell(outcomes: Sequence[Outcome], is_applied: bool) -> None:
    word = "TAKEN" if is_applied else "WOULD BE TAKEN"
    for outcome in sorted(outcomes, key=lambda outcome: not outcome.refused):
        place = f"{outcome.line.place}, {outcome.case}"
        if outcome.will:
            click.echo(f"{word}  {place}: {outcome.will}")
        elif outcome.refused:
            click.echo(f"NOT TAKEN  {place}: {outcome.refused}")
        elif outcome.unchanged != "nothing is filled in":
            click.echo(f"UNCHANGED  {place}: {outcome.unchanged}")
        for note in outcome.notes:
            click.echo(f"           {note}")
    taken, refused = (sum(bool(getattr(o, name)) for o in outcomes) for name in ("will", "refused"))
    rest = len(outcomes) - taken - refused
    click.echo(f"{taken:,} rows {word.lower()}, {refused:,} not taken, {rest:,} without anything new")
    if taken and not is_applied:
        click.echo("Nothing was written. Add --apply --by NAME to write it.")


COMMANDS: Sequence[click.Command] = (export_command, import_command)
