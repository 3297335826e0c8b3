"""Pairs that an earlier run has measured: found again by the polygons, whatever their records are called."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.arrowfile import read_arrow_file
from geopipe.codestamp import code_stamp
from geopipe.engine.arrow import COLUMNS, measured_of, table_of
from geopipe.engine.measure import Measured, joined
from geopipe.schema import Geometries, Indices, Mask

_KEY = pa.binary(32)
_MADE_BY = b"geopipe_made_by"
_OLD, _NEW = ".arrow", ".new"


class KnownPairs:
    """What the last run in a workspace has measured; candidates that share no ground are known, too.

    Parameters
    ----------
    folder : Path
        Of Arrow files. One that was made by other code, other libraries or other rules counts as none, and
        so does a damaged one.
    rules : str
        What the figures depend on beside the polygons.
    """

    def __init__(self, folder: Path, rules: str) -> None:
        self.folder = folder
        self._made_by = blake2b(f"{code_stamp()} {rules}".encode()).hexdigest().encode()
        files = tuple(sorted(folder.glob(f"*{_OLD}")))
        self._table = _read(files, self._made_by)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def find(self, keys: pa.Array) -> Indices:
        """Return where each pair stands in what is known, -1 for those that are not."""
        at = pc.index_in(keys, pa.chunked_array(self._table["key"]).combine_chunks())
        return np.asarray(pc.fill_null(at, -1).to_numpy(zero_copy_only=False), dtype=np.intp)

    def take(self, at: Indices, left: Indices, right: Indices) -> Measured:
        """Return known pairs under the row numbers that their areas have now."""
        rows = self._table.take(pa.array(at))
        shared = pc.is_valid(rows["geometry"]).to_numpy().astype(bool)
        return measured_of(rows.filter(pa.array(shared)), left[shared], right[shared])

    def keep(self, keys: pa.Array, left: Indices, right: Indices, measured: Measured) -> None:
        """Write down all candidates `left`, `right` of this run; :func:`renew` puts them in place of the old.

        A folder that cannot be written costs time in the next run, nothing else.
        """
        order = np.lexsort((right, left))
        table = table_of(_spread(left[order], right[order], measured.in_order()))
        table = table.add_column(0, pa.field("key", _KEY), keys.take(pa.array(order)))
        table = table.replace_schema_metadata({_MADE_BY: self._made_by})
        name = blake2b(b"".join(map(bytes, keys.buffers()[1:])), digest_size=16).hexdigest()
        building = self.folder / f".{name}"
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with pa.OSFile(str(building), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
            building.replace(self.folder / f"{_checksum(building)}-{name}{_NEW}")


def _checksum(path: Path) -> str:
    """Return what a file's name begins with: one bit that flips on the disk would change an overlap."""
    return f"{crc32(path.read_bytes()):08x}"


def renew(folder: Path) -> None:
    """Put the pairs that a run has kept in place of those of the run before."""
    new = list(folder.glob(f"*{_NEW}"))
    with contextlib.suppress(OSError):
        for path in [*folder.glob(f"*{_OLD}"), *folder.glob(".*")] if new else ():
            path.unlink()
        for path in new:
            path.rename(path.with_suffix(_OLD))


@lru_cache(maxsize=1)
def _read(files: tuple[Path, ...], made_by: bytes) -> pa.Table:
    """Return the pairs of some files; once in a process, however many parts of a run ask."""
    none = pa.schema([("key", _KEY), *COLUMNS]).empty_table()
    read = [table for path in files if (table := _table_of(path, made_by)) is not None]
    table = pa.concat_tables([none, *read]).unify_dictionaries()
    return table.set_column(0, table.schema.field(0), table["key"].combine_chunks())


def _table_of(path: Path, made_by: bytes) -> pa.Table | None:
    """Return the pairs of one file; None where it is damaged, or made by something else."""
    try:
        if _checksum(path) != path.stem.partition("-")[0]:
            return None
        table = read_arrow_file(path)
    except (OSError, pa.ArrowInvalid):
        return None
    told = (table.schema.metadata or {}).get(_MADE_BY)
    return table.replace_schema_metadata() if told == made_by else None


def pair_keys(geometry: Geometries, left: Indices, right: Indices) -> pa.Array:
    """Return 32 bytes for each pair, equal exactly when both polygons are, bit by bit and in this order."""
    used = np.unique(np.concatenate([left, right]))
    ground = np.zeros((len(geometry), 16), dtype=np.uint8)
    digests = b"".join(blake2b(wkb, digest_size=16).digest() for wkb in shapely.to_wkb(geometry[used]))
    ground[used] = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16)
    both: NDArray[np.uint8] = np.hstack([ground[left], ground[right]])
    return pa.FixedSizeBinaryArray.from_buffers(_KEY, len(left), [None, pa.py_buffer(both.tobytes())])


def _spread(left: Indices, right: Indices, measured: Measured) -> Measured:
    """Return a row for each candidate; those that share no ground have no geometry."""
    wide = max(int(right.max(initial=0)), int(left.max(initial=0))) + 1
    # Both are sorted by left and right: what was measured is found by its place among the candidates.
    at = np.searchsorted(left * wide + right, measured.left * wide + measured.right)
    blank = np.zeros(len(left))
    whole = Measured(left, right, np.full(len(left), None, dtype=object), blank, blank.copy(), blank.copy(),
                     np.full(len(left), "", dtype=object))  # fmt: skip
    for name in ("geometry", "area_m2", "perimeter_m", "width_m", "confidence"):
        getattr(whole, name)[at] = getattr(measured, name)
    return whole


class Known:
    """The candidates of one run, held against what is known.

    Parameters
    ----------
    store : KnownPairs
    keys : array
        As :func:`pair_keys` returns them for `left`, `right`.
    left, right : arrays of row numbers
    """

    def __init__(self, store: KnownPairs, keys: pa.Array, left: Indices, right: Indices) -> None:
        self._store, self._keys, self._left, self._right = store, keys, left, right
        self._at = store.find(keys)

    @property
    def is_new(self) -> Mask:
        """Which pairs must be measured."""
        return self._at < 0

    def complete(self, measured: Measured) -> Measured:
        """Add the known pairs to those that were measured now, and keep all of them for the next run."""
        old = ~self.is_new
        whole = joined([self._store.take(self._at[old], self._left[old], self._right[old]), measured])
        self._store.keep(self._keys, self._left, self._right, whole)
        return whole
