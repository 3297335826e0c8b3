"""What the cover of the sheet and the first page of the map say about a draw."""

from __future__ import annotations

from collections import Counter

from geopipe.sampling.drawing import Sample
from geopipe.sampling.texts import NOT_SAFE, RULE

_M2_PER_HA = 10_000


def lines_of_facts(sample: Sample) -> list[tuple[str, str]]:
    """Return name and text of each fact, in the order in which people ask."""
    plan, population = sample.plan, sample.population
    drawn = f"{len(sample.areas):,} of {len(population.areas):,} areas"
    if plan.boxes is not None:
        drawn += f"; {len(sample.spots):,} boxes of {plan.box_side_m:,.10g} m"
    lines = [
        ("Drawn", drawn),
        ("Asked for", _asked(sample)),
        ("Population", f"{', '.join(plan.kinds)}, {_period(sample)}: {len(population.areas):,} areas, "
                       f"{population.total_m2 / _M2_PER_HA:,.2f} ha counted once"),
        ("Ground counted once", RULE),
        ("Excluded", _excluded(sample)),
        ("Data cut-off", cut_off(sample)),
        ("Missing in the data", missing(sample)),
        ("Remember", NOT_SAFE),
    ]  # fmt: skip
    if plan.stratify:
        lines += [
            (f"Stratum: {' / '.join(s['stratum'])}", f"{s['drawn']:,} of {s['areas']:,} areas")
            for s in sample.strata
        ]
    lines += [("Note", note) for note in sample.notes]
    return lines


def cut_off(sample: Sample) -> str:
    """Return until when the data speak."""
    facts = sample.published.facts
    latest = facts["latest_date_in_records"] or "no date at all"
    return f"latest date in the records: {latest}; result made on {facts['result_made_on']}"


def missing(sample: Sample) -> str:
    """Return what of the deliveries is not in the data."""
    facts = sample.published.facts
    said = []
    if facts["records_returned"]:
        said.append(f"{facts['records_returned']:,} of {facts['records']:,} records were returned to senders")
    if facts["files_not_compared"]:
        said.append(f"files not or not wholly compared: {', '.join(facts['files_not_compared'])}")
    return (
        f"NOT ALL DATA: {'; '.join(said)}" if said else f"Nothing known; {facts['files']:,} files were read."
    )


def _asked(sample: Sample) -> str:
    plan = sample.plan
    much = f"{plan.count:,} areas" if plan.count is not None else f"{plan.share_percent:.10g} % of the areas"
    by = f", by {', '.join(plan.stratify)}" if plan.stratify else ""
    size = ", chance by weight and ground" if plan.weights and plan.weights.times_area else ""
    boxes = f", {plan.boxes:,} boxes in each" if plan.boxes is not None else ""
    who = f"; drawn by {plan.by}" if plan.by else ""
    return f"{much}, method {plan.method}{by}{size}{boxes}, seed {plan.seed}{who}"


def _period(sample: Sample) -> str:
    first, last = sample.plan.completed_from, sample.plan.completed_to
    if first is None and last is None:
        return "completed at any time"
    return " ".join(
        part for part in ("completed", first and f"from {first}", last and f"until {last}") if part
    )


def _excluded(sample: Sample) -> str:
    counts = Counter(item.reason for item in sample.excluded)
    said = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in sorted(counts.items()))
    outside = (
        f"; {sample.population.not_in_period:,} outside the period" if sample.population.not_in_period else ""
    )
    return f"{len(sample.excluded):,}{f' ({said})' if said else ''}{outside}; listed in sample.json"
