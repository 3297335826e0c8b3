"""`geopipe register`: check, back up, export the register; copies for offices, and what comes back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.register.care.compared import Apart, Plan, Told
    from geopipe.register.register import Register

_WORKSPACE = click.argument(
    "workspace", metavar="[WORKSPACE]", required=False, default="work", type=click.Path(path_type=Path)
)
_OFFICE = click.option("--office", metavar="CODE", required=True, help="Code of the office, as PSV.")
_COPY = click.option(
    "-o", "--output", metavar="DIR|FILE.sqlite", type=click.Path(path_type=Path), required=True,
    help="The copy: a new folder becomes a workspace, a file holds the register alone.",
)  # fmt: skip
_BY = click.option("--by", metavar="NAME", required=True, help="Who does this.")


@click.group("register")
def register_command() -> None:
    """Look after the register: the one file that cannot be made again.

    \b
    Examples:
      geopipe register check work
      geopipe register backup work -o /media/usb/register.sqlite
      geopipe register extract work --province "Xieng Khouang" --office PSV --by "Bounmy" -o psv.sqlite
      geopipe register merge psv.sqlite work
    """


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@register_command.command("check")
@_WORKSPACE
@options.json_option
def check(workspace: Path, as_json: bool) -> int:
    """Check that the register, and the files that belong to it, are whole.

    Ends with exit code 6 where they are not.

    \b
    Example:
      geopipe register check work
    """
    from geopipe.errors import ExitCode
    from geopipe.io.ledgers.registerfile import how_to_restore
    from geopipe.register.care.check import check as look
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        found = look(register)
    remedy = how_to_restore(register.path) if found.faults else ""
    if as_json:
        told = {"is_whole": not found.faults, "faults": found.faults, "notes": found.notes}
        answer(told | {"counts": found.counts, "remedy": remedy})
    else:
        click.echo(found.sentence)
        _list([f"  {fault}" for fault in found.faults])
        _list([f"  Note: {note}" for note in found.notes])
        if remedy:
            click.echo(remedy)
    return ExitCode.REGISTER if found.faults else ExitCode.DONE


@register_command.command("backup")
@_WORKSPACE
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), default=None,
    help="Where to.  [default: the workspace's backups, under today's date]",
)  # fmt: skip
@options.json_option
def backup(workspace: Path, output: Path | None, as_json: bool) -> None:
    """Copy the register, whole and checked, to another place.

    \b
    Example:
      geopipe register backup work -o /media/usb/register.sqlite
    """
    from geopipe.errors import OutputError
    from geopipe.io.ledgers.backups import write_backup
    from geopipe.io.ledgers.registerfile import BACKUPS
    from geopipe.register.register import Register

    if output is not None and output.exists():
        raise OutputError("there is a file of this name already", str(output), "Choose another name.")
    with Register.existing(workspace) as register:
        daily = register.path.parent / BACKUPS / f"register-{_now().date().isoformat()}.sqlite"
        target = output or daily
        write_backup(register, target)
    _say(as_json, {"backup": str(target)}, f"Written and checked: {target}")


@register_command.command("export")
@_WORKSPACE
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path), required=True, help="A new folder.",
)  # fmt: skip
@options.json_option
def export(workspace: Path, output: Path, as_json: bool) -> None:
    """Write all that the register knows as plain files: CSV, minutes, a map of the cases, a description.

    \b
    Example:
      geopipe register export work -o archive
    """
    from geopipe.register.care.export import export as write
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        rows = write(register, output)
    text = f"Written: {output} ({sum(rows.values()):,} rows of {len(rows)} tables; see dictionary.json)"
    _say(as_json, {"folder": str(output), "rows": rows}, text)


@register_command.command("checkout")
@_WORKSPACE
@_COPY
@_OFFICE
@_BY
@options.json_option
def checkout(workspace: Path, output: Path, office: str, by: str, as_json: bool) -> None:
    """Copy the register for an office, which may decide and number cases for the time being.

    A folder becomes a workspace in which geopipe can run; a file holds the register alone.

    \b
    Example:
      geopipe register checkout work --office PSV --by "Bounmy" -o /media/usb/psv
    """
    from geopipe.register.care.copies import Office
    from geopipe.register.care.copies import checkout as write
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        cases = write(register, output, Office(office, by, _now()))
    _tell_copy(as_json, output, office, cases)


@register_command.command("extract")
@_WORKSPACE
@click.option("--province", metavar="NAME|CODE", required=True, help="Only the cases of this province.")
@_COPY
@_OFFICE
@_BY
@options.json_option
def extract(workspace: Path, province: str, output: Path, office: str, by: str, as_json: bool) -> None:
    """Copy the cases of one province for its office, and nothing of the others.

    \b
    Example:
      geopipe register extract work --province "Xieng Khouang" --office PSV --by "Bounmy" -o psv.sqlite
    """
    from geopipe.register.care.copies import Office
    from geopipe.register.care.copies import extract as write
    from geopipe.register.register import Register

    with Register.existing(workspace) as register:
        code = _province_code(register, province)
        cases = write(register, output, Office(office, by, _now()), code)
    _tell_copy(as_json, output, office, cases)


def _province_code(register: Register, name: str) -> str:
    from geopipe.errors import ConfigError
    from geopipe.io.store import load_saved_config
    from geopipe.location.places import load_places
    from geopipe.steps import places_of

    folder = register.path.parent
    is_workspace = (folder / "config.json").exists()
    places = places_of(load_saved_config(folder)) if is_workspace else load_places()
    code = places.resolve_province(name)
    if isinstance(code, str):
        return code
    pairs = zip(places.province_code, places.province_name, strict=True)
    known = ", ".join(f"{key} {text}" for key, text in pairs)
    what = "this name means several provinces" if code else "there is no province of this name"
    raise ConfigError(what, name, f"Known: {known}.")


def _tell_copy(as_json: bool, output: Path, office: str, cases: int) -> None:
    told = {"copy": str(output), "office": office, "cases": cases}
    text = f"Written: {output}, with {cases:,} cases. New cases there get provisional numbers with {office}."
    _say(as_json, told, text)


@register_command.command("merge")
@click.argument("copy", metavar="COPY.sqlite", type=click.Path(path_type=Path))
@_WORKSPACE
@click.option("--apply", is_flag=True, help="Do it; without this, only show what would be done.")
@click.option("--by", metavar="NAME", default="", help="With --apply: who merges.")
@options.json_option
def merge(copy: Path, workspace: Path, apply: bool, by: str, as_json: bool) -> int:
    """Bring home what an office did in its copy of the register.

    Only what is without doubt is merged. Ends with exit code 4 where cases were left out.

    \b
    Example:
      geopipe register merge psv.sqlite work --apply --by "Bounmy"
    """
    from geopipe.errors import ExitCode
    from geopipe.register.care import merging
    from geopipe.register.care.facts import OFFICE, fact
    from geopipe.register.register import Register

    path = copy / "register.sqlite" if copy.is_dir() else copy
    with Register.existing(workspace) as master, merging.returned_copy(path, master) as came:
        plan = merging.merge(master, came, path, by, _now()) if apply else merging.plan_merge(master, came)
        names = {case.case_id: case.name for case in [*came.cases(), *master.cases()]}
        office = fact(came, OFFICE)
    if as_json:
        answer({"office": office, "applied": apply, **_plan_as_data(plan)})
    else:
        _list(_plan_as_text(plan, names, office, apply))
    return ExitCode.PARTIAL if plan.left_out else ExitCode.DONE


def _plan_as_data(plan: Plan) -> dict[str, Any]:
    def event(told: Told) -> dict[str, Any]:
        return {
            name: getattr(told, name) for name in ("event_id", "case_id", "at", "author", "kind", "cause")
        }

    def apart(cases: list[Apart]) -> list[dict[str, Any]]:
        return [
            {
                "case_id": case.case_id,
                "here": [event(told) for told in case.here],
                "copy": [event(told) for told in case.there],
            }
            for case in cases
        ]

    return {
        "merged": [event(told) for told in plan.merged],
        "known_already": plan.known_already,
        "conflicts": apart(plan.conflicts),
        "not_seen_here": apart(plan.unseen),
        "not_known_here": apart(plan.unknown),
        "numbers": [{"case_id": case_id, "number": number} for case_id, number, _ in plan.numbers],
        "numbers_taken": [{"case_id": case_id, "number": number} for case_id, number in plan.taken],
    }


def _plan_as_text(plan: Plan, names: dict[str, str], office: str, applied: bool) -> list[str]:
    """Return what a merge did or would do, a line for each event."""

    def line(mark: str, told: Told) -> str:
        what = told.kind.replace("_", " ") + (f": {told.cause}" if told.cause else "")
        when = told.at[:16].replace("T", " ")
        return f"  {mark:6} {names[told.case_id]:16} {when}  {told.author[:18]:18} {what}"[:99]

    done = "merged" if applied else "would be merged"
    lines = [f"Office {office}: {len(plan.merged)} events {done}, {plan.known_already} known already."]
    lines += [line("+", told) for told in plan.merged]
    groups = (
        (plan.conflicts, "CONFLICT: went on here and in the copy; not merged. Decide again here."),
        (plan.unseen, "NOT SEEN HERE: run this register over the office's deliveries, then merge again."),
        (plan.unknown, "NOT KNOWN HERE: run this register over the office's deliveries, then merge again."),
    )
    for cases, head in groups:
        if cases:
            lines.append(f"{len(cases)} cases {head}")
        for case in cases:
            lines += [line("here", told) for told in case.here]
            lines += [line("copy", told) for told in case.there]
    for case_id, number, _ in plan.numbers:
        lines.append(f"  {names[case_id]} was called {number} by the office.")
    for case_id, number in plan.taken:
        lines.append(f"  {number} of {names[case_id]} is the number of another case here: left out.")
    if not applied and (plan.merged or plan.numbers):
        lines.append("Nothing was written. To merge: add --apply --by NAME.")
    return lines


def _say(as_json: bool, told: dict[str, Any], text: str) -> None:
    if as_json:
        answer(told)
    else:
        click.echo(text)


def _list(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
