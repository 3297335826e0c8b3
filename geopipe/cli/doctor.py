"""`geopipe doctor`: is this machine, this installation, this workspace well."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from geopipe.cli import options
from geopipe.cli.answers import answer


@click.command("doctor")
@click.argument(
    "place", metavar="[CONFIG|WORKSPACE]", type=click.Path(path_type=Path, exists=True), default=None,
    required=False,
)  # fmt: skip
@options.json_option
def doctor_command(place: Path | None, as_json: bool) -> int:
    """Check this machine and this installation; with CONFIG or WORKSPACE also what lies there.

    Each line is OK, WARN (a person should look) or FAIL (a run would fail, or could not be trusted), with
    what to do. Nothing is changed. Ends with 0 if nothing failed, 6 if the register is damaged, else 2.

    \b
    Examples:
      geopipe doctor
      geopipe doctor nightly.yaml
      geopipe doctor work --json
    """
    import datetime as dt

    from geopipe.doctor.check import Level
    from geopipe.doctor.doctor import examine, exit_code

    found = []
    for item in examine(place, dt.datetime.now(dt.UTC)):
        found.append(item)
        if not as_json:
            click.echo(f"{item.level:5} {item.name:14}{item.said}.")
            if item.remedy:
                click.echo(f"{'':20}{item.remedy}")
    counts = {level.value: sum(item.level is level for item in found) for level in Level}
    code = exit_code(found)
    if as_json:
        answer({"exit_code": int(code), "counts": counts, "checks": [asdict(item) for item in found]})
    else:
        click.echo(f"{counts['FAIL']} failed, {counts['WARN']} to look at, {counts['OK']} good.")
    return code
