"""What lies in the inbox: which files belong together, and which of them are complete.

Nothing is changed here. A look is a value, so that two looks can be compared: a file is complete when it has
not changed between them, and when all of its companions are there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from geopipe.io.beside import DOCUMENTS
from geopipe.io.formats import SUFFIXES as READABLE
from geopipe.io.formats import Format, format_of
from geopipe.io.imsmatables import MAIN, groups_of
from geopipe.settings import did_you_mean

# Programs that copy, download or edit give an unfinished file such a name.
_UNFINISHED_SUFFIXES = (
    ".filepart", ".crdownload", ".part", ".partial", ".tmp", ".temp", ".download", ".opdownload", ".!ut",
    ".swp", ".swx", "~",
)  # fmt: skip
_UNFINISHED_PREFIXES = ("~$", ".~lock.", ".")
# Systems leave these in every folder; nobody sends them.
_RUBBISH = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".directory"})
_NEEDED = {".shx": "the .shx", ".dbf": "the .dbf"}
# What may lie beside a .shp of the same name and goes with it.
_BESIDE_SHAPEFILE = frozenset(
    {
        ".shp", ".shx", ".dbf", ".prj", ".cpg", ".qpj", ".sbn", ".sbx", ".qix", ".qmd", ".fbn", ".fbx",
        ".ain", ".aih", ".ixs", ".mxs", ".atx", ".cst", ".shp.xml",
    }
)  # fmt: skip
_JOURNALS = ("-wal", "-journal")


class Seen(NamedTuple):
    """What a file looked like: its size in bytes, and when it was changed (ns)."""

    size: int
    changed_ns: int


@dataclass(frozen=True)
class Unit:
    """What belongs together in the inbox: a file, a shapefile with its companions, a geodatabase, an export.

    Parameters
    ----------
    folder : str
        The folder of the inbox in which it lies; '' where it lies in the inbox itself.
    main : Path
        The file, or the folder of a geodatabase, that is read.
    parts : mapping of Path to Seen
        All files of it.
    wait : str
        Why it is not taken, whatever time passes; '' where nothing is against it.
    """

    folder: str
    main: Path
    parts: Mapping[Path, Seen] = field(hash=False)
    wait: str = ""

    @property
    def state(self) -> str:
        """What it looked like, as one text."""
        told = [[path.as_posix(), *seen] for path, seen in sorted(self.parts.items())]
        return json.dumps(told, ensure_ascii=False)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(seen.size for seen in self.parts.values())

    @property
    def is_delivery(self) -> bool:
        """Whether it may hold areas; documents and pictures are kept, too, but are not read."""
        suffix = self.main.suffix.lower()
        return suffix in READABLE or suffix not in DOCUMENTS


@dataclass(frozen=True)
class Look:
    """All that lies in the inbox at a moment.

    `strange` are sentences about what is not taken because nobody knows whose it is, or that cannot be
    looked at; `missing` are folders of the configuration that are not there.
    """

    units: tuple[Unit, ...]
    strange: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def look(inbox: Path, folders: Sequence[str]) -> Look:
    """Look at all folders of the inbox.

    Parameters
    ----------
    inbox : Path
    folders : sequence of str
        The names that the configuration knows; what lies elsewhere is strange, never ignored.

    Raises
    ------
    OSError
        When the inbox itself cannot be looked at.
    """
    strange: list[str] = []
    units: list[Unit] = []
    there = {entry.name: entry for entry in sorted(os.scandir(inbox), key=lambda entry: entry.name)}
    for name, entry in there.items():
        if entry.is_symlink():
            strange.append(f"{name}: a link is not followed. Put the files themselves there.")
        elif not entry.is_dir():
            if name.lower() not in _RUBBISH:
                strange.append(f"{name}: it lies in no operator's folder. Move it into one of them.")
        elif name not in folders:
            count = sum(1 for _ in _files(Path(entry.path), []))
            near = did_you_mean(name, tuple(folders)).removeprefix("; ").rstrip("?")
            files = "1 file" if count == 1 else f"{count} files"
            strange.append(f"folder {name} ({files}) is not in the configuration and not taken ({near}?).")
        else:
            units += _units(name, Path(entry.path), strange)
    return Look(tuple(units), tuple(strange), tuple(name for name in folders if name not in there))


def _files(folder: Path, strange: list[str]) -> Iterator[Path]:
    """Yield the files and geodatabases in a folder and the folders in it, sorted; links are not followed."""

    def failed(error: OSError) -> None:
        strange.append(f"{error.filename}: it cannot be looked at ({error.strerror}).")

    for here, folders, files in os.walk(folder, onerror=failed, followlinks=False):
        base = Path(here)
        folders.sort()
        for name in [*folders, *files]:
            if (base / name).is_symlink():
                strange.append(f"{base / name}: a link is not followed. Put the file itself there.")
        geodatabases = [name for name in folders if format_of(name) is Format.FILEGDB]
        folders[:] = [name for name in folders if name not in geodatabases and name != "__MACOSX"]
        for name in sorted([*geodatabases, *files]):
            if name.lower() not in _RUBBISH and not name.startswith("._") and not (base / name).is_symlink():
                yield base / name


def _units(name: str, folder: Path, strange: list[str]) -> Iterator[Unit]:
    """Yield what lies in the folder of one operator, put together."""
    by_folder: dict[Path, list[Path]] = {}
    for path in _files(folder, strange):
        by_folder.setdefault(path.parent, []).append(path)
    for _, paths in sorted(by_folder.items()):
        yield from _together(name, paths)


def _together(folder: str, paths: Sequence[Path]) -> Iterator[Unit]:
    """Yield the units among the files of one folder."""
    left = {path.name: path for path in paths}
    for main, parts in [*_shapefiles(left), *_exports(left), *_databases(left)]:
        for part in parts:
            left.pop(part.name, None)
        yield _unit(folder, main, parts, left)
    for path in list(left.values()):
        yield _unit(folder, path, [path], left)


def _shapefiles(left: Mapping[str, Path]) -> Iterator[tuple[Path, list[Path]]]:
    """Yield each shapefile, or what is there of one."""
    stems: dict[str, list[Path]] = {}
    for path in left.values():
        stem, suffix = _split(path.name)
        if suffix in _BESIDE_SHAPEFILE:
            stems.setdefault(stem, []).append(path)
    for parts in stems.values():
        by_suffix = {_split(path.name)[1]: path for path in parts}
        main = by_suffix.get(".shp") or by_suffix.get(".dbf") or by_suffix.get(".shx")
        # A .prj or .cpg alone says nothing, but somebody sent it: it waits for its shapefile.
        yield main or parts[0], parts


def _split(name: str) -> tuple[str, str]:
    lower = name.lower()
    if lower.endswith(".shp.xml"):
        return lower.removesuffix(".shp.xml"), ".shp.xml"
    stem, dot, suffix = lower.rpartition(".")
    return (stem, dot + suffix) if dot else (lower, "")


def _exports(left: Mapping[str, Path]) -> Iterator[tuple[Path, list[Path]]]:
    """Yield each export of IMSMA NG: its tables are read together."""
    for group in groups_of(left):
        yield left[group[MAIN]], [left[name] for name in group.values()]


def _databases(left: Mapping[str, Path]) -> Iterator[tuple[Path, list[Path]]]:
    """Yield each GeoPackage beside which a program has left what it has not written into it yet."""
    for path in list(left.values()):
        if format_of(path.name) is Format.GEOPACKAGE:
            beside = [
                left[f"{path.name}{end}"] for end in (*_JOURNALS, "-shm") if f"{path.name}{end}" in left
            ]
            yield path, [path, *beside]


def _unit(folder: str, main: Path, parts: Sequence[Path], left: Mapping[str, Path]) -> Unit:
    try:
        seen = {path: look_at for part in parts for path, look_at in _seen(part)}
    except OSError as error:
        return Unit(folder, main, {}, f"it cannot be read ({error.strerror})")
    return Unit(folder, main, seen, _why_wait(main, parts, seen, left))


def _seen(path: Path) -> Iterator[tuple[Path, Seen]]:
    """Yield the files that a path stands for, and what they look like."""
    inside = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    for item in inside:
        found = item.stat()
        yield item, Seen(found.st_size, found.st_mtime_ns)


def _why_wait(main: Path, parts: Sequence[Path], seen: Mapping[Path, Seen], left: Mapping[str, Path]) -> str:
    """Return why a unit cannot be taken yet, as the end of a sentence; '' where it can."""
    name = main.name.lower()
    if name.endswith(_UNFINISHED_SUFFIXES) or name.startswith(_UNFINISHED_PREFIXES):
        return "its name is that of an unfinished copy or an open document"
    if f"~${main.name}" in left or f".~lock.{main.name}#" in left:
        return "it is open in another program"
    if any(path.name.endswith(_JOURNALS) and item.size for path, item in seen.items()):
        return "it is open in another program"
    if not sum(item.size for item in seen.values()):
        return "it is empty"
    return _lacks({_split(path.name)[1] for path in parts})


def _lacks(suffixes: set[str]) -> str:
    """Return which companions a shapefile lacks."""
    if not suffixes & _BESIDE_SHAPEFILE:
        return ""
    if ".shp" not in suffixes:
        return "its .shp has not come"
    lacking = [told for suffix, told in _NEEDED.items() if suffix not in suffixes]
    return (
        f"{' and '.join(lacking)} of the shapefile {'has' if len(lacking) == 1 else 'have'} not come"
        if lacking
        else ""
    )
