"""Read deliveries in processes of their own, so that no file can take the run down with it."""

from __future__ import annotations

import logging
import queue
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from geopipe.arrowfile import read_arrow_file
from geopipe.io.contents import seconds_for
from geopipe.io.crsnames import describe
from geopipe.io.delivery import Problem, RawDelivery, RawLayer, ReadLimits
from geopipe.io.formats import DRIVERS, Format
from geopipe.io.readerprocess import Reader, ReaderDiedError, ReaderFaultError
from geopipe.io.sources import Source
from geopipe.plain import plain

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


@dataclass(frozen=True)
class Request:
    """One file for a reader process, and what its function is told beside source, folder and limits."""

    source: Source
    told: tuple[object, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back for one file: the function's answer, or how the reader process came to its end.

    `folder` is the file's own; what the function has left there stays.
    """

    value: object
    folder: Path
    death: Problem | None = None


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
    readable = [Request(source) for source in sources if source.problem is None]
    answers = ask_readers(READER, readable, workdir, workers, limits)
    for source in sources:
        if source.problem is not None:
            yield unread(source, source.problem)
            continue
        answer = next(answers)
        if answer.death is not None:
            yield unread(source, answer.death)
        else:
            yield with_tables(cast("tuple[RawDelivery, tuple[str | None, ...]]", answer.value), answer.folder)


def unread(source: Source, problem: Problem) -> RawDelivery:
    """Return the delivery of a file of which nothing could be read."""
    return RawDelivery(source.path, DRIVERS[source.format], problem=problem)


def with_tables(answer: tuple[RawDelivery, tuple[str | None, ...]], folder: Path) -> RawDelivery:
    """Return what a reader read, its tables mapped to the files that it left in its folder."""
    delivery, files = answer
    layers = tuple(_mapped(layer, file) for layer, file in zip(delivery.layers, files, strict=True))
    _tidy(folder)
    return replace(delivery, layers=layers)


def ask_readers(
    function: str, requests: Sequence[Request], workdir: Path, workers: int, limits: ReadLimits
) -> Iterator[Answer]:
    """Let reader processes work on files side by side; yield the answers in the order of the requests.

    Parameters
    ----------
    function : str
        `module:name` of what the process calls with source, folder, limits and what it is told beside.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    workers = max(1, min(workers, len(requests)))
    idle: queue.LifoQueue[Reader] = queue.LifoQueue()
    readers = [Reader() for _ in range(workers)]
    for reader in readers:
        idle.put(reader)
    with ThreadPoolExecutor(workers, thread_name_prefix="reader") as pool:
        order = sorted(range(len(requests)), key=lambda at: -cost(requests[at].source))
        futures = {at: pool.submit(_ask_one, function, requests[at], workdir, idle, limits) for at in order}
        try:
            for at in range(len(requests)):
                yield futures.pop(at).result()
        finally:
            for future in futures.values():
                future.cancel()
            for reader in readers:
                reader.retire()


def cost(source: Source) -> int:
    """Return how long a file will probably take, in no particular unit."""
    try:
        return source.path.stat().st_size * SLOW.get(source.format, 1)
    except OSError:
        return 0


def _ask_one(
    function: str, request: Request, workdir: Path, idle: queue.LifoQueue[Reader], limits: ReadLimits
) -> Answer:
    """Have one file worked on in a free reader process."""
    folder = Path(tempfile.mkdtemp(prefix="read-", dir=workdir)).resolve()
    seconds = seconds_for(request.source, limits)
    reader = idle.get()
    try:
        arguments = (request.source, folder, limits, *request.told)
        return Answer(_ask_twice(reader, function, arguments, limits, seconds), folder)
    except ReaderDiedError:
        shutil.rmtree(folder, ignore_errors=True)
        return Answer(None, folder, _death(request.source, reader, limits, seconds))
    except ReaderFaultError as fault:  # a fault of geopipe's, but it takes this file to show it
        logging.getLogger(__name__).error("%s", fault.trace)
        shutil.rmtree(folder, ignore_errors=True)
        return Answer(None, folder, _fault(request.source, fault))
    finally:
        idle.put(reader)


def _ask_twice(
    reader: Reader, function: str, arguments: tuple[object, ...], limits: ReadLimits, seconds: float
) -> object:
    """Return the answer for a file, at the second attempt from a process that has read nothing else.

    An earlier file may have damaged the memory of the process: only a fresh one proves the file guilty.
    """
    try:
        return reader.ask(function, arguments, seconds, limits.memory_bytes)
    except ReaderDiedError:
        if reader.out_of_time:
            raise
        return reader.ask(function, arguments, seconds, limits.memory_bytes)


def _death(source: Source, reader: Reader, limits: ReadLimits, seconds: float) -> Problem:
    """Say how the reader process came to its end."""
    name = plain(source.path.name)
    if reader.out_of_time:
        sentence = f"{name}: reading took longer than {seconds:,.0f} seconds and was stopped."
        return Problem("TIME_LIMIT", f"{sentence} Split the file, or raise the limit.")
    if reader.out_of_memory:
        most = f"{(limits.memory_bytes or 0) / 1e6:,.0f} MB" if limits.memory_bytes else "there is"
        sentence = f"{name}: reading needs more memory than {most} and was stopped."
        return Problem("MEMORY_LIMIT", f"{sentence} Split the file, or raise limits.memory_mb.")
    sentence = f"{name}: the file makes the reader crash. The other files were read. Ask for a new copy."
    return Problem("READER_CRASHED", sentence)


def _fault(source: Source, fault: ReaderFaultError) -> Problem:
    """Say that geopipe itself failed over a file."""
    sentence = f"{plain(source.path.name)}: geopipe failed over this file ({plain(fault.args[0])})."
    remedy = "Nothing of it is used. Please report this, with the file if you can."
    return Problem("READER_FAILED", f"{sentence} {remedy}")


def _mapped(layer: RawLayer, file: str | None) -> RawLayer:
    """Return the layer with its table mapped from disk and its CRS in words."""
    table = layer.table if file is None else read_arrow_file(file)
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
