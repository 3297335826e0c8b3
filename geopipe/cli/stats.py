"""`geopipe stats`: hectares that reconcile, targets, and published quarters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.stats_errors import errors_command

if TYPE_CHECKING:
    from geopipe.statistics.hectares import Hectares

_RESULT = "out"
_SHIPPED = "default"


class _StatsGroup(click.Group):
    """A group whose first word is a result, unless it is one of its commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read `stats COMMAND ...` or `stats [RESULT] [options]`."""
        is_command = args[:1] and args[0] in self.commands
        # The options of a command are its own; those of `stats` may stand behind the result.
        ctx.allow_interspersed_args = not is_command
        return super().parse_args(ctx, [_RESULT, *args] if is_command else args)


class _Result(click.Argument):
    """The result before the commands of the group: their own usage lines do not repeat it."""

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return nothing: the usage line of the group names it as the other way to go on."""
        return []


_register_option = click.option(
    "--register", "workspace", metavar="WORKSPACE", default=Path("work"), show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Workspace whose register holds decisions and published quarters.",
)  # fmt: skip
_policy_option = click.option(
    "--policy", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Policy that says what full clearance depth is.",
)  # fmt: skip
_result_argument = click.argument(
    "result", metavar="[RESULT]", required=False, default=_RESULT, type=click.Path(path_type=Path)
)


@click.group(
    "stats", cls=_StatsGroup, invoke_without_command=True, subcommand_metavar="[RESULT] | COMMAND [ARGS]..."
)
@click.argument("result", cls=_Result, required=False, default=_RESULT, type=click.Path(path_type=Path))
@click.option(
    "--by", metavar="NAME,...", default="",
    help="List by province, district, operator, kind, year, quarter, land_use, or several of them.",
)  # fmt: skip
@click.option(
    "--register", "workspace", metavar="WORKSPACE", type=click.Path(path_type=Path, file_okay=False),
    help="Workspace whose register holds the decisions; without it, nothing is decided.",
)  # fmt: skip
@_policy_option
@click.option(
    "--targets", metavar="FILE|default",
    help="Show targets and stated figures of a file beside the computed ones.",
)  # fmt: skip
@click.option(
    "--decimals", type=click.IntRange(0, 4), default=2, show_default=True, help="Decimals of a hectare."
)
@click.option(
    "--csv", "csv_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table to a CSV file as well (ha).",
)  # fmt: skip
@options.json_option
@click.pass_context
def stats_command(ctx: click.Context, /, **given: Any) -> None:
    """Show hectares that reconcile: reported - undecided - agreed deduction = reconciled.

    RESULT is a folder that compare or run has written.  [default: out]

    Ground that several records cover is credited once: to the earliest completion (released land) or survey
    (hazard). As long as an overlap is undecided, reconciled hectares are provisional (*). SHA, CHA, cleared,
    reduced and cancelled land stay apart; kinds together are named so.

    \b
    Examples:
      geopipe stats out
      geopipe stats out --by province,year --register work --csv hectares.csv
      geopipe stats out --by operator --targets default
    """
    if ctx.invoked_subcommand is None:
        _show(**given)


@stats_command.command("freeze")
@click.argument("quarter", metavar="QUARTER")
@_result_argument
@_register_option
@_policy_option
@click.option("--by", metavar="NAME", required=True, help="Who publishes the figures.")
@click.option("--reference", metavar="TEXT", required=True, help="Report or letter in which they stand.")
@options.json_option
def freeze_command(quarter: str, result: Path, by: str, reference: str, as_json: bool, **given: Any) -> None:
    """Publish the hectares of a quarter: they stay as they are, later changes are shown as restated.

    \b
    Example:
      geopipe stats freeze 2026-Q1 out --register work --by "Bounmy" --reference "letter 12"
    """
    import datetime as dt

    from geopipe.statistics.quarters import freeze, quarter_name

    name = quarter_name(quarter)
    with _register(given["workspace"]) as register:
        hectares = _hectares(result, register, given["policy"])
        rows = hectares.quarter(name)
        freeze(register, name, rows, by, reference, dt.datetime.now(dt.UTC))
    if as_json:
        answer({"quarter": name, "rows": rows})
        return
    provisional = sum(row["provisional"] for row in rows)
    click.echo(f"{name}: {len(rows)} rows published by {by} ({reference}); they will not change.")
    if provisional:
        click.echo(f"{provisional} of them are provisional: part of their ground is in undecided overlap.")


@stats_command.command("restated")
@click.argument("quarter", metavar="QUARTER")
@_result_argument
@_register_option
@_policy_option
@options.json_option
def restated_command(quarter: str, result: Path, as_json: bool, **given: Any) -> None:
    """Show what has changed in a quarter since it was published, and why.

    \b
    Example:
      geopipe stats restated 2026-Q1 out --register work
    """
    from geopipe.errors import ConfigError
    from geopipe.statistics.quarters import quarter_name, restate
    from geopipe.statistics.table import restated_table

    name = quarter_name(quarter)
    with _register(given["workspace"]) as register:
        published = register.published_quarter(name)
        if not published:
            raise ConfigError("this quarter was not published", name, "See geopipe stats freeze --help.")
        now = _hectares(result, register, given["policy"]).quarter(name)
    rows = restate(published, now)
    if as_json:
        answer(rows)
        return
    click.echo("\n".join(restated_table(name, rows)))


def _show(
    result: Path,
    by: str,
    workspace: Path | None,
    policy: Path | None,
    targets: str | None,
    decimals: int,
    csv_file: Path | None,
    as_json: bool,
) -> None:
    """Print the table of hectares, or all of it as JSON."""
    from contextlib import nullcontext

    from geopipe.io.store import write_text
    from geopipe.statistics.labels import require_known
    from geopipe.statistics.table import as_csv
    from geopipe.statistics.targets import load_targets
    from geopipe.statistics.telling import as_plain, as_text

    # Kinds are always apart, asked for or not.
    columns = tuple(name for name in (part.strip() for part in by.split(",")) if name)
    require_known(columns)
    columns = tuple(name for name in columns if name != "kind")
    goals = None if targets is None else load_targets(None if targets == _SHIPPED else Path(targets))
    with _register(workspace) if workspace else nullcontext() as register:
        hectares = _hectares(result, register, policy)
    if csv_file is not None:
        write_text(csv_file, as_csv(hectares.rows(columns) if columns else [], hectares.rows(()), columns))
        click.echo(f"written: {csv_file}", err=True)
    if as_json:
        answer(as_plain(hectares, columns, goals, decimals))
    else:
        click.echo("\n".join(as_text(hectares, columns, goals, decimals)))


def _hectares(result: Path, register: Any, policy: Path | None) -> Hectares:
    """Count the ground of a result; decisions come from a register, if there is one."""
    from geopipe.policies import load_policy
    from geopipe.statistics.hectares import Hectares
    from geopipe.statistics.reading import read_result
    from geopipe.statistics.treatments import treatments_of

    counted = read_result(result)
    treatments = treatments_of(register.cases(), counted.areas) if register is not None else {}
    return Hectares.of(counted, treatments, load_policy(policy).full_depth_cm)


def _register(workspace: Path) -> Any:
    """Open the register of a workspace."""
    from geopipe.register.register import Register

    return Register.existing(workspace)


stats_command.add_command(errors_command)
