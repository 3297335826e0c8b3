"""What the digest says first: alarms, and what needs a person; lines of text from the facts of a night."""

from __future__ import annotations

from collections.abc import Iterator

from geopipe.nightly.notread import hazard_off_the_map, whose_and_which
from geopipe.nightly.wording import Facts, count_of, hectares, named

_URGENT = {
    "needs_review": "to decide again (a record moved, or the case became several)",
    "corrected_differently": "corrected differently than decided",
    "changed_without_decision": "changed before anybody decided",
    "not_observed": "not observed (a record was not read)",
}
_DAYS_PATIENT = 1


def alarms(facts: Facts) -> Iterator[str]:
    """Tell new alarms, then those that stand, then those that are gone."""
    summary, changes = facts["summary"], facts["changes"]
    if summary is None:
        yield "not looked for: the run failed. The alarms of the night before stand."
        return
    moved = {item["code"]: item for item in (changes or {}).get("alarms", ())}
    standing = {item["code"]: item for item in summary["alarms"]}
    for code in sorted(moved, key=lambda code: (not moved[code]["new"], code)):
        item = moved[code]
        if item["new"]:
            yield f"NEW: {item['sentence']}: {named(item['new'])}"
    for code in sorted({*standing, *(code for code in moved if moved[code]["standing"])}):
        yield _standing(standing.get(code), moved.get(code))
    for item in moved.values():
        if item["gone"] and not item["standing"] and item["code"] not in standing:
            yield f"gone: {item['sentence']}: {named(item['gone'])}"
    yield from _hidden(summary)
    yield from hazard_off_the_map(facts)
    if not standing:
        yield "no alarm in the records that were compared; land that is not shown is not thereby safe"


def _standing(found: Facts | None, moved: Facts | None) -> str:
    """Tell an alarm that stands: as the run has found it, or, where people have not answered yet, longer."""
    item = found or moved or {}
    number = max(found["count"] if found else 0, moved["standing"] if moved else 0)
    size = hectares(found["area_m2"]) if found and found["count"] == number else ""
    new, gone = (len(moved[name]) if moved else 0 for name in ("new", "gone"))
    change = f"; {new} new, {gone} gone" if new or gone else ""
    return f"stands: {item['sentence']}: {number:,}{size}{change}"


def _hidden(summary: Facts) -> Iterator[str]:
    """Tell hazard that is on the map, but not measured."""
    drawn, displaced = summary["unresolved_hazard"], summary["displaced_hazard"]
    if drawn:
        yield f"{count_of(drawn, 'record')} that may be hazard only drawn, not measured (hazard_unresolved)"
    if displaced:
        yield f"{count_of(displaced, 'hazard record')} whose place is in doubt (hazard_unresolved)"
    if summary["earlier"]:
        areas = count_of(summary["earlier"], "area")
        yield f"{areas} of earlier deliveries on the map that the last ones lack"


def person(facts: Facts) -> Iterator[str]:
    """Tell what nobody but a person can settle, the most urgent first."""
    if facts["error"]:
        error = facts["error"]
        yield f"THE RUN FAILED: {error['sentence']}"
        yield error["advice"]
    if facts["died"]:
        yield f"The night {facts['died']} did not end by itself (power cut, or it was stopped)"
    inbox = facts["inbox"]
    if inbox["problem"]:
        yield f"The inbox cannot be looked at: {inbox['problem']}. Is the drive there?"
    for item in inbox["strange"]:
        yield f"Inbox: {item}"
    for name in inbox["missing_folders"]:
        yield f"Inbox: the folder {name} is not there. Make it, or is the drive missing?"
    for item in inbox["failed"]:
        yield f"{item['file']} ({item['folder']}): {item['why']}; it stays in the inbox"
    yield from _unread(facts)
    yield from _late(facts)
    yield from whose_and_which(facts)
    yield from _urgent_cases(facts)
    yield from _doubts(facts)


def _unread(facts: Facts) -> Iterator[str]:
    """Tell files that were not used, or only in part, since when, and what counts until then."""
    since = {item["sha256"]: item for item in facts["inbox"]["unread"]}
    for item in (facts["summary"] or {}).get("deliveries", ()):
        for problem in item["problems"][:1]:
            told = since.get(item["sha256"], {})
            when = f" It came on {told['day']}, and nothing better since." if told.get("old") else ""
            stands = f" Until then that of {told['stands']} stays in force." if told.get("stands") else ""
            folder = facts["folders"].get(item["sha256"])
            whom = f" (folder {folder})" if folder else ""
            yield f"{problem['sentence'].rstrip('.')}{whom}.{when}{stands}"


def _late(facts: Facts) -> Iterator[str]:
    for item in facts["overdue"]:
        last = f"last on {item['last_day']}" if item["last_day"] else "nothing ever came"
        yield f"{item['operator']}: overdue, {last} (expected every {count_of(item['every_days'], 'day')})"
    for item in facts["inbox"]["waiting"]:
        if item["days"] >= _DAYS_PATIENT:
            yield (
                f"{item['file']} ({item['folder']}) has been waiting for {count_of(item['days'], 'day')}: "
                f"{item['why']}"
            )


def _urgent_cases(facts: Facts) -> Iterator[str]:
    changed = (facts["changes"] or {}).get("cases", {}).get("changed", ())
    new: dict[str, list[str]] = {}
    for move in changed:
        new.setdefault(move["to"], []).extend(move["cases"])
    counts = ((facts["summary"] or {}).get("cases") or {}).get("by_status", {})
    for status, told in _URGENT.items():
        if counts.get(status):
            names = f"; new tonight {named(sorted(new[status]))}" if status in new else ""
            yield f"cases {told}: {counts[status]:,}{names}"
    if opened := (facts["changes"] or {}).get("cases", {}).get("opened", ()):
        yield f"new cases to look at, {named(opened)}"


def _doubts(facts: Facts) -> Iterator[str]:
    summary = facts["summary"] or {}
    for item in summary.get("deliveries", ()):
        for proposal in item["proposals"]:
            what = proposal["correction"] or proposal["code"]
            yield (
                f"{item['file']}: confirm how its coordinates are read ({what}, "
                f"{count_of(proposal['records'], 'record')}); see geopipe confirm"
            )
    for item in facts["gone"]:
        yield f"{item['file']} ({item['operator'] or 'several operators'}) is in force, but was not read now"
