"""Understand what a column of a table says about its coordinate system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geopipe.io.delivery import Problem
from geopipe.io.tabular.headers import fold_name
from geopipe.io.tabular.places import cells_of

LONLAT = "EPSG:4326"
EPSG = re.compile(r"\s*(?:EPSG\s*:+\s*|SRID\s*=?\s*)?(\d{4,6})(?:\.0)?\s*", re.IGNORECASE)
URN = re.compile(r"\s*(?:urn:ogc:def:crs:|https?://www\.opengis\.net/def/crs/)EPSG[:/][\d.]*[:/](\d{4,6})\s*")
# Zone 48, then N or S for the half of the earth, or the letter of a band (48Q is in the north).
WGS84_UTM = re.compile(r"(?:wgs(?:19)?84)?/?utm(?:zone)?0?(\d{1,2})([c-hj-np-x]|north|south)")
WGS84 = ("wgs84", "wgs1984", "gcswgs84", "gcswgs1984", "latlonwgs84", "lonlatwgs84", "geographicwgs84")
ESRI_UTM = re.compile(r"(.+?)[ _/]+UTM[ _]*(?:zone)?[ _]*(\d{1,2})[ _]*([NS])", re.IGNORECASE)


@dataclass(frozen=True)
class StatedCrs:
    """The coordinate system of each row.

    Parameters
    ----------
    codes : array of str, shape (n,)
        What PROJ understands, e.g. ``EPSG:32648``; empty where none is stated or understood.
    notes : tuple of Problem
    """

    codes: NDArray[np.object_]
    notes: tuple[Problem, ...] = ()


def crs_of_text(text: str) -> str | None:
    """Return the code of a coordinate system that a person or a program named; None if not known.

    *Unverified*: `UTM 48N` without a datum is taken for WGS 84, and so is a letter S after a zone
    number for south.
    """
    if match := EPSG.fullmatch(text) or URN.fullmatch(text):
        return f"EPSG:{match[1]}"
    folded = fold_name(text)
    if folded in WGS84:
        return LONLAT
    if (match := WGS84_UTM.fullmatch(folded)) and 1 <= int(match[1]) <= 60:
        letter = match[2][0]
        return f"EPSG:{(32700 if letter == 's' or letter < 'n' else 32600) + int(match[1])}"
    spelled = re.sub(r"^GCS[ _]", "", text.strip(), flags=re.IGNORECASE)
    if match := ESRI_UTM.fullmatch(spelled):
        spelled = f"{match[1]} / UTM zone {int(match[2])}{match[3]}"
    return _epsg_names().get(_tight(spelled)) or _of_definition(text)


def _tight(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


@lru_cache(maxsize=1)
def _epsg_names() -> dict[str, str]:
    """Return the exact names of the EPSG register: a name that is only alike must not be believed."""
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    kinds = [PJType.GEOGRAPHIC_2D_CRS, PJType.PROJECTED_CRS]
    names: dict[str, str] = {}
    for info in query_crs_info("EPSG", kinds, allow_deprecated=False):
        names.setdefault(_tight(info.name), f"EPSG:{info.code}")
    return names


def _of_definition(text: str) -> str | None:
    """Return a full definition (WKT) as it is, where PROJ understands it."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not re.match(r"\s*(PROJCS|GEOGCS|PROJCRS|GEOGCRS)\s*\[", text):
        return None
    try:
        CRS.from_wkt(text)
    except CRSError:
        return None
    return text


def stated_crs(columns: Sequence[pa.Array], count: int, label: str) -> StatedCrs:
    """Return the system of each row from all columns that state one.

    Parameters
    ----------
    columns : sequence of Arrow arrays
        Each states a system per row, or nothing.
    count : int
        Number of rows.
    label : str
        Name of the table in sentences.
    """
    codes = np.full(count, "", dtype=object)
    unknown: Counter[str] = Counter()
    contradictions = np.zeros(count, dtype=bool)
    for column in columns:
        own = _codes(column, unknown)
        contradictions |= (codes != "") & (own != "") & (codes != own)
        codes = np.where(codes == "", own, codes)
    codes[contradictions] = ""
    notes = []
    if unknown:
        shown = ", ".join(f'"{text[:60]}"' for text, _ in unknown.most_common(3))
        sentence = f"{label}: {shown} is not the name of a known coordinate system"
        notes.append(Problem("CRS_UNREADABLE", f"{sentence}. Ask which one the coordinates are in."))
    if contradictions.any():
        sentence = f"{label}: {contradictions.sum():,} rows state two different coordinate systems"
        notes.append(Problem("CRS_UNREADABLE", f"{sentence}; none is used. Ask which one is true."))
    return StatedCrs(codes, tuple(notes))


def _codes(column: pa.Array, unknown: Counter[str]) -> NDArray[np.object_]:
    """Return the code of each cell of one column; what is not understood is counted."""
    words = cells_of(column).dictionary_encode()
    words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    indices = words.indices.fill_null(len(words.dictionary)).to_numpy(zero_copy_only=False)
    meanings = []
    for position, text in enumerate(words.dictionary.to_pylist()):
        code = crs_of_text(text)
        if code is None:
            unknown[text] += int((indices == position).sum())
        meanings.append(code or "")
    codes: NDArray[np.object_] = np.array([*meanings, ""], dtype=object)[indices]
    return codes


def implausible_crs(code: str, x: NDArray[np.float64], y: NDArray[np.float64], label: str) -> list[Problem]:
    """Say where numbers are plainly degrees under the name of a grid in metres, or the reverse.

    ProjName is ignored by IMSMA, so nobody notices there when it is false.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    known = np.isfinite(x) & np.isfinite(y)
    if not code or not known.any():
        return []
    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        return []  # said where the layer's system is described
    east, north = np.abs(x[known]), np.abs(y[known])
    # Degrees also when x and y are exchanged: that is another fault, and others look for it.
    degrees = (east <= 180) & (north <= 180)
    wrong, what = (~degrees, "metres") if crs.is_geographic else (degrees, "degrees")
    if not wrong.any():
        return []
    sentence = (
        f"{label}: {wrong.sum():,} of {len(wrong):,} points look like {what}, but the table states {crs.name}"
    )
    return [Problem("CRS_IMPLAUSIBLE", f"{sentence}. Ask which coordinate system is true.")]
