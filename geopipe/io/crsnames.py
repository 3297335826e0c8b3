"""Say in WKT and in a few letters which coordinate reference system a file states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import CRSError

from geopipe.io.counting import definitions_of
from geopipe.io.delivery import Problem, RefusedError
from geopipe.io.formats import head_of

# PROJ opens the file of shifts that a text names, wherever it lies; "@null" stands for none.
_NAMES_A_FILE = re.compile(
    r"grids\s*=\s*(?!@null\b)|\binit\s*=\s*[^\s]*[/\\~]|PROJ4_GRIDS|PARAMETERFILE", re.IGNORECASE
)
# What is searched of a file for such a text: the header of a FlatGeobuf.
_HEAD = 1 << 20


@lru_cache(maxsize=256)
def describe(stated: str | None) -> tuple[str | None, str, str | None]:
    """Return WKT, short name and, where it cannot be understood, a sentence.

    Parameters
    ----------
    stated : str or None
        An authority code, WKT or PROJJSON as the file states it.

    Returns
    -------
    tuple of (str or None, str, str or None)
        ``(None, "", None)`` where the file states none, also for local and undefined systems: a place on
        the earth cannot be found from those.
    """
    if not stated:
        return None, "", None
    # Where a PROJJSON text is the first that PROJ reads in a thread, codes have another WKT afterwards.
    CRS.from_epsg(4326)
    try:
        if _NAMES_A_FILE.search(stated):
            raise CRSError("it names a file")
        crs = CRS.from_user_input(stated)
    except CRSError:
        sentence = (
            f'the stated coordinate system cannot be understood ("{stated[:80]}"). Ask which one it is.'
        )
        return None, "", sentence
    if crs.is_engineering or crs.name.lower().startswith("undefined"):
        return None, "", None
    authority = crs.to_authority(min_confidence=100)
    return crs.to_wkt(), ":".join(authority) if authority else crs.name, None


def require_no_files(path: Path, label: str) -> None:
    """Refuse a file whose coordinate system names a file: GDAL would open that as soon as it reads the name.

    Raises
    ------
    RefusedError
    """
    if any(_NAMES_A_FILE.search(text) for text in _stated_in(path)):
        sentence = f"{label}: its coordinate system names a file of this computer. It was not opened"
        raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. Ask for a copy in EPSG:4326."))


def _stated_in(path: Path) -> Iterator[str]:
    """Yield the texts of a file in which its coordinate systems stand, and perhaps more."""
    if path.suffix.lower() == ".prj":
        yield head_of(path).decode("latin-1")
    elif path.suffix.lower() == ".gpkg":
        yield from definitions_of(path)
    elif path.suffix.lower() == ".fgb":
        yield head_of(path, _HEAD).decode("latin-1")
    elif path.is_dir():
        for part in sorted(path.glob("*.gdbtable")):
            # Some of its texts have two bytes a letter.
            yield head_of(part, _HEAD).replace(b"\0", b"").decode("latin-1")
