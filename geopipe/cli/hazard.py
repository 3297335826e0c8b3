"""`geopipe hazard`: hazard that stays on the map though it is delivered no longer, and how it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.register.given_up import KeptHazard


@click.group("hazard")
def hazard_command() -> None:
    """List hazard that stays on the map though it is delivered no longer; let it go by signed minutes.

    A hazard record that vanished from a whole register, or became smaller, stays on the map with an alarm
    until a release explains it, or a decision lets it go.
    """


def _rows(kept: KeptHazard) -> list[dict[str, Any]]:
    """Return what is shown of each record; of one that could only be drawn less is known."""
    names = ["record_id", "operator", "kind", "status", "date_surveyed", "area_m2", "province_located"]
    rows: list[dict[str, Any]] = kept.carried.table.select(names).to_pylist()
    areas = {row["record_id"] for row in rows}
    drawn = kept.drawn.table.select(["record_id", "operator", "kind"]).to_pylist()
    known = {row["record_id"]: row for row in drawn if row["record_id"] not in areas}
    return rows + [dict.fromkeys(names) | row for row in known.values()]


_workspace = click.option(
    "-w", "--workspace", metavar="DIR", type=click.Path(path_type=Path), default=Path("work"),
    show_default=True, help="Workspace of geopipe run.",
)  # fmt: skip


@hazard_command.command("list")
@_workspace
@options.json_option
def list_command(workspace: Path, as_json: bool) -> None:
    """List the hazard records whose last version is kept on the map.

    \b
    Example:
      geopipe hazard list -w work
    """
    from geopipe.register.given_up import KeptHazard
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        runs = register.runs()
        kept = KeptHazard.of(register.ledger, runs[-1]["working_crs"]) if runs else None
    rows = _rows(kept) if kept else []
    if as_json:
        answer(rows)
        return
    for row in sorted(rows, key=lambda row: (-(row["area_m2"] or 0.0), row["record_id"])):
        day = row["date_surveyed"] or "date not stated"
        where = row["province_located"] or ""
        area = "only drawn  " if row["area_m2"] is None else f"{row['area_m2'] / 1e4:>9,.2f} ha"
        click.echo(f"{area}  {row['kind']:7} {day!s:15} {row['record_id']}  {where}")
    click.echo(
        f"{len(rows):,} hazard records are on the map as they were last delivered."
        if rows
        else "Every hazard record on the map was delivered as it stands."
    )


@hazard_command.command("release")
@click.argument("record", metavar="RECORD")
@_workspace
@click.option("--cause", metavar="TEXT", required=True, help="Why this ground is hazard no longer.")
@click.option("--meeting", metavar="NAME", required=True, help="Meeting or letter that decided it.")
@click.option("--held-on", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="Its day.")
@click.option("--item", metavar="TEXT", default="", help="Item of its minutes.")
@click.option(
    "--minutes", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True,
    help="The signed minutes; a copy is kept in the register.",
)  # fmt: skip
@click.option("--by", metavar="NAME", required=True, help="Who writes this down.")
def release_command(record: str, workspace: Path, cause: str, by: str, **given: Any) -> None:
    """Let a hazard record leave the map, as signed minutes say. The next run does it, and says so.

    \b
    Example:
      geopipe hazard release "MAG:hazard:XK-0042" --cause "cancelled by non-technical survey"
        --meeting "TWG 2026-02" --held-on 2026-02-11 --item 4 --minutes twg.pdf --by "Bounmy"
    """
    import datetime as dt

    from geopipe.errors import ConfigError
    from geopipe.register.given_up import KeptHazard, give_up
    from geopipe.register.papers import keep_paper
    from geopipe.register.register import Register

    at, day = dt.datetime.now(dt.UTC), given["held_on"]
    with Register.existing(workspace) as register, register.transaction():
        runs = register.runs()
        if not runs:
            raise ConfigError("nothing has run here yet", str(workspace))
        working_crs = runs[-1]["working_crs"]
        paper = keep_paper(
            register, given["meeting"], day.date() if day else None, given["item"], given["minutes"], by, at
        )
        kept = KeptHazard.of(register.ledger, working_crs)
        count = give_up(register, kept, record, paper, by, cause, at)
    click.echo(f"{record}: {count} version(s) will leave the map with the next run, by {paper.text}.")
