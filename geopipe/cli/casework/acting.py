"""`geopipe cases position|assign|send|acknowledge|defer`: what else people do about cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from geopipe.terms import Answer

if TYPE_CHECKING:
    from geopipe.register.case import Case
    from geopipe.register.desk import Desk


def _for_each(workspace: Path, by: str, names: Sequence[str], act: Callable[[Desk, Case], list[str]],
              as_json: bool) -> None:  # fmt: skip
    """Do something about several cases, all or none, and tell."""
    from geopipe.register.desk import Desk
    from geopipe.register.register import Register

    done: list[dict[str, Any]] = []
    with Register.existing(workspace) as register, register.transaction():
        desk = Desk(register, by, now())
        for case in {case.case_id: case for case in map(register.case, names)}.values():
            done += [{"case": case.name, "case_id": case.case_id, "text": text} for text in act(desk, case)]
    say(done, as_json)


@click.command("position")
@case_argument
@click.option("--operator", metavar="NAME", required=True, help="Whose position this is.")
@click.option("--answer", required=True, type=click.Choice([a.value for a in Answer]),
              help="What it says to the proposal.")  # fmt: skip
@click.option("--name", "person", metavar="NAME", required=True, help="Who said it for the operator.")
@click.option("--comment", metavar="TEXT", default="", help="Why.")
@click.option("--evidence", metavar="TEXT", default="", help="On what it rests: survey, photos, report.")
@click.option("--said-on", metavar="YYYY-MM-DD", type=DAY, help="On which day it said so.")
@by_option
@workspace_option
@options.json_option
def position_command(name: str, workspace: Path, by: str, operator: str, answer: str, person: str,
                     as_json: bool, **more: Any) -> None:  # fmt: skip
    """Write down what an operator says to the proposal of a case: its position, never a decision.

    \b
    Example:
      geopipe cases position XKH-2026-0042 --operator MAG --answer agree --name "Kham" --by "Bounmy"
    """
    from geopipe.casework.proposal import propose
    from geopipe.casework.rules import policy_in_force

    def act(desk: Desk, case: Case) -> list[str]:
        proposal = propose(case, policy_in_force(desk.register)).choice
        desk.position(
            case, operator, Answer(answer), person, comment=more["comment"], evidence=more["evidence"],
            said_on=day_of(more["said_on"]), proposal=proposal,
        )  # fmt: skip
        return [f"position of {operator}: {answer.replace('_', ' ')} ({person})"]

    _for_each(workspace, by, [name], act, as_json)


@click.command("assign")
@cases_argument
@click.option("--to", metavar="NAME", required=True, help="Who sees to it.")
@due_option
@by_option
@workspace_option
@options.json_option
def assign_command(
    names: Sequence[str], workspace: Path, by: str, to: str, due: dt.datetime | None, as_json: bool
) -> None:
    """Write down who sees to cases, and by when.

    \b
    Example:
      geopipe cases assign XKH-2026-0042 --to "Kham" --due 2026-12-01 --by "Bounmy"
    """

    def act(desk: Desk, case: Case) -> list[str]:
        desk.assign(case, to, day_of(due))
        return [f"{to} sees to it{f', by {due.date()}' if due else ''}"]

    _for_each(workspace, by, names, act, as_json)


def _operators(case: Case, chosen: Sequence[str]) -> list[str]:
    """Return the operators meant: all of the case if none is named."""
    from geopipe.errors import ConfigError

    for operator in chosen:
        if operator not in case.operators:
            known = " and ".join(dict.fromkeys(case.operators))
            raise ConfigError(f"{operator!r} has no record in this case", case.name, f"It is about {known}.")
    return list(chosen or dict.fromkeys(case.operators))


@click.command("send")
@cases_argument
@click.option("--operator", "operators", metavar="NAME", multiple=True, help="To whom.  [default: both]")
@due_option
@by_option
@workspace_option
@options.json_option
def send_command(names: Sequence[str], workspace: Path, by: str, operators: Sequence[str],
                 due: dt.datetime | None, as_json: bool) -> None:  # fmt: skip
    """Write down that cases were sent to their operators, who are to answer by a day.

    This only keeps the record: the sheet itself is made by geopipe cases export --operator.

    \b
    Example:
      geopipe cases send XKH-2026-0042 --due 2026-12-01 --by "Bounmy"
    """

    def act(desk: Desk, case: Case) -> list[str]:
        to = _operators(case, operators)
        for operator in to:
            desk.send(case, operator, day_of(due))
        return [f"sent to {operator}{f', answer by {due.date()}' if due else ''}" for operator in to]

    _for_each(workspace, by, names, act, as_json)


@click.command("acknowledge")
@cases_argument
@click.option("--operator", "operators", metavar="NAME", multiple=True, required=True, help="Who.")
@by_option
@workspace_option
@options.json_option
def acknowledge_command(
    names: Sequence[str], workspace: Path, by: str, operators: Sequence[str], as_json: bool
) -> None:
    """Write down that an operator has acknowledged what was sent to it, or decided.

    \b
    Example:
      geopipe cases acknowledge XKH-2026-0042 --operator MAG --by "Bounmy"
    """

    def act(desk: Desk, case: Case) -> list[str]:
        for operator in _operators(case, operators):
            desk.acknowledge(case, operator)
        return [f"acknowledged by {operator}" for operator in operators]

    _for_each(workspace, by, names, act, as_json)


@click.command("defer")
@cases_argument
@click.option("--cause", metavar="TEXT", required=True, help="Why.")
@by_option
@workspace_option
@options.json_option
def defer_command(names: Sequence[str], workspace: Path, by: str, cause: str, as_json: bool) -> None:
    """Put cases off to a later meeting.

    \b
    Example:
      geopipe cases defer XKH-2026-0042 --cause "no quorum" --by "Bounmy"
    """

    def act(desk: Desk, case: Case) -> list[str]:
        desk.defer(case, cause)
        return [f"deferred: {cause}"]

    _for_each(workspace, by, names, act, as_json)


COMMANDS: Sequence[click.Command] = (
    position_command, assign_command, send_command, acknowledge_command, defer_command,
)  # fmt: skip
