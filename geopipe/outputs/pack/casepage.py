"""What stands on the page of one case, as plain values in the languages of the pack."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from geopipe.casework.facts import answers, due_day, unanswered, width_of
from geopipe.casework.reasons import Reason
from geopipe.casework.words import ANSWERS, CHOICES
from geopipe.casework.words import STATUSES as CASE_STATUSES
from geopipe.crs import WGS84, choose_operation, crs_name
from geopipe.errors import GeopipeError
from geopipe.languages.texts import Texts, message
from geopipe.languages.words import CONFIDENCES, KINDS, RELATIONS, SEVERITIES, STATUSES, TIME_ORDERS
from geopipe.outputs.pack.casemap import as_svg
from geopipe.outputs.pack.choicetable import choices
from geopipe.outputs.pack.material import Material
from geopipe.outputs.pack.onmap import case_map, legend, points_inside
from geopipe.outputs.pack.wording import COMMENT, LINE, day, note, reference, shown, some
from geopipe.register.case import Case, Decision, Side
from geopipe.register.table import place_of
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Severity

_POSITIONS, _DECISIONS, _REASONS, _POINTS = 4, 4, 4, 3
QUESTION = message("What is decided about the {area} that both records cover?")
QUESTION_ALARM = message("Is this ground hazard or released land? Both records cover {area} of it.")
QUESTION_GONE = message("Who changed this overlap before anyone decided, and on what evidence?")
NO_ANSWER = message("{operator}: no answer by {day}")
NO_ANSWER_YET = message("{operator}: no answer yet; asked for by {day}")
NOT_ASKED = message("{operator}: not asked yet")


def case_page(case: Case, material: Material, texts: Texts) -> dict[str, Any]:
    """Return the page of a case; for an operator's edition only what it may know."""
    columns, proposal = case.sighting.columns, material.proposals[case.case_id]
    reasons = proposal.reasons if _is_national(material) else proposal.shareable
    drawn = case_map(case, material)
    return {
        "name": case.name, "severity": columns["severity"],
        "severity_text": texts(SEVERITIES[columns["severity"]]),
        "status": texts(CASE_STATUSES[case.status]), "question": question(case, texts),
        "finding": texts(material.policy.sentences.get(columns["finding"], columns["finding"])),
        "place": place(case, material, texts), "map": as_svg(drawn),
        "map_note": texts("The records go on outside the map.") if drawn.frame.is_cut else "",
        "legend": legend(drawn, texts), "facts": list(facts(case, material, texts)),
        "records": records(case, material, texts), "choices": choices(case, material, texts),
        "proposal": texts(CHOICES[proposal.choice]),
        "reasons": some(texts, (_reason(reason, texts) for reason in reasons), _REASONS),
        "sections": [
            [texts("If nothing is decided"), list(if_nothing(case, texts))],
            [texts("Positions"), some(texts, positions(case, material, texts), _POSITIONS)],
            [texts("Earlier decisions on these records"),
             some(texts, decisions(case, material, texts), _DECISIONS) or [texts("none")]],
        ],
        "form": _form(case, material, texts),
    }  # fmt: skip


def _is_national(material: Material) -> bool:
    return material.meeting.operator is None


def _reason(reason: Reason, texts: Texts) -> str:
    """Return a reason in every language, each cut where it is too long."""
    return texts.separator.join(dict.fromkeys(shown(reason.told(one), LINE * 2) for one in texts.each))


def question(case: Case, texts: Texts) -> str:
    """Return the one question of a case."""
    area = texts.area_m2(case.sighting.columns["area_m2"], 1)
    if not case.present:
        return texts(QUESTION_GONE)
    is_alarm = case.sighting.columns["severity"] == Severity.ALARM
    return texts(QUESTION_ALARM if is_alarm else QUESTION, area=area)


def place(case: Case, material: Material, texts: Texts) -> str:
    """Return where a case lies; for an operator by its own record."""
    operator = material.meeting.operator
    sides = [side.columns for side in (case.sighting.a, case.sighting.b)]
    own = [columns for columns in sides if operator in (None, columns["operator"])]
    place = [
        place_of(case, level) if operator is None else own[0][f"{level}_located"] or own[0][f"{level}_stated"]
        for level in ("province", "district")
    ]
    village = next((columns["village_stated"] for columns in own if columns["village_stated"]), None)
    names = (texts("Province"), texts("District"), texts("Village"))
    said = [
        f"{name}: {shown(value or '–', 30)}" for name, value in zip(names, (*place, village), strict=True)
    ]
    return "   ".join(said)


def facts(case: Case, material: Material, texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield what was measured of the overlap."""
    columns, width_m = case.sighting.columns, width_of(case)
    area = f"{texts.area_m2(columns['area_m2'], 1)} = {texts.area_ha(columns['area_m2'], 4)}"
    yield texts("Overlap"), area if case.present else f"{area} ({texts('not in the data now')})"
    if width_m is not None:
        wide = f"{texts.number(width_m, 2)} m"
        thin = width_m < material.policy.survey_accuracy_m
        yield texts("Largest width"), f"{wide} ({texts('smaller than survey accuracy')})" if thin else wide
    yield texts("Parts"), texts.number(columns["parts"])
    for letter, side in (("A", case.sighting.a), ("B", case.sighting.b)):
        if material.meeting.operator in (None, side.operator):
            share = columns[f"{letter.lower()}_share"]
            yield texts("Share of {record}", record=letter), texts.percent(share or 0.0)
    yield texts("How they lie"), texts(RELATIONS[columns["relation"]])
    yield texts("Order in time"), texts(TIME_ORDERS.get(columns["time_order"], "order not known"))
    yield texts("Measured"), texts(CONFIDENCES[columns["confidence"]])
    yield texts("Middle of the overlap"), _middle(case, material)
    yield texts("Finds and evidence inside"), _points(case, material, texts)


def _middle(case: Case, material: Material) -> str:
    ground = material.grounds[case.case_id].overlap
    if shapely.is_empty(ground):
        return "–"
    x, y = shapely.get_coordinates(shapely.point_on_surface(ground))[0]
    longitude, latitude = _to_degrees(material.working_crs).transform(x, y)
    return f"{latitude:.6f} N, {longitude:.6f} E (WGS 84)"


@lru_cache(maxsize=1)
def _to_degrees(working_crs: str) -> Any:
    """Return the operation into WGS 84; thousands of cases ask for the same one."""
    return choose_operation(working_crs, WGS84)[0]


def _points(case: Case, material: Material, texts: Texts) -> str:
    """Return the finds inside: an operator is told of its own."""
    rows = points_inside(case, material)
    if not len(material.points):
        return texts("no points were delivered")
    table = material.points.take(np.array(rows, dtype=np.intp)).table.to_pylist() if rows else []
    said = []
    for row in table:
        depth = f", {texts.number(row['found_depth_cm'])} cm" if row["found_depth_cm"] is not None else ""
        said.append(f"{shown(row['point_type'] or '?', 20)} {day(texts, row['date_found'])}{depth}")
    return "; ".join([texts.number(len(table)), *some(texts, said, _POINTS)])


def records(case: Case, material: Material, texts: Texts) -> dict[str, Any]:
    """Return the table of both records; of a partner's record only what the edition may tell."""
    sides = [case.sighting.a, case.sighting.b]
    told = [_record(side, material, texts) for side in sides]
    return {
        "head": ["", *(f"{name}: {shown(side.operator)}" for name, side in zip("AB", sides, strict=True))],
        "rows": [[name, *(record[name] for record in told)] for name in told[0]],
    }


def _record(side: Side, material: Material, texts: Texts) -> dict[str, str]:
    columns = side.columns
    is_told = material.meeting.operator in (None, columns["operator"])
    depth, stated = columns["clearance_depth_cm"], columns["area_stated_m2"]
    if depth is None:
        deep = texts("depth not known") if columns["kind"] in RELEASED_KINDS else "–"
    else:
        deep = f"{texts.number(depth)} cm"
    national = material.national_ids.get(columns["record_id"]) or columns["guid"]
    survey, completion = columns["date_surveyed"], columns["date_completed"]
    if not is_told:  # the one date that orders the record in time
        survey, completion = (None, completion) if columns["kind"] in RELEASED_KINDS else (survey, None)
    record = {
        texts("Own id"): shown(columns["source_id"] or columns["record_id"]),
        texts("IMSMA id"): shown(national or "–"),
        texts("Kind"): texts(KINDS[columns["kind"]]),
        texts("Status"): texts(STATUSES[columns["status"]]),
        texts("Surveyed"): day(texts, survey),
        texts("Completed"): day(texts, completion),
        texts("Clearance depth"): deep,
        texts("Area measured"): texts.area_m2(columns["area_m2"], 0),
        texts("Area stated"): "–" if stated is None else texts.area_m2(stated, 0),
        texts("Coordinates from"): _coordinates(side, material, texts),
    }
    hidden = ("IMSMA id", "Clearance depth", "Area measured", "Area stated", "Coordinates from")
    return record if is_told else record | {texts(name): texts("not in this edition") for name in hidden}


def _coordinates(side: Side, material: Material, texts: Texts) -> str:
    """Return the file and the CRS of a record, and how accurate the operation into the working CRS was."""
    file, crs = material.origin.get((side.record_id, side.version_id), ("", ""))
    if not file:
        return texts("an earlier delivery")
    delivery = next((item for item in material.summary["deliveries"] if item["file"] == file), None)
    known = {_crs(step["source"]): step["accuracy_m"] for step in (delivery or {}).get("operations", ())}
    accuracy_m = known.get(_crs(crs))
    said = texts("accuracy not known")
    if accuracy_m is not None:
        exact = texts("operation exact to {metres} m", metres=texts.number(accuracy_m, 1))
        said = exact if accuracy_m else texts("no datum change")
    return f"{shown(file, 34)}, {shown(crs, 24)} ({said})"


def _crs(text: str) -> str:
    """Return the short name of a CRS; the text where it names none that is known."""
    try:
        return crs_name(text)
    except GeopipeError:
        return text


def if_nothing(case: Case, texts: Texts) -> Iterator[str]:
    """Yield what stays as it is when nobody decides."""
    columns = case.sighting.columns
    area = texts.area_ha(columns["area_m2"], 4)
    kinds = [case.sighting.a.columns["kind"], case.sighting.b.columns["kind"]]
    hazards, releases = (sum(kind in group for kind in kinds) for group in (HAZARD_KINDS, RELEASED_KINDS))
    if not case.present:
        yield texts("The ground that changed stays without an explanation.")
        return
    yield texts("Both records stay as they are; the case comes up again in the next meeting.")
    if hazards and releases:
        yield texts("{area} are shown as hazard and reported as released at the same time.", area=area)
    elif releases == 2:
        yield texts("{area} of released land stay in undecided overlap of two records.", area=area)
    elif hazards == 2:
        yield texts("{area} of hazard stay in undecided overlap of two records.", area=area)
    if columns["severity"] == Severity.ALARM:
        yield texts("SAFETY: people may use this ground because it was reported as released.")


def positions(case: Case, material: Material, texts: Texts) -> Iterator[str]:
    """Yield what each operator says; an operator reads its own position only."""
    said, waiting = answers(case), unanswered(case)
    for operator in dict.fromkeys(case.operators):
        if material.meeting.operator not in (None, operator):
            continue
        name = shown(operator)
        if operator in waiting:
            asked = waiting[operator]
            late = asked is not None and asked < material.meeting.day.isoformat()
            yield texts(NO_ANSWER if late else NO_ANSWER_YET, operator=name, day=day(texts, asked))
        elif operator in said:
            position, _ = said[operator]
            parts = [texts(ANSWERS[position.answer]), day(texts, position.said_on)]
            parts += [
                note(texts, text, COMMENT // 2) for text in (position.comment, position.evidence) if text
            ]
            yield f"{name}: {'; '.join(parts)}"
        else:
            yield texts(NOT_ASKED, operator=name)


def decisions(case: Case, material: Material, texts: Texts) -> Iterator[str]:
    """Yield what was decided about these two records before, in this case and in others."""
    ids = {case.sighting.a.record_id, case.sighting.b.record_id}
    for other in material.decided:
        about = {other.sighting.a.record_id, other.sighting.b.record_id}
        if other.case_id == case.case_id or ids & about:
            for decision in material.decisions[other.case_id]:
                yield f"{other.name}: {decided(decision, texts)}"


def decided(decision: Decision, texts: Texts) -> str:
    """Return a decision in one line: what, how sure, by which paper."""
    state = texts("confirmed") if decision.confirmed else texts("provisional (minutes pending)")
    return f"{texts(CHOICES[decision.choice])}; {state}; {shown(reference(texts, decision.reference), 80)}"


def _form(case: Case, material: Material, texts: Texts) -> dict[str, Any]:
    """Return the lines to be filled in by hand; what is known already stands on them."""
    decision = case.decision
    responsible = (decision.responsible if decision else "") or case.assigned_to
    paper = reference(texts, decision.reference) if decision and decision.reference else ""
    due = due_day(case)
    fields = [
        [texts("Decision"), texts(CHOICES[decision.choice]) if decision else ""],
        [texts("Who corrects"), shown(responsible, 40) if responsible and _is_national(material) else ""],
        [texts("By (date)"), day(texts, due) if due else ""],
        [texts("Reference of the minutes"), shown(paper, 60)],
    ]
    signers = [shown(name, 30) for name in dict.fromkeys(case.operators)]
    return {"fields": fields, "signatures": [*signers, texts("Province"), texts("NRA")]}
