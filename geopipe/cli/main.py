"""The `geopipe` command: loads a command only when it is called, and turns errors into exit codes."""

from __future__ import annotations

import gc
import importlib
import io
import os
import re
import sys
from typing import Any

import click

from geopipe._version import __version__
from geopipe.errors import DISK_FULL, ExitCode, GeopipeError, OutputError
from geopipe.io.environment import drop_foreign
from geopipe.processes import LEAN_ENVIRONMENT, leave_out_data_frames

# Command -> module that holds it, in the order in which `--help` lists them.
COMMANDS = {
    "compare": "compare",
    "demo": "demo",
    "run": "run",
    "status": "status",
    "nights": "status",
    "doctor": "doctor",
    "trace": "trace",
    "reproduce": "reproduce",
    "query": "query",
    "changes": "changes",
    "cases": "cases",
    "workbook": "workbook",
    "plots": "plots",
    "sample": "sample",
    "ledger": "ledger",
    "hazard": "hazard",
    "register": "register",
    "diff": "diff",
    "profile": "profile",
    "confirm": "confirm",
    "policy": "policy",
    "ingest": "ingest",
    "validate": "stages",
    "reproject": "stages",
    "locate": "stages",
    "check": "stages",
    "deduplicate": "stages",
    "history": "stages",
    "index": "index",
    "overlaps": "stages",
    "publish": "publish",
    "convert": "convert",
    "feeds": "feeds",
    "report": "report",
    "returns": "returns",
    "resolve": "resolve",
    "checks": "checks",
    "stats": "stats",
    "findings": "findings",
    "figures": "figures",
    "pack": "pack",
    "page": "page",
    "minutes": "minutes",
    "edition": "edition",
    "install-schedule": "schedule",
}


# What would move the cursor, ring, colour or turn letters round: a terminal shows text only.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_echo = click.echo


def echo_text(message: object = None, *arguments: Any, **options: Any) -> None:
    """Print a message as `click.echo` does, whatever signs operators have written into their records."""
    text = message if message is None or isinstance(message, bytes) else _NOT_TEXT.sub(" ", str(message))
    _echo(text, *arguments, **options)


# All commands speak through it: here it is for all of them.
click.echo = echo_text


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order in which people use them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"geopipe.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where the given one does not exist."""
        import difflib

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " See geopipe --help."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 2 wrong usage or configuration; 3 no usable file; 4 done, but something was "
    "left out; 5 findings as severe as --fail-on; 6 register; 75 another run is at work; 1 fault of geopipe.",
)
@click.version_option(__version__, prog_name="geopipe")
def cli() -> None:
    """Make one map that can be trusted from the hazard and clearance polygons of many organisations.

    Start with two files on your desk:

    \b
      geopipe compare uxolao.shp mag.gpkg -o out
    """


def was_interrupted(error: BaseException | None) -> bool:
    """Say whether Ctrl-C lies behind an error: compiled libraries turn it into an error of their own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
            return True
        error = error.__cause__ or error.__context__
    return False


def main() -> None:
    """Run the command line; the entry point of the `geopipe` script."""
    leave_out_data_frames()
    drop_foreign(os.environ)
    for name, value in LEAN_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Millions of small values are made and few of them in circles: looking for circles costs time.
    gc.set_threshold(100_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an old console shows ? for Lao rather than failing
            stream.reconfigure(errors="replace")
    try:
        sys.exit(cli.main(standalone_mode=False) or ExitCode.DONE)
    except (Exception, KeyboardInterrupt) as error:
        _end_with(error)


def _end_with(error: BaseException) -> None:
    """Say in a sentence what went wrong and leave with its exit code; a fault of our own is shown whole."""
    if was_interrupted(error):
        click.echo("geopipe: interrupted; nothing half-written was left behind.", err=True)
        sys.exit(ExitCode.BUG)
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        what, remedy = "there is no room on the disk", "Free some space there and do this again."
        error = OutputError(f"{what} ({error.strerror or error})", str(error.filename or ""), remedy)
    if isinstance(error, GeopipeError):
        click.echo(f"geopipe: {error}", err=True)
        sys.exit(error.exit_code)
    if isinstance(error, click.ClickException):
        error.show()
        sys.exit(ExitCode.USAGE)
    if isinstance(error, click.exceptions.Exit):
        sys.exit(error.exit_code)
    raise error
