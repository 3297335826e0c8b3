"""A frame: an Arrow table and an array of geometries of the same length.

Stages pass frames on and never change one in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.errors import SchemaError
from geopipe.picked import Picked, joined_rows
from geopipe.schema.columns import BOX, IDENTITY, ORIGIN
from geopipe.shapes import Undecoded, joined_shapes

Geometries: TypeAlias = NDArray[np.object_]
Mask: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Frame:
    """A table with one geometry (or None) per row."""

    table: Picked
    shapes: Geometries | Undecoded

    def __post_init__(self) -> None:
        if self.table.num_rows != len(self.shapes):
            raise SchemaError(f"{self.table.num_rows} rows but {len(self.shapes)} geometries")

    @property
    def geometry(self) -> Geometries:
        """The geometries; decoded when they are first looked at."""
        if isinstance(self.shapes, Undecoded):
            object.__setattr__(self, "shapes", self.shapes.decoded())
        return cast("Geometries", self.shapes)

    @classmethod
    def of(cls, table: pa.Table, geometry: Geometries | Undecoded) -> Frame:
        """Return a frame of an Arrow table."""
        return cls(Picked(table), geometry)

    def __len__(self) -> int:
        return len(self.shapes)

    def wkb(self) -> pa.ChunkedArray:
        """Return the geometries as little-endian ISO WKB, null where there is none."""
        if isinstance(self.shapes, Undecoded):
            return self.shapes.wkb()
        return pa.chunked_array([to_wkb(self.shapes)])

    def numpy(self, name: str) -> NDArray[Any]:
        """Return a column as a NumPy array; strings as objects, missing numbers as NaN."""
        return np.asarray(self.table[name].combine_chunks().to_numpy(zero_copy_only=False))

    def flags(self, name: str, values: Sequence[str]) -> Mask:
        """Return where a string column holds one of the values."""
        column, wanted = self.table[name].combine_chunks(), pa.array(list(values), pa.string())
        if pa.types.is_dictionary(column.type):
            codes = np.flatnonzero(pc.is_in(column.dictionary, wanted).to_numpy(zero_copy_only=False))
            return np.isin(column.indices.to_numpy(zero_copy_only=False), codes)
        return np.asarray(pc.is_in(column, wanted).to_numpy(zero_copy_only=False))

    def is_among(self, name: str, other: Frame, named: str = "") -> Mask:
        """Return where a string column holds what a column (of the same name) of another frame holds, too."""
        columns = (frame.table[column] for frame, column in ((self, name), (other, named or name)))
        mine, theirs = (column.cast(pa.string()).combine_chunks() for column in columns)
        found = pc.is_in(mine, theirs, skip_nulls=True)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)

    def values(self, name: str) -> list[str]:
        """Return the different values of a string column, sorted, without nulls."""
        column = self.table[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary.take(pc.drop_null(pc.unique(column.indices)))
        return sorted(value for value in pc.unique(column).to_pylist() if value is not None)

    def take(self, which: Mask | Indices) -> Frame:
        """Return the rows of a mask or of indices, in that order."""
        rows = np.asarray(np.flatnonzero(which) if which.dtype == np.bool_ else which, dtype=np.intp)
        if isinstance(self.shapes, Undecoded):
            return Frame(self.table.take(rows), self.shapes.take(rows))
        return Frame(self.table.take(rows), self.shapes[rows])

    def sorted_by(self, *names: str) -> Frame:
        """Return the rows in ascending order of the named columns, the first one first."""
        keys = pa.table({name: self.table[name] for name in names})
        order = pc.sort_indices(keys, [(name, "ascending") for name in names])
        return self.take(order.to_numpy())

    def with_geometry(self, geometry: Geometries) -> Frame:
        """Return the same rows with other geometries."""
        return Frame(self.table, geometry)

    def with_columns(self, columns: Mapping[str, Any]) -> Frame:
        """Return the same rows with columns replaced, each cast to its type in the table."""
        kinds = self.table.schema
        cast = {
            name: _as_array(values, kinds.field(name).type, len(self)) for name, values in columns.items()
        }
        own = {
            name: column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
            for name, column in cast.items()
        }
        return Frame(self.table.replacing(own), self.shapes)


def make_frame(schema: pa.Schema, columns: Mapping[str, Any], geometry: Geometries | Undecoded) -> Frame:
    """Build a frame; columns that are not given are null, a single value is repeated.

    Raises
    ------
    SchemaError
        When a column is not in the schema.
    """
    unknown = sorted(set(columns) - set(schema.names))
    if unknown:
        raise SchemaError(f"columns {', '.join(unknown)} do not belong to this frame")
    size = len(geometry)
    arrays = [_as_array(columns.get(item.name), item.type, size) for item in schema]
    return Frame.of(pa.table(arrays, schema=schema), geometry)


@lru_cache(maxsize=32)
def empty_frame(schema: pa.Schema) -> Frame:
    """Return a frame of this schema without rows."""
    return Frame.of(schema.empty_table(), np.empty(0, dtype=object))


def concat(frames: Sequence[Frame]) -> Frame:
    """Join frames of one schema, in order."""
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    if len(frames) == 1:
        return frames[0]
    table = joined_rows([frame.table for frame in frames])
    undecoded = [frame.shapes for frame in frames if isinstance(frame.shapes, Undecoded)]
    if len(undecoded) == len(frames):
        return Frame(table, joined_shapes(undecoded))
    return Frame(table, np.concatenate([frame.geometry for frame in frames]))


def check(frame: Frame, schema: pa.Schema, name: str) -> None:
    """Raise one SchemaError that lists every column that is missing, foreign or of the wrong type."""
    have, want = frame.table.schema, schema
    faults = [f"{item.name} is missing" for item in want if item.name not in have.names]
    faults += [f"{item.name} is foreign" for item in have if item.name not in want.names]
    faults += [
        f"{item.name} is {have.field(item.name).type}, not {item.type}"
        for item in want
        if item.name in have.names and have.field(item.name).type != item.type
    ]
    if faults:
        raise SchemaError("; ".join(faults), name)


def origin(frame: Frame) -> dict[str, pa.ChunkedArray]:
    """Return the columns that say where each record of a FEATURES frame came from."""
    return {name: frame.table[name] for name, _ in ORIGIN}


def identity(frame: Frame) -> dict[str, pa.ChunkedArray]:
    """Return the columns that say who each record of a FEATURES frame is, over deliveries."""
    return {name: frame.table[name] for name in IDENTITY}


def no_geometry(size: int) -> Geometries:
    """Return an array of `size` missing geometries."""
    return np.full(size, None, dtype=object)


def boxes_of(areas: Frame) -> NDArray[np.float64]:
    """Return the boxes (west, south, east, north) of FEATURES in their CRS, decoding them only if need be."""
    if any(areas.table[name].null_count for name in BOX):
        return np.asarray(shapely.bounds(areas.geometry))
    return np.column_stack([areas.numpy(name) for name in BOX])


def measures_of(geometry: Geometries) -> dict[str, NDArray[Any]]:
    """Return the columns of FEATURES that follow from polygons in the working CRS alone (m, m2)."""
    return {
        "area_m2": shapely.area(geometry),
        **dict(zip(BOX, shapely.bounds(geometry).T, strict=True)),
        "perimeter_m": shapely.length(geometry),
        "point_count": shapely.get_num_coordinates(geometry),
    }


def to_wkb(geometry: Geometries) -> pa.Array:
    """Return geometries as little-endian ISO WKB, null where there is none."""
    return pa.array(shapely.to_wkb(geometry, flavor="iso", byte_order=1), pa.large_binary())


def from_wkb(column: Any) -> Geometries:
    """Return the geometries of a WKB column that geopipe wrote itself."""
    return np.asarray(shapely.from_wkb(column.to_numpy(zero_copy_only=False)), dtype=object)


def _as_array(values: Any, kind: pa.DataType, size: int) -> pa.Array | pa.ChunkedArray:
    """Turn a column, or one value for all rows, into Arrow of the wanted type."""
    if pa.types.is_dictionary(kind) and isinstance(values, str):
        codes = pa.array(np.zeros(size), kind.index_type)
        return pa.DictionaryArray.from_arrays(codes, pa.array([values], kind.value_type))
    if values is None or isinstance(values, str | float | int | bool):
        return pa.repeat(pa.scalar(values, kind), size)
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values if values.type == kind else values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return pa.array(values, kind, from_pandas=True)  # NaN means unknown
    return pa.array(values, kind)
