"""`geopipe cases agenda`: which cases a meeting can decide."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.looking import summary
from geopipe.cli.casework.shared import now, today, workspace_option

if TYPE_CHECKING:
    from geopipe.casework.agenda import Agenda
    from geopipe.register.case import Case
    from geopipe.register.register import Register
    from geopipe.terms import Choice

_SHOWN = 10
_PARTS = ("minutes_missing", "not_acknowledged", "overdue", "alarms", "discussion", "consent", "deferred")


@click.command("agenda")
@click.option("--minutes-of-meeting", "minutes", metavar="N", type=click.IntRange(min=1), required=True,
              help="How long the meeting is.")  # fmt: skip
@click.option("--meeting", metavar="NAME", default="", help="The meeting.")
@click.option("--put", is_flag=True, help="Write down that these cases are on its agenda.")
@click.option("--by", metavar="NAME", default="", help="Who puts them there.")
@workspace_option
@options.json_option
def agenda_command(workspace: Path, minutes: int, meeting: str, put: bool, by: str, as_json: bool) -> None:
    """Choose the cases for a meeting: safety alarms, at most a dozen to discuss, and a consent list.

    It opens with decisions without signed minutes, with what nobody acknowledged, and with what is overdue.
    On the consent list is what all operators of a case agree to. The rest is deferred and counted.

    \b
    Examples:
      geopipe cases agenda --minutes-of-meeting 120
      geopipe cases agenda --minutes-of-meeting 120 --meeting "TWG 4/2026" --put --by "Bounmy"
    """
    from geopipe.casework.agenda import plan_meeting
    from geopipe.casework.proposal import propose
    from geopipe.casework.rules import policy_in_force
    from geopipe.register.register import Register

    with Register.existing(workspace) as register, register.transaction() if put else nullcontext():
        cases, policy = register.cases(), policy_in_force(register)
        proposals = {case.case_id: propose(case, policy).choice for case in cases}
        agenda = plan_meeting(cases, proposals, minutes, today())
        written = _put(register, agenda, meeting, by) if put else 0
    if as_json:
        answer(_as_dict(agenda, proposals, meeting, written))
    else:
        _tell(agenda, proposals, meeting)
        if put:
            click.echo(f"Written: {written:,} cases are on the agenda of {meeting}.", err=True)


def _put(register: Register, agenda: Agenda, meeting: str, by: str) -> int:
    """Write down, within a transaction, that the cases are on the agenda; some may be there already."""
    from geopipe.errors import ConfigError
    from geopipe.register.desk import Desk

    if not meeting.strip():
        raise ConfigError("nobody knows of which meeting", remedy="Give --meeting NAME.")
    desk = Desk(register, by, now())
    new = [case for case in agenda.chosen if not _is_on(case, meeting)]
    for case in new:
        desk.put_on_agenda(case, meeting)
    return len(new)


def _is_on(case: Case, meeting: str) -> bool:
    last = next((event for event in reversed(case.events) if event.kind == "on_agenda"), None)
    return case.status == "on_agenda" and last is not None and last.data["meeting"] == meeting


def _as_dict(agenda: Agenda, proposals: dict[str, Choice], meeting: str, written: int) -> dict[str, Any]:
    parts = {
        name: [summary(case) | {"proposal": proposals[case.case_id].value} for case in getattr(agenda, name)]
        for name in _PARTS
    }
    return {
        "meeting": meeting, "minutes": agenda.minutes, "planned_min": agenda.planned_min, "put": written,
        **parts, "deferred_alarms": agenda.deferred_alarms,
    }  # fmt: skip


def _tell(agenda: Agenda, proposals: dict[str, Choice], meeting: str) -> None:
    click.echo(
        f"AGENDA {meeting or 'of the next meeting'}: {agenda.minutes} minutes, {agenda.planned_min} planned"
    )
    _part("DECIDED, BUT SIGNED MINUTES MISSING", agenda.minutes_missing, {})
    _part("NOT ACKNOWLEDGED", agenda.not_acknowledged, {})
    _part("OVERDUE", agenda.overdue, {})
    _part("SAFETY ALARMS", agenda.alarms, proposals, most=len(agenda.alarms))
    _part("TO DISCUSS", agenda.discussion, proposals, most=len(agenda.discussion))
    _part("CONSENT LIST, one signature: all operators agree", agenda.consent, proposals,
          most=len(agenda.consent))  # fmt: skip
    click.echo(f"DEFERRED: {len(agenda.deferred):,} cases")
    if agenda.deferred_alarms:
        click.echo(
            f"  SAFETY: {agenda.deferred_alarms:,} alarms do not fit into this meeting. It must be longer."
        )


def _part(title: str, cases: Sequence[Case], proposals: dict[str, Choice], most: int = _SHOWN) -> None:
    """Print one part of the agenda."""
    from geopipe.casework.facts import due_day, is_disputed, unacknowledged
    from geopipe.casework.words import CHOICES

    click.echo(f"{title}: {len(cases):,}")
    for case in cases[:most]:
        seen, due = case.sighting, due_day(case)
        said = [f"{seen.a.name} x {seen.b.name}", f"{seen.columns['area_m2']:,.1f} m2"]
        if case.case_id in proposals:
            said += [f"proposal: {CHOICES[proposals[case.case_id]]}"]
            said += ["the operators differ"] if is_disputed(case) else []
        elif case.decision:
            said += [CHOICES[case.decision.choice], *([f"due {due}"] if due else [])]
        elif waiting := unacknowledged(case):
            said += [f"sent to {' and '.join(waiting)}"]
        click.echo(f"  {case.name}  {', '.join(said)}")
    if len(cases) > most:
        click.echo(f"  and {len(cases) - most:,} more")


COMMANDS: Sequence[click.Command] = (agenda_command,)
