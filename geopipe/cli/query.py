"""`geopipe query`: what is registered at a place."""

from __future__ import annotations

import math
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


class _Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers separated by commas."""

    name = "numbers"

    def __init__(self, *names: str) -> None:
        self.names = names

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        return ",".join(self.names)

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        try:
            numbers = tuple(float(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if not all(math.isfinite(number) for number in numbers):
            numbers = ()
        if len(numbers) != len(self.names):
            self.fail(f"{value!r} is not {','.join(self.names)}; write for example 103.19,19.45", param, ctx)
        return numbers


@click.command("query")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--at", type=_Numbers("LON", "LAT"), help="Areas that hold this point.")
@click.option(
    "--bbox", type=_Numbers("WEST", "SOUTH", "EAST", "NORTH"), help="Areas that meet this box (degrees)."
)
@click.option(
    "--id", "record", metavar="ID", help="Areas of this record id, or of this id of an operator's own."
)
@options.json_option
def query_command(
    folder: Path,
    at: tuple[float, float] | None,
    bbox: tuple[float, float, float, float] | None,
    record: str | None,
    as_json: bool,
) -> None:
    """List the areas at a point, in a box, or of one id, in a finished result.

    Records that may be hazard, but could only be drawn, are told as well, within 100 m of what is drawn.

    RUN is a folder that compare, publish or run has written, or a workspace with an index. Degrees are
    WGS 84.

    \b
    Examples:
      geopipe query out --at 103.19,19.45
      geopipe query out --bbox 103.1,19.4,103.3,19.6 --json
      geopipe query out --id XK-0042
    """
    from geopipe.errors import ConfigError
    from geopipe.query import find_areas, find_drawn

    if sum(value is not None for value in (at, bbox, record)) != 1:
        raise ConfigError("say one of --at, --bbox or --id")
    if bbox and not (bbox[0] < bbox[2] and bbox[1] < bbox[3]):
        raise ConfigError("--bbox must be WEST,SOUTH,EAST,NORTH with west below east and south below north")
    place = (*at, *at) if at else bbox
    if place and (max(abs(place[0]), abs(place[2])) > 180 or max(abs(place[1]), abs(place[3])) > 90):
        raise ConfigError("no such place on Earth", remedy="Write longitude first: --at 103.19,19.45")
    found, drawn = find_areas(folder, place, record), find_drawn(folder, place, record)
    if as_json:
        answer({"rows": found, "only_drawn": drawn})
        return
    for area in found:
        click.echo(
            f"{area['record_id']}  {area['kind']}  {area['status']}  {area['area_m2']:,.0f} m2  "
            f"{area['file']}, row {area['row']}"
        )
    for row in drawn:
        click.echo(
            f"MAY BE HAZARD, only drawn: {row['operator'] or 'operator unknown'} "
            f"{row['source_id'] or 'no id'}  {row['kind']}  {row['reason']}, "
            f"placed {row['position']}  {row['file']}"
        )
    if not found:
        click.echo("No area is registered there. That does not mean that the land is safe.")
