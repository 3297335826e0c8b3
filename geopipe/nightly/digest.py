"""The morning digest: what a person must know, from the facts of a night; alarms first.

A pure function of plain values. It says what was not read, and never that all is well: it says what was
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from geopipe.nightly.concerns import alarms, person
from geopipe.nightly.notread import areas_off_the_map, settled_aside
from geopipe.nightly.wording import Facts, count_of, named


@dataclass(frozen=True)
class Section:
    """A heading and its lines."""

    key: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Digest:
    """What is told in the morning.

    `level` is failed, not_all_read, attention or calm; `counts` holds figures only, no name of anybody.
    """

    title: str
    headline: str
    level: str
    sections: tuple[Section, ...]
    counts: Mapping[str, int]

    @property
    def needs_person(self) -> bool:
        """Whether a person must look."""
        return self.level != "calm"


def make_digest(facts: Facts) -> Digest:
    """Return the digest of a night; see `geopipe.nightly.facts` for what it is made from."""
    first, concerns = tuple(alarms(facts)), tuple(person(facts))
    counts = _counts(facts, len(concerns))
    level = _level(facts, counts)
    sections = (
        Section("alarms", "ALARMS", first),
        Section("person", "NEEDS A PERSON", concerns or ("nothing new",)),
        Section("cases", "CASES", tuple(_cases(facts))),
        Section("deliveries", "DELIVERIES", tuple(_deliveries(facts))),
        Section("errors", "ERRORS IN THE DATA", tuple(_errors(facts))),
        Section("map", "THE MAP", tuple(_map(facts))),
    )
    title = f"geopipe, night {facts['night']}"
    kept = tuple(section for section in sections if section.lines)
    return Digest(title, _headline(facts, level, counts), level, kept, counts)


def _level(facts: Facts, counts: Mapping[str, int]) -> str:
    if facts["error"]:
        return "failed"
    if counts["files_not_read"] or facts["inbox"]["problem"] or counts["not_taken"] or counts["files_gone"]:
        return "not_all_read"
    return "attention" if counts["for_a_person"] or counts["new_alarms"] else "calm"


def _headline(facts: Facts, level: str, counts: Mapping[str, int]) -> str:
    """Say in one or two sentences how the night went."""
    if level == "failed":
        return f"THE RUN FAILED. {_old_map(facts)}"
    came = counts["received"]
    news = f"{count_of(came, 'new delivery', 'new deliveries')} came" if came else "Nothing new came"
    if facts["inbox"]["problem"]:
        news = "Nobody knows what came"
    told = [
        f"{count_of(counts['new_alarms'], 'NEW ALARM', 'NEW ALARMS')}" if counts["new_alarms"] else "",
        f"{count_of(counts['hazard_off_map'], 'HAZARD AREA', 'HAZARD AREAS')} NOT ON THE MAP"
        if counts["hazard_off_map"]
        else "",
        news,
    ]
    if level != "not_all_read":
        every = counts["files_read"] + len((facts["summary"] or {}).get("not_read", ()))
        told.append(f"{counts['files_read']:,} of {every:,} files of the map were read")
    if counts["waiting"]:
        told.append(f"{count_of(counts['waiting'], 'file')} in the inbox not complete yet")
    start = f"NOT EVERYTHING WAS READ: {_left_out(facts, counts)}. " if level == "not_all_read" else ""
    stands = "" if came or facts["map"]["is_new"] else f" {_old_map(facts)}"
    return f"{start}{'; '.join(filter(None, told))}.{stands}"


def _left_out(facts: Facts, counts: Mapping[str, int]) -> str:
    parts = []
    if facts["inbox"]["problem"]:
        parts.append("the inbox could not be looked at")
    if counts["files_not_read"]:
        parts.append(f"{count_of(counts['files_not_read'], 'file')} could not be used, or only in part")
    if counts["files_gone"]:
        gone = count_of(counts["files_gone"], "earlier file")
        parts.append(f"{gone} of the map could not be read any more")
    if counts["not_taken"]:
        parts.append(f"{count_of(counts['not_taken'], 'thing')} in the inbox could not be taken")
    return ", ".join(parts)


def _old_map(facts: Facts) -> str:
    told = facts["map"]
    if not told["folder"]:
        return "There is no map yet."
    return f"The map of {told['made_on']} stands." if told["made_on"] else "The map before it stands."


def _counts(facts: Facts, for_a_person: int) -> dict[str, int]:
    inbox, summary, changes = facts["inbox"], facts["summary"] or {}, facts["changes"] or {}
    read = summary.get("deliveries", ())
    cases = changes.get("cases", {})
    return {
        "new_alarms": sum(len(item["new"]) for item in changes.get("alarms", ())),
        "standing_alarms": sum(item["count"] for item in summary.get("alarms", ())),
        "for_a_person": for_a_person,
        "opened": len(cases.get("opened", ())),
        "finished": len(cases.get("finished", ())),
        "reopened": len(cases.get("reopened", ())),
        "open_cases": (summary.get("cases") or {}).get("open", 0),
        "received": len(inbox["received"]),
        "again": sum(item["is_new"] for item in (*inbox["again"], *inbox["copies"])),
        "waiting": len(inbox["waiting"]),
        "overdue": len(facts["overdue"]),
        "not_taken": len(inbox["strange"]) + len(inbox["failed"]),
        "files_read": len(read),
        "files_not_read": sum(bool(item["problems"]) for item in read),
        "files_gone": len(facts["gone"]),
        "hazard_off_map": areas_off_the_map(facts),
        "records_returned": summary.get("balance", {}).get("rejected", 0),
        "records": summary.get("balance", {}).get("records_in", 0),
    }


# What happened.

_WHY_NOT_READ = {
    "aside": "not read: it is set aside",
    "replaced": "not read: a later one is in force",
    "nobodys": "not read: the configuration does not name its folder",
}


def _cases(facts: Facts) -> Iterator[str]:
    changes, summary = facts["changes"], facts["summary"]
    if summary is None:
        return
    counts = summary.get("cases") or {"open": 0, "all": 0}
    if changes is None:
        yield f"{counts['open']:,} open: the first run, all that overlaps is backlog"
        return
    cases = changes["cases"]
    told = {"opened": cases["opened"], "finished": cases["finished"], "reopened": cases["reopened"]}
    parts = ", ".join(f"{len(names)} {name}" for name, names in told.items())
    decided = len(cases["decided"])
    yield f"{counts['open']:,} open; since the last digest {parts}, {decided} decided"
    for name, names in told.items():
        if names:
            yield f"{name}: {named(names)}"
    for move in cases["changed"]:
        old, new = (move[end].replace("_", " ") for end in ("from", "to"))
        if move["to"] not in ("finished",):
            yield f"{old} -> {new}: {named(move['cases'])}"


def _deliveries(facts: Facts) -> Iterator[str]:
    inbox = facts["inbox"]
    for item in inbox["received"]:
        yield f"received: {item['file']} ({item['folder']}){_what_it_held(item)}"
    for item in inbox["again"]:
        if item["is_new"] and item["stands"]["how"] in ("in_force", "unread", "document"):
            yield f"came again, the same bytes as on {item['day']}: {item['file']} ({item['folder']})"
    for item in inbox["waiting"]:
        yield f"waiting: {item['file']} ({item['folder']}): {item['why']}, there since {item['since']}"
    for item in facts["overdue"]:
        last = item["last_day"] or "never"
        yield f"missing: {item['operator']} (last {last})"
    for name, count in sorted(((facts["summary"] or {}).get("returned") or {}).items()):
        yield f"to return: {name}, {count_of(count, 'record')} (folder return of the map)"
    if not inbox["problem"] and not any(inbox[name] for name in ("received", "again", "copies")):
        yield "nothing new came"
    yield from settled_aside(facts)
    yield from inbox["notes"]


def _what_it_held(item: Facts) -> str:
    if item["is_document"]:
        return ": a document; kept, not read"
    if item["records"] is None:
        return f": kept; {_WHY_NOT_READ.get(item['stands']['how'], 'the run failed before it was read')}"
    returned = f", {item['returned']:,} of them returned" if item["returned"] else ""
    bad = "; NOT or only partly used" if item["problems"] else ""
    return f": {count_of(item['records'], 'record')}{returned}{bad}"


def _errors(facts: Facts) -> Iterator[str]:
    for row in facts["errors"]:
        before = "" if row["before"] is None else f" (a week ago {row['before']:,})"
        since = f"; {row['opened']:,} opened, {row['corrected']:,} corrected"
        since = since if row["opened"] or row["corrected"] else ""
        yield f"{row['operator'] or 'sender not known'}: {row['outstanding']:,} outstanding{before}{since}"


def _map(facts: Facts) -> Iterator[str]:
    told, summary = facts["map"], facts["summary"]
    if told["folder"]:
        state = (
            "new"
            if told["is_new"]
            else f"of {told['made_on']}, unchanged"
            if told["made_on"]
            else "unchanged"
        )
        yield f"{state}: {told['folder']}"
    if summary:
        balance = summary["balance"]
        parts = ("kept", "areas"), ("kept_as_reference", "points and lines"), ("duplicate", "duplicates"), (
            "superseded", "older versions"), ("rejected", "returned")  # fmt: skip
        ends = ", ".join(f"{balance[key]:,} {word}" for key, word in parts if balance[key])
        files = count_of(len(summary["deliveries"]), "file")
        yield f"{files}, {count_of(balance['records_in'], 'record')}{': ' if ends else ''}{ends}"
    for warning in facts["warnings"]:
        yield f"warning: {warning}"
    took = f"{facts['seconds']:.0f} seconds, exit {facts['exit_code']}, {facts['made_at']}"
    yield f"run {facts['run_id']}, {took}"
