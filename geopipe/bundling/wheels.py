"""Wheels on disk: their names, the Pythons that they fit, what they ask for."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from geopipe.errors import SourceError

PLATFORM = "win_amd64"


@dataclass(frozen=True)
class Wheel:
    """One wheel.

    Parameters
    ----------
    path : Path
    name : str
        Canonical: lower case, with hyphens.
    version : Version
    tags : frozenset of Tag
    requires : tuple of Requirement
    requires_python : SpecifierSet
    files : tuple of str
        Everything in it.
    """

    path: Path
    name: str
    version: Version
    tags: frozenset[Tag]
    requires: tuple[Requirement, ...]
    requires_python: SpecifierSet
    files: tuple[str, ...]

    def fits(self, python: str) -> bool:
        """Say whether a Python of 64 bits on Windows can use it."""
        return not self.tags.isdisjoint(_tags_of(python)) and f"{python}.0" in self.requires_python


def read_wheel(path: Path) -> Wheel:
    """Read the name and the METADATA of a wheel.

    Raises
    ------
    SourceError
        When the file is no wheel.
    """
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            files = tuple(archive.namelist())
            inside = next(
                each for each in files if each.endswith(".dist-info/METADATA") and each.count("/") == 1
            )
            told = HeaderParser().parsestr(archive.read(inside).decode("utf-8"))
    except (ValueError, StopIteration, zipfile.BadZipFile) as error:
        raise SourceError(f"this is no wheel ({error})", str(path), "Fetch it again.") from error
    requires = tuple(Requirement(text) for text in told.get_all("Requires-Dist") or ())
    python = SpecifierSet(told.get("Requires-Python") or "")
    return Wheel(path, canonicalize_name(name), version, tags, requires, python, files)


def read_wheels(paths: Iterable[Path]) -> list[Wheel]:
    """Read wheels, in the order of their file names."""
    return [read_wheel(path) for path in sorted(paths, key=lambda path: path.name)]


def _tags_of(python: str) -> frozenset[Tag]:
    """Return the tags of wheels that a CPython such as "3.12" of 64 bits on Windows takes."""
    major, minor = (int(part) for part in python.split("."))
    own = f"cp{major}{minor}"
    return frozenset(cpython_tags((major, minor), [own], [PLATFORM])) | frozenset(
        compatible_tags((major, minor), own, [PLATFORM])
    )
