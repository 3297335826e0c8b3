"""A run in a workspace: what earlier runs left there is used again, and what this one learns is kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from geopipe._version import __version__
from geopipe.codestamp import code_stamp
from geopipe.config import Config
from geopipe.engine.known import renew
from geopipe.errors import GeopipeError, OutputError
from geopipe.index import build_index, is_current
from geopipe.io.beside import Neighbours
from geopipe.io.geopackage import file_hash, sync_all
from geopipe.io.ledgers.backups import daily_backup
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import Received, received
from geopipe.io.ledgers.registerfile import BACKUPS, FRAMES
from geopipe.io.ledgers.registerfile import NAME as REGISTER
from geopipe.io.store import hold, load_saved_config, save_config, write_text
from geopipe.lineages.still_drawn import let_go_with_areas, still_drawn
from geopipe.pipeline import Past, Progress, Result, finish, kept_for_publishing, run, silent
from geopipe.policies import load_policy
from geopipe.preparation.kept import PERHAPS_NOT_THE_FILE, Kept, key_of
from geopipe.preparation.together import Job, jobs_of, require_possible
from geopipe.register.given_up import given_up
from geopipe.register.register import Register
from geopipe.reports.publish import GEOPACKAGE, INDEX, SUMMARY, current_run, point_to, read_summary, settle
from geopipe.reports.returned.kept import KeptReturns
from geopipe.reports.returned.returns import Earlier
from geopipe.reports.summary import versions
from geopipe.schema import State, boxes_of
from geopipe.steps import places_of, today
from geopipe.unfinished import remove_left

# What a run leaves in its workspace last.
LAST = "last_run.json"
PREPARED, RETURNS = "prepared", "returns"
_BUILDING = ".building"
# Stands in a run folder until the register names it.
_UNCOMMITTED = ".uncommitted"
# The configuration of each run that was published.
CONFIGS = "configs"


def run_and_keep(config: Config, progress: Progress = silent) -> Result:
    """Run every stage and publish a run folder of its own, doing again only what depends on what has changed.

    A delivery that was read before in the same way is taken from the workspace, and so are pairs of areas
    that were measured before. Where nothing at all has changed, the last run stands. The folder's name comes
    from the content: the same content leads to the run that is there already.
    """
    with hold(config.workspace):
        return run_held(config, progress, dt.datetime.now(dt.UTC))


def run_held(config: Config, progress: Progress, started: dt.datetime) -> Result:
    """Run as `run_and_keep` does, in a workspace that is held already."""
    _tidy(config)
    save_config(config.workspace, config)
    require_possible(config)
    jobs = jobs_of(config)
    if (last := _last_run(config, jobs)) is not None:
        return last
    kept = Kept(config.workspace / PREPARED)
    with Register.open(config.workspace) as register, kept_for_publishing(config):
        _look_at_clock(register, config, started)
        _back_up(register, config, started.date())
        _forget_uncommitted(register, config.output / "runs")
        _repair_pointer(register, config.output)
        result, folder = _run_with(register, config, kept, started, progress)
    kept.forget_others()
    if config.known_pairs:
        renew(config.known_pairs)
    depends_on = "" if _was_disturbed(result) else _depends_on(config, jobs)
    _keep_config(config, folder.name)
    told = {"run": folder.name, "depends_on": depends_on}
    write_text(config.workspace / LAST, json.dumps(told) + "\n")
    return result


def _tidy(config: Config) -> None:
    """Remove what killed runs have left unfinished; the lock says that none is at work here."""
    shutil.rmtree(config.output / "runs" / _BUILDING, ignore_errors=True)
    beside = (config.workspace / FRAMES, config.workspace / BACKUPS, config.output, config.output / "runs")
    for folder in (*beside, Path(tempfile.gettempdir())):
        remove_left(folder)


def _forget_uncommitted(register: Register, runs: Path) -> None:
    """Remove run folders that were put in place, but that the register never came to name."""
    named = {name for (name,) in register.ask("SELECT folder FROM publications")}
    for mark in list(runs.glob(f"*/{_UNCOMMITTED}")):
        if mark.parent.name in named:
            mark.unlink()
        else:
            shutil.rmtree(mark.parent, ignore_errors=True)


def _back_up(register: Register, config: Config, day: dt.date) -> None:
    """Back the register up once a day; a full disk is told, and the run goes on."""
    try:
        daily_backup(register, config.workspace / BACKUPS, day, config.keep_backups)
    except OutputError as error:
        logging.getLogger(__name__).warning("WARNING %s", error)


def _look_at_clock(register: Register, config: Config, started: dt.datetime) -> None:
    """Tell where this run seems to be earlier than the one before; what came first is known by number."""
    rows = register.ask("SELECT started_at, day FROM runs ORDER BY number DESC LIMIT 1")
    for last_start, last_day in rows:
        now, day = started.isoformat(timespec="seconds"), today(config).isoformat()
        if now < last_start or day < last_day:
            logging.getLogger(__name__).warning(
                "WARNING the clock went back: this run is of %s (day %s), the run before it of %s (day %s). "
                "Nothing is lost. Check the date of this computer, and `today` in the configuration.",
                now, day, last_start, last_day,
            )  # fmt: skip


def _keep_config(config: Config, run: str) -> None:
    """Keep by what the first run of this content was made, so that it can be made again."""
    path = config.workspace / CONFIGS / f"{run}.json"
    if path.exists():
        return
    confirmed = config.confirmations
    told = {
        "config": config.model_copy(update={"today": today(config)}).model_dump(mode="json"),
        "versions": {"geopipe": __version__, "code": code_stamp(), **versions()},
        "settings": {str(item): file_hash(item) for item in settings_of(config)},
        # The file only grows: what came later stands behind.
        "confirmations_bytes": confirmed.stat().st_size if confirmed and confirmed.is_file() else 0,
    }
    write_text(path, json.dumps(told, ensure_ascii=False, indent=1) + "\n")


def settings_of(config: Config) -> list[Path]:
    """Return the files of one's own, beside policy and confirmations, that a configuration names."""
    named = [Path(spec.profile) for spec in config.deliveries if spec.profile]
    paths = [path for path in named if path.suffix in (".yaml", ".yml")]
    return list(dict.fromkeys([*paths, *([config.places.file] if config.places else [])]))


def _was_disturbed(result: Result) -> bool:
    """Say whether a file could not be read for a reason that may lie in this machine, or in this hour."""
    problems = [problem for delivery in result.summary["deliveries"] for problem in delivery["problems"]]
    return any(problem["code"] in PERHAPS_NOT_THE_FILE for problem in problems)


def _last_run(config: Config, jobs: Sequence[Job]) -> Result | None:
    """Return the last run, if it is whole and everything that it depends on is as it was."""
    try:
        told = json.loads((config.workspace / LAST).read_text(encoding="utf-8"))
        if told["depends_on"] != _depends_on(config, jobs):
            return None
        folder = config.output / "runs" / told["run"]
        summary = read_summary(folder)
    except (OSError, ValueError, KeyError, TypeError, GeopipeError):
        return None
    point_to(config.output, folder)
    plain = {name: value for name, value in summary.items() if name not in ("files", "run")}
    return Result(plain, (folder / GEOPACKAGE, folder / SUMMARY))


def _depends_on(config: Config, jobs: Sequence[Job]) -> str:
    """Return a hash of all that a run's result depends on: deliveries, rules, day, code, what came before."""
    neighbours = Neighbours()
    ledger = b""
    with contextlib.suppress(OSError):
        ledger = (config.workspace / REGISTER).read_bytes()
    told: list[Any] = [
        [[key_of(job.task), job.source.problem and repr(job.source.problem)] for job in jobs],
        [neighbours.of(job.source.path) for job in jobs],
        config.model_dump_json(),
        str(today(config)),
        code_stamp(),
        sha256(ledger).hexdigest(),
    ]
    return sha256(json.dumps(told).encode()).hexdigest()


def last_state(workspace: Path) -> State:
    """Return what the stages make of a workspace's deliveries, most of it from what is kept there.

    Raises
    ------
    ConfigError
        When nothing has run there.
    """
    config = load_saved_config(workspace)
    with hold(workspace), Register.existing(workspace) as register:
        return _stages(register, config, Kept(workspace / PREPARED), silent)[0]


def _stages(
    register: Register, config: Config, kept: Kept, progress: Progress
) -> tuple[State, tuple[Received, ...]]:
    """Run all stages; return what they made, and the deliveries as they were received."""
    came: list[tuple[Received, ...]] = []

    def keep(made: State) -> State:
        """Remember the deliveries as they were placed; add what was in force, and decided, before them."""
        came.append(received(made))
        before = register.ledger.before(came[0], made.working_crs)
        decided = given_up(register, made.working_crs)
        known = replace(
            made, previous=before.previous, carried_before=before.carried,
            unresolved_before=before.unresolved, given_up=decided,
        )  # fmt: skip
        return still_drawn(known, load_policy(config.policy).cover_tolerance_m)

    return let_go_with_areas(run(config, progress, keep, kept)), came[0]


def _repair_pointer(register: Register, output: Path) -> None:
    """Let CURRENT name the run that the register names: a run may have died between the two."""
    folder = output / "runs" / register.published()
    if folder.name != "runs" and (folder / SUMMARY).is_file() and current_run(output) != folder:
        point_to(output, folder)


def _run_with(
    register: Register, config: Config, kept: Kept, started: dt.datetime, progress: Progress
) -> tuple[Result, Path]:
    """Run all stages, publish, and write down what was received and what it means for the cases.

    The transaction of the register is the one moment from which a run counts. A run that dies before it is
    made again, and forgets nothing; one that dies after it has only its pointer to be mended.
    """
    state, came = _stages(register, config, kept, progress)
    frames = set((config.workspace / FRAMES).glob("*"))
    try:
        with register.transaction():
            result, folder = _published(register, config, state, came, started, progress)
    except BaseException:
        with contextlib.suppress(OSError, GeopipeError):
            named = set(register.ledger.named_frames())
            for path in set((config.workspace / FRAMES).glob("*")) - frames - named:
                path.unlink()
        raise
    finally:
        shutil.rmtree(config.output / "runs" / _BUILDING, ignore_errors=True)
        with contextlib.suppress(OSError, GeopipeError):
            _forget_uncommitted(register, config.output / "runs")
    point_to(config.output, folder)
    return Result(result.summary, tuple(folder / path.name for path in result.outputs)), folder


def _published(
    register: Register, config: Config, state: State, came: Sequence[Received], started: dt.datetime,
    progress: Progress,
) -> tuple[Result, Path]:  # fmt: skip
    """Write a run folder, and what it means into the register, within its transaction."""
    runs = config.output / "runs"
    progress("cases")
    policy = load_policy(config.policy)
    short = places_of(config).short_names
    number = register.begin_run(started, today(config), state, policy, short, config.layers)
    past = _past(register.ledger, state, came)
    returns = KeptReturns(config.workspace / RETURNS)
    past = replace(past, cases=register.case_table(state.working_crs), returns=returns)
    result = finish(state, config, runs / _BUILDING, started, progress, past)
    returns.forget_others()
    content = json.dumps(result.summary, sort_keys=True, ensure_ascii=False)
    (runs / _BUILDING / _UNCOMMITTED).touch()
    folder = settle(runs / _BUILDING, runs, content)
    progress("index")
    ids = state.features.numpy("row_id")
    boxes = boxes_of(state.features)
    if not is_current(folder / INDEX, boxes, ids):
        build_index(folder / INDEX, boxes, ids)
    sync_all(folder)
    is_news = register.ledger.record(folder.name, started, came, state, state.carried)
    if not is_news and not register.has_news(number) and register.published() == folder.name:
        register.forget_run()
    else:
        register.publish_run(number, folder.name, read_summary(folder)["files"], result.summary)
    return result, folder


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
    not_read = [
        {"file": row["file"], "operator": row["operator"], "sha256": row["content_hash"]}
        for row in ledger.not_read(came)
    ]
    return Past(trend, not_read)
