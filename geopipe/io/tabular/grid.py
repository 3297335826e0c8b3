"""A table before its geometry is found, and the layers that it becomes: one per coordinate system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble, unique_names
from geopipe.io.tabular.headers import CRS_NAMES, Header
from geopipe.io.tabular.statedcrs import StatedCrs, stated_crs
from geopipe.terms import CountMethod

_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])


@dataclass(frozen=True)
class Grid:
    """The rows of a CSV file or of a sheet, header and titles taken off.

    Parameters
    ----------
    label : str
        Name of the table in sentences.
    name : str
        Name of its layer.
    names : list of str
        The column names as delivered, empty where the cell is empty.
    columns : list of Arrow arrays
        Text as delivered, or typed where the source is.
    rows : int64 array
        1-based record number of each row: its place below the header.
    counted : int or None
        Rows counted without the reader.
    method : CountMethod
    notes : tuple of Problem
    """

    label: str
    name: str
    names: list[str]
    columns: list[pa.Array]
    rows: NDArray[np.int64]
    counted: int | None
    method: CountMethod
    notes: tuple[Problem, ...] = ()

    @property
    def header(self) -> Header:
        """The columns by folded name."""
        return Header.of(self.names)

    def __len__(self) -> int:
        return len(self.rows)

    def stated_crs(self) -> StatedCrs:
        """Return the coordinate system that the columns of each row state."""
        columns = [self.columns[at] for at, name in enumerate(self.header.names) if name in CRS_NAMES]
        return stated_crs(columns, len(self), self.label)

    def named_columns(self, leave_out: Iterable[int] = ()) -> pa.Table:
        """Return the columns under unique names."""
        out = set(leave_out)
        kept = [at for at in range(len(self.columns)) if at not in out]
        shown = [self.names[at].strip() or f"column_{at + 1}" for at in kept]
        return pa.table([self.columns[at] for at in kept], names=unique_names(shown))

    def require_whole(self, records: int | None = None) -> None:
        """Refuse the table when not all its rows were read.

        Parameters
        ----------
        records : int, optional
            What the refused table counts for, where a record is more than one row.
        """
        if self.counted is None or self.counted == len(self):
            return
        sentence = f"{self.label}: {len(self):,} rows can be read, but the table holds {self.counted:,}"
        problem = Problem("COUNT_MISMATCH", f"{sentence}. Nothing of it is used. Ask for a new copy.")
        raise RefusedError(problem, self.counted if records is None else records, self.method)


@dataclass
class Records:
    """Geometry and columns of the records of a table, ready to become layers.

    Parameters
    ----------
    columns : pyarrow.Table
    wkb : Arrow array of bytes
    rows : int64 array
    codes : array of str
        The coordinate system of each record; empty where none is known.
    trouble : array of str or None
    types : set of str
        The geometry types that occur, by name.
    notes : list of Problem
    """

    columns: pa.Table
    wkb: pa.Array
    rows: NDArray[np.int64]
    codes: NDArray[np.object_]
    trouble: NDArray[np.object_]
    types: set[str]
    notes: list[Problem] = field(default_factory=list)


def layers_of(
    records: Records, grid: Grid, name: str, counted: int | None, method: CountMethod
) -> list[RawLayer]:
    """Return one layer per coordinate system; rows keep their numbers.

    A table is only divided when all its records were read: else its one layer shows both counts, and
    is not believed.
    """
    _join_placeless(records)
    codes = sorted(set(records.codes))
    if len(codes) <= 1 or counted not in (None, len(records.rows)):
        code = codes[0] if len(codes) == 1 else ""
        everything = np.arange(len(records.rows))
        return [_layer(records, everything, name, code, counted, method)]
    sentence = f"{grid.label}: the rows are in {len(codes)} coordinate systems; each is a layer of its own"
    records.notes.append(Problem("CRS_SEVERAL", f"{sentence}."))
    layers = []
    for code in codes:
        which = np.flatnonzero(records.codes == code)
        shown = f"{name} ({code.split('[')[0] or 'no CRS stated'})"
        layers.append(_layer(records, which, shown, code, None if counted is None else len(which), method))
        records.notes = []  # told once
    return layers


def _join_placeless(records: Records) -> None:
    """Give records without geometry and without a stated system the one that all others are in."""
    bare = (records.codes == "") & records.wkb.is_null().to_numpy(zero_copy_only=False)
    others = set(records.codes[~bare])
    if bare.any() and len(others) == 1:
        records.codes[bare] = others.pop()


def _layer(
    records: Records,
    which: NDArray[np.intp],
    name: str,
    code: str,
    counted: int | None,
    method: CountMethod,
) -> RawLayer:
    """Return the layer of some of the records."""
    table, more = assemble(
        records.columns.take(pa.array(which)),
        records.wkb.take(pa.array(which)),
        rows=pa.array(records.rows[which], pa.int64()),
        trouble=list(records.trouble[which]),
    )
    return RawLayer(
        name=name,
        crs_wkt=code or None,
        geometry_type=next(iter(records.types)) if len(records.types) == 1 else "Unknown",
        table=table,
        records_counted=counted,
        count_method=method if counted is not None else CountMethod.NONE,
        notes=(*records.notes, *more),
    )


def wkb_of_points(x: NDArray[np.float64], y: NDArray[np.float64]) -> pa.Array:
    """Return points as WKB, null where a coordinate is missing."""
    data = np.empty(len(x), dtype=_POINT)
    data["order"], data["type"], data["x"], data["y"] = 1, 1, x, y
    missing = ~(np.isfinite(x) & np.isfinite(y))
    fixed = pa.Array.from_buffers(pa.binary(_POINT.itemsize), len(x), [None, pa.py_buffer(data.tobytes())])
    points = fixed.cast(pa.binary()).cast(pa.large_binary())
    import pyarrow.compute as pc

    return pc.if_else(pa.array(missing), pa.scalar(None, pa.large_binary()), points)


def counted_notes(counts: Counter[str], label: str, code: str) -> list[Problem]:
    """Return what was assumed in some rows as sentences."""
    return [
        Problem(code, f"{label}: {what} ({count:,} rows). Please confirm.")
        for what, count in sorted(counts.items())
    ]


def taken(columns: Sequence[pa.Array], which: NDArray[np.intp]) -> list[pa.Array]:
    """Return some rows of every column."""
    picked = pa.array(which)
    return [column.take(picked) for column in columns]
