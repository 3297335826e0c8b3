"""Count the records of a file without the reader that will read them.

A reader that loses records in silence is only found out by a count that shares no code with it.
"""

from __future__ import annotations

import mmap
import re
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from geopipe.io.delivery import Problem, RefusedError
from geopipe.terms import CountMethod

FEATURE = re.compile(rb'"type"\s*:\s*"Feature"')
ANY_FEATURE_TYPE = re.compile(rb'"type"\s*:\s*"(FeatureCollection|Feature)"')
KML_END = re.compile(rb"</(\w+:)?kml\s*>\s*\0*$")
QUOTED = re.compile(r'(^|[,;\t|\r\n])[ ]*"(?:[^"]|"")*"')
OPENING = re.compile(r'(^|[,;\t|\r\n])[ ]*"')
LONGEST_CELL = 16 << 20


def sqlite_uri(path: Path, immutable: bool) -> str:
    """Return the read-only address of an SQLite file, whatever letters its path has."""
    address = f"file:{quote(path.resolve().as_posix())}?mode=ro"
    return f"{address}&immutable=1" if immutable else address


def geopackage_contents(path: Path) -> list[tuple[str, str, int | None]]:
    """Return name, data type and CRS number of every table that a GeoPackage registers."""
    with closing(sqlite3.connect(sqlite_uri(path, immutable=True), uri=True)) as connection:
        rows = connection.execute("SELECT table_name, data_type, srs_id FROM gpkg_contents ORDER BY rowid")
        return [(str(name), str(kind), srs) for name, kind, srs in rows]


def count_geopackage(path: Path, table: str) -> int | None:
    """Return the number of rows of one table; None when SQLite cannot say."""
    name = table.replace('"', '""')
    try:
        with closing(sqlite3.connect(sqlite_uri(path, immutable=True), uri=True)) as connection:
            # NOT INDEXED: a damaged index must not answer for the table.
            return int(connection.execute(f'SELECT count(*) FROM "{name}" NOT INDEXED').fetchone()[0])  # noqa: S608
    except sqlite3.Error:
        return None


def geopackage_is_cut(head: bytes, size: int) -> bool:
    """Tell from the SQLite header whether the file ends before its last page."""
    page, pages = struct.unpack(">H", head[16:18])[0], struct.unpack(">I", head[28:32])[0]
    return bool(size < (65536 if page == 1 else page) * pages)


def count_geojson(path: Path) -> int:
    """Return the number of features by their text; a bare geometry counts as one."""
    if path.stat().st_size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        count = sum(1 for _ in FEATURE.finditer(data))
        if count == 0 and ANY_FEATURE_TYPE.search(data) is None:
            return 1
        return count


def sequence_texts(path: Path) -> Iterator[bytes]:
    """Yield the text of each record of a GeoJSON sequence."""
    with path.open("rb") as file:
        if b"\x1e" in file.read(4096):
            file.seek(0)
            yield from (text for text in file.read().split(b"\x1e") if text.strip())
            return
        file.seek(0)
        for number, line in enumerate(file):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
            if text.strip():
                yield text


def count_kml(path: Path, label: str) -> int:
    """Return the number of Placemarks; refuse declarations of types and entities."""
    count = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        if name.rpartition(":")[2] == "Placemark":
            count += 1

    def declaration(*_: object) -> None:
        sentence = f"{label}: this KML declares its own entities (DTD), which can be used to do harm"
        raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. It was not opened. Ask the sender why."))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = declaration
    parser.EntityDeclHandler = declaration
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        whole = KML_END.search(_tail(path)) is not None
        code, what = ("FILE_UNREADABLE", "is damaged") if whole else ("FILE_TRUNCATED", "ends too early")
        sentence = f'{label}: the file {what} (XML says "{error}"). Ask for a new copy.'
        raise RefusedError(Problem(code, sentence), count, CountMethod.WEAK) from error
    return count


def _tail(path: Path) -> bytes:
    """Return the last bytes of a file."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 1024, 0))
        return file.read()


def count_flatgeobuf(path: Path) -> int | None:
    """Return the number of features that the header states; None when it states none."""
    with path.open("rb") as file:
        start = file.read(12)
        header = file.read(min(struct.unpack("<I", start[8:12])[0], 1 << 24))
    table = struct.unpack_from("<I", header, 0)[0]
    slots = table - struct.unpack_from("<i", header, table)[0]
    slot = 4 + 2 * 8  # features_count is the ninth field of the header table
    if struct.unpack_from("<H", header, slots)[0] <= slot:
        return None
    offset = struct.unpack_from("<H", header, slots + slot)[0]
    return struct.unpack_from("<Q", header, table + offset)[0] or None if offset else None


def count_lines(lines: Iterable[str]) -> int:
    """Return the number of records of a table, its header excluded; line ends inside quotes do not count."""
    count, open_cell = 0, ""
    for line in lines:
        if not open_cell and '"' not in line:
            count += bool(line.strip())
            continue
        open_cell += line
        bare = QUOTED.sub(r"\1x", open_cell)
        if not OPENING.search(bare):
            count += bool(bare.strip())
            open_cell = ""
        elif len(open_cell) > LONGEST_CELL:
            # No cell is that long: a quotation mark was not closed, so each line is a record.
            count += _filled_lines(open_cell)
            open_cell = ""
    return max(count + _filled_lines(open_cell) - 1, 0)


def _filled_lines(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())
