"""The summary of a run as plain values: for the first screen, a script, a nightly digest."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from math import fsum
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyproj
import shapely

from geopipe._version import __version__
from geopipe.catalogue import load_catalogue
from geopipe.contracts import newest_schema
from geopipe.coordinates.proposals import PLACE_CODES
from geopipe.coverage import CLASSES
from geopipe.errors import GeopipeError
from geopipe.geometry import width_m
from geopipe.languages.words import ALARMS
from geopipe.policies import Policy, policy_hash
from geopipe.reports.layers import shown_overlaps
from geopipe.reports.leftover import gap_figures, remaining_figures
from geopipe.schema import Frame, State
from geopipe.scope import GAPS, REMAINING, not_looked_for
from geopipe.terms import SETTLED_STATUSES, Outcome

_LIBRARIES = ("shapely", "pyogrio", "fiona", "pyproj", "geopandas", "rtree", "pyarrow", "numpy")
LARGEST = 5


def balance(state: State) -> dict[str, int]:
    """Return how every record ended; the parts add up to `records_in`.

    Raises
    ------
    GeopipeError
        When they do not: a bug, never the data's fault.
    """
    outcomes = Counter(state.duplicates.table["outcome"].to_pylist())
    parts = {
        "kept": len(state.own_features),
        "kept_as_reference": len(state.reference),
        "duplicate": outcomes[Outcome.DUPLICATE],
        "superseded": outcomes[Outcome.SUPERSEDED],
        "rejected": len(state.rejected),
    }
    records_in = sum(delivery.records_in for delivery in state.deliveries)
    if records_in != sum(parts.values()):
        raise GeopipeError(
            f"the balance does not close: {records_in} records in, but {parts}",
            remedy="This is a fault of geopipe; please report it.",
        )
    for delivery in _deliveries(state):
        if delivery["balance"]["records_in"] != sum(delivery["balance"][name] for name in parts):
            raise GeopipeError(
                f"the balance does not close: {delivery['balance']}",
                delivery["file"],
                "This is a fault of geopipe; please report it.",
            )
    return {"records_in": records_in, **parts}


def summarise(state: State, policy: Policy) -> dict[str, Any]:
    """Return the summary of a run as plain values (areas in m2, lengths in m), without any time stamp."""
    shown = shown_overlaps(state)
    between = shown.take(~_true(shown, "same_operator"))
    return {
        "schema": newest_schema("summary"),
        "geopipe": __version__,
        "balance": balance(state),
        "deliveries": _deliveries(state),
        "returned": _returned(state),
        "reasons": dict(sorted(Counter(_columns(state.rejected, "reason")[0]).items())),
        **_drawn(state),
        "areas": _areas(state),
        "overlaps": {
            "pairs": len(shown),
            "by_finding": _by(shown, "finding"),
            "between_operators": {
                "pairs": len(between),
                "area_m2": _total(between),
                "counted": int(_true(between, "counted").sum()),
                "counted_m2": _total(between.take(_true(between, "counted"))),
                "by_finding": _by(between, "finding"),
                "by_operator_pair": _operator_pairs(between),
                "very_thin": _very_thin(between, policy),
                "largest": _largest(between),
            },
            "within_operators": {
                "pairs": len(shown) - len(between),
                "counted": int((_true(shown, "counted") & _true(shown, "same_operator")).sum()),
            },
            "uncertain": int(shown.flags("confidence", ["uncertain"]).sum()),
        },
        "gaps": gap_figures(state.gaps),
        "remaining": remaining_figures(state),
        "findings": dict(sorted(Counter(state.findings.table["code"].to_pylist()).items())),
        "severities": dict(
            sorted(
                Counter([*_columns(shown, "severity")[0], *_columns(state.findings, "severity")[0]]).items()
            )
        ),
        "alarms": _alarms(state, shown, policy),
        "earlier": len(state.earlier),
        "not_read": [],
        "not_looked_for": [],
        "changes": dict(sorted(Counter(state.changes.table["change"].to_pylist()).items())),
        "copies": dict(sorted(Counter(state.copies.table["outcome"].to_pylist()).items())),
        "working_crs": state.working_crs,
        "policy": {
            "name": policy.name,
            "version": policy.version,
            "hash": policy_hash(policy),
            "effective_from": str(policy.effective_from) if policy.effective_from else None,
            "reference": policy.reference,
            "signed_by": policy.signed_by,
            "why_no_tolerance": list(policy.why_no_tolerance(state.today)),
            "very_thin": policy.very_thin.model_dump(),
            "gaps": policy.gaps.model_dump(),
        },
        "versions": versions(),
    }


def unanswered(layers: Iterable[str]) -> dict[str, Any]:
    """Return what the summary says of questions that a run of some layers only has not looked for."""
    questions = not_looked_for(layers)
    figures = (("gaps", GAPS), ("remaining", REMAINING))
    none = {name: None for name, question in figures if question in questions}
    return {"not_looked_for": list(questions), **none}


def case_figures(cases: Frame) -> dict[str, Any]:
    """Return how many cases of the register stand where."""
    over = cases.flags("status", sorted(SETTLED_STATUSES))
    return {
        "all": len(cases),
        "open": int((~over).sum()),
        "by_status": dict(sorted(Counter(cases.table["status"].to_pylist()).items())),
    }


def versions() -> dict[str, str]:
    """Return the versions on which figures may depend."""
    libraries = {name: version(name) for name in _LIBRARIES}
    engines = {"python": platform.python_version(), "GEOS": shapely.geos_version_string}
    return {**engines, "PROJ": pyproj.proj_version_str, **libraries}


def _columns(frame: Frame, *names: str) -> list[list[Any]]:
    return [frame.table[name].to_pylist() for name in names]


def _counts(frame: Frame, name: str) -> Counter[str]:
    """Count the rows of each value of a column."""
    counted = pc.value_counts(frame.table[name].combine_chunks())
    return Counter({item["values"]: item["counts"] for item in counted.to_pylist()})


def _drawn(state: State) -> dict[str, int]:
    """Count the records that are only drawn, those of earlier deliveries among them, and areas in doubt.

    A record in doubt that is kept from before, and has no area any more, is only drawn.
    """
    rows, kept = state.unresolved, state.unresolved_kept.values("row_id")
    areas = state.features.take(state.features.flags("row_id", kept)).values("row_id")
    of_earlier = rows.flags("row_id", kept)
    compared = ~of_earlier | rows.flags("row_id", areas)
    mended, displaced = _mended(rows) & compared, _displaced(rows) & compared
    only_drawn = ~mended & ~displaced
    return {
        "unresolved_hazard": _records(rows.take(only_drawn)),
        "mended_hazard": _records(rows.take(mended)),
        "displaced_hazard": _records(rows.take(displaced)),
        "drawn_of_earlier": _records(rows.take(only_drawn & of_earlier)),
    }


def _records(frame: Frame) -> int:
    """Count the different delivered records that rows are about."""
    return len(set(zip(*_columns(frame, "row_id", "operator", "role"), strict=True)))


def _mended(frame: Frame) -> Any:
    """Say which unresolved rows are of records that are compared, but whose mending is to be confirmed."""
    return frame.flags("reason", ["REPAIR_AMBIGUOUS", "REPAIRED_AREA_CHANGED"])


def _displaced(frame: Frame) -> Any:
    """Say which unresolved rows are of records that are compared, but whose place is in doubt."""
    return frame.flags("reason", sorted(PLACE_CODES))


def _true(frame: Frame, name: str) -> Any:
    return np.asarray(frame.table[name].to_numpy(), dtype=bool)


def _total(frame: Frame) -> float:
    return fsum(frame.table["area_m2"].to_pylist())


def _by(frame: Frame, name: str) -> dict[str, dict[str, float]]:
    """Return pairs and area per value of a column."""
    keys = frame.table[name].to_pylist()
    area_m2 = frame.numpy("area_m2").astype(float)
    groups: dict[str, list[float]] = {}
    for key, m2 in zip(keys, area_m2.tolist(), strict=True):
        groups.setdefault(key, []).append(m2)
    return {key: {"pairs": len(m2), "area_m2": fsum(m2)} for key, m2 in sorted(groups.items())}


def _operator_pairs(frame: Frame) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[float]] = {}
    for left, right, m2 in zip(*_columns(frame, "left_operator", "right_operator", "area_m2"), strict=True):
        groups.setdefault((min(left, right), max(left, right)), []).append(m2)
    return [
        {"operators": list(pair), "pairs": len(m2), "area_m2": fsum(m2)}
        for pair, m2 in sorted(groups.items())
    ]


def _very_thin(frame: Frame, policy: Policy) -> dict[str, int]:
    """Count what the policy calls very thin; nothing is taken away by it."""
    width = frame.numpy("width_m").astype(float)
    area_m2 = frame.numpy("area_m2").astype(float)
    return {
        "below_area": int((area_m2 < policy.very_thin.area_m2).sum()),
        "below_width": int((width < policy.very_thin.width_m).sum()),
    }


def _largest(frame: Frame) -> list[dict[str, Any]]:
    """Return the largest overlaps that count, each with its width; if none counts, of those listed."""
    counted = _true(frame, "counted")
    open_rows = np.flatnonzero(counted if counted.any() else ~counted)
    area_m2 = frame.numpy("area_m2").astype(float)
    rows = open_rows[np.argsort(-area_m2[open_rows], kind="stable")[:LARGEST]]
    names = ["finding", "area_m2", "mean_width_m"]
    names += [f"{side}_{name}" for side in ("left", "right") for name in ("id", "operator", "province")]
    largest: list[dict[str, Any]] = frame.take(rows).table.select(names).to_pylist()
    for item, width in zip(largest, width_m(frame.take(rows).geometry), strict=True):
        item["width_m"] = float(width)
        item["province"] = item.pop("left_province") or item["right_province"]
        del item["right_province"]
    return largest


def _areas(state: State) -> dict[str, dict[str, float]]:
    """Return for each class: records, reported area, ground counted twice and ground covered."""
    result = {}
    for name, kinds in CLASSES.items():
        records = int(state.features.flags("kind", sorted(kinds)).sum())
        if not records:
            continue
        rows = state.coverage.take(state.coverage.flags("ground", [name]))
        claims, m2 = rows.numpy("claims").astype(float), rows.numpy("ground_m2").astype(float)
        result[name] = {
            "records": records,
            "reported_m2": fsum(claims * m2),
            "counted_twice_m2": fsum((claims - 1) * m2),
            "covered_m2": fsum(m2),
            "most_claims": int(claims.max()) if len(claims) else 0,
        }
    return result


def _returned(state: State) -> dict[str, int]:
    """Return how many records go back, per operator or, where none is known, per file."""
    operators, files = _columns(state.rejected, "operator", "file")
    return dict(sorted(Counter(o or f for o, f in zip(operators, files, strict=True)).items()))


def _deliveries(state: State) -> list[dict[str, Any]]:
    parts: Sequence[tuple[str, Frame]] = (
        ("kept", state.own_features),
        ("kept_as_reference", state.reference),
        ("rejected", state.rejected),
    )
    counts = {name: _counts(frame, "file") for name, frame in parts}
    for outcome in (Outcome.DUPLICATE, Outcome.SUPERSEDED):
        rows = state.duplicates.take(state.duplicates.flags("outcome", [outcome]))
        counts[str(outcome)] = _counts(rows, "file")
    return [
        {
            "file": delivery.file,
            "driver": delivery.driver,
            "sha256": delivery.content_hash,
            "balance": {
                "records_in": delivery.records_in,
                **{name: counter[delivery.file] for name, counter in counts.items()},
            },
            "layers": [
                {
                    "layer": i.layer,
                    "crs": i.crs,
                    "records": i.records,
                    "counted": i.counted,
                    "count": i.count_method,
                }
                for i in delivery.layers
            ],
            "operations": list(delivery.operations),
            "problems": [{"code": code, "sentence": sentence} for code, sentence in delivery.problems],
            "suggestion": delivery.suggestion,
            "proposals": [
                {
                    "layer": proposal.layer,
                    "code": proposal.code,
                    "correction": proposal.correction,
                    "records": proposal.records,
                    "sentence": proposal.sentence,
                }
                for proposal in delivery.proposals
            ],
            "assumptions": list(delivery.assumptions),
        }
        for delivery in state.deliveries
    ]


def _alarms(state: State, shown: Frame, policy: Policy) -> list[dict[str, Any]]:
    """Return every kind of alarm with its count and ground; alarms are never empty words."""
    alarms = []
    pairs = shown.take(shown.flags("severity", ["alarm"]))
    for code, item in _by(pairs, "finding").items():
        alarms.append(
            {
                "code": code,
                "sentence": policy.sentences.get(code, code),
                "count": item["pairs"],
                "area_m2": item["area_m2"],
            }
        )
    told = state.findings.take(state.findings.flags("severity", ["alarm"]))
    for code in sorted(set(told.table["code"].to_pylist())):
        rows = told.take(told.flags("code", [code]))
        # One find on three releases is one find; a record of an earlier delivery has no row tonight.
        named = zip(*_columns(rows, "file", "layer", "row", "record_id"), strict=True)
        records = len({(file, layer, row, row is None and name) for file, layer, row, name in named})
        area_m2 = fsum(v for v in rows.table["measure"].to_pylist() if v is not None)
        sentence = ALARMS.get(code) or load_catalogue().meaning(code, "en").rstrip(".")
        alarms.append({"code": code, "sentence": sentence, "count": records, "area_m2": area_m2})
    return alarms
