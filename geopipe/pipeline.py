"""The order of the stages, and what surrounds them: reading, checking frames, publishing."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from geopipe.catalogue import load_catalogue
from geopipe.config import Config, DeliveryOptions, load_policy, load_vocabulary
from geopipe.crs import require_equal_area, require_horizontal
from geopipe.errors import ConfigError, ExitCode, OutputError, SourceError
from geopipe.index import build_index, is_current
from geopipe.io.beside import Neighbours
from geopipe.io.confirmations import load_confirmations
from geopipe.io.delivery import NO_ROOM, RawDelivery
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import Received, received
from geopipe.io.sources import Source, find_sources
from geopipe.io.store import hold, save_config, save_state
from geopipe.io.vector import read_sources
from geopipe.periods import parse_period
from geopipe.reports.publish import GEOPACKAGE, INDEX, point_to, publish, settle
from geopipe.reports.returned.files import FOLDER as RETURN_FOLDER
from geopipe.reports.returned.files import summarise_returns
from geopipe.reports.returned.returns import Earlier, collect_returns
from geopipe.reports.summary import summarise
from geopipe.schema import State
from geopipe.stages.ingest import ingest
from geopipe.steps import STAGES, STEPS, advance, today
from geopipe.terms import Severity

Progress = Callable[[str], None]
Keep = Callable[[str, State], State]


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


@dataclass(frozen=True)
class Past:
    """What a ledger knows beside the records of a run.

    `trend` is what went back to each sender before; `not_read` are the deliveries in force whose files this
    run has not read (file, operator).
    """

    trend: Mapping[str, Sequence[Earlier]] = field(default_factory=dict)
    not_read: Sequence[Mapping[str, str]] = ()


def silent(_stage: str) -> None:
    """Show no progress."""


def as_it_is(_stage: str, state: State) -> State:
    """Keep nothing of what a stage made."""
    return state


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
        When a coordinate system of the configuration is unknown or of the wrong sort, or a period is none.
    """
    for spec in config.deliveries:
        if spec.assume_crs:
            require_horizontal(spec.assume_crs)
        if spec.period:
            parse_period(spec.period)  # a mistake here must not wait for the end of the run
    if config.working_crs:
        require_equal_area(config.working_crs)
    with tempfile.TemporaryDirectory(prefix="geopipe-", ignore_cleanup_errors=True) as folder:
        confirmed = load_confirmations(config.confirmations) if config.confirmations else ()
        return ingest(_deliveries(config, Path(folder)), load_vocabulary(), confirmed, today(config))


def _deliveries(config: Config, folder: Path) -> Iterator[tuple[RawDelivery, DeliveryOptions]]:
    """Yield each delivered file with what is known of it; a file named twice is read once."""
    sources: list[Source] = []
    options: list[DeliveryOptions] = []
    seen: set[Path] = set()
    neighbours = Neighbours()
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
        yield replace(raw, files_beside=neighbours.of(raw.path)), known


def _is_own(path: Path, output: Path) -> bool:
    """Say whether an earlier run has written this file: a result is not itself a delivery."""
    result = path.parent == output and path.match(f"{Path(GEOPACKAGE).stem}*.gpkg")
    return result or any(path.is_relative_to(output / name) for name in ("runs", RETURN_FOLDER))


def run(config: Config, progress: Progress = silent, keep: Keep = as_it_is) -> State:
    """Run all stages in memory; `keep` is handed what each one made, and may add to it."""
    policy = load_policy(config.policy)
    state = keep("ingest", read(config, progress))
    for stage in STEPS:
        progress(stage)
        state = keep(stage, advance(state, stage, config, policy))
    return state


def compare(config: Config, progress: Progress = silent) -> Result:
    """Read, run every stage and publish into `config.output`."""
    started = dt.datetime.now(dt.UTC)
    return finish(run(config, progress), config, config.output, started, progress)


def finish(
    state: State,
    config: Config,
    folder: Path,
    started: dt.datetime,
    progress: Progress = silent,
    past: Past = Past(),
) -> Result:
    """Summarise and publish what the stages made, and what is known of earlier deliveries."""
    progress("publish")
    returns = collect_returns(state, load_catalogue(), past.trend)
    summary = summarise(state, load_policy(config.policy)) | {
        "returns": summarise_returns(returns),
        "not_read": list(past.not_read),
    }
    outputs: Sequence[Path] = publish(state, summary, folder, config.layers, started, returns)
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
    with Ledger.open(config.workspace) as ledger:
        return _run_with(ledger, config, started, progress)


def _run_with(ledger: Ledger, config: Config, started: dt.datetime, progress: Progress) -> Result:
    came: list[tuple[Received, ...]] = []

    def keep(stage: str, made: State) -> State:
        """Leave what a stage made in the workspace; remember the deliveries as they were placed."""
        if stage == "check":
            came.append(received(made))
            before = ledger.before(came[0], made.working_crs)
            made = replace(made, previous=before.previous, carried_before=before.carried)
        save_state(config.workspace, stage, made, STAGES)
        return made

    state = run(config, progress, keep)
    building = config.output / "runs" / ".building"
    shutil.rmtree(building, ignore_errors=True)  # of a run that was interrupted
    result = finish(state, config, building, started, progress, _past(ledger, state, came[0]))
    content = json.dumps(result.summary, sort_keys=True, ensure_ascii=False)
    folder = settle(building, config.output / "runs", content)
    progress("index")
    ids = state.features.numpy("row_id")
    if not is_current(folder / INDEX, state.features.geometry, ids):
        build_index(folder / INDEX, state.features.geometry, ids)
    # First remembered, then shown: a run that dies between the two is made again, and forgets nothing.
    ledger.record(folder.name, started, came[0], state, state.carried)
    point_to(config.output, folder)
    return Result(result.summary, tuple(folder / path.name for path in result.outputs))


def _past(ledger: Ledger, state: State, came: Sequence[Received]) -> Past:
    """Return what went back to each operator before, and which deliveries in force were not read now."""
    now = {delivery.content_hash for delivery in state.deliveries}
    operators = {*state.features.values("operator"), *state.rejected.values("operator")}
    trend: dict[str, list[Earlier]] = {}
    for operator in sorted(operators):
        returned: dict[dt.date, int] = {}
        for row in ledger.trend(operator):
            if row["content_hash"] not in now:
                day = dt.datetime.fromisoformat(row["received_at"]).date()
                returned[day] = returned.get(day, 0) + row["returned"]
        trend[operator] = [Earlier(day, count) for day, count in sorted(returned.items())]
    # What a whole register replaces is in force no longer once this run is recorded.
    replaced = {item.operator for item in state.deliveries if item.mode == "snapshot"}
    not_read = [
        {"file": row["file"], "operator": row["operator"]}
        for row in ledger.not_read(came)
        if row["operator"] not in replaced
    ]
    return Past(trend, not_read)
