"""The order of the stages, and what surrounds them: reading, checking frames, publishing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from geopipe.catalogue import load_catalogue
from geopipe.config import Config, DeliveryOptions, load_vocabulary
from geopipe.errors import ExitCode, OutputError
from geopipe.io.beside import Neighbours
from geopipe.io.confirmations import load_confirmations
from geopipe.io.delivery import NO_ROOM, RawDelivery, ReadLimits
from geopipe.io.readerprocess import kept_waiting
from geopipe.io.vector import read_sources
from geopipe.outputs.qgis.dress import FOR_QGIS, PLAIN, dress
from geopipe.policies import load_policy
from geopipe.preparation.kept import Kept
from geopipe.preparation.together import (
    no_room,
    nothing_compared,
    prepare_deliveries,
    require_possible,
    sources_of,
)
from geopipe.reports.publish import publish
from geopipe.reports.returned.files import are_wanted, summarise_returns
from geopipe.reports.returned.kept import KeptReturns
from geopipe.reports.returned.returns import Earlier, collect_returns
from geopipe.reports.summary import case_figures, summarise, unanswered
from geopipe.schema import Frame, State
from geopipe.settling.executors import executor
from geopipe.settling.whole import settle_in_parts
from geopipe.stages.ingest import ingest
from geopipe.steps import STEPS_ACROSS, advance, today
from geopipe.terms import Severity
from geopipe.unfinished import unfinished_folder

Progress = Callable[[str], None]
Keep = Callable[[State], State]


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
    """What a register knows beside the records of a run.

    `trend` is what went back to each sender before; `not_read` are the deliveries in force whose files this
    run has not read (file, operator); `cases` are its CASES, in the working CRS of the run. `returns` are
    files for senders that earlier runs have written.
    """

    trend: Mapping[str, Sequence[Earlier]] = field(default_factory=dict)
    not_read: Sequence[Mapping[str, str]] = ()
    cases: Frame | None = None
    returns: KeptReturns | None = None


def silent(_stage: str) -> None:
    """Show no progress."""


def as_it_is(state: State) -> State:
    """Keep nothing, add nothing."""
    return state


def read(config: Config, progress: Progress = silent) -> State:
    """Read all deliveries and give every record its ids: the stage `ingest` alone.

    Raises
    ------
    SourceError
        When no delivery could be used at all; it names each of them.
    ConfigError
        When no file has a column that was asked for by name.
    """
    progress("ingest")
    state = read_deliveries(config)
    if len(state.features) == 0:
        raise nothing_compared(state, config)
    return state


def read_deliveries(config: Config) -> State:
    """Read all deliveries as `ingest` leaves them, whatever could be used of them.

    Raises
    ------
    ConfigError
        When a coordinate system of the configuration is unknown or of the wrong sort, or a period is none.
    """
    require_possible(config)
    with unfinished_folder() as folder:
        confirmed = load_confirmations(config.confirmations) if config.confirmations else ()
        return ingest(_deliveries(config, folder), load_vocabulary(), confirmed, today(config))


def _deliveries(config: Config, folder: Path) -> Iterator[tuple[RawDelivery, DeliveryOptions]]:
    """Yield each delivered file with what is known of it."""
    found = list(sources_of(config))
    neighbours = Neighbours()
    limits = ReadLimits.of(config.limits)
    raws = read_sources([source for source, _ in found], folder, config.workers, limits)
    for raw, (_, known) in zip(raws, found, strict=True):
        if raw.problem and raw.problem.code == NO_ROOM:
            raise no_room(raw.problem.sentence, folder)
        yield replace(raw, files_beside=neighbours.of(raw.path)), known


def run(
    config: Config, progress: Progress = silent, keep: Keep = as_it_is, kept: Kept | None = None
) -> State:
    """Run all stages; `keep` is handed what `check` made, and may add to it.

    The stages up to `check` run delivery by delivery as far as they can; `kept` holds what earlier runs
    made of them. Those after it run in parts of the country, in other processes: what kills one of them
    costs a record, never the run.
    """
    policy = load_policy(config.policy)
    progress("ingest")
    with _shared_folder(config) as folder, kept_waiting():
        deliveries = prepare_deliveries(config, kept or Kept(folder / "prepared"))
        state = deliveries.state
        for stage in ("locate", "check"):
            progress(stage)
            state = advance(state, stage, config, policy, STEPS_ACROSS)
        state = keep(state)
        with executor(config.executor, config.workers) as workers:
            state = settle_in_parts(state, deliveries.folders, config, policy, workers, folder, progress)
    state.forget()
    return state


@contextmanager
def _shared_folder(config: Config) -> Iterator[Path]:
    """Give a folder for what processes hand to each other; workers elsewhere see the folder of the output."""
    if config.executor is None:
        with unfinished_folder() as folder:
            yield folder
        return
    try:
        config.output.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(config.output) as folder:
            yield folder
    except OSError as error:
        raise OutputError(f"the folder cannot be written ({error})", str(config.output)) from error


def compare(config: Config, progress: Progress = silent) -> Result:
    """Read, run every stage and publish into `config.output`."""
    started = dt.datetime.now(dt.UTC)
    with kept_for_publishing(config):
        return finish(run(config, progress), config, config.output, started, progress)


def kept_for_publishing(config: Config) -> AbstractContextManager[None]:
    """Let one of the processes that settle records inside go on waiting, until it helps to publish."""
    return kept_waiting(for_later=min(config.workers - 1, 1))


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
    state.forget()
    wanted = are_wanted(config.layers)
    returns = collect_returns(state, load_catalogue(), past.trend) if wanted else []
    summary = summarise(state, load_policy(config.policy)) | {
        "returns": summarise_returns(returns) if wanted else None,
        "not_read": list(past.not_read),
        **unanswered(config.layers),
    }
    if past.cases is not None:
        summary["cases"] = case_figures(past.cases)
    parts = FOR_QGIS if config.qgis else PLAIN
    outputs: Sequence[Path] = publish(
        state, summary, folder, config.layers, started, returns, past.cases,
        dress=lambda path: dress(path, summary, parts), kept_returns=past.returns, workers=config.workers,
    )  # fmt: skip
    return Result(summary, tuple(outputs))
