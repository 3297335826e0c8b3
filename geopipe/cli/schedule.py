"""`geopipe install-schedule`: how the computer starts the nightly run by itself."""

from __future__ import annotations

from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

_SYSTEMS = ("systemd", "cron", "windows")


@click.command("install-schedule")
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option("--print", "system", type=click.Choice(_SYSTEMS), required=True, help="For which system.")
@click.option("--at", metavar="HH:MM", default="02:00", show_default=True, help="Local time of the day.")
@click.option("--user", metavar="NAME", default="geopipe", show_default=True,
              help="Who runs it on Linux; never root.")  # fmt: skip
@options.json_option
def install_schedule_command(config_file: Path, system: str, at: str, user: str, as_json: bool) -> None:
    """Print what starts the nightly run of CONFIG every night, and the steps to install it.

    Nothing is installed: a person reads it, and does it. The files go to the standard output, the steps
    beside it.

    \b
    Examples:
      geopipe install-schedule --print systemd nightly.yaml
      geopipe install-schedule --print cron nightly.yaml --at 01:30
      geopipe install-schedule --print windows nightly.yaml > geopipe-nightly.xml
    """
    from geopipe.scheduling.linux import cron, systemd
    from geopipe.scheduling.plan import plan
    from geopipe.scheduling.windows import windows

    make = {"systemd": systemd, "cron": cron, "windows": windows}[system]
    printed = make(plan(config_file, at, user))
    if as_json:
        told = {"files": dict(printed.files), "steps": list(printed.steps)}
        answer(told)
        return
    for name, text in printed.files.items():
        if len(printed.files) > 1:
            click.echo(f"# {name}")
        click.echo(text)
    click.echo("To install it:", err=True)
    for step in printed.steps:
        click.echo(f"  {step}", err=True)
