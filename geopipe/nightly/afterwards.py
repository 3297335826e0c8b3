"""What a night does once its run is published: it sees what changed and what is left out, and tidies up."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import asdict
from pathlib import Path

from geopipe.config import Config, NightlySpec
from geopipe.nightly.facts import Course
from geopipe.nightly.filing import Files
from geopipe.nightly.hazards import hazard_left
from geopipe.nightly.nights import Manifest, nights
from geopipe.nightly.retention import prune
from geopipe.policies import load_policy
from geopipe.register.diff.difference import difference
from geopipe.register.diff.moments import Moment, as_written
from geopipe.register.register import Register
from geopipe.register.trend import trend
from geopipe.reports.publish import current_run, read_summary

_LOG = logging.getLogger(__name__)
# Some let nights happen once a month; a clock that jumps further ahead must not empty the folders at once.
_LONG_PAUSE_DAYS = 40


def learn_changes(course: Course, config: Config, before: Moment | None, day: dt.date) -> None:
    """Learn what is different from the moment of which the last digest told; None: there was none."""
    folder = current_run(config.output)
    summary = read_summary(folder)
    course.is_new = folder.as_posix() != course.folder
    course.folder, course.made_on = folder.as_posix(), str(summary["run"]["started_at"])[:10]
    with Register.existing(config.workspace) as register:
        after = as_written(register)
        course.register_run = after.run
        course.moment = {**asdict(after), "day": after.day.isoformat()}
        course.changes = difference(register, before, after) if before else None
        course.errors = trend(register, before.finding_event if before else 0, day)


def learn_hazard_left(course: Course, config: Config) -> None:
    """Learn if the hazard of deliveries that are not read is on the map all the same."""
    again = (item.sha256 for item in course.receipts if item.again)
    asked = {item.sha256 for item in course.tonight.set_aside}
    asked |= {sha256 for sha256 in again if sha256 in course.tonight.replaced}
    tolerance_m = load_policy(config.policy).cover_tolerance_m
    with Register.existing(config.workspace) as register:
        found = hazard_left(register.ledger, sorted(asked), Path(course.folder), tolerance_m)
    course.hazard_left = {sha256: asdict(left) if left else None for sha256, left in found.items()}


def remove_old(
    course: Course, config: Config, spec: NightlySpec, files: Files, previous: Manifest | None,
    started: dt.datetime, now: dt.datetime,
) -> None:  # fmt: skip
    """Remove what is old; not on a night for which the clock may have jumped ahead: it would be too much."""
    if (days := _days_since(previous, started)) > _LONG_PAUSE_DAYS:
        said = "WARNING nothing old was removed: the night before was %s days ago. Is the clock right?"
        _LOG.warning(said, days)
        return
    kept = nights(config.output, config.workspace)
    # What is set aside stays, too: as long as somebody names it, he may change his mind.
    stays = {item.sha256 for item in (*course.tonight.reads, *course.tonight.set_aside)}
    with Register.existing(config.workspace) as register:
        removed = prune(
            register, config.output, config.workspace, kept, files, stays, now, spec.keep_days,
            spec.keep_received_days,
        )  # fmt: skip
    course.removed = asdict(removed)


def _days_since(night: Manifest | None, now: dt.datetime) -> int:
    """Return how many days ago a night began, 0 where that is not known."""
    try:
        return (now - dt.datetime.fromisoformat((night or {})["started_at"])).days
    except (KeyError, TypeError, ValueError):
        return 0
