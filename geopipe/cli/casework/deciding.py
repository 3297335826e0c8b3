"""`geopipe cases decide|confirm|reopen`: write down what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from geopipe.cli import options
from geopipe.cli.casework.shared import (
    DAY,
    by_option,
    case_argument,
    cases_argument,
    day_of,
    due_option,
    now,
    say,
    workspace_option,
)
from geopipe.terms import Choice

_FILE = click.Path(path_type=Path, dir_okay=False)
_meeting = click.option("--meeting", metavar="NAME", default="", help="Meeting or letter that decided.")
_held_on = click.option("--held-on", metavar="YYYY-MM-DD", type=DAY, help="Day of the meeting or letter.")
_item = click.option("--item", metavar="TEXT", default="", help="Item of the minutes.")


@click.command("decide")
@case_argument
@click.option(
    "--choice", required=True, type=click.Choice([c.value for c in Choice]), help="What was decided."
)
@click.option(
    "--level", metavar="NAME", required=True, help="Who decided: a level of the policy, such as TWG."
)
@_meeting
@_held_on
@_item
@click.option(
    "--minutes", metavar="FILE", type=_FILE, help="Signed minutes: they make the decision confirmed."
)
@click.option("--line", "line_file", metavar="FILE.geojson", type=_FILE,
              help="The agreed line (lon/lat, WGS 84), to split on it.")  # fmt: skip
@click.option("--shrinks-hazard", is_flag=True,
              help="Those who decided know that less ground will be shown as hazard.")  # fmt: skip
@click.option("--grows-released", is_flag=True,
              help="Those who decided know that more ground will be shown as released.")  # fmt: skip
@click.option("--responsible", metavar="NAME", default="", help="Who corrects the data.")
@due_option
@click.option("--note", metavar="TEXT", default="", help="Anything else.")
@by_option
@workspace_option
@options.json_option
def decide_command(
    name: str, workspace: Path, by: str, choice: str, level: str, as_json: bool, **given: Any
) -> None:
    """Write down a decision: confirmed with the signed minutes, else provisional.

    \b
    Examples:
      geopipe cases decide XKH-2026-0042 --choice b_corrects --level TWG --meeting "TWG 3/2026" \\
          --held-on 2026-09-14 --item 4 --minutes minutes.pdf --responsible MAG --due 2026-12-01 --by "Bounmy"
      geopipe cases decide XKH-2026-0042 --choice split_on_line --line line.geojson --level TWG \\
          --meeting "TWG 3/2026" --by "Bounmy"
    """
    from geopipe.casework.agreedline import read_line
    from geopipe.casework.casefile import decision_text
    from geopipe.casework.papers import paper
    from geopipe.casework.rules import policy_in_force
    from geopipe.register.desk import Desk
    from geopipe.register.register import Register

    line = read_line(given["line_file"]) if given["line_file"] else None
    with Register.existing(workspace) as register, register.transaction():
        desk, case = Desk(register, by, now()), register.case(name)
        reference = paper(desk, given["meeting"], day_of(given["held_on"]), given["item"], given["minutes"])
        decision = desk.decide(
            case, Choice(choice), level, policy_in_force(register), reference, line_wgs84=line,
            shrinks_hazard=given["shrinks_hazard"], grows_released=given["grows_released"],
            responsible=given["responsible"], due=day_of(given["due"]), note=given["note"],
        )  # fmt: skip
    text = f"decided: {decision_text(decision)}"
    say(
        [{"case": case.name, "case_id": case.case_id, "text": text, "confirmed": decision.confirmed}], as_json
    )


@click.command("confirm")
@cases_argument
@click.option("--minutes", metavar="FILE", required=True, type=_FILE, help="The signed minutes.")
@_meeting
@_held_on
@_item
@by_option
@workspace_option
@options.json_option
def confirm_command(
    names: Sequence[str], workspace: Path, by: str, minutes: Path, as_json: bool, **given: Any
) -> None:
    """Confirm provisional decisions by their signed minutes, of which a copy is kept.

    Meeting, day and item are those said with the decision unless they are given here.

    \b
    Example:
      geopipe cases confirm XKH-2026-0042 XKH-2026-0043 --minutes minutes.pdf --by "Bounmy"
    """
    from geopipe.casework.papers import confirming_paper
    from geopipe.register.desk import Desk
    from geopipe.register.register import Register

    done = []
    with Register.existing(workspace) as register, register.transaction():
        desk = Desk(register, by, now())
        for name in dict.fromkeys(names):
            case = register.case(name)
            said = given["meeting"], day_of(given["held_on"]), given["item"]
            reference = confirming_paper(desk, case, *said, minutes)
            desk.confirm(case, reference)
            text = f"confirmed by {reference.text} ({reference.file_name} {reference.file_sha256[:12]})"
            done.append({"case": case.name, "case_id": case.case_id, "text": text})
    say(done, as_json)


@click.command("reopen")
@case_argument
@click.option("--cause", metavar="TEXT", required=True, help="Why.")
@by_option
@workspace_option
@options.json_option
def reopen_command(name: str, workspace: Path, by: str, cause: str, as_json: bool) -> None:
    """Open a case again; an earlier decision becomes history.

    \b
    Example:
      geopipe cases reopen XKH-2026-0042 --cause "new survey" --by "Bounmy"
    """
    from geopipe.register.desk import Desk
    from geopipe.register.register import Register

    with Register.existing(workspace) as register, register.transaction():
        case = register.case(name)
        Desk(register, by, now()).reopen(case, cause)
    say([{"case": case.name, "case_id": case.case_id, "text": f"open again: {cause}"}], as_json)


COMMANDS: Sequence[click.Command] = (decide_command, confirm_command, reopen_command)
