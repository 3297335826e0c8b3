"""`geopipe cases`: look at overlap cases, decide them, prepare meetings, hand out sheets, read them back."""

from __future__ import annotations

import click

from geopipe.cli.casework import acting, deciding, looking, meeting, sheets


@click.group("cases")
def cases_command() -> None:
    """Look at overlap cases, decide them, prepare meetings, hand out sheets and read them back.

    A case is the overlap of two records, A and B. Its number stays, whatever ids the records get.

    \b
    Examples:
      geopipe cases list --open
      geopipe cases explain XKH-2026-0042
      geopipe cases decide XKH-2026-0042 --choice b_corrects --level TWG --meeting "TWG 3/2026" --by "Bounmy"
      geopipe cases export -o cases.xlsx
    """


for command in (
    *looking.COMMANDS, *deciding.COMMANDS, *acting.COMMANDS, *meeting.COMMANDS, *sheets.COMMANDS,
):  # fmt: skip
    cases_command.add_command(command)
