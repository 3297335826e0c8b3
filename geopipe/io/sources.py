"""Find the delivered files among the paths that a user gave."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from geopipe.io.delivery import Problem
from geopipe.io.formats import (
    FOREIGN_SUFFIXES,
    READ_FORMATS,
    Format,
    format_of,
    head_of,
    looks_like_geojson,
    looks_like_maxml,
    looks_like_table,
)
from geopipe.io.imsmatables import MAIN, groups_of, is_lone_part
from geopipe.plain import plain

# Written by geopipe itself, by QGIS or by catalogues: never a delivery.
OWN_FILES = frozenset({"truth.json", "summary.json", "manifest.json"})


@dataclass(frozen=True)
class Source:
    """One file to be read, or the reason why it cannot be.

    Parameters
    ----------
    path : Path
        The file, or the folder of a File Geodatabase.
    format : Format
        The format that its name promises.
    problem : Problem or None
        Why it will not be read.
    """

    path: Path
    format: Format
    problem: Problem | None = None


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Return the files to read, in a stable order and each once.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders as the user gave them. Folders are walked, sorted by name, without leaving them.

    Returns
    -------
    list of Source
        A file that was named is always in it; a file inside a folder only when it may hold areas.
    """
    seen: set[Path] = set()
    found: list[Source] = []
    for path in map(Path, paths):
        for source in _named(path):
            key = Path(os.path.realpath(source.path))
            if key not in seen:
                seen.add(key)
                found.append(source)
    return found


def _named(path: Path) -> Iterable[Source]:
    """Yield what one path of the user stands for."""
    if not path.exists():
        sentence = f"{path}: there is no such file or folder. Check the name and the drive."
        return [Source(path, Format.UNKNOWN, Problem("FILE_MISSING", sentence))]
    if not path.is_dir() and not path.is_file():
        return [Source(path, Format.UNKNOWN, _dangerous(path, "is a pipe or a device, not a file"))]
    kind = format_of(path.name)
    if path.is_dir():
        return [Source(path, kind)] if kind is Format.FILEGDB else _walk(path)
    if kind in (Format.UNKNOWN, Format.FILEGDB):
        return [Source(path, Format.UNKNOWN, _unknown(path))]
    if kind is Format.TABLE:
        return [_table(path, [entry.name for entry in path.parent.iterdir() if entry.is_file()])]
    return [Source(path, kind)]


def _table(path: Path, siblings: Sequence[str]) -> Source:
    """Return a table as it is, or the IMSMA NG export that it is a part of."""
    for group in groups_of(siblings):
        if path.name in group.values():
            return Source(path.with_name(group[MAIN]), Format.IMSMA)
    if is_lone_part(path.name, head_of(path, 4096)):
        sentence = f"{path.name}: this is the point table of an IMSMA NG export; {MAIN}.csv is missing."
        problem = Problem("FILE_INCOMPLETE", f"{sentence} Ask for all tables of the export.")
        return Source(path, Format.UNKNOWN, problem)
    return Source(path, Format.TABLE)


def _unknown(path: Path) -> Problem:
    """Say that a file is of a format that is not read, and what to do."""
    if path.suffix.lower() in (".dbf", ".shx", ".prj", ".cpg"):
        remedy = f"It is a part of a shapefile: name {path.stem}.shp instead."
        return Problem("FORMAT_UNKNOWN", f"{path.name}: this file alone holds no areas. {remedy}")
    what = f'{plain(path.name)}: files of type "{plain(path.suffix)}" are not read'
    return Problem("FORMAT_UNKNOWN", f"{what}. Save it as one of these: {READ_FORMATS}.")


def _walk(folder: Path) -> Iterator[Source]:
    """Yield the sources inside a folder, sorted, without following links out of it."""
    root = os.path.realpath(folder)
    for here, folders, files in os.walk(folder, followlinks=False):
        base = Path(here)
        folders.sort()
        for name in [name for name in folders if (base / name).is_symlink()]:
            folders.remove(name)
            if not _is_below(base / name, root):
                yield Source(base / name, Format.UNKNOWN, _dangerous(base / name, _LEADS_AWAY))
        geodatabases = [name for name in folders if format_of(name) is Format.FILEGDB]
        folders[:] = [
            name for name in folders if not name.startswith((".", "__MACOSX")) and name not in geodatabases
        ]
        yield from (Source(base / name, Format.FILEGDB) for name in geodatabases)
        for name in sorted(files):
            if not name.startswith((".", "~$")):
                yield from _file_inside(base / name, root, files)


_LEADS_AWAY = "is a link to something outside the delivered folder"


def _is_below(path: Path, root: str) -> bool:
    """Tell whether a path, its links followed, leads to something inside a folder."""
    place = os.path.realpath(path)
    return place == root or place.startswith(root.rstrip(os.sep) + os.sep)


def _dangerous(path: Path, what: str) -> Problem:
    """Say that something was not opened, because of what it is and not of what it holds."""
    return Problem(
        "FILE_DANGEROUS", f"{plain(path.name)}: this {what}. It was not opened. Ask for the file itself."
    )


def _file_inside(path: Path, root: str, siblings: Sequence[str]) -> Iterator[Source]:
    """Yield the source for a file in a folder, or say why what looks like one is not opened."""
    if path.is_file() and _is_below(path, root):
        yield from _inside(path, siblings)
    elif format_of(path.name) is not Format.UNKNOWN or path.suffix.lower() in FOREIGN_SUFFIXES:
        what = _LEADS_AWAY if path.is_symlink() else "is a pipe or a device, not a file"
        yield Source(path, Format.UNKNOWN, _dangerous(path, what))


def _inside(path: Path, siblings: Sequence[str]) -> Iterator[Source]:
    """Yield the source that a file found in a folder stands for, if any."""
    suffix, kind = path.suffix.lower(), format_of(path.name)
    if path.name.lower() in OWN_FILES:
        return
    try:
        # JSON and text files in a folder are mostly something else: only what shows areas counts.
        if kind is Format.GEOJSON and suffix == ".json" and not looks_like_geojson(path):
            return
        if kind is Format.TABLE and suffix == ".txt" and not looks_like_table(path):
            return
        if suffix == ".xml" and not looks_like_maxml(path):
            return
        if kind is Format.TABLE:
            yield _table(path, siblings)
            return
    except OSError:
        pass  # unreadable: the reader will say so
    if kind not in (Format.UNKNOWN, Format.FILEGDB):
        yield Source(path, kind)
    elif suffix in FOREIGN_SUFFIXES:
        yield Source(path, Format.UNKNOWN, _unknown(path))
    elif suffix == ".dbf" and not _has_shapefile(path, siblings):
        sentence = f"{path.name}: {path.stem}.shp is missing. Ask for all files of the shapefile."
        yield Source(path, Format.UNKNOWN, Problem("FILE_INCOMPLETE", sentence))


def _has_shapefile(path: Path, siblings: Sequence[str]) -> bool:
    """Tell whether the .shp that belongs to a .dbf lies beside it; MapInfo uses .dbf as well."""
    stem = path.stem.lower()
    return any(name.lower() in (f"{stem}.shp", f"{stem}.tab") for name in siblings)
