"""One thing that was looked at, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it is: good; a person should look; a run would fail or could not be trusted."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Check:
    """What was found, in a sentence without its full stop, and what to do about it."""

    name: str
    level: Level
    said: str
    remedy: str = ""


def good(name: str, said: str) -> Check:
    """Return that something is as it should be."""
    return Check(name, Level.OK, said)


def warn(name: str, said: str, remedy: str) -> Check:
    """Return that a person should look."""
    return Check(name, Level.WARN, said, remedy)


def fail(name: str, said: str, remedy: str) -> Check:
    """Return that a run would fail, or could not be trusted."""
    return Check(name, Level.FAIL, said, remedy)
