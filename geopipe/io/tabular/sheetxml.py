"""Look at a workbook's own XML without the library that reads it: size, checksums, rows, Excel's errors."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geopipe.io.counting import safe_parser
from geopipe.io.delivery import Problem, ReadLimits, RefusedError

BLOCK = 1 << 20
_HEAD = 1 << 16
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
# The reader holds every cell between the first and the last one, empty or not.
MOST_CELLS = 100_000_000
PREFIX = re.compile(rb"<(\w+:)?sheetData\b")
# A cell that is not closed at once, with what is in it; `t="s"` has the number of a shared text there.
CELL = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)(?<!/)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?(?:v|t)\b[^>/]*>([^<]+)<", re.DOTALL
)
VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)\b[^>/]*>[^<]")
ERROR = re.compile(rb'<(?:\w+:)?c\b[^>]*\bt="e"')
COLUMN = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})\d+"[^>]*(?<!/)>')
LINE = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
LAST_COLUMN = re.compile(rb'\br="([A-Z]{1,3})\d+"')
TEXT = re.compile(rb"<(?:\w+:)?si\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)
FILLED = re.compile(rb"<(?:\w+:)?t\b[^>]*>[^<]+<")
REPEATED = re.compile(rb'table:number-(rows|columns)-repeated="(\d+)"')


@dataclass(frozen=True)
class SheetFacts:
    """What a sheet's XML says.

    Parameters
    ----------
    rows : int
        Rows in which at least one cell holds something.
    errors : int
        Cells that hold an error of Excel's (#N/A, #REF!), which are read as empty.
    """

    rows: int
    errors: int


def _require_no_entities(name: str, head: bytes, label: str) -> None:
    """Refuse XML inside a workbook that declares types or entities: no program that writes workbooks does."""
    if name.lower().endswith((".xml", ".rels")) and _DECLARES.search(head.replace(b"\0", b"")):
        sentence = f"{label}: {name[:80]} in it declares its own entities (DTD), which can be used to do harm"
        raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. It was not opened. Ask the sender why."))


def check_container(path: Path, limits: ReadLimits, label: str) -> None:
    """Refuse a zipped workbook that is damaged, encrypted, or built to do harm; every checksum is tested."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if any(info.flag_bits & 0x1 for info in infos):
                raise RefusedError(protected(label))
            sizes = sum(info.file_size for info in infos)
            _check_size(len(infos), sizes, path.stat().st_size, limits, label)
            unpacked = 0
            for info in infos:
                with archive.open(info) as source:
                    _require_no_entities(info.filename, source.read(_HEAD), label)
                with archive.open(info) as source:
                    while block := source.read(BLOCK):
                        unpacked += len(block)
                        _check_size(len(infos), unpacked, path.stat().st_size, limits, label)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        code = "FILE_UNREADABLE" if zipfile.is_zipfile(path) else "FILE_TRUNCATED"
        sentence = f'{label}: the workbook is damaged or cut ("{error}"). Ask for a new copy.'
        raise RefusedError(Problem(code, sentence)) from error


def protected(label: str) -> Problem:
    """Say that a workbook needs a password."""
    sentence = f"{label}: the workbook is protected with a password. Ask for a copy without one."
    return Problem("ARCHIVE_ENCRYPTED", sentence)


def _check_size(members: int, size: int, packed: int, limits: ReadLimits, label: str) -> None:
    """Refuse what unpacks to too much."""
    bomb = size > limits.ratio_from_bytes and size > packed * limits.ratio
    if bomb or size > limits.unpacked_bytes or members > limits.members:
        what = f"{members:,} parts, {packed / 1e6:,.1f} MB unpack to {size / 1e6:,.0f} MB or more"
        sentence = f"{label}: the workbook is too large inside ({what}). It was not opened"
        raise RefusedError(Problem("ARCHIVE_DANGEROUS", f"{sentence}. Ask for a new copy."))


def facts_of_sheets(path: Path, label: str) -> dict[str, SheetFacts]:
    """Return what the XML of each sheet of an .xlsx or .xlsm says, by the name of the sheet."""
    with zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())
        empty = _empty_texts(archive, members)
        found = {}
        for name, member in _sheets(archive, members):
            if member in members:
                found[name] = _facts(archive.read(member), empty, label)
    return found


def _facts(data: bytes, empty: frozenset[bytes], label: str) -> SheetFacts:
    """Return the facts of one sheet; refuse one whose cells lie too far apart."""
    found = PREFIX.search(data)
    if found is None:
        return SheetFacts(0, 0)
    errors = len(ERROR.findall(data)) if b't="e"' in data else 0
    is_plain = not errors and not empty
    filled, last, widest = 0, 0, 0
    rows = data[found.start() :].split(b"</" + (found[1] or b"") + b"row>")
    for position, row in enumerate(rows[:-1], start=1):
        if not (VALUE.search(row) if is_plain else _is_filled(row, empty)):
            continue
        filled += 1
        line = LINE.search(row)
        last = max(last, int(line[1]) if line else position)
        cell = LAST_COLUMN.search(row, row.rfind(b' r="'))
        widest = max(widest, _column_number(cell[1]) if cell else row.count(b"<c"))
    if last * widest > MOST_CELLS:  # empty cells that only have a colour do not count
        widest = max(map(_column_number, set(COLUMN.findall(data))), default=0)
    if last * widest > MOST_CELLS:
        what = f"its filled cells reach from the first to row {last:,} and column {widest:,}"
        sentence = f"{label}: a sheet is too large to be read ({what})"
        raise RefusedError(Problem("FILE_TOO_LARGE", f"{sentence}. Delete what stands far outside it."))
    return SheetFacts(filled, errors)


def _is_filled(row: bytes, empty: frozenset[bytes]) -> bool:
    """Tell whether a cell of a row holds something that is neither an error nor an empty text."""
    for cell in CELL.finditer(row):
        kind = cell[1]
        if b't="e"' not in kind and not (b't="s"' in kind and cell[2].strip() in empty):
            return True
    return False


def _column_number(letters: bytes) -> int:
    """Return 1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _empty_texts(archive: zipfile.ZipFile, members: set[str]) -> frozenset[bytes]:
    """Return the numbers of the shared texts that are empty."""
    name = "xl/sharedStrings.xml"
    if name not in members:
        return frozenset()
    texts = enumerate(TEXT.finditer(archive.read(name)))
    return frozenset(str(at).encode() for at, text in texts if text[1] is None or not FILLED.search(text[1]))


def _sheets(archive: zipfile.ZipFile, members: set[str]) -> Iterator[tuple[str, str]]:
    """Yield name and member of each sheet, by the relations of the workbook."""
    book, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {book, relations} <= members:
        return
    targets = {}
    for word, attributes in _elements(archive.read(relations)):
        if word == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")
    for word, attributes in _elements(archive.read(book)):
        if word == "sheet":
            link = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            target = targets.get(link, "")
            member = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
            yield attributes.get("name", ""), member


def _elements(data: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return local name and attributes of all elements."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = safe_parser("the workbook", "XML")
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(":")[2], attributes))
    parser.Parse(data, True)
    return found


def require_small_ods(path: Path, label: str) -> None:
    """Refuse an OpenDocument sheet that says in a few bytes that cells repeat endlessly."""
    with zipfile.ZipFile(path) as archive:
        if "content.xml" not in archive.namelist():
            return
        data = archive.read("content.xml")
    cells = 0
    for row in re.finditer(rb"<table:table-row\b([^>]*)>(.*?)</table:table-row>", data, re.DOTALL):
        if not re.search(rb"<text:|office:value", row[2]):
            continue  # empty rows at the end of a sheet repeat a million times in every file
        times = max((int(count) for what, count in REPEATED.findall(row[1]) if what == b"rows"), default=1)
        width = 0
        for cell in re.finditer(rb"<table:(?:covered-)?table-cell\b([^>]*?)(/?)>", row[2]):
            is_filled = not cell[2] or b"office:value" in cell[1]
            repeated = [int(count) for what, count in REPEATED.findall(cell[1]) if what == b"columns"]
            width += max(repeated, default=1) if is_filled else 1
        cells += times * width
    if cells > MOST_CELLS:
        sentence = f"{label}: a sheet repeats its cells {cells:,} times. It was not opened"
        raise RefusedError(Problem("ARCHIVE_DANGEROUS", f"{sentence}. Ask for a new copy."))
