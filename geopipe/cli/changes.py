"""`geopipe changes`: what a new delivery changed against the one before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.cli.show import progress

if TYPE_CHECKING:
    from geopipe.config import Config
    from geopipe.schema import State

_SHOWN = 15
_ORDER = ("vanished", "returned", "edited", "redrawn", "split", "merged", "regrouped", "id_reused", "added",
          "re_issued", "attributes")  # fmt: skip


@click.command("changes")
@click.argument("old", metavar="OLD", type=click.Path(path_type=Path))
@click.argument("new", metavar="NEW", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Folder for changes.gpkg and changes.json.  [default: only show]",
)  # fmt: skip
@options.delivery_options
@options.fail_on_option
@options.json_option
@options.quiet_option
def changes_command(
    old: Path, new: Path, output: Path | None, fail_on: str | None, as_json: bool, quiet: bool, **given: Any
) -> int:
    """Show what a new delivery of an operator changed against an older one, alarms first.

    Hazard that vanished or became smaller, and released land that grew, are alarms. A record can only
    vanish from a whole register: say --snapshot when NEW is one.

    \b
    Examples:
      geopipe changes mag_2025.gpkg mag_2026.gpkg --snapshot
      geopipe changes old/ new/ --operator MAG --snapshot -o out
    """
    from geopipe.history import hold_against, summary_of, write_changes
    from geopipe.policies import load_policy
    from geopipe.schema import FEATURES, empty_frame

    before_config, now_config = (options.make_config([path], **given) for path in (old, new))
    with progress(quiet or as_json) as show:
        before = _kept(before_config, show)
        now = _kept(now_config.model_copy(update={"working_crs": before.working_crs}), show)
        _require_common_operator(before, now)
        policy = load_policy(now_config.policy)
        found = hold_against(now, before.features, empty_frame(FEATURES), policy, policy.lineage_share)
    summary = summary_of(found)
    written = write_changes(found, now.working_crs, output) if output else []
    problems = [sentence for state in (before, now) for d in state.deliveries for _, sentence in d.problems]
    for sentence in dict.fromkeys(problems):
        click.echo(sentence, err=True)
    if as_json:
        answer(summary)
    elif not quiet:
        _show(summary, any(delivery.mode == "snapshot" for delivery in now.deliveries), written)
    return _exit_code(summary, fail_on, bool(problems))


def _kept(config: Config, show: Any) -> State:
    """Read deliveries and take them as far as `deduplicate`."""
    from geopipe.pipeline import read
    from geopipe.policies import load_policy
    from geopipe.steps import STEPS, advance

    policy = load_policy(config.policy)
    state = read(config, show)
    for stage in STEPS:
        show(stage)
        state = advance(state, stage, config, policy)
        if stage == "deduplicate":
            break
    return state


def _require_common_operator(before: State, now: State) -> None:
    """Refuse to compare deliveries of different operators: everything would be new, everything gone."""
    from geopipe.errors import ConfigError

    old, new = (state.features.values("operator") for state in (before, now))
    if old and new and not set(old) & set(new):
        raise ConfigError(
            f"the two deliveries are of different operators ({', '.join(old)}; {', '.join(new)})",
            remedy="If they are of the same one, say which: --operator NAME.",
        )


def _show(summary: dict[str, Any], is_snapshot: bool, written: list[Path]) -> None:
    told = [row for row in summary["told"] if row["severity"] != "note"]
    for row in told[:_SHOWN]:
        parts = (row["file"], f"row {row['row']}" if row["row"] else "")
        where = ", ".join(part for part in parts if part)
        click.echo(f"{row['severity'].upper():6} {row['code']:22} {row['record_id'] or ''}")
        click.echo(f"       {where + ': ' if where else ''}{row['sentence']}")
    if len(told) > _SHOWN:
        click.echo(f"       ... and {len(told) - _SHOWN:,} more")
    counts = summary["changes"]
    for change in (name for name in _ORDER if name in counts):
        click.echo(f"{counts[change]:>8,} {change.replace('_', ' ')}")
    if not counts:
        click.echo("Nothing has changed.")
    if summary["not_in_the_new_delivery"]:
        count = summary["not_in_the_new_delivery"]
        click.echo(f"{count:>8,} only in OLD, still in force")
        if not is_snapshot:
            click.echo(
                "NEW counts as an increment: nothing vanishes. If it is a whole register, add --snapshot."
            )
    for path in written:
        click.echo(f"Written: {path}")


def _exit_code(summary: dict[str, Any], fail_on: str | None, left_out: bool) -> int:
    from geopipe.errors import ExitCode
    from geopipe.terms import Severity

    levels = [level.value for level in Severity]
    if fail_on and any(summary["severities"].get(level) for level in levels[: levels.index(fail_on) + 1]):
        return ExitCode.FINDINGS
    return ExitCode.PARTIAL if left_out else ExitCode.DONE
