"""Documents and pictures that lie beside a delivered file, or with it in its archive."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

DOCUMENTS = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".doc", ".docx", ".xls", ".xlsx"})


class Neighbours:
    """Names of documents beside delivered files; each folder is looked at once."""

    def __init__(self) -> None:
        self._seen: dict[Path, frozenset[str]] = {}

    def of(self, path: Path) -> tuple[str, ...]:
        """Return the names, sorted, of documents in the file's folder, the folders in it, and its archive.

        Only names are looked at; nothing is opened but an archive's list of names.
        """
        folder = path.parent
        if folder not in self._seen:
            self._seen[folder] = frozenset(_documents(_names(folder)))
        return tuple(sorted({*self._seen[folder], *_documents(_members(path))}))


def _documents(names: Iterator[str]) -> Iterator[str]:
    return (name for name in names if Path(name).suffix.lower() in DOCUMENTS)


def _names(folder: Path) -> Iterator[str]:
    """Yield names in a folder and in the folders directly in it; deeper may be anybody's files."""
    try:
        for entry in os.scandir(folder):
            if not entry.is_dir(follow_symlinks=False):
                yield entry.name
            elif not entry.name.startswith((".", "__MACOSX")):
                yield from _files_in(Path(entry.path))
    except OSError:
        return  # not readable: as good as nothing there


def _files_in(folder: Path) -> Iterator[str]:
    try:
        yield from (entry.name for entry in os.scandir(folder))
    except OSError:
        return


def _members(path: Path) -> Iterator[str]:
    """Yield the names in a ZIP or KMZ; the reader has said so already where it is damaged."""
    if path.suffix.lower() not in (".zip", ".kmz"):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from (name.rsplit("/", 1)[-1] for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return
