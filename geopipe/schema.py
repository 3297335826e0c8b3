"""Frames that flow between stages: their columns, and the state that carries them.

A frame is an Arrow table and an array of geometries of the same length. Stages
pass frames on and never change one in place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.errors import SchemaError
from geopipe.picked import Picked, joined_rows
from geopipe.shapes import Undecoded, joined_shapes
from geopipe.terms import CountMethod

Geometries: TypeAlias = NDArray[np.object_]
Mask: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.intp]

# Where a record came from: the first columns of every frame that names records.
_ORIGIN = [
    ("file", pa.string()),
    ("layer", pa.string()),
    ("row", pa.int64()),
    ("operator", pa.string()),
    ("kind", pa.string()),
    ("source_id", pa.string()),
]
# FEATURES and REFERENCE. Areas in m2, lengths in m; `source_geometry` is WKB as
# delivered (Z and M kept) in `source_crs`; `geometry` is in `crs` (delivered
# coordinates, perhaps corrected), from `reproject` on in the working CRS. `correction`
# says what a person has confirmed about the coordinates. `province_code` (P-code),
# `province_located` and `district_located` are where the record lies. `shape_key` (from `check` on) is equal
# for shapes that may be equal, wherever they lie; null where equal shapes mean nothing.
BOX = ("box_west_m", "box_south_m", "box_east_m", "box_north_m")
FEATURES = pa.schema(
    [
        ("row_id", pa.string()),
        ("record_id", pa.string()),
        ("version_id", pa.string()),
        ("geometry_hash", pa.string()),
        ("shape_key", pa.int64()),
        *_ORIGIN,
        ("id_is_delivered", pa.bool_()),
        ("guid", pa.string()),
        ("role", pa.string()),
        ("register", pa.string()),
        ("status", pa.string()),
        ("device_category", pa.string()),
        ("method", pa.string()),
        ("date_started", pa.date32()),
        ("date_surveyed", pa.date32()),
        ("date_completed", pa.date32()),
        ("date_of_information", pa.date32()),
        ("land_use", pa.string()),
        ("clearance_depth_cm", pa.float64()),
        ("found_depth_cm", pa.float64()),
        ("attachments", pa.string()),
        ("province_stated", pa.string()),
        ("district_stated", pa.string()),
        ("village_stated", pa.string()),
        ("province_code", pa.string()),
        ("province_located", pa.string()),
        ("district_located", pa.string()),
        ("area_stated_m2", pa.float64()),
        ("area_m2", pa.float64()),
        ("edge_uncertainty_m2", pa.float64()),
        ("point_type", pa.string()),
        ("date_found", pa.date32()),
        ("geometry_problem", pa.string()),
        ("closure_error_m", pa.float64()),
        # The box of the polygon in the working CRS, and what else tells shapes apart without decoding them.
        *[(name, pa.float64()) for name in BOX],
        ("perimeter_m", pa.float64()),
        ("point_count", pa.int64()),
        ("points_note", pa.string()),
        ("attributes", pa.string()),
        ("source_geometry", pa.large_binary()),
        # A custom CRS is a WKT of a kilobyte: written once, not in every row.
        ("source_crs", pa.dictionary(pa.int32(), pa.string())),
        # The CRS in which the coordinates are read: the stated one unless a person confirmed another.
        ("crs", pa.dictionary(pa.int32(), pa.string())),
        ("correction", pa.string()),
    ]
)
# `measure` is a figure that belongs to the finding, its unit in `unit`.
FINDINGS = pa.schema(
    [
        ("code", pa.string()),
        ("severity", pa.string()),
        *_ORIGIN,
        ("record_id", pa.string()),
        ("other_id", pa.string()),
        ("sentence", pa.string()),
        ("measure", pa.float64()),
        ("unit", pa.string()),
    ]
)
REJECTED = pa.schema([*_ORIGIN, ("reason", pa.string()), ("sentence", pa.string())])
# `position` says how the outline was placed when its coordinates could not be taken as they stand.
UNRESOLVED = pa.schema(
    [*_ORIGIN, ("reason", pa.string()), ("sentence", pa.string()), ("position", pa.string())]
)
# `how` is equal, near_equal, same_content or older_version; `measure` is the common ground's share (IoU).
DUPLICATES = pa.schema(
    [
        *_ORIGIN,
        ("outcome", pa.string()),
        ("record_id", pa.string()),
        ("row_id", pa.string()),
        ("of_record_id", pa.string()),
        ("of_row_id", pa.string()),
        ("how", pa.string()),
        ("iou", pa.float64()),
        ("uncovered_m2", pa.float64()),
        ("sentence", pa.string()),
    ]
)
OVERLAPS = pa.schema(
    [
        *[(f"{side}_{name}", kind) for name, kind in (
            ("id", pa.string()), ("operator", pa.string()), ("kind", pa.string()),
            ("row_id", pa.string()), ("geometry_hash", pa.string()), ("date", pa.date32()),
            ("province", pa.string()),
        ) for side in ("left", "right")],
        ("same_operator", pa.bool_()),
        ("relation", pa.string()),
        ("finding", pa.string()),
        ("severity", pa.string()),
        ("counted", pa.bool_()),
        ("time_order", pa.string()),
        ("area_m2", pa.float64()),
        ("left_share", pa.float64()),
        ("right_share", pa.float64()),
        ("width_m", pa.float64()),
        ("mean_width_m", pa.float64()),
        ("parts", pa.int64()),
        ("edge_uncertainty_m2", pa.float64()),
        ("confidence", pa.string()),
        ("group_id", pa.string()),
    ]
)  # fmt: skip
# What releases have left of a hazard area; `geometry` is that ground. `releases` certainly followed its
# survey; those in doubt (order not known, or contested) leave their ground to the hazard.
REMAINING = pa.schema(
    [
        ("hazard_id", pa.string()),
        ("hazard_row_id", pa.string()),
        ("operator", pa.string()),
        ("kind", pa.string()),
        ("status", pa.string()),
        ("date_surveyed", pa.date32()),
        ("province", pa.string()),
        ("area_m2", pa.float64()),
        ("released_m2", pa.float64()),
        ("released_share", pa.float64()),
        ("remaining_m2", pa.float64()),
        ("parts", pa.int64()),
        ("releases", pa.int64()),
        ("releases_in_doubt", pa.int64()),
        ("confidence", pa.string()),
    ]
)
# Narrow strips between released land. Hazard columns are null outside every hazard area; `neighbours` are
# the releases along the strip; `time_order` is that of the hazard's survey and these releases.
GAPS = pa.schema(
    [
        ("hazard_id", pa.string()),
        ("hazard_row_id", pa.string()),
        ("operator", pa.string()),
        ("kind", pa.string()),
        ("status", pa.string()),
        ("province", pa.string()),
        ("width_m", pa.float64()),
        ("mean_width_m", pa.float64()),
        ("length_m", pa.float64()),
        ("area_m2", pa.float64()),
        ("neighbours", pa.string()),
        ("neighbour_operators", pa.string()),
        ("neighbour_count", pa.int64()),
        ("time_order", pa.string()),
    ]
)
# Ground by class and by how many records claim it: `claims` = k, `ground_m2` = area claimed exactly k times.
# `rest_m2` is what rounding took from the sum: parts of a country add up to the same as the whole.
COVERAGE = pa.schema(
    [("ground", pa.string()), ("claims", pa.int64()), ("ground_m2", pa.float64()), ("rest_m2", pa.float64())]
)

# What a delivery changed against the ones before. `geometry` is the ground that was given up or taken in,
# else the record's polygon.
CHANGES = pa.schema(
    [
        ("change", pa.string()),
        ("operator", pa.string()),
        ("register", pa.string()),
        ("role", pa.string()),
        ("kind", pa.string()),
        ("previous_id", pa.string()),
        ("current_id", pa.string()),
        ("attributes_changed", pa.string()),
        ("lost_m2", pa.float64()),
        ("gained_m2", pa.float64()),
        ("sentence", pa.string()),
    ]
)
# `outcome` is same, differs, not_in_imsma or not_delivered; `set_aside` says that the national copy stands
# no longer among the areas. `geometry` is the ground on which the copies differ, else the record's polygon.
COPIES = pa.schema(
    [
        ("outcome", pa.string()),
        ("matched_by", pa.string()),
        ("set_aside", pa.bool_()),
        ("operator", pa.string()),
        ("register", pa.string()),
        ("kind", pa.string()),
        ("operator_row_id", pa.string()),
        ("operator_id", pa.string()),
        ("national_row_id", pa.string()),
        ("national_id", pa.string()),
        ("differences", pa.string()),
        ("difference_m2", pa.float64()),
    ]
)
# Overlap cases of a register; A and B as they were when the case was opened. `geometry` is the overlap as it
# was last seen; `present` says if it is in the data now.
CASES = pa.schema(
    [
        ("case_id", pa.string()),
        ("number", pa.string()),
        ("status", pa.string()),
        ("present", pa.bool_()),
        ("first_seen", pa.date32()),
        ("last_seen", pa.date32()),
        *[(f"{side}_{name}", kind) for side in ("a", "b") for name, kind in (
            ("id", pa.string()), ("operator", pa.string()), ("kind", pa.string()), ("status", pa.string()),
            ("date", pa.date32()), ("share", pa.float64()),
        )],
        ("province", pa.string()),
        ("district", pa.string()),
        ("relation", pa.string()),
        ("finding", pa.string()),
        ("severity", pa.string()),
        ("counted", pa.bool_()),
        ("time_order", pa.string()),
        ("area_m2", pa.float64()),
        ("width_m", pa.float64()),
        ("mean_width_m", pa.float64()),
        ("parts", pa.int64()),
        ("confidence", pa.string()),
        ("decision", pa.string()),
        ("decision_confirmed", pa.bool_()),
        ("reference", pa.string()),
        ("responsible", pa.string()),
        ("due", pa.date32()),
    ]
)  # fmt: skip
# Ground that a version of a hazard record may give up because people have decided so; `reason` says where.
# `stays_hazard`: those who decided relied on another hazard record that covers this ground.
GIVEN_UP = pa.schema([("version_id", pa.string()), ("reason", pa.string()), ("stays_hazard", pa.bool_())])


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


def make_frame(schema: pa.Schema, columns: Mapping[str, Any], geometry: Geometries) -> Frame:
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
    return {name: frame.table[name] for name, _ in _ORIGIN}


def no_geometry(size: int) -> Geometries:
    """Return an array of `size` missing geometries."""
    return np.full(size, None, dtype=object)


def boxes_of(areas: Frame) -> NDArray[np.float64]:
    """Return the boxes (west, south, east, north) of FEATURES in their CRS, decoding them only if need be."""
    if any(areas.table[name].null_count for name in BOX):
        return np.asarray(shapely.bounds(areas.geometry))
    return np.column_stack([areas.numpy(name) for name in BOX])


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


@dataclass(frozen=True)
class LayerCount:
    """How many records one layer of a delivery holds, and how well that was checked."""

    layer: str
    crs: str
    records: int
    counted: int | None
    count_method: CountMethod


@dataclass(frozen=True)
class Proposal:
    """Another way to read the coordinates of a layer, with its evidence; applied only when confirmed.

    `rows` are record numbers; None means the whole layer. `correction` is empty where nothing can be
    proposed because several readings fit equally well.
    """

    layer: str
    code: str
    correction: str
    records: int
    sentence: str
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Delivery:
    """One delivered file as it was read.

    `problems` holds (code, sentence) for everything for which the file, or a
    layer of it, was not compared; `suggestion` is the option that would help,
    if geopipe knows one; `operations` are the coordinate operations used;
    `is_reference` says that points or lines are meant, so that no polygon is missed;
    `operator` is empty where a file holds records of several; a `mode` of snapshot says that
    the file is a whole register. `files_beside` are the names of documents and pictures that
    came with it, None where nobody looked.
    """

    file: str
    content_hash: str
    driver: str
    layers: tuple[LayerCount, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    assumptions: tuple[str, ...] = ()
    operations: tuple[dict[str, Any], ...] = ()
    suggestion: str = ""
    proposals: tuple[Proposal, ...] = ()
    is_reference: bool = False
    operator: str = ""
    role: str = "operator"
    mode: str = "increment"
    period: str = ""
    files_beside: tuple[str, ...] | None = None

    @property
    def records_in(self) -> int:
        """Records that this delivery holds: those read, or counted where none could be read."""
        return sum(layer.records for layer in self.layers)


@dataclass(frozen=True)
class State:
    """Everything that the stages have made so far.

    `previous` and `carried_before` are what earlier deliveries left in force, until the stage `changes` has
    held the run against them; `earlier` are the records of earlier deliveries that stay on the map: they
    are among `features`, but are no input records of this run. Those that vanished, shrank or were returned
    are `carried`: their alarms go on in the next run, unless it was decided that their ground is given up
    (`given_up`).
    """

    deliveries: tuple[Delivery, ...] = ()
    features: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    reference: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    rejected: Frame = field(default_factory=lambda: empty_frame(REJECTED))
    unresolved: Frame = field(default_factory=lambda: empty_frame(UNRESOLVED))
    findings: Frame = field(default_factory=lambda: empty_frame(FINDINGS))
    duplicates: Frame = field(default_factory=lambda: empty_frame(DUPLICATES))
    overlaps: Frame = field(default_factory=lambda: empty_frame(OVERLAPS))
    coverage: Frame = field(default_factory=lambda: empty_frame(COVERAGE))
    gaps: Frame = field(default_factory=lambda: empty_frame(GAPS))
    remaining: Frame = field(default_factory=lambda: empty_frame(REMAINING))
    previous: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    carried_before: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    earlier: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    carried: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    changes: Frame = field(default_factory=lambda: empty_frame(CHANGES))
    copies: Frame = field(default_factory=lambda: empty_frame(COPIES))
    given_up: Frame = field(default_factory=lambda: empty_frame(GIVEN_UP))
    today: dt.date | None = None
    """The day of the run; None where nobody said it."""
    working_crs: str = ""

    @property
    def own_features(self) -> Frame:
        """The areas that are input records of this run."""
        if len(self.earlier) == 0:
            return self.features
        return self.features.take(~self.features.flags("row_id", self.earlier.values("row_id")))

    def forget(self) -> None:
        """Give back the memory of what the last stage has looked at and the next one may not need."""
        for frame in (self.features, self.reference, self.findings, self.overlaps):
            frame.table.forget()
        pa.default_memory_pool().release_unused()

    def adding(self, **frames: Sequence[Frame]) -> State:
        """Return a state with more rows appended to the named frames."""
        changes: dict[str, Any] = {
            name: concat([frame for frame in (getattr(self, name), *more) if len(frame)] or more[:1])
            for name, more in frames.items()
            if more
        }
        return replace(self, **changes)


def joined(parts: Sequence[State]) -> State:
    """Return one state with the deliveries and the rows of several, in order, all in one working CRS.

    Raises
    ------
    SchemaError
        When the parts are in different working CRSs.
    """
    systems = {part.working_crs for part in parts}
    if len(systems) > 1:
        raise SchemaError(f"states in {len(systems)} working CRSs cannot be joined")
    whole = State(deliveries=tuple(item for part in parts for item in part.deliveries))
    frames = {
        item.name: [getattr(part, item.name) for part in parts]
        for item in fields(State)
        if isinstance(getattr(whole, item.name), Frame)
    }
    filled = {name: [frame for frame in rows if len(frame)] for name, rows in frames.items()}
    return replace(whole.adding(**filled), working_crs=next(iter(systems), ""))


def findings_about(
    records: Frame,
    code: Any,
    severity: Any,
    sentence: Any,
    *,
    geometry: Geometries | None = None,
    **more: Any,
) -> Frame:
    """Return one finding per record; `sentence` and `more` are columns or one value for all."""
    columns = {**origin(records), "record_id": records.table["record_id"], "code": code}
    shown = records.geometry if geometry is None else geometry
    return make_frame(FINDINGS, {**columns, "severity": severity, "sentence": sentence, **more}, shown)


def rejected_of(records: Frame, reason: Any, sentence: Any) -> Frame:
    """Return the REJECTED rows of records; `reason` and `sentence` are columns or one value for all."""
    columns = {**origin(records), "reason": reason, "sentence": sentence}
    return make_frame(REJECTED, columns, no_geometry(len(records)))
