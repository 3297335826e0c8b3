"""What the inspectors answered: `results.json`, to which reading a sheet only ever adds; and the summary."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import fsum
from pathlib import Path
from typing import Any

from geopipe.errors import OutputError
from geopipe.io.geopackage import file_hash
from geopipe.io.store import hold
from geopipe.sampling.answers import Problem, read_answers
from geopipe.sampling.interval import CONFIDENCE, clopper_pearson
from geopipe.sampling.record import read_record
from geopipe.sampling.texts import CONFIDENTIAL, Result
from geopipe.sampling.writing import as_json, write_private

RESULTS = "results.json"
_HOW = (
    "Share with its exact (Clopper-Pearson) interval, as if each had been drawn by itself and with the same "
    "chance. Boxes of one area are alike: the interval over areas is the one to trust."
)


@dataclass(frozen=True)
class Taken:
    """What came of reading a sheet: lines taken, said before in the same words, and not taken."""

    sample: str
    taken: int
    replaced: int
    unchanged: int
    problems: tuple[Problem, ...]
    summary: dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """How a sheet is read: who reads it and when, and whether new answers may stand instead of others."""

    by: str
    at: dt.datetime
    replace: bool = False
    dry_run: bool = False


def read_back(folder: Path, sheet: Path, reading: Reading) -> Taken:
    """Read a filled sheet and add what it says to `results.json`.

    An answer that differs from an earlier one is a problem, unless the reading says that it replaces it; the
    earlier one stays in the file in either case.

    Raises
    ------
    ConfigError, OutputError, SourceError
        When the folder holds no sample, its files are damaged, or the sheet is none.
    """
    record = read_record(folder)
    with hold(folder):
        results = _read_results(folder, record["sample"])
        known = answers_in(results)
        said = read_answers(sheet, record, reading.at.date())
        new = {name: answer for name, answer in said.answers.items() if known.get(name) != answer}
        other = {} if reading.replace else {name: answer for name, answer in new.items() if name in known}
        problems = (*said.problems, *(_differs(name, known[name], other[name]) for name in sorted(other)))
        new = {name: new[name] for name in sorted(set(new) - set(other))}
        event = {
            "number": len(results["events"]) + 1,
            "read_at": reading.at.isoformat(timespec="seconds"),
            "by": reading.by,
            "sheet": sheet.name,
            "sheet_sha256": file_hash(sheet),
            "replaces": reading.replace,
            "answers": new,
            "problems": [asdict(problem) for problem in problems],
        }
        results["events"].append(event)
        if not reading.dry_run:
            write_private(folder / RESULTS, as_json(results))
    return Taken(
        sample=record["sample"],
        taken=len(new),
        replaced=len(set(new) & set(known)),
        unchanged=len(said.answers) - len(new) - len(other),
        problems=problems,
        summary=summarise(record, answers_in(results)),
    )


def standing(folder: Path) -> dict[str, Any]:
    """Return the summary of what has been read so far."""
    record = read_record(folder)
    return summarise(record, answers_in(_read_results(folder, record["sample"])))


def answers_in(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the answers in force: of each id, the last one that was taken."""
    found: dict[str, dict[str, Any]] = {}
    for event in results["events"]:
        found |= event["answers"]
    return found


def _differs(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Problem:
    keys = [key for key in now if now[key] != before.get(key)]
    said = "; ".join(f"{key.replace('_', ' ')} was {before.get(key)!s}, now {now[key]!s}" for key in keys)
    return Problem(
        0, name, f"Differs from the answer read before ({said}). Add --replace to take the new one."
    )


def _read_results(folder: Path, sample: str) -> dict[str, Any]:
    """Read `results.json`; a damaged one is refused, never taken for an empty one."""
    path = folder / RESULTS
    if not path.exists():
        return {"sample": sample, "confidential": CONFIDENTIAL, "events": []}
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        own = results["sample"]
        answers_in(results)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError("the results are damaged", str(path), "Put back a copy of this file.") from error
    if own != sample:
        raise OutputError(f"these are the results of another sample ({own})", str(path), "Put back its own.")
    return results


def summarise(record: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many were drawn and inspected, and the share of non-conformities with its interval.

    An area does not conform if one of its spots does not; it counts as inspected when one of its spots was.
    """
    spots = record["spots"]
    strata = [tuple(item["stratum"]) for item in record["strata"]]
    by_box = any(spot["fixed"]["box_side_m"] is not None for spot in spots)
    summary: dict[str, Any] = {"confidence": CONFIDENCE, "how": _HOW, **_counts(spots, answers)}
    if by_box:
        summary["areas"] = _counts_of_areas(spots, answers)
    if len(strata) > 1:
        summary["strata"] = [
            {
                "stratum": list(stratum),
                **_counts([spot for spot in spots if tuple(spot["stratum"]) == stratum], answers),
            }
            for stratum in strata
        ]
    if len({round(spot["probability"], 12) for spot in spots}) > 1:
        summary["weighted_share"] = _weighted(spots, answers)
    found = [
        answers[spot["fixed"]["id"]]["devices_found"] for spot in spots if spot["fixed"]["id"] in answers
    ]
    summary["devices_found"] = sum(number or 0 for number in found)
    return summary


def _counts(spots: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    words = Counter(
        answers[spot["fixed"]["id"]]["result"] for spot in spots if spot["fixed"]["id"] in answers
    )
    return _told(len(spots), words)


def _counts_of_areas(
    spots: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    said: dict[str, set[str]] = {}
    for spot in spots:
        own = said.setdefault(spot["area_id"], set())
        if spot["fixed"]["id"] in answers:
            own.add(answers[spot["fixed"]["id"]]["result"])
    worst = (Result.NON_CONFORMITY, Result.PASS, Result.NOT_ACCESSIBLE)
    return _told(
        len(said), Counter(next(word for word in worst if word in own) for own in said.values() if own)
    )


def _told(drawn: int, words: Mapping[str, int]) -> dict[str, Any]:
    inspected = words.get(Result.PASS, 0) + words.get(Result.NON_CONFORMITY, 0)
    found = words.get(Result.NON_CONFORMITY, 0)
    low, high = clopper_pearson(found, inspected)
    return {
        "drawn": drawn,
        "inspected": inspected,
        "not_accessible": words.get(Result.NOT_ACCESSIBLE, 0),
        "not_answered": drawn - inspected - words.get(Result.NOT_ACCESSIBLE, 0),
        "non_conformities": found,
        "share": found / inspected if inspected else None,
        "interval": [low, high] if inspected else None,
    }


def _weighted(spots: Sequence[Mapping[str, Any]], answers: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return the share with each spot counted by one over its chance: unequal chances do not bend it."""
    looked_at, found = [], []
    for spot in spots:
        result = answers.get(spot["fixed"]["id"], {}).get("result")
        if result in (Result.PASS, Result.NON_CONFORMITY):
            looked_at.append(1 / spot["probability"])
            found.append(looked_at[-1] if result == Result.NON_CONFORMITY else 0.0)
    return fsum(found) / fsum(looked_at) if looked_at else None
