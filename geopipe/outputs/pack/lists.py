"""The lists of a pack: what needs a person first, the agenda, the consent list, the decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from geopipe.casework.facts import due_day, is_disputed, unacknowledged
from geopipe.casework.words import CHOICES
from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.blocks import Block, heading, paragraph, row, table, warning
from geopipe.outputs.pack.material import Material
from geopipe.outputs.pack.overview import DECIDED_NO_MINUTES, NOT_ACKNOWLEDGED, OVERDUE
from geopipe.outputs.pack.wording import alarm, day, reference, shown
from geopipe.register.case import Case
from geopipe.register.table import place_of
from geopipe.terms import Choice

_CHANGES_SHOWN = 12


def needs_a_person(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield what earlier meetings left: it opens the pack."""
    agenda = material.agenda
    parts: Sequence[tuple[str, Sequence[Case]]] = (
        (DECIDED_NO_MINUTES, agenda.minutes_missing),
        (NOT_ACKNOWLEDGED, agenda.not_acknowledged),
        (OVERDUE, agenda.overdue),
    )
    if not any(cases for _, cases in parts):
        return
    yield heading(texts("What needs a person first"))
    for title, cases in parts:
        yield heading(f"{texts(title)}: {texts.number(len(cases))}", 2)
        if not cases:
            continue
        rows = [row(case.name, _pair(case), _decided(case, texts), _who(case, material),
                    day(texts, due_day(case)), case=case.name) for case in cases]  # fmt: skip
        head = [texts("Case"), texts("Records"), texts("Decision"), texts("Who"), texts("By (date)")]
        yield table(head, rows, "sttts", with_pages=True)


def _pair(case: Case) -> str:
    return f"{shown(case.sighting.a.name)} × {shown(case.sighting.b.name)}"


def _decided(case: Case, texts: Texts) -> str:
    return texts(CHOICES[case.decision.choice]) if case.decision else "–"


def _who(case: Case, material: Material) -> str:
    """Return who is waited for: an operator is told of itself only."""
    operator = material.meeting.operator
    waiting = [name for name in unacknowledged(case) if operator in (None, name)]
    named = (case.decision.responsible if case.decision else "") or case.assigned_to
    if named and operator is None:
        waiting.append(named)
    return shown(", ".join(dict.fromkeys(waiting)) or "–")


def agenda_pages(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the agenda: alarms, cases to discuss, consent list, the rest counted."""
    agenda = material.agenda
    yield heading(texts("Agenda"))
    if material.meeting.operator is None:
        said = {"minutes": texts.number(agenda.minutes), "planned": texts.number(agenda.planned_min)}
        yield paragraph(texts("{minutes} minutes, {planned} of them planned", **said))
    if agenda.deferred_alarms:
        number = texts.number(agenda.deferred_alarms)
        yield warning(
            texts("SAFETY: {number} alarms do not fit into this meeting. It must be longer.", number=number)
        )
    for title, cases in (
        (message("Safety alarms"), agenda.alarms), (message("Cases to discuss"), agenda.discussion),
    ):  # fmt: skip
        yield heading(f"{texts(title)}: {texts.number(len(cases))}", 2)
        if cases:
            yield _proposed(cases, material, texts)
    consent = texts.number(len(agenda.consent))
    yield heading(f"{texts('Consent list')}: {consent}", 2)
    yield paragraph(texts("All operators agree with the proposal. One signature decides them all."))
    yield heading(f"{texts('Deferred')}: {texts.number(len(agenda.deferred))}", 2)


def _proposed(cases: Sequence[Case], material: Material, texts: Texts) -> Block:
    """Return cases with what is proposed for each."""
    rows = []
    for case in cases:
        said = texts(CHOICES[material.proposals[case.case_id].choice])
        if is_disputed(case) and material.meeting.operator is None:
            said = f"{said} ({texts('the operators differ')})"
        place = shown(place_of(case, "province") or "–", 30) if material.meeting.operator is None else ""
        area = texts.area_m2(case.sighting.columns["area_m2"], 1)
        rows.append(row(case.name, _pair(case), area, place, said, case=case.name))
    head = [texts("Case"), texts("Records"), texts("Overlap"), texts("Province"), texts("Proposal")]
    return table(head, rows, "stntt", with_pages=True)


def consent_pages(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the consent list with the lines for its one signature."""
    cases = material.agenda.consent
    yield heading(texts("Consent list"))
    if not cases:
        yield paragraph(texts("No case is on the consent list."))
        return
    yield paragraph(texts("All operators agree with the proposal. One signature decides them all."))
    rules: dict[tuple[str, Choice], list[Case]] = defaultdict(list)
    for case in cases:
        rules[case.sighting.columns["finding"], material.proposals[case.case_id].choice].append(case)
    for (finding, choice), alike in rules.items():
        what = texts(material.policy.sentences.get(finding, finding))
        yield heading(f"{what}: {texts(CHOICES[choice])} ({texts.number(len(alike))})", 2)
        yield _proposed(alike, material, texts)
    names = sorted({name for case in cases for name in case.operators})
    signers = [material.meeting.operator] if material.meeting.operator else names
    yield {"kind": "signatures", "names": [*map(shown, signers), texts("Province"), texts("NRA")]}


def decisions_register(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield every decision that was ever made, the last one of a case first."""
    yield heading(texts("Decisions"))
    rows = []
    for case in material.cases:
        for decision in reversed(material.decisions.get(case.case_id, ())):
            is_last = case.decision is not None and decision.decision_id == case.decision.decision_id
            state = texts("confirmed") if decision.confirmed else texts("provisional (minutes pending)")
            rows.append(
                row(case.name, _pair(case), texts(CHOICES[decision.choice]),
                    state if is_last else texts("history"), shown(reference(texts, decision.reference)),
                    day(texts, decision.due), case=case.name)
            )  # fmt: skip
    if not rows:
        yield paragraph(texts("Nothing was decided yet."))
        return
    head = [
        texts("Case"),
        texts("Records"),
        texts("Decision"),
        texts("State"),
        texts("Reference"),
        texts("By (date)"),
    ]
    yield table(head, rows, "sttsts", with_pages=True)


def changes(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield what has changed since the last meeting, where that is known."""
    told = material.changes
    if told is None:
        return
    yield heading(texts("What has changed since {moment}", moment=shown(material.since)), 2)
    if told["rules_changed"]:
        yield warning(texts("The rules have changed, too: figures differ for this reason as well."))
    cases = told["cases"]
    counts = (
        (message("opened"), cases["opened"]),
        (message("decided"), [item["case"] for item in cases["decided"]]),
        (message("finished"), cases["finished"]),
        (message("reopened"), cases["reopened"]),
    )
    rows = [row(texts(name), texts.number(len(names)), _listed(names)) for name, names in counts]
    yield table([texts("Cases"), texts("Number"), ""], rows, "snt")
    alarms = [
        row(
            alarm(item, texts),
            texts.number(item["before"]),
            texts.number(item["now"]),
            _listed(item["new"]),
        )
        for item in told["alarms"]
    ]
    yield table([texts("Alarms"), texts("before"), texts("now"), texts("new")], alarms, "tnnt")
    files = told["deliveries"]
    kinds = (
        (message("new files"), "new"), (message("new content"), "new_content"),
        (message("not read now"), "not_read_now"),
    )  # fmt: skip
    rows = [row(texts(name), texts.number(len(files[key])), _listed([item["file"] for item in files[key]]))
            for name, key in kinds]  # fmt: skip
    yield table([texts("Deliveries"), texts("Number"), ""], rows, "snt")


def _listed(names: Sequence[str]) -> str:
    rest = f", … (+{len(names) - _CHANGES_SHOWN})" if len(names) > _CHANGES_SHOWN else ""
    return ", ".join(map(shown, names[:_CHANGES_SHOWN])) + rest


def case_names(block: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return a block of which only cases with a page are linked."""
    if block["kind"] != "table":
        return block
    rows = [item | {"case": item["case"] if item["case"] in known else ""} for item in block["rows"]]
    return block | {"rows": rows, "pages": block["pages"] and any(item["case"] for item in rows)}
