"""`geopipe figures`: monthly figures that operators report, and the polygons beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.figures.comparing import Line, Polygons
    from geopipe.figures.figure import Figure, Key
    from geopipe.figures.kept import Plan
    from geopipe.location.places import Places


@click.group("figures")
def figures_command() -> None:
    """Keep the hectares that operators report every month, and hold polygons against them.

    \b
    Examples:
      geopipe figures import march.csv -w work --by Bounmy
      geopipe figures import march.csv -w work --by Bounmy --apply
      geopipe figures compare -w work --quarter 2026-Q1
    """


@figures_command.command("import")
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path, dir_okay=False))
@options.workspace_option
@click.option("--by", metavar="NAME", required=True, help="Who brings the figures.")
@click.option(
    "--decimal", type=click.Choice(("auto", ".", ",")), default="auto", show_default=True,
    help="Decimal sign of the file; auto: what could be read in two ways is refused.",
)  # fmt: skip
@click.option("--apply", is_flag=True, help="Write the figures down; without it, only say what would be.")
@options.json_option
def import_command(file: Path, workspace: Path, by: str, decimal: str, apply: bool, as_json: bool) -> int:
    """Read reported figures from a CSV file; without --apply nothing is written.

    Columns: operator, month (2026-03), province, kind (SHA, CHA, CLEARED, REDUCED, CANCELLED), ha. A nil
    report has nil in the column ha; its province and kind may be empty. A figure that is known already with
    another value is a revision: both are kept, the later one counts. Ends with exit code 4 where lines were
    refused.

    \b
    Example:
      geopipe figures import march.csv -w work --by "Bounmy" --apply
    """
    import datetime as dt

    from geopipe.config import load_vocabulary
    from geopipe.errors import ExitCode
    from geopipe.figures.kept import last_figures, plan_import, write_figures
    from geopipe.figures.reading import Known, read_figures
    from geopipe.register.register import Register

    now = dt.datetime.now(dt.UTC)
    places = _places(workspace)
    with Register.existing(workspace) as register:
        last = last_figures(register)
        operators = [row[0] for row in register.ask("SELECT DISTINCT operator FROM holdings")]
        known = Known(operators, places, load_vocabulary(), decimal, now.date())
        plan = plan_import(*read_figures(file, known), last)
        if apply:
            write_figures(register, plan.to_write, file.name, by, now)
    if as_json:
        answer({"applied": apply, **_plan(plan)})
    else:
        click.echo("\n".join(_told(plan, places, apply)))
    return ExitCode.PARTIAL if plan.refused else ExitCode.DONE


@figures_command.command("compare")
@click.argument("result", metavar="[RESULT]", required=False, type=click.Path(path_type=Path))
@options.workspace_option
@click.option("--month", metavar="YEAR-MM", help="Only this month.")
@click.option("--quarter", metavar="YEAR-QN", help="Only this quarter.  [default: all that was reported]")
@click.option(
    "--expect", metavar="NAME,...", default="", help="Operators who should report, beside the known."
)
@click.option(
    "--agree", "percent", metavar="PERCENT", type=click.FloatRange(0, 100), default=1.0, show_default=True,
    help="Up to this difference a figure agrees with the polygons.",
)  # fmt: skip
@options.json_option
def compare_command(result: Path | None, workspace: Path, as_json: bool, **given: Any) -> None:
    """Hold reported hectares against the polygons of the same month.

    RESULT is a folder that compare or run has written.  [default: the newest run of the workspace]

    Released land belongs to the month of its completion, hazard areas to that of their survey. Ground that
    several records cover is not subtracted: this is what each operator delivered.

    \b
    Example:
      geopipe figures compare out -w work --quarter 2026-Q1
    """
    from geopipe.figures.comparing import compare, polygons_of
    from geopipe.figures.kept import last_figures
    from geopipe.io.geopackage import read_layer
    from geopipe.register.register import Register
    from geopipe.reports.publish import current_run, read_summary

    with Register.existing(workspace) as register:
        figures = {key: kept.figure for key, kept in last_figures(register).items()}
        nils = [(row["operator"], row["period"]) for row in register.ledger.nil_reports()]
    run = current_run(result or _output(workspace))
    areas, _ = read_layer(run / next(iter(read_summary(run)["files"])), "areas")
    polygons = polygons_of(areas)
    months = _months(given["month"], given["quarter"], figures)
    expected = [name.strip() for name in given["expect"].split(",") if name.strip()]
    lines = compare(figures, nils, polygons, months, given["percent"] / 100, expected)
    if as_json:
        told = {"months": months, "lines": [line.as_dict() for line in lines], "undated": _undated(polygons)}
        answer(told)
        return
    click.echo("\n".join(_table(lines, _places(workspace), polygons)))


def _months(month: str | None, quarter: str | None, figures: Mapping[Key, Figure]) -> list[str]:
    """Return the months that are asked about."""
    from geopipe.errors import ConfigError
    from geopipe.figures.comparing import months_of
    from geopipe.periods import parse_period

    if month and quarter:
        raise ConfigError("say --month or --quarter, not both")
    if asked := month or quarter:
        return months_of(parse_period(asked))
    if not figures:
        raise ConfigError("nothing was reported yet", remedy="Import figures, or say --month or --quarter.")
    return sorted({key.month for key in figures})


def _output(workspace: Path) -> Path:
    """Return the output folder of the runs in a workspace."""
    from geopipe.io.store import load_saved_config

    return load_saved_config(workspace).output


def _places(workspace: Path) -> Places:
    """Return the places of the runs in a workspace; before the first run, Laos."""
    from geopipe.io.store import load_saved_config
    from geopipe.location.places import load_places
    from geopipe.steps import places_of

    is_used = (workspace / "config.json").exists()
    return places_of(load_saved_config(workspace)) if is_used else load_places()


def _names(places: Places) -> dict[str, str]:
    """Return what people call provinces, '' being all of them."""
    return {"": "all", **dict(zip(places.province_code, places.province_name, strict=True))}


def _plan(plan: Plan) -> dict[str, Any]:
    def told(figure: Figure) -> dict[str, Any]:
        return {"line": figure.line, **figure.key._asdict(), "ha": figure.area_ha, "nil": figure.is_nil}

    return {
        "new": [told(figure) for figure in plan.new],
        "revisions": [
            {**told(figure), "before_ha": before.figure.area_ha} for figure, before in plan.revisions
        ],
        "known": len(plan.known),
        "refused": [{"line": item.line, "sentence": item.sentence} for item in plan.refused],
    }


def _told(plan: Plan, places: Places, applied: bool) -> list[str]:
    names = _names(places)

    def about(key: Key) -> str:
        return f"{key.operator} {key.month} {names.get(key.province, key.province)} {key.kind or 'all kinds'}"

    lines = [f"REFUSED   line {item.line}: {item.sentence}" for item in plan.refused]
    lines += [
        f"REVISION  line {figure.line}: {about(figure.key)}: {before.figure.text} -> {figure.text}"
        for figure, before in plan.revisions
    ]
    lines += [f"NEW       line {figure.line}: {about(figure.key)}: {figure.text}" for figure in plan.new]
    verb = "written" if applied else "would be written (add --apply)"
    return [
        *lines,
        f"{len(plan.new)} new and {len(plan.revisions)} revised figures {verb}; {len(plan.known)} known "
        f"already, {len(plan.refused)} lines refused",
    ]


def _undated(polygons: Polygons) -> dict[str, dict[str, float]]:
    from math import fsum

    return {
        operator: {"polygons": len(areas_ha), "ha": fsum(areas_ha)}
        for operator, areas_ha in sorted(polygons.undated.items())
    }


def _table(lines: Sequence[Line], places: Places, polygons: Polygons) -> list[str]:
    names = _names(places)
    width = max((len(line.key.operator) for line in lines), default=8)
    text = [
        f"month   {'operator':{width}} {'province':16} {'kind':9} {'reported ha':>12} {'polygons ha':>12} "
        f"{'difference':>12} {'%':>8}"
    ]
    for line in lines:
        key, share = line.key, line.difference_share
        figures = " ".join(
            f"{'-' if value is None else f'{round(value, 2) + 0.0:,.2f}':>12}"
            for value in (line.reported_ha, line.polygons_ha, line.difference_ha)
        )
        percent = "-" if share is None else f"{round(100 * share, 1) + 0.0:+,.1f}"
        text.append(
            f"{key.month} {key.operator:{width}} {names.get(key.province, key.province)[:16]:16} "
            f"{key.kind or 'all':9} {figures} {percent:>8}  {line.outcome.value}"
        )
    text += [
        f"{operator}: {told['polygons']:,} polygons ({told['ha']:,.2f} ha) without a date are in no month"
        for operator, told in _undated(polygons).items()
    ]
    return text
