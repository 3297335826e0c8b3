"""`geopipe cases list|show|explain|minutes`: look at cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.casework.columns import Column, table
from geopipe.cli.casework.shared import case_argument, today, workspace_option
from geopipe.terms import CaseStatus, Severity

if TYPE_CHECKING:
    from geopipe.register.case import Case

_COLUMNS = (
    Column("number"), Column("status", 8), Column("finding", 20), Column("A", 6), Column("B", 6),
    Column("m2", is_number=True), Column("A/B %", is_number=True), Column("province", 8),
    Column("decision", 8), Column("due"),
)  # fmt: skip


@click.command("list")
@click.option("--status", "statuses", metavar="STATUS", multiple=True,
              help=f"Only these: {', '.join(CaseStatus)}.")  # fmt: skip
@click.option("--operator", "operators", metavar="NAME", multiple=True, help="Only cases of these operators.")
@click.option("--province", "provinces", metavar="NAME", multiple=True, help="Only cases in these provinces.")
@click.option("--severity", "severities", multiple=True, type=click.Choice([s.value for s in Severity]),
              help="Only cases that matter so much.")  # fmt: skip
@click.option("--open", "only_open", is_flag=True, help="Only cases about which somebody must do something.")
@click.option("--overdue", "only_overdue", is_flag=True, help="Only cases of which the due day is over.")
@workspace_option
@options.json_option
def list_command(workspace: Path, as_json: bool, **wanted: Any) -> None:
    """List cases: alarms first, then the largest. A/B % is the share of either record that overlaps.

    \b
    Examples:
      geopipe cases list --open --province Xiengkhouang
      geopipe cases list --operator MAG --severity alarm
      geopipe cases list --overdue
    """
    from geopipe.casework.choosing import Wanted, choose
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        cases = register.cases()
    found = choose(cases, Wanted(**wanted), today())
    if as_json:
        answer([summary(case) for case in found])
        return
    of = f" of {len(cases):,}" if len(found) != len(cases) else ""
    counts = Counter(case.sighting.columns["severity"] for case in found)
    said = ", ".join(f"{counts[level]:,} {level}" for level in Severity if counts[level])
    click.echo(f"{len(found):,}{of} cases{f': {said}' if said else ''}")
    if found:
        for line in table(_COLUMNS, [_row(case) for case in found]):
            click.echo(line)


def summary(case: Case) -> dict[str, Any]:
    """Return the line of a case as plain values."""
    from geopipe.casework.facts import due_day
    from geopipe.register.table import place_of

    seen = case.sighting
    return {
        "number": case.number, "case_id": case.case_id, "status": case.status.value,
        "present": case.present, "finding": seen.columns["finding"], "severity": seen.columns["severity"],
        "a": seen.a.name, "b": seen.b.name, "a_operator": case.operators[0], "b_operator": case.operators[1],
        "area_m2": seen.columns["area_m2"], "a_share": seen.columns["a_share"],
        "b_share": seen.columns["b_share"], "province": place_of(case, "province"),
        "decision": case.decision.choice.value if case.decision else None,
        "confirmed": case.decision.confirmed if case.decision else None, "due": due_day(case),
    }  # fmt: skip


def _row(case: Case) -> list[str]:
    line = summary(case)
    mark = "" if line["confirmed"] is not False else "?"
    shares = "/".join(f"{100 * line[f'{side}_share']:.0f}" for side in "ab")
    return [
        case.name,
        line["status"].replace("_", " "),
        f"{'! ' if line['severity'] == Severity.ALARM else ''}{line['finding'].replace('_', ' ')}",
        line["a_operator"],
        line["b_operator"],
        f"{line['area_m2']:,.{0 if line['area_m2'] >= 100 else 1}f}",
        shares,
        line["province"] or "-",
        f"{(line['decision'] or '-').replace('_', ' ')}{mark}",
        str(line["due"] or "-"),
    ]


@click.command("show")
@case_argument
@workspace_option
@options.json_option
def show_command(name: str, workspace: Path, as_json: bool) -> None:
    """Show everything about a case: records, overlap, positions, decisions, history, what each choice does.

    CASE is its number, its id, or the beginning of its id.

    \b
    Example:
      geopipe cases show XKH-2026-0042
    """
    from geopipe.casework.casefile import CaseFile
    from geopipe.casework.proposal import propose
    from geopipe.casework.rules import policy_in_force
    from geopipe.register.casefiles import decisions_of
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        case, policy = register.case(name), policy_in_force(register)
        decisions = decisions_of(register, case.case_id)
    file = CaseFile(case, decisions, propose(case, policy), policy.sentences, today())
    if as_json:
        answer(file.as_dict())
        return
    for line in file.lines():
        click.echo(line)


@click.command("explain")
@case_argument
@workspace_option
@options.json_option
def explain_command(name: str, workspace: Path, as_json: bool) -> None:
    """Explain a case in short sentences: what lies where, what came first, what is proposed and why.

    \b
    Example:
      geopipe cases explain XKH-2026-0042
    """
    from geopipe.casework.explaining import explain
    from geopipe.casework.proposal import propose
    from geopipe.casework.rules import policy_in_force
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        case, policy = register.case(name), policy_in_force(register)
    proposal = propose(case, policy)
    sentences = list(explain(case, proposal, policy.sentences))
    if as_json:
        said = {"case": case.name, "case_id": case.case_id, "proposal": proposal.choice.value}
        answer({**said, "reasons": [str(reason) for reason in proposal.reasons], "sentences": sentences})
        return
    for sentence in sentences:
        click.echo(sentence)


@click.command("minutes")
@case_argument
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Where to write them.  [default: the name under which they came]")  # fmt: skip
@workspace_option
def minutes_command(name: str, output: Path | None, workspace: Path) -> None:
    """Give the signed minutes on which the decision of a case rests, from the copy in the register.

    \b
    Example:
      geopipe cases minutes XKH-2026-0042 -o minutes.pdf
    """
    from geopipe.errors import ConfigError
    from geopipe.io.whole import write_whole
    from geopipe.register.papers import minutes_of
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        case = register.case(name)
        reference = case.decision.reference if case.decision else None
        kept = minutes_of(register, reference.reference_id) if reference else None
    if kept is None:
        what = "no signed minutes are kept for this case"
        raise ConfigError(what, case.name, "geopipe cases confirm gives them to the register.")
    file_name, content = kept
    place = output or Path(Path(file_name).name)
    if output is None and place.exists():
        raise ConfigError("a file of this name is here already", str(place), "Choose another with -o.")
    written = write_whole(place, lambda path: path.write_bytes(content), is_confidential=True)
    click.echo(f"{written}: {reference.text if reference else ''}")


COMMANDS: Sequence[click.Command] = (list_command, show_command, explain_command, minutes_command)
