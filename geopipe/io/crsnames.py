"""Say in WKT and in a few letters which coordinate reference system a file states."""

from __future__ import annotations

from functools import lru_cache

from pyproj import CRS
from pyproj.exceptions import CRSError


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
