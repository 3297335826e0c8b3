"""Documents and pictures that lie beside a delivered file, or with it in its archive."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from geopipe.plain import plain

# The last record of an archive says how long its list of names is; large archives have one more before it.
_END, _END_OF_LARGE, _END_WITHIN = b"PK\x05\x06", b"PK\x06\x07", (1 << 16) + 64
_LONGEST_LIST = 1 << 20
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
        return tuple(sorted({plain(name) for name in (*self._seen[folder], *_documents(_members(path)))}))


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
        if not path.is_file() or not _has_short_list(path):
            return
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # a list of names can be false in more ways than zipfile has errors for
        return
    yield from (name.rsplit("/", 1)[-1] for name in names)


def _has_short_list(path: Path) -> bool:
    """Tell whether the list of names of an archive is short: this process has no limit of its memory."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _END_WITHIN, 0))
        end = file.read()
    at = end.rfind(_END)
    if at < 0 or _END_OF_LARGE in end or len(end) < at + 16:
        return False
    return int.from_bytes(end[at + 12 : at + 16], "little") <= _LONGEST_LIST
