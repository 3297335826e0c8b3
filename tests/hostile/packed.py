"""Archives built to do harm."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

from hostile.trap import Trap, add, feature, geojson, hostile

PACKED = "archives"
GOOD = geojson(feature())


def zipped(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return path


def in_memory(*members: tuple[str, bytes | str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return sink.getvalue()


NAMES = {
    "parent": "../areas.geojson",
    "absolute": "/tmp/areas.geojson",
    "inner_parent": "a/../../areas.geojson",
    "drive": "C:/areas.geojson",
    "drive_without_slash": "C:areas.geojson",
    "backslashes": "..\\areas.geojson",
    "unc": "\\\\server\\share\\areas.geojson",
    "device": "CON.geojson",
    "device_in_a_folder": "aux/areas.geojson",
    "dots_and_spaces": "areas.geojson. ",
    "stream": "areas.geojson:hidden",
    "line_end": "areas\n.geojson",
    "formula": "=cmd|' /C calc'!A0.geojson",
    "markup": "<script>alert(1)</script>.geojson",
    "bidi": "areas\u202egnp.geojson",
    "very_long": "a" * 5000 + ".geojson",
    "vsi": "vsicurl/http:/127.0.0.1/a.geojson",
}
for _word, _name in NAMES.items():
    add(
        PACKED,
        f"zip_name_{_word}",
        lambda folder, trap, name=_name: zipped(folder / "areas.zip", (name, GOOD)),
    )


@hostile(PACKED)
def zip_name_with_nul(folder: Path, trap: Trap) -> None:
    data = in_memory(("areasXX.geojson", GOOD)).replace(b"areasXX", b"areas\0X")
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_with_the_same_name_twice(folder: Path, trap: Trap) -> None:
    data = in_memory(("areas.geojson", GOOD), ("areas.geojsoX", geojson(feature(cha_id="X-2"))))
    (folder / "areas.zip").write_bytes(data.replace(b"geojsoX", b"geojson"))


@hostile(PACKED)
def zip_with_names_of_one_case(folder: Path, trap: Trap) -> None:
    zipped(folder / "areas.zip", ("areas.geojson", GOOD), ("AREAS.GEOJSON", GOOD), ("Areas.geojson/", b""))


@hostile(PACKED)
def zip_whose_names_differ(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("areas.geojson", GOOD)))
    data[30:35] = b"../ar"
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_with_a_link(folder: Path, trap: Trap) -> None:
    info = zipfile.ZipInfo("areas.geojson")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    zipped(folder / "areas.zip", (info, str(trap["canary.geojson"])))


@hostile(PACKED)
def zip_with_a_device(folder: Path, trap: Trap) -> None:
    info = zipfile.ZipInfo("areas.geojson")
    info.create_system, info.external_attr = 3, 0o020666 << 16
    zipped(folder / "areas.zip", (info, GOOD))


@hostile(PACKED)
def zip_with_a_password(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("areas.geojson", GOOD)))
    data[6] |= 1
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_bomb(folder: Path, trap: Trap) -> None:
    zipped(folder / "areas.zip", ("areas.geojson", b" " * (100 << 20)))


@hostile(PACKED)
def zip_bomb_of_many_members(folder: Path, trap: Trap) -> None:
    zipped(folder / "areas.zip", *[(f"{n}.geojson", b" " * (2 << 20)) for n in range(50)])


@hostile(PACKED)
def zip_bomb_that_lies(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("areas.geojson", b" " * (100 << 20))))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)
    (folder / "areas.zip").write_bytes(data)


def _overlapping(count: int, size: int) -> bytes:
    """Return an archive whose members all are the same bytes."""
    body = zlib.compress(b" " * size, 9)[2:-4]
    crc = zlib.crc32(b" " * size)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, crc, len(body), size, 1, 0) + b"a" + body
    names = (f"{n:05d}.geojson".encode() for n in range(count))
    numbers = 0x02014B50, 20, 20, 0, 8, 0, 0, crc, len(body), size, 13, 0, 0, 0, 0, 0, 0
    head = struct.pack("<IHHHHHHIIIHHHHHII", *numbers)
    central = b"".join(head + name for name in names)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(central), len(local), 0)
    return local + central + end


@hostile(PACKED)
def zip_of_overlapping_members(folder: Path, trap: Trap) -> None:
    (folder / "areas.zip").write_bytes(_overlapping(1500, 1 << 20))


@hostile(PACKED)
def zip_of_very_many_members(folder: Path, trap: Trap) -> None:
    (folder / "areas.zip").write_bytes(_overlapping(60_000, 10))


@hostile(PACKED)
def zip_of_very_many_folders(folder: Path, trap: Trap) -> None:
    data = _overlapping(60_000, 10).replace(b".geojson", b".folder/")
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_inside_zip_inside_zip(folder: Path, trap: Trap) -> None:
    data = in_memory(("areas.geojson", GOOD))
    for _ in range(30):
        data = in_memory(("areas.zip", data))
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_that_holds_bombs(folder: Path, trap: Trap) -> None:
    bomb = in_memory(("a", b" " * (20 << 20)))
    zipped(folder / "areas.zip", *[(f"{n}.zip", bomb) for n in range(100)], ("areas.geojson", GOOD))


@hostile(PACKED)
def zip_of_a_method_nobody_knows(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("areas.geojson", GOOD)))
    at = data.find(b"PK\x01\x02")
    data[8:10] = data[at + 10 : at + 12] = b"\x63\x00"
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_of_a_newer_version(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("areas.geojson", GOOD)))
    at = data.find(b"PK\x01\x02")
    data[4:6] = data[at + 6 : at + 8] = b"\xff\x00"
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_whose_list_is_false(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("areas.geojson", GOOD)))
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = b"\xff\xff\xff\x7f"
    (folder / "areas.zip").write_bytes(data)


@hostile(PACKED)
def zip_whose_extra_field_is_false(folder: Path, trap: Trap) -> None:
    info = zipfile.ZipInfo("areas.geojson")
    info.extra = b"\x01\x00\xff\xff" + b"\xff" * 8
    zipped(folder / "areas.kmz", (info, GOOD))


@hostile(PACKED)
def zip_with_names_that_are_no_text(folder: Path, trap: Trap) -> None:
    data = bytearray(in_memory(("\u0e9a\u0e9a.geojson", GOOD)))
    raw = "\u0e9a\u0e9a".encode()
    (folder / "areas.zip").write_bytes(bytes(data).replace(raw, b"\xff\xfe" * (len(raw) // 2)))


@hostile(PACKED)
def gzip_bomb(folder: Path, trap: Trap) -> None:
    (folder / "areas.geojson.gz").write_bytes(gzip.compress(b" " * (100 << 20)))


@hostile(PACKED)
def gzip_inside_gzip(folder: Path, trap: Trap) -> None:
    data = GOOD.encode()
    for _ in range(20):
        data = gzip.compress(data)
    (folder / "areas.geojson.gz").write_bytes(data)


@hostile(PACKED)
def gzip_whose_name_leads_outside(folder: Path, trap: Trap) -> None:
    with (
        (folder / "areas.kml.gz").open("wb") as sink,
        gzip.GzipFile("../../evil.kml", "wb", fileobj=sink) as file,
    ):
        file.write(b"<kml></kml>")


@hostile(PACKED)
def kmz_that_refers_outside(folder: Path, trap: Trap) -> None:
    from hostile.trap import kml

    link = f"<NetworkLink><Link><href>../../{trap['canary.kml']}</href></Link></NetworkLink>"
    zipped(folder / "areas.kmz", ("doc.kml", kml(link)), ("files/../../x.kml", kml("")))


@hostile(PACKED)
def shapefile_whose_parts_are_links(folder: Path, trap: Trap) -> None:
    info = zipfile.ZipInfo("areas.dbf")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    zipped(folder / "areas.zip", ("areas.shp", trap["canary.shp"].read_bytes()),
           ("areas.shx", trap["canary.shx"].read_bytes()), (info, str(trap["canary.dbf"])))  # fmt: skip
