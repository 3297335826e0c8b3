"""Read a shapefile: three files that belong together, with text whose encoding nobody wrote down."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io import drivers
from geopipe.io.crsnames import require_no_files
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.frames import assemble, recoded
from geopipe.io.job import Job, reason_of
from geopipe.terms import CountMethod

SUFFIXES = (".shp", ".shx", ".dbf", ".prj", ".cpg")
# Language numbers in the .dbf header that say nothing: none, and "whatever this computer uses".
VAGUE_LANGUAGES = (0x00, 0x57)
# No cell of a .dbf holds more bytes of text. A Lao letter takes three, so a cut cell has 252 to 254, and some
# software makes the column as narrow as its longest cell.
LONGEST_TEXT = 254


@dataclass(frozen=True)
class Dbf:
    """What the header and the records of a .dbf say; `full` counts cells without room for another letter."""

    records: int
    deleted: np.ndarray[Any, np.dtype[np.bool_]]
    language: int
    names: bytes
    text: list[bytes]
    full: int = 0


def companions(path: Path) -> dict[str, Path]:
    """Return the files of a shapefile by lower-case suffix, whatever the case of their names."""
    own, stem = {".shp": path}, path.stem.lower()
    # Sorting and splitting paths takes time: the folder can hold thousands of files.
    alike = [other for other in path.parent.iterdir() if other.name.rpartition(".")[0].lower() == stem]
    for other in sorted(alike):
        suffix = other.suffix.lower()
        if suffix in SUFFIXES and suffix not in own:
            own[suffix] = other
    return own


def read_shapefile(job: Job) -> list[RawLayer]:
    """Return the one layer of a shapefile."""
    files = companions(job.path)
    require_no_files(files.get(".prj", job.path), job.label)
    dbf = read_dbf(files[".dbf"], job.label) if ".dbf" in files else None
    if ".shx" not in files:
        kept = int((~dbf.deleted).sum()) if dbf else None
        sentence = f"{job.label}: the .shx file is missing. Ask for all files of the shapefile."
        raise RefusedError(Problem("FILE_INCOMPLETE", sentence), kept, CountMethod.EXACT)
    index = read_index(files[".shx"], job.label, dbf)
    if dbf is not None and dbf.records != len(index):
        sentence = (
            f"{job.label}: the .shx file has {len(index):,} shapes but the .dbf file {dbf.records:,} rows, "
            "so shapes and attributes cannot be matched. Ask for a new copy."
        )
        raise RefusedError(
            Problem("COUNT_MISMATCH", sentence), max(len(index), dbf.records), CountMethod.EXACT
        )
    notes = [] if dbf else [_no_attributes(job)]
    read = _read(job, files, dbf, notes)
    return [_layer(job, read, index, dbf, notes)]


def _no_attributes(job: Job) -> Problem:
    sentence = f"{job.label}: the .dbf file is missing: shapes are read, but no ids, dates or kinds."
    return Problem("FILE_INCOMPLETE", f"{sentence} Ask for all files of the shapefile.")


def _layer(
    job: Job,
    read: tuple[dict[str, Any], pa.Table],
    index: np.ndarray[Any, Any],
    dbf: Dbf | None,
    notes: list[Problem],
) -> RawLayer:
    """Return the layer with its record numbers and what could not be read in each record."""
    meta, table = read
    rows = pc.add(table.column(0).combine_chunks().cast(pa.int64()), 1)
    geometry = table.column(table.num_columns - 1)
    columns = table.select(range(1, table.num_columns - 1))
    trouble = _trouble(job.path, index, rows, geometry)
    lost = sum(reason is not None for reason in trouble)
    if lost:
        sentence = f"{job.label}: the .shp file is cut or damaged: {lost:,} shapes cannot be read."
        notes.append(Problem("FILE_TRUNCATED", f"{sentence} Ask for a new copy."))
    deleted = int(dbf.deleted.sum()) if dbf else 0
    if deleted:
        sentence = f"{job.label}: {deleted:,} records are marked as deleted by the sender and left out."
        notes.append(Problem("RECORDS_DELETED", sentence))
    if dbf and dbf.full:
        sentence = f"{job.label}: {dbf.full:,} texts fill their cell of up to {LONGEST_TEXT} bytes."
        notes.append(Problem("TEXT_CUT", f"{sentence} They are probably cut. Use GeoPackage for long texts."))
    full, more = assemble(columns, geometry, rows, trouble)
    return RawLayer(
        name=job.name,
        crs_wkt=meta["crs"],
        geometry_type=str(meta["geometry_type"]),
        table=full,
        records_counted=len(index) - deleted,
        count_method=CountMethod.EXACT,
        notes=(*notes, *more),
    )


def _read(
    job: Job, files: dict[str, Path], dbf: Dbf | None, notes: list[Problem]
) -> tuple[dict[str, Any], pa.Table]:
    """Read shapes and attributes, in the encoding that the bytes show."""
    encoding = _encoding(job, files, dbf, notes)
    try:
        if encoding != "utf-8" or dbf is None or _decodes(dbf.names):
            return drivers.read_arrow(job.path, encoding=encoding)
        # A field name of ten bytes can end inside a Lao letter: read bytes as they are, decode here.
        meta, table = drivers.read_arrow(job.path, encoding="ISO-8859-1")
        sentence = f"{job.label}: column names are cut inside a letter (a shapefile keeps only 10 bytes)."
        notes.append(Problem("NAME_CUT", f"{sentence} Use GeoPackage to keep full names."))
        return meta, recoded(table, "utf-8")
    except Exception as error:
        return _read_slowly(job, len(dbf.deleted) if dbf else None, encoding, error, notes)


def _read_slowly(
    job: Job, counted: int | None, encoding: str | None, error: Exception, notes: list[Problem]
) -> tuple[dict[str, Any], pa.Table]:
    """Read record by record with the second reader after the first one gave up."""
    try:
        meta, table = drivers.read_with_fiona(job.path, None, "ESRI Shapefile", encoding)
    except Exception:
        sentence = f"{job.label}: the file is damaged ({reason_of(error)}). Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence), counted, CountMethod.EXACT) from error
    sentence = f"{job.label}: the fast reader failed ({reason_of(error)}); read record by record."
    notes.append(Problem("FALLBACK_READER", sentence))
    numbers = pc.subtract(table.column("row"), 1)
    columns = table.drop_columns(["row", "geometry"])
    return meta, columns.add_column(0, "fid", numbers).append_column("geometry", table.column("geometry"))


def _encoding(job: Job, files: dict[str, Path], dbf: Dbf | None, notes: list[Problem]) -> str | None:
    """Return the encoding to read with; None leaves it to what the file states."""
    texts = [dbf.names, *dbf.text] if dbf else []
    if all(text.isascii() for text in texts):
        return "utf-8"
    utf8 = all(_decodes_cut(text) for text in texts)
    stated = files[".cpg"].read_text("ascii", "replace").strip() if ".cpg" in files else ""
    is_utf8 = stated.lower().replace("-", "") in ("utf8", "65001")
    if is_utf8 and utf8:
        return "utf-8"
    # Letters of three bytes that decode as UTF-8 are no accident: Lao under a false label.
    if stated and not is_utf8 and not (utf8 and any(map(_has_wide_letters, texts))):
        return None
    if not utf8 and dbf is not None and dbf.language not in VAGUE_LANGUAGES and not stated:
        return None
    chosen = "utf-8" if utf8 else "cp874" if all(map(_looks_thai, texts)) else "cp1252"
    why = "the file does not say it" if not stated else f'the file says "{stated}", which does not fit'
    sentence = f"{job.label}: text is read as {chosen.upper()} ({why}). Check a name with special letters."
    notes.append(Problem("ENCODING_GUESSED", sentence))
    return chosen


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_wide_letters(text: bytes) -> bool:
    """Tell whether a text holds letters that UTF-8 writes with three bytes or more."""
    return any(letter > "\u07ff" for letter in text.decode("utf-8", "ignore"))


def _decodes_cut(cells: bytes) -> bool:
    """Tell whether all cells (joined by NUL) are UTF-8, each perhaps cut inside its last letter."""
    if _decodes(cells):
        return True
    for cell in cells.split(b"\x00"):
        if not any(_decodes(cell[: len(cell) - cut]) for cut in range(min(4, len(cell) + 1))):
            return False
    return True


def _looks_thai(cells: bytes) -> bool:
    """Tell whether bytes beyond ASCII read as Thai letters of code page 874."""
    high = [byte for byte in cells if byte > 0x7F]
    runs = sum(a > 0xA0 and b > 0xA0 for a, b in pairwise(cells))
    return not high or (runs > len(high) // 2 and all(0xA1 <= byte <= 0xFB for byte in high))


def read_dbf(path: Path, label: str) -> Dbf:
    """Return what a .dbf holds; refuse one that ends before its last record."""
    data = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)
    if len(data) < 32:
        raise RefusedError(Problem("FILE_TRUNCATED", f"{label}: the .dbf file is cut. Ask for a new copy."))
    records, start, width = struct.unpack("<IHH", data[4:12].tobytes())
    if width < 1 or len(data) < start + records * width:
        have = max(0, (len(data) - start) // width) if width else 0
        sentence = f"{label}: the .dbf file should hold {records:,} rows but ends after {have:,}."
        problem = Problem("FILE_TRUNCATED", f"{sentence} Ask for a new copy.")
        raise RefusedError(problem, records, CountMethod.WEAK)
    rows = data[start : start + records * width].reshape(records, width)
    names, texts, offset, full = [], [], 1, 0
    for at in range(32, start - 32, 32):
        field = data[at : at + 32].tobytes()
        if field[0] in (0x0D, 0x00):
            break
        names.append(field[:11].split(b"\x00")[0])
        if field[11:12] == b"C":
            texts.append(_cells(rows[:, offset : offset + field[16] + 256 * field[17]]))
            full += _full(rows[:, offset : offset + field[16]]) if field[16] > LONGEST_TEXT - 3 else 0
        offset += field[16] + (256 * field[17] if field[11:12] == b"C" else 0)
    return Dbf(records, rows[:, 0] == 0x2A, int(data[29]), b"\x00".join(names), texts, full)


def _full(column: np.ndarray[Any, Any]) -> int:
    """Return how many cells are filled to their end, or end where a letter of three bytes has no room."""
    used = (column != 0x20) & (column != 0)
    wide = (column > 0x7F).any(axis=1)
    return int((used[:, -1] | (wide & used[:, -3:].any(axis=1))).sum())


def _cells(column: np.ndarray[Any, Any]) -> bytes:
    """Return the cells with bytes beyond ASCII, joined by NUL."""
    marked = column[(column > 0x7F).any(axis=1)] if column.size else column
    return b"\x00".join(row.tobytes().rstrip(b" \x00") for row in marked)


def read_index(path: Path, label: str, dbf: Dbf | None) -> np.ndarray[Any, Any]:
    """Return byte offset and length of each shape; refuse an index that is cut."""
    data = path.read_bytes()
    counted = int((~dbf.deleted).sum()) if dbf else None
    if data[:4] != b"\x00\x00\x27\x0a":
        sentence = f"{label}: the .shx file is damaged. Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence), counted, CountMethod.EXACT)
    stated = struct.unpack(">i", data[24:28].rjust(4, b"\0"))[0] * 2
    if len(data) < max(stated, 100) or (len(data) - 100) % 8:
        sentence = f"{label}: the .shx file is cut. Ask for a new copy."
        raise RefusedError(Problem("FILE_TRUNCATED", sentence), counted, CountMethod.EXACT)
    return np.frombuffer(data, ">i4", offset=100).reshape(-1, 2).astype(np.int64) * 2


def _trouble(path: Path, index: np.ndarray[Any, Any], rows: Any, geometry: Any) -> list[str | None]:
    """Return, per record that was read, why its shape is not there although the file has one."""
    size = path.stat().st_size
    missing = geometry.is_null().to_numpy(zero_copy_only=False)
    reasons: list[str | None] = [None] * len(missing)
    if not missing.any():
        return reasons
    numbers = rows.to_numpy() - 1
    with path.open("rb") as file:
        for at in np.flatnonzero(missing):
            offset, length = index[numbers[at]]
            if offset + 8 + length > size:
                reasons[at] = "the .shp file ends before this shape"
                continue
            file.seek(offset + 8)
            if file.read(4) not in (b"\x00\x00\x00\x00", b""):
                reasons[at] = "the shape could not be read"
    return reasons
