"""A difference between two moments as text for people, lines under 100 characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from geopipe.terms import Kind

_WIDTH, _SHOWN = 99, 5
_M2_PER_HA = 10_000
_NAMES = {"reported_m2": "reported", "counted_twice_m2": "counted twice", "covered_m2": "ground covered"}
# Sums that differ by less look the same in hectares.
_SAME_M2 = 50


def difference_lines(told: dict[str, Any]) -> Iterator[str]:
    """Tell a difference, see `difference`."""
    yield f"FROM        {told['from']['name']}"
    yield f"TO          {told['to']['name']}"
    if told["rules_changed"]:
        yield "RULES       the two runs had different policies: figures differ for this reason, too"
    for lines in (_alarms(told["alarms"]), _cases(told["cases"]), _deliveries(told["deliveries"])):
        yield from (line[:_WIDTH] for line in lines)
    yield from _areas(told["areas"])


def _alarms(alarms: Sequence[dict[str, Any]]) -> Iterator[str]:
    shown = [item for item in alarms if item["before"] != item["now"] or item["new"] or item["gone"]]
    if not shown:
        yield f"SAFETY      no alarm is new, none is gone; {sum(item['now'] for item in alarms)} stand"
    for number, item in enumerate(shown):
        yield f"{'' if number else 'SAFETY':12}{item['sentence']}: {item['before']} -> {item['now']}"
        for word in ("new", "gone"):
            if item[word]:
                yield _listed(f"{'':14}{word}", item[word])


def _cases(cases: dict[str, Any]) -> Iterator[str]:
    confirmed = sum(item["confirmed"] for item in cases["decided"])
    yield (
        f"CASES       {cases['before']:,} -> {cases['now']:,}; opened {len(cases['opened'])}, "
        f"decided {len(cases['decided'])} ({confirmed} confirmed), finished {len(cases['finished'])}, "
        f"reopened {len(cases['reopened'])}"
    )
    if cases["opened"]:
        yield _listed(f"{'':12}opened", cases["opened"])
    for move in cases["changed"]:
        old, new = (move[name].replace("_", " ") for name in ("from", "to"))
        yield _listed(f"{'':12}{old} -> {new}", move["cases"])
    for item in cases["decided"][:_SHOWN]:
        choice, sure = item["choice"].replace("_", " "), "confirmed" if item["confirmed"] else "provisional"
        yield f"{'':12}{item['case']}: {choice} ({sure}), {item['by']}, {item['at'][:10]}"


def _deliveries(deliveries: dict[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{name.replace('_', ' ')} {len(files)}" for name, files in deliveries.items())
    yield f"DELIVERIES  {counts}"
    for name, files in deliveries.items():
        for item in files[:_SHOWN]:
            who = item["operator"] or "several operators"
            yield f"{'':12}{name.replace('_', ' ')}: {item['file']} ({who}, {item['records']:,} records)"
        if len(files) > _SHOWN:
            yield f"{'':12}and {len(files) - _SHOWN} more {name.replace('_', ' ')}"


def _areas(areas: dict[str, Any]) -> Iterator[str]:
    rows = [
        (kind, name, sums[name]["before"], sums[name]["now"])
        for kind, sums in areas.items()
        if kind in Kind.__members__
        for name in _NAMES
        if abs(sums[name]["now"] - sums[name]["before"]) >= _SAME_M2
    ]
    if not rows:
        yield "HECTARES    as before"
    for number, (kind, name, before, now) in enumerate(rows):
        change = (now - before) / _M2_PER_HA
        yield (
            f"{'' if number else 'HECTARES':12}{kind:11}{_NAMES[name]:15}"
            f"{before / _M2_PER_HA:>14,.2f} -> {now / _M2_PER_HA:>14,.2f} {change:>+14,.2f}"
        )


def _listed(head: str, names: Sequence[str]) -> str:
    """Return how many there are, and as many names as fit on the line."""
    line = f"{head} {len(names)}: "
    for shown in range(min(len(names), _SHOWN), 0, -1):
        more = f" and {len(names) - shown} more" if len(names) > shown else ""
        if len(line + ", ".join(names[:shown]) + more) <= _WIDTH:
            return line + ", ".join(names[:shown]) + more
    return line.rstrip(": ")
