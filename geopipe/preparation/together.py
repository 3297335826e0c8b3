"""All deliveries of a run: which files, under which names, prepared side by side, in one working CRS."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from geopipe.config import Config, DeliveryOptions, DeliverySpec
from geopipe.crs import Cells, choose_working_crs, require_equal_area, require_horizontal
from geopipe.errors import ConfigError, GeopipeError, OutputError, SourceError
from geopipe.io.beside import Neighbours
from geopipe.io.confirmations import load_confirmations
from geopipe.io.contents import content_hash
from geopipe.io.delivery import ReadLimits, RefusedError
from geopipe.io.sources import Source, find_sources
from geopipe.io.vector import Answer, Request, ask_readers, unread
from geopipe.periods import parse_period
from geopipe.preparation.kept import Kept, Made, key_of
from geopipe.preparation.one import PREPARED, Prepared, Task, prepare
from geopipe.profiles import load_profile
from geopipe.reports.publish import GEOPACKAGE
from geopipe.reports.returned.files import FOLDER as RETURN_FOLDER
from geopipe.schema import State, joined
from geopipe.stages.ingest import Names
from geopipe.steps import today
from geopipe.unfinished import unfinished_folder

_FUNCTION = "geopipe.preparation.one:prepare_source"


@dataclass(frozen=True)
class Job:
    """One file to prepare, and what its process is told."""

    source: Source
    task: Task

    def into(self, working_crs: str) -> Job:
        """Return the same job for another working CRS."""
        return replace(self, task=replace(self.task, working_crs=working_crs))


@dataclass(frozen=True)
class Deliveries:
    """What was made of all deliveries, and the folders in which the records lie, in the order of the rows."""

    state: State
    folders: tuple[Path, ...]


def prepare_deliveries(config: Config, kept: Kept) -> Deliveries:
    """Read all deliveries, in processes of their own, and bring them into one working CRS.

    Parameters
    ----------
    config : Config
    kept : Kept
        Where prepared deliveries are put, and perhaps found from earlier runs.

    Returns
    -------
    Deliveries
        As the stages ingest, validate and reproject leave them, located and checked one by one.

    Raises
    ------
    SourceError
        When no delivery could be used at all; it names each of them.
    ConfigError
        When the configuration says something impossible, or no file has a column that was asked for.
    """
    require_possible(config)
    jobs = jobs_of(config)
    with unfinished_folder() as folder:
        made = _prepared(jobs, kept, folder)
        cells = sum((item.extent.cells for item in made), Cells.none())
        working = config.working_crs or choose_working_crs(cells)
        others = [at for at, item in enumerate(made) if item.state.working_crs != working]
        again = _prepared([jobs[at].into(working) for at in others], kept, folder)
        for at, item in zip(others, again, strict=True):
            made[at] = item
    whole = replace(joined([item.state for item in made]), working_crs=working, today=today(config))
    if not any(item.extent.records for item in made):
        raise nothing_compared(whole, config)
    return Deliveries(_with_documents(whole, jobs), tuple(item.folder for item in made if item.folder))


def require_possible(config: Config) -> None:
    """Refuse a configuration whose coordinate systems, periods or profiles are none, before anything is read.

    Raises
    ------
    ConfigError
    """
    for spec in config.deliveries:
        if spec.assume_crs:
            require_horizontal(spec.assume_crs)
        if spec.period:
            parse_period(spec.period)
        load_profile(spec.profile)
    if config.working_crs:
        require_equal_area(config.working_crs)
    if config.places and not config.places.file.is_file():
        raise ConfigError("there is no such file", str(config.places.file), "Check the name and the folder.")


def sources_of(config: Config) -> Iterator[tuple[Source, DeliverySpec]]:
    """Yield each delivered file once, with what is known of it.

    Raises
    ------
    ConfigError
        When a path is named twice, with different settings.
    """
    named = _named(config)
    seen: set[Path] = set()
    for spec in config.deliveries:
        for source in find_sources([spec.path]):
            path = _real(source.path)
            if path not in seen and (path in named or not _is_own(path, _real(config.output))):
                seen.add(path)
                yield source, named.get(path, spec)


def _named(config: Config) -> dict[Path, DeliverySpec]:
    """Return what is said of each file by its own name: that counts, whatever is said of its folder."""
    named: dict[Path, DeliverySpec] = {}
    for spec in config.deliveries:
        path = _real(spec.path)
        before = named.setdefault(path, spec)
        if _known_of(before) != _known_of(spec):
            raise ConfigError(
                "the configuration names this twice, with different settings", str(path), "Name it once."
            )
    return named


def _known_of(spec: DeliverySpec) -> DeliveryOptions:
    return DeliveryOptions(**spec.model_dump(exclude={"path"}))


def _real(path: Path) -> Path:
    """Return a path without links; one that leads in a circle stays."""
    return Path(os.path.realpath(path))


def _is_own(path: Path, output: Path) -> bool:
    """Say whether an earlier run has written this file: a result is not itself a delivery."""
    result = path.parent == output and path.match(f"{Path(GEOPACKAGE).stem}*.gpkg")
    return result or any(path.is_relative_to(output / name) for name in ("runs", RETURN_FOLDER))


def jobs_of(config: Config) -> list[Job]:
    """Return the files to prepare, each with its name and what its process must be told.

    Raises
    ------
    ConfigError
        When a confirmation or a profile is damaged.
    """
    found = list(sources_of(config))
    confirmed = load_confirmations(config.confirmations) if config.confirmations else ()
    names, jobs = Names(), []
    with ThreadPoolExecutor(config.workers) as pool:
        hashes = list(pool.map(_hash, (source for source, _ in found)))
    for (source, spec), content in zip(found, hashes, strict=True):
        file, key = names.of(source.path, content)
        jobs.append(
            Job(
                source,
                Task(
                    config, _known_of(spec), content, file, key, confirmed, today(config), config.working_crs
                ),
            )
        )
    return jobs


def _hash(source: Source) -> str:
    """Return the hash of a file's bytes, '' where they cannot be read: its reader will say why."""
    try:
        return "" if source.problem else content_hash(source)
    except (OSError, RefusedError):
        return ""


def _prepared(jobs: Sequence[Job], kept: Kept, folder: Path) -> list[Made]:
    """Return each job's state, from what is kept, else from a reader process."""
    keys = [key_of(job.task) for job in jobs]
    done = {at: kept.find(keys[at]) for at, job in enumerate(jobs) if job.task.content_hash}
    missing = [at for at, job in enumerate(jobs) if not done.get(at) and job.source.problem is None]
    requests = [Request(jobs[at].source, (jobs[at].task,)) for at in missing]
    workers = jobs[0].task.config.workers if jobs else 1
    limits = ReadLimits.of(jobs[0].task.config.limits) if jobs else ReadLimits()
    for at, answer in zip(missing, ask_readers(_FUNCTION, requests, folder, workers, limits), strict=True):
        if answer.death is not None:
            done[at] = Made(*prepare(unread(jobs[at].source, answer.death), jobs[at].task))
        else:
            done[at] = _taken(answer, kept, keys[at])
    for at, job in enumerate(jobs):
        if job.source.problem is not None:
            done[at] = Made(*prepare(unread(job.source, job.source.problem), job.task))
    return [item for at in range(len(jobs)) if (item := done[at])]


def _taken(answer: Answer, kept: Kept, key: str) -> Made:
    """Return what a process has prepared, from where it is kept."""
    prepared = cast("Prepared", answer.value)
    if prepared.no_room:
        raise no_room(prepared.no_room, answer.folder.parent)
    return kept.keep(key, answer.folder / PREPARED, prepared.extent)


def no_room(reason: str, folder: Path) -> OutputError:
    """Return the error for a temporary folder that is full."""
    return OutputError(
        f"the disk of the temporary folder cannot hold what is read ({reason})",
        str(folder.parent),
        "Free some space there, or set TMPDIR to another folder.",
    )


def nothing_compared(state: State, config: Config) -> GeopipeError:
    """Return the error for deliveries of which not a single record could be read; it names each of them."""
    problems = [problem for delivery in state.deliveries for problem in delivery.problems]
    sentences = "\n".join(sentence for _, sentence in problems).rstrip(".")
    if problems and all(code == "FIELD_UNKNOWN" for code, _ in problems):
        return ConfigError(sentences)
    places = ", ".join(str(spec.path) for spec in config.deliveries)
    nothing = f"{places}: no delivery was found there. Put files there, or name another folder"
    return SourceError("nothing could be compared\n" + (sentences or nothing))


def _with_documents(state: State, jobs: Sequence[Job]) -> State:
    """Add to each delivery the names of the documents that lie beside its file."""
    neighbours = Neighbours()
    return replace(
        state,
        deliveries=tuple(
            replace(delivery, files_beside=neighbours.of(job.source.path))
            for delivery, job in zip(state.deliveries, jobs, strict=True)
        ),
    )
