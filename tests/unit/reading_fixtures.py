"""Files for the reader tests, made in code, and stand-ins for readers that die or hang."""

from __future__ import annotations

import atexit
import json
import os
import queue
import socket
import struct
import time
import warnings
import zipfile
from pathlib import Path

import pyarrow as pa
import shapely
from pyogrio.raw import write_arrow

from geopipe.io import child, readerprocess, vector
from geopipe.io.delivery import RawDelivery, ReadLimits
from geopipe.io.memory import limit_own_time
from geopipe.io.sources import Source, find_sources
from geopipe.io.vector import read_sources

LAO = "ບ້ານ ໂພນສະຫວັນ"


def squares(count: int = 5) -> list[shapely.Polygon]:
    return [shapely.box(102 + i / 10, 18, 102 + i / 10 + 0.05, 18.05) for i in range(count)]


def table(count: int = 5, **columns: list) -> pa.Table:
    values = {"id": [f"{i:03d}" for i in range(count)], "village": [LAO] * count} | columns
    values = {name: pa.array(items, pa.string()) for name, items in values.items()}
    return pa.table(values | {"geometry": pa.array(shapely.to_wkb(squares(count)), pa.binary())})


def write(
    path: Path,
    driver: str,
    count: int = 5,
    crs: str | None = "EPSG:4326",
    data: pa.Table | None = None,
    **more,
) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more.setdefault("geometry_type", "Polygon")
        data = table(count) if data is None else data
        write_arrow(data, path, driver=driver, geometry_name="geometry", crs=crs, **more)
    return path


def shapefile(folder: Path, name: str = "areas", count: int = 5, **more) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write(folder / f"{name}.shp", "ESRI Shapefile", count, encoding="UTF-8", **more)


def zipped(path: Path, members: dict[str, Path | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, bytes) else content.read_bytes())
    return path


def shapefile_parts(path: Path, name: str) -> dict[str, Path | bytes]:
    return {f"{name}{part.suffix}": part for part in sorted(path.parent.glob(f"{path.stem}.*"))}


def feature(index: int, geometry: object = ...) -> dict:
    shape = json.loads(shapely.to_geojson(squares(index + 1)[index])) if geometry is ... else geometry
    return {"type": "Feature", "properties": {"id": f"{index:03d}", "village": LAO}, "geometry": shape}


def collection(path: Path, features: list[dict]) -> Path:
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8"
    )
    return path


def rename_dbf_field(path: Path, position: int, name: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[32 + 32 * position : 32 + 32 * position + 11] = name.ljust(11, b"\0")[:11]
    path.write_bytes(data)


def delete_dbf_row(path: Path, row: int) -> None:
    data = bytearray(path.read_bytes())
    start, width = struct.unpack("<HH", data[8:12])
    data[start + row * width] = 0x2A
    path.write_bytes(data)


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def read_all(
    paths: list[Path], work: Path, workers: int = 2, limits: ReadLimits | None = None
) -> list[RawDelivery]:
    return list(read_sources(find_sources(paths), work, workers, limits or ReadLimits()))


# One reader process for all tests that read a single file: starting it takes longer than most of them.
SHARED: queue.LifoQueue[readerprocess.Reader] = queue.LifoQueue()
SHARED.put(readerprocess.Reader())
atexit.register(lambda: SHARED.get().retire())


def read(path: Path, limits: ReadLimits | None = None) -> RawDelivery:
    work = path.parent / ".work"
    work.mkdir(exist_ok=True)
    (source,) = find_sources([path])
    assert source.problem is None, source.problem
    answer = vector._ask_one(vector.READER, vector.Request(source), work, SHARED, limits or ReadLimits())
    if answer.death is not None:
        return vector.unread(source, answer.death)
    return vector.with_tables(answer.value, answer.folder)


def rows_of(delivery: RawDelivery) -> int:
    return sum(layer.table.num_rows for layer in delivery.layers)


def dying_reader(source: Source, folder: Path, limits: ReadLimits) -> child.Answer:
    if "bad" in source.path.name:
        os._exit(11)
    return child.read_source(source, folder, limits)


def slow_reader(source: Source, folder: Path, limits: ReadLimits) -> child.Answer:
    if "bad" in source.path.name:
        time.sleep(60)
    return child.read_source(source, folder, limits)


def greedy_reader(source: Source, folder: Path, limits: ReadLimits) -> child.Answer:
    answer = child.read_source(source, folder, limits)
    if "bad" in source.path.name:
        bytearray(4 << 30)
    return answer


def slowly_greedy(*_: object) -> None:
    held = []
    while True:
        held.append(bytearray(b"x") * (50 << 20))
        time.sleep(0.05)


def busy_for_long(*_: object) -> None:
    limit_own_time(1)
    while True:
        pass


def socket_is_refused(*_: object) -> bool:
    try:
        socket.socket().close()
    except PermissionError:
        return True
    return False


def drivers_of_both_libraries(*_: object) -> set[str]:
    from geopipe.io import drivers

    return drivers.driver_names()


def environment_of_reader(*_: object) -> dict[str, str]:
    return dict(os.environ)


def opened_without_a_look(path: Path) -> bool:
    from geopipe.io import drivers

    try:
        drivers.layer_names(path)
    except Exception:
        return False
    return True
