"""`geopipe convert`: the layers of a result in other formats."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


@click.command("convert")
@click.argument("result", metavar="[RESULT]", required=False, default=Path("out"),
                type=click.Path(path_type=Path, file_okay=False))  # fmt: skip
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              default=Path("converted"), show_default=True, help="Gets a folder per format.")  # fmt: skip
@click.option("--format", "formats", metavar="NAME,...", required=True,
              help="geojson, flatgeobuf, geoparquet, shapefile, kml.")  # fmt: skip
@click.option(
    "--layers", metavar="NAME,...", default="", help="Layers to convert.  [default: all with a map]"
)
@click.option("--operator", metavar="NAME", help="Edition for one operator: its own records and cases only.")
@options.json_option
def convert_command(
    result: Path, output: Path, formats: str, layers: str, operator: str | None, as_json: bool
) -> None:
    """Write the layers of a result as GeoJSON, FlatGeobuf, GeoParquet, shapefile or KML.

    RESULT is the folder of a result.  [default: out]  GeoJSON and KML are in WGS 84; the others keep the
    equal-area coordinates in which areas were measured. Every record is counted back. What must be known to
    read the data stands in DIR/READ_FIRST.txt: send it with the files.

    \b
    Examples:
      geopipe convert out -o for-nra --format geojson,kml
      geopipe convert out -o old-gis --format shapefile --layers areas,overlaps
      geopipe convert out -o for-mag --operator MAG --format geojson
    """
    from dataclasses import asdict

    from geopipe.cli.show import say_beside
    from geopipe.outputs.edition.makers import convert_for
    from geopipe.outputs.formats.convert import convert

    wanted = chosen_formats(formats)
    chosen = [name.strip() for name in layers.split(",") if name.strip()]
    if operator is None:
        done = convert(result, output, wanted, chosen)
    else:
        done = convert_for(result, operator, output, wanted, chosen)
    for name, new in done.beside.items():
        say_beside(output / name, output / new)
    if as_json:
        answer(asdict(done))
        return
    for made in done.written:
        click.echo(f"{made.format:<11} {made.layer:<18} {made.records:>9,} records  {', '.join(made.files)}")
    for name in sorted(set(wanted) - {made.format for made in done.written}):
        click.echo(f"{name}: no map layer of this result holds a record; nothing was written.", err=True)
    if done.left_out:
        click.echo(f"Without a map, not converted: {', '.join(done.left_out)}.", err=True)
    click.echo(f"Send {output / 'READ_FIRST.txt'} with the files.", err=True)


def chosen_formats(formats: str) -> list[str]:
    """Return the formats that an option names, each once."""
    from geopipe.errors import ConfigError
    from geopipe.outputs.formats.convert import FORMATS
    from geopipe.settings import did_you_mean

    wanted = list(dict.fromkeys(name.strip().lower() for name in formats.split(",") if name.strip()))
    for name in wanted:
        if name not in FORMATS:
            raise ConfigError(f"--format: there is no format {name!r}{did_you_mean(name, FORMATS)}")
    return wanted
