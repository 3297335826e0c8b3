"""Find coordinates of KML that are no numbers: LIBKML takes "1o4.5O" for 1 and says nothing.

The records that have such coordinates are read from a copy in which all their coordinates are a mark. So no
number that was guessed can come through, and the mark says which record it is, whatever folder it lies in.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.parsers import expat

import pyarrow as pa

from geopipe.io.delivery import GEOMETRY, GEOMETRY_PROBLEM, RawLayer
from geopipe.io.formats import head_of
from geopipe.io.frames import unique_names
from geopipe.io.job import Job

# No longitude, and a number that doubles hold exactly as it is written.
MARK = 8e88
READABLE_POINTS = "readable_points"
SHOWN_LETTERS = 40

_SPACE = "[ \t\r\n]"
_NUMBER = r"[-+]?(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?+"
_TUPLE = f"{_NUMBER},{_NUMBER}(?:,{_NUMBER})?+"
_TUPLES = f"{_SPACE}*+(?:{_TUPLE}(?:{_SPACE}++{_TUPLE})*+{_SPACE}*+)?+"
# Coordinates that stand as KML asks for are passed over in one go; so are bytes, not decoded text.
_SUSPECT = re.compile(rf"<(?:[^\s<>/:]+:)?coordinates(?=[\s>/])[^>]*+>(?!{_TUPLES}</)".encode())
_TRACK_POINT = re.compile(rb"coord[\s>]")
_DECLARATION = re.compile(r"\s*<\?xml.*?\?>", re.DOTALL)
_OPENING = re.compile(rb"<[^\s/>]+")


def _spaced(comma: str) -> str:
    """Return the pattern of tuples of one size whose commas all have spaces on the same side.

    ``102, 18 103, 19`` is read right; in ``102,18 103, 104,20`` a number is missing.
    """
    pair, triple = comma.join([_NUMBER] * 2), comma.join([_NUMBER] * 3)
    several = (f"{size}(?:{_SPACE}++{size})*+" for size in (pair, triple))
    return "|".join(f"{_SPACE}*+{tuples}{_SPACE}*+" for tuples in several)


_COMMAS = (f",{_SPACE}++", f"{_SPACE}++,", f"{_SPACE}++,{_SPACE}++")
_GOOD = {
    "coordinates": re.compile("|".join([_TUPLES, *map(_spaced, _COMMAS)])),
    # Of a track: LIBKML counts each single space, so more of them move the numbers.
    "coord": re.compile(rf"{_NUMBER} {_NUMBER}(?: {_NUMBER})?+{_SPACE}*+"),
}
_ONE_TUPLE = re.compile(_TUPLE)
_MARKS = {"coordinates": "{0},{1} {0},{1} {0},{1} {0},{1}", "coord": "{0} {1}"}


@dataclass(frozen=True)
class Unreadable:
    """Why the coordinates of a record cannot be read, and those of its points that can, as WKT."""

    reason: str
    readable: str | None


Unreadables = dict[float, Unreadable]


def marked(job: Job) -> tuple[Job, Unreadables]:
    """Return the job for a copy in which unreadable coordinates are marks, and what each mark stands for.

    A file without any, which costs one look at its bytes, is returned as it is.
    """
    if is_utf8(job.path) and not _is_suspect(job.path):
        return job, {}
    data = _as_utf8(job.path)
    found = _search(data)
    if not found.unreadable:
        return job, {}
    folder = job.folder / "marked"
    folder.mkdir()
    path = folder / job.path.name  # LIBKML names a layer without a name after its file
    with path.open("wb") as file:
        end = 0
        for start, stop, mark in found.marks:
            file.write(data[end:start] + mark)
            end = stop
        file.write(data[end:])
    return replace(job, path=path), found.unreadable


def is_utf8(path: Path) -> bool:
    """Tell whether positions in the file can be cut at without looking at its encoding."""
    head = head_of(path, 200)
    return head[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\x00" not in head


def _is_suspect(path: Path) -> bool:
    """Tell whether any coordinates do not stand as KML asks for."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _SUSPECT.search(data) is not None or _TRACK_POINT.search(data) is not None


def _as_utf8(path: Path) -> bytes:
    """Return the bytes of the file, those of UTF-16 as UTF-8 without declaration."""
    data = path.read_bytes()
    if is_utf8(path):
        return data
    with_mark = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if with_mark else "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    return _DECLARATION.sub("", data.decode(encoding), count=1).encode()


@dataclass
class _Search:
    """What was found so far, and the coordinates of the Placemark that is being read."""

    data: bytes
    marks: list[tuple[int, int, bytes]] = field(default_factory=list)
    unreadable: Unreadables = field(default_factory=dict)
    number: int = 0
    elements: list[tuple[int, int, str, str]] = field(default_factory=list)

    def judge(self) -> None:
        """Mark all coordinates of the Placemark when some of them are no numbers."""
        bad = [_first_bad(word, text) for *_, word, text in self.elements if not _is_good(word, text)]
        if not bad:
            return
        for start, stop, word, text in self.elements:
            if text.strip():
                opening = _OPENING.match(self.data, start)
                assert opening is not None  # a tag begins here
                mark = f">{_MARKS[word].format(MARK, self.number)}".encode()
                self.marks.append((start, stop, opening[0] + mark))
        short = bad[0] if len(bad[0]) <= SHOWN_LETTERS else f"{bad[0][: SHOWN_LETTERS - 3]}..."
        reason = f'the geometry could not be read: "{short}" is not a longitude and a latitude'
        self.unreadable[self.number] = Unreadable(reason, _readable(self.elements))


def _search(data: bytes) -> _Search:
    """Look at the coordinates of every Placemark."""
    found, parser = _Search(data), expat.ParserCreate()
    begin, depth, texts = -1, 0, list[str]()

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal begin, depth
        word = name.rpartition(":")[2]
        if begin >= 0:
            depth += 1
        elif word == "Placemark":
            found.number, found.elements = found.number + 1, []
        elif word in _GOOD:
            begin = parser.CurrentByteIndex
            texts.clear()
            parser.CharacterDataHandler = texts.append

    def end(name: str) -> None:
        nonlocal begin, depth
        word = name.rpartition(":")[2]
        if depth:
            depth -= 1
        elif begin >= 0:
            found.elements.append((begin, parser.CurrentByteIndex, word, "".join(texts)))
            parser.CharacterDataHandler, begin = None, -1
        elif word == "Placemark":
            found.judge()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.buffer_text = True
    parser.Parse(data, True)
    return found


def _is_good(word: str, text: str) -> bool:
    return _GOOD[word].fullmatch(text) is not None


def _first_bad(word: str, text: str) -> str:
    """Return the first piece of coordinates that is not one point."""
    if word == "coord":
        return text
    return next((piece for piece in text.split() if not _ONE_TUPLE.fullmatch(piece)), text.strip())


def _readable(elements: list[tuple[int, int, str, str]]) -> str | None:
    """Return as WKT the points that stand as KML asks for."""
    pieces = (piece for *_, word, text in elements if word == "coordinates" for piece in text.split())
    points = [piece.split(",")[:2] for piece in pieces if _ONE_TUPLE.fullmatch(piece)]
    return (
        f"MULTIPOINT ({', '.join(f'{float(x):.9f} {float(y):.9f}' for x, y in points)})" if points else None
    )


def told(layer: RawLayer, unreadable: Unreadables) -> RawLayer:
    """Return the layer in which every marked record has no geometry, the reason, and its readable points."""
    if not unreadable:
        return layer
    table = layer.table
    geometry = table.column(GEOMETRY).to_pylist()
    found = [_of_mark(wkb, unreadable) for wkb in geometry]
    if not any(found):
        return layer
    before = table.column(GEOMETRY_PROBLEM).to_pylist() if GEOMETRY_PROBLEM in table.column_names else None
    reasons = [why.reason if why else before[row] if before else None for row, why in enumerate(found)]
    points = [why.readable if why else None for why in found]
    empty = [None if why else wkb for why, wkb in zip(found, geometry, strict=True)]
    table = table.set_column(table.column_names.index(GEOMETRY), GEOMETRY, pa.array(empty, pa.large_binary()))
    table = table.drop_columns([GEOMETRY_PROBLEM]) if before else table
    own = table.column_names[2:]
    table = table.append_column(
        unique_names([*own, READABLE_POINTS])[-1], pa.array(points, pa.large_string())
    )
    return replace(layer, table=table.append_column(GEOMETRY_PROBLEM, pa.array(reasons, pa.string())))


def _of_mark(wkb: bytes | None, unreadable: Unreadables) -> Unreadable | None:
    """Return what the mark in a geometry stands for."""
    at = wkb.find(struct.pack("<d", MARK)) if wkb else -1
    if wkb is None or at < 0:
        return None
    (number,) = struct.unpack_from("<d", wkb, at + 8)
    return unreadable.get(number)
