"""Read deliveries in processes of their own, so that no file can take the run down with it."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pyarrow as pa

from geopipe.io.crsnames import describe
from geopipe.io.delivery import Problem, RawDelivery, RawLayer, ReadLimits
from geopipe.io.drivers import gdal_environment
from geopipe.io.formats import DRIVERS, Format
from geopipe.io.sources import Source

READER = "geopipe.io.child:read_source"
# Reading a text format costs several times as much per byte: those begin first.
SLOW = {
    Format.KML: 5,
    Format.GEOJSON: 5,
    Format.GEOJSONSEQ: 6,
    Format.TABLE: 3,
    Format.WORKBOOK: 30,
    Format.ARCHIVE: 5,
    Format.GZIP: 30,
}


class ReaderDiedError(Exception):
    """A reader process ended before it answered."""


class _Reader:
    """One reader process, started when it is first needed and again after each death."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.out_of_time = False
        self.retired = False

    def ask(self, name: str, arguments: tuple[object, ...], seconds: float) -> object:
        """Return the answer of a function in the process; raise ReaderDiedError when none comes."""
        if self.retired:
            raise ReaderDiedError
        process = self.process or self._start()
        self.out_of_time = False
        timer = threading.Timer(seconds, self._stop_late)
        timer.daemon = True
        timer.start()
        try:
            if process.stdin is None or process.stdout is None:
                raise ReaderDiedError
            pickle.dump((name, arguments), process.stdin)
            process.stdin.flush()
            return pickle.load(process.stdout)  # noqa: S301
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self.close()
            raise ReaderDiedError from error
        finally:
            timer.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        # Not multiprocessing: its spawn runs the user's own script again, and imports what that imports.
        code = f"import sys; sys.path[:] = {sys.path!r}; from geopipe.io.child import serve; serve()"
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-X", "utf8", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=gdal_environment(os.environ),
        )
        return self.process

    def _stop_late(self) -> None:
        self.out_of_time = True
        if self.process is not None:
            self.process.kill()

    def retire(self) -> None:
        """End the process for good."""
        self.retired = True
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    # A pipe whose reader is gone has nothing left to flush.
                    with contextlib.suppress(OSError):
                        pipe.close()
            process.wait()


def read_sources(
    sources: Sequence[Source],
    workdir: Path,
    workers: int = 2,
    limits: ReadLimits = ReadLimits(),  # noqa: B008  frozen
) -> Iterator[RawDelivery]:
    """Read files side by side and yield them in the order in which they were given.

    Parameters
    ----------
    sources : sequence of Source
        What `find_sources` found.
    workdir : Path
        Folder for unpacked and intermediate files; the tables stay mapped to files in it.
    workers : int, optional
        Number of reader processes.
    limits : ReadLimits, optional
        What one file may cost.

    Yields
    ------
    RawDelivery
        One per source, readable or not.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    readable = [source for source in sources if source.problem is None]
    workers = max(1, min(workers, len(readable)))
    idle: queue.LifoQueue[_Reader] = queue.LifoQueue()
    readers = [_Reader() for _ in range(workers)]
    for reader in readers:
        idle.put(reader)
    with ThreadPoolExecutor(workers, thread_name_prefix="reader") as pool:
        futures: dict[int, Future[RawDelivery]] = {}
        for position in sorted(range(len(sources)), key=lambda at: -_cost(sources[at])):
            if sources[position].problem is None:
                futures[position] = pool.submit(_read_one, sources[position], workdir, idle, limits)
        try:
            for position, source in enumerate(sources):
                if position in futures:
                    yield futures.pop(position).result()
                else:
                    yield RawDelivery(source.path, DRIVERS[source.format], problem=source.problem)
        finally:
            for future in futures.values():
                future.cancel()
            for reader in readers:
                reader.retire()


def _cost(source: Source) -> int:
    """Return how long a file will probably take, in no particular unit."""
    try:
        return source.path.stat().st_size * SLOW.get(source.format, 1)
    except OSError:
        return 0


def _read_one(
    source: Source, workdir: Path, idle: queue.LifoQueue[_Reader], limits: ReadLimits
) -> RawDelivery:
    """Read one file in a free reader process."""
    folder = Path(tempfile.mkdtemp(prefix="read-", dir=workdir)).resolve()
    reader = idle.get()
    try:
        answer = _ask_twice(reader, (source, folder, limits), limits)
    except ReaderDiedError:
        shutil.rmtree(folder, ignore_errors=True)
        return RawDelivery(source.path, DRIVERS[source.format], problem=_death(source, reader, limits))
    finally:
        idle.put(reader)
    delivery, files = cast("tuple[RawDelivery, tuple[str, ...]]", answer)
    layers = tuple(_mapped(layer, file) for layer, file in zip(delivery.layers, files, strict=True))
    _tidy(folder)
    return replace(delivery, layers=layers)


def _ask_twice(reader: _Reader, arguments: tuple[object, ...], limits: ReadLimits) -> object:
    """Return the answer for a file, at the second attempt from a process that has read nothing else.

    An earlier file may have damaged the memory of the process: only a fresh one proves the file guilty.
    """
    try:
        return reader.ask(READER, arguments, limits.seconds)
    except ReaderDiedError:
        if reader.out_of_time:
            raise
        return reader.ask(READER, arguments, limits.seconds)


def _death(source: Source, reader: _Reader, limits: ReadLimits) -> Problem:
    """Say how the reader process came to its end."""
    name = source.path.name
    if reader.out_of_time:
        sentence = f"{name}: reading took longer than {limits.seconds:,.0f} seconds and was stopped."
        return Problem("TIME_LIMIT", f"{sentence} Split the file, or raise the limit.")
    sentence = f"{name}: the file makes the reader crash. The other files were read. Ask for a new copy."
    return Problem("READER_CRASHED", sentence)


def _mapped(layer: RawLayer, file: str) -> RawLayer:
    """Return the layer with its table mapped from disk and its CRS in words."""
    table = pa.ipc.open_file(pa.memory_map(file, "r")).read_all()
    wkt, name, problem = describe(layer.crs_wkt)
    notes = layer.notes
    if problem is not None:
        notes = (*notes, Problem("CRS_UNREADABLE", f"{layer.name}: {problem}"))
    return replace(layer, table=table, crs_wkt=wkt, crs_name=name, notes=notes)


def _tidy(folder: Path) -> None:
    """Remove unpacked files; only the Arrow files are still needed."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix != ".arrow":
            path.unlink(missing_ok=True)
