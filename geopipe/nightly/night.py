"""One night: file what came, run, publish, tidy up; whatever happens, somebody is told in the morning."""

from __future__ import annotations

import datetime as dt
import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from geopipe.config import Config, DeliverySpec, NightlySpec
from geopipe.errors import ConfigError, ExitCode, GeopipeError, OutputError, SourceError
from geopipe.io.ledgers.registerfile import NAME as REGISTER
from geopipe.io.store import hold
from geopipe.nightly import inbox, manifest
from geopipe.nightly.afterwards import learn_changes, learn_hazard_left, remove_old
from geopipe.nightly.choosing import as_belongs, choose, contents_of, without_aside
from geopipe.nightly.digest import Digest, make_digest
from geopipe.nightly.facts import Course, facts_of, gone_files, inputs_of
from geopipe.nightly.filing import Files, Receipt, spec_of
from geopipe.nightly.logs import logging_into
from geopipe.nightly.nights import DONE, FAILED, PARTIAL, Night
from geopipe.nightly.notify import notify
from geopipe.nightly.telling import as_html, as_json, as_text
from geopipe.nightly.timing import Stages, timed
from geopipe.nightly.waiting import Memory
from geopipe.nightly.waiting import choose as choose_ready
from geopipe.pipeline import Progress, Result, silent
from geopipe.preparation.kept import Kept
from geopipe.register.diff.moments import Moment, as_written
from geopipe.register.register import Register
from geopipe.reports.publish import current_run, read_summary
from geopipe.running import PREPARED, run_held
from geopipe.steps import today

Clock = Callable[[], dt.datetime]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """How a night ended: its exit code, its digest, its folder, and what `geopipe run` returned."""

    exit_code: int
    digest: Digest
    folder: Path
    result: Result | None


def utc_now() -> dt.datetime:
    """Return the time."""
    return dt.datetime.now(dt.UTC)


def run_night(
    config: Config,
    *,
    fail_on: str | None = None,
    clock: Clock = utc_now,
    pause: Callable[[float], None] = time.sleep,
    progress: Progress = silent,
) -> Told:
    """Run a night as the part `nightly` of a configuration says.

    Parameters
    ----------
    config : Config
    fail_on : str, optional
        Severity from which on findings give exit code 5.
    clock, pause : callable
        Tell the time, and wait so many seconds for files that may still be changing.
    progress : callable

    Raises
    ------
    ConfigError
        When the configuration has no part `nightly`.
    BusyError
        When another run holds the workspace; nothing is touched then.
    OutputError
        When neither output nor workspace can be written.
    """
    if config.nightly is None:
        raise ConfigError(
            "this configuration has no part `nightly`", remedy="Copy it from configs/nightly.yaml."
        )
    with hold(config.workspace) as died:
        run_id = f"{clock():%Y%m%dT%H%M%SZ}-{os.getpid()}"
        with logging_into(config.workspace, run_id) as warnings:
            if died is not None:
                warnings.append(f"the run before did not end by itself ({died.told(clock())}); taken over")
            return _Nightly(config, config.nightly, run_id, fail_on, clock, pause, progress, warnings).run()


class _Nightly:
    """A night at work; what it has learned so far is in `course`."""

    def __init__(
        self, config: Config, spec: NightlySpec, run_id: str, fail_on: str | None, clock: Clock,
        pause: Callable[[float], None], progress: Progress, warnings: list[str],
    ) -> None:  # fmt: skip
        self.config, self.spec, self.fail_on = config, spec, fail_on
        self.clock, self.pause, self.progress, self.warnings = clock, pause, progress, warnings
        self.run_id, self.started, self.day = run_id, clock(), today(config)
        self.course = Course()
        self.files = Files(config.workspace, spec.inbox)
        self.used: Config | None = None
        self.result: Result | None = None
        self.night = Night(config.output, config.workspace, self.day)
        self.manifest = manifest.began(run_id, self.started, self.day, config, self.night.previous)

    def run(self) -> Told:
        """Go through the night; a failure is told like everything else."""
        self.night.write(self.manifest)
        _LOG.info("the night begins", extra={"told": {"night": self.night.name}})
        interrupted: BaseException | None = None
        try:
            self._work()
        except GeopipeError as error:
            _LOG.error("the run failed: %s", error)
            self._failed(str(error), "", error.exit_code)
        except (KeyboardInterrupt, SystemExit) as error:
            interrupted = error
            self._failed("it was interrupted", "The next run continues where it is needed.", ExitCode.BUG)
        except Exception as error:
            _LOG.exception("the run failed by a fault of geopipe")
            sentence = f"a fault of geopipe ({type(error).__name__})"
            advice = f"Send the file {self.config.workspace / 'logs'} to whoever looks after geopipe."
            self._failed(sentence, advice, ExitCode.BUG)
        digest = self._tell()
        if interrupted is not None:
            raise interrupted
        return Told(self.course.exit_code, digest, self.night.folder, self.result)

    # The work.

    def _work(self) -> None:
        course = self.course
        self._where_we_are()
        self._take()
        course.receipts = [as_belongs(item, self.spec.belongs_to) for item in self.files.all()]
        with timed(self.course.timings, "choose"), Register.open(self.config.workspace) as register:
            self._choose(register)
        specs = [self._spec(item) for item in course.tonight.reads]
        self.used = self.config.model_copy(
            update={
                "deliveries": (*self.config.deliveries, *specs),
                "nightly": None,
                # The day is kept with the configuration, so that the run can be made again.
                "today": self.day,
            }
        )
        if not self.used.deliveries:
            where = str(self.spec.inbox)
            raise SourceError("nothing was ever received", where, "Put a delivery into an operator's folder.")
        before = self._moment()
        stages = Stages(self.progress, self.course.timings)
        try:
            self.result = run_held(self.used, stages, self.started)
        finally:
            stages("")
        course.summary = self.result.summary
        course.exit_code = int(self.result.exit_code(self.fail_on))
        learn_changes(course, self.config, before, self.day)
        learn_hazard_left(course, self.config)
        if course.exit_code == ExitCode.DONE and self._left_out():
            course.exit_code = int(ExitCode.PARTIAL)
        with timed(self.course.timings, "tidy"):
            remove_old(
                course, self.config, self.spec, self.files, self.night.previous, self.started, self.clock()
            )

    def _where_we_are(self) -> None:
        """Remember the map that stands, in case that this run makes none."""
        folder = current_run(self.config.output)
        with suppress(GeopipeError):
            summary = read_summary(folder)
            self.course.folder = folder.as_posix()
            self.course.made_on = str(summary["run"]["started_at"])[:10]

    def _take(self) -> None:
        """File what is complete; an inbox that is not there is told, and the run goes on with what it has."""
        memory = Memory(self.config.workspace)
        with timed(self.course.timings, "inbox"):
            try:
                self.files.finish_removals()
                self.course.chosen = choose_ready(
                    lambda: inbox.look(self.spec.inbox, tuple(self.spec.operators)),
                    memory, self.spec.settle_seconds, self.clock, self.pause,
                )  # fmt: skip
            except OSError as error:
                self.course.inbox_problem = f"{self.spec.inbox} ({error.strerror or error})"
                return
            self.course.comings = self.files.take(self.course.chosen.ready, self.clock(), self.day)
            memory.save()
        for item in self.course.comings:
            told = {"sha256": item.receipt.sha256 if item.receipt else "", "folder": item.unit.folder}
            _LOG.info("%s: %s", item.what, item.unit.main.name, extra={"told": told})

    def _choose(self, register: Register) -> None:
        known = [item for item in self.course.receipts if item.folder in self.spec.operators]
        gone = Counter(item.folder for item in self.course.receipts if item not in known and item.is_delivery)
        self.course.nobodys = [
            f"{count} filed deliveries of folder {name} are not read: the configuration does not name it."
            for name, count in sorted(gone.items())
        ]
        specs = {item.sha256: self._spec(item) for item in known}
        kept = Kept(self.config.workspace / PREPARED)
        told = self.config.model_copy(update={"nightly": None, "today": self.day})
        # What is set aside is not read, not even to see what it holds: it may be what stops every run.
        readable, _ = without_aside(known, self.spec.set_aside)
        contents = contents_of(register.ledger, readable, specs, told, kept)
        self.course.tonight = choose(known, contents, self.spec.set_aside)
        self.course.nil_reports = {
            row["operator"]: str(row["recorded_at"])[:10] for row in register.ledger.nil_reports()
        }

    def _spec(self, item: Receipt) -> DeliverySpec:
        return spec_of(item, self.files.root, self.spec.operators[item.folder])

    def _moment(self) -> Moment | None:
        """Return the moment that the last digest told of; None before the first run."""
        with Register.existing(self.config.workspace) as register:
            if register.last_run == 0:
                return None
            told = self.manifest["moment"]
            now = as_written(register)
            if told and told["run"] <= now.run and told["event"] <= now.event:
                return Moment(**{**told, "day": dt.date.fromisoformat(told["day"])})
            return now

    def _left_out(self) -> bool:
        """Say whether something in the inbox could not be taken that may be a delivery."""
        look = self.course.chosen.look if self.course.chosen else None
        failed = any(item.what == "failed" for item in self.course.comings)
        strange = self.course.nobodys or (look and look.strange)
        return bool(self.course.inbox_problem or failed or strange or gone_files(self.course))

    # The morning.

    def _failed(self, sentence: str, advice: str, code: int) -> None:
        self.course.exit_code = int(code)
        advice = advice or _advice(code, self.config.workspace)
        self.course.error = {"sentence": sentence, "advice": advice}

    def _tell(self) -> Digest:
        """Write digest and manifest, then tell people; what fails here is told as a warning."""
        now = self.clock()
        seconds = (now - self.started).total_seconds()
        digest, facts = self._digest(now, seconds)
        problems = notify(self.spec.notify, digest, now.timestamp())
        for problem in problems:
            _LOG.warning("WARNING %s", problem)
        if problems:
            digest, facts = self._digest(now, seconds)
        texts = (as_text(digest), as_html(digest), as_json(digest, facts))
        for problem in self.night.tell(
            dict(zip(("digest.txt", "digest.html", "digest.json"), texts, strict=True))
        ):
            _LOG.warning("WARNING the digest: %s", problem)
        outcome = {"failed": FAILED, "not_all_read": PARTIAL}.get(digest.level, DONE)
        told = {"headline": digest.headline, "level": digest.level, "counts": dict(digest.counts)}
        inputs = inputs_of(self.course, self.files.root)
        written = manifest.ended(
            self.manifest, self.course, self.used, inputs, outcome, now, seconds, self.warnings, told
        )
        try:
            self.night.write(written)
        except OutputError as error:
            _LOG.error("the manifest cannot be written: %s", error)
        _LOG.info("the night ends", extra={"told": {"outcome": outcome, "exit": self.course.exit_code}})
        return digest

    def _digest(self, now: dt.datetime, seconds: float) -> tuple[Digest, dict[str, object]]:
        facts = facts_of(
            self.course, self.spec, self.night.name, self.run_id, now, seconds, self.day,
            self.night.previous, self.warnings,
        )  # fmt: skip
        return make_digest(facts), facts


def _advice(code: int, workspace: Path) -> str:
    """Return what to do after a failure of which the sentence does not say it."""
    if code == ExitCode.REGISTER:
        return f"Leave {workspace / REGISTER} as it is; OPERATION.md says how to restore the newest backup."
    if code == ExitCode.NO_SOURCE:
        return "No delivery could be used: the points below say which, and whom to ask."
    return "Nothing was changed. Do what the sentence says; the next night runs by itself."
