"""The facts of a night as plain values: what the digest tells and `run.json` keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geopipe.config import NightlySpec
from geopipe.nightly.choosing import Tonight, same_name
from geopipe.nightly.comings import Again
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
    hazard_left: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """What of the hazard in deliveries that are not read is on the map, by hash (`HazardLeft`)."""
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
        "gone": gone_files(course),
        "summary": course.summary and {name: course.summary.get(name) for name in _OF_SUMMARY},
        "changes": course.changes,
        "errors": course.errors,
        "warnings": list(warnings),
    }


def _inbox(course: Course, spec: NightlySpec, now: dt.datetime, previous: Manifest | None) -> dict[str, Any]:
    look = course.chosen.look if course.chosen else None
    told_before = int((previous or {}).get("last_receipt", 0))
    new = [item for item in course.receipts if item.number > told_before]
    return {
        "path": str(spec.inbox),
        "problem": course.inbox_problem,
        "strange": [*(look.strange if look else ()), *course.nobodys],
        "missing_folders": list(look.missing) if look else [],
        "received": [_received(item, course, spec) for item in new],
        "again": [
            _again(item, coming, course, spec) | {"is_new": coming.number > told_before}
            for item in course.receipts
            for coming in item.again
            if coming.folder == item.folder and (coming.number > told_before or _waits(item, coming, course))
        ],
        "copies": [
            _copy(item, coming, course, spec) | {"is_new": coming.number > told_before}
            for item in course.receipts
            for coming in item.copies
            if item.is_delivery and not _is_named(item, spec.belongs_to)
        ],
        "unknown_hashes": _unknown_hashes(course.receipts, spec),
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
            {
                **_named(item),
                "sha256": item.sha256,
                "why": _why_aside(item, spec.set_aside),
                "hazard": _hazard(item, course),
            }
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


def _received(item: Receipt, course: Course, spec: NightlySpec) -> dict[str, Any]:
    """Return a new delivery, and what it held, if that is known."""
    deliveries = (course.summary or {}).get("deliveries", ())
    read = next((told for told in deliveries if told["sha256"] == item.sha256), None)
    return {
        **_named(item),
        "sha256": item.sha256,
        "size_bytes": item.size,
        "is_document": not item.is_delivery,
        "stands": _stand(item, course, spec),
        "records": read["balance"]["records_in"] if read else None,
        "returned": read["balance"]["rejected"] if read else 0,
        "problems": [problem["code"] for problem in read["problems"]] if read else [],
    }


def _again(item: Receipt, coming: Again, course: Course, spec: NightlySpec) -> dict[str, Any]:
    """Return a coming of bytes that were filed before, in the same folder."""
    return {
        "file": coming.name,
        "folder": coming.folder,
        "day": item.day,
        "sha256": item.sha256,
        "stands": _stand(item, course, spec),
        "hazard": _hazard(item, course),
    }


def _copy(item: Receipt, coming: Again, course: Course, spec: NightlySpec) -> dict[str, Any]:
    """Return a coming of bytes in a second folder, of which nobody has said yet whose they are."""
    told = {"file": coming.name, "folder": coming.folder, "day": coming.day, "sha256": item.sha256}
    return {**told, "of": _named(item), "stands": _stand(item, course, spec)}


def _stand(item: Receipt, course: Course, spec: NightlySpec) -> dict[str, Any]:
    """Return how a filed delivery stands: is it read, and if not, what is said or read instead."""
    tonight = course.tonight
    if not item.is_delivery:
        return {"how": "document"}
    if item.folder not in spec.operators:
        return {"how": "nobodys"}
    if item in tonight.set_aside:
        return {"how": "aside", "why": _why_aside(item, spec.set_aside)}
    if instead := tonight.replaced.get(item.sha256):
        return {"how": "replaced", **_named(instead), "sha256": instead.sha256}
    if item in tonight.reads:
        return {"how": "unread" if item in tonight.unread else "in_force"}
    return {"how": "unknown"}


def _waits(item: Receipt, coming: Again, course: Course) -> bool:
    """Say whether older bytes are the last that came in their folder: a person must say what counts."""
    own = (other for other in course.receipts if other.folder == item.folder and other.is_delivery)
    last = max(other.last_number for other in own)
    return item.sha256 in course.tonight.replaced and coming.number == last


def _is_named(item: Receipt, starts: Mapping[str, str]) -> bool:
    return any(item.sha256.startswith(start) for start in starts)


def _unknown_hashes(receipts: Sequence[Receipt], spec: NightlySpec) -> list[dict[str, Any]]:
    """Return what the configuration says of hashes that no filed delivery has, or more than one."""
    found = []
    for setting, starts in (("set_aside", spec.set_aside), ("belongs_to", spec.belongs_to)):
        for start in starts:
            count = sum(item.sha256.startswith(start) for item in receipts)
            if count != 1:
                found.append({"setting": setting, "start": start, "count": count})
    return found


def _hazard(item: Receipt, course: Course) -> dict[str, Any]:
    """Return what is known of the hazard in a delivery that is not read: known, was_read, and counts."""
    if item.sha256 not in course.hazard_left:
        return {"known": False}
    left = course.hazard_left[item.sha256]
    return {"known": True, "was_read": left is not None, **(left or {})}


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


def gone_files(course: Course) -> list[dict[str, Any]]:
    """Return the deliveries in force that were not read, though no person and no later one has put them out.

    What is replaced by a file that had been in the wrong folder may be in force still for the ledger, which
    takes both for what came in one night.
    """
    meant = {item.sha256 for item in course.tonight.set_aside} | set(course.tonight.replaced)
    return [item for item in (course.summary or {}).get("not_read", ()) if item["sha256"] not in meant]


def overdue(
    receipts: Sequence[Receipt], nil_reports: Mapping[str, str], spec: NightlySpec, day: dt.date
) -> list[dict[str, Any]]:
    """Return the operators from whom something is expected and has not come; a nil report counts."""
    found = []
    for folder, known in spec.operators.items():
        if known.every_days is None:
            continue
        operator = known.operator or folder
        days = [nil_reports.get(operator, ""), *_days(receipts, folder)]
        # A clock that ran ahead once must not keep somebody from being missed for years.
        last = max((item for item in days if item <= day.isoformat()), default="") or max(days)
        since = (day - dt.date.fromisoformat(last)).days if last else None
        if since is None or not 0 <= since <= known.every_days:
            told = {"folder": folder, "operator": operator, "last_day": last, "days": since}
            found.append({**told, "every_days": known.every_days})
    return found


def _days(receipts: Sequence[Receipt], folder: str) -> Iterator[str]:
    """Yield the days on which a delivery came in a folder, the same bytes again among them."""
    for item in receipts:
        if item.is_delivery:
            yield from [item.day] if item.folder == folder else []
            yield from (coming.day for coming in item.again if coming.folder == folder)


def inputs_of(course: Course, root: Path) -> list[dict[str, Any]]:
    """Return what a run has read from the filed deliveries, and where each of them lies."""
    told = ({**asdict(item), "path": str(item.place(root))} for item in course.tonight.reads)
    return [{name: value for name, value in item.items() if name != "again"} for item in told]
