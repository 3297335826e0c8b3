"""Count the records of a file without the reader that will read them.

A reader that loses records in silence is only found out by a count that shares no code with it.
"""

from __future__ import annotations

import mmap
import re
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from geopipe.io.delivery import Problem, RefusedError
from geopipe.io.formats import ESRI_FEATURE
from geopipe.terms import CountMethod

FEATURE = re.compile(rb'"type"\s*:\s*"Feature"')
GEOMETRY_MEMBER = re.compile(rb'"geometry"\s*:')
CRS_LINK = re.compile(rb'"crs"\s*+:\s*+\{\s*+"(?:type"\s*+:\s*+"link"|properties"\s*+:\s*+\{\s*+"href")')
ANY_FEATURE_TYPE = re.compile(rb'"type"\s*:\s*"(FeatureCollection|Feature)"')
XML_END = re.compile(rb"</(\w+:)?(?:kml|gpx|MineActionFieldReport)\s*>\s*\0*$")
XML_ASIDES = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
# Strings, brackets and colons of JSON; a list of plain numbers is passed over as one.
# What never ends is one token, too: no sign is looked at twice.
JSON_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|\[[-+0-9.eE,\s]*+\]\s*+,?|[{}\[\]:]', re.DOTALL)
# What `PRAGMA quick_check` says about pages; what it says about values is the sender's own matter.
BROKEN_PAGE = re.compile(r"Tree \d+|Page \d+|page \d+|Freelist|malformed|out of order")
# First bytes of the table files of a File Geodatabase with 32-bit record numbers.
GDB_VERSION = b"\x03\0\0\0"
QUOTED = re.compile(r'(?:^|(?<=[,;\t|\r\n]))[ ]*"[^"]*(?:""[^"]*)*"')
OPENING = re.compile(r'(^|[,;\t|\r\n])[ ]*"')
LONGEST_CELL = 16 << 20
# Folders in folders, geometries in geometries: real files have a dozen levels.
DEEPEST_XML = 200


def sqlite_uri(path: Path, immutable: bool) -> str:
    """Return the read-only address of an SQLite file, whatever letters its path has."""
    address = f"file:{quote(path.resolve().as_posix())}?mode=ro"
    return f"{address}&immutable=1" if immutable else address


def _open_sqlite(path: Path) -> sqlite3.Connection:
    """Open an SQLite file that somebody delivered: read only, nothing in its schema may do anything."""
    connection = sqlite3.connect(sqlite_uri(path, immutable=True), uri=True)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def geopackage_programs(path: Path) -> dict[str, str]:
    """Return views and virtual tables, by name in small letters; spatial indexes are left out."""
    question = "SELECT name, type FROM sqlite_master WHERE type = 'view' OR (type = 'table' AND rootpage = 0)"
    with closing(_open_sqlite(path)) as connection:
        found = [(str(name).lower(), str(kind)) for name, kind in connection.execute(question)]
    return {
        name: "view" if kind == "view" else "virtual table"
        for name, kind in found
        if not name.startswith("rtree_")
    }


def geopackage_contents(path: Path) -> list[tuple[str, str, int | None]]:
    """Return name, data type and CRS number of every table that a GeoPackage registers."""
    with closing(_open_sqlite(path)) as connection:
        rows = connection.execute("SELECT table_name, data_type, srs_id FROM gpkg_contents ORDER BY rowid")
        return [(str(name), str(kind), srs) for name, kind, srs in rows]


def definitions_of(path: Path) -> list[str]:
    """Return the definitions of coordinate systems in a GeoPackage; none where it has no list of them."""
    try:
        with closing(_open_sqlite(path)) as connection:
            rows = connection.execute("SELECT * FROM gpkg_spatial_ref_sys LIMIT 20000").fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return []
    return [str(value) for row in rows for value in row]


def count_geopackage(path: Path, table: str) -> int | None:
    """Return the number of rows of one table; None when SQLite cannot say."""
    name = table.replace('"', '""')
    try:
        with closing(_open_sqlite(path)) as connection:
            # NOT INDEXED: a damaged index must not answer for the table.
            return int(connection.execute(f'SELECT count(*) FROM "{name}" NOT INDEXED').fetchone()[0])  # noqa: S608
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def geopackage_damage(path: Path) -> str | None:
    """Return what SQLite finds wrong with the structure of the file; None when it finds nothing.

    Rows can vanish with a damaged page for whoever reads the file: reader and count then agree on too few.
    """
    try:
        with closing(_open_sqlite(path)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(20)")]
    except sqlite3.OperationalError:
        return None  # a constraint calls a function that only GDAL knows: nothing is said about pages
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    return next((text for text in found if BROKEN_PAGE.search(text)), None)


def geodatabase_cut(folder: Path) -> str | None:
    """Return the first table file of a File Geodatabase that is shorter than its header says."""
    for path in sorted(folder.glob("*.gdbtabl*")):
        with path.open("rb") as file:
            head = file.read(40).ljust(40, b"\0")
        size = path.stat().st_size
        if path.suffix == ".gdbtable":
            stated = struct.unpack("<q", head[24:32])[0]
        else:
            blocks, width = struct.unpack("<i4xi", head[4:16])
            stated = 32 + blocks * 1024 * width
        if size < 32 or (head[:4] == GDB_VERSION and size < stated):
            return path.name
    return None


def count_geodatabase(folder: Path, number: int | None) -> int | None:
    """Return the rows that the header of table file `number` states; None when it cannot be found."""
    path = folder / f"a{number or 0:08x}.gdbtable"
    if number is None or not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(8)
    return int(struct.unpack("<i", head[4:8])[0]) if head[:4] == GDB_VERSION and len(head) == 8 else None


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


def links_to_crs(path: Path) -> bool:
    """Tell whether GeoJSON says that its coordinate system stands elsewhere: nobody goes there to look."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return CRS_LINK.search(data) is not None


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
    count = depth = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal count, depth
        depth += 1
        require_shallow(depth)
        if name.rpartition(":")[2] == "Placemark":
            count += 1

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = safe_parser(label, "KML")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parse_whole(parser, path, label, lambda: count)
    return count


class TooDeepError(Exception):
    """XML elements lie in each other more deeply than in any file that somebody means."""


def require_shallow(depth: int) -> None:
    """Refuse to go deeper: what looks at all elements around one would take hours.

    Raises
    ------
    TooDeepError
    """
    if depth > DEEPEST_XML:
        raise TooDeepError


def safe_parser(label: str, kind: str) -> expat.XMLParserType:
    """Return an XML parser that refuses declarations of types and entities."""

    def declaration(*_: object) -> None:
        sentence = f"{label}: this {kind} declares its own entities (DTD), which can be used to do harm"
        raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. It was not opened. Ask the sender why."))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declaration
    parser.EntityDeclHandler = declaration
    return parser


def parse_whole(parser: expat.XMLParserType, path: Path, label: str, counted: Callable[[], int]) -> None:
    """Parse a file to its end; refuse what is not well-formed, with what was counted so far."""
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except TooDeepError as error:
        sentence = f"{label}: its elements lie in each other more than {DEEPEST_XML} deep. It was not opened"
        raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. Ask for a new copy.")) from error
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that nobody knows
        whole = XML_END.search(_tail(path)) is not None
        code, what = ("FILE_UNREADABLE", "is damaged") if whole else ("FILE_TRUNCATED", "ends too early")
        sentence = f'{label}: the file {what} (XML says "{error}"). Ask for a new copy.'
        raise RefusedError(Problem(code, sentence), counted(), CountMethod.WEAK) from error


def count_elements(path: Path, names: Iterable[str]) -> dict[str, int]:
    """Return how often each XML element begins, by the text of the file alone.

    In well-formed XML, "<name" can only begin an element once comments and quoted blocks are taken out.
    """
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    bare = XML_ASIDES.sub(b"", data)
    return {
        name: len(re.findall(rb"<(?:[^\s<>/:!?]+:)?" + name.encode() + rb"[\s/>]", bare)) for name in names
    }


def count_geometry_members(path: Path) -> int:
    """Return the number of `geometry` members in GeoJSON: a second witness, for features of damaged type."""
    if path.stat().st_size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(1 for _ in GEOMETRY_MEMBER.finditer(data))


def count_esri_features(path: Path) -> int:
    """Return the number of `attributes` objects in Esri JSON, by their text."""
    if path.stat().st_size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(1 for _ in ESRI_FEATURE.finditer(data))


def feature_lists(path: Path) -> list[int]:
    """Return the length of each list called `features` in a JSON text, in their order, by its brackets."""
    counts: list[int] = []
    open_lists: list[tuple[int, int]] = []
    depth, key, is_name = 0, b"", b""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for token in JSON_TOKEN.finditer(data):
            sign = token[0][:1]
            if sign == b'"':
                key = token[0]
            elif sign == b":":
                is_name = key
            elif sign in (b"{", b"["):
                is_flat = len(token[0]) > 1
                if sign == b"[" and is_name == b'"features"':
                    open_lists += [] if is_flat else [(depth, len(counts))]
                    counts.append(0)
                elif open_lists and depth == open_lists[-1][0] + 1:
                    counts[open_lists[-1][1]] += 1
                depth, is_name = depth + (not is_flat), b""
            else:
                depth, is_name = depth - 1, b""
                if open_lists and depth == open_lists[-1][0]:
                    open_lists.pop()
    return counts


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
        if '"' not in line and len(open_cell) <= LONGEST_CELL:
            continue  # nothing in it can end the cell: what came before is not looked at again
        bare = QUOTED.sub("x", open_cell)
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
