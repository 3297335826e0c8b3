"""Read the coordinate columns of a table: plain numbers all at once, other spellings cell by cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geopipe.io.tabular.coordinates import (
    Angle,
    Position,
    angle_of,
    has_decimal_comma,
    may_be_thousands,
    number_of,
    position_of,
    position_of_angles,
)

# No exponents and no plus sign here: those go the careful way, as all that is not plain.
_PLAIN = r"^-?\d+(\.\d+)?$"
# A comma that cannot separate thousands; before exactly three digits it is looked at cell by cell.
_PLAIN_COMMA = r"^-?(\d{4,},\d+|\d+,(\d{1,2}|\d{4,}))$"
PLAIN, ANGLE, GRID = 0, 1, 2
SWAPPED = "X and Y are exchanged by their letters (N/S, E/W)"
COMMA = "the comma is read as decimal sign"


@dataclass(frozen=True)
class Places:
    """Where each row is.

    Parameters
    ----------
    x, y : float64 arrays, shape (n,)
        As the table states them, lon/lat where `kind` says so; NaN where there is none.
    kind : uint8 array
        ``PLAIN`` numbers of the table's own system, an ``ANGLE`` with its signs or letters (lon/lat), or
        ``GRID`` text (UTM with its zone, MGRS), which is lon/lat of WGS 84.
    is_empty : bool array
        No coordinate cell of the row is filled.
    trouble : array of str or None
        Why the cells of a row could not be read.
    notes : Counter of str
        What was assumed, and in how many rows.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    kind: NDArray[np.uint8]
    is_empty: NDArray[np.bool_]
    trouble: NDArray[np.object_]
    notes: Counter[str]

    def taken(self, rows: NDArray[np.intp]) -> Places:
        """Return only some rows."""
        return Places(
            self.x[rows], self.y[rows], self.kind[rows], self.is_empty[rows], self.trouble[rows], self.notes
        )


def cells_of(column: pa.Array) -> pa.Array:
    """Return a column as trimmed text, null where it is empty."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    text = pc.utf8_trim_whitespace(column.cast(pa.large_string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)


@dataclass(frozen=True)
class Numbers:
    """The plain numbers of a column.

    Parameters
    ----------
    values : float64 array
        NaN where the cell is empty or something else.
    is_odd : bool array
        The cell holds something else.
    has_comma : bool array
        The decimal sign is a comma.
    """

    values: NDArray[np.float64]
    is_odd: NDArray[np.bool_]
    has_comma: NDArray[np.bool_]


def numbers_of(column: pa.Array) -> Numbers:
    """Return the plain numbers of a column of any type."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        nowhere = np.zeros(len(values), dtype=bool)
        return Numbers(values, nowhere, nowhere)
    cells = cells_of(column)
    comma = pc.fill_null(pc.match_substring_regex(cells, _PLAIN_COMMA), False)
    plain = pc.fill_null(pc.or_(comma, pc.match_substring_regex(cells, _PLAIN)), False)
    digits = pc.if_else(plain, pc.replace_substring(cells, ",", "."), pa.scalar(None, pa.large_string()))
    odd = pc.and_(pc.is_valid(cells), pc.invert(plain))
    return Numbers(
        digits.cast(pa.float64()).to_numpy(zero_copy_only=False),
        odd.to_numpy(zero_copy_only=False),
        comma.to_numpy(zero_copy_only=False),
    )


def places_of_pair(x: pa.Array, y: pa.Array) -> Places:
    """Return the places of two columns, easting or longitude first."""
    east, north = numbers_of(x), numbers_of(y)
    has_east, has_north = np.isfinite(east.values) | east.is_odd, np.isfinite(north.values) | north.is_odd
    places = _blank(east.values.copy(), north.values.copy(), ~(has_east | has_north))
    careful = np.flatnonzero(east.is_odd | north.is_odd | (has_east != has_north))
    commas = east.has_comma | north.has_comma
    commas[careful] = False
    if commas.any():
        places.notes[COMMA] = int(commas.sum())
    if len(careful):
        which = pa.array(careful)
        lefts, rights = cells_of(x).take(which).to_pylist(), cells_of(y).take(which).to_pylist()
        _fill(places, careful, list(zip(lefts, rights, strict=True)), _read_pair)
    return places


def places_of_text(column: pa.Array, order: str) -> Places:
    """Return the places of one column of coordinate text; see `position_of` for `order`."""
    cells = cells_of(column)
    missing = cells.is_null().to_numpy(zero_copy_only=False)
    nowhere = np.full(len(cells), np.nan)
    places = _blank(nowhere, nowhere.copy(), missing)
    careful = np.flatnonzero(~missing)
    texts = [(cell, order) for cell in cells.take(pa.array(careful)).to_pylist()]
    _fill(places, careful, texts, _read_text)
    return places


def _blank(x: NDArray[np.float64], y: NDArray[np.float64], is_empty: NDArray[np.bool_]) -> Places:
    return Places(
        x,
        y,
        np.full(len(x), PLAIN, dtype=np.uint8),
        is_empty,
        np.full(len(x), None, dtype=object),
        Counter(),
    )


@dataclass(frozen=True)
class _Pair:
    """What two cells say: numbers of the table's own system, or a place in lon/lat."""

    x: float
    y: float
    kind: int = PLAIN
    notes: tuple[str, ...] = ()


def _fill(places: Places, rows: NDArray[np.intp], cells: list[Any], read: Any) -> None:
    """Read cells one by one, equal ones once, into the arrays of `places`."""
    known: dict[Any, _Pair | str] = {}
    for row, cell in zip(rows, cells, strict=True):
        if cell not in known:
            try:
                known[cell] = read(*cell)
            except ValueError as error:
                known[cell] = str(error)
        found = known[cell]
        if isinstance(found, str):
            places.x[row] = places.y[row] = np.nan
            places.trouble[row] = found
        else:
            places.x[row], places.y[row], places.kind[row] = found.x, found.y, found.kind
            places.notes.update(found.notes)


def _read_text(text: str, order: str) -> _Pair:
    return _placed(position_of(text, order))


def _placed(position: Position, *notes: str) -> _Pair:
    kind = GRID if position.is_grid else ANGLE
    return _Pair(position.longitude, position.latitude, kind, (*position.notes, *notes))


def _read_pair(x: str | None, y: str | None) -> _Pair:
    """Return what the two cells of a row say; raise ValueError with the reason."""
    shown = f'coordinates "{x or ""}", "{y or ""}" could not be read'
    if x is None or y is None:
        try:  # a whole position in one of the two cells
            return _placed(position_of(x or y or ""))
        except ValueError:
            raise ValueError(f"{shown}: one of them is missing") from None
    try:
        return _read_numbers(x, y)
    except ValueError as error:
        reason = str(error)
    try:
        return _read_angles(x, y)
    except ValueError as error:
        reason = reason if " can be " in reason else str(error)
    try:  # `48Q 234567` | `2145678`: the zone stands in one of the two
        return _placed(position_of(f"{x} {y}"))
    except ValueError:
        raise ValueError(f"{shown}: {reason}") from None


def _read_numbers(x: str, y: str) -> _Pair:
    """Return two cells of numbers in the table's own coordinate system."""
    values = number_of(x), number_of(y)
    for cell, value, other in ((x, values[0], values[1]), (y, values[1], values[0])):
        # 102,567 beside 2145678: not a degree, so the comma may as well separate thousands.
        if may_be_thousands(cell) and abs(other) > 180:
            raise ValueError(f'"{cell}" can be {value:g} or {cell.strip().replace(",", "")}')
    commas = has_decimal_comma(x) or has_decimal_comma(y)
    return _Pair(*values, notes=(COMMA,) if commas else ())


def _read_angles(x: str, y: str) -> _Pair:
    """Return two cells of angles, of which at least one has degree signs or a letter."""
    first, second = _angle(x), _angle(y)
    if first.letter or second.letter:
        position = position_of_angles(first, second, f"{x} | {y}")
        is_swapped = first.is_latitude or (not first.letter and not second.is_latitude)
        return _placed(position, *((SWAPPED,) if is_swapped else ()))
    if abs(second.degrees) > 90:
        raise ValueError(f'"{y}" is more than 90 degrees, too much for a latitude')
    return _placed(Position(first.degrees, second.degrees))


def _angle(text: str) -> Angle:
    """Return an angle; a plain number counts as decimal degrees."""
    try:
        degrees = number_of(text)
    except ValueError:
        return angle_of(text)
    if abs(degrees) > 180:
        raise ValueError(f'"{text}" is more degrees than there are')
    return Angle(degrees)
