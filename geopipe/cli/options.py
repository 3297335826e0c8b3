"""Options that several commands share: each is defined once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from geopipe.terms import Kind, Severity

F = TypeVar("F", bound=Callable[..., Any])

paths_argument = click.argument(
    "paths", metavar="FILE|FOLDER ...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
output_option = click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default=Path("out"),
    show_default=True, help="Folder for the results; made if it does not exist.",
)  # fmt: skip
workspace_option = click.option(
    "-w", "--workspace", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    default=Path("work"), show_default=True, help="Folder in which the stages leave what they made.",
)  # fmt: skip
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress and no first screen.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON instead of text."
)
layers_option = click.option(
    "--layers", metavar="NAME,...", default=None,
    help="Layers to publish, for example overlaps,areas.  [default: all]",
)  # fmt: skip
no_qgis_option = click.option(
    "--no-qgis", is_flag=True, help="Leave the styles and the QGIS project out of the GeoPackage."
)
executor_option = click.option(
    "--executor", metavar="NAME", default=None,
    help="Who finds duplicates and overlaps: dask-local:N (processes here) or dask://HOST:PORT (a cluster).",
)  # fmt: skip
fail_on_option = click.option(
    "--fail-on", type=click.Choice([s.value for s in Severity]), default=None,
    help="Exit with 5 when there is a finding at least this severe.",
)  # fmt: skip
confirmations_option = click.option(
    "--confirmations", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    default=Path("confirmations.jsonl"), show_default=True,
    help="File in which `geopipe confirm` keeps what was confirmed.",
)  # fmt: skip
_KINDS = [kind.value.lower() for kind in Kind]
_DELIVERY_OPTIONS = (
    click.option("--operator", metavar="NAME", multiple=True,
                 help="Whose files these are: once for all, or once per file in order."),
    click.option("--operator-field", metavar="COLUMN", help="Column that names the operator."),
    click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS, case_sensitive=False),
                 help="What the polygons are: once for all files, or once per file in order."),
    click.option("--kind-field", metavar="COLUMN", help="Column that says what each polygon is."),
    click.option("--id-field", metavar="COLUMN", help="Column that holds the operator's own id."),
    click.option("--assume-crs", metavar="EPSG:CODE", help="Coordinate system of files that state none."),
    click.option("--profile", "profiles", metavar="NAME|FILE", multiple=True,
                 help="Operator profile: once for all, or once per file in order (see geopipe profile)."),
    click.option("--snapshot", is_flag=True,
                 help="The files hold whole registers: what is not in them has vanished."),
    click.option("--working-crs", metavar="EPSG:CODE",
                 help="Equal-area coordinate system to measure in.  [default: chosen from the data]"),
    click.option("--policy", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
                 help="Policy with the table of findings."),
    confirmations_option,
)  # fmt: skip


def delivery_options(function: F) -> F:
    """Add the options that say what is known of the deliveries."""
    for option in reversed(_DELIVERY_OPTIONS):
        function = option(function)
    return function


def start_readers(count: int) -> None:
    """Start reader processes, before this one loads what it needs itself."""
    from geopipe.io.readerprocess import warm_up

    warm_up(count, "geopipe.preparation.one:get_ready")


def make_config(paths: Sequence[Path], **given: Any) -> Any:
    """Turn paths and options into a Config.

    Raises
    ------
    ConfigError
        When an option is impossible, or --kind or --operator is given neither once nor once per file.
    """
    from geopipe.config import Config, DeliverySpec
    from geopipe.policies import load_policy
    from geopipe.profiles import load_profile

    kinds = _one_each(paths, given["kinds"], "--kind")
    operators = _one_each(paths, given["operator"], "--operator")
    profiles = _one_each(paths, given["profiles"], "--profile")
    for profile in set(profiles):
        load_profile(profile)
    load_policy(given["policy"])
    shared = {name: given[name] for name in ("operator_field", "kind_field", "id_field", "assume_crs")}
    shared["mode"] = "snapshot" if given["snapshot"] else None
    config = Config(
        deliveries=tuple(
            DeliverySpec(path=path, kind=kind, operator=operator, profile=profile, **shared)
            for path, kind, operator, profile in zip(paths, kinds, operators, profiles, strict=True)
        ),
        policy=given["policy"],
        working_crs=given["working_crs"],
        confirmations=given["confirmations"].absolute(),
    )
    return with_layers(config, given.get("layers"))


def with_layers(config: Any, names: str | None) -> Any:
    """Return the configuration with the layers of --layers, if it was given."""
    from geopipe.config import LAYERS
    from geopipe.errors import ConfigError
    from geopipe.settings import did_you_mean

    if names is None:
        return config
    layers = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in layers:
        if name not in LAYERS:
            raise ConfigError(f"--layers: there is no layer {name!r}{did_you_mean(name, LAYERS)}")
    if not layers:
        raise ConfigError("--layers: name at least one layer", remedy=f"Known are {', '.join(LAYERS)}.")
    return config.model_copy(update={"layers": layers})


def with_qgis(config: Any, no_qgis: bool) -> Any:
    """Return the configuration as --no-qgis says, if it was given."""
    return config.model_copy(update={"qgis": False}) if no_qgis else config


def _one_each(paths: Sequence[Path], values: Sequence[str], option: str) -> Sequence[str | None]:
    """Spread an option over the files: none, one for all, or one for each."""
    from geopipe.errors import ConfigError

    if len(values) <= 1:
        return [values[0] if values else None] * len(paths)
    if len(values) != len(paths):
        raise ConfigError(
            f"{option} is given {len(values)} times for {len(paths)} files",
            remedy="Give it once for all files, or once for each in order.",
        )
    return values
