"""Typed errors and the exit codes that they lead to.

Every error keeps its parts as fields, so that it survives pickling on its way
out of a reader process, and formats itself only when a person reads it.
"""

from __future__ import annotations

import errno
from enum import IntEnum

# What a system says of a disk or a quota that is full, and of a file that may not grow.
DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


class ExitCode(IntEnum):
    """Exit codes of every command; precedence 6 > 3 > 5 > 4."""

    DONE = 0
    BUG = 1
    USAGE = 2
    NO_SOURCE = 3
    PARTIAL = 4
    FINDINGS = 5
    REGISTER = 6
    BUSY = 75


class GeopipeError(Exception):
    """Base of all errors that geopipe raises on purpose.

    Parameters
    ----------
    what : str
        What went wrong, as a sentence without its full stop.
    where : str
        File, layer, row or setting that it is about; may be empty.
    remedy : str
        What the reader can do about it, as a sentence; may be empty.
    """

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the one sentence (and its remedy) that a person reads."""
        head = f"{self.where}: {self.what}." if self.where else f"{self.what}."
        return f"{head} {self.remedy}".rstrip()


class ConfigError(GeopipeError):
    """The configuration or the command line asks for something impossible."""

    exit_code = ExitCode.USAGE


class SourceError(GeopipeError):
    """A delivered file cannot be used."""

    exit_code = ExitCode.NO_SOURCE


class SchemaError(GeopipeError):
    """A frame between two stages does not have the columns it must have."""

    exit_code = ExitCode.BUG


class RegisterError(GeopipeError):
    """The register is damaged, of another version, or refuses a change."""

    exit_code = ExitCode.REGISTER


class BusyError(GeopipeError):
    """Another run holds the lock."""

    exit_code = ExitCode.BUSY


class MemoryShortError(GeopipeError):
    """The machine has too little memory for what was asked."""

    exit_code = ExitCode.USAGE


class OutputError(GeopipeError):
    """A result cannot be written where it was asked for."""

    exit_code = ExitCode.USAGE
