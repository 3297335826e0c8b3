"""The bytes that belong to a delivered file, and their hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geopipe.io.formats import Format
from geopipe.io.imsmatables import companions as tables_of_export
from geopipe.io.shapefile import SUFFIXES, companions
from geopipe.io.sources import Source


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
    """
    path, digest = source.path, hashlib.sha256()
    if source.format is Format.SHAPEFILE:
        found = companions(path)
        parts = [(suffix, found[suffix]) for suffix in SUFFIXES if suffix in found]
    elif source.format is Format.IMSMA:
        parts = list(tables_of_export(path).items())
    elif path.is_dir():
        inside = (p for p in path.rglob("*") if p.is_file() and p.suffix.lower() != ".lock")
        parts = sorted((p.relative_to(path).as_posix(), p) for p in inside)
    else:
        parts = [("", path)]
        if Path(f"{path}-wal").exists() and Path(f"{path}-wal").stat().st_size:
            parts.append(("-wal", Path(f"{path}-wal")))
    for name, part in parts:
        if len(parts) > 1:
            digest.update(f"\n{name}:{part.stat().st_size}\n".encode())
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
