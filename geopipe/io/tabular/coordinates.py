"""Read one coordinate cell as people write it: numbers, degrees and minutes, UTM and MGRS.

Nothing is guessed: a cell that can mean two places is refused with the reason. A comma before exactly
three digits is the decimal sign where it gives a degree (``102,567``), and refused where it could be
thousands (``234,567``); a point is always the decimal sign (``20.436``).
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

LONGEST_CELL = 500
PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
COMMA_DECIMAL = re.compile(r"[-+]?\d*,\d+")
COMMA_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})")
POINT_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")
SPACE_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?")
MAYBE_THOUSANDS = re.compile(r"[-+]?\d{1,3},\d{3}")
UNIT_LETTERS = re.compile(
    r"([-+]?\d{1,3})\s*d(?:eg)?\s*(?:([\d.,]+)\s*m(?:in)?\s*(?:([\d.,]+)\s*s?(?:ec)?)?)?", re.IGNORECASE
)
SIGNS = re.compile(
    r"([-+]?\d{1,3}(?:[.,]\d+)?)(?:\s*°)?"
    r"(?:(?:(?<=°)\s*|\s*[:-]\s*|\s+)([\d.,]+)(?:\s*')?"
    r"(?:(?:(?<=')\s*|\s*[:-]\s*|\s+)([\d.,]+)\s*(?:\"|'')?)?)?"
)
MARKED = re.compile(r"[°:\"'d]|\d\s*-\s*\d|\d\s+\d")
UTM = re.compile(
    r"(?:(?:utm|zone)\s*)*(\d{1,2})\s*([c-hj-np-x])[\s,;:]+"
    r"([\d.,]*\d)\s*(?:m?\s*e)?[\s,;]+([\d.,]*\d)\s*(?:m?\s*n)?"
)
UTM_ZONE_LAST = re.compile(
    r"([\d.,]*\d)\s*(?:m?\s*e)?[\s,;]+([\d.,]*\d)\s*(?:m?\s*n)?[\s,;]+"
    r"(?:(?:utm|zone)\s*)*(\d{1,2})\s*([c-hj-np-x])"
)
MGRS = re.compile(r"(\d{1,2})\s*([C-HJ-NP-X])\s*([A-HJ-NP-Z]{2})\s*(\d{1,5})\s+(\d{1,5})")
MGRS_JOINED = re.compile(r"(\d{1,2})\s*([C-HJ-NP-X])\s*([A-HJ-NP-Z]{2})\s*(\d{2,10})")
LETTERS_LAST = re.compile(r"(.*\d.*?[nsew])[\s,;/|]*(.*\d.*?[nsew])")
LETTERS_FIRST = re.compile(r"([nsew].*?\d[^nsew]*?)[\s,;/|]*([nsew].*\d.*)")
BANDS = "CDEFGHJKLMNPQRSTUVWX"
# Northings of UTM band S (32 to 40 degrees north); a southern zone has these only off Antarctica.
BAND_S_NORTHINGS_M = (3_530_000.0, 4_440_000.0)
SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("\u00ba\u02da\u2070", "°"),
        **dict.fromkeys("\u2032\u2019\u2018\u02b9\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u2033\u201d\u201c\u02ba\u201e", '"'),
        **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011", "-"),
        **{chr(0x0ED0 + digit): str(digit) for digit in range(10)},  # Lao digits
        **{chr(0x0E50 + digit): str(digit) for digit in range(10)},  # Thai digits
    }
)


@dataclass(frozen=True)
class Angle:
    """Degrees, with the hemisphere letter where one was written."""

    degrees: float
    letter: str = ""
    is_marked: bool = False

    @property
    def is_latitude(self) -> bool:
        """Tell whether a letter says that this is a latitude."""
        return self.letter in ("n", "s")


@dataclass(frozen=True)
class Position:
    """A place in lon/lat, and what was assumed to read it; UTM and MGRS (`is_grid`) mean WGS 84."""

    longitude: float
    latitude: float
    notes: tuple[str, ...] = ()
    is_grid: bool = False


def plain_text(text: str) -> str:
    """Return a cell with one spelling for degree signs, quotes, minus, digits and spaces."""
    if len(text) > LONGEST_CELL:
        return "?"  # is no coordinate in any spelling; to try them all on it could take hours
    # Not NFKC for all of it: that takes the degree sign of some keyboards for a letter o.
    one = text.translate(SPELLINGS)
    return " ".join(unicodedata.normalize("NFKC", one).split()).casefold()


def number_of(text: str) -> float:
    """Return a finite number in any unambiguous spelling; raise ValueError with the reason."""
    cell = plain_text(text)
    if PLAIN.fullmatch(cell):
        value = float(cell)
    elif COMMA_THOUSANDS.fullmatch(cell):
        value = float(cell.replace(",", ""))
    elif POINT_THOUSANDS.fullmatch(cell):
        value = float(cell.replace(".", "").replace(",", "."))
    elif SPACE_THOUSANDS.fullmatch(cell):
        value = float(cell.replace(" ", "").replace(",", "."))
    elif COMMA_DECIMAL.fullmatch(cell):
        value = float(cell.replace(",", "."))
        if MAYBE_THOUSANDS.fullmatch(cell) and abs(value) > 180:
            raise ValueError(f'"{text}" can be {cell.replace(",", ".")} or {cell.replace(",", "")}')
    else:
        raise ValueError(f'"{text}" is not a number')
    if not math.isfinite(value):
        raise ValueError(f'"{text}" is not a finite number')
    return value


def may_be_thousands(text: str) -> bool:
    """Tell whether the one comma of a cell could be a thousands separator."""
    return MAYBE_THOUSANDS.fullmatch(plain_text(text)) is not None


def has_decimal_comma(text: str) -> bool:
    """Tell whether a cell proves that its writer uses the comma as decimal sign."""
    cell = plain_text(text)
    spaced = SPACE_THOUSANDS.fullmatch(cell) is not None and "," in cell
    points = POINT_THOUSANDS.fullmatch(cell) is not None and "," in cell
    single = COMMA_DECIMAL.fullmatch(cell) is not None and not MAYBE_THOUSANDS.fullmatch(cell)
    return single or points or spaced


def angle_of(text: str, most_deg: float = 180.0) -> Angle:
    """Return the degrees of a cell with or without hemisphere; raise ValueError with the reason.

    Decimal degrees, degrees and minutes, degrees, minutes and seconds; the letter on either side.
    `most_deg` is the largest angle that is believed; a latitude has at most 90.
    """
    cell = plain_text(text)
    letter, body = _letter(cell)
    match = UNIT_LETTERS.fullmatch(body) or SIGNS.fullmatch(body)
    if match is None:
        raise ValueError(f'"{text}" is neither a number nor an angle')
    parts = [part for part in match.groups() if part is not None]
    if any(set(part) & set(".,") for part in parts[:-1]):
        raise ValueError(f'"{text}" has decimals before its last part')
    try:
        values = [float(part.replace(",", ".")) for part in parts]
    except ValueError:
        raise ValueError(f'"{text}" is neither a number nor an angle') from None
    for what, value in zip(("minutes", "seconds"), values[1:], strict=False):
        if value >= 60:
            raise ValueError(f'"{text}": the {what} are {value:g}, they must be less than 60')
    size = sum(abs(value) / 60**power for power, value in enumerate(values))
    negative = body.startswith("-")
    if negative and letter:
        raise ValueError(f'"{text}" has a minus sign and a letter')
    if size > (90 if letter in ("n", "s") else most_deg):
        raise ValueError(f'"{text}" is more degrees than there are')
    return Angle(-size if negative or letter in ("s", "w") else size, letter, MARKED.search(body) is not None)


def _letter(cell: str) -> tuple[str, str]:
    """Return the hemisphere letter of a cell and the rest of it."""
    first, last = cell[:1], cell[-1:]
    # `19d27m35s` ends with its seconds, `19 27 35 s` is in the south.
    is_seconds = last == "s" and re.search(r"\d\s*d.*m", cell) and not re.search(r"s\s*s$", cell)
    at_start = first in ("n", "s", "e", "w") and first != ""
    at_end = last in ("n", "s", "e", "w") and last != "" and not is_seconds
    if at_start and at_end:
        raise ValueError(f'"{cell}" has two hemisphere letters')
    if at_start:
        return first, cell[1:].strip(" .:-")
    return (last, cell[:-1].strip()) if at_end else ("", cell)


def position_of(text: str, order: str = "") -> Position:
    """Return the place that one cell of text describes alone; raise ValueError with the reason.

    Parameters
    ----------
    text : str
        MGRS, UTM with its zone, or two angles with hemisphere letters.
    order : {"", "latlon", "lonlat"}
        What the column's name says of two angles without letters.
    """
    cell = plain_text(text)
    if match := MGRS.fullmatch(cell.upper()) or MGRS_JOINED.fullmatch(cell.upper()):
        return _of_mgrs(text, *match.groups())
    if match := UTM.fullmatch(cell):
        return _of_utm(text, *match.groups())
    if match := UTM_ZONE_LAST.fullmatch(cell):
        return _of_utm(text, *match.group(3, 4, 1, 2))
    if match := LETTERS_LAST.fullmatch(cell) or LETTERS_FIRST.fullmatch(cell):
        return position_of_angles(angle_of(match[1]), angle_of(match[2]), text)
    halves = re.split(r"\s*[,;]\s+|\s*;\s*", cell)
    if len(halves) == 1 and cell.count(",") == 1:
        halves = cell.split(",")
    if order and len(halves) == 2:
        first, second = (angle_of(half) for half in halves)
        if abs((first if order == "latlon" else second).degrees) > 90:
            raise ValueError(f'"{text}" has a latitude of more than 90 degrees')
        pair = (second, first) if order == "latlon" else (first, second)
        return Position(pair[0].degrees, pair[1].degrees)
    raise ValueError(f'"{text}" is not MGRS, UTM with its zone, or two angles with N/S and E/W')


def position_of_angles(first: Angle, second: Angle, text: str) -> Position:
    """Return the place of two angles of which at least one has a hemisphere letter."""
    if first.letter and second.letter and first.is_latitude == second.is_latitude:
        raise ValueError(f'"{text}" has two {"latitudes" if first.is_latitude else "longitudes"}')
    first_is_latitude = first.is_latitude if first.letter else not second.is_latitude
    longitude, latitude = (second, first) if first_is_latitude else (first, second)
    if abs(latitude.degrees) > 90:
        raise ValueError(f'"{text}" has a latitude of more than 90 degrees')
    return Position(longitude.degrees, latitude.degrees)


def _of_utm(text: str, zone: str, band: str, easting: str, northing: str) -> Position:
    """Return the place of UTM coordinates with zone and letter.

    *Unverified*: a letter N is read as "north", which the band N is as well; S as the band where the
    northing fits it (Iraq, Syria, Afghanistan), else as "south".
    """
    # No easting is less than 100 km: the comma of `234,567` cannot be the decimal sign here.
    east = number_of(easting.replace(",", "") if may_be_thousands(easting) else easting)
    number, north = int(zone), number_of(northing)
    letter, notes = band.upper(), [f"UTM text is read as WGS 84, zone {int(zone)}"]
    if not 1 <= number <= 60:
        raise ValueError(f'"{text}": there is no UTM zone {number}')
    if not (100_000 <= east <= 900_000 and 0 <= north <= 10_000_000):
        raise ValueError(f'"{text}": easting and northing are outside the zone')
    northern = letter >= "N"
    if letter == "N":
        notes.append(f"the N of {number}N is read as north, not as the band")
    if letter == "S":
        northern = BAND_S_NORTHINGS_M[0] <= north <= BAND_S_NORTHINGS_M[1]
        meaning = "the band S (north)" if northern else "south"
        notes.append(f"the S of {number}S is read as {meaning}")
    longitude, latitude = _from_utm(number, northern, east, north)
    there = BANDS[min(max(int((latitude + 80) // 8), 0), 19)]
    if letter not in ("N", "S") and there != letter:
        notes.append(f"the letter of {number}{letter} does not fit the northing (that is band {there})")
    return Position(longitude, latitude, tuple(notes), is_grid=True)


def _of_mgrs(text: str, zone: str, band: str, square: str, *digits: str) -> Position:
    """Return the south-west corner of a square of MGRS (WGS 84)."""
    joined = "".join(digits)
    if len(joined) % 2 or (len(digits) == 2 and len(digits[0]) != len(digits[1])):
        raise ValueError(f'"{text}": MGRS needs as many digits for the easting as for the northing')
    half = len(joined) // 2
    full = joined[:half].ljust(5, "0") + joined[half:].ljust(5, "0")
    try:
        number, hemisphere, east, north = _mgrs().MGRSToUTM(f"{int(zone):02d}{band}{square}{full}")
    except Exception as error:
        raise ValueError(f'"{text}" is not a valid MGRS reference') from error
    # Some versions of the library answer with the middle of the 1 m square: its corner is meant.
    corner = (math.floor(east + 0.25), math.floor(north + 0.25))
    longitude, latitude = _from_utm(int(number), str(hemisphere).upper() == "N", *corner)
    note = f"MGRS is read as WGS 84, south-west corner of its {10 ** (5 - half):,} m square"
    return Position(longitude, latitude, (note,), is_grid=True)


@lru_cache(maxsize=1)
def _mgrs() -> Any:
    import mgrs  # type: ignore[import-untyped]

    return mgrs.MGRS()


@lru_cache(maxsize=128)
def _utm_transformer(number: int, northern: bool) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(32600 + number if northern else 32700 + number, 4326, always_xy=True)


def _from_utm(number: int, northern: bool, east: float, north: float) -> tuple[float, float]:
    """Return longitude and latitude of UTM coordinates on WGS 84."""
    longitude, latitude = _utm_transformer(number, northern).transform(east, north)
    return float(longitude), float(latitude)
