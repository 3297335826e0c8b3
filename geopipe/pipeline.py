"""The order of the stages, and what surrounds them: reading, checking frames, publishing."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.config import Config, DeliveryOptions, Policy, load_policy, load_vocabulary
from geopipe.crs import require_equal_area, require_horizontal
from geopipe.errors import ConfigError, ExitCode, OutputError, SourceError
from geopipe.index import build_index, is_current
from geopipe.io.delivery import NO_ROOM, RawDelivery
from geopipe.io.sources import Source, find_sources
from geopipe.io.store import hold, save_config, save_state
from geopipe.io.vector import read_sources
from geopipe.reports.publish import GEOPACKAGE, INDEX, point_to, publish, settle
from geopipe.reports.summary import summarise
from geopipe.schema import FEATURES, OVERLAPS, State, check
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.finds import finds
from geopipe.stages.handover import handover
from geopipe.stages.ingest import ingest
from geopipe.stages.overlaps import overlaps
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate
from geopipe.terms import Severity

Progress = Callable[[str], None]
Step = Callable[[State, Config, Policy], State]


def _overlaps(state: State, policy: Policy) -> State:
    """Measure pairs, then what follows from them for hazard areas and for points."""
    return finds(handover(overlaps(state, policy), policy), load_vocabulary())


# Every stage after reading, in order: what it is called, and what it does.
STEPS: dict[str, Step] = {
    "validate": lambda state, _config, _policy: validate(state),
    "reproject": reproject,
    "deduplicate": lambda state, _config, policy: deduplicate(state, policy),
    "overlaps": lambda state, _config, policy: _overlaps(state, policy),
}
STAGES = ("ingest", *STEPS)


@dataclass(frozen=True)
class Result:
    """A finished run: its summary, and the paths of what it wrote."""

    summary: dict[str, Any]
    outputs: tuple[Path, ...]

    def exit_code(self, fail_on: str | None = None) -> ExitCode:
        """Return 3 without any area, 5 for findings as severe as `fail_on`, 4 for files left out, else 0.

        Rows that go back to their sender are data, not a failure.
        """
        if not self.summary["balance"]["kept"]:
            return ExitCode.NO_SOURCE
        levels = [level.value for level in Severity]
        if fail_on and any(
            self.summary["severities"].get(level) for level in levels[: levels.index(fail_on) + 1]
        ):
            return ExitCode.FINDINGS
        return ExitCode.PARTIAL if any(d["problems"] for d in self.summary["deliveries"]) else ExitCode.DONE


def silent(_stage: str) -> None:
    """Show no progress."""


def read(config: Config, progress: Progress = silent) -> State:
    """Read all deliveries and give every record its ids.

    Raises
    ------
    SourceError
        When no delivery could be used at all; it names each of them.
    ConfigError
        When no file has a column that was asked for by name.
    """
    progress("ingest")
    state = read_deliveries(config)
    problems = [problem for delivery in state.deliveries for problem in delivery.problems]
    if len(state.features) == 0:
        sentences = "\n".join(sentence for _, sentence in problems).rstrip(".")
        if problems and all(code == "FIELD_UNKNOWN" for code, _ in problems):
            raise ConfigError(sentences)
        raise SourceError("nothing could be compared\n" + (sentences or _nothing_found(config)))
    return state


def _nothing_found(config: Config) -> str:
    places = ", ".join(str(spec.path) for spec in config.deliveries)
    return f"{places}: no delivery was found there. Put files there, or name another folder"


def read_deliveries(config: Config) -> State:
    """Read all deliveries as `ingest` leaves them, whatever could be used of them.

    Raises
    ------
    ConfigError
        When a coordinate system of the configuration is unknown or of the wrong sort.
    """
    for spec in config.deliveries:
        if spec.assume_crs:
            require_horizontal(spec.assume_crs)
    if config.working_crs:
        require_equal_area(config.working_crs)
    with tempfile.TemporaryDirectory(prefix="geopipe-", ignore_cleanup_errors=True) as folder:
        return ingest(_deliveries(config, Path(folder)), load_vocabulary())


def _deliveries(config: Config, folder: Path) -> Iterator[tuple[RawDelivery, DeliveryOptions]]:
    """Yield each delivered file with what is known of it; a file named twice is read once."""
    sources: list[Source] = []
    options: list[DeliveryOptions] = []
    seen: set[Path] = set()
    for spec in config.deliveries:
        for source in find_sources([spec.path]):
            path = source.path.resolve()
            if path not in seen and not (
                path != spec.path.resolve() and _is_own(path, config.output.resolve())
            ):
                seen.add(path)
                sources.append(source)
                options.append(spec)
    for raw, known in zip(read_sources(sources, folder, workers=config.workers), options, strict=True):
        if raw.problem and raw.problem.code == NO_ROOM:
            raise OutputError(
                f"the disk of the temporary folder cannot hold what is read ({raw.problem.sentence})",
                str(folder.parent),
                "Free some space there, or set TMPDIR to another folder.",
            )
        yield raw, known


def _is_own(path: Path, output: Path) -> bool:
    """Say whether an earlier run has written this file: a result is not itself a delivery."""
    result = path.parent == output and path.match(f"{Path(GEOPACKAGE).stem}*.gpkg")
    return result or path.is_relative_to(output / "runs")


def advance(state: State, stage: str, config: Config, policy: Policy) -> State:
    """Run one stage after ingest, and check the frames that it leaves."""
    done = STEPS[stage](state, config, policy)
    check(done.features, FEATURES, f"features after {stage}")
    check(done.overlaps, OVERLAPS, f"overlaps after {stage}")
    return done


def run(
    config: Config, progress: Progress = silent, keep: Callable[[str, State], None] | None = None
) -> State:
    """Run all stages in memory; `keep`, if given, is handed what each one made."""
    policy = load_policy(config.policy)
    state = read(config, progress)
    if keep:
        keep("ingest", state)
    for stage in STEPS:
        progress(stage)
        state = advance(state, stage, config, policy)
        if keep:
            keep(stage, state)
    return state


def compare(config: Config, progress: Progress = silent) -> Result:
    """Read, run every stage and publish into `config.output`."""
    started = dt.datetime.now(dt.UTC)
    return finish(run(config, progress), config, config.output, started, progress)


def finish(
    state: State, config: Config, folder: Path, started: dt.datetime, progress: Progress = silent
) -> Result:
    """Summarise and publish what the stages made."""
    progress("publish")
    summary = summarise(state, load_policy(config.policy))
    outputs: Sequence[Path] = publish(state, summary, folder, config.layers, started)
    return Result(summary, tuple(outputs))


def run_and_keep(config: Config, progress: Progress = silent) -> Result:
    """Run every stage, keep what each made in the workspace, and publish a run folder of its own.

    The folder's name comes from the content: unchanged input leads to the run that is there
    already, and nothing is written but, where it is missing, the pointer to it.
    """
    with hold(config.workspace):
        return _run_and_keep(config, progress)


def _run_and_keep(config: Config, progress: Progress) -> Result:
    started = dt.datetime.now(dt.UTC)
    save_config(config.workspace, config)
    state = run(config, progress, keep=lambda stage, made: save_state(config.workspace, stage, made, STAGES))
    progress("publish")
    summary = summarise(state, load_policy(config.policy))
    building = config.output / "runs" / ".building"
    outputs = publish(state, summary, building, config.layers, started)
    folder = settle(building, config.output / "runs", json.dumps(summary, sort_keys=True, ensure_ascii=False))
    progress("index")
    ids = state.features.numpy("row_id")
    if not is_current(folder / INDEX, state.features.geometry, ids):
        build_index(folder / INDEX, state.features.geometry, ids)
    point_to(config.output, folder)
    return Result(summary, tuple(folder / path.name for path in outputs))
