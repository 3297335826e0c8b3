"""Give each row of a table the coordinate system of the numbers that were read from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geopipe.io.delivery import Problem
from geopipe.io.tabular.places import ANGLE, GRID, PLAIN, Places
from geopipe.io.tabular.statedcrs import LONLAT


def row_codes(
    places: Places, stated: NDArray[np.object_], label: str
) -> tuple[NDArray[np.object_], list[Problem]]:
    """Return the system of each row, and what had to be assumed.

    Plain numbers are in the stated system. Angles are lon/lat: of the stated system where that is
    geographic, else of WGS 84. UTM with its zone, and MGRS, are WGS 84 (*unverified*, as every
    grid reference without a word on its datum).
    """
    codes = stated.copy()
    geographic = {code for code in set(stated) if code and is_geographic(code)}
    keeps = (places.kind == PLAIN) | ((places.kind == ANGLE) & np.isin(stated, list(geographic)))
    codes[~keeps] = LONLAT
    contradicts = ~keeps & (stated != "") & (stated != LONLAT)
    notes = []
    angles = (places.kind == ANGLE) & ~keeps
    if angles.any():
        sentence = f"{label}: degrees with their signs or letters are read as WGS 84 ({angles.sum():,} rows)"
        notes.append(Problem("COORDINATES_ASSUMED", f"{sentence}. Please confirm."))
    if contradicts.any():
        what = "degrees" if not (places.kind[contradicts] == GRID).any() else "degrees, UTM or MGRS"
        sentence = f"{label}: {contradicts.sum():,} rows state another system than their coordinates ({what})"
        notes.append(Problem("CRS_IMPLAUSIBLE", f"{sentence}. They are read as WGS 84. Ask which is true."))
    return codes, notes


def is_geographic(code: str) -> bool:
    """Tell whether a coordinate system is in degrees; False where it is not known."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(code).is_geographic)
    except CRSError:
        return False
