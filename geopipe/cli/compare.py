"""`geopipe compare`: files in, overlaps out, without any configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geopipe.cli import options
from geopipe.cli.show import progress, show_result
from geopipe.processes import processes


@click.command("compare")
@options.paths_argument
@options.output_option
@options.delivery_options
@options.layers_option
@options.executor_option
@options.no_qgis_option
@options.fail_on_option
@options.json_option
@options.quiet_option
def compare_command(
    paths: tuple[Path, ...],
    output: Path,
    executor: str | None,
    no_qgis: bool,
    fail_on: str | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Compare deliveries and show which polygons of which operators overlap.

    No configuration is needed. Operators and kinds are read from columns or file names, and what was
    assumed is printed. Files are never changed. The results are DIR/geopipe.gpkg and DIR/summary.json.

    \b
    Examples:
      geopipe compare uxolao.shp mag.gpkg -o out
      geopipe compare inbox/ -o out --assume-crs EPSG:32648
      geopipe compare suspect.geojson cleared.geojson --kind cha --kind cleared
      geopipe compare areas.csv --operator-field AGENCY --kind-field TYPE --id-field AREA_ID
    """
    options.start_readers(1 if len(paths) == 1 and paths[0].is_file() else processes())
    from geopipe.pipeline import compare

    told = {"output": output, "executor": executor}
    config = options.with_qgis(options.make_config(paths, **given).model_copy(update=told), no_qgis)
    with progress(quiet or as_json) as show:
        result = compare(config, show)
    show_result(result, quiet=quiet, as_json=as_json, config=config)
    return result.exit_code(fail_on)
