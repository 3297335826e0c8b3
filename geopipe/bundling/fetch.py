"""Fetching the wheels: pip is told which ones, for it reads conditions as this computer does, not Windows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from geopipe.bundling.demand import demands
from geopipe.bundling.wheels import PLATFORM, Wheel, read_wheels
from geopipe.errors import ConfigError, SourceError


def read_pins(constraints: Path) -> dict[str, str]:
    """Return the version of each package from a file of lines NAME==VERSION."""
    lines = (line.partition("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): version for name, version in pairs}


def build_own(source: Path, folder: Path) -> None:
    """Build the wheel of geopipe itself."""
    _call([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], source)


def fetch(
    folder: Path, roots: Sequence[Requirement], pythons: Sequence[str], pins: dict[str, str]
) -> list[Wheel]:
    """Fetch what is missing in a folder of wheels until nothing is.

    Raises
    ------
    ConfigError
        When a package that Windows needs has no pinned version.
    SourceError
        When a wheel cannot be had.
    """
    while True:
        wheels = read_wheels(folder.glob("*.whl"))
        missing = {
            (python, canonicalize_name(demand.requirement.name))
            for python in pythons
            for demand in demands(wheels, roots, python)
            if demand.wheel is None
        }
        if not missing:
            return wheels
        for python in pythons:
            names = sorted(name for wanted, name in missing if wanted == python)
            if names:
                _download(folder, python, [f"{name}=={_pin(name, pins)}" for name in names])


def _pin(name: str, pins: dict[str, str]) -> str:
    if name not in pins:
        raise ConfigError(
            f"{name} is needed on Windows but not pinned", "constraints.txt", "Add its version."
        )
    return pins[name]


def _download(folder: Path, python: str, pinned: Sequence[str]) -> None:
    """Fetch wheels of 64-bit Windows for one Python, those only that are named."""
    abi = f"cp{python.replace('.', '')}"
    told = ["--no-deps", "--only-binary", ":all:", "--platform", PLATFORM, "--python-version", python]
    told += ["--implementation", "cp", "--abi", abi, "--abi", "abi3", "--abi", "none", "--dest", str(folder)]
    _call([sys.executable, "-m", "pip", "download", "--quiet", *told, *pinned], folder)


def _call(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SourceError(" ".join(said[-3:]) or "it failed", " ".join(command[1:4]), "Is the network there?")
