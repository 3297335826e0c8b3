"""The facts of a night as plain values: what the digest tells and `run.json` keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geopipe.config import NightlySpec
from geopipe.nightly.choosing import Tonight, same_name
from geopipe.nightly.filing import Coming, Receipt
from geopipe.nightly.nights import Manifest
from geopipe.nightly.waiting import Chosen

_OF_SUMMARY = (
    "balance", "deliveries", "alarms", "unresolved_hazard", "mended_hazard", "displaced_hazard", "earlier",
    "not_read", "cases", "returned", "returns", "findings", "severities", "working_crs", "policy",
)  # fmt: skip


@dataclass
class Course:
    """What has happened in a night so far; filled as it goes on, and told whatever happens next."""

    chosen: Chosen | None = None
    inbox_problem: str = ""
    nobodys: list[str] = field(default_factory=list)
    """Sentences about filed deliveries of folders that the configuration names no longer."""
    comings: list[Coming] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    tonight: Tonight = field(default_factory=Tonight)
    summary: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    register_run: int = 0
    moment: dict[str, Any] | None = None
    folder: str = ""
    made_on: str = ""
    is_new: bool = False
    removed: dict[str, Any] = field(default_factory=dict)
    nil_reports: dict[str, str] = field(default_factory=dict)
    error: dict[str, str] | None = None
    exit_code: int = 0
    timings: dict[str, float] = field(default_factory=dict)


def facts_of(
    course: Course, spec: NightlySpec, night: str, run_id: str, now: dt.datetime, seconds: float,
    day: dt.date, previous: Manifest | None, warnings: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    """Return what is known of a night; see `Course`."""
    died = previous if previous and previous.get("outcome") == "running" else None
    return {
        "night": night,
        "run_id": run_id,
        "day": day.isoformat(),
        "made_at": now.astimezone().isoformat(timespec="minutes"),
        "seconds": round(seconds, 1),
        "exit_code": course.exit_code,
        "error": course.error,
        "died": f"{died['night']} (began {died['started_at']})" if died else "",
        "map": {"folder": course.folder, "made_on": course.made_on, "is_new": course.is_new},
        "inbox": _inbox(course, spec, now, previous),
        "overdue": overdue(course.receipts, course.nil_reports, spec, day),
        "folders": {item.sha256: item.folder for item in course.receipts},
        "summary": course.summary and {name: course.summary.get(name) for name in _OF_SUMMARY},
        "changes": course.changes,
        "errors": course.errors,
        "warnings": list(warnings),
    }


def _inbox(course: Course, spec: NightlySpec, now: dt.datetime, previous: Manifest | None) -> dict[str, Any]:
    look = course.chosen.look if course.chosen else None
    told_before = int((previous or {}).get("last_receipt", 0))
    new = [item for item in course.receipts if item.number > told_before]
    used = {item.sha256 for item in course.tonight.reads}
    return {
        "path": str(spec.inbox),
        "problem": course.inbox_problem,
        "strange": [*(look.strange if look else ()), *course.nobodys],
        "missing_folders": list(look.missing) if look else [],
        "received": [_received(item, course.summary) for item in new],
        "again": [_again(item, used) for item in course.comings if item.what == "again"],
        "failed": [
            {"file": item.unit.main.name, "folder": item.unit.folder, "why": item.why}
            for item in course.comings
            if item.what == "failed"
        ],
        "waiting": [
            {
                "file": item.unit.main.name,
                "folder": item.unit.folder,
                "why": item.why,
                "since": item.since.astimezone().isoformat(sep=" ", timespec="minutes")[:16],
                "days": item.days(now),
            }
            for item in (course.chosen.waiting if course.chosen else ())
        ],
        "unread": [
            {
                **_named(item),
                "sha256": item.sha256,
                "old": item.number <= told_before,
                "stands": _stands(item, course.tonight),
            }
            for item in course.tonight.unread
        ],
        "aside": [
            {**_named(item), "sha256": item.sha256, "why": _why_aside(item, spec.set_aside)}
            for item in course.tonight.set_aside
        ],
        "notes": _notes(course),
    }


def _named(item: Receipt) -> dict[str, Any]:
    return {"file": item.name, "folder": item.folder, "day": item.day}


def _stands(item: Receipt, tonight: Tonight) -> str:
    """Return the day of the delivery that counts instead of one that cannot be used, '' where none does."""
    days = [
        other.day
        for other in tonight.reads
        if other not in tonight.unread and other.folder == item.folder and same_name(other.name, item.name)
    ]
    return max(days, default="")


def _received(item: Receipt, summary: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a new delivery, and what it held, if that is known."""
    read = next((d for d in (summary or {}).get("deliveries", ()) if d["sha256"] == item.sha256), None)
    return {
        **_named(item),
        "sha256": item.sha256,
        "size_bytes": item.size,
        "is_document": not item.is_delivery,
        "records": read["balance"]["records_in"] if read else None,
        "returned": read["balance"]["rejected"] if read else 0,
        "problems": [problem["code"] for problem in read["problems"]] if read else [],
    }


def _again(item: Coming, used: set[str]) -> dict[str, Any]:
    receipt = item.receipt
    assert receipt is not None
    return {
        "file": item.unit.main.name,
        "folder": item.unit.folder,
        "day": receipt.day,
        "sha256": receipt.sha256,
        "in_force": receipt.sha256 in used or not receipt.is_delivery,
        "other_folder": receipt.folder if receipt.folder != item.unit.folder else "",
    }


def _notes(course: Course) -> list[str]:
    """Tell what could not be removed from the inbox; it is filed all the same."""
    kept = [item for item in course.comings if item.why and item.what in ("new", "again")]
    notes = [f"{item.unit.main.name} ({item.unit.folder}) is filed, but {item.why}" for item in kept]
    stays = sum(bool(item.why) for item in course.comings if item.what == "stays")
    return (
        [*notes, f"{stays} filed before still in the inbox: geopipe may not remove them"] if stays else notes
    )


def _why_aside(item: Receipt, aside: Mapping[str, str]) -> str:
    return next(why for start, why in aside.items() if item.sha256.startswith(start))


def overdue(
    receipts: Sequence[Receipt], nil_reports: Mapping[str, str], spec: NightlySpec, day: dt.date
) -> list[dict[str, Any]]:
    """Return the operators from whom something is expected and has not come; a nil report counts."""
    found = []
    for folder, known in spec.operators.items():
        if known.every_days is None:
            continue
        operator = known.operator or folder
        days = [item.day for item in receipts if item.folder == folder and item.is_delivery]
        last = max([*days, nil_reports.get(operator, "")], default="")
        since = (day - dt.date.fromisoformat(last)).days if last else None
        if since is None or since > known.every_days:
            told = {"folder": folder, "operator": operator, "last_day": last, "days": since}
            found.append({**told, "every_days": known.every_days})
    return found


def inputs_of(course: Course, root: Path) -> list[dict[str, Any]]:
    """Return what a run has read from the filed deliveries, and where each of them lies."""
    return [{**asdict(item), "path": str(item.place(root))} for item in course.tonight.reads]
