"""`geopipe policy`: what the rules say, whether a tolerance is in force, and what one would accept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

_POLICY = click.argument("name", metavar="FILE|NAME", required=False, default="default")


@click.group("policy")
def policy_command() -> None:
    """Show and check policies, and show what a tolerance would accept.

    \b
    Examples:
      geopipe policy show
      geopipe policy check twg-5m2-draft
      geopipe policy sensitivity out
    """


def _today() -> dt.date:
    from geopipe.periods import day_here

    return day_here(dt.datetime.now(dt.UTC))


@policy_command.command("show")
@_POLICY
@options.json_option
def show(name: str, as_json: bool) -> None:
    """Say in words what a policy holds.

    \b
    Example:
      geopipe policy show twg-5m2-draft
    """
    from geopipe.policies import load_policy, policy_hash, policy_path
    from geopipe.reports.policywords import policy_words

    policy, today = load_policy(policy_path(name)), _today()
    if as_json:
        why_not = list(policy.why_no_tolerance(today))
        said = {"hash": policy_hash(policy), "in_force": not why_not, "why_not_in_force": why_not}
        answer({**said, "policy": policy.model_dump(mode="json")})
        return
    for line in policy_words(policy, today):
        click.echo(line)


@policy_command.command("check")
@click.argument("name", metavar="FILE|NAME")
@options.json_option
def check(name: str, as_json: bool) -> None:
    """Say if a tolerance is in force, and if not, why.

    A file that cannot be used as a policy ends with exit code 2.

    \b
    Example:
      geopipe policy check our-policy.yaml
    """
    from geopipe.policies import load_policy, policy_hash, policy_path
    from geopipe.reports.policywords import in_force_words

    policy = load_policy(policy_path(name))
    why_not = policy.why_no_tolerance(_today())
    if as_json:
        said = {"name": policy.name, "version": policy.version, "hash": policy_hash(policy), "valid": True}
        answer({**said, "in_force": not why_not, "why_not_in_force": list(why_not)})
        return
    click.echo(f"{name}: this policy can be used ({policy.name}, version {policy.version}).")
    click.echo(in_force_words(policy, why_not))


@policy_command.command("sensitivity")
@click.argument(
    "result", required=False, default=Path("out"), type=click.Path(path_type=Path, file_okay=False)
)
@click.option("--policy", "name", metavar="FILE|NAME", default="default", show_default=True,
              help="Policy of which the limits and the tolerance are tried.")  # fmt: skip
@click.option("--csv", "csv_path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Write every row of the table to this file, too.")  # fmt: skip
@options.json_option
def sensitivity(result: Path, name: str, csv_path: Path | None, as_json: bool) -> None:
    """Count the overlaps under limits of size.

    RESULT is the folder of a result (default: out). Limits are of area and of width; counted are parts of
    overlaps, pairs and sites of each pair of kinds, those that no tolerance may ever accept, and those that
    are smaller than surveys are accurate.

    \b
    Example:
      geopipe policy sensitivity out --policy twg-5m2-draft --csv sensitivity.csv
    """
    from geopipe.policies import load_policy, policy_path
    from geopipe.reports.sensitivity.table import of_result
    from geopipe.reports.sensitivity.text import text_of, write_csv

    found = of_result(result, load_policy(policy_path(name)), _today())
    if csv_path:
        write_csv(found, csv_path)
    if as_json:
        answer(found.as_json())
    else:
        click.echo(text_of(found))
    if csv_path:
        click.echo(f"Written: {csv_path}", err=True)
