"""The file of one case: everything that the register knows of it, as plain values and as lines of text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import shapely

from geopipe.casework.facts import due_day, is_overdue, unacknowledged, unanswered, width_of
from geopipe.casework.outcomes import ChoiceOutcome, outcomes
from geopipe.casework.proposal import Proposal
from geopipe.casework.words import ANSWERS, CHOICES, STATUSES, sentence_of
from geopipe.register.case import Case, Decision, Event, Side
from geopipe.register.table import place_of
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Choice, Severity

_DATES = {
    "date_started": "started", "date_surveyed": "surveyed", "date_completed": "completed",
    "date_of_information": "information of",
}  # fmt: skip
_SHOWN_OF_RECORD = (
    "operator", "source_id", "record_id", "guid", "kind", "status", *_DATES, "clearance_depth_cm", "land_use",
    "province_located", "province_stated", "district_located", "district_stated", "village_stated", "area_m2",
    "area_stated_m2",
)  # fmt: skip


@dataclass(frozen=True)
class CaseFile:
    """A case with all that was ever decided about it, and what is proposed."""

    case: Case
    decisions: Sequence[Decision]
    proposal: Proposal
    sentences: Mapping[str, str]
    today: dt.date

    def as_dict(self) -> dict[str, Any]:
        """Return the file as plain values."""
        case = self.case
        seen = case.sighting
        return {
            "case_id": case.case_id, "number": case.number, "status": case.status.value,
            "present": case.present, "first_seen": case.first_seen, "last_seen": case.last_seen,
            "overlap": {**seen.columns, "width_m": width_of(case)}, "province": place_of(case, "province"),
            "district": place_of(case, "district"),
            **{name: {key: side.columns[key] for key in _SHOWN_OF_RECORD}
               for name, side in (("a", seen.a), ("b", seen.b))},
            "proposal": {
                "choice": self.proposal.choice.value,
                "reasons": [str(reason) for reason in self.proposal.reasons],
                "why": [{"code": reason.code, **reason.values} for reason in self.proposal.reasons],
            },
            "outcomes": [asdict(outcome) for outcome in outcomes(case)],
            "if_nothing_is_decided": list(if_nothing(case)),
            "positions": [asdict(position) for position in case.positions],
            "no_answer_by": unanswered(case),
            "decision": case.decision and decision_as_dict(case.decision),
            "decisions": [decision_as_dict(decision) for decision in self.decisions],
            "assigned_to": case.assigned_to, "due": due_day(case), "overdue": is_overdue(case, self.today),
            "not_acknowledged_by": unacknowledged(case),
            "history": [asdict(event) for event in case.events],
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """Yield the file as lines for people."""
        case, columns = self.case, self.case.sighting.columns
        yield f"CASE        {case.name} ({case.case_id}): {STATUSES[case.status]}"
        yield f"QUESTION    {sentence_of(columns['finding'], self.sentences)} ({columns['severity']})"
        place = [place_of(case, level) or "unknown" for level in ("province", "district")]
        yield f"PLACE       {place[0]}, district {place[1]}"
        yield from record_lines("A", case.sighting.a)
        yield from record_lines("B", case.sighting.b)
        yield from overlap_lines(case)
        yield f"SEEN        first {case.first_seen}, last {case.last_seen}"
        yield from proposal_lines(self.proposal)
        yield "CHOICES     hectares that each record would lose (-) and gain (+)"
        yield from (_outcome_line(outcome) for outcome in outcomes(case))
        yield from _labelled("IF NOTHING", if_nothing(case), "IS DECIDED")
        yield from _labelled("POSITIONS", self._positions())
        yield from _labelled("DECISION", self._decisions())
        if case.assigned_to or due_day(case):
            late = " OVERDUE" if is_overdue(case, self.today) else ""
            yield f"{'TO DO':12}{case.assigned_to or 'nobody named'}, by {due_day(case) or 'no day'}{late}"
        if waiting := unacknowledged(case):
            yield f"{'WAITING':12}not acknowledged by {', '.join(waiting)}"
        yield from _labelled("HISTORY", (event_line(event, self.sentences) for event in case.events))

    def _positions(self) -> Iterator[str]:
        for position in self.case.positions:
            day = f" of {position.said_on}" if position.said_on else ""
            said = f"{position.operator}: {ANSWERS[position.answer]} ({position.name}{day})"
            rest = [position.comment, position.evidence and f"evidence: {position.evidence}"]
            yield "; ".join([said, *filter(None, rest)])
        for operator, due in unanswered(self.case).items():
            late = due is not None and due < self.today.isoformat()
            yield f"{operator}: no answer {f'by {due}' if late else f'yet, asked for by {due or chr(45)}'}"

    def _decisions(self) -> Iterator[str]:
        for decision in self.decisions:
            in_force = self.case.decision is not None and (
                decision.decision_id == self.case.decision.decision_id
            )
            yield f"{decision_text(decision)}{'' if in_force else ' [history]'}"


def record_lines(name: str, side: Side) -> Iterator[str]:
    """Yield what the register knows of one record."""
    columns = side.columns
    ids = f"{columns['source_id'] or 'no id of its own'} (record {columns['record_id']})"
    guid = f", GUID {columns['guid']}" if columns["guid"] else ""
    yield f"{f'RECORD {name}':12}{columns['operator']} {ids}{guid}"
    depth = columns["clearance_depth_cm"]
    facts = [str(columns["kind"]), f"status {columns['status']}"]
    facts += [f"{word} {columns[key]}" for key, word in _DATES.items() if columns[key]]
    if columns["kind"] in RELEASED_KINDS:
        facts.append("depth unknown" if depth is None else f"depth {depth:g} cm")
    yield f"{'':12}{', '.join(facts)}"
    stated = columns["area_stated_m2"]
    text = f", stated {stated:,.0f} m2" if stated is not None else ""
    village = f", village {columns['village_stated']}" if columns["village_stated"] else ""
    yield f"{'':12}{columns['area_m2']:,.1f} m2 measured{text}{village}"


def overlap_lines(case: Case) -> Iterator[str]:
    """Yield what was measured of the overlap."""
    columns = case.sighting.columns
    last = "" if case.present else " (not in the data now: as it was last seen)"
    width_m = width_of(case)
    width = f", {width_m:,.2f} m wide" if width_m is not None else ""
    parts = f", {columns['parts']} parts" if columns["parts"] != 1 else ""
    area_m2 = columns["area_m2"]
    yield f"OVERLAP     {area_m2:,.2f} m2 ({area_m2 / 10_000:,.4f} ha){width}{parts}{last}"
    shares = [columns[f"{side}_share"] for side in "ab"]
    said = " and ".join(f"{share:.1%} of {name}" for share, name in zip(shares, "AB", strict=True))
    order = {"a_first": "A is earlier", "b_first": "B is earlier"}.get(columns["time_order"])
    yield f"{'':12}{said}; {columns['relation']}; {order or 'order in time not known'}"


def proposal_lines(proposal: Proposal) -> Iterator[str]:
    """Yield what is proposed, and why."""
    yield f"PROPOSAL    {CHOICES[proposal.choice]}"
    yield from (f"{'':12}{reason}" for reason in proposal.reasons)


def if_nothing(case: Case) -> Iterator[str]:
    """Yield what happens if nothing is decided."""
    columns = case.sighting.columns
    hectares = f"{columns['area_m2'] / 10_000:,.4f} ha"
    kinds = [case.sighting.a.columns["kind"], case.sighting.b.columns["kind"]]
    hazards, releases = (sum(kind in group for kind in kinds) for group in (HAZARD_KINDS, RELEASED_KINDS))
    if not case.present:
        yield "The ground that changed stays without an explanation."
        return
    yield "Both records stay as they are; the case comes up again in the next meeting."
    if hazards and releases:
        yield f"{hectares} are shown as hazard and reported as released at the same time."
    elif releases == 2 or hazards == 2:
        what = "released land" if releases else "hazard"
        yield f"{hectares} of {what} stand in the reports of two records; they stay in undecided overlap."
    if columns["severity"] == Severity.ALARM:
        yield "SAFETY: people may use this ground because it was reported as released."


def decision_text(decision: Decision) -> str:
    """Return a decision in one line."""
    kind = "confirmed" if decision.confirmed else "provisional, signed minutes missing"
    parts = [f"{CHOICES[decision.choice]} ({kind}) by {decision.level}"]
    parts.append(decision.reference.text if decision.reference else "no reference")
    if decision.reference and decision.reference.file_sha256:
        parts.append(f"{decision.reference.file_name} {decision.reference.file_sha256[:12]}")
    if decision.line_wgs84 is not None:
        parts.append("with an agreed line")
    flags = ("shrinks_hazard", "less ground shown as hazard: known and meant"), (
        "grows_released", "more ground shown as released: known and meant",
    )  # fmt: skip
    parts += [text for name, text in flags if getattr(decision, name)]
    parts += [f"{decision.responsible} corrects"] if decision.responsible else []
    parts += [f"by {decision.due}"] if decision.due else []
    parts += [decision.note] if decision.note else []
    return "; ".join(parts)


def decision_as_dict(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain values; the line as WKT (lon/lat)."""
    line = decision.line_wgs84
    return {
        **{name: getattr(decision, name) for name in (
            "decision_id", "choice", "confirmed", "level", "sighting", "shrinks_hazard", "grows_released",
            "responsible", "due", "note", "by", "at",
        )},
        "reference": decision.reference and asdict(decision.reference),
        "line_wgs84": None if line is None else shapely.to_wkt(line, rounding_precision=-1),
    }  # fmt: skip


def _outcome_line(outcome: ChoiceOutcome) -> str:
    name = f"{'':12}{CHOICES[outcome.choice]:30}"
    if outcome.choice is Choice.SPLIT_ON_LINE:
        return f"{name}depends on the line"
    if outcome.a_lost_ha is None:
        return f"{name}known after the work"
    changes = outcome.a_lost_ha, outcome.a_gained_ha, outcome.b_lost_ha, outcome.b_gained_ha
    texts = [f"{number:,.4f}" if number else "0" for number in changes]
    if not any(changes):
        return f"{name}nothing changes"
    warning = "; ".join(danger.flag.replace("_", " ").upper() for danger in outcome.dangers)
    said = f"A -{texts[0]} +{texts[1]}   B -{texts[2]} +{texts[3]}"
    return f"{name}{said}{f'   NOT SAFE: {warning}' if warning else ''}"


def event_line(event: Event, sentences: Mapping[str, str]) -> str:
    """Return what happened to a case in one line."""
    data = event.data
    told = [data.get(name) for name in ("operator", "answer", "choice", "level", "meeting", "to", "due")]
    cause = sentences.get(event.cause, event.cause)
    words = "; ".join(str(text) for text in (*told, cause) if text)
    lost = [f"{name[0].upper()} lost {value:,.0f} m2 of hazard"
            for name, value in data.items() if name.endswith("_hazard_lost_m2") and value]  # fmt: skip
    said = "; ".join(filter(None, [words, *lost]))
    day = event.at.date().isoformat()
    return f"{day} {event.author}: {event.kind.replace('_', ' ')}{f' ({said})' if said else ''}"


def _labelled(label: str, lines: Iterator[str], second: str = "") -> Iterator[str]:
    """Yield lines behind a label; nothing where there are none."""
    labels = [label, second]
    for number, line in enumerate(lines):
        head = labels[number] if number < len(labels) else ""
        yield f"{head:12}{line}"
