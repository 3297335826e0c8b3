"""`geopipe findings`: the findings that the register follows, and what people do with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.register.finding import Finding

_OUTSTANDING, _ALL = "outstanding", "all"
_STATUSES = (_OUTSTANDING, "backlog", "new", "sent", "reopened", "accepted", "corrected", _ALL)
# So many lines a person reads; the rest is counted.
_LINES = 40
_by_option = click.option("--by", metavar="NAME", required=True, help="Who does this.")
_code_option = click.option("--code", metavar="CODE", help="Only findings of this code.")


@click.group("findings")
def findings_command() -> None:
    """List findings with their status; accept one with a reason; write down what was sent.

    Findings are kept in the register of a workspace. A run opens them, and calls them corrected when the
    data were read again without the fault.

    \b
    Examples:
      geopipe findings list -w work --operator MAG
      geopipe findings accept 3f9c12 -w work --reason "measured again in the field" --by Bounmy
      geopipe findings send -w work --operator MAG --by Bounmy
    """


@findings_command.command("list")
@options.workspace_option
@click.option("--operator", metavar="NAME", help="Only findings of this operator.")
@_code_option
@click.option(
    "--status", type=click.Choice(_STATUSES), default=_OUTSTANDING, show_default=True,
    help="Only findings of this status; outstanding: not corrected and not accepted.",
)  # fmt: skip
@options.json_option
def list_command(workspace: Path, operator: str | None, code: str | None, status: str, as_json: bool) -> None:
    """List findings, alarms first, the oldest first.

    \b
    Example:
      geopipe findings list -w work --operator MAG --status outstanding
    """
    from geopipe.terms import Severity

    known = _read(workspace)
    chosen = [item for item in _of(known, operator, code) if _has(item, status)]
    if as_json:
        answer([_plain(item) for item in chosen])
        return
    levels = list(Severity)
    chosen.sort(key=lambda item: (levels.index(item.columns["severity"]), item.opened, item.operator))
    for item in chosen[:_LINES]:
        click.echo(_line(item))
    click.echo(f"{len(chosen):,} of {len(known):,} findings" + _rest(len(chosen)))


@findings_command.command("accept")
@click.argument("names", metavar="ID ...", nargs=-1, required=True)
@options.workspace_option
@click.option("--reason", metavar="TEXT", required=True, help="Why the data may stay as they are.")
@_by_option
@options.json_option
def accept_command(names: tuple[str, ...], workspace: Path, reason: str, by: str, as_json: bool) -> None:
    """Accept findings: the data may stay as they are, for a reason.

    Should the figure of one grow later, it is opened again. Either all that are named are accepted, or none.

    \b
    Example:
      geopipe findings accept 3f9c12 -w work --reason "measured again in the field" --by "Bounmy"
    """
    import datetime as dt

    from geopipe.register.findingfiles import accept, find_finding, findings_of
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        known = findings_of(register)
        # The same one may be named twice.
        chosen = {item.finding_id: item for item in (find_finding(known, name) for name in names)}
        accept(register, list(chosen.values()), reason, by, dt.datetime.now(dt.UTC))
        accepted = [item for item in findings_of(register) if item.finding_id in chosen]
    if as_json:
        answer([_plain(item) for item in accepted])
        return
    for item in accepted:
        click.echo(f"{item.finding_id} {item.code} of {item.operator or 'nobody known'}: accepted by {by}.")


@findings_command.command("send")
@options.workspace_option
@click.option("--operator", metavar="NAME", required=True, help="To whom they were sent.")
@_code_option
@_by_option
@options.json_option
def send_command(workspace: Path, operator: str, code: str | None, by: str, as_json: bool) -> None:
    """Write down that an operator's outstanding findings were sent to it.

    What is for the authority only is never sent. The files to send are in `return/` beside the result.

    \b
    Example:
      geopipe findings send -w work --operator MAG --by "Bounmy"
    """
    import datetime as dt

    from geopipe.register.findingfiles import findings_of, send
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        chosen = _of(findings_of(register), operator, code)
        sent = send(register, chosen, by, dt.datetime.now(dt.UTC))
    if as_json:
        told = {"operator": operator, "sent": [item.finding_id for item in sent]}
        answer(told)
        return
    click.echo(f"{operator}: {len(sent):,} findings written down as sent by {by}.")


def _read(workspace: Path) -> list[Finding]:
    from geopipe.register.findingfiles import findings_of
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        return findings_of(register)


def _of(findings: Sequence[Finding], operator: str | None, code: str | None) -> list[Finding]:
    """Return the findings of an operator and a code; names that no finding has are refused."""
    from geopipe.config import load_vocabulary
    from geopipe.errors import ConfigError
    from geopipe.recognition import fold_tight, lookup
    from geopipe.settings import did_you_mean

    if operator is not None:
        operator = lookup(load_vocabulary().operators).get(fold_tight(operator), operator)
    for name, word, known in (
        ("operator", operator, {item.operator for item in findings}),
        ("code", code, {item.code for item in findings}),
    ):
        if word is not None and word not in known:
            hint = did_you_mean(word, tuple(sorted(known - {""}))) if known else ""
            raise ConfigError(f"--{name}: no finding has {word!r}{hint}")
    return [item for item in findings if operator in (None, item.operator) and code in (None, item.code)]


def _has(item: Finding, status: str) -> bool:
    if status == _OUTSTANDING:
        return item.is_outstanding
    return status in (_ALL, item.status.value)


def _line(item: Finding) -> str:
    told = item.columns
    other = f" x {told['other_id']}" if told["other_id"] and told["other_id"] != told["record_id"] else ""
    return (
        f"{item.finding_id}  {told['severity']:8} {item.status.value:9} {item.opened}  "
        f"{item.operator or 'not known':12} {item.code}: {item.about}{other}"
    )


def _rest(count: int) -> str:
    return f"; {count - _LINES:,} more than are shown (--json shows all)" if count > _LINES else ""


def _plain(item: Finding) -> dict[str, Any]:
    return {
        "finding_id": item.finding_id,
        "code": item.code,
        "operator": item.operator,
        "status": item.status.value,
        "opened": item.opened.isoformat(),
        **item.columns,
        "measure": item.measure,
        "events": [
            {
                "day": event.day.isoformat(), "author": event.author, "status": event.status.value,
                "cause": event.cause,
            }
            for event in item.events
        ],
    }  # fmt: skip
