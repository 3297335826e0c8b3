"""The bytes that belong to a delivered file, and their hash; no part of it may be a link that leads away."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from geopipe.io.delivery import Problem, ReadLimits, RefusedError
from geopipe.io.formats import Format
from geopipe.io.imsmatables import companions as tables_of_export
from geopipe.io.shapefile import SUFFIXES, companions
from geopipe.io.sources import Source
from geopipe.plain import plain

JOURNALS = ("-wal", "-journal")


def content_hash(source: Source) -> str:
    """Return the SHA-256 over all bytes that belong to a source.

    Parameters
    ----------
    source : Source
        A file, a shapefile with companions, or the folder of a File Geodatabase.

    Returns
    -------
    str
        Hexadecimal digits; equal exactly when the delivered bytes are.

    Raises
    ------
    RefusedError
        When a part is a pipe, a device, or a link to a file in another folder: nothing of it is opened.
    """
    path, digest = source.path, hashlib.sha256()
    parts = parts_of(source)
    require_plain(path, [part for _, part in parts])
    for name, part in parts:
        if name == "-journal" or (name == "-wal" and not part.stat().st_size):
            continue
        if len(parts) > 1:
            digest.update(f"\n{name}:{part.stat().st_size}\n".encode())
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def size_of(source: Source) -> int:
    """Return how many bytes belong to a source; what is not there counts nothing."""
    size = 0
    path = source.path
    if source.format is Format.SHAPEFILE:  # without a list of the folder, which may hold thousands of files
        parts = [path, *(path.with_suffix(suffix) for suffix in SUFFIXES[1:])]
    else:
        parts = [part for _, part in parts_of(source)]
    for part in parts:
        with suppress(OSError):
            size += part.lstat().st_size
    return size


def seconds_for(source: Source, limits: ReadLimits) -> float:
    """Return how long a file may take: a small one that takes as long as a large one is not what it seems."""
    try:
        megabytes = size_of(source) / 1e6
    except OSError:
        return limits.seconds
    return min(limits.seconds, limits.seconds_at_least + limits.seconds_per_mb * megabytes)


def parts_of(source: Source) -> list[tuple[str, Path]]:
    """Return the name and the place of each file that belongs to a source."""
    path = source.path
    if source.format is Format.SHAPEFILE:
        found = companions(path)
        return [(suffix, found[suffix]) for suffix in SUFFIXES if suffix in found]
    if source.format is Format.IMSMA:
        return list(tables_of_export(path).items())
    if path.is_dir():
        inside = (p for p in path.rglob("*") if not _is_folder(p) and p.suffix.lower() != ".lock")
        return sorted((p.relative_to(path).as_posix(), p) for p in inside)
    journals = [(suffix, Path(f"{path}{suffix}")) for suffix in JOURNALS]
    return [("", path), *((suffix, part) for suffix, part in journals if os.path.lexists(part))]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def require_plain(path: Path, parts: list[Path]) -> None:
    """Refuse a file some part of which is no plain file, or a link that leads to another folder.

    Whoever may put files into an inbox could otherwise have any file of this computer read, and waited for.
    """
    home = os.path.realpath(path if path.is_dir() else path.parent)
    for part in parts:
        if part.is_symlink() and part != path and not os.path.realpath(part).startswith(home + os.sep):
            raise _dangerous(path, f"{part.name} is a link to a file in another folder")
        try:
            is_plain = stat.S_ISREG(part.stat().st_mode)
        except OSError:
            is_plain = part == path  # the reader will say why it cannot be opened
        if not is_plain:
            raise _dangerous(path, f"{part.name} is not a plain file")


def _dangerous(path: Path, what: str) -> RefusedError:
    sentence = f"{plain(path.name)}: {plain(what)}. It was not opened. Ask for a new copy."
    return RefusedError(Problem("FILE_DANGEROUS", sentence))
