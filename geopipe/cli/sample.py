"""`geopipe sample`: draw completed areas for quality management, and read the inspectors' sheet back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.sampling.drawing import Sample
    from geopipe.sampling.results import Taken

_SHOWN = 20
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("sample")
def sample_command() -> None:
    """Draw completed areas for inspection, and read the results back. For the authority only."""


@sample_command.command("draw")
@click.argument("result", metavar="RESULT", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="New folder for the sample, outside RESULT.",
)
@click.option("--count", metavar="N", type=int, help="How many areas to draw.")
@click.option(
    "--share",
    metavar="PERCENT",
    type=float,
    help="How many percent of the areas to draw, in each stratum, rounded up.",
)
@click.option(
    "--seed", metavar="INT", type=int, required=True, help="Any number; the same gives the same draw."
)
@click.option(
    "--method",
    type=click.Choice(["random", "stratified", "risk"]),
    help="[default: risk with --weights, stratified with --stratify, else random]",
)
@click.option("--stratify", metavar="NAME,...", help="operator, province, district, size, kind, year, ...")
@click.option(
    "--size-limits-m2",
    metavar="M2,...",
    help="Limits between classes of size.  [default: three classes of equally many areas]",
)
@click.option(
    "--weights",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Risk weights (YAML): weights, others, times_area.",
)
@click.option(
    "--kind", metavar="KIND,...", default="CLEARED", show_default=True, help="CLEARED, REDUCED, CANCELLED."
)
@click.option("--completed-from", metavar="YYYY-MM-DD", type=_DAY, help="First day of completion.")
@click.option("--completed-to", metavar="YYYY-MM-DD", type=_DAY, help="Last day of completion.")
@click.option("--undated", is_flag=True, help="Take areas without a completion date, too.")
@click.option("--least-m2", metavar="M2", type=float, default=0.0, help="Leave out areas with less ground.")
@click.option(
    "--exclude",
    metavar="ID|FILE|DIR",
    multiple=True,
    help="Leave out: an id, a file with one id per line, or an earlier sample.",
)
@click.option("--boxes", metavar="N", type=int, help="How many boxes to draw inside each area.")
@click.option("--box-size-m", metavar="M", type=float, help="Side of a box.")
@click.option("--by", metavar="NAME", default="", help="Who draws.")
@options.json_option
def draw_command(result: Path, output: Path, as_json: bool, **given: Any) -> None:
    """Draw completed areas, and boxes inside them, from ground counted once.

    RESULT is a folder that compare or run has written. Nothing is drawn by default: say how much, and with
    which seed. What the operators must not see is written to DIR, readable for you only.

    \b
    Examples:
      geopipe sample draw out -o qm-2026 --count 30 --seed 7
      geopipe sample draw out -o qm-2026 --share 5 --stratify operator,province --seed 7
      geopipe sample draw out -o qm-2026 --count 30 --seed 7 --boxes 5 --box-size-m 10
    """  # fmt: skip
    from geopipe.sampling.drawing import draw
    from geopipe.sampling.published import read_published
    from geopipe.sampling.record import RECORD
    from geopipe.sampling.writing import require_free, write_sample

    plan = _plan(given)
    require_free(output, result)
    sample = draw(read_published(result), plan)
    write_sample(sample, output, result)
    if as_json:
        answer(json.loads((output / RECORD).read_text(encoding="utf-8")))
    else:
        _show_draw(sample, output)


def _plan(given: dict[str, Any]) -> Any:
    """Return the plan that the options ask for."""
    from geopipe.sampling.named import named_ids
    from geopipe.sampling.plan import Plan, RiskWeights
    from geopipe.settings import load_model

    weights = load_model(given["weights"], RiskWeights) if given["weights"] else None
    stratify = tuple(dict.fromkeys(_words(given["stratify"])))
    default = "risk" if weights else "stratified" if stratify else "random"
    first, last = (day.date() if day else None for day in (given["completed_from"], given["completed_to"]))
    return Plan(
        seed=given["seed"], count=given["count"], share_percent=given["share"],
        method=given["method"] or default, stratify=stratify, weights=weights, kinds=_kinds(given["kind"]),
        completed_from=first, completed_to=last, undated=given["undated"], least_m2=given["least_m2"],
        size_limits_m2=_numbers(given["size_limits_m2"]), boxes=given["boxes"],
        box_side_m=given["box_size_m"], exclude=named_ids(given["exclude"]), by=given["by"],
    )  # fmt: skip


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _kinds(text: str) -> tuple[Any, ...]:
    from geopipe.errors import ConfigError
    from geopipe.settings import did_you_mean
    from geopipe.terms import RELEASED_KINDS, Kind

    known = {kind.value: kind for kind in Kind}
    words = [word.upper() for word in _words(text)]
    for word in words:
        if word not in known:
            raise ConfigError(f"--kind: unknown {word!r}{did_you_mean(word, tuple(sorted(RELEASED_KINDS)))}")
    return tuple(sorted({known[word] for word in words}))


def _numbers(text: str | None) -> tuple[float, ...]:
    from geopipe.errors import ConfigError

    try:
        return tuple(float(word) for word in _words(text))
    except ValueError:
        raise ConfigError(f"--size-limits-m2 {text}: write numbers like 5000,20000") from None


def _show_draw(sample: Sample, output: Path) -> None:
    from geopipe.sampling.facts import lines_of_facts
    from geopipe.sampling.texts import CONFIDENTIAL
    from geopipe.sampling.writing import MAP, SHEET

    click.echo(f"{'SAMPLE':24}{sample.id}")
    facts = lines_of_facts(sample)
    for name, text in facts[:_SHOWN]:
        click.echo(f"{name:24}{text}")
    if len(facts) > _SHOWN:
        click.echo(f"{'':24}... and {len(facts) - _SHOWN:,} more lines in {output / SHEET}")
    warned = sum(bool(area.warning) for area in sample.areas)
    if warned:
        click.echo(f"{'SAFETY':24}areas with a warning: {warned:,}. Read it before anybody goes there.")
    click.echo(f"{'CONFIDENTIAL':24}{CONFIDENTIAL}")
    click.echo(f"{'OPEN NEXT':24}{output / SHEET}, {output / MAP}")


@sample_command.command("results")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument(
    "sheet", metavar="[SHEET.xlsx]", required=False, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--by", metavar="NAME", default="", help="Who reads the sheet in.")
@click.option(
    "--replace", is_flag=True, help="Take answers that differ from earlier ones; these are kept, too."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be taken.")
@options.json_option
def results_command(
    folder: Path, sheet: Path | None, by: str, replace: bool, dry_run: bool, as_json: bool
) -> int:
    """Read a filled sheet back into the sample in DIR; without a sheet, show where the sample stands.

    Each line is checked. A line that is doubtful, or says something else than an earlier one, is listed and
    not taken (exit code 4).

    \b
    Examples:
      geopipe sample results qm-2026 filled.xlsx --dry-run
      geopipe sample results qm-2026 filled.xlsx --by "Bounmy"
      geopipe sample results qm-2026
    """
    from geopipe.errors import ExitCode
    from geopipe.sampling.results import Reading, read_back, standing

    if sheet is None:
        summary = standing(folder)
        if as_json:
            answer(summary, "sample-summary")
        else:
            _show_summary(summary)
        return ExitCode.DONE
    taken = read_back(folder, sheet, Reading(by, dt.datetime.now(dt.UTC), replace, dry_run))
    if as_json:
        answer(_as_dict(taken, dry_run))
    else:
        _show_taken(taken, dry_run)
    return ExitCode.PARTIAL if taken.problems else ExitCode.DONE


def _as_dict(taken: Taken, dry_run: bool) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(taken), "dry_run": dry_run}


def _show_taken(taken: Taken, dry_run: bool) -> None:
    word = "would be taken" if dry_run else "taken"
    again = f", {taken.replaced:,} of them instead of an earlier one" if taken.replaced else ""
    click.echo(f"{taken.taken:,} answers {word}{again}; {taken.unchanged:,} as before; "
               f"{len(taken.problems):,} not taken")  # fmt: skip
    for problem in taken.problems:
        where = f"line {problem.line}" if problem.line else "answer"
        click.echo(f"  NOT TAKEN  {where}, {problem.id or 'no id'}: {problem.sentence}")
    _show_summary(taken.summary)


def _show_summary(summary: dict[str, Any]) -> None:
    _show_counts("ALL", summary)
    if "areas" in summary:
        _show_counts("AREAS", summary["areas"])
    for stratum in summary.get("strata", []):
        _show_counts(" / ".join(stratum["stratum"]), stratum)
    if summary.get("weighted_share") is not None:
        click.echo(f"{'BY CHANCE':24}{summary['weighted_share']:.2%} do not conform, weighed by chance")
    click.echo(summary["how"])


def _show_counts(name: str, counts: dict[str, Any]) -> None:
    said = (
        f"{counts['drawn']:,} drawn, {counts['inspected']:,} inspected, "
        f"{counts['not_accessible']:,} not accessible, {counts['not_answered']:,} not answered; "
        f"{counts['non_conformities']:,} non-conformities"
    )
    if counts["interval"]:
        low, high = counts["interval"]
        said += f" = {counts['share']:.2%} (95 %: {low:.2%} to {high:.2%})"
    click.echo(f"{name:24}{said}")
