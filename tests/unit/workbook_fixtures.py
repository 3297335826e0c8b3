"""Workbooks for the reader tests: zipped parts changed one by one, and the old binary format by hand."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
ODS_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("table", "table"), ("text", "text"))
)


def changed(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """Write the workbook again with one of its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def ods(path: Path, rows: list[list[object]], declared: str = "", repeat: int = 1) -> Path:
    """Write an OpenDocument sheet; the last row is repeated."""

    def cell(value: object) -> str:
        kind = f'float" office:value="{value}' if isinstance(value, (int, float)) else "string"
        return f'<table:table-cell office:value-type="{kind}"><text:p>{value}</text:p></table:table-cell>'

    lines = []
    for at, row in enumerate(rows, start=1):
        times = f' table:number-rows-repeated="{repeat}"' if at == len(rows) and repeat > 1 else ""
        lines.append(f"<table:table-row{times}>{''.join(map(cell, row))}</table:table-row>")
    # Every office program fills the sheet to its last line and column like this.
    lines.append(
        '<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
    )
    body = f'<table:table table:name="Areas">{"".join(lines)}</table:table>'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{declared}<office:document-content {ODS_NAMES}>'
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return path


def xls(path: Path, rows: list[list[object]]) -> Path:
    """Write a binary workbook (BIFF8) with one sheet of texts and numbers."""
    name = b"Areas"
    bound = struct.pack("<IBBB", 0, 0, 0, len(name)) + b"\0" + name
    opening = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    start = len(opening) + 4 + len(bound) + 4
    bound = struct.pack("<I", start) + bound[4:]
    stream = opening + _record(0x0085, bound) + _record(0x000A, b"")
    stream += _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HHH", line, column, 0)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                stream += _record(0x0204, place + struct.pack("<HB", len(value), 1) + text)
            else:
                stream += _record(0x0203, place + struct.pack("<d", value))
    return compound(path, "Workbook", stream + _record(0x000A, b""))


def _record(code: int, data: bytes) -> bytes:
    return struct.pack("<HH", code, len(data)) + data


def compound(path: Path, name: str, stream: bytes) -> Path:
    """Write an OLE2 file with one stream: sector 0 is the table, sector 1 the directory, then the stream."""
    stream = stream.ljust(4096, b"\0")  # shorter ones would stand in another place
    count = -(-len(stream) // SECTOR)
    chain = [FAT, END, *range(3, count + 2), END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(SECTOR, b"\xff")
    directory = _entry("Root Entry", 5, FREE, 1, END, 0) + _entry(name, 2, FREE, FREE, 2, len(stream))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    head += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0)
    head += struct.pack("<I", 0) + b"\xff" * 432
    body = table + directory.ljust(SECTOR, b"\0") + stream.ljust(count * SECTOR, b"\0")
    path.write_bytes(head + body)
    return path


def _entry(name: str, kind: int, left: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2, kind, 1)
    return head + struct.pack("<III", left, FREE, child) + bytes(36) + struct.pack("<IQ", start, size)
