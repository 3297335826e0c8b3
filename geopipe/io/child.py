"""The reader process: it opens one file after the other, and may die of one without harm.

Hostile and damaged files are opened here and nowhere else. Tables travel as Arrow files in the work
folder; only their descriptions go through the pipe.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import select
import shutil
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from geopipe.errors import DISK_FULL, GeopipeError
from geopipe.io import drivers
from geopipe.io.answers import Failure
from geopipe.io.archive import Member, unpack_gzip, unpack_zip
from geopipe.io.contents import content_hash, seconds_for, size_of
from geopipe.io.delivery import (
    NO_ROOM,
    Problem,
    RawDelivery,
    RawLayer,
    ReadLimits,
    RefusedError,
    believed,
    is_possible,
    judged,
    no_records,
    refused_layer,
)
from geopipe.io.esrijson import read_esrijson
from geopipe.io.formats import DRIVERS, Format, ends_open, format_of, refined, require_beginning
from geopipe.io.geojson import read_geojson, read_sequence
from geopipe.io.geoparquet import read_geoparquet
from geopipe.io.gpx import read_gpx
from geopipe.io.imsma import read_imsma
from geopipe.io.job import Job, reason_of
from geopipe.io.kml import read_kml
from geopipe.io.layered import read_flatgeobuf, read_geodatabase, read_geopackage
from geopipe.io.maxml import read_maxml
from geopipe.io.memory import OUT_OF_MEMORY, limit_own_memory, limit_own_time
from geopipe.io.offline import go_offline
from geopipe.io.shapefile import companions, read_shapefile
from geopipe.io.sources import Source
from geopipe.io.tabular.tables import read_table
from geopipe.io.tabular.workbook import read_workbook
from geopipe.plain import plain
from geopipe.processes import leave_out_data_frames

READERS: dict[Format, Callable[[Job], list[RawLayer]]] = {
    Format.SHAPEFILE: read_shapefile,
    Format.GEOPACKAGE: read_geopackage,
    Format.FILEGDB: read_geodatabase,
    Format.GEOJSON: read_geojson,
    Format.GEOJSONSEQ: read_sequence,
    Format.ESRIJSON: read_esrijson,
    Format.KML: read_kml,
    Format.GPX: read_gpx,
    Format.MAXML: read_maxml,
    Format.IMSMA: read_imsma,
    Format.FLATGEOBUF: read_flatgeobuf,
    Format.GEOPARQUET: read_geoparquet,
    Format.TABLE: read_table,
    Format.WORKBOOK: read_workbook,
}
# These readers hand the file's name to GDAL, which takes some signs in it for an address.
OPENED_BY_GDAL = (
    Format.SHAPEFILE,
    Format.GEOPACKAGE,
    Format.FILEGDB,
    Format.GEOJSON,
    Format.GEOJSONSEQ,
    Format.ESRIJSON,
    Format.KML,
    Format.FLATGEOBUF,
)
Answer = tuple[RawDelivery, tuple[str | None, ...]]


def serve() -> None:
    """Answer requests on the standard input until it ends."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    # Libraries print where they like; the pipe carries answers only.
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    go_offline()  # before any thread is there: each one has its own filter
    threading.Thread(target=_end_with_parent, args=(requests.fileno(),), daemon=True).start()
    leave_out_data_frames()
    # Millions of small values are made and none of them in circles: looking for circles only costs time.
    gc.disable()
    gc.freeze()
    while True:
        try:
            name, arguments = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        module, _, function = name.partition(":")
        try:
            answer = getattr(importlib.import_module(module), function)(*arguments)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)  # what is left of the process is not to be trusted
        except GeopipeError as error:
            answer = error
        except Exception as error:
            if "bad_alloc" in str(error):  # what GEOS says of memory
                os._exit(OUT_OF_MEMORY)
            answer = Failure(type(error).__name__, str(error), traceback.format_exc())
        gc.collect()
        pa.default_memory_pool().release_unused()
        gc.freeze()  # the libraries that this file needed are not looked through again
        pickle.dump(answer, answers)
        answers.flush()


def _end_with_parent(requests: int) -> None:
    """End this process, whatever it does, when nobody is there who could take its answer.

    A run that was killed may be started again at once: what it has asked would write beside it, and need
    memory. On Windows nobody can wait for that: the process ends after its answer.
    """
    if hasattr(select, "poll"):
        gone = select.poll()
        gone.register(requests, 0)  # not for requests: only that their other end is closed is told
        gone.poll()
        os._exit(0)


def read_source(source: Source, folder: Path, limits: ReadLimits) -> Answer:
    """Read one file completely; whatever is wrong with it becomes its problem.

    Parameters
    ----------
    source : Source
        The file to read.
    folder : Path
        An own folder for unpacked files and Arrow files.
    limits : ReadLimits
        What the file may cost.

    Returns
    -------
    tuple
        The delivery with empty tables, and for each layer the Arrow file that holds its table.
    """
    limit_own_memory(limits.memory_bytes)
    limit_own_time(seconds_for(source, limits))
    label = plain(source.path.name)
    kind = format_of(source.path.stem) if source.format is Format.GZIP else source.format
    blank = RawDelivery(source.path, DRIVERS[kind])
    try:
        _require_size(source, limits)
        blank = replace(blank, content_hash=content_hash(source), driver=DRIVERS[refined(source.path, kind)])
        job = Job(source.path.absolute(), label, _stem(source.path), folder, limits)
        layers = _read(job, source.format)
    except RefusedError as refusal:
        counted = {"records_counted": refusal.counted, "count_method": refusal.method}
        return replace(blank, problem=refusal.problem, **counted), ()  # type: ignore[arg-type]
    except OSError as error:
        code, sentence = (
            "FILE_UNREADABLE",
            (f"{label}: the file cannot be opened ({reason_of(error)}). Check the drive and your rights."),
        )
        if error.errno in DISK_FULL:
            code, sentence = NO_ROOM, reason_of(error)
        return replace(blank, problem=Problem(code, sentence)), ()
    except MemoryError:
        raise
    except Exception as error:
        remedy = "Please report this, with the file if you can"
        return replace(blank, problem=_failure(label, error, remedy)), ()
    try:
        return _kept(blank, layers, folder)
    except OSError as error:  # the file was read: it is the temporary folder that refuses
        return replace(blank, problem=Problem(NO_ROOM, reason_of(error))), ()


def _require_size(source: Source, limits: ReadLimits) -> None:
    """Refuse a file that is larger than the limit, before a byte of it is read."""
    size = size_of(source)
    if size > limits.file_bytes:
        sentence = f"{plain(source.path.name)}: the file has {size / 1e6:,.0f} MB, more than the limit of"
        sentence = f"{sentence} {limits.file_bytes / 1e6:,.0f} MB. Split it, or raise limits.file_mb."
        raise RefusedError(Problem("FILE_TOO_LARGE", sentence))


def _failure(label: str, error: Exception, remedy: str) -> Problem:
    """Say what became of a file that a reader did not expect."""
    if isinstance(error, UnicodeDecodeError):  # libraries give names of columns and tables as text
        sentence = f"{label}: the file is damaged: a text in it cannot be read. Ask for a new copy."
        return Problem("FILE_UNREADABLE", sentence)
    sentence = f"{label}: the reader failed ({type(error).__name__} {reason_of(error)}). {remedy}."
    return Problem("READER_FAILED", sentence)


def _kept(delivery: RawDelivery, layers: list[RawLayer], folder: Path) -> Answer:
    """Write the tables of the layers as Arrow files; return the delivery without them, and the files."""
    files = tuple(
        _keep(layer.table, folder / f"layer{number:04d}.arrow") for number, layer in enumerate(layers)
    )
    empty = tuple(replace(layer, table=no_records()) for layer in layers)
    return replace(delivery, layers=empty), files


def _stem(path: Path) -> str:
    """Return the name of a file without its one or two suffixes."""
    name = path.stem
    return Path(name).stem if path.suffix.lower() == ".gz" else name


def _read(job: Job, kind: Format) -> list[RawLayer]:
    """Return the layers of a file of any format; no count is believed that the file is too small for."""
    try:
        return [believed(layer, job.path) for layer in _layers(job, kind)]
    except RefusedError as refusal:
        if is_possible(refusal.counted, job.path):
            raise
        raise RefusedError(refusal.problem) from refusal


def _layers(job: Job, kind: Format) -> list[RawLayer]:
    """Return the layers of a file as its reader gives them."""
    require_beginning(job.path, kind, job.label)
    if kind is Format.ARCHIVE:
        return _read_archive(job)
    if kind is Format.GZIP:
        inner = unpack_gzip(job.path, job.folder, job.limits, job.label)
        return _read(replace(job, path=inner), format_of(inner.name))
    kind = refined(job.path, kind)
    layers = READERS[kind](_staged(job, kind) if kind in OPENED_BY_GDAL else job)
    if kind in (Format.TABLE, Format.GEOJSONSEQ) and layers and ends_open(job.path):
        sentence = (
            f"{job.label}: the last line has no line end, so the file may be cut. Compare its last record."
        )
        layers[0] = replace(layers[0], notes=(*layers[0].notes, Problem("END_OPEN", sentence)))
    return [judged(layer, job.label) for layer in layers]


def _staged(job: Job, kind: Format) -> Job:
    """Return the job, on a copy where GDAL would take the file's name for something else."""
    parts = companions(job.path) if kind is Format.SHAPEFILE else {}
    mixed = any(path.suffix != path.suffix.lower() or path.stem != job.path.stem for path in parts.values())
    if not mixed and not drivers.unsafe_name(job.path):
        return job
    target = job.folder / f"staged{job.path.suffix.lower()}"
    if job.path.is_dir():
        shutil.copytree(job.path, target)
    elif parts:
        for suffix, path in parts.items():
            shutil.copyfile(path, target.with_suffix(suffix))
    else:
        shutil.copyfile(job.path, target)
        for suffix in ("-wal", "-journal"):
            if Path(f"{job.path}{suffix}").exists():
                shutil.copyfile(f"{job.path}{suffix}", f"{target}{suffix}")
    return replace(job, path=target)


def _read_archive(job: Job) -> list[RawLayer]:
    """Return the layers of everything readable in an archive; one bad member does not stop the others."""
    members = unpack_zip(job.path, job.folder, job.limits, job.label)
    if not any(member.problem is None for member in members):
        others = f" ({members[0].problem.sentence})" if members and members[0].problem else ""
        sentence = f"{job.label}: the archive holds no file that is read{others}. Ask what it should hold."
        raise RefusedError(Problem("ARCHIVE_EMPTY", sentence))
    layers: list[RawLayer] = []
    for member in members:
        layers += _read_member(job, member)
    return layers


def _read_member(job: Job, member: Member) -> list[RawLayer]:
    """Return the layers of one member of an archive."""
    if member.problem is not None:
        return [RawLayer(member.name, problem=member.problem)]
    folder = job.folder / f"{member.path.name}.work"
    folder.mkdir()
    label = f"{job.label}: {member.shown}"
    own = replace(job, path=member.path, label=label, name=member.name, folder=folder)
    try:
        layers = _read(own, member.format)
    except RefusedError as refusal:
        return [refused_layer(member.name, refusal)]
    except MemoryError:
        raise
    except Exception as error:
        return [RawLayer(member.name, problem=_failure(label, error, "Ask for a new copy"))]
    return [
        layer if layer.name == member.name else replace(layer, name=f"{member.name}/{layer.name}")
        for layer in layers
    ]


def _keep(table: pa.Table, path: Path) -> str | None:
    """Write a table where the parent can map it; None for one without rows and columns."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return str(path)
