"""What every schedule says: which Python runs which configuration, when, and what it may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

NAME = "geopipe-nightly"


@dataclass(frozen=True)
class Nightly:
    """The nightly run of one configuration on this computer.

    Parameters
    ----------
    python : path
        Absolute, of the environment that holds geopipe.
    config : path
        Absolute.
    writable : tuple of path
        The only folders into which it may write, absolute.
    at : str
        Local time of the day, such as "02:00".
    user : str
        Who runs it on Linux.
    """

    python: PurePath
    config: PurePath
    writable: tuple[PurePath, ...]
    at: str
    user: str

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command; -I: what others have set for their Python does not reach it."""
        return (str(self.python), "-I", "-X", "utf8", "-m", "geopipe", "run", str(self.config), "--nightly")


@dataclass(frozen=True)
class Printed:
    """Files by name, and what a person does with them, step by step."""

    files: Mapping[str, str]
    steps: tuple[str, ...]
