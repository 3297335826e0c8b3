"""`geopipe resolve`: what each operator changes in its records, by the confirmed decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from geopipe.cli import options
from geopipe.cli.answers import answer
from geopipe.errors import ExitCode

if TYPE_CHECKING:
    from geopipe.resolving.write import Resolved


@click.command("resolve")
@click.argument("workspace", type=click.Path(path_type=Path, exists=True, file_okay=False))
@options.output_option
@click.option("--dry-run", is_flag=True, help="Compute and check everything, write nothing.")
@options.json_option
def resolve_command(workspace: Path, output: Path, dry_run: bool, as_json: bool) -> ExitCode:
    """Carry out the confirmed decisions on a copy, and write a change request for each operator.

    Each operator gets a folder with a workbook (the new rings in the IMSMA point template, old and new
    points, other fields that change) and GeoPackages of the outlines. No delivery and no register is changed:
    the operators correct their records in IMSMA. The written rings are read again and checked.

    A decision that takes hazard off the map, or shows more land as released, is carried out only if it was
    recorded with --shrinks-hazard or --grows-released, and with its reference.

    \b
    Example:
      geopipe resolve work -o to-send
    """
    from geopipe.register.register import Register
    from geopipe.resolving.write import try_requests, write_requests
    from geopipe.running import last_state

    with Register.existing(workspace) as register:
        cases = register.cases()
    state = last_state(workspace)
    given = state.features, cases, state.working_crs
    done = try_requests(*given) if dry_run else write_requests(*given, output)
    if as_json:
        answer(done.as_dict())
    else:
        _tell(done, dry_run)
    return ExitCode.DONE if done.is_complete else ExitCode.PARTIAL


def _tell(done: Resolved, dry_run: bool) -> None:
    """Print the screen of a person."""
    resolution, proof = done.resolution, done.proof
    if not resolution.applied and not resolution.not_applied:
        click.echo("No confirmed decision changes a record: there is nothing to carry out.")
        return
    after = list(resolution.after.values())
    withdrawn = sum(ground is None for ground in after)
    click.echo(
        f"{len(resolution.applied):,} confirmed decisions carried out on a copy: "
        f"{len(after) - withdrawn:,} records with a new ring, {withdrawn:,} withdrawn."
    )
    click.echo(f"After rounding and reading again: {proof}.")
    for what, names in (
        ("Still overlapping", proof.remaining), ("New overlap", proof.new), ("Gap in case", proof.gaps),
        ("Not a valid polygon after rounding", proof.invalid),
    ):  # fmt: skip
        for name in names:
            click.echo(f"  {what}: {name}")
    if resolution.not_applied:
        click.echo(
            f"NOT carried out: {len(resolution.not_applied):,} decisions. Their records stay as they are."
        )
    for item in resolution.not_applied:
        a, b = item.case.sighting.a.name, item.case.sighting.b.name
        click.echo(f"  {item.case.name} (A {a}, B {b}): {' '.join(item.reasons)}")
    for operator, request in done.requests.items():
        files = done.files.get(operator, ())
        where = f", {files[0].parent}" if files else ""
        click.echo(f"{operator}: {len(request.records):,} records to change{where}")
        for record in request.records:
            if record.question:
                click.echo(f"  {record.own_id}: {record.question}")
    if dry_run:
        click.echo("Nothing was written.")
