"""What a reader hands on: one delivered file, its layers, and what was wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from geopipe.io.memory import default_limit
from geopipe.limits import Limits
from geopipe.terms import CountMethod

ROW = "row"
GEOMETRY = "geometry"
GEOMETRY_PROBLEM = "geometry_problem"


@dataclass(frozen=True)
class Problem:
    """One fact about a file that a person must hear.

    Parameters
    ----------
    code : str
        Stable word in capitals, e.g. ``FILE_TRUNCATED``.
    sentence : str
        One clear English sentence that names the file or layer and the remedy.
    """

    code: str
    sentence: str


@dataclass(frozen=True)
class ReadLimits:
    """How much a single file may cost before it is refused.

    Parameters
    ----------
    seconds : float
        Time for one file, whatever its size; its reader process is ended after that.
    seconds_at_least, seconds_per_mb : float
        Time for a small file, and for each megabyte (1e6 bytes) beside that.
    members : int
        Files inside one archive.
    unpacked_bytes : int
        Size of one archive after unpacking.
    ratio : int
        Unpacked size divided by packed size, looked at above `ratio_from_bytes`.
    ratio_from_bytes : int
        Archives that unpack to less than this are never refused for their ratio.
    tolerant_bytes : int
        Largest text that is parsed as a whole when the fast reader gave up.
    file_bytes : int
        Largest file, its companions included, that is opened at all.
    layers : int
        Layers inside one file.
    points : int
        Turning points of one record.
    memory_bytes : int or None
        Memory of the reader process; None where the system's own limit is enough.
    """

    seconds: float = 1800.0
    seconds_at_least: float = 120.0
    seconds_per_mb: float = 20.0
    members: int = 2000
    unpacked_bytes: int = 8 << 30
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20
    tolerant_bytes: int = 512 << 20
    file_bytes: int = 16 << 30
    layers: int = 1000
    memory_bytes: int | None = None
    points: int = 1_000_000

    @classmethod
    def of(cls, limits: Limits) -> ReadLimits:
        """Return the limits that a configuration says."""
        return cls(
            seconds=limits.seconds,
            seconds_at_least=limits.seconds_at_least,
            seconds_per_mb=limits.seconds_per_mb,
            members=limits.archive_members,
            unpacked_bytes=limits.archive_mb * 1_000_000,
            ratio=limits.archive_ratio,
            file_bytes=limits.file_mb * 1_000_000,
            layers=limits.layers,
            points=limits.points,
            memory_bytes=limits.memory_mb * 1_000_000 if limits.memory_mb else default_limit(),
        )


# What is_possible takes for possible: few records of a byte each, more of several.
_FEW, _BYTES_OF_A_RECORD, _MOST_IN_A_FOLDER = 1_000_000, 16, 50_000_000
# Code of the one problem that is not the file's: the temporary folder cannot hold what was read.
NO_ROOM = "NO_ROOM"


def no_records() -> pa.Table:
    """Return the table of a layer without readable records."""
    return pa.table({ROW: pa.array([], pa.int64()), GEOMETRY: pa.array([], pa.binary())})


@dataclass(frozen=True)
class RawLayer:
    """One layer as delivered: nothing repaired, nothing lost.

    Parameters
    ----------
    name : str
        Name of the layer for people.
    crs_wkt : str or None
        The stated coordinate reference system as WKT; None when none is stated.
    crs_name : str
        Short name for people such as ``EPSG:32648``; empty when none is stated.
    geometry_type : str
        Geometry type as the file declares it, e.g. ``Polygon Z`` or ``Unknown``.
    table : pyarrow.Table
        ``row`` (int64, 1-based record number in the source), ``geometry`` (WKB as delivered, null
        where there is none), every source column, and ``geometry_problem`` where a row had trouble.
    records_counted : int or None
        Records counted without the reader; None when that is not possible.
    count_method : CountMethod
        How far that count can be trusted.
    notes : tuple of Problem
        Facts worth telling that do not stop the layer.
    problem : Problem or None
        Why the layer is quarantined; its table then has no rows.
    """

    name: str
    crs_wkt: str | None = None
    crs_name: str = ""
    geometry_type: str = "Unknown"
    table: pa.Table = field(default_factory=no_records)
    records_counted: int | None = None
    count_method: CountMethod = CountMethod.NONE
    notes: tuple[Problem, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True)
class RawDelivery:
    """One delivered file with all its layers.

    Parameters
    ----------
    path : Path
        The file as the user gave it, or as it was found inside a given folder.
    driver : str
        Name of the reader; empty when no reader fits.
    content_hash : str
        SHA-256 over the bytes of the file and its companions; empty when unreadable.
    layers : tuple of RawLayer
        The layers, in the order of the file.
    problem : Problem or None
        Why the whole file is unusable; there are no layers then.
    records_counted : int or None
        Records of the whole file where `problem` is set and counting still worked.
    count_method : CountMethod
        How far that count can be trusted.
    files_beside : tuple of str or None
        Names of documents that came with the file; None where nobody looked.
    """

    path: Path
    driver: str = ""
    content_hash: str = ""
    layers: tuple[RawLayer, ...] = ()
    problem: Problem | None = None
    records_counted: int | None = None
    count_method: CountMethod = CountMethod.NONE
    files_beside: tuple[str, ...] | None = None


class RefusedError(Exception):
    """A file cannot be read; carries the problem and what could still be counted."""

    def __init__(
        self, problem: Problem, counted: int | None = None, method: CountMethod = CountMethod.NONE
    ) -> None:
        super().__init__(problem, counted, method)
        self.problem = problem
        self.counted = counted
        self.method = method if counted is not None else CountMethod.NONE


def refused_layer(name: str, refusal: RefusedError) -> RawLayer:
    """Return the quarantined layer that stands for a refused file inside another one."""
    return RawLayer(
        name=name,
        records_counted=refusal.counted,
        count_method=refusal.method,
        problem=refusal.problem,
    )


def judged(layer: RawLayer, label: str) -> RawLayer:
    """Quarantine the layer where the reader and the independent count disagree."""
    read, counted = layer.table.num_rows, layer.records_counted
    if layer.problem is not None or counted is None or counted == read:
        return layer
    problem = Problem(
        "COUNT_MISMATCH",
        f"{label}: {read:,} records can be read, but the file holds {counted:,}. "
        "Nothing of this layer is used. Ask for a new copy.",
    )
    return replace(layer, table=no_records(), problem=problem)


def is_possible(counted: int | None, path: Path) -> bool:
    """Say whether a file can hold so many records: a false header must not bring billions of lost ones."""
    if counted is None or path.is_dir():
        return counted is None or counted <= _MOST_IN_A_FOLDER
    least = 1 if counted <= _FEW else _BYTES_OF_A_RECORD
    return counted * least <= path.stat().st_size


def believed(layer: RawLayer, path: Path) -> RawLayer:
    """Return a layer that cannot be used without a count that the file is too small for."""
    if layer.problem is None or is_possible(layer.records_counted, path):
        return layer
    return replace(layer, records_counted=None, count_method=CountMethod.NONE)
