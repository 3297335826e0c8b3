"""Rows of an Arrow table that are picked only when a column is asked for.

A record has some fifty columns and most stages ask for five. Taking rows of all columns at each stage
would copy everything again and again; so a pick remembers the rows, and columns are taken one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# Rows that come from one chunk and then another more often than this, for each chunk, are brought in order.
_CHANGES_FOR_EACH_CHUNK = 4


def take_rows(column: pa.ChunkedArray, rows: NDArray[np.intp]) -> pa.ChunkedArray:
    """Return rows of a column without joining its chunks first: most of them may be in a file."""
    if column.num_chunks <= 1 or len(rows) == 0:
        return column.take(pa.array(rows))
    starts = np.cumsum([0, *(len(chunk) for chunk in column.chunks)])
    chunk_of = np.searchsorted(starts, rows, side="right") - 1
    changes = np.flatnonzero(chunk_of[1:] != chunk_of[:-1]) + 1
    if len(changes) > _CHANGES_FOR_EACH_CHUNK * column.num_chunks:
        order = np.argsort(chunk_of, kind="stable")
        back = np.empty(len(rows), dtype=np.intp)
        back[order] = np.arange(len(rows))
        return take_rows(column, rows[order]).take(pa.array(back))
    taken = []
    for start, stop in pairwise([0, *changes.tolist(), len(rows)]):
        number = int(chunk_of[start])
        taken.append(column.chunk(number).take(pa.array(rows[start:stop] - starts[number])))
    if len(taken) > 1:
        taken = [pa.chunked_array(taken, column.type).combine_chunks()]
    return pa.chunked_array(taken, column.type)


class Picked:
    """Rows of a table, some of its columns perhaps replaced.

    Parameters
    ----------
    base : pyarrow.Table
        Perhaps mapped from disk; it is never changed.
    rows : array of int, optional
        Which rows of `base`, in which order; None means all.
    own : mapping of str to pyarrow.ChunkedArray, optional
        Columns that take the place of those in `base`, one value for each picked row.
    """

    def __init__(
        self,
        base: pa.Table,
        rows: NDArray[np.intp] | None = None,
        own: Mapping[str, pa.ChunkedArray] | None = None,
    ) -> None:
        self._base, self._rows = base, rows
        self._columns: dict[str, pa.ChunkedArray] = dict(own or {})
        self._own = frozenset(self._columns)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        kinds = {name: self._columns[name].type for name in self._own}
        return pa.schema([item.with_type(kinds.get(item.name, item.type)) for item in self._base.schema])

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._base.schema.names)

    @property
    def num_rows(self) -> int:
        """How many rows are picked."""
        return self._base.num_rows if self._rows is None else len(self._rows)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """Return a column in one chunk; taken once, then remembered."""
        if name not in self._columns:
            column = self._base[name]
            if self._rows is not None:
                column = take_rows(column, self._rows)
            if column.num_chunks != 1:
                column = pa.chunked_array([column.combine_chunks()], column.type)
            self._columns[name] = column
        return self._columns[name]

    def take(self, indices: NDArray[np.intp]) -> Picked:
        """Return some of the picked rows."""
        rows = indices if self._rows is None else self._rows[indices]
        at = pa.array(indices)
        return Picked(self._base, rows, {name: self._columns[name].take(at) for name in self._own})

    def select(self, names: Sequence[str]) -> Picked:
        """Return the same rows with fewer columns."""
        own = {name: self._columns[name] for name in self._own if name in names}
        return Picked(self._base.select(list(names)), self._rows, own)

    @property
    def own(self) -> dict[str, pa.ChunkedArray]:
        """The columns that take the place of those in the table, one value for each picked row."""
        return {name: self._columns[name] for name in self._own}

    def drop_columns(self, names: Sequence[str]) -> Picked:
        """Return the same rows without some columns."""
        return self.select([name for name in self.column_names if name not in names])

    def replacing(self, columns: Mapping[str, pa.ChunkedArray]) -> Picked:
        """Return the same rows with columns replaced by others of the same length, perhaps of other types."""
        own = {name: self._columns[name] for name in self._own}
        return Picked(self._base, self._rows, {**own, **columns})

    def forget(self) -> None:
        """Give back the memory of columns that were taken; they are taken again when they are asked for."""
        self._columns = {name: self._columns[name] for name in self._own}

    def slice(self, start: int, length: int) -> pa.Table:
        """Return some rows, one after the other, with all columns."""
        chosen = range(*slice(start, start + length).indices(self.num_rows))
        if self._rows is None:
            table = self._base.slice(start, length)
        else:
            rows = self._rows[chosen.start : chosen.stop]
            table = pa.table({name: take_rows(self._base[name], rows) for name in self.column_names})
        for name in self._own:
            position = table.schema.get_field_index(name)
            own = self._columns[name].slice(start, length)
            table = table.set_column(position, self.schema.field(name), own)
        return table

    def whole(self) -> pa.Table:
        """Return all rows with all columns as one Arrow table; this copies what was only picked."""
        return pa.table([self[name] for name in self.column_names], schema=self.schema)

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return list(self.whole().to_pylist())

    def to_pydict(self) -> dict[str, list[Any]]:
        """Return the columns as lists."""
        return dict(self.whole().to_pydict())


def joined_rows(parts: Sequence[Picked]) -> Picked:
    """Return the rows of several, one after the other; what is in files stays there."""
    base = pa.concat_tables([part._base for part in parts]).unify_dictionaries()
    rows = None
    if any(part._rows is not None for part in parts):
        starts = np.cumsum([0, *(part._base.num_rows for part in parts)])
        rows = np.concatenate(
            [
                (np.arange(part._base.num_rows) if part._rows is None else part._rows) + start
                for part, start in zip(parts, starts, strict=False)
            ]
        )
    replaced = sorted({name for part in parts for name in part._own})
    own = {
        name: pa.chunked_array([chunk for part in parts for chunk in part[name].chunks]) for name in replaced
    }
    return Picked(base, rows, own)
