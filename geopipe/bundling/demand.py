"""What must be in the bundle: every requirement of every wheel, as Windows reads its conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from geopipe.bundling.wheels import Wheel

_WINDOWS = {
    "os_name": "nt",
    "sys_platform": "win32",
    "platform_system": "Windows",
    "platform_machine": "AMD64",
    "platform_release": "10",
    "platform_version": "10.0.19045",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
# A requirement may hold for some patch releases only: asked for the first and for one that never comes.
_PATCHES = (0, 99)
# Windows refuses names of more than 260 signs; so many are left to the folder in which geopipe is installed.
_LONGEST_NAME = 150


@dataclass(frozen=True)
class Demand:
    """One requirement, who makes it, and the wheel that meets it, if any."""

    requirement: Requirement
    by: str
    python: str
    wheel: Wheel | None


def demands(wheels: Sequence[Wheel], roots: Iterable[Requirement], python: str) -> list[Demand]:
    """Walk from what is installed by name through all that it asks for on Windows.

    Parameters
    ----------
    wheels : sequence of Wheel
    roots : iterable of Requirement
        What is installed by name.
    python : str
        Such as "3.12".

    Returns
    -------
    list of Demand
        Each requirement once, also those that no wheel meets.
    """
    by_name = {wheel.name: wheel for wheel in wheels if wheel.fits(python)}
    waiting = [(requirement, "the bundle") for requirement in roots]
    found: dict[str, Demand] = {}
    while waiting:
        requirement, by = waiting.pop()
        wheel = by_name.get(canonicalize_name(requirement.name))
        key = f"{canonicalize_name(requirement.name)} {sorted(requirement.extras)} {requirement.specifier}"
        if key in found:
            continue
        found[key] = Demand(requirement, by, python, wheel)
        if wheel is not None:
            waiting += [(each, wheel.name) for each in _asked(wheel, requirement.extras, python)]
    return [found[key] for key in sorted(found)]


def _asked(wheel: Wheel, extras: Iterable[str], python: str) -> list[Requirement]:
    """Return the requirements of a wheel that hold on Windows."""
    environments = [
        _WINDOWS
        | {"python_version": python, "python_full_version": f"{python}.{patch}", "extra": extra}
        | {"implementation_version": f"{python}.{patch}"}
        for patch in _PATCHES
        for extra in ("", *extras)
    ]
    return [
        each
        for each in wheel.requires
        if each.marker is None or any(each.marker.evaluate(environment) for environment in environments)
    ]


def problems(wheels: Sequence[Wheel], roots: Sequence[Requirement], pythons: Sequence[str]) -> list[str]:
    """Say what is wrong with a set of wheels: missing, of another version, twice, or wanted by nobody.

    Returns
    -------
    list of str
        One sentence each; empty where every Python given can install all of it.
    """
    told: list[str] = []
    wanted: set[str] = set()
    for python in pythons:
        fitting = [wheel.name for wheel in wheels if wheel.fits(python)]
        twice = sorted({name for name in fitting if fitting.count(name) > 1})
        told += [f"{name}: more than one wheel fits Python {python}." for name in twice]
        for demand in demands(wheels, roots, python):
            wheel, name = demand.wheel, demand.requirement.name
            if wheel is None:
                told.append(f"{name}: no wheel fits Python {python}; {demand.by} asks for it.")
                continue
            wanted.add(wheel.path.name)
            if not demand.requirement.specifier.contains(wheel.version, prereleases=True):
                told.append(f"{name}: {demand.by} asks for {demand.requirement}, here is {wheel.version}.")
    told += [f"{wheel.path.name}: nothing asks for it." for wheel in wheels if wheel.path.name not in wanted]
    told += [
        f"{wheel.path.name}: {file} is too long a name for Windows."
        for wheel in wheels
        for file in wheel.files
        if len(file) > _LONGEST_NAME
    ]
    return told
