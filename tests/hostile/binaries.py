"""Binary files whose headers lie: shapefile, FlatGeobuf, GeoParquet, File Geodatabase, and plain noise."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

from hostile.trap import Trap, add, hostile, write

BINARIES = "binaries"
Change = Callable[[bytearray], object]


def _put(at: int, form: str, *values: object) -> Change:
    def change(data: bytearray) -> None:
        raw = struct.pack(form, *values)
        data[at : at + len(raw)] = raw

    return change


def _part(name: str, suffix: str, change: Change) -> None:
    """Register a shapefile one part of which has been changed."""

    def make(folder: Path, trap: Trap) -> None:
        path = write(folder / "areas.shp", "ESRI Shapefile").with_suffix(suffix)
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)

    add(BINARIES, name, make)


_part("dbf_of_very_many_rows", ".dbf", _put(4, "<I", 0xFFFFFFFF))
_part("dbf_of_rows_that_overflow", ".dbf", _put(4, "<IHH", 0x10001, 0xFFFF, 0xFFFF))
_part("dbf_of_no_width", ".dbf", _put(10, "<H", 0))
_part("dbf_whose_rows_start_nowhere", ".dbf", _put(8, "<H", 0xFFFF))
_part("dbf_whose_rows_start_in_the_header", ".dbf", _put(8, "<H", 33))
_part("dbf_with_wide_fields", ".dbf", _put(32 + 16, "<BB", 255, 255))
_part("dbf_with_a_field_of_no_width", ".dbf", _put(32 + 16, "<BB", 0, 0))
_part("dbf_with_an_unknown_type", ".dbf", _put(32 + 11, "<c", b"\xff"))
_part("dbf_with_equal_names", ".dbf", lambda data: data.__setitem__(slice(64, 75), data[32:43]))
_part("dbf_without_end_of_fields", ".dbf", lambda data: data.__setitem__(slice(96, 97), b"A"))
_part("shx_that_points_outside", ".shx", _put(100, ">ii", 0x7FFFFFFF, 0x7FFFFFFF))
_part("shx_that_points_before", ".shx", _put(100, ">ii", -50, -50))
_part("shx_whose_shapes_are_one", ".shx", lambda data: data.__setitem__(slice(108, 116), data[100:108]))
_part("shx_of_false_length", ".shx", _put(24, ">i", 0x7FFFFFFF))
_part("shp_of_false_length", ".shp", _put(24, ">i", 0x7FFFFFFF))
_part("shp_of_negative_length", ".shp", _put(24, ">i", -1))
_part("shp_of_another_type", ".shp", _put(32, "<i", 31))
_part("shp_of_false_box", ".shp", _put(36, "<4d", float("nan"), float("inf"), -1e308, 1e308))
_part("shp_with_endless_points", ".shp", _put(100 + 8 + 4 + 32, "<ii", 1, 0x7FFFFFFF))
_part("shp_with_endless_parts", ".shp", _put(100 + 8 + 4 + 32, "<ii", 0x7FFFFFFF, 5))
_part("shp_with_negative_counts", ".shp", _put(100 + 8 + 4 + 32, "<ii", -1, -1))
_part("shp_whose_parts_overlap", ".shp", _put(100 + 8 + 4 + 40, "<i", 0x7FFFFFF0))
_part("shp_of_nan", ".shp", _put(100 + 8 + 4 + 44, "<4d", *[float("nan")] * 4))
_part("shp_of_infinity", ".shp", _put(100 + 8 + 4 + 44, "<4d", 1e308, -1e308, float("inf"), float("-inf")))
_part("shp_of_records_of_no_length", ".shp", _put(100, ">ii", 1, 0))
_part("cpg_of_nonsense", ".cpg", lambda data: data.__setitem__(slice(None), b"../../etc/passwd\0\xff" * 1000))
_part("prj_of_noise", ".prj", lambda data: data.__setitem__(slice(None), b"\xff\x00" * 100_000))


@hostile(BINARIES)
def dbf_of_255_fields(folder: Path, trap: Trap) -> None:
    path = write(folder / "areas.shp", "ESRI Shapefile")
    fields = b"".join(f"F{n:09d}".encode() + b"\0C\0\0\0\0\xfe\0" + b"\0" * 14 for n in range(255))
    start, width = 32 + len(fields) + 1, 1 + 254 * 255
    head = struct.pack("<4BIHH20x", 3, 126, 1, 1, 2, start, width)
    path.with_suffix(".dbf").write_bytes(head + fields + b"\r" + b"\x20" * (2 * width))


def _noise(name: str, driver: str, suffix: str, seed: int) -> None:
    """Register a file of which some bytes are others."""

    def make(folder: Path, trap: Trap) -> None:
        path = write(folder / f"areas{suffix}", driver)
        data, chance = bytearray(path.read_bytes()), random.Random(seed)
        for _ in range(max(3, len(data) // 200)):
            data[chance.randrange(16, len(data))] = chance.randrange(256)
        path.write_bytes(data)

    add(BINARIES, name, make)


for _seed in range(4):
    _noise(f"fgb_with_noise_{_seed}", "FlatGeobuf", ".fgb", _seed)
    _noise(f"gpkg_with_noise_{_seed}", "GPKG", ".gpkg", _seed)
    _noise(f"shp_with_noise_{_seed}", "ESRI Shapefile", ".shp", _seed)


def _fgb(name: str, change: Change) -> None:
    def make(folder: Path, trap: Trap) -> None:
        path = write(folder / "areas.fgb", "FlatGeobuf")
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)

    add(BINARIES, name, make)


_fgb("fgb_of_false_header_length", _put(8, "<I", 0xFFFFFFFF))
_fgb("fgb_of_false_offsets", _put(12, "<I", 0x7FFFFFFF))
_fgb("fgb_cut", lambda data: data.__delitem__(slice(len(data) // 2, None)))


@hostile(BINARIES)
def parquet_of_false_footer(folder: Path, trap: Trap) -> None:
    (folder / "areas.parquet").write_bytes(b"PAR1" + b"\xff" * 500 + struct.pack("<I", 0x7FFFFFFF) + b"PAR1")


def parquet(path: Path, **geo: object) -> Path:
    """Write squares as GeoParquet with something else in their description."""
    import json

    import pyarrow.parquet as pq

    from hostile.trap import table

    columns = {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"], **geo}}
    told = {"version": "1.0.0", "primary_column": "geometry", "columns": columns}
    pq.write_table(table().replace_schema_metadata({"geo": json.dumps(told)}), path)
    return path


@hostile(BINARIES)
def parquet_whose_crs_is_an_address(folder: Path, trap: Trap) -> None:
    parquet(folder / "areas.parquet", crs=f"{trap.url}/crs.json")


@hostile(BINARIES)
def parquet_whose_crs_has_a_grid(folder: Path, trap: Trap) -> None:
    parquet(folder / "areas.parquet", crs=f"+proj=longlat +nadgrids={trap['canary.txt']} +type=crs")


@hostile(BINARIES, is_slow=True)
def parquet_that_unpacks_to_much(folder: Path, trap: Trap) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hostile.trap import table

    long = pa.array(["x" * 1000] * 400_000).dictionary_encode()
    wide = pa.table({"remark": long, "geometry": pa.nulls(len(long), pa.binary())})
    del table
    told = b'{"version":"1.0.0","primary_column":"geometry","columns":{"geometry":{"encoding":"WKB","geometry_types":[]}}}'
    pq.write_table(wide.replace_schema_metadata({b"geo": told}), folder / "areas.parquet", compression="gzip")


@hostile(BINARIES)
def geodatabase_of_noise(folder: Path, trap: Trap) -> None:
    inside, chance = folder / "areas.gdb", random.Random(1)
    inside.mkdir()
    for name in ("a00000001.gdbtable", "a00000001.gdbtablx", "a00000004.gdbtable", "gdb"):
        head = struct.pack("<iiiiiiqq", 3, 0x7FFFFFFF, 0x7FFFFFFF, 5, 0, 0, 100, 40)
        (inside / name).write_bytes(head + chance.randbytes(2000))


@hostile(BINARIES)
def xls_of_noise(folder: Path, trap: Trap) -> None:
    (folder / "areas.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.Random(2).randbytes(5000))


@hostile(BINARIES, is_slow=True)
def xls_whose_chain_is_a_circle(folder: Path, trap: Trap) -> None:
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIIII", head, 44, 1, 0, 0, 4096, 0, 1, 0, 0, 0)
    (folder / "areas.xls").write_bytes(bytes(head) + struct.pack("<128I", *[0] * 128) * 4)
