"""What geopipe says of the deliveries of the fault demonstration, held against their truth."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.history import hold_against
from geopipe.policies import load_policy
from geopipe.schema import FEATURES, empty_frame
from geopipe.steps import STEPS

# What asks somebody something; notes ask nothing.
QUESTIONS = ("alarm", "conflict", "check")
TODAY = dt.date(2026, 5, 1)


@dataclass
class Said:
    """What was said about one delivered file."""

    by_record: dict = field(default_factory=lambda: defaultdict(list))
    of_file: list = field(default_factory=list)
    counted: Counter = field(default_factory=Counter)
    proposals: list = field(default_factory=list)
    features: list = field(default_factory=list)
    lost: int = 0

    def codes(self, record):
        return {code for code, _, _ in self.by_record[record]}

    def about_file(self, code):
        return [sentence for told, _, sentence in self.of_file if told == code]


@dataclass
class Outcome:
    """What became of one planted fault, or of one delivery without any."""

    fault: str
    format: str
    file: str
    code: str
    records: int = 0
    planted_records: int = 0
    planted: int = 0
    found: int = 0
    right_remedy: bool | None = None
    proposed: list = field(default_factory=list)
    questioned: list = field(default_factory=list)
    misread: list = field(default_factory=list)
    wrong: list = field(default_factory=list)

    @property
    def is_right(self):
        right = self.found == self.planted and self.right_remedy is not False
        return right and not (self.questioned or self.misread or self.wrong)


def judge(folder, truth):
    """Return the outcomes of all deliveries: each format is one run."""
    outcomes = []
    by_format = defaultdict(list)
    for delivery in truth["deliveries"]:
        by_format[delivery["format"]].append(delivery)
    for deliveries in by_format.values():
        said = _run(folder, deliveries)
        outcomes += [_outcome(delivery, told) for delivery, told in zip(deliveries, said, strict=True)]
    return outcomes


def _run(folder: Path, deliveries):
    """Return, per delivery, what was said of it."""
    specs = tuple(DeliverySpec(path=folder / d["file"], **d["options"]) for d in deliveries)
    state = pipeline.run(Config(deliveries=specs, today=TODAY, confirmations=folder / "none.jsonl"))
    assert len(state.deliveries) == len(deliveries)
    names = [delivery.file for delivery in state.deliveries]
    said = {name: Said() for name in names}
    records = {}
    for delivery, name in zip(deliveries, names, strict=True):
        for position, place in enumerate(zip(delivery["rows"], delivery["ids"], strict=True)):
            records[(name, *place)] = position
            records.setdefault((name, place[0]), position)

    def record_of(row):
        exact = records.get((row["file"], row["row"], row["source_id"]))
        return records[row["file"], row["row"]] if exact is None else exact

    for row in state.rejected.table.to_pylist():
        said[row["file"]].by_record[record_of(row)].append((row["reason"], "check", row["sentence"]))
    for row in state.findings.table.to_pylist():
        told = (row["code"], row["severity"], row["sentence"])
        if row["row"] is None:
            said[row["file"]].of_file.append(told)
            said[row["file"]].counted[row["code"]] += row["measure"] or 0
        else:
            said[row["file"]].by_record[record_of(row)].append(told)
    for frame in (state.features, state.reference):
        rows = frame.table.drop_columns(["source_geometry"]).to_pylist()
        raw = shapely.from_wkb(frame.table["source_geometry"].to_numpy(), on_invalid="ignore")
        for row, geometry in zip(rows, raw, strict=True):
            said[row["file"]].features.append((record_of(row), row, geometry))
    for delivery, name, known in zip(state.deliveries, names, deliveries, strict=True):
        said[name].proposals = list(delivery.proposals)
        said[name].of_file += [
            (code, "check", f"{text} {delivery.suggestion}") for code, text in delivery.problems
        ]
        said[name].lost = known["records"] - delivery.records_in
    return [said[name] for name in names]


def _outcome(delivery, said):
    """Hold what was said of a delivery against its truth."""
    fault = next(iter(delivery["faults"]), None)
    outcome = Outcome(delivery["fault"], delivery["format"], delivery["file"], fault["code"] if fault else "")
    # What is wrong with a file as a whole, or between two files, spoils none of its records.
    spoiled = set(fault["positions"]) if fault and fault["about"] == "record" else set()
    outcome.records, outcome.planted_records = delivery["records"], len(spoiled)
    outcome.proposed = sorted({p.correction for p in said.proposals})
    if said.lost:
        outcome.wrong.append(f"{said.lost} records lost")
    if fault:
        outcome.planted, outcome.found, outcome.right_remedy = _found(delivery, fault, said)
    for record in range(delivery["records"]):
        for code, severity, sentence in said.by_record[record]:
            if severity in QUESTIONS and record not in spoiled:
                outcome.questioned.append(f"{delivery['ids'][record]}: {code} {sentence}")
    for code, severity, sentence in said.of_file:
        if severity in QUESTIONS and not (fault and _belongs(code, fault, spoiled, delivery)):
            outcome.questioned.append(f"the file: {code} {sentence}")
    outcome.misread = _misread(delivery, said)
    return outcome


def _belongs(code, fault, spoiled, delivery):
    """Say whether something told of a whole file is the planted fault, or follows from it."""
    return code == fault["code"] or len(spoiled) == delivery["records"]


def _found(delivery, fault, said):
    """Return how much was planted and found, and if what was proposed is right (None: nothing to propose)."""
    code, remedy = fault["code"], fault["remedy"]
    numbers = [delivery["rows"][position] for position in fault["positions"]]
    proposed = [p for p in said.proposals if p.code == code and _is_about(p, numbers, delivery)]
    if fault["about"] == "pair":
        told = [text for text in said.about_file(code) if fault["with"] in text]
        return 1, len(told), any(p.correction == remedy for p in said.proposals)
    if fault["about"] == "file":
        told, size = said.about_file(code), len(numbers)
        counted = said.counted[code] == size or any(f"({size:,})" in text for text in told)
        return 1, int(bool(told) and counted), None
    if proposed:
        planted = found = len(numbers)
        return planted, found, any(p.correction == remedy for p in proposed)
    told = [(t, text) for position in fault["positions"] for t, _, text in said.by_record[position]]
    texts = [text for t, text in told if t == code]
    found = sum(code in said.codes(position) for position in fault["positions"])
    if not remedy:
        return len(numbers), found, None
    right = all(remedy in text for text in texts) or any(remedy in t for t in said.about_file(code))
    return len(numbers), found, right and bool(texts)


def _is_about(proposal, numbers, delivery):
    """Say whether a proposal is about exactly the planted records."""
    if proposal.rows is None:
        return len(numbers) == delivery["records"]
    return sorted(proposal.rows) == sorted(numbers)


def _misread(delivery, said):
    """Return what was read otherwise than it is true, for what is unusual but not wrong."""
    wrong = []
    for name, values in delivery.get("must_read", {}).items():
        seen = 0
        for position, row, geometry in said.features:
            seen += 1
            value = getattr(geometry, name) if name.startswith("has_") else row[name]
            value = value.isoformat() if isinstance(value, dt.date) else value
            if value != values[position]:
                wrong.append(f"{delivery['ids'][position]}: {name} is {value!r}, not {values[position]!r}")
        if seen != len(values):
            wrong.append(f"{seen} records kept, not {len(values)}")
    return wrong


def _deduplicated(path, options, **more):
    """Return what the stages up to `deduplicate` make of one delivery."""
    config = Config(deliveries=(DeliverySpec(path=path, **options),), today=TODAY, **more)
    state = pipeline.read(config)
    for stage in STEPS:
        state = pipeline.advance(state, stage, config, load_policy())
        if stage == "deduplicate":
            break
    return state


def compare_twice(folder, item):
    """Yield (what, found, expected) for the changes between two deliveries of a register."""
    before = _deduplicated(folder / item["previous"], item["options"])
    now = _deduplicated(folder / item["new"], item["options"], working_crs=before.working_crs)
    found = hold_against(now, before.features, empty_frame(FEATURES), load_policy())
    changes = {
        (row["change"], _own_ids(row["previous_id"]), _own_ids(row["current_id"]))
        for row in found.changes.table.to_pylist()
    }
    planted = item["changes"]
    yield "changes", changes, {
        (c["change"], tuple(sorted(c["previous"])), tuple(sorted(c["current"]))) for c in planted
    }  # fmt: skip
    told = {
        (row["code"], _own_ids(row["record_id"]))
        for row in found.findings.table.to_pylist()
        if row["severity"] in QUESTIONS
    }
    yield "findings", told, {(code, tuple(c["previous"])) for c in planted for code in c["codes"]}


def _own_ids(text):
    """Return the own ids in a text of record ids."""
    return tuple(sorted(part.rsplit(":", 1)[-1] for part in text.split(", "))) if text else ()


def compare_copies(folder, truth):
    """Return (found, expected): what is said of the two copies of a register, by own id of the record."""
    specs = tuple(DeliverySpec(path=folder / side["file"], **side["options"]) for side in truth["files"])
    state = pipeline.run(Config(deliveries=specs, today=TODAY, confirmations=folder / "none.jsonl"))
    found = defaultdict(set)
    for row in state.findings.table.to_pylist():
        if row["severity"] in QUESTIONS:
            found[row["code"]].add(row["source_id"])
    return dict(found), {code: set(own_ids) for code, own_ids in truth["told"].items()}
