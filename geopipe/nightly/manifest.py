"""`run.json`: all that is needed to say how a night's result came about, and to make it again."""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from geopipe._version import __version__
from geopipe.codestamp import code_stamp
from geopipe.config import Config
from geopipe.nightly.facts import Course
from geopipe.nightly.filing import last_number_of
from geopipe.nightly.nights import Manifest
from geopipe.reports.summary import versions


def began(
    run_id: str, started: dt.datetime, day: dt.date, config: Config, previous: Manifest | None
) -> Manifest:
    """Return what is known when a night begins; a night of which no more is known did not end by itself."""
    told = config.model_dump(mode="json")
    return {
        "run_id": run_id,
        "outcome": "running",
        "started_at": started.isoformat(timespec="seconds"),
        "day": day.isoformat(),
        "nightly_config": told,
        "nightly_config_sha256": _hash(told),
        "versions": {
            "geopipe": __version__,
            "code": code_stamp(),
            **versions(),
            "GDAL": _gdal(),
            "system": platform.platform(),
        },
        "last_receipt": int((previous or {}).get("last_receipt", 0)),
        "moment": (previous or {}).get("moment"),
    }


def ended(
    manifest: Manifest, course: Course, used: Config | None, inputs: Sequence[dict[str, Any]],
    outcome: str, now: dt.datetime, seconds: float, warnings: Sequence[str], digest: dict[str, Any],
) -> Manifest:  # fmt: skip
    """Return the manifest of a night that has ended.

    Parameters
    ----------
    manifest : Manifest
        As `began` returned it.
    course : Course
    used : Config or None
        With what `geopipe run` was called: the configured deliveries and those that were filed.
    inputs : sequence of dict
        Filed deliveries that were read.
    outcome : str
    now : datetime
    seconds : float
        How long the night took.
    warnings : sequence of str
    digest : dict
        Headline, level and counts.
    """
    summary = course.summary or {}
    config = used.model_dump(mode="json") if used else None
    counts = course.error is None
    return {
        **manifest,
        "outcome": outcome,
        "exit_code": course.exit_code,
        "error": course.error,
        "ended_at": now.isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "timings_s": course.timings,
        "run": {
            "folder": course.folder.rpartition("/")[2],
            "is_new": course.is_new,
            "register_run": course.register_run,
        },
        "config": config,
        "config_sha256": _hash(config) if config else None,
        "inputs": list(inputs),
        "deliveries": [_delivery(item) for item in summary.get("deliveries", ())],
        "balance": summary.get("balance"),
        "operations": _operations(summary),
        "policy": summary.get("policy"),
        "warnings": list(warnings),
        "digest": digest,
        "removed": course.removed,
        # What was not told because the run failed is told the next night.
        "last_receipt": last_number_of(course.receipts) if counts else manifest["last_receipt"],
        "moment": course.moment if counts and course.moment else manifest["moment"],
    }


def _delivery(item: dict[str, Any]) -> dict[str, Any]:
    codes = [problem["code"] for problem in item["problems"]]
    return {"file": item["file"], "sha256": item["sha256"], "balance": item["balance"], "problems": codes}


def _operations(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each coordinate operation that was used, with its accuracy (m), once."""
    found = {
        json.dumps(operation, sort_keys=True): operation
        for item in summary.get("deliveries", ())
        for operation in item["operations"]
    }
    return [found[key] for key in sorted(found)]


def _hash(told: Any) -> str:
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _gdal() -> str:
    import pyogrio

    return str(pyogrio.__gdal_version_string__)
